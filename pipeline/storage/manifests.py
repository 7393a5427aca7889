"""The form of a store's manifest, checked when it is read: people edit it, disks damage it."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.settings import BETWEEN_NAMES, NO_NAMES, Setting, defaults
from core.trainers import Trainer
from pipeline.grids.condition_terms import ConditionError
from pipeline.grids.grid import grid_of
from pipeline.notation.problems import rule, shown
from pipeline.notation.setting_values import value_type
from pipeline.storage.parts import MOST_COMMITS
from pipeline.storage.schemas import SCHEMA_VERSION, thresholds_digest
from pipeline.tracing.traces import problem_of, trace_of

FORMAT = "phasesweep store"

# How an entry is mended where there is no copy of the manifest.
WITHOUT_COMMIT = "delete the entry: the names of the files in runs have the number too"
WITHOUT_FAILURES = "write [] for the entry: the next run tries those trials again"
WITHOUT_RECORD = "delete the entry: the next run writes it"
WITHOUT_SET_ASIDE = "write [] for the entry: `phasesweep verify STORE --repair` writes it anew"
WITHOUT_SWEEP = (
    "write [] for all of sweeps and run them again: no trial that has a row is trained again"
)
WITHOUT_SKEW = "restore it from a copy, or delete the entry"
WITHOUT_THRESHOLDS = (
    "delete what stands under that name: rows judged by it are then drawn by the thresholds of "
    "this version"
)

Commit = Annotated[int, Field(ge=0, le=MOST_COMMITS)]
Thresholds = dict[str, Annotated[float, Field(allow_inf_nan=False)]]

STRICT = ConfigDict(strict=True)


class ManifestError(ValueError):
    """A manifest cannot be relied on; the message names it, the field and the remedy."""


class TraceEntry(BaseModel):
    """What a traced sweep traces; see pipeline.tracing.traces."""

    model_config = STRICT

    axes: list[str]
    of: str


class AuditEntry(BaseModel):
    """What the audit of a panel found; see pipeline.tracing.audits."""

    model_config = STRICT

    panel: dict[str, Any]
    audited: int = Field(ge=0)
    wrong: int = Field(ge=0)
    bound: float = Field(ge=0, le=1)
    complete: bool


class SweepEntry(BaseModel):
    """A sweep that was run; older versions had no `zip`, no `where` and no `trace`."""

    model_config = STRICT

    name: str
    axes: dict[str, Annotated[list[Any], Field(min_length=1)]]
    zip: list[list[str]] = Field(default=[])
    where: str | None = None
    trace: TraceEntry | None = None
    audits: list[AuditEntry] = Field(default=[])
    last_run: str | None = None


class FailureEntry(BaseModel):
    """A trial that could not be trained."""

    model_config = STRICT

    trial_id: str
    settings: dict[str, Any]
    reason: str
    failed_at: str


class SkewEntry(BaseModel):
    """Versions that differed between a run's driver and its workers, and were accepted."""

    model_config = STRICT

    accepted_at: str
    software: str
    driver: str
    worker: str
    nodes: list[str]


class Manifest(BaseModel):
    """A manifest's entries; the description of each says how it is mended."""

    model_config = STRICT

    schema_version: int = Field(ge=1, description="restore the manifest from a copy")
    sweeps: list[SweepEntry] = Field(description=WITHOUT_SWEEP)
    failures: list[FailureEntry] = Field(default=[], description=WITHOUT_FAILURES)
    last_commit: Commit = Field(default=0, description=WITHOUT_COMMIT)
    set_aside: list[Commit] = Field(default=[], description=WITHOUT_SET_ASIDE)
    judged_by: dict[str, Thresholds] = Field(default={}, description=WITHOUT_THRESHOLDS)
    thresholds: Thresholds = Field(default={}, description=WITHOUT_THRESHOLDS)
    trainer: str = Field(default="", description=WITHOUT_RECORD)
    versions: dict[str, str | None] = Field(default={}, description=WITHOUT_RECORD)
    machine: dict[str, Any] = Field(default={}, description=WITHOUT_RECORD)
    skew: list[SkewEntry] = Field(default=[], description=WITHOUT_SKEW)


def new_manifest() -> dict[str, Any]:
    """The manifest of a store into which nothing was run."""
    return {"format": FORMAT, "schema_version": SCHEMA_VERSION, "sweeps": []}


def parsed_manifest(content: bytes, location: str, trainer: Trainer) -> dict[str, Any]:
    """The entries of a manifest, as they stand there.

    Args:
        content: Of the file.
        location: The store's path or URL.
        trainer: Of whose trials its sweeps must be.

    Raises:
        ManifestError: It is no manifest, of a newer version or of another trainer, or one of its
            entries cannot be what a store wrote.
    """
    file = f"{location}/manifest.json"
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestError(
            f"{file} is damaged ({error}); restore it from a copy, or move the store away"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ManifestError(
            f"{file} is not a phasesweep manifest: its `format` is not {FORMAT!r}; "
            "choose another --store"
        )
    version = manifest.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise ManifestError(
            f"{location} was written with schema version {shown(version)}, this phasesweep "
            f"reads up to {SCHEMA_VERSION}; use the phasesweep that wrote it or another --store"
        )
    _refuse_other_forms(manifest, file)
    _refuse_other_settings(manifest["sweeps"], location, trainer)
    for problem in _content_problems(manifest, trainer):
        raise ManifestError(f"{file}: {problem}")
    return manifest


def _refuse_other_forms(manifest: Mapping[str, Any], file: str) -> None:
    try:
        Manifest.model_validate(manifest)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        remedy = Manifest.model_fields[str(problem["loc"][0])].description
        if problem["type"] == "missing":
            said = "is missing"
        else:
            said = f"{rule(problem)}, got {shown(problem['input'])}"
        raise ManifestError(f"{file}: {_place(problem['loc'])}: {said}; {remedy}") from error


def _place(loc: Sequence[str | int]) -> str:
    """Where in the manifest: `sweeps[0].axes.depth`."""
    parts = (f"[{each}]" if isinstance(each, int) else f".{each}" for each in loc)
    return "".join(parts).removeprefix(".")


def _refuse_other_settings(
    sweeps: Sequence[Mapping[str, Any]], location: str, trainer: Trainer
) -> None:
    """Refuse a store whose sweeps have other settings: rows are found by their settings."""
    for sweep in sweeps:
        problem = _other_setting(sweep["axes"], trainer)
        if problem is not None:
            raise ManifestError(
                f"{location} holds sweeps of another trainer or of a newer phasesweep: "
                f"{sweep['name']} has {problem}; use the phasesweep that wrote it, or choose "
                "another --store"
            )


def _other_setting(axes: Collection[str], trainer: Trainer) -> str | None:
    """The axis that is no setting here, or a setting that the sweep lacks, in words."""
    known = trainer.settings
    unknown = [name for name in axes if name not in known]
    if unknown:
        return f"the axis {unknown[0]!r}, which is no setting here"
    given = {*axes, *defaults(known)}
    return next((f"no axis {name!r}" for name in known if name not in given), None)


def _content_problems(manifest: Mapping[str, Any], trainer: Trainer) -> Iterator[str]:
    """What no store wrote, though it has the right form: `PLACE: problem; remedy`."""
    for number, sweep in enumerate(manifest["sweeps"]):
        for problem in _sweep_problems(sweep, trainer):
            yield f"sweeps[{number}].{problem}; {WITHOUT_SWEEP}"
    for digest, numbers in manifest.get("judged_by", {}).items():
        if thresholds_digest(numbers) != digest:
            said = f"judged_by.{digest}: its numbers are not those of that name"
            yield f"{said}; {WITHOUT_THRESHOLDS}"


def _sweep_problems(sweep: Mapping[str, Any], trainer: Trainer) -> Iterator[str]:
    axes, groups = sweep["axes"], sweep.get("zip", ())
    together = [name for names in groups for name in names]
    for name, values in axes.items():
        yield from _axis_problems(trainer.settings[name], values, may_repeat=name in together)
    if unknown := [name for name in together if name not in axes]:
        yield f"zip: must name axes, got {shown(unknown[0])}"
    elif len(set(together)) < len(together):
        yield "zip: must name each axis once"
    elif any(len({len(axes[name]) for name in names}) != 1 for names in groups):
        yield "zip: axes that move together must be equally long"
    elif sweep.get("where") is not None or sweep.get("trace") is not None:
        try:
            grid = grid_of(sweep, trainer.trial)
        except ConditionError as error:
            yield f"where: {error}"
            return
        trace = trace_of(sweep)
        if trace is not None and (problem := problem_of(trace, grid, trainer)):
            yield f"trace: {problem}"


def _axis_problems(setting: Setting, values: list[Any], *, may_repeat: bool) -> Iterator[str]:
    of_sets = setting.kind is frozenset
    given = list(map(_names, values)) if of_sets else values
    try:
        _form_of(setting).validate_python(given, strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        yield f"axes.{setting.name}: {rule(problem)}, got {shown(problem['input'])}"
    else:
        if len(set(values)) < len(values) and not may_repeat:
            yield f"axes.{setting.name}: must list each value once"


@cache
def _form_of(setting: Setting) -> TypeAdapter[Any]:
    """Checks the values of an axis; it takes longer to make than to use."""
    value: Any = value_type(setting)
    return TypeAdapter(list[list[value]] if setting.kind is frozenset else list[value])


def _names(value: Any) -> list[Any]:
    """The names of a set, of its text; what is no text stays as it is, for the check."""
    if not isinstance(value, str):
        return [value]
    return [] if value == NO_NAMES else value.split(BETWEEN_NAMES)
