"""A sweep file's field that does not exist: the one that was meant, or that there is none yet."""

import difflib
from collections.abc import Collection, Iterable, Mapping


class FieldError(ValueError):
    """A field is wrong; the message begins with its name."""


CLOSE = 0.8  # difflib's ratio: a letter or two amiss in a field's name

NETWORK = "phasesweep trains plain fully connected networks; it has no {name} setting yet"
UNWATCHED = (
    "phasesweep measures held-out examples (test_examples) once, at the end; it has no {name} "
    "setting yet"
)
SHRINKING = "weights shrink by weight_decay, learning rates by a schedule; there is no {name}"
OF_WEIGHTS = (
    "init_scale is the weights' standard deviation with initializer: weight_std; there is no {name}"
)
OUTPUTS = (
    "what the outputs go through is part of the loss, as in loss: sigmoid_mse, softmax_mse, "
    "binary_cross_entropy or cross_entropy; there is no {name} setting"
)

# What people ask for and FULLY_CONNECTED does not have.
ABSENT = {
    NETWORK: "architecture, conv, dropout, dropout_rate, kernel_size, model",
    OUTPUTS: "last_activation, output, output_activation",
    UNWATCHED: "early_stopping, patience",
    SHRINKING: "decay, l1, lr_decay",
    OF_WEIGHTS: "init_std, std, stddev, weight_std",
}


def remedy(
    name: str,
    known: Iterable[str],
    elsewhere: Mapping[str, Collection[str]],
    absent: Mapping[str, str],
    uses: Mapping[str, str],
) -> str:
    """The remedy for a field whose name is unknown.

    Args:
        name: As written.
        known: The fields that there are.
        elsewhere: What other tools call them, by field.
        absent: Messages with `{name}` in them, each with the names that it is for, joined by
            commas; a name that is known is not absent.
        uses: How fields are written where other tools may write them otherwise.
    """
    fields, asked = list(known), name.strip().lower().replace("-", "_").replace(" ", "_")
    if asked in fields:
        return f"did you mean {asked}?"
    for field, names in elsewhere.items():
        if asked in names:
            use = f": {uses[field]}" if field in uses else ""
            return f"phasesweep calls it {field}{use}"
    for sentence, listed in absent.items():
        if asked in listed.split(", "):
            return sentence.format(name=asked)
    near = close_to(asked, fields)
    return f"did you mean {near}?" if near else f"the fields are {', '.join(fields)}"


def close_to(name: str, known: Iterable[str], ratio: float = CLOSE) -> str | None:
    """The known name that is closest by difflib's ratio; None if none comes close."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=ratio)), None)
