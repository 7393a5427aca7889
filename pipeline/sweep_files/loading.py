"""The sweep file: YAML, validated once, before anything runs.

Every setting takes one value, a list or a range; a list or a range makes it an axis.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from core.datasets import DATASETS, DatasetInfo
from core.trainers import Trainer
from core.training import FULLY_CONNECTED
from pipeline.data_files.fields import DataFields
from pipeline.data_files.loading import DataFile
from pipeline.data_files.reading import DataFileError
from pipeline.data_files.selection import Selection, selection
from pipeline.grids.condition_terms import ConditionError
from pipeline.grids.factors import Axes
from pipeline.grids.grid import Grid
from pipeline.notation import strict_yaml
from pipeline.notation.field_names import FieldError
from pipeline.notation.problems import shown
from pipeline.sweep_files.axis_groups import moving_with, require_groups
from pipeline.sweep_files.data_fit import require_fit
from pipeline.sweep_files.fields import SweepFields, read_fields
from pipeline.sweep_files.grid_limits import require_countable
from pipeline.sweep_files.listed_values import require_agreement, spelled_out
from pipeline.sweep_files.setting_fields import axis
from pipeline.sweep_files.setting_use import require_meaning, require_use
from pipeline.tracing.traces import Trace, problem_of
from pipeline.trainer_checks import check

SHIPPED = files("pipeline") / "sweeps"

NO_DATA = Selection({}, (), ())


class SweepFileError(ValueError):
    """A sweep cannot be run; the message names file, field, value and remedy."""


@dataclass(frozen=True)
class Sweep:
    """A validated sweep.

    Attributes:
        name: Names the store and the manifest's entry.
        grid: Its cells.
        data_files: The user's own data sets, by the names that trials know them by.
        trainer: What trains its trials.
        trace: The boundary that is wanted: only the cells that it needs are trained. None: all.
    """

    name: str
    grid: Grid
    data_files: Mapping[str, DataFile]
    trainer: Trainer
    trace: Trace | None = None

    @property
    def infos(self) -> Mapping[str, DatasetInfo]:
        """Sizes of the bundled data sets and of the user's own, by name."""
        return {**DATASETS, **{name: f.dataset.info for name, f in self.data_files.items()}}


def load_sweep(sweep: str, trainer: Trainer = FULLY_CONNECTED) -> Sweep:
    """Read and check a sweep, and the data files that it names.

    Args:
        sweep: A path to a YAML file, or the name of a shipped sweep.
        trainer: What trains its trials.

    Raises:
        SweepFileError: It cannot be run. Nothing has been run or written.
        TrainerError: The trainer's description is wrong.
    """
    check(trainer)
    path = _path(sweep)
    content = _read_mapping(path)
    try:
        content, lists = spelled_out(content, trainer.settings)
        fields = read_fields(content, trainer)
        chosen = _selection(fields, path.parent)
        grid = _grid(fields, chosen, trainer)
        require_agreement(grid, lists, trainer.settings)
        require_meaning(content, grid, trainer.settings)
        require_fit(grid, chosen.infos, trainer.settings)
        _require_traceable(fields.trace, grid, trainer)
    except (FieldError, DataFileError) as error:
        raise SweepFileError(f"{path}: {error}") from error
    except ConditionError as error:
        raise SweepFileError(f"{path}: where: {error}") from error
    return Sweep(fields.name or path.stem, grid, chosen.data_files, trainer, fields.trace)


def _selection(fields: SweepFields, folder: Path) -> Selection:
    if not isinstance(fields, DataFields):
        return NO_DATA
    return selection(fields, folder, moving=moving_with("dataset", fields.zip))


def _grid(fields: SweepFields, chosen: Selection, trainer: Trainer) -> Grid:
    of_data: Axes = {"dataset": chosen.names, "examples": chosen.examples} if chosen.names else {}
    axes: Axes = {
        name: of_data.get(name) or axis(setting, getattr(fields, name))
        for name, setting in trainer.settings.items()
    }
    require_use(fields.model_fields_set, axes, trainer.settings)
    require_groups(fields.zip, axes, trainer.settings)
    require_countable(axes, fields.zip, trainer.settings)
    grid = Grid(trainer.trial, axes, fields.zip, fields.where)
    if grid.size == 0:
        raise FieldError(
            f"where: holds in no cell of the sweep, got {shown(fields.where)}; compare it with "
            "the values of the axes"
        )
    return grid


def _require_traceable(trace: Trace | None, grid: Grid, trainer: Trainer) -> None:
    problem = None if trace is None else problem_of(trace, grid, trainer)
    if problem is not None:
        raise FieldError(f"trace: {problem}")


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


# Remedies for text that YAML takes for something else.
MENDING = {
    "mapping values are not allowed": "a colon before a space begins a mapping: put text that has "
    "one in quotes",
    "but found '<scalar>'": "text that begins with a quote ends with it: put all of it in quotes "
    "of the other kind",
    "but got '['": "text with a bracket in a list goes in quotes, or on a line of its own after -",
}


def _mending(error: ValueError) -> str:
    remedies = (remedy for said, remedy in MENDING.items() if said in str(error))
    return next(remedies, "mend the place named")


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
        raise SweepFileError(f"{path} is not valid YAML: {error}; {_mending(error)}") from error
    if not isinstance(content, dict):
        raise SweepFileError(
            f"{path} must be a mapping such as `depth: [2, 8]`, one setting per line, "
            f"got {shown(content)}"
        )
    return content
