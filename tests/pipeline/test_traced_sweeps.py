"""A traced sweep from file to store: rounds, exactly once, beside a dense one, after any end."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from core.settings import trial_id
from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.budgets import Budget
from pipeline.cli import app
from pipeline.executors import run_serially
from pipeline.storage.compaction import compact
from pipeline.storage.store import Store, StoreError
from pipeline.storage.verification import verify
from pipeline.sweep_files.loading import SweepFileError, load_sweep

from ..sweeps import DENSE, TRACED

CELLS = 2 * 25 * 25


@pytest.fixture
def load(tmp_path):
    """Loads a sweep file of this text."""

    def load(text=TRACED):
        path = tmp_path / "edge.yaml"
        path.write_text(text)
        return load_sweep(path)

    return load


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The store of the traced sweep that nothing interrupted; only read it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "edge.yaml").write_text(TRACED)
    run(load_sweep(folder / "edge.yaml"), folder / "store")
    return folder / "store"


def run(sweep, path, execute=run_serially, budget=sweeps.ALL):
    store = Store(path, FULLY_CONNECTED)
    with store.writing():
        standing = plans.standing(sweep, store)
        return sweeps.run_sweep(sweep, standing, store, execute, lambda ended: None, budget)


def asked(path):
    """By trial, its level and reason: what must not depend on how a sweep came to its end."""
    rows = pd.read_parquet(path / "runs", columns=["trial_id", "level", "reason"])
    return rows.sort_values("trial_id", ignore_index=True)


def assert_same(path, other):
    pd.testing.assert_frame_equal(asked(path), asked(other), check_exact=True)


def entry_of(path):
    (entry,) = json.loads((path / "manifest.json").read_text())["sweeps"]
    return entry


def test_a_part_of_the_dense_sweep_is_trained(load, undisturbed):
    """Its trials have their ids; each row says at which level it was asked for, and why."""
    rows = asked(undisturbed)
    assert 0.1 < len(rows) / CELLS < 0.8
    assert rows["trial_id"].is_unique
    assert set(rows["trial_id"]) < {trial_id(trial) for trial in load(DENSE).grid}
    assert set(rows["reason"]) >= {"base", "split", "audit"}
    assert (rows["level"] == 0).sum() >= (rows["reason"] == "base").sum() == 2 * 81
    assert list(verify(Store(undisturbed, FULLY_CONNECTED))) == []


def test_the_boundary_is_that_of_the_dense_map(load, undisturbed, tmp_path):
    """Where a direct neighbor has another label; few of its cells may be missed."""
    sweep = load(DENSE)
    run(sweep, tmp_path / "dense")
    columns = ["trial_id", "depth", "init_scale", "learning_rate", "outcome"]
    rows = pd.read_parquet(tmp_path / "dense" / "runs", columns=columns)
    trained = set(asked(undisturbed)["trial_id"])
    rows["diverged"] = rows["outcome"].isin(["diverged", "overflow"])
    rows["trained"] = rows["trial_id"].isin(trained)
    missed = total = 0
    for _, panel in rows.groupby("depth"):
        label, known = (
            panel.pivot(index="init_scale", columns="learning_rate", values=name).to_numpy(bool)
            for name in ("diverged", "trained")
        )
        edge = np.zeros(label.shape, bool)
        edge[1:] |= label[1:] != label[:-1]
        edge[:, 1:] |= label[:, 1:] != label[:, :-1]
        missed += (edge & ~known).sum()
        total += edge.sum()
    assert total > 50
    assert missed / total < 0.1


def test_the_manifest_says_what_is_traced_and_what_the_audit_found(undisturbed):
    """For whoever draws the map: the axes, the label, and each panel's bound on wrong labels."""
    entry = entry_of(undisturbed)
    assert entry["trace"] == {"axes": ["init_scale", "learning_rate"], "of": "diverged"}
    assert [audit["panel"] for audit in entry["audits"]] == [{"depth": 2}, {"depth": 3}]
    for audit in entry["audits"]:
        assert audit["complete"] is True
        assert 0 <= audit["wrong"] <= audit["audited"] < 13
        assert 0 < audit["bound"] < 1


def test_a_dense_run_fills_the_rest_in_the_same_store(load, undisturbed, tmp_path):
    """Before it or after it: no trial is trained twice, and rows of a dense run have no level.

    Then nothing is inferred, and `status` and `run` say so.
    """
    after, before = tmp_path / "after", tmp_path / "before"
    traced = run(load(), after).outcomes.total()
    assert run(load(DENSE), after).outcomes.total() == CELLS - traced
    rows = asked(after)
    assert rows["trial_id"].is_unique
    assert rows["level"].notna().sum() == rows["reason"].notna().sum() == traced
    pd.testing.assert_frame_equal(
        rows.dropna().reset_index(drop=True), asked(undisturbed), check_dtype=False
    )
    load()
    for told in (
        phasesweep("status", after).stdout,
        phasesweep("run", tmp_path / "edge.yaml", "--store", after).stderr,
    ):
        assert "all trials of the map are trained: no label is inferred" in told
        assert "audit" not in told
    run(load(DENSE), before)
    assert asked(before)["level"].isna().all()
    assert run(load(), before).outcomes.total() == 0
    manifest = Store(before, FULLY_CONNECTED).manifest
    assert [entry.get("trace") is None for entry in manifest["sweeps"]] == [True, False]
    assert manifest["sweeps"][1]["audits"] == entry_of(undisturbed)["audits"]


def test_rows_of_a_dense_sweep_are_not_trained_again(load, undisturbed, tmp_path):
    """A dense run that stopped early leaves a part; the traced one trains what it lacks."""
    run(load(DENSE), tmp_path / "store", budget=Budget(trials=500))
    there = set(asked(tmp_path / "store")["trial_id"])
    wanted = set(asked(undisturbed)["trial_id"])
    assert run(load(), tmp_path / "store").outcomes.total() == len(wanted - there)
    assert set(asked(tmp_path / "store")["trial_id"]) == wanted | there


def test_running_again_trains_nothing(load, undisturbed, tmp_path):
    """Also after the files were merged."""
    run(load(), tmp_path / "store")
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    with store.writing():
        compact(store)
    assert run(load(), tmp_path / "store").outcomes.total() == 0
    assert_same(tmp_path / "store", undisturbed)


def interrupted_after(batches):
    def execute(work, todo):
        for number, result in enumerate(run_serially(work, todo)):
            if number == batches:
                raise KeyboardInterrupt
            yield result

    return execute


@pytest.mark.parametrize("batches", [1, 9])
def test_interrupted_and_resumed_equals_undisturbed(
    load, undisturbed, tmp_path, monkeypatch, batches
):
    """In the midst of a round or at its end; every trial has its level and reason."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 60)
    with pytest.raises(KeyboardInterrupt):
        run(load(), tmp_path / "store", interrupted_after(batches))
    kept = len(asked(tmp_path / "store"))
    assert 0 < kept < len(asked(undisturbed))
    assert run(load(), tmp_path / "store").outcomes.total() == len(asked(undisturbed)) - kept
    assert_same(tmp_path / "store", undisturbed)


def test_so_many_new_rows_come_as_asked_for(load, undisturbed, tmp_path):
    """Over the ends of rounds; the runs together train what one trains."""
    total, reports = len(asked(undisturbed)), []
    while not reports or reports[-1].stopped:
        reports.append(run(load(), tmp_path / "store", budget=Budget(trials=250)))
    counts = [report.outcomes.total() for report in reports]
    assert counts[:-1] == [250] * (total // 250)
    assert sum(counts) == total
    assert_same(tmp_path / "store", undisturbed)


def failing_on(culprits, work, batch):
    if culprits & set(batch.trials.ids()):
        raise RuntimeError("planted")
    return work(batch)


def test_a_trial_that_fails_stops_nothing_and_is_retried(load, undisturbed, tmp_path):
    """The trace goes on without it; the next run trains it and ends where it would have."""
    rows = asked(undisturbed)
    culprits = {
        rows.loc[rows["reason"] == reason, "trial_id"].iloc[3] for reason in ("base", "split")
    }

    def execute(work, todo):
        return run_serially(partial(failing_on, culprits, work), todo)

    report = run(load(), tmp_path / "store", execute)
    assert {trial_id(failure.trial) for failure in report.failures} <= culprits
    assert len(report.failures) > 0
    store = Store(tmp_path / "store", FULLY_CONNECTED)
    assert len(store.manifest["failures"]) == len(report.failures)
    run(load(), tmp_path / "store")
    assert Store(tmp_path / "store", FULLY_CONNECTED).manifest["failures"] == []
    assert set(asked(undisturbed)["trial_id"]) <= set(asked(tmp_path / "store")["trial_id"])


def test_seeds_repeat_a_vertex_and_three_axes_are_traced(load, tmp_path):
    """All seeds of a vertex are trained, and the audit has one panel without a name."""
    text = DENSE.replace(", 25]", ", 9]") + "seed: [0, 1]\nname: three\n"
    text = text.replace("name: edge\n", "").replace("depth: [2, 3]", "depth: 2")
    axes = "[init_scale, learning_rate, bias_scale]"
    text += f"bias_scale: {{linspace: [0, 1, 9]}}\ntrace: {{axes: {axes}}}\n"
    sweep = load(text)
    total = run(sweep, tmp_path / "store").outcomes.total()
    rows = pd.read_parquet(tmp_path / "store" / "runs")
    assert total == len(rows) == sweep.grid.size
    assert entry_of(tmp_path / "store")["trace"]["of"] == "outcome"
    assert [audit["panel"] for audit in entry_of(tmp_path / "store")["audits"]] == [{}]


# The command, which is killed in the midst of the second round's training.
KILLED = """
import os, signal
from pipeline import cuts, sweep
from pipeline.cli import main

cuts.MOST_TRIALS, sweep.COMMIT_SECONDS = 40, 0.0
train, begun = sweep.TrainBatch.__call__, []


def killed(self, batch):
    begun.append(1 in batch.asked["level"])
    if sum(begun) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(self, batch)

sweep.TrainBatch.__call__ = killed
main()
"""


def test_a_driver_killed_in_a_round_is_resumed_as_if_nothing_had_been(load, undisturbed, tmp_path):
    """Its rows up to there are committed; what follows is what would have followed."""
    load()
    command = [sys.executable, "-c", KILLED, "run", "edge.yaml", "--store", "store"]
    ended = subprocess.run(
        [*command, "--executor", "serial"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL
    kept = asked(tmp_path / "store")
    assert set(kept["level"]) == {0, 1}
    assert len(kept) < len(asked(undisturbed))
    run(load(), tmp_path / "store")
    assert_same(tmp_path / "store", undisturbed)


def phasesweep(*arguments):
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return done


def test_a_plan_is_a_range_and_says_so(load, tmp_path):
    """From the coarse grid to the dense one; each part of a run narrows it."""
    load()
    file, store = tmp_path / "edge.yaml", tmp_path / "store"
    told = phasesweep("plan", file, "--store", store).stdout
    assert f"edge: 162 to {CELLS:,} trials (traced, a range), 0 in" in told
    assert "162 now; the boundary decides how many more" in told
    found = json.loads(phasesweep("plan", file, "--store", store, "--json").stdout)
    assert found["trace"] == {"axes": ["init_scale", "learning_rate"], "of": "diverged"}
    assert (found["trials"], found["remaining"]) == (CELLS, CELLS)
    assert (found["least"]["trials"], found["least"]["remaining"]) == (162, 162)
    assert found["least"]["flops"] * CELLS == pytest.approx(162 * found["flops"], rel=0.3)
    told = phasesweep("run", file, "--store", store, "--max-trials", "200").stderr
    assert f"200 of at most {CELLS:,} trials have a row" in told
    found = json.loads(phasesweep("plan", file, "--store", store, "--json").stdout)
    least = found["least"]
    assert least["finished"] == found["finished"] == 200
    assert least["trials"] == 200 + least["remaining"] < found["trials"] == CELLS


def test_status_misses_what_the_rounds_ask_for_and_no_more(load, undisturbed, tmp_path):
    """Not the cells of the dense map, which nobody wants."""
    total = len(asked(undisturbed))
    told = phasesweep("status", undisturbed).stdout
    words = f"traced with {total:,} of {CELLS:,} trials ({total / CELLS:.1%}), 0 missing"
    assert f"sweep edge: {words}, last run " in told
    assert re.search(r"audit: \d of \d+ random labels wrong; of the untrained at most \d+\.", told)
    (found,) = json.loads(phasesweep("status", undisturbed, "--json").stdout)["sweeps"]
    assert (found["trials"], found["finished"], found["missing"]) == (total, total, 0)
    assert (found["most"], found["cells"]) == (total, CELLS)
    assert found["audits"] == entry_of(undisturbed)["audits"]
    run(load(), tmp_path / "store", budget=Budget(trials=100))
    told = phasesweep("status", tmp_path / "store").stdout
    assert f"traced with 100 of {CELLS:,} trials (8.0%), " in told
    (found,) = json.loads(phasesweep("status", tmp_path / "store", "--json").stdout)["sweeps"]
    assert (found["finished"], found["trials"]) == (100, 100 + found["missing"])
    assert f", {found['missing']} missing in this round, last run " in told
    assert "audit" not in told


def test_a_finished_trace_says_what_it_cost_and_what_may_be_wrong(load, undisturbed, tmp_path):
    """As the figure's caption does; and running again says it again."""
    load()
    for _ in range(2):
        told = phasesweep("run", tmp_path / "edge.yaml", "--store", undisturbed).stderr
        assert "nothing is left to train" in told
        assert f"traced with {len(asked(undisturbed)):,} of {CELLS:,} trials (" in told
        assert "random labels wrong; of the untrained at most " in told


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        ("init_scale", "trace: must be a mapping of axes, and of what to trace, got 'init_scale'"),
        ("{of: outcome}", "trace: must be a mapping of axes"),
        ("{axes: [depth], label: outcome}", "it has no 'label'"),
        ("{axes: 3}", "trace: must name axes in a list, and one label"),
        ("{axes: []}", "trace: axes: must be one to 3, got 0"),
        ("{axes: [depth], of: loss}", "trace: of: nothing to trace is called 'loss'; set of: outc"),
        ("{axes: [rate]}", "trace: axes: rate is no setting; the axes of numbers here are depth"),
        ("{axes: [width]}", "trace: axes: width has one value, 6; the axes of numbers here are"),
        ("{axes: [activation]}", "trace: axes: activation has names, which have no order"),
        ("{axes: [seed]}", "trace: axes: seed repeats trials and has no order"),
        ("{axes: [depth, depth]}", "trace: axes: depth is named twice; name it once"),
        ("{axes: [learning_rate], of: init_phase}", "trace: of: init_phase is measured by signal"),
    ],
)
def test_what_cannot_be_traced_is_refused(load, trace, said):
    """Before anything runs, with the field, what was given and what to write."""
    with pytest.raises(SweepFileError) as error:
        load(f"{DENSE}trace: {trace}\n")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("zip: [init_scale, learning_rate]", "init_scale is tied to learning_rate by zip or where"),
        ("where: init_scale * learning_rate < 9", "init_scale is tied to learning_rate by zip"),
        ("seed: [0, 1]\nzip: [depth, seed]", "seed is tied to depth; take seed out of zip and"),
    ],
)
def test_an_axis_that_moves_with_others_is_refused(load, lines, said):
    with pytest.raises(SweepFileError) as error:
        load(f"{TRACED}{lines}\n")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            "bias_scale: {linspace: [0, 1, 5001]}\n",
            "trace: the other axes make 10,002 panels, more than 10,000; shorten bias_scale, or",
        ),
        (
            "bias_scale: {linspace: [0, 1, 9000]}\nweight_decay: {linspace: [0, 1, 90]}\n"
            "momentum: {linspace: [0, 0.9, 400]}\noptimizer: momentum\n"
            "trace: {axes: [bias_scale, weight_decay, momentum]}\n",
            "trace: a label is kept of each of 648,000,000 cells, more than 500,000,000; shorten b",
        ),
    ],
)
def test_a_map_that_a_driver_cannot_hold_is_refused(load, lines, said):
    text = DENSE if "trace" in lines else TRACED
    if "trace" in lines:
        text = re.sub("geomspace: .*]", "geomspace: [0.1, 1, 1]", text)
    with pytest.raises(SweepFileError) as error:
        load(text + lines)
    assert said in str(error.value)


def test_a_condition_on_one_axis_alone_shortens_it(load):
    """It ties nothing."""
    sweep = load(f"{TRACED}where: learning_rate < 1\n")
    assert sweep.trace is not None
    assert sweep.grid.size < CELLS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trace": {"axes": ["depth", "wide"], "of": "outcome"}}, "sweeps[0].trace: axes: wide is"),
        ({"trace": {"axes": ["depth"], "of": 3}}, "sweeps[0].trace.of: must be text, got 3"),
        ({"audits": [{"panel": {}}]}, "sweeps[0].audits[0].audited: is missing"),
    ],
)
def test_a_manifest_that_no_store_wrote_is_refused(undisturbed, tmp_path, changes, said):
    manifest = json.loads((undisturbed / "manifest.json").read_text())
    manifest["sweeps"][0] |= changes
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError) as error:
        Store(tmp_path, FULLY_CONNECTED)
    assert said in str(error.value)
