"""The conclusion of a rule: one of four verdicts, and the numbers behind it."""

from dataclasses import dataclass
from math import isfinite

HOLDS = "holds"
FAILS = "fails"
OTHER_REASON = "holds for another reason"
TWO_EFFECTS = "two effects"
VERDICTS = (HOLDS, FAILS, OTHER_REASON, TWO_EFFECTS)


@dataclass(frozen=True)
class Number:
    """A measured number that a verdict rests on.

    Attributes:
        meaning: What was measured.
        value: None where it does not exist.
        unit: As in "decades per layer"; "1" for a pure number.
    """

    meaning: str
    value: float | None
    unit: str = "1"

    def __str__(self) -> str:
        text = "none" if self.value is None else f"{self.value:.4g}"
        return text if self.unit == "1" else f"{text} {self.unit}"


@dataclass(frozen=True)
class Verdict:
    """The conclusion that a rule drew from the rows.

    Attributes:
        verdict: One of VERDICTS.
        numbers: The decisive ones first.
    """

    verdict: str
    numbers: tuple[Number, ...]


def number(meaning: str, value: float, unit: str = "1") -> Number:
    """A Number from any float; one that is not finite becomes None."""
    return Number(meaning, float(value) if isfinite(value) else None, unit)
