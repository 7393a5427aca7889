"""The cells of a traced map: those not trained have the nearest run's label."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.explaining import two_stores
from analysis.figures.named import FIGURES
from analysis.reading.cells import filled, read_cells
from analysis.reading.queries import QueryError, answer
from analysis.reading.stores import NotAStoreError, UnsuitableRunsError
from analysis.reading.traces import Trace, read_traces
from analysis.tables.dimensions import boundary_dimensions
from analysis.tables.judgments import read_judged
from analysis.tables.map_cells import read_map
from analysis.tables.two_stores import compared
from analysis.tables.views import EVERYTHING, View
from pipeline.cli import app

AXES = {
    "learning_rate": np.geomspace(0.01, 10, 9).tolist(),
    "init_scale": [0.5, 1.0, 2.0, 4.0, 8.0],
    "bias_scale": [0.0, 0.5, 1.0],
}
OTHERS = {"activation": ["tanh", "relu"], "depth": [2], "seed": [0]}


def trace_along(*axes, of="trained", **others):
    """A trace along some axes; all others have their values."""
    values = {name: AXES[name] for name in axes} | OTHERS | others
    return Trace("traced", values, axes, of, ())


def dense(trace, make_runs):
    """A run for each cell; it trained where the rate times the scale is small."""
    cells = pd.MultiIndex.from_product(trace.values.values(), names=trace.values).to_frame()
    trained = cells["learning_rate"] * cells["init_scale"] < 1
    outcomes = np.where(trained, "trained", "diverged")
    ids = [f"{place:04}" for place in range(len(cells))]
    return make_runs(**cells, outcome=outcomes, trial_id=ids).reset_index(drop=True)


@pytest.mark.parametrize(
    "axes", [("init_scale",), ("learning_rate", "init_scale"), tuple(AXES)], ids=len
)
def test_a_cell_is_that_of_the_nearest_run_in_its_panel(axes, make_runs):
    """In places along the axes, against a search of all runs; every cell once."""
    trace = trace_along(*axes, **({} if "learning_rate" in axes else {"learning_rate": [1.0]}))
    every = dense(trace, make_runs)
    runs = every.groupby("activation").sample(frac=0.3, random_state=5)
    cells = filled(runs, [trace])
    assert len(cells) == len(every)
    assert not cells.duplicated(list(trace.values)).any()
    own = cells[~cells["inferred"]]
    assert sorted(own["trial_id"]) == sorted(runs["trial_id"])
    assert (own["distance"] == 0).all()

    def places(frame):
        return np.array([[trace.values[n].index(v) for v in frame[n]] for n in axes]).T

    for activation in OTHERS["activation"]:
        here, there = (f[f["activation"] == activation] for f in (cells, runs))
        apart = np.linalg.norm(places(here)[:, None] - places(there), axis=2)
        np.testing.assert_allclose(here["distance"], apart.min(axis=1))
        taken = there["trial_id"].tolist()
        chosen = [taken.index(each) for each in here["trial_id"]]
        np.testing.assert_allclose(here["distance"], apart[np.arange(len(here)), chosen])
        assert (here["outcome"].to_numpy() == there["outcome"].to_numpy()[chosen]).all()


def test_a_dense_store_has_no_further_cells(make_runs):
    """Its runs stay as they are."""
    runs = dense(trace_along("learning_rate", "init_scale"), make_runs)
    assert filled(runs, []) is runs


def test_runs_of_other_sweeps_stay_and_are_nobodys_neighbors(make_runs):
    """A run outside the traced map fills no cell of it."""
    trace = trace_along("learning_rate", "init_scale", activation=["tanh"])
    every = dense(trace, make_runs)
    other = every[:1].assign(depth=7, outcome="slow", trial_id="other")
    cells = filled(pd.concat([every[::4], other]), [trace])
    assert len(cells) == len(every) + 1
    assert (cells["outcome"] == "slow").sum() == 1


def test_where_traced_maps_overlap_the_nearer_run_decides(make_runs):
    """A cell that either has trained is that run; each cell comes once."""
    first = trace_along("learning_rate", "init_scale", activation=["tanh"])
    part = Trace("part", first.values | {"init_scale": [0.5, 1.0]}, first.axes, "trained", ())
    every = dense(first, make_runs)
    runs = every[every["init_scale"] > 2].iloc[::3]
    runs = pd.concat([runs, every[every["init_scale"] == 0.5]])
    both = filled(runs, [first, part])
    alone = filled(runs, [first])
    assert len(both) == len(every)
    assert both["distance"].sum() == alone["distance"].sum()


@pytest.fixture
def traced(make_runs, make_store):
    """A store of a traced map of two panels, of which a fifth was trained."""
    trace = trace_along("learning_rate", "init_scale")
    store = make_store(dense(trace, make_runs)[::5])
    entry = {
        "name": "traced",
        "axes": dict(trace.values),
        "trace": {"axes": list(trace.axes), "of": "trained"},
        "audits": [{"panel": {"activation": "tanh"}, "audited": 50, "wrong": 1, "bound": 0.09}],
    }
    (store / "manifest.json").write_text(json.dumps({"sweeps": [{"name": "dense"}, entry]}))
    return store


def test_the_manifest_says_what_was_traced(traced):
    """Dense sweeps are left out."""
    (trace,) = read_traces(traced)
    assert (trace.sweep, trace.axes, trace.of) == (
        "traced",
        ("learning_rate", "init_scale"),
        "trained",
    )
    assert [(each.panel, each.bound) for each in trace.audits] == [({"activation": "tanh"}, 0.09)]


def test_a_damaged_trace_is_refused(traced):
    """With its place in the manifest."""
    path = traced / "manifest.json"
    path.write_text(path.read_text().replace('"of": "trained"', '"of": 7'))
    with pytest.raises(NotAStoreError, match=re.escape("sweeps[1].trace.of")):
        read_traces(traced)


def test_cells_are_a_view(traced):
    """Every cell of the map: what varies, the label, how far its run is, and which that is."""
    table = pd.concat([b.to_pandas() for b in answer(traced, "select * from cells")])
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True), read_cells(traced), check_dtype=False
    )
    settings = ["learning_rate", "init_scale", "activation"]
    assert list(table) == ["sweep", *settings, "inferred", "distance", "trial_id", "label"]
    assert len(table) == 90
    assert set(table["label"]) == {"True", "False"}
    assert table["inferred"].sum() == 90 - 18


def test_a_dense_store_says_why_it_has_no_cells(make_runs, make_store):
    """And which views there are."""
    store = make_store(dense(trace_along("learning_rate", "init_scale"), make_runs))
    with pytest.raises(QueryError, match="cells are the map of a traced sweep") as error:
        list(answer(store, "select count(*) from cells"))
    assert "The views are runs, manifest" in str(error.value)


@pytest.fixture
def half_trained(store, runs, make_store):
    """The small store as if its sweep were traced, and had trained every second learning rate."""
    rates = sorted(runs["learning_rate"].unique())
    half = make_store(runs[runs["learning_rate"].isin(rates[::2])])
    manifest = json.loads((store / "manifest.json").read_text())
    audit = {"panel": {"activation": "tanh", "depth": 2}, "audited": 50, "wrong": 1, "bound": 0.09}
    manifest["sweeps"][0] |= {
        "trace": {"axes": ["learning_rate", "init_scale"], "of": "trained"},
        "audits": [audit],
    }
    (half / "manifest.json").write_text(json.dumps(manifest))
    return half


def test_a_traced_map_is_paler_where_it_was_not_trained(half_trained):
    """The title says how many cells were trained, and how far the others can be trusted."""
    figure = FIGURES["stability_map"](half_trained, None, View(where=("activation=tanh",)))
    for panel in figure.axes:
        regions, paler = (mesh.get_array() for mesh in panel.collections)
        assert not np.ma.is_masked(regions)
        assert (~np.ma.getmaskarray(paler)).tolist() == [[False, True] * 3] * 4
        assert (regions[:, 1] == regions[:, [0, 2]].T).any(axis=0).all()
    title = " ".join(figure.get_suptitle().split())
    assert "50.0% of the cells were trained, near the boundary of trained" in title
    assert "at most 9.00% of these are wrong about trained (95% confidence)" in title
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "paler: not trained, as the nearest run" in labels


def test_a_traced_map_is_judged_again(half_trained):
    """At another level than the sweep's own, its runs are still its runs."""
    cells = read_map(half_trained, 0.5)
    assert cells["inferred"].sum() == len(cells) / 2
    assert set(cells["trained_level"]) == {0.5}


def test_a_trace_without_rows_leaves_the_others(half_trained, runs, make_store):
    """An interrupted sweep has an entry in the manifest before it has a row."""
    store = make_store(runs)
    manifest = json.loads((half_trained / "manifest.json").read_text())
    manifest["sweeps"][0]["axes"]["width"] = [99]
    (store / "manifest.json").write_text(json.dumps(manifest))
    cells = read_map(store)
    assert len(cells) == len(runs)
    assert not cells["inferred"].any()
    assert len(read_cells(store)) == 0
    summary = two_stores.store_words(compared(str(store), str(store)))[0]
    assert "; traced: only cells near a boundary" in summary


def test_a_traced_map_says_that_its_sweep_has_not_ended(half_trained):
    """The bound is that of what was audited so far."""
    path = half_trained / "manifest.json"
    path.write_text(path.read_text().replace('"bound": 0.09', '"bound": 0.09, "complete": false'))
    figure = FIGURES["stability_map"](half_trained, None, EVERYTHING)
    title = " ".join(figure.get_suptitle().split())
    assert "(95% confidence); the sweep has not ended yet" in title


def test_a_panel_without_an_audit_says_so(half_trained):
    """The bound of another panel is none of its own."""
    figure = FIGURES["stability_map"](half_trained, None, View(where=("activation=relu",)))
    assert "not audited yet" in " ".join(figure.get_suptitle().split())


def test_what_a_map_shows_of_a_dense_store_are_its_runs(store):
    """To the bit."""
    pd.testing.assert_frame_equal(read_map(store), read_judged(store))


def test_a_traced_boundary_has_the_dimension_of_the_dense_one(make_runs, make_store):
    """If the cells beside it were trained, of a map of 65 x 65; other labels are marked."""
    rates = np.geomspace(0.001, 1000, 65).tolist()
    trace = trace_along("learning_rate", "init_scale", learning_rate=rates, init_scale=rates)
    runs = dense(trace, make_runs).assign(fractal_converged=True, init_phase=None, steps_run=1)
    runs = runs.assign(initial_loss=1.0, tail_loss=1.0, trained_level=0.1)
    beside = (np.log(runs["learning_rate"] * runs["init_scale"])).abs() < 0.7
    traced = filled(runs[beside | (runs["init_scale"] == rates[0])], [trace])
    assert traced["inferred"].mean() > 0.8
    found = boundary_dimensions(traced, traces=[trace])
    marks = found.set_index("label").pop("traced")
    assert set(marks[marks].index) == {"trained"}
    assert set(marks[~marks].index) == {"outcome", "diverged"}
    pd.testing.assert_frame_equal(found.drop(columns="traced"), boundary_dimensions(runs))
    of_all = boundary_dimensions(traced, traces=[replace(trace, of="outcome")])
    assert of_all.set_index("label")["traced"][["outcome", "trained", "diverged"]].all()


@pytest.mark.parametrize("name", ["outcomes", "cures"])
def test_shares_of_a_traced_map_are_those_of_its_cells(half_trained, name):
    """The boundary's neighborhood, which was trained, is not the plane; stderr says so."""
    cells = read_map(half_trained)
    command = ["table", name, str(half_trained), "--format", "csv"]
    done = CliRunner().invoke(app, [*command, "--where", "activation=tanh", "--where", "depth=2"])
    found = pd.read_csv(io.StringIO(done.stdout))
    cells = cells[(cells["activation"] == "tanh") & (cells["depth"] == 2)]
    trained = found[found["outcome"] == "trained"] if name == "outcomes" else found
    assert trained["share"].mean() == pytest.approx((cells["outcome"] == "trained").mean())
    counted = found if name == "outcomes" else found.drop_duplicates("cure")
    assert counted["cells"].sum() == len(cells)
    assert "runs" not in found
    told = " ".join(done.stderr.split())
    assert told.startswith("50.0% of the cells were trained, near the boundary of trained;")
    assert "at most 9.00% of these are wrong" in told


def test_a_table_of_runs_says_that_a_traced_sweep_trained_some(half_trained, store):
    """A share of them is none of the plane; of a dense store nothing is said."""
    command = ["table", "critical_learning_rate"]
    told = " ".join(CliRunner().invoke(app, [*command, str(half_trained)]).stderr.split())
    assert told == (
        "a sweep here was traced: this table is of the 50.0% of the cells that were trained, "
        "and so are its shares"
    )
    assert CliRunner().invoke(app, [*command, str(store)]).stderr == ""


def test_a_condition_on_a_result_holds_for_a_cell_if_it_does_for_its_run(half_trained):
    """Any column of the runs will do; what a table says is of the cells that are left."""
    where = ["--where", "steps_run>0", "--where", "activation=tanh", "--where", "peak_loss>0"]
    for name, told in (("outcomes", "50.0% of the cells"), ("chi", "the 50.0% of the cells")):
        done = CliRunner().invoke(app, ["table", name, str(half_trained), *where])
        assert done.exit_code == 0, done.stderr
        assert told in " ".join(done.stderr.split())
    with pytest.raises(UnsuitableRunsError, match="'peak_los' is no setting"):
        FIGURES["stability_map"](half_trained, None, View(where=("peak_los>0",)))


@pytest.mark.parametrize("name", ["cures", "outcome_shares"])
def test_figures_of_shares_have_the_traced_map(half_trained, name):
    """And say what was trained of it."""
    figure = FIGURES[name](half_trained, None, EVERYTHING)
    assert "50.0% of the cells were trained" in " ".join(figure.get_suptitle().split())
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("paler: not trained, as the nearest run" in labels) == (name == "cures")
