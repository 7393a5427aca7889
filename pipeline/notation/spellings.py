"""Values of a sweep file that are near to a name."""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

# Values between commas that are in no brackets, and the problems that they are then.
SEVERAL = re.compile(r"\(?([\w.+-]+, *){1,9}[\w.+-]+\)?")
OF_WORDS = ("float_parsing", "int_parsing", "literal_error")

DIGITS = re.compile(r"\d")


def suggestion(problem: Any, words: Collection[str], called: Mapping[str, str]) -> str:
    """`did you mean tanh? ` or `did you mean [2, 8]? `, or nothing where nothing is near.

    Args:
        problem: One of pydantic's, as ValidationError.errors gives them.
        words: Names that are allowed there besides those that the problem lists.
        called: What other tools call some of these names.
    """
    written = problem["input"]
    if not isinstance(written, str):
        return ""
    if problem["type"] in OF_WORDS and SEVERAL.fullmatch(written):
        return f"did you mean [{written.strip('() ')}]? "
    if written.lower() in called:
        return f"did you mean {called[written.lower()]}? "
    names = [*words, *_listed(problem)]
    # float16 is no slip of the pen for float64.
    like = [name for name in names if DIGITS.findall(name) == DIGITS.findall(written)]
    close = difflib.get_close_matches(written.lower(), like, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _listed(problem: Any) -> list[str]:
    if problem["type"] != "literal_error":
        return []
    return re.findall("'([^']*)'", problem["ctx"]["expected"])
