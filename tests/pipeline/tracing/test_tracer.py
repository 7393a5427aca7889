"""The rounds of a traced sweep over a grid, from its rows alone."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from core.training import FULLY_CONNECTED
from pipeline.tracing.panels import Panels
from pipeline.tracing.tracer import Tracer
from pipeline.tracing.traces import Trace

from .maps import boundary

TRACE = Trace(("init_scale", "learning_rate"), "trained")
RATES = tuple(np.geomspace(1e-3, 10, 65).tolist())
SCALES = tuple(np.linspace(0.5, 4, 40).tolist())


@pytest.fixture(scope="module")
def grid(grid_of):
    """Two depths of a map, with three seeds each; the scales are listed from the largest down."""
    return grid_of(depth=(2, 5), init_scale=SCALES[::-1], learning_rate=RATES, seed=(0, 1, 2))


@pytest.fixture(scope="module")
def all_rows(grid):
    """A row for each cell of the grid; it trains on one side of a curve that moves with all."""
    columns = {}
    for factor, own in zip(grid.factors, grid.combinations(np.arange(grid.size)), strict=True):
        for name, values in factor.values.items():
            columns[name] = pa.array(values).take(pa.array(factor.places[name][own]))
    rate, scale, depth, seed = (
        np.asarray(columns[name]) for name in ("learning_rate", "init_scale", "depth", "seed")
    )
    trains = np.log(rate) + scale * depth / 4 + (seed - 1) / 10 < 0
    outcomes = np.where(trains, "trained", "slow")
    return pa.RecordBatch.from_pydict({**columns, "outcome": pa.array(outcomes.tolist())})


def rows_at(all_rows, cells):
    return all_rows.take(pa.array(cells))


def run(tracer, all_rows, rounds=None):
    """Rounds until there is none, or so many: for each cell, its level and reason."""
    found = {}
    while rounds is None or rounds > 0:
        following = tracer.next_round()
        if not len(following):
            break
        asked = following.asked
        pairs = zip(asked["level"].tolist(), asked["reason"].tolist(), strict=True)
        assert not set(following.cells.tolist()) & set(found)
        found |= dict(zip(following.cells.tolist(), pairs, strict=True))
        tracer.learn(rows_at(all_rows, following.cells))
        rounds = None if rounds is None else rounds - 1
    return found


@pytest.fixture(scope="module")
def undisturbed(grid, all_rows):
    """What a run that nothing interrupts trains, by cell: level and reason."""
    return run(Tracer(grid, FULLY_CONNECTED, TRACE), all_rows)


def test_a_part_of_the_grid_is_trained_with_all_seeds(grid, undisturbed):
    assert 0.1 < len(undisturbed) / grid.size < 0.5
    trained = map(grid.__getitem__, undisturbed)
    seeds = Counter((t.depth, t.init_scale, t.learning_rate) for t in trained)
    assert set(seeds.values()) == {3}


def test_the_boundary_of_each_panel_is_trained(grid, all_rows, undisturbed):
    """Where the label of most seeds changes along an axis, though scales are listed downward."""
    panels, size = Panels(grid, TRACE.axes), len(SCALES) * len(RATES)
    trains = np.array(all_rows["outcome"].to_pylist()) == "trained"
    was_trained = np.isin(np.arange(grid.size), list(undisturbed))
    for panel in range(2):
        cells = panels.cells(panel, np.arange(size))
        edge = boundary((trains[cells].sum(axis=1) > 1).reshape(panels.shape))
        assert edge.sum() > 50
        assert was_trained[cells].all(axis=1).reshape(panels.shape)[edge].all()


@pytest.mark.parametrize("after", range(4))
def test_an_interrupted_trace_ends_as_an_undisturbed_one(grid, all_rows, undisturbed, after, rng):
    """After any round, with any part of the next one's rows: the same trials for the same reasons.

    A second tracer sees only what was committed.
    """
    tracer = Tracer(grid, FULLY_CONNECTED, TRACE)
    before = run(tracer, all_rows, rounds=after)
    following = tracer.next_round()
    done = rng.random(len(following)) < 0.4
    asked = following.asked
    pairs = list(zip(asked["level"].tolist(), asked["reason"].tolist(), strict=True))
    before |= {c: pairs[n] for n, c in enumerate(following.cells.tolist()) if done[n]}
    resumed = Tracer(grid, FULLY_CONNECTED, TRACE)
    committed = np.array(sorted(before), np.int64)
    for part in np.array_split(rng.permutation(committed), 3):
        resumed.learn(rows_at(all_rows, part))
    rest = run(resumed, all_rows)
    assert not set(rest) & set(before)
    assert rest | before == undisturbed


def test_rows_of_a_dense_sweep_are_used_and_decide_nothing(grid, all_rows, undisturbed, rng):
    """What remains is what an undisturbed run trains, less what is there."""
    tracer, there = Tracer(grid, FULLY_CONNECTED, TRACE), rng.random(grid.size) < 0.3
    tracer.learn(rows_at(all_rows, np.flatnonzero(there)))
    found = run(tracer, all_rows)
    assert set(found) == {cell for cell in undisturbed if not there[cell]}
    assert {cell: undisturbed[cell] for cell in found} == found
    complete = Tracer(grid, FULLY_CONNECTED, TRACE)
    complete.learn(all_rows)
    assert len(complete.next_round()) == 0


def test_counts_are_a_range_that_narrows_to_what_was_trained(grid, all_rows, undisturbed):
    tracer = Tracer(grid, FULLY_CONNECTED, TRACE)
    first = tracer.next_round()
    counts = tracer.counts
    assert (counts.least, counts.most, counts.finished) == (len(first), grid.size, 0)
    assert (counts.complete, counts.panels) == (0, 2)
    least = []
    while len(following := tracer.next_round()):
        counts = tracer.counts
        least.append(counts.least)
        assert counts.least - len(following) <= counts.finished <= counts.most <= grid.size
        tracer.learn(rows_at(all_rows, following.cells))
    assert least == sorted(least)
    counts = tracer.counts
    assert (counts.least, counts.most, counts.finished) == (len(undisturbed),) * 3
    assert counts.complete == 2


def test_each_panel_has_its_audit(grid, all_rows):
    tracer = Tracer(grid, FULLY_CONNECTED, TRACE)
    run(tracer, all_rows)
    audits = tracer.audits
    assert [audit["panel"] for audit in audits] == [{"depth": 2}, {"depth": 5}]
    for audit in audits:
        assert audit["complete"]
        assert audit["wrong"] <= audit["audited"]
        assert 0 < audit["bound"] < 0.5


def test_a_trial_that_fails_leaves_its_vertex_to_the_other_seeds(grid, all_rows, undisturbed):
    """And the trace comes to an end though all of a vertex's trials fail."""
    tracer = Tracer(grid, FULLY_CONNECTED, TRACE)
    lost = tracer.next_round().cells[:4].tolist()
    for cell in lost:
        tracer.fail(grid[cell])
    found = run(tracer, all_rows)
    assert not set(lost) & set(found)
    assert len(found) > len(undisturbed) / 2


def test_one_axis_can_be_traced_and_the_other_makes_panels(grid, all_rows):
    tracer = Tracer(grid, FULLY_CONNECTED, Trace(("learning_rate",), "outcome"))
    found = run(tracer, all_rows)
    assert len(tracer.panels) == 2 * len(SCALES)
    assert [a["panel"] for a in tracer.audits][:1] == [{"depth": 2, "init_scale": SCALES[-1]}]
    assert 0.2 < len(found) / grid.size < 0.8


def test_a_panel_is_known_by_what_is_no_default(grid):
    """So that a setting that does not exist yet will not change which vertices are audited."""
    panels = Tracer(grid, FULLY_CONNECTED, TRACE).panels
    for panel in range(len(panels)):
        defaults = {n: s.encoded_default for n, s in FULLY_CONNECTED.settings.items()}
        assert (
            panels.settings(panel).items()
            == (
                {n: v for n, v in defaults.items() if n in panels.settings(panel)}
                | panels.identity(panel)
            ).items()
        )
        assert not {n for n, v in panels.identity(panel).items() if v == defaults[n]}


def test_no_panel_is_mistaken_for_another(grid):
    """The numbers of cells lead back to the panel that has them."""
    panels = Tracer(grid, FULLY_CONNECTED, TRACE).panels
    every = [panels.cells(n, np.arange(len(SCALES) * len(RATES))) for n in range(len(panels))]
    assert sorted(np.concatenate(every).ravel().tolist()) == list(range(grid.size))
    for number, cells in enumerate(every):
        assert (panels.numbers(cells.ravel()) == number).all()
        scales = [grid[int(cell)].init_scale for cell in cells[:: len(RATES), 0]]
        assert scales == sorted(scales)
