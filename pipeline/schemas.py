"""The store's tables: Arrow schemas, and trainings as rows of them.

The runs schema is the fields of core's Trial and TrialResult; every column carries its
unit and meaning in the Parquet metadata, from which the data dictionary is made.
"""

from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.gradient_descent import TRAINER
from core.signal_propagation import LayerSignals
from core.training import Training
from core.trials import Trial, TrialResult, trial_id

SCHEMA_VERSION = 3

ARROW_TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def _arrow_field(name: str, arrow_type: pa.DataType, meaning: str, unit: str) -> pa.Field:
    return pa.field(name, arrow_type, metadata={"meaning": meaning, "unit": unit})


def _from_dataclass_field(field: Field[Any]) -> pa.Field:
    kinds = [kind for kind in get_args(field.type) or (field.type,) if kind is not type(None)]
    meaning, unit = field.metadata["meaning"], field.metadata["unit"]
    return _arrow_field(field.name, ARROW_TYPES[kinds[0]], meaning, unit)


def _versioned(columns: list[pa.Field]) -> pa.Schema:
    return pa.schema(columns, metadata={"phasesweep_schema_version": str(SCHEMA_VERSION)})


TRIAL_ID = _arrow_field(
    "trial_id", pa.string(), "content address of the settings, 24 hex digits", "name"
)

RUNS = _versioned(
    [
        TRIAL_ID,
        *map(_from_dataclass_field, fields(Trial)),
        *map(_from_dataclass_field, fields(TrialResult)),
        _arrow_field("wall_seconds", pa.float64(), "the run's share of its group's time", "s"),
        _arrow_field("trainer", pa.string(), "version of what trained it; NULL: 1", "name"),
        _arrow_field("batch_id", pa.string(), "the task that trained it", "name"),
    ]
)

CURVES = _versioned(
    [
        TRIAL_ID,
        _arrow_field("step", pa.int64(), "steps taken; log-spaced, first and last kept", "steps"),
        _arrow_field("loss", pa.float64(), "loss after that many steps", "loss"),
        _arrow_field(
            "gradient_norm", pa.float64(), "norm of dLoss/d(all parameters) there", "loss"
        ),
        _arrow_field("sharpness", pa.float64(), "largest Hessian eigenvalue there", "loss"),
    ]
)

LAYER_MEANINGS = {
    "log10_mean_square_h": "log10 of the mean square pre-activation over units and examples",
    "log10_mean_square_a": "log10 of the mean square activation; NULL for the output layer",
    "correlation": "mean cosine of the pre-activations of pairs of examples",
    "mean_slope": "mean |phi'(h)| over units and examples",
    "saturated_fraction": "units x examples with |phi'| < 0.1 phi'(0), if phi saturates",
    "dead_fraction": "units that pass no gradient for any example, if phi does not saturate",
    "log10_delta_norm": "log10 of the rms over examples of |examples x dLoss/dh|",
    "log10_gradient_norm": "log10 of |dLoss/dW|, biases left out",
    "log10_bias_gradient_norm": "log10 of |dLoss/db|",
    "log10_example_gradient_norm": "log10 of the rms over examples of their |dLoss/dW|",
}

LAYERS = _versioned(
    [
        TRIAL_ID,
        _arrow_field("layer", pa.int64(), "1 next to the inputs, depth at the outputs", "layers"),
        *(_arrow_field(n, pa.float64(), f"{m}; at step 0", "1") for n, m in LAYER_MEANINGS.items()),
        *(
            _arrow_field(f"final_{n}", pa.float64(), f"{m}; after the last step", "1")
            for n, m in LAYER_MEANINGS.items()
        ),
    ]
)

SCHEMAS = {"runs": RUNS, "layers": LAYERS, "curves": CURVES}


@dataclass(frozen=True)
class Rows:
    """What a batch adds to the store: one Arrow table for each of its tables."""

    runs: pa.Table
    layers: pa.Table
    curves: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """The tables by name; `runs` last, since a row there says the trial is finished."""
        return {"layers": self.layers, "curves": self.curves, "runs": self.runs}


def rows_of(trainings: Sequence[Training], batch_id: str) -> Rows:
    """Trainings as rows of the store's tables."""
    ids = [trial_id(training.trial) for training in trainings]
    columns: dict[str, Sequence[Any]] = {"trial_id": ids}
    for field in fields(Trial):
        columns[field.name] = [getattr(training.trial, field.name) for training in trainings]
    for field in fields(TrialResult):
        columns[field.name] = [getattr(training.result, field.name) for training in trainings]
    columns["wall_seconds"] = [training.wall_seconds for training in trainings]
    columns["trainer"] = [TRAINER] * len(trainings)
    columns["batch_id"] = [batch_id] * len(trainings)
    return Rows(
        pa.Table.from_pydict(columns, schema=RUNS),
        _layer_rows(trainings, ids),
        _curve_rows(trainings, ids),
    )


def _layer_rows(trainings: Sequence[Training], ids: Sequence[str]) -> pa.Table:
    """A row a layer of each training whose signals were measured."""
    measured = [
        (trial, start, training.end_signals or _no_signals(training.trial.depth))
        for trial, training in zip(ids, trainings, strict=True)
        if (start := training.start_signals) is not None
    ]
    if not measured:
        return LAYERS.empty_table()
    depths = [len(start.mean_slope) for _, start, _ in measured]
    columns: dict[str, Any] = {
        "trial_id": np.repeat(np.array([trial for trial, _, _ in measured], object), depths),
        "layer": np.concatenate([np.arange(1, depth + 1) for depth in depths]),
    }
    for name in LAYER_MEANINGS:
        columns[name] = _nullable(np.concatenate([getattr(s, name) for _, s, _ in measured]))
        final = [getattr(end, name) for _, _, end in measured]
        columns[f"final_{name}"] = _nullable(np.concatenate(final))
    return pa.Table.from_pydict(columns, schema=LAYERS)


def _no_signals(depth: int) -> LayerSignals:
    return LayerSignals(*[np.full(depth, np.nan)] * len(LAYER_MEANINGS))


def _curve_rows(trainings: Sequence[Training], ids: Sequence[str]) -> pa.Table:
    curves = [training.curve for training in trainings]
    columns = {
        "trial_id": np.repeat(np.array(ids, dtype=object), [len(c.steps) for c in curves]),
        "step": np.concatenate([c.steps for c in curves]),
        "loss": _nullable(np.concatenate([c.losses for c in curves])),
        "gradient_norm": _nullable(np.concatenate([c.gradient_norms for c in curves])),
        "sharpness": _nullable(np.concatenate([c.sharpness for c in curves])),
    }
    return pa.Table.from_pydict(columns, schema=CURVES)


def _nullable(numbers: NDArray[np.floating]) -> pa.Array:
    """Floats with NULL where a number does not exist: never NaN or infinity in a table."""
    return pa.array(numbers, mask=~np.isfinite(numbers))
