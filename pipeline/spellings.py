"""Values of a sweep file by the names that people know them by: `ReLU`, `init_scale: he`."""

import difflib
import re
from typing import Any

from core.activations import canonical_activation
from core.initializers import NAMED_SCALES, named_scale

DIGITS = re.compile(r"\d")


def activation_meant(written: Any) -> Any:
    """An activation's name in its one spelling; what is none comes back as it is."""
    return canonical_activation(written) if isinstance(written, str) else written


def scale_meant(written: Any) -> Any:
    """A scale's number by its name; what is no name comes back as it is."""
    scale = named_scale(written) if isinstance(written, str) else None
    return written if scale is None else scale


def suggestion(problem: Any) -> str:
    """`did you mean tanh? `, or nothing where no name is near to what was written.

    Args:
        problem: One of pydantic's, as ValidationError.errors gives them.
    """
    written = problem["input"]
    if not isinstance(written, str):
        return ""
    # float16 is no slip of the pen for float64.
    like = [name for name in _names(problem) if DIGITS.findall(name) == DIGITS.findall(written)]
    close = difflib.get_close_matches(written.lower(), like, n=1)
    return f"did you mean {close[0]}? " if close else ""


def _names(problem: Any) -> list[str]:
    """What could have been written in that place by name."""
    if problem["type"] == "literal_error":
        return re.findall("'([^']*)'", problem["ctx"]["expected"])
    return list(NAMED_SCALES) if problem["loc"][0] == "init_scale" else []
