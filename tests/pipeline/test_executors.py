"""The executors: the same rows from both, whatever fails, and never more than a few ahead."""

import os
import socket
import threading
from contextlib import ExitStack, suppress

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from core.datasets import DATASETS
from core.training import FULLY_CONNECTED
from pipeline import executors, provenance
from pipeline.batches import batches
from pipeline.clusters import attempts, connections, skew
from pipeline.clusters.connections import Cluster, ClusterError
from pipeline.clusters.skew import Skew, SkewError
from pipeline.executors import TASKS_PER_CPU, Failure, run_on_ray, run_serially

from .s3 import free_port


@pytest.fixture(params=[run_serially, run_on_ray])
def execute(request):
    """Each executor, Ray on the session's two CPUs."""
    if request.param is run_on_ray:
        request.getfixturevalue("local_ray")
    return request.param


@pytest.fixture
def todo(grid_of, monkeypatch):
    """Ten batches of four trials."""
    monkeypatch.setattr("pipeline.cuts.MOST_TRIALS", 4)
    grid = grid_of(depth=(2, 4), seed=tuple(range(20)))
    return list(batches(grid, FULLY_CONNECTED, DATASETS, np.empty(0, np.int64)))


@pytest.fixture
def cells():
    """Work that names the cells of its batch; made here, it travels to Ray by value."""
    return lambda batch: [(trial.depth, trial.seed) for trial in batch.trials]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """On a busy machine, too, something ends before the executor says that nothing has."""
    monkeypatch.setattr(executors, "WAIT_SECONDS", 60.0)


def flat(results):
    return sorted(cell for result in results for cell in result)


ALL = [(depth, seed) for depth in (2, 4) for seed in range(20)]


def test_every_batch_is_worked_on_once(execute, todo, cells):
    """In whatever order."""
    results = list(execute(cells, todo))
    assert len(results) == 10
    assert flat(results) == ALL


def test_no_batches_are_no_results(execute, cells):
    """A finished sweep starts no task."""
    assert list(execute(cells, [])) == []


def test_the_culprit_of_a_failing_batch_is_found_and_all_others_are_trained(execute, todo, cells):
    """Its reason is the error in a line."""

    def work(batch):
        if (4, 6) in cells(batch):
            raise ValueError("planted\nerror")
        return cells(batch)

    results = list(execute(work, todo))
    (failure,) = [result for result in results if isinstance(result, Failure)]
    assert (failure.trial.depth, failure.trial.seed) == (4, 6)
    assert failure.reason == "ValueError: planted error"
    assert flat(r for r in results if r is not failure) == [cell for cell in ALL if cell != (4, 6)]


def test_a_trial_that_kills_its_worker_is_found_too(local_ray, todo, monkeypatch, cells):
    """As when memory runs out: Ray's reason is said, and the others are trained."""
    monkeypatch.setattr(attempts, "MOST_DEATHS", 1)

    def work(batch):
        if (2, 1) in cells(batch):
            os._exit(1)
        return cells(batch)

    results = list(run_on_ray(work, todo[:2]))
    (failure,) = [result for result in results if isinstance(result, Failure)]
    assert failure.trial.seed == 1
    assert failure.reason.startswith("WorkerCrashedError: ")
    assert flat(r for r in results if r is not failure) == [(2, s) for s in range(8) if s != 1]


def test_a_batch_that_memory_has_no_room_for_is_split(local_ray, todo, cells, monkeypatch, capsys):
    """As Ray's memory monitor has it; a trial that is killed even alone is the culprit."""
    import ray

    get, told = ray.get, "1 worker(s) were killed, memory was 9GB used / 8GB limit\nstatistics"

    def without_memory(reference):
        rows = get(reference)
        if len(rows) > 2 or (2, 1) in rows:
            raise ray.exceptions.OutOfMemoryError(told)
        return rows

    monkeypatch.setattr(ray, "get", without_memory)
    results = list(run_on_ray(cells, todo[:2]))
    (failure,) = [result for result in results if isinstance(result, Failure)]
    assert failure.trial.seed == 1
    assert failure.reason == (
        "killed 3 times because memory ran out, at last: "
        "1 worker(s) were killed, memory was 9GB used / 8GB limit"
    )
    assert flat(r for r in results if r is not failure) == [(2, s) for s in range(8) if s != 1]
    assert capsys.readouterr().err.count("memory ran out on a node") == 1


def test_a_task_whose_worker_died_is_tried_again(local_ray, todo, tmp_path, cells):
    """A node that went away was not the trial's fault: nothing is doubled, nothing missing."""
    marker = str(tmp_path / "died once")

    def work(batch):
        if not os.path.exists(marker):
            open(marker, "x").close()
            os._exit(1)
        return cells(batch)

    assert list(run_on_ray(work, todo[:1])) == [cells(todo[0])]


def test_batches_are_taken_as_tasks_finish(execute, todo, cells):
    """So memory does not grow with the sweep: none ahead here, three a CPU on Ray."""
    ahead = 1 if execute is run_serially else 2 * TASKS_PER_CPU
    taken = []

    def one_by_one():
        for batch in todo:
            taken.append(batch)
            yield batch

    results = execute(cells, one_by_one())
    assert taken == []
    for number, _ in enumerate(results):
        assert len(taken) <= number + ahead
    assert len(taken) == 10


def test_a_cluster_with_few_cpus_is_asked_for_more(local_ray, todo, cells):
    """The tasks that wait are what an autoscaler adds nodes for: all ten, not three a CPU."""
    taken = []

    def one_by_one():
        for batch in todo:
            taken.append(batch)
            yield batch

    results = run_on_ray(cells, one_by_one(), address="auto")
    next(results)
    assert len(taken) == len(todo) > 2 * TASKS_PER_CPU
    assert len(list(results)) == len(todo) - 1


def test_what_ray_says_slowly_is_asked_seldom(local_ray, todo, cells, monkeypatch):
    """It looks at each task in flight: the more there are, the more are waited for at once."""
    import ray

    wait, waits = ray.wait, []

    def counted(references, **options):
        waits.append(len(references))
        return wait(references, **options)

    monkeypatch.setattr(ray, "wait", counted)
    monkeypatch.setattr(executors, "TASKS_PER_CPU", len(todo))
    monkeypatch.setattr(executors, "SHARE_AT_ONCE", 0.5)
    assert flat(run_on_ray(cells, todo)) == ALL
    assert len(waits) <= len(todo) / 2


def test_a_cluster_may_shrink(local_ray, todo, monkeypatch, cells):
    """Even to nothing for a while."""
    sizes = iter([2, 2, 1])
    monkeypatch.setattr(Cluster, "cpus", property(lambda cluster: next(sizes, 0)))
    assert flat(run_on_ray(cells, todo)) == ALL


def test_a_run_that_is_given_up_leaves_the_cluster_running(local_ray, todo, cells):
    """It was not started here; its tasks are called off."""
    import ray

    results = run_on_ray(cells, todo)
    next(results)
    results.close()
    assert ray.is_initialized()
    assert flat(run_on_ray(cells, todo)) == ALL


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Could not find any running Ray instance.\nPlease specify"),
        ValueError("Invalid address format: nowhere"),
        RuntimeError("Failed to connect to GCS"),
    ],
)
def test_a_cluster_that_is_not_there_is_reported(monkeypatch, error, cells):
    """With the address, Ray's reason in a line, and what to do."""
    import ray

    def no_cluster(**options):
        raise error

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", no_cluster)
    monkeypatch.setattr(connections, "_require_an_answer", lambda *of: None)
    said = rf"^cannot join the Ray cluster at 'nowhere': {str(error)[:20]}.*leave out --address$"
    with pytest.raises(ClusterError, match=said):
        list(run_on_ray(cells, [], address="nowhere"))


@pytest.mark.parametrize(
    "address", ["127.0.0.1:{port}", "localhost:{port}", "ray://127.0.0.1:{port}"]
)
def test_an_address_where_nothing_listens_is_reported_before_ray_tries_it(
    monkeypatch, cells, address
):
    """Ray itself would try for two minutes."""
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was asked"))
    dead = address.format(port=free_port())
    with pytest.raises(ClusterError, match=rf"^cannot join .*'{dead}': .*refused; give the addr"):
        list(run_on_ray(cells, [], address=dead))


def test_a_head_that_accepts_but_does_not_answer_is_reported(monkeypatch, cells):
    """As one that hangs, whose system still takes connections."""
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was asked"))
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.05)
    with socket.create_server(("", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(
            ClusterError,
            match=rf"^cannot join .*'{address}': it accepts conn.* not answer as a head does;",
        ):
            list(run_on_ray(cells, [], address=address))


@pytest.fixture
def greeted(monkeypatch):
    """Stands for a server that greets, and says no more; yields its address by the greeting."""
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: pytest.fail("Ray was asked"))
    monkeypatch.setattr(connections, "ANSWER_SECONDS", 0.5)
    with ExitStack() as sockets:

        def address(greeting):
            server = sockets.enter_context(socket.create_server(("", 0)))
            sockets.callback(server.shutdown, socket.SHUT_RDWR)
            threading.Thread(target=_greet, args=(server, greeting, sockets), daemon=True).start()
            return f"127.0.0.1:{server.getsockname()[1]}"

        yield address


def _greet(server, greeting, clients):
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            clients.enter_context(client)
            client.sendall(greeting)


HTTP_2 = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", HTTP_2])
def test_a_server_that_is_no_head_is_reported(greeted, cells, answer):
    """Be it one of HTTP/1 or of HTTP/2, which gRPC speaks too."""
    address = greeted(answer)
    with pytest.raises(ClusterError, match=rf"'{address}': it .* not answer as a head does;"):
        list(run_on_ray(cells, [], address=address))


def test_a_head_that_wants_another_token_is_reported(greeted, cells, monkeypatch):
    """With where a token is given; that the head answers is no news."""
    import ray

    def refused(address):
        raise ray.exceptions.AuthenticationError("RPC error: InvalidAuthToken")

    monkeypatch.setattr(ray._raylet, "GcsClient", refused)
    address = greeted(HTTP_2)
    with pytest.raises(ClusterError, match=rf"'{address}' refused .* RAY_AUTH_TOKEN or ~/"):
        list(run_on_ray(cells, [], address=address))


def with_other_versions(monkeypatch, **changes):
    """Let this process, the driver, have other versions than its workers."""
    ours = {**provenance.software(), **changes}
    for module in (executors, skew):
        monkeypatch.setattr(module, "software", lambda: ours)
    return ours


def test_a_cluster_with_the_drivers_versions_trains(local_ray, todo, cells):
    """Every node is asked, and every task looks again."""
    assert flat(run_on_ray(cells, todo, address="auto")) == ALL


def test_skew_is_refused_before_anything_is_trained(local_ray, todo, cells, monkeypatch):
    """Both sides are named, and what to do; no batch was taken."""
    with_other_versions(monkeypatch, NumPy="1.0", BLAS="mkl 7")
    theirs = provenance.software()
    taken = iter(todo)
    with pytest.raises(SkewError, match=r"--accept-skew; what has been trained stays") as refused:
        list(run_on_ray(cells, taken, address="auto"))
    assert f" has NumPy {theirs['NumPy']}, this driver 1.0; " in str(refused.value)
    assert f" has BLAS {theirs['BLAS']}, this driver mkl 7; " in str(refused.value)
    assert list(taken) == list(todo)


def test_skew_that_is_accepted_is_told_to_the_caller(local_ray, todo, cells, monkeypatch):
    """With the node; then all is trained."""
    import ray

    with_other_versions(monkeypatch, Numba="0.1")
    told = []
    assert flat(run_on_ray(cells, todo, address="auto", accept_skew=told.extend)) == ALL
    address = ray.nodes()[0]["NodeManagerAddress"]
    assert told == [Skew("Numba", "0.1", provenance.software()["Numba"], (address,))]


def test_other_sources_of_one_version_are_skew(monkeypatch, tmp_path):
    """An edited checkout on some nodes has the version of the others."""
    ours = provenance.software.__wrapped__()["phasesweep"]
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "edited.py").write_text("edited = True")
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "pipeline" / "provenance.py"))
    theirs = provenance.software.__wrapped__()["phasesweep"]
    assert theirs.partition(" ")[0] == ours.partition(" ")[0]
    (found,) = skew.skews({"phasesweep": ours}, {"10.0.0.2": {"phasesweep": theirs}})
    assert found.in_words == f"10.0.0.2 has phasesweep {theirs}, this driver {ours}"


def test_a_node_that_comes_later_with_other_versions_is_refused(
    local_ray, todo, cells, monkeypatch
):
    """By its first task: it is no failure of a trial, and adds no row."""
    with_other_versions(monkeypatch, SciPy="0.1")
    monkeypatch.setattr(skew, "_software_of_nodes", lambda ray, asked: {})
    with pytest.raises(SkewError, match=r"has SciPy .*, this driver 0\.1"):
        list(run_on_ray(cells, todo, address="auto"))


def test_a_node_that_joins_is_asked_once(local_ray, todo, cells, monkeypatch, capsys):
    """Under --accept-skew, too, where tasks do not compare: its versions are reported once."""
    import ray

    with_other_versions(monkeypatch, Numba="0.1")
    there, told = ray.nodes(), []
    sizes, nodes = iter([0, 0, 2]), iter([[], []])
    monkeypatch.setattr(Cluster, "cpus", property(lambda cluster: next(sizes, 3)))
    monkeypatch.setattr(ray, "nodes", lambda: next(nodes, there))
    assert flat(run_on_ray(cells, todo, address="auto", accept_skew=told.extend)) == ALL
    assert [found.software for found in told] == ["Numba"]
    assert "Ray now trains on 2 CPUs\nRay now trains on 3 CPUs\n" in capsys.readouterr().err


def test_a_cluster_without_cpus_is_waited_for_and_said(local_ray, todo, cells, monkeypatch, capsys):
    """Once in a while, not at every look; then all is trained."""
    import ray

    looks, wait = [], ray.wait

    def nothing_ends(references, **options):
        looks.append(1)
        return wait(references, **options) if len(looks) > 3 else ([], references)

    monkeypatch.setattr(ray, "wait", nothing_ends)
    monkeypatch.setattr(Cluster, "cpus", property(lambda cluster: 2 * (len(looks) > 3)))
    monkeypatch.setattr(connections, "FIRST_WORD_SECONDS", 0.0)
    assert flat(filter(None, run_on_ray(cells, todo))) == ALL
    assert capsys.readouterr().err == "waiting: the Ray cluster has no CPU for 3 batches yet\n"


def test_a_task_has_one_thread_for_linear_algebra(todo):
    """CPUs are shared by tasks; the caller's threads are as before."""

    def threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    with threadpool_limits(2, user_api="blas"):
        assert threads() == {2}
        assert list(run_serially(lambda batch: threads(), todo[:1])) == [{1}]
        assert threads() == {2}
