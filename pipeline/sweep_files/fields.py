"""The fields of a sweep file: those on data, the trainer's settings, and how they combine."""

from collections.abc import Collection, Mapping
from functools import cache
from itertools import chain
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from core.settings import settings_of
from core.trainers import Trainer
from core.training import FULLY_CONNECTED
from pipeline.data_files import fields as data_fields
from pipeline.data_files.fields import SETTINGS, DataFields
from pipeline.notation.field_names import ABSENT, FieldError, remedy
from pipeline.notation.problems import MOST_SHOWN, rule, shown
from pipeline.notation.spellings import suggestion
from pipeline.sweep_files.axis_groups import Groups, names_in
from pipeline.sweep_files.condition_texts import ConditionText
from pipeline.sweep_files.setting_fields import setting_field, words
from pipeline.sweep_files.trace_field import TraceField

MOST_SAID = 10  # problems of one file

# Where a sweep file's rule is not that of all data from outside.
RULES = {
    "string_pattern_mismatch": "must be a name of up to 100 characters",
    "string_type": "must be text, in quotes if YAML would take it for something else",
}


class SweepFields(BaseModel):
    """The fields that every sweep file has; a field's description is the remedy in its errors."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    name: str | None = Field(
        None, pattern=r"^\w[\w.-]{0,99}$", description="letters, digits, _ . and -"
    )
    zip: Groups = Field(
        (), description="axes that move together, as in zip: [depth, learning_rate]"
    )
    where: ConditionText = Field(
        None,
        description="a condition on a cell's settings, as in where: learning_rate * depth < 1; one "
        "that YAML cuts at a colon, a # or a comma goes on lines of its own below `where: >`",
    )
    trace: TraceField = Field(
        None,
        description="as in trace: {axes: [init_scale, learning_rate], of: trained}: of the cells "
        "of this map, only those that tell where networks train are trained",
    )


class SweepDataFields(SweepFields, DataFields):
    """The fields of a sweep file for a trainer with a task."""


# What other tools call these fields.
ELSEWHERE = {
    "trace": ("adaptive", "boundary", "contour", "refine", "trace_boundary"),
    "zip": ("paired", "pairs", "together", "zipped"),
    "where": ("condition", "conditions", "constraint", "constraints", "exclude", "filter", "only"),
}


def sweep_fields(trainer: Trainer) -> type[SweepFields]:
    """The fields of a sweep of this trainer; with DataFields if the trainer has a task."""
    return _sweep_fields(trainer.trial, trainer.task is not None)


@cache
def _sweep_fields(trial: type, with_data: bool) -> type[SweepFields]:
    base, of_data = (SweepDataFields, SETTINGS) if with_data else (SweepFields, ())
    settings = {n: s for n, s in settings_of(trial).items() if n not in of_data}
    taken = sorted(set(base.model_fields) & set(settings))
    if taken:
        raise ValueError(
            f"a setting cannot be called {', '.join(taken)}: that is another field of a sweep "
            "file; rename it"
        )
    fields: dict[str, Any] = {name: setting_field(s) for name, s in settings.items()}
    return create_model("SweepFields", __base__=base, **fields)


def read_fields(content: Mapping[Any, Any], trainer: Trainer) -> SweepFields:
    """The fields of a file's content.

    Raises:
        FieldError: They describe no sweep of this trainer. The message has a line for each problem:
            the field, what must hold, what was given and a remedy.
    """
    named = {_named(key): value for key, value in content.items()}
    try:
        fields = sweep_fields(trainer).model_validate(named, context=names_in(named.get("zip")))
    except ValidationError as error:
        # Missing fields come last: such a field may be there under a wrong name, reported before.
        problems = sorted(error.errors(include_url=False), key=lambda p: p["type"] == "missing")
        lines = [_line(problem, trainer) for problem in problems[:MOST_SAID]]
        if len(problems) > MOST_SAID:
            lines.append(f"and {len(problems) - MOST_SAID:,} problems more")
        raise FieldError("\n".join(dict.fromkeys(lines))) from error
    for name in chain(*fields.zip):
        if name not in sweep_fields(trainer).model_fields:
            raise FieldError(f"zip: {name}: no such field; {unknown(name, trainer)}")
    return fields


def unknown(name: str, trainer: Trainer) -> str:
    """The remedy for a name that is no field."""
    known = sweep_fields(trainer).model_fields
    absent = ABSENT if trainer.trial is FULLY_CONNECTED.trial else {}
    lists = {name: s.remedy for name, s in trainer.settings.items() if s.listed}
    return remedy(name, known, _elsewhere(trainer), absent, lists)


def _elsewhere(trainer: Trainer) -> Mapping[str, Collection[str]]:
    of_settings = {name: setting.elsewhere for name, setting in trainer.settings.items()}
    return of_settings | ELSEWHERE | (data_fields.ELSEWHERE if trainer.task is not None else {})


def _line(problem: Any, trainer: Trainer) -> str:
    """One line on a wrong field."""
    name, given = str(problem["loc"][0]), shown(problem["input"])
    if problem["type"] == "extra_forbidden":
        return f"{name}: no such field (got {given}); {unknown(name, trainer)}"
    described = str(sweep_fields(trainer).model_fields[name].description)
    if problem["type"] == "missing":
        return f"{name}: is missing; add {'it, ' * described.startswith('as in')}{described}"
    broken = RULES.get(problem["type"], rule(problem))
    setting = trainer.settings.get(name)
    names, called = ((), {}) if setting is None else (words(setting), dict(setting.called))
    meant = suggestion(problem, names, called)
    return f"{name}: {broken}, got {given}; {meant}{described}"


def _named(key: Any) -> str:
    """A field's name as given, or a short form of a key that cannot be a name."""
    could_be = isinstance(key, str) and key.isidentifier() and len(key) <= MOST_SHOWN
    return key if could_be else shown(key)
