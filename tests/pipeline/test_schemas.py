"""The tables: what a trainer describes as schemas, what it returns as rows."""

import json
import pickle
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from core.datasets import load_dataset, make_task
from core.settings import Trials, setting, trial_id, values_of
from core.trainers import Column, Table, Trainer
from core.training import FULLY_CONNECTED
from pipeline.storage.schemas import rows_of, schemas, thresholds_digest
from pipeline.storage.store import Store
from pipeline.trainer_checks import TrainerError

ARROW_TYPES = {
    str: pa.string(),
    frozenset: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


@pytest.fixture
def rows(grid_of):
    """The rows of these cells, trained."""

    def rows(**axes):
        trials = list(grid_of(**axes))
        task = make_task(load_dataset("digits", 24), 24, "standardized", "standardized")
        found = FULLY_CONNECTED.train(Trials.of(trials), task)
        return trials, rows_of(FULLY_CONNECTED, Trials.of(trials), found, "a batch")

    return rows


def test_runs_has_the_settings_and_results_as_columns():
    """In their order, each with the type, meaning and unit of its description."""
    runs = schemas(FULLY_CONNECTED)["runs"]
    described = [*FULLY_CONNECTED.settings.values(), *FULLY_CONNECTED.results]
    origin = ["trainer", "thresholds", "processor", "blas", "level", "reason", "batch_id"]
    assert runs.names == ["trial_id", *(each.name for each in described), *origin]
    for each in described:
        column = runs.field(each.name)
        assert column.metadata[b"meaning"].decode().startswith(each.meaning)
        assert column.metadata[b"unit"].decode() == each.unit
        assert column.type == ARROW_TYPES[each.kind]


def test_a_setting_that_came_later_says_what_older_rows_stand_for():
    """In words and as JSON, so that a reader without our code knows it; others have none."""
    runs = schemas(FULLY_CONNECTED)["runs"]
    for name, each in FULLY_CONNECTED.settings.items():
        about = runs.field(name).metadata
        if each.default is None:
            assert b"default" not in about
        else:
            assert json.loads(about[b"default"]) == each.encoded_default
            assert about[b"meaning"].decode().endswith(f"NULL: {each.encoded_default}")


def test_a_default_set_of_names_is_said_as_its_column_holds_it():
    """Encoded, since it is a column of text."""

    @dataclass(frozen=True, kw_only=True)
    class Forced(Toss):
        forces: frozenset[str] = setting(
            "what acts", default=frozenset({"wind"}), choices=("gravity", "wind")
        )

    outcome = Column("outcome", str, "what lies above", "name", choices=("head", "tail"))
    trainer = Trainer(trial=Forced, results=(outcome,), train=None, seconds=None)
    about = schemas(trainer)["runs"].field("forces").metadata
    assert about[b"default"] == b'"wind"'
    assert about[b"meaning"].endswith(b"; NULL: wind")


def test_a_training_is_a_row_of_runs(rows):
    """Its id, its settings and its batch, in the order trained."""
    trials, found = rows(learning_rate=(0.1, 1.0, 0.01))
    assert found.runs["trial_id"].to_pylist() == [trial_id(trial) for trial in trials]
    assert found.runs.select([*values_of(trials[0])]).to_pylist() == [*map(values_of, trials)]
    assert set(found.runs["batch_id"].to_pylist()) == {"a batch"}
    assert min(found.runs["wall_seconds"].to_pylist()) > 0


def test_a_measured_training_is_a_row_of_layers_for_each_layer(rows):
    """Numbered from the inputs; a training without measurements has none."""
    (first, second), found = rows(depth=(3,), seed=(0, 1), measure=("signal",))
    layers = found.tables["layers"]
    assert layers["trial_id"].to_pylist() == [trial_id(first)] * 3 + [trial_id(second)] * 3
    assert layers["layer"].to_pylist() == [1, 2, 3] * 2
    assert len(rows(measure=("none",))[1].tables["layers"]) == 0


def test_a_curve_starts_at_the_start_and_ends_with_the_run(rows):
    """A row of curves for each step that is kept, in order."""
    _, found = rows()
    curves = found.tables["curves"]
    steps = curves["step"].to_pylist()
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, found.runs["steps_run"][0].as_py())
    assert curves["loss"][0] == found.runs["initial_loss"][0]


def test_a_number_that_does_not_exist_is_null(rows):
    """A run that overflows at once has no losses: never NaN, infinity or -1."""
    _, found = rows(depth=(24,), activation=("relu",), init_scale=(1e5,), measure=("signal",))
    assert found.runs["outcome"].to_pylist() == ["overflow"]
    assert found.runs["final_loss"].to_pylist() == [None]
    assert found.tables["curves"]["loss"].null_count > 0
    for table in found.tables.values():
        for column in table.columns:
            if column.type == "double":
                assert pc.all(pc.is_finite(column)).as_py() is not False


def test_rows_that_were_sent_come_to_the_store_as_they_were(rows, tmp_path):
    """Their columns' meanings are left behind, and come from the store."""
    _, found = rows()
    sent = pickle.dumps(found, protocol=5)
    assert b"loss at step 0" not in sent
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        store.commit([pickle.loads(sent)])
    for table, schema in schemas(FULLY_CONNECTED).items():
        (part,) = (tmp_path / "store" / table).iterdir()
        written = pq.read_table(part)
        assert written.schema.equals(schema, check_metadata=True)
        assert written.equals(found.tables[table])


def test_runs_is_written_last(rows):
    """A trial is finished once its row stands there: the other tables' rows come before."""
    _, found = rows()
    assert [*found.tables][-1] == "runs"
    assert {name: table.schema for name, table in found.tables.items()} == schemas(FULLY_CONNECTED)


@dataclass(frozen=True, kw_only=True)
class Toss:
    """A trial of a trainer that is made up here."""

    coin: str = setting("which coin")
    throw: int = setting("which throw", differs_within="batch")


@pytest.fixture
def toss():
    """A trainer's description; what it returns is up to the test."""
    return Trainer(
        trial=Toss,
        results=(
            Column("outcome", str, "what lies above", "name", choices=("head", "tail")),
            Column("height", float, "of the throw", "m"),
            Column("bounces", int, "until it lay"),
            Column("lost", bool, "whether it was found again"),
        ),
        tables={
            "heights": Table((Column("height", float, "at a bounce", "m"),), lambda t: range(9))
        },
        train=None,
        seconds=None,
    )


TWO = Trials.of([Toss(coin="penny", throw=throw) for throw in (7, 3)])


def returned(**changes):
    """What the trainer returns of TWO, some columns of `runs` changed."""
    runs = {
        "outcome": ["head", "tail"],
        "height": np.array([1.0, 2.0]),
        "bounces": [1, 2],
        "lost": [True, False],
        **changes,
    }
    return {"runs": runs, "heights": {"place": [1, 0, 1], "height": [0.5, 0.25, 0.125]}}


def test_places_become_the_ids_of_the_trials(toss):
    """And what the trials share is a column like any other."""
    found = rows_of(toss, TWO, returned(), "a batch")
    first, second = TWO.ids()
    assert found.tables["heights"]["trial_id"].to_pylist() == [second, first, second]
    assert found.runs["coin"].to_pylist() == ["penny", "penny"]
    assert found.runs["throw"].to_pylist() == [7, 3]
    assert set(found.runs["trainer"].to_pylist()) == {"1"}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("height", [np.inf, 2], [None, 2.0]),
        ("height", np.array([np.nan, 2], np.float32), [None, 2.0]),
        ("height", [None, -np.inf], [None, None]),
        ("bounces", np.array([np.nan, 2.0]), [None, 2]),
        ("bounces", [None, 2**60 + 1], [None, 2**60 + 1]),
        ("bounces", [np.nan, None], [None, None]),
        ("lost", [None, True], [None, True]),
        ("outcome", [None, "tail"], [None, "tail"]),
    ],
)
def test_what_does_not_exist_is_null_in_every_type(toss, name, values, expected):
    """None, NaN and infinity alike; what exists keeps its value."""
    found = rows_of(toss, TWO, returned(**{name: values}), "a batch").runs
    assert found[name].to_pylist() == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": [1, 2]}, "'weight' among the columns of runs, which it does not describe"),
        ({"height": [1.0]}, "runs: height has 1 rows, expected 2"),
        ({"height": 1.0}, "runs: height is no column of double"),
        ({"height": ["1", "2"]}, "runs: height holds <U1, described as double"),
        ({"bounces": [1.5, 2]}, "runs: bounces is no column of int64: .*1.5"),
        ({"bounces": [True, False]}, "runs: bounces holds bool, described as int64"),
        ({"lost": [0, 1]}, "runs: lost holds int64, described as bool"),
        ({"outcome": [1.0, 2.0]}, "runs: outcome holds float64, described as string"),
        ({"outcome": ["head", "edge"]}, "runs: .* outcome 'edge'; known are head, tail"),
    ],
)
def test_a_column_that_was_not_described_so_is_named(toss, changes, message):
    """It is a bug of the trainer: its table, name and fault."""
    with pytest.raises(TrainerError, match=message):
        rows_of(toss, TWO, returned(**changes), "a batch")


def test_a_column_or_table_that_is_missing_is_named(toss):
    """Of `runs`, of a further table, or the whole table."""
    lacking = returned()
    del lacking["runs"]["height"]
    with pytest.raises(TrainerError, match="no 'height' among the columns of runs"):
        rows_of(toss, TWO, lacking, "a batch")
    with pytest.raises(TrainerError, match="no 'place' among the columns of heights"):
        rows_of(toss, TWO, {**returned(), "heights": {"height": [1.0]}}, "a batch")
    with pytest.raises(TrainerError, match="no 'heights' among the tables"):
        rows_of(toss, TWO, {"runs": returned()["runs"]}, "a batch")


@pytest.mark.parametrize("place", [-1, 2])
def test_a_place_of_no_trial_is_refused(toss, place):
    """It would be another trial's row, or nobody's."""
    strange = {**returned(), "heights": {"place": [place], "height": [1.0]}}
    with pytest.raises(TrainerError, match=r"heights: a place .* none of 2 trials"):
        rows_of(toss, TWO, strange, "a batch")


def test_a_required_result_is_there(toss):
    """Where its description says so."""
    first, *others = toss.results
    strict = replace(toss, results=(replace(first, required=True), *others))
    with pytest.raises(TrainerError, match="has 1 rows without 'outcome'"):
        rows_of(strict, TWO, returned(outcome=["head", None]), "a batch")


def test_a_trainer_whose_columns_clash_is_refused(toss):
    """A result named as a setting or as the store's own."""
    for name in ("coin", "trial_id", "batch_id"):
        results = (*toss.results, Column(name, str, "twice"))
        with pytest.raises(TrainerError, match=f"two columns '{name}'"):
            schemas(replace(toss, results=results))


def test_thresholds_are_named_by_their_numbers():
    """Not by their order or their types; another number is another name."""
    digest = thresholds_digest({"a": 1, "b": 0.5})
    assert len(digest) == 12
    assert int(digest, 16) >= 0
    assert thresholds_digest({"b": 0.5, "a": 1.0}) == digest
    assert thresholds_digest({"a": 1, "b": 0.25}) != digest


def test_a_row_says_by_which_thresholds_it_was_judged(toss):
    """By their digest."""
    other = replace(toss, thresholds={"high": 2.0})
    for trainer in (toss, other):
        found = rows_of(trainer, TWO, returned(), "a batch").runs["thresholds"]
        assert found.to_pylist() == [thresholds_digest(trainer.thresholds)] * 2
