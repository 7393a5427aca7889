"""The faults: each injected once into a sweep that must then end as if undisturbed.

Every function takes the suite and the number of the injection.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic, sleep

import psutil

from core.settings import trial_id
from core.training import FULLY_CONNECTED
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import load_sweep
from tests.faults.autoscaling import MOST_WORKERS, autoscaled
from tests.faults.buckets import bucket
from tests.faults.separation import separated
from tests.faults.stores import ROOT, TRIALS, command, ended, wait_for
from tests.faults.suite import SMALL_STORE, Injected, MissedError, SkippedError

# Within so many seconds a run has ended whose cluster is gone; and one whose node is silent.
LONGEST_END, LONGEST_WAIT = 60, 180
# For how long a node is silent that comes back, and for how long its link is down: so long that Ray
# gives it up, or not. In seconds.
CUT_OFF, LINK_DOWN = 20, (60, 20)
# Arrow itself repeats a request a few times before the store's files hear of it.
THROTTLED_REQUESTS = 40


def driver_killed(suite, executor):
    """SIGKILL at any moment; the next run goes on."""
    store = suite.folder()
    with suite.judged(store) as injected:
        suite.at_random(store, executor, _kill)
        injected.expect(suite.run(store, "serial"), 0)
    return injected


def _kill(process):
    process.kill()
    process.communicate()


def driver_killed_serial(suite, number):
    """Half of the kills: all in one process."""
    return driver_killed(suite, "serial")


def driver_killed_on_ray(suite, number):
    """The other half: its tasks outlive the driver for a while."""
    return driver_killed(suite, "ray")


def tracing_driver_killed(suite, number):
    """In the middle of a round: the next run trains what this one would have, level and reason."""
    return driver_killed(suite.traced, "serial")


def interrupted(suite, number):
    """Ctrl-C: exit code 130, and the next run goes on; 0 where the run had just finished."""
    executor = ("serial", "ray")[number % 2]
    store = suite.folder()
    with suite.judged(store) as injected:
        process = suite.at_random(store, executor, lambda p: p.send_signal(signal.SIGINT))
        code, said = ended(process)
        if "trainings/s, in" in said:  # its last words
            injected.expect_of(code, said, 0)
        else:
            injected.expect_of(code, said, 130, "run again to resume")
        injected.expect(suite.run(store, "serial"), 0)
    return injected


def worker_killed(suite, number):
    """SIGKILL of a process that trains: the same run goes on to its end."""
    store = suite.folder()
    with suite.judged(store) as injected:
        process = suite.at_random(store, "ray", partial(_kill_a_worker, suite))
        injected.expect(process, 0)
    return injected


def _kill_a_worker(suite, process):
    """Kill one of the workers of the suite's nodes as soon as one is at work."""
    at_work = []
    if not wait_for(lambda: at_work.extend(_workers(suite.cluster)) or at_work, process):
        return False
    try:
        suite.random.choice(at_work).kill()
    except psutil.NoSuchProcess:  # the run is over
        return False
    return True


def _workers(cluster):
    """The processes that train."""
    nodes = cluster.list_all_nodes()
    raylets = [node.all_processes["raylet"][0].process.pid for node in nodes]
    children = [child for raylet in raylets for child in psutil.Process(raylet).children()]
    return [child for child in children if "_with_one_thread" in _title(child)]


def _title(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # ended meanwhile
        return ""


def node_lost(suite, number):
    """A node with its workers, gone without a word: the same run goes on to its end."""
    store = suite.folder()
    with suite.judged(store) as injected:
        process = suite.at_random(store, "ray", lambda process: _lose_a_node(suite))
        injected.expect(process, 0)
    suite.cluster.add_node(num_cpus=1, **SMALL_STORE)
    return injected


def _lose_a_node(suite):
    suite.cluster.remove_node(suite.cluster.list_all_nodes()[-1], allow_graceful=False)


def node_cut_off(suite, number):
    """A node that is silent for some seconds, or until Ray gave it up: the run goes on in time."""
    store = suite.folder()
    with suite.judged(store) as injected:
        cut = []
        process = suite.at_random(store, "ray", lambda process: cut.extend(_silence(suite)))
        began = monotonic()
        try:
            if number % 2:
                sleep(CUT_OFF)
                _let_speak(cut)
            injected.expect(process, 0)
        finally:
            _let_speak(cut)
        injected.expect_in_time(began, LONGEST_WAIT)
    suite.replace_cluster()
    return injected


def _silence(suite):
    """Stop all processes of the last node; returns them."""
    raylet = suite.cluster.list_all_nodes()[-1].all_processes["raylet"][0].process.pid
    silenced = [psutil.Process(raylet), *psutil.Process(raylet).children(recursive=True)]
    for process in silenced:
        process.suspend()
    return silenced


def _let_speak(processes):
    for process in processes:
        with suppress(psutil.Error):
            process.resume()


def link_down(suite, number):
    """A node cannot be reached for a minute, or for a while, and then again: the run goes on."""
    store = suite.folder()
    with separated(suite.scratch) as cluster, suite.judged(store) as injected:
        process = _run_at(cluster.address, suite, store, faults_pause="0.3")
        wait_for(lambda: any(store.glob("runs/*")), process)
        sleep(suite.random.uniform(0, 5))
        if process.poll() is not None:
            raise MissedError
        began = monotonic()
        cluster.cut_off()
        sleep(LINK_DOWN[number % 2])
        cluster.let_back()
        injected.expect(process, 0)
        injected.expect_in_time(began, LONGEST_WAIT)
    return injected


def _run_at(address, suite, store, **environment):
    """A run of the suite's sweep on the Ray at an address."""
    ray = ("--executor", "ray", "--address", address)
    return command("run", suite.sweep, "--store", store, *ray, **environment)


def object_store_full(suite, number):
    """Another program fills the cluster's object store: the run goes on to its end."""
    store = suite.folder()
    with suite.judged(store) as injected:
        command = [sys.executable, "-m", "tests.faults.hog", suite.cluster.address]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as hog:
            try:
                if hog.stdout.readline() != "full\n":
                    injected.other.append("the object store was not filled")
                injected.expect(suite.run(store, "ray"), 0)
            finally:
                hog.kill()
    return injected


def head_lost(suite, number):
    """The cluster's head dies or hangs: a clear end in time, and the next run goes on."""
    store = suite.folder()
    with suite.judged(store) as injected:
        act, pause = partial(_lose_the_head, suite, number), "6"
        process = suite.at_random(store, "ray", act, faults_pause=pause)
        began = monotonic()
        code, said = ended(process)
        injected.expect_of(code, said, 1, "no trial is to blame", "run again to resume")
        injected.expect_in_time(began, LONGEST_END)
        if "rpc_client" in said:
            injected.other.append(f"Ray's own words: {said}")
        suite.replace_cluster()
        injected.expect(suite.run(store, "ray"), 0)
    return injected


def _lose_the_head(suite, number, process):
    """The control service dies, or the whole node, or it stops to answer."""
    head = suite.cluster.head_node.all_processes
    names, signalled = (
        (["gcs_server"], signal.SIGKILL),
        (["gcs_server", "raylet"], signal.SIGKILL),
        (["gcs_server"], signal.SIGSTOP),
    )[number % 3]
    for name in names:
        for found in head[name]:
            os.kill(found.process.pid, signalled)


def trial_kills_its_worker(suite, number):
    """All others are trained, the culprit is recorded and named, and trained by the next run."""
    culprit = _any_trial(suite)
    store = suite.folder()
    with suite.judged(store) as injected:
        injected.expect(suite.run(store, "ray", faults_culprit=culprit), 1, culprit, "run again")
        _expect_all_but(culprit, store, injected)
        injected.expect(suite.run(store, "serial"), 0)
    return injected


def _any_trial(suite):
    grid = load_sweep(str(suite.sweep)).grid
    return trial_id(grid[suite.random.randrange(grid.size)])


def _expect_all_but(culprit, store, injected, reason=""):
    """The store has the rows of all trials but one, and records that one as failed."""
    made = Store(store, FULLY_CONNECTED)
    failures = made.manifest["failures"]
    if [failure["trial_id"] for failure in failures if reason in failure["reason"]] != [culprit]:
        injected.other.append(f"recorded {failures}, expected {culprit}")
    finished = sum(len(rows) for rows in made.batches("runs", ["trial_id"]))
    if finished != TRIALS - 1:
        injected.other.append(f"{finished} of {TRIALS - 1} other trials were trained")


def memory_runs_out(suite, number):
    """Ray kills a batch for want of memory until it is split; then its trial too, or not."""
    greedy, told = _any_trial(suite), "memory ran out on a node"
    store = suite.folder()
    with suite.judged(store) as injected:
        if number % 2:
            run = suite.run(store, "own ray", faults_greedy=greedy, faults_satisfied="")
            injected.expect(run, 0, told)
        else:
            run = suite.run(store, "own ray", faults_greedy=greedy)
            injected.expect(run, 1, told, greedy, "run again")
            _expect_all_but(greedy, store, injected, "because memory ran out")
            injected.expect(suite.run(store, "serial"), 0)
    return injected


def disk_full(suite, number):
    """A file system that holds part of the store: exit code 1; with more room, a run goes on."""
    size = sum(f.stat().st_size + 4096 for f in suite.undisturbed.rglob("*") if f.is_file())
    kilobytes = round(size * (0.05, 0.4, 0.8)[number % 3] / 1024) + 64
    store = suite.folder()
    with _file_system(store, f"size={kilobytes}k"), suite.judged(store / "store") as injected:
        told = ("No space left on device", "run again to resume")
        injected.expect(suite.run(store / "store", "serial"), 1, *told)
        _mount(store, "remount,size=64m")
        injected.expect(suite.run(store / "store", "serial"), 0)
    return injected


def read_only(suite, number):
    """A store that cannot be written: exit code 2 naming it, and readers go on."""
    folder = suite.folder()
    store = folder / "store"
    with _file_system(folder, "size=64m"), suite.judged(store) as injected:
        suite.at_random(store, "serial", _kill)
        _mount(folder, "remount,ro")
        told = (str(store), "choose another --store")
        injected.expect(suite.run(store, "serial"), 2, *told)
        _mount(folder, "remount,rw")
        injected.expect(suite.run(store, "serial"), 0)
    return injected


def bucket_throttled(suite, number):
    """S3 asks to slow down in the middle of a run, again and again: it ends as if undisturbed."""
    injected, store = Injected(), suite.folder()
    with bucket() as found:
        process = suite.run(found.url(store.name), "serial", **found.environment)
        wait_for(lambda: found.parts(store.name), process)
        found.wire.slowed = THROTTLED_REQUESTS
        injected.expect(process, 0)
        if found.wire.slow_answers < THROTTLED_REQUESTS:
            injected.other.append(f"only {found.wire.slow_answers} requests were slowed down")
        found.copy(store.name, store)
    suite.compare(store, injected)
    return injected


def driver_stopped(suite, number):
    """SIGSTOP for longer than its lease, in which another driver takes the store over, or not."""
    injected, store = Injected(), suite.folder()
    with bucket() as found:
        run = partial(suite.run, found.url(store.name), "serial", faults_lease="3")
        first = run(faults_pause="0.3", **found.environment)
        wait_for(lambda: found.parts(store.name), first)
        first.send_signal(signal.SIGSTOP)
        sleep(5)
        if number % 2:
            injected.expect(run(**found.environment), 0)
        first.send_signal(signal.SIGCONT)
        injected.expect(first, *((1, "run again to resume") if number % 2 else (0,)))
        found.copy(store.name, store)
    suite.compare(store, injected)
    return injected


@contextmanager
def _file_system(folder, options):
    folder.mkdir()
    if os.geteuid() != 0:
        raise SkippedError("only root may mount a small file system")
    _mount(folder, options)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(folder, options):
    mounting = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        raise SkippedError("this system mounts no tmpfs")


def compaction_killed(suite, number):
    """SIGKILL during `compact`; the next one merges what is left."""
    store = suite.folder()
    with suite.judged(store) as injected:
        injected.expect(suite.run(store, "serial"), 0)
        process = command("compact", store)
        wait_for(lambda: any((store / "staging").iterdir()), process)
        sleep(suite.random.uniform(0, 0.3))
        _kill(process)
        injected.expect(command("compact", store), 0)
    return injected


def two_drivers(suite, number):
    """The second is told who holds the store, and the first goes on."""
    store = suite.folder()
    with suite.judged(store) as injected:
        first = suite.at_random(store, "serial", lambda process: None, faults_pause="0.6")
        holder = f"process {first.pid} on {socket.gethostname()}"
        injected.expect(suite.run(store, "serial"), 2, holder)
        if first.poll() is not None:
            injected.other.append("the first had ended before")
        injected.expect(first, 0)
    return injected


def no_workers_at_first(suite, number):
    """An autoscaler starts workers for the tasks that wait, and ends them after the run."""
    store = suite.folder()
    with autoscaled(suite.scratch) as cluster, suite.judged(store) as injected:
        if cluster.cpus:
            injected.other.append(f"{cluster.cpus} CPUs before the run")
        process = _run_at(cluster.address, suite, store, faults_pause="1")
        if not wait_for(lambda: cluster.cpus >= MOST_WORKERS, process):
            injected.other.append(f"{cluster.cpus} CPUs at the end of the run")
        injected.expect(process, 0)
        if not cluster.shrinks_within(120):
            injected.other.append(f"{cluster.cpus} CPUs two minutes after the run")
    return injected


FAULTS = {
    "driver killed (serial)": (driver_killed_serial, 10),
    "driver killed (Ray)": (driver_killed_on_ray, 10),
    "tracing driver killed": (tracing_driver_killed, 5),
    "driver interrupted": (interrupted, 5),
    "Ray worker killed": (worker_killed, 10),
    "Ray node lost": (node_lost, 5),
    "Ray head lost": (head_lost, 3),
    "Ray node cut off": (node_cut_off, 2),
    "Ray node's link down": (link_down, 2),
    "object store full": (object_store_full, 1),
    "trial kills its worker": (trial_kills_its_worker, 3),
    "memory runs out": (memory_runs_out, 2),
    "disk full": (disk_full, 3),
    "bucket throttled": (bucket_throttled, 2),
    "driver stopped": (driver_stopped, 2),
    "compaction killed": (compaction_killed, 5),
    "no workers at first": (no_workers_at_first, 1),
    "two drivers at once": (two_drivers, 3),
    "read-only store": (read_only, 1),
}
