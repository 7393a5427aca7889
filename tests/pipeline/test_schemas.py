"""The tables: trainings as rows, whose columns are core's fields."""

from dataclasses import fields

import pyarrow.compute as pc
import pytest

from core.datasets import load_dataset, make_task
from core.training import train_trials
from core.trials import Trial, TrialResult, settings, trial_id
from pipeline.schemas import SCHEMAS, rows_of


@pytest.fixture
def rows(grid_of):
    """The rows of these cells, trained."""

    def rows(**axes):
        trials = list(grid_of(**axes))
        task = make_task(load_dataset("digits", 24), 24, "standardized")
        return trials, rows_of(list(train_trials(trials, task)), "a batch")

    return rows


def test_runs_has_cores_fields_as_columns():
    """In their order, each with the meaning and unit that core gives it."""
    ours = [field for record in (Trial, TrialResult) for field in fields(record)]
    columns = [SCHEMAS["runs"].field(field.name) for field in ours]
    assert [name for name in SCHEMAS["runs"].names if name in {f.name for f in ours}] == [
        field.name for field in ours
    ]
    for column, field in zip(columns, ours, strict=True):
        assert column.metadata[b"meaning"].decode() == field.metadata["meaning"]
        assert column.metadata[b"unit"].decode() == field.metadata["unit"]


def test_a_training_is_a_row_of_runs(rows):
    """Its id, its settings and its batch, in the order trained."""
    trials, found = rows(learning_rate=(0.1, 1.0, 0.01))
    assert found.runs["trial_id"].to_pylist() == [trial_id(trial) for trial in trials]
    assert found.runs.select([*settings(trials[0])]).to_pylist() == [*map(settings, trials)]
    assert set(found.runs["batch_id"].to_pylist()) == {"a batch"}
    assert min(found.runs["wall_seconds"].to_pylist()) > 0


def test_a_measured_training_is_a_row_of_layers_for_each_layer(rows):
    """Numbered from the inputs; a training without measurements has none."""
    (first, second), found = rows(depth=(3,), seed=(0, 1), measure=("signal",))
    assert found.layers["trial_id"].to_pylist() == [trial_id(first)] * 3 + [trial_id(second)] * 3
    assert found.layers["layer"].to_pylist() == [1, 2, 3] * 2
    assert len(rows(measure=("none",))[1].layers) == 0


def test_a_curve_starts_at_the_start_and_ends_with_the_run(rows):
    """A row of curves for each step that is kept, in order."""
    _, found = rows()
    steps = found.curves["step"].to_pylist()
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, found.runs["steps_run"][0].as_py())
    assert found.curves["loss"][0] == found.runs["initial_loss"][0]


def test_a_number_that_does_not_exist_is_null(rows):
    """A run that overflows at once has no losses: never NaN, infinity or -1."""
    _, found = rows(depth=(24,), activation=("relu",), init_scale=(1e5,), measure=("signal",))
    assert found.runs["outcome"].to_pylist() == ["overflow"]
    assert found.runs["final_loss"].to_pylist() == [None]
    assert found.curves["loss"].null_count > 0
    for table in found.tables().values():
        for column in table.columns:
            if column.type == "double":
                assert pc.all(pc.is_finite(column)).as_py() is not False


def test_runs_is_written_last(rows):
    """A trial is finished once its row stands there: the other tables' rows come before."""
    _, found = rows()
    assert [*found.tables()][-1] == "runs"
    assert {name: table.schema for name, table in found.tables().items()} == SCHEMAS
