"""Conditions on runs as one writes them: width=32, depth=2,8, learning_rate<0.1, loss!=mse."""

import difflib
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

from analysis.reading.setting_values import as_written, in_words
from analysis.reading.stores import UnsuitableRunsError, axes
from core.functions.activations import canonical_activation
from core.trials import SETTINGS

WRITTEN = re.compile(r"\s*(\w+)\s*(<=|>=|!=|==?|<|>)\s*(.*?)\s*")
EXAMPLE = "as in --where width=32, --where depth=2,8 or --where 'learning_rate<0.1'"
ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
AS_SHOWN = 0.01  # of a value: figures and tables show values in few digits
MOST_NAMED = 8  # of a column's values, in a message


@dataclass(frozen=True)
class Condition:
    """What the runs that are kept have in one column.

    Attributes:
        column: A setting, or another column of the runs.
        sign: One of =, !=, <, <=, >, >=.
        values: As written; only = and != take more than one.
    """

    column: str
    sign: str
    values: tuple[str, ...]

    def kept(self, runs: pd.DataFrame) -> pd.DataFrame:
        """The runs for which it holds.

        A fraction that no run has means those within AS_SHOWN of it: 0.33 keeps 0.3298770.

        Raises:
            UnsuitableRunsError: There is no such column, no run has the value, or no run is left.
        """
        if self.column not in runs:
            raise UnsuitableRunsError(
                f"--where: {no_setting(self.column, runs)}, or another column of the runs"
            )
        column = runs[self.column]
        if self.sign in ORDER:
            found = ORDER[self.sign](column, self._bound(column))
        else:
            found = pd.Series(False, runs.index)
            for value in self.values:
                found |= self._equal(column, value)
            found = found if self.sign == "=" else ~found
        if not found.any():
            raise UnsuitableRunsError(f"--where {self}: no run is left; it has {listed(column)}")
        return runs[found]

    def _equal(self, column: pd.Series, value: str) -> pd.Series:
        same = _same_number(column, value) if _is_number(column) else _same_name(column, value)
        if not same.any():
            raise UnsuitableRunsError(
                f"--where {self}: no run has {self.column} {value}; {_near(column, value)}"
            )
        return same

    def _bound(self, column: pd.Series) -> float:
        (value,) = self.values
        if not _is_number(column):
            raise UnsuitableRunsError(
                f"--where {self}: {self.column} has names and no order; write {self.column}=NAME"
            )
        return _number(value, f"--where {self}")

    def __str__(self) -> str:
        return f"{self.column}{self.sign}{','.join(self.values)}"


def condition(text: str) -> Condition:
    """Read a condition: a column, a sign, and a value or several with commas between them.

    Raises:
        UnsuitableRunsError: It does not read as one.
    """
    read = WRITTEN.fullmatch(text)
    values = [] if read is None else re.split(r"\s*,\s*", read[3].strip("[]() "))
    if read is None or "" in values:
        raise UnsuitableRunsError(f"--where {text!r} is no condition; write one {EXAMPLE}")
    if read[2] in ORDER and len(values) > 1:
        raise UnsuitableRunsError(f"--where {text!r}: {read[2]} takes one number")
    return Condition(read[1], "=" if read[2] == "==" else read[2], tuple(values))


def no_setting(name: str, runs: pd.DataFrame) -> str:
    """The words that there is no setting of the name, with those that come near."""
    near = difflib.get_close_matches(name, [each for each in SETTINGS if each in runs], n=1)
    meant = f" (did you mean {near[0]}?)" if near else ""
    varying = axes(runs)
    known = f"what varies here is {', '.join(varying)}" if varying else "nothing varies here"
    return f"{name!r} is no setting of these runs{meant}; {known}"


def listed(column: pd.Series) -> str:
    """The values of a column in words, the middle ones left out where there are many."""
    name = str(column.name)
    every = _values(column)
    values = [as_written(name, v) if name in SETTINGS else in_words(v) for v in every]
    if len(values) > MOST_NAMED:
        return f"{', '.join(values[:3])}, ... {values[-1]} ({len(values)} values)"
    return ", ".join(values)


def _near(column: pd.Series, written: str) -> str:
    """The values of the column that come nearest to the written one."""
    values = _values(column)
    if not _is_number(column):
        near = difflib.get_close_matches(written, [str(value) for value in values], n=1)
        return (f"did you mean {near[0]}? " if near else "") + f"there are {listed(column)}"
    wanted = _wanted(column, written)
    below = [value for value in values if value < wanted][-1:]
    above = [value for value in values if value > wanted][:1]
    return f"the nearest are {' and '.join(map(in_words, [*below, *above]))}"


def _values(column: pd.Series) -> list[Any]:
    return sorted(column.dropna().unique().tolist())


def _is_number(column: pd.Series) -> bool:
    return is_numeric_dtype(column) and not is_bool_dtype(column)


def _same_name(column: pd.Series, written: str) -> pd.Series:
    meant = canonical_activation(written) if column.name == "activation" else written
    return column.astype(str).str.casefold() == meant.casefold()


def _same_number(column: pd.Series, written: str) -> pd.Series:
    wanted = _wanted(column, written)
    same = column == wanted
    if same.any() or not is_float_dtype(column):
        return same
    return (column - wanted).abs() <= AS_SHOWN * abs(wanted)


def _wanted(column: pd.Series, written: str) -> float:
    """The number that is written, in figures or as a word of the setting's."""
    setting = SETTINGS.get(str(column.name))
    meant = None if setting is None or setting.meant is None else setting.meant(written)
    return _number(written, f"--where {column.name}={written}") if meant is None else float(meant)


def _number(written: str, place: str) -> float:
    try:
        return float(written)
    except ValueError as error:
        raise UnsuitableRunsError(f"{place}: {written!r} is no number") from error
