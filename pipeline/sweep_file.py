"""The sweep file: YAML, validated once, before anything runs.

Every setting takes one value, a list or a range; a list or a range makes it an axis.
"""

import os
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from core.activations import ACTIVATIONS
from core.datasets import DATASETS
from core.initializers import INITIALIZERS, NAMED_SCALES
from core.losses import LOSSES
from core.measurements import MEASUREMENTS
from core.outcomes import STOPS
from core.trials import DEFAULTS, TRIAL_FIELDS
from pipeline import strict_yaml
from pipeline.axis_values import Counts, Names, Numbers
from pipeline.data_files.fields import DataFields
from pipeline.data_files.loading import DataFile
from pipeline.data_files.reading import DataFileError
from pipeline.data_files.selection import Selection, selection
from pipeline.field_names import remedy
from pipeline.grid import SHAPE_FIELDS, Axes, Grid
from pipeline.spellings import activation_meant, scale_meant, suggestion

SHIPPED = files("pipeline") / "sweeps"

# Cells are counted by a signed integer of 64 bits; shapes are planned one by one.
MOST_CELLS = 2**63 - 1
MOST_SHAPES = 1_000_000
MOST_TOLD = 10  # problems of one file
MOST_SHOWN = 100  # characters of one value

SMALLEST_SCALE = 1e-12


def _none_or_not_tiny(scale: float) -> float:
    if 0 < scale < SMALLEST_SCALE:
        raise ValueError(f"must be 0 or at least {SMALLEST_SCALE:g}")
    return scale


# The bounds keep float32 arithmetic meaningful and one training within a machine.
Scale = Annotated[
    float, Field(ge=0, le=1e5, allow_inf_nan=False), AfterValidator(_none_or_not_tiny)
]
Rate = Annotated[float, Field(ge=1e-12, le=1e12, allow_inf_nan=False)]
Level = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


def _one_or_several(written: Any) -> Any:
    return [written] if isinstance(written, str) else written


class SweepFileError(ValueError):
    """A sweep that cannot be run; the message names file, field, value and remedy."""


@dataclass(frozen=True)
class Sweep:
    """A validated sweep.

    Attributes:
        name: Names the store and the manifest's entry.
        grid: Its cells.
        data_files: The user's own data sets, by the names that trials know them by.
    """

    name: str
    grid: Grid
    data_files: Mapping[str, DataFile]


class SweepFields(DataFields):
    """The fields of a sweep file; a field's description is the remedy in its errors."""

    name: str | None = Field(
        None, pattern=r"^\w[\w.-]{0,99}$", description="letters, digits, _ . and -"
    )
    depth: Counts[Annotated[int, Field(ge=1, le=10**5)]] = Field(
        description="weight matrices, as in depth: [2, 8, 32]"
    )
    width: Counts[Annotated[int, Field(ge=1, le=10**5)]] = Field(
        (32,), description="hidden units, as in width: 32"
    )
    activation: Names[
        Annotated[Literal[*ACTIVATIONS], BeforeValidator(activation_meant)]  # type: ignore[valid-type]
    ] = Field(description="one of " + ", ".join(ACTIVATIONS))
    initializer: Names[Literal[*INITIALIZERS]] = Field(  # type: ignore[valid-type]
        ("gaussian",), description="one of " + ", ".join(INITIALIZERS)
    )
    init_scale: Numbers[Annotated[Scale, BeforeValidator(scale_meant)]] = Field(
        (1.0,),
        description="sigma_w, as in init_scale: {geomspace: [0.25, 4, 16]}, or a name: "
        + ", ".join(NAMED_SCALES),
    )
    bias_scale: Numbers[Scale] = Field((0.0,), description="sigma_b, as in bias_scale: 0.1")
    learning_rate: Numbers[Rate] = Field(
        description="as in learning_rate: {geomspace: [1.0e-4, 10, 16]}; "
        "for an untrained baseline set steps: 0"
    )
    loss: Names[Literal[*LOSSES]] = Field(  # type: ignore[valid-type]
        ("cross_entropy",), description="one of " + ", ".join(LOSSES)
    )
    stop: Names[Literal[*STOPS]] = Field(  # type: ignore[valid-type]
        (DEFAULTS["stop"],), description="one of " + ", ".join(STOPS)
    )
    trained_level: Numbers[Level] = Field(
        (DEFAULTS["trained_level"],),
        description="the share of the best constant's loss at or below which a run has trained, "
        "as in trained_level: 0.5",
    )
    steps: Counts[Annotated[int, Field(ge=0, le=10**8)]] = Field(
        (100,), description="gradient-descent steps, as in steps: 100"
    )
    seed: Counts[Seed] = Field((0,), description="as in seed: [0, 1, 2]")
    dtype: Names[Literal["float32", "float64"]] = Field(
        ("float32",), description="float32 or float64"
    )
    measure: Annotated[
        tuple[Literal[*MEASUREMENTS], ...],  # type: ignore[valid-type]
        BeforeValidator(_one_or_several),
    ] = Field(
        ("signal",), description="no axis but a list of " + ", ".join(MEASUREMENTS) + "; or []"
    )


def load_sweep(sweep: str) -> Sweep:
    """Read and check a sweep, and the data files that it names.

    Args:
        sweep: A path to a YAML file, or the name of a shipped sweep.

    Raises:
        SweepFileError: It cannot be run. Nothing has been run or written.
    """
    path = _path(sweep)
    fields = _validated(_read_mapping(path), path)
    try:
        chosen = selection(fields, path.parent)
    except DataFileError as error:
        raise SweepFileError(f"{path}: {error}") from error
    axes = {
        **fields.model_dump(include=set(TRIAL_FIELDS)),
        "dataset": chosen.names,
        "examples": chosen.examples,
        "measure": (_measure(fields),),
    }
    _require_countable(axes, path)
    _require_classes(chosen, fields, path)
    return Sweep(fields.name or path.stem, Grid(axes), chosen.data_files)


def shipped_sweeps() -> list[str]:
    """The names of the sweeps that come with phasesweep."""
    return sorted(Path(str(file)).stem for file in SHIPPED.iterdir() if file.name[-5:] == ".yaml")


def _path(sweep: str) -> Path:
    if sweep in shipped_sweeps():
        return Path(str(SHIPPED / f"{sweep}.yaml"))
    if not os.path.exists(sweep):
        raise SweepFileError(
            f"{sweep!r} is neither a file nor a shipped sweep ({', '.join(shipped_sweeps())}); "
            "give the path of a YAML file, or one of these names"
        )
    return Path(sweep)


def _read_mapping(path: Path) -> dict[Any, Any]:
    try:
        content = strict_yaml.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SweepFileError(
            f"cannot read {path}: {error.strerror}; give the path of a YAML file"
        ) from error
    except strict_yaml.MisreadError as error:
        raise SweepFileError(f"{path}: {error}") from error
    except (strict_yaml.StrictYamlError, UnicodeDecodeError) as error:
        raise SweepFileError(f"{path} is not valid YAML: {error}; mend the place named") from error
    if not isinstance(content, dict):
        raise SweepFileError(
            f"{path} must be a mapping such as `depth: [2, 8]`, a setting a line, "
            f"got {_shown(content)}"
        )
    return content


def _validated(content: dict[Any, Any], path: Path) -> SweepFields:
    try:
        fields = SweepFields.model_validate({_named(key): v for key, v in content.items()})
    except ValidationError as error:
        # What is missing comes last: it may be there under a name that is told before.
        problems = sorted(error.errors(include_url=False), key=lambda p: p["type"] == "missing")
        told = [_told(problem["loc"], problem) for problem in problems[:MOST_TOLD]]
        if len(problems) > MOST_TOLD:
            told.append(f"and {len(problems) - MOST_TOLD:,} problems more")
        raise SweepFileError(f"{path}: " + "\n".join(dict.fromkeys(told))) from error
    if (fields.dataset is None) is (fields.file is None):
        raise SweepFileError(
            f"{path}: dataset: give either dataset: (one of {', '.join(DATASETS)}) or file: "
            "(a path of your own), got " + ("neither" if fields.file is None else "both")
        )
    return fields


def _measure(fields: SweepFields) -> str:
    """What is measured, as trials know it: in one order, each once."""
    return "+".join(name for name in MEASUREMENTS if name in fields.measure) or "none"


def _told(place: tuple[int | str, ...], problem: Any) -> str:
    """One line on a wrong field: its name, what must hold, what was given, and a remedy."""
    name = str(place[0])
    known = SweepFields.model_fields
    if problem["type"] == "extra_forbidden":
        return f"{name}: no such field (got {_shown(problem['input'])}); {remedy(name, known)}"
    if problem["type"] == "missing":
        return f"{name}: is missing; add {known[name].description}"
    rule = re.sub("^(Input|String) should", "must", problem["msg"].removeprefix("Value error, "))
    if problem["type"] == "literal_error":
        rule = "no such value"  # the field's description lists them
    if problem["type"] == "string_type":
        rule = "must be text, in quotes if YAML would take it for something else"
    meant = suggestion(problem) + str(known[name].description)
    return f"{name}: {rule}, got {_shown(problem['input'])}; {meant}"


def _require_classes(chosen: Selection, fields: SweepFields, path: Path) -> None:
    """Refuse cross-entropy without classes."""
    for name, data in chosen.infos.items():
        if data.classes is None and "cross_entropy" in fields.loss:
            raise SweepFileError(
                f"{path}: loss: {name} has numbers as targets, no classes, got cross_entropy; "
                "set loss: mse"
            )


def _require_countable(axes: Axes, path: Path) -> None:
    """Refuse grids whose cells no index counts, or whose shapes cannot be planned."""
    for names, most, what in (
        (TRIAL_FIELDS, MOST_CELLS, "trials"),
        (SHAPE_FIELDS, MOST_SHAPES, "shapes of networks and tasks"),
    ):
        count = prod(len(axes[name]) for name in names)
        if count > most:
            longest = max(names, key=lambda name: len(axes[name]))
            raise SweepFileError(
                f"{path}: {longest}: the axes make more than {most:,} {what}, "
                f"got {len(axes[longest]):,} values of {longest}; shorten the axis"
            )


def _named(key: Any) -> str:
    """A field's name as given, or what can be shown of a key that could be none."""
    could_be = isinstance(key, str) and key.isidentifier() and len(key) <= MOST_SHOWN
    return key if could_be else _shown(key)


def _shown(value: Any) -> str:
    try:
        text = reprlib.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits.
        return "a number of thousands of digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
