"""A Ray that dies under a run: the run ends, blames no trial, and the next one goes on."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest

from core.datasets import DATASETS
from core.training import FULLY_CONNECTED
from pipeline import executors
from pipeline.batches import batches
from pipeline.clusters import attempts
from pipeline.clusters.attempts import MOST_LOSSES
from pipeline.clusters.connections import Cluster, ClusterLostError
from pipeline.executors import Failure, run_on_ray
from pipeline.storage.store import Store

# The command on a Ray of its own, whose raylet is killed when the first batch was trained.
KILLS_ITS_RAYLET = """
import os, signal, time
from contextlib import contextmanager
from pipeline import cli, cuts, executors

cuts.BATCH_SECONDS = 0.001
progress = cli.progress

@contextmanager
def killing(*counts):
    with progress(*counts) as watch:
        def said(found):
            from ray._private import worker
            watch(found)
            raylet, = worker._global_node.all_processes.get("raylet", [None])
            if raylet.process.poll() is None:
                os.kill(raylet.process.pid, signal.SIGKILL)
        yield said

def on_ray(work, todo, address=None):
    def slowly(batch):
        time.sleep(1)
        return work(batch)
    yield from executors.run_on_ray(slowly, todo, address)

cli.progress, cli.run_on_ray = killing, on_ray
cli.main()
"""


def test_a_run_whose_ray_dies_blames_no_trial(write_sweep, tmp_path):
    """Exit code 1, no failure in the manifest, what is finished kept; then it goes on."""
    sweep, path = write_sweep(), tmp_path / "store"
    command = ["run", str(tmp_path / "sweep.yaml"), "--store", str(path), "--executor"]
    killed = subprocess.run(
        [sys.executable, "-c", KILLS_ITS_RAYLET, *command, "ray"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert killed.returncode == 1
    store = Store(path, FULLY_CONNECTED)
    assert store.manifest["failures"] == []
    finished = sum(len(rows) for rows in store.batches("runs", ["trial_id"]))
    assert finished < sweep.grid.size
    (said,) = [line for line in killed.stderr.splitlines() if line.startswith("error: ")]
    assert said.startswith("error: the Ray on this machine died; no trial is to blame; what is")
    assert said.endswith("run again to resume")
    assert "raylet" not in killed.stderr + killed.stdout
    assert finished > 0
    resumed = subprocess.run(
        [sys.executable, "-m", "pipeline", *command, "serial"],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert resumed.returncode == 0
    assert sum(len(rows) for rows in store.batches("runs", ["trial_id"])) == sweep.grid.size


@contextmanager
def raising_at_get(monkeypatch, error, times):
    """The first results that are asked for are this error."""
    import ray

    get, asked = ray.get, []

    def failing(reference):
        asked.append(reference)
        if len(asked) <= times:
            raise error
        return get(reference)

    monkeypatch.setattr(ray, "get", failing)
    yield
    monkeypatch.undo()


@pytest.fixture
def one_batch(grid_of):
    """A batch of one trial, which a hunt would call the culprit."""
    return list(batches(grid_of(), FULLY_CONNECTED, DATASETS, np.empty(0, np.int64)))


@pytest.mark.parametrize("times", [1, MOST_LOSSES])
def test_a_batch_whose_node_died_goes_elsewhere(local_ray, monkeypatch, one_batch, times):
    """Whole: it is no failure, and its rows come once."""
    import ray

    monkeypatch.setattr(executors, "WAIT_SECONDS", 60.0)
    with raising_at_get(monkeypatch, ray.exceptions.NodeDiedError("the node died"), times):
        assert list(run_on_ray(len, one_batch)) == [1]


def test_a_cluster_that_goes_on_losing_nodes_ends_the_run(local_ray, monkeypatch, one_batch):
    """A batch is not sent around for ever, and not called a culprit either."""
    import ray

    error = ray.exceptions.NodeDiedError("the node died")
    with (
        raising_at_get(monkeypatch, error, MOST_LOSSES + 1),
        pytest.raises(ClusterLostError, match=r"NodeDiedError: .*no trial is to blame"),
    ):
        list(run_on_ray(len, one_batch))


def test_a_machine_whose_raylet_died_ends_the_run_at_once(local_ray, monkeypatch, one_batch):
    """There is nothing left to train on, and no batch to look for a culprit in."""
    import ray

    said = "the Ray on this machine died; no trial is to blame"
    with (
        raising_at_get(monkeypatch, ray.exceptions.LocalRayletDiedError(), 1),
        pytest.raises(ClusterLostError, match=said),
    ):
        list(run_on_ray(len, one_batch))


def test_workers_that_cannot_be_set_up_are_no_lost_node(local_ray, monkeypatch, one_batch):
    """Running again would not help, so the reason is Ray's own; no trial is blamed."""
    import ray

    error = ray.exceptions.RuntimeEnvSetupError("no module named pip")
    with (
        raising_at_get(monkeypatch, error, 1),
        pytest.raises(ClusterLostError, match=r"cannot set up .*no module named pip.*to blame"),
    ):
        list(run_on_ray(len, one_batch))


def test_a_worker_that_dies_alone_is_the_trials_doing(local_ray, monkeypatch, one_batch):
    """As before: the trial is the failure."""
    import ray

    monkeypatch.setattr(attempts, "MOST_DEATHS", 1)
    monkeypatch.setattr(executors, "WAIT_SECONDS", 60.0)
    with raising_at_get(monkeypatch, ray.exceptions.WorkerCrashedError(), 1):
        (failure,) = run_on_ray(len, one_batch)
    assert isinstance(failure, Failure)


def test_a_batch_that_hangs_on_a_lost_node_is_sent_to_another(
    local_ray, monkeypatch, one_batch, tmp_path
):
    """A node that was cut off says nothing, and Ray waits for it: the second task answers."""
    marker, never = str(tmp_path / "began"), str(tmp_path / "never")
    monkeypatch.setattr(executors, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(Cluster, "lost_nodes", property(lambda _: int(os.path.exists(marker))))
    monkeypatch.setattr(Cluster, "is_idle", property(lambda _: True))

    def work(batch):
        if not os.path.exists(marker):
            open(marker, "x").close()
            while not os.path.exists(never):
                time.sleep(0.05)
        return len(batch)

    assert [found for found in run_on_ray(work, one_batch) if found is not None] == [1]
