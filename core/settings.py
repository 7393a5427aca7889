"""The settings of a trial: each is described once, and all else is derived from that.

A trial is a frozen dataclass whose fields are made by `setting`. From a field's
description follow its field of the sweep file with the checks and the remedy, its column with
unit and meaning, its share of the trial's id, what rows written before it existed stand
for, which trials may be trained together, and what they cost.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from functools import cache, cached_property, lru_cache
from typing import Any, Generic, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

# As it stands in a column, in an axis and in an id; a set of names is their text.
Value = str | int | float | bool

T = TypeVar("T")

# Types of columns, as Arrow calls them.
COLUMN_TYPES = {str: "string", int: "int64", float: "double", bool: "bool"}
KINDS = (*COLUMN_TYPES, frozenset)

NO_NAMES = "none"  # the text of an empty set of names
BETWEEN_NAMES = "+"


def one_of(names: Iterable[str]) -> str:
    """The allowed names, in words."""
    return "one of " + ", ".join(names)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a trial.

    Attributes:
        name: In sweep files, columns and trials.
        kind: str, int, float, bool, or frozenset: some of `choices`.
        meaning: For the data dictionary, which adds the choices and the default.
        unit: "1" is a pure number; of a name it is "name".
        remedy: What may stand in a sweep file, as in "hidden units, as in width: 32".
        written: What a sweep file that leaves it out means; None if it must be given.
        default: What a row written before the setting existed stands for, in the setting's
            own type. A trial's id has the setting only where it differs from this. None for
            those that were there from the beginning, which every id has.
        choices: The names that it may be, in the order in which they are listed.
        least, most: Bounds of a number, themselves allowed.
        above, below: Bounds of a number, themselves not allowed.
        smallest: A number closer to 0 than this, and not 0, is refused.
        meant: The value that a word in a sweep file stands for; None if it is no such word.
        words: Those words, for suggestions.
        words_unless: Another setting's name, and the choice of it with which the words mean
            nothing; None if they always mean that value.
        called: What other tools call some of its choices: that name, and the choice.
        text: Of a setting of text that is a name or a number: the text that what a sweep file
            has stands for. It raises ValueError, saying what must hold, if there is none.
        elsewhere: Names that other tools have for the setting.
        objection: For a value of its axis and the sizes of a data set
            (core.datasets.DatasetInfo), why they do not go together and what to do, as a
            message says it after the data set's name; None if they do.
        used_with: Another setting's name, and those of its choices with which this one decides
            anything; None if it always does.
        beside: Other settings by name, whose values the objection takes too, after these two.
        goes_with: For a value, what other settings must be beside it, by name; None if no value
            asks for anything.
        listed: For a list that a sweep file has in the place of a value, the settings that it
            stands for, by name, this one first. It raises ValueError, saying what must hold, if it
            stands for none. None if there are no such lists.
        differs_within: "start": trials that share their initial weights may differ in it;
            "batch": trials that are trained together may; "sweep": neither.
        repeats: Whether its values are as good as one another, as seeds are: one averages over
            them, and none is larger than another.
        of_task: Whether it decides what a network is trained on.
        of_cost: Whether the cost model asks for it.
        decides: "training": the numbers of the descent; "record": what else is measured;
            "end": how early a run may end; "verdict": what the run is called.
    """

    name: str
    kind: type
    meaning: str
    unit: str = "1"
    remedy: str = ""
    written: Any = None
    default: Any = None
    choices: Collection[str] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    smallest: float = 0.0
    meant: Callable[[str], Value | None] | None = None
    words: Collection[str] = ()
    words_unless: tuple[str, str] | None = None
    called: Sequence[tuple[str, str]] = ()
    text: Callable[[Any], str] | None = None
    elsewhere: Collection[str] = ()
    objection: Callable[..., str | None] | None = None
    beside: Sequence[str] = ()
    goes_with: Callable[[Any], Mapping[str, Value]] | None = None
    listed: Callable[[Sequence[Any]], Mapping[str, Value]] | None = None
    used_with: tuple[str, Collection[str]] | None = None
    differs_within: Literal["sweep", "batch", "start"] = "sweep"
    repeats: bool = False
    of_task: bool = False
    of_cost: bool = False
    decides: Literal["training", "record", "end", "verdict"] = "training"

    @property
    def description(self) -> str:
        """Its meaning, what it may be, and what a row without it stands for."""
        meaning, default = self.meaning, self.encoded_default
        if self.choices and self.kind is frozenset:
            names = ", ".join(self.choices)
            meaning += f"; some of {names}, joined by {BETWEEN_NAMES}, or {NO_NAMES}"
        elif self.choices:
            meaning += f"; {one_of(self.choices)}"
        return meaning if default is None else f"{meaning}; NULL: {default}"

    @cached_property
    def encoded_default(self) -> Value | None:
        """The default as it stands in columns, axes and ids; None if there is none."""
        return None if self.default is None else self.encoded(self.default)

    @property
    def column_kind(self) -> type:
        """The type of its column: str, int, float or bool."""
        return str if self.kind is frozenset else self.kind

    @property
    def column_type(self) -> str:
        """The name of that type in Arrow."""
        return COLUMN_TYPES[self.column_kind]

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of its column in a table; its default is JSON."""
        about = {"meaning": self.description, "unit": self.unit}
        default = self.encoded_default
        return about if default is None else about | {"default": json.dumps(default)}

    def encoded(self, value: Any) -> Value:
        """A trial's value as it stands in columns, axes and ids; a set in the choices' order."""
        if self.kind is not frozenset:
            return value
        return BETWEEN_NAMES.join(name for name in self.choices if name in value) or NO_NAMES

    def decoded(self, value: Value) -> Any:
        """The trial's value of an encoded one."""
        if self.kind is not frozenset:
            return value
        return frozenset(str(value).split(BETWEEN_NAMES)) - {NO_NAMES}


def setting(meaning: str, unit: str = "1", **facts: Any) -> Any:
    """A field of a trial; `facts` are the other attributes of Setting, by name."""
    metadata = {"meaning": meaning, "unit": unit, **facts}
    if "default" in facts:
        return field(metadata=metadata, default=facts["default"])
    return field(metadata=metadata)


def settings_of(trial: type) -> Mapping[str, Setting]:
    """The settings of a class of trials by name, in the order of the columns."""
    return _settings_of(cast(Hashable, trial))


@cache
def _settings_of(trial: Any) -> Mapping[str, Setting]:
    return {each.name: _setting(each) for each in fields(trial)}


def _setting(each: Field[Any]) -> Setting:
    kind: Any = getattr(each.type, "__origin__", each.type)
    facts = dict(each.metadata)
    _require_a_setting(each.name, kind, facts)
    # Not `each.default is MISSING`: MISSING is another object where the class was pickled by value.
    if "default" in facts:
        facts["default"] = kind(facts["default"])
        facts.setdefault("written", facts["default"])
    return Setting(name=each.name, kind=kind, **facts)


def _require_a_setting(name: str, kind: Any, facts: Mapping[str, Any]) -> None:
    """Refuse what follows from no description."""
    known = {fact.name for fact in fields(Setting)} - {"name", "kind"}
    unknown = [fact for fact in facts if fact not in known]
    if "meaning" not in facts:
        raise TypeError(f"{name} is no setting: make it by setting(meaning, unit, ...)")
    if unknown:
        raise TypeError(
            f"{name}: a setting has no {unknown[0]!r}; it has {', '.join(sorted(known))}"
        )
    if kind not in KINDS:
        kinds = ", ".join(each.__name__ for each in KINDS)
        raise TypeError(f"{name}: a setting cannot be of type {kind!r}; take one of {kinds}")


def defaults(settings: Mapping[str, Setting]) -> Mapping[str, Value]:
    """The value that NULL means in the columns of settings that were added later, by name."""
    encoded = {name: each.encoded_default for name, each in settings.items()}
    return {name: value for name, value in encoded.items() if value is not None}


def values_of(trial: Any) -> dict[str, Value]:
    """A trial's settings by name as they stand in the columns."""
    return {n: s.encoded(getattr(trial, n)) for n, s in settings_of(type(trial)).items()}


def trial_from(trial: type[T], row: Mapping[str, Any]) -> T:
    """The trial of a row, even if the row lacks some columns or has NULL in them.

    Raises:
        ValueError: A setting that every row has is missing, or NULL.
    """
    values = {}
    for name, each in settings_of(trial).items():
        value = each.encoded_default if row.get(name) is None else row[name]
        if value is None:
            raise ValueError(f"a row has no {name}, which has no default; give it its {name}")
        values[name] = each.decoded(value)
    return trial(**values)


def trial_id(trial: Any) -> str:
    """The trial's content address: 24 hex digits, always the same for the same settings.

    Settings are hashed by name and in alphabetical order, so neither the order of the
    fields nor a sweep's name, batch or position in the grid can change an id.
    """
    return content_address(settings_of(type(trial)), values_of(trial))


def content_address(settings: Mapping[str, Setting], values: Mapping[str, Value]) -> str:
    """The id of a trial with these values, as they stand in columns; as trial_id."""
    digest = hashlib.blake2b(digest_size=12)
    for name in sorted(settings):
        if values[name] != settings[name].encoded_default:
            digest.update(_encoded(name, values[name]))
    return digest.hexdigest()


@lru_cache(maxsize=65_536, typed=True)  # 3 and 3.0 are equal, and written differently
def _encoded(name: str, value: Value) -> bytes:
    return json.dumps([name, value], allow_nan=False).encode() + b"\n"


@dataclass(frozen=True)
class Trials(Generic[T]):
    """Trials that are trained together: one of them, and columns of the settings that differ.

    Attributes:
        shared: Any of them: all agree in every setting that is not in `columns`.
        columns: By name, in the order of the settings, (trials,) each: the settings that
            may differ within a batch.
    """

    shared: T
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, trials: Sequence[T]) -> "Trials[T]":
        """Make Trials from single trials."""
        known = settings_of(type(trials[0]))
        names = [name for name, s in known.items() if s.differs_within != "sweep"]
        columns = {n: np.array([getattr(each, n) for each in trials]) for n in names}
        return cls(trials[0], columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), (self.shared,)))

    def __reduce__(self) -> tuple[Any, ...]:
        """The form sent to another process: a column of one value is sent as that value."""
        sent = {n: c[:1] if (c == c[:1]).all() else c for n, c in self.columns.items()}
        return _received, (self.shared, len(self), sent)

    def __getitem__(self, place: int) -> T:
        own = {name: column[place].item() for name, column in self.columns.items()}
        return replace(self.shared, **own)  # type: ignore[type-var]  # a dataclass

    def __iter__(self) -> Iterator[T]:
        return map(self.__getitem__, range(len(self)))

    def part(self, places: slice) -> "Trials[T]":
        """Those at some places."""
        return Trials(self.shared, {name: c[places] for name, c in self.columns.items()})

    def ids(self) -> list[str]:
        """The id of each."""
        known, values = settings_of(type(self.shared)), values_of(self.shared)
        rows: Iterable[tuple[Value, ...]] = [()]
        if self.columns:
            rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        return [
            content_address(known, {**values, **dict(zip(self.columns, row, strict=True))})
            for row in rows
        ]


def _received(shared: T, count: int, columns: Mapping[str, NDArray[Any]]) -> Trials[T]:
    """Trials as they were before they were sent."""
    return Trials(
        shared, {n: c if len(c) == count else c.repeat(count) for n, c in columns.items()}
    )
