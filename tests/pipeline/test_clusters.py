"""A cluster as the driver sees it: how long a silent head and a loss of all CPUs are borne."""

from types import SimpleNamespace

import pytest

from pipeline.clusters import connections
from pipeline.clusters.connections import (
    ASK_SECONDS,
    LOOK_SECONDS,
    NO_CPU_SECONDS,
    SILENT_SECONDS,
    Cluster,
    ClusterLostError,
)


@pytest.fixture
def clock(monkeypatch):
    """The time, which goes on as a test says."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(connections, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def cluster(monkeypatch, clock):
    """One of a CPU, whose head answers when a test calls `answer`."""
    monkeypatch.setattr(Cluster, "_ask", lambda cluster: None)
    node = {"NodeID": "a", "Alive": True, "Resources": {"CPU": 1.0}}
    ray = SimpleNamespace(
        found=[node],
        nodes=lambda: ray.found,
        available_resources=dict,
        _private=SimpleNamespace(worker=SimpleNamespace(_global_node=None)),
    )
    return Cluster(ray)


def look_for(seconds, cluster, clock, *, answered):
    """Look again and again for so long."""
    for _ in range(round(seconds / ASK_SECONDS)):
        clock.seconds += ASK_SECONDS
        if answered:
            cluster.ask()
        cluster.look(waiting=7)


def test_a_head_that_answers_is_never_silent(cluster, clock):
    """However long the run goes on."""
    look_for(10 * SILENT_SECONDS, cluster, clock, answered=True)


def test_a_head_that_is_silent_for_long_ends_the_run(cluster, clock):
    """Before Ray itself ends the process, which it does after 60 s."""
    look_for(SILENT_SECONDS, cluster, clock, answered=False)
    with pytest.raises(ClusterLostError, match=r"head .* has not answered for 40 s; no trial is"):
        look_for(LOOK_SECONDS, cluster, clock, answered=False)
    assert clock.seconds < 60


def test_a_driver_that_was_stopped_blames_nobody(cluster, clock):
    """Its own sleep is no silence of the head."""
    clock.seconds += 1000
    look_for(SILENT_SECONDS - LOOK_SECONDS, cluster, clock, answered=False)
    look_for(ASK_SECONDS, cluster, clock, answered=True)
    look_for(SILENT_SECONDS, cluster, clock, answered=False)


def test_a_cluster_that_lost_all_its_cpus_is_waited_for(cluster, clock, capsys):
    """Saying so, until nodes come back, or no longer than ten minutes."""
    node, cluster._ray.found = cluster._ray.found, []
    look_for(NO_CPU_SECONDS, cluster, clock, answered=True)
    said = capsys.readouterr().err.splitlines()
    assert set(said) == {"waiting: the Ray cluster has no CPU for 7 batches yet"}
    assert len(said) == 10
    cluster._ray.found = node
    look_for(ASK_SECONDS, cluster, clock, answered=True)
    cluster._ray.found = []
    with pytest.raises(ClusterLostError, match="lost its nodes, and none came in 10 minutes"):
        look_for(NO_CPU_SECONDS + ASK_SECONDS, cluster, clock, answered=True)


def test_nodes_that_leave_are_counted_and_free_cpus_timed(cluster):
    """Together they are the sign that batches hang on a node."""
    cluster._ray.available_resources = lambda: {"CPU": 1.0}
    assert (cluster.lost_nodes, cluster.is_idle) == (0, False)
    for _ in range(round(connections.IDLE_SECONDS / ASK_SECONDS)):
        assert not cluster.is_idle
        cluster.ask()
    assert (cluster.lost_nodes, cluster.is_idle) == (0, True)
    cluster._ray.found, cluster._ray.available_resources = [], dict
    cluster.ask()
    assert (cluster.lost_nodes, cluster.is_idle) == (1, False)
