"""The sweep file: YAML, validated once, before anything runs.

Every setting takes one value, a list or a range; a list or a range makes it an axis.
"""

import difflib
import reprlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.activations import ACTIVATIONS
from core.datasets import DATASETS, SCALINGS, Dataset, DatasetInfo
from core.initializers import INITIALIZERS
from core.losses import LOSSES
from core.measurements import MEASUREMENTS
from core.trials import TRIAL_FIELDS
from pipeline.axis_values import Counts, Names, Numbers
from pipeline.data_files import DataFileError, load_data_file
from pipeline.grid import Grid

SHIPPED = files("pipeline") / "sweeps"

# The bounds keep float32 arithmetic meaningful and one training within a machine.
Scale = Annotated[float, Field(ge=0, le=1e5, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=1e-12, le=1e12, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


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
    data_files: Mapping[str, Dataset]


class SweepFields(BaseModel):
    """The fields of a sweep file; a field's description is the remedy in its errors."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(
        None, pattern=r"^\w[\w.-]{0,99}$", description="letters, digits, _ . and -"
    )
    dataset: Names[Literal[*DATASETS]] | None = Field(  # type: ignore[valid-type]
        None, description="one of " + ", ".join(DATASETS) + "; a file of your own goes in `file:`"
    )
    file: Names[str] | None = Field(
        None, description="a path to a .parquet, .csv or .npz with a target column"
    )
    examples: Counts[Annotated[int, Field(ge=2, le=10**7)]] = Field(
        (128,), description="training examples, as in examples: 128"
    )
    features: Names[Literal[*SCALINGS]] = Field(  # type: ignore[valid-type]
        ("standardized",), description="one of " + ", ".join(SCALINGS)
    )
    depth: Counts[Annotated[int, Field(ge=1, le=10**5)]] = Field(
        description="weight matrices, as in depth: [2, 8, 32]"
    )
    width: Counts[Annotated[int, Field(ge=1, le=10**5)]] = Field(
        (32,), description="hidden units, as in width: 32"
    )
    activation: Names[Literal[*ACTIVATIONS]] = Field(  # type: ignore[valid-type]
        description="one of " + ", ".join(ACTIVATIONS)
    )
    initializer: Names[Literal[*INITIALIZERS]] = Field(  # type: ignore[valid-type]
        ("gaussian",), description="one of " + ", ".join(INITIALIZERS)
    )
    init_scale: Numbers[Scale] = Field(
        (1.0,), description="sigma_w, as in init_scale: {geomspace: [0.25, 4, 16]}"
    )
    bias_scale: Numbers[Scale] = Field((0.0,), description="sigma_b, as in bias_scale: 0.1")
    learning_rate: Numbers[Rate] = Field(
        description="as in learning_rate: {geomspace: [1.0e-4, 10, 16]}; "
        "for an untrained baseline set steps: 0"
    )
    loss: Names[Literal[*LOSSES]] = Field(  # type: ignore[valid-type]
        ("cross_entropy",), description="one of " + ", ".join(LOSSES)
    )
    steps: Counts[Annotated[int, Field(ge=0, le=10**8)]] = Field(
        (100,), description="gradient-descent steps, as in steps: 100"
    )
    seed: Counts[Seed] = Field((0,), description="as in seed: [0, 1, 2]")
    dtype: Names[Literal["float32", "float64"]] = Field(
        ("float32",), description="float32 or float64"
    )
    measure: tuple[Literal[*MEASUREMENTS], ...] = Field(  # type: ignore[valid-type]
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
    fields = _validated(_read_yaml(path), path)
    try:
        own = [load_data_file(path.parent / name) for name in fields.file or ()]
    except DataFileError as error:
        raise SweepFileError(f"{path}: file: {error}") from error
    data_files = {dataset.name: dataset for dataset in own}
    names = fields.dataset or tuple(data_files)
    axes = {
        **fields.model_dump(include=set(TRIAL_FIELDS)),
        "dataset": names,
        "measure": (_measure(fields),),
    }
    infos = {**DATASETS, **{name: dataset.info for name, dataset in data_files.items()}}
    for name in names:
        _require_fitting(name, infos[name], fields, path)
    return Sweep(fields.name or path.stem, Grid(axes), data_files)


def shipped_sweeps() -> list[str]:
    """The names of the sweeps that come with phasesweep."""
    return sorted(Path(str(file)).stem for file in SHIPPED.iterdir() if file.name[-5:] == ".yaml")


def _path(sweep: str) -> Path:
    if sweep in shipped_sweeps():
        return Path(str(SHIPPED / f"{sweep}.yaml"))
    path = Path(sweep)
    if not path.exists() and path.suffix not in (".yaml", ".yml"):
        raise SweepFileError(
            f"{sweep!r} is neither a file nor a shipped sweep ({', '.join(shipped_sweeps())}); "
            "give the path of a YAML file, or one of these names"
        )
    return path


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, of which plain YAML keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.MarkedYAMLError(
                    problem=f"{key!r} is given twice; keep one", problem_mark=node.start_mark
                )
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[Any, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise SweepFileError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = " ".join(str(error).split())
        raise SweepFileError(f"{path} is not valid YAML: {told}; mend the place named") from error
    if not isinstance(content, dict):
        raise SweepFileError(
            f"{path} must be a mapping such as `depth: [2, 8]`, a setting a line, "
            f"got {_shown(content)}"
        )
    return content


def _validated(content: dict[Any, Any], path: Path) -> SweepFields:
    try:
        fields = SweepFields.model_validate({str(name): value for name, value in content.items()})
    except ValidationError as error:
        told = [_told(problem["loc"], problem) for problem in error.errors(include_url=False)]
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
        close = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
        return f"{name}: no such field (got {_shown(problem['input'])}); {remedy}"
    if problem["type"] == "missing":
        return f"{name}: is missing; add {known[name].description}"
    rule = problem["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"{name}: {rule}, got {_shown(problem['input'])}; {known[name].description}"


def _require_fitting(name: str, data: DatasetInfo, fields: SweepFields, path: Path) -> None:
    """Refuse more examples than there are, and cross-entropy without classes."""
    most = max(fields.examples)
    if data.examples is not None and most > data.examples:
        raise SweepFileError(
            f"{path}: examples: {name} has {data.examples:,} examples, got {most:,}; "
            f"set examples: {data.examples} or fewer"
        )
    if data.classes is None and "cross_entropy" in fields.loss:
        raise SweepFileError(
            f"{path}: loss: {name} has numbers as targets, no classes, got cross_entropy; "
            "set loss: mse"
        )


def _shown(value: Any) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits.
        return "a number of thousands of digits"
