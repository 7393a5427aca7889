"""What pydantic finds wrong with data from outside, in this project's words."""

import re
import reprlib
from typing import Any

MOST_SHOWN = 100  # characters of one value

RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "float_parsing": "must be a valid number",
    "float_type": "must be a valid number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "list_type": "must be a list",
    "literal_error": "no such value",  # the field's description lists them
    "model_type": "must be a mapping",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}


def rule(problem: Any) -> str:
    """What must hold of the value: `must be a whole number`.

    Args:
        problem: One of pydantic's, as ValidationError.errors gives them.
    """
    said = problem["msg"].removeprefix("Value error, ")
    return RULES.get(problem["type"], re.sub("^(Input|String|List) should", "must", said))


def shown(value: Any) -> str:
    """A value in a form short enough for a message."""
    try:
        text = reprlib.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits.
        return "a number of thousands of digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
