"""What all injections share: the undisturbed store, a Ray cluster, folders, random moments."""

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from time import monotonic, sleep

from ray.cluster_utils import Cluster

from tests.faults.readers import Reader
from tests.faults.stores import SWEEP, command, differences, ended, unsound, wait_for
from tests.sweeps import TRACED

# The least that Ray takes for its object store, in bytes: one node's can be filled.
SMALL_STORE = {"object_store_memory": 80 << 20}


class SkippedError(Exception):
    """The fault cannot be injected here; the message says why."""


class MissedError(Exception):
    """The run was over before its fault: nothing was injected."""


@dataclass
class Injected:
    """What one injection came to; all but `readings` should be nothing.

    Attributes:
        lost, doubled: Rows of all tables, against the undisturbed store.
        hung: What took longer than its limit.
        disturbed: What readers saw that they should not.
        other: Wrong exit codes and messages, and what `verify` finds.
        readings: How often the store was read meanwhile.
        vanished: Readings that met a file no more that they had listed, as a reader must expect
            that reads while a store is compacted.
    """

    lost: int = 0
    doubled: int = 0
    hung: list[str] = field(default_factory=list)
    disturbed: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    readings: int = 0
    vanished: list[str] = field(default_factory=list)

    def expect(self, process, code, *told):
        """The process ends with the exit code, and its messages hold what is to be told."""
        self.expect_of(*ended(process), code, *told)

    def expect_of(self, found, said, code, *told):
        """Likewise, of a process that has ended with an exit code and messages."""
        if found != code or "Traceback" in said or not all(text in said for text in told):
            self.other.append(f"exit code {found}, expected {code} and {told}: {said}")

    def expect_in_time(self, began, seconds):
        """What began then, on the monotonic clock, has ended within so many seconds."""
        took = monotonic() - began
        if took > seconds:
            self.hung.append(f"ended after {took:.0f} s instead of {seconds}")


class Suite:
    """The sweep of the suite and what is injected into it, in a folder of its own."""

    def __init__(self, scratch: Path, sweep: str = SWEEP):
        """Write the sweep of the suite.

        Args:
            scratch: An empty folder.
            sweep: The text of the sweep file.
        """
        self.scratch = scratch
        self.random = random.Random(20260101)
        self.sweep = scratch / "sweep.yaml"
        self.sweep.write_text(sweep)
        self._folders = 0
        self._clusters = []
        self._seconds = {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for cluster in self._clusters:
            cluster.shutdown()

    @cached_property
    def undisturbed(self):
        """The store of a run that nothing disturbed."""
        return self._timed_run("serial")

    @cached_property
    def traced(self):
        """A suite like this one of a traced sweep; it trains in one process."""
        scratch = self.scratch / "traced"
        scratch.mkdir()
        return Suite(scratch, TRACED)

    @cached_property
    def cluster(self):
        """Two nodes of a CPU each on this machine; the second one may be lost."""
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **SMALL_STORE})
        self._clusters.append(cluster)
        cluster.add_node(num_cpus=1, **SMALL_STORE)
        return cluster

    def replace_cluster(self):
        """End the cluster, if there is one; the next run has a new one."""
        if "cluster" not in self.__dict__:
            return
        self.cluster.shutdown()
        self._clusters.remove(self.cluster)
        del self.cluster

    def folder(self):
        """A new folder's path."""
        self._folders += 1
        return self.scratch / f"store-{self._folders}"

    def run(self, store, executor, **environment):
        """The sweep into a store, as a process; on `ray` in the suite's cluster.

        On `own ray` in one of the run's own, on this machine.
        """
        where = ("--address", self.cluster.address) if executor == "ray" else ()
        arguments = ("run", self.sweep, "--store", store, "--executor", executor.split()[-1])
        return command(*arguments, *where, **environment)

    def seconds(self, executor):
        """How long a run takes from its beginning to its end; Ray's start comes before."""
        if executor not in self._seconds:
            self._timed_run(executor)
        return self._seconds[executor]

    def _timed_run(self, executor):
        store = self.folder()
        process = self.run(store, executor)
        wait_for(partial(_has_begun, store, executor), process)
        began = monotonic()
        code, said = ended(process)
        assert code == 0, said
        self._seconds[executor] = monotonic() - began
        return store

    def at_random(self, store, executor, act, **environment):
        """A run, and an act on its process at a random moment of its life.

        Returns:
            The process after the act.

        Raises:
            MissedError: The run was over before that moment.
        """
        moment = self.random.uniform(0, self.seconds(executor))
        process = self.run(store, executor, **environment)
        begun = wait_for(partial(_has_begun, store, executor), process)
        sleep(moment)
        if not begun or process.poll() is not None or act(process) is False:
            ended(process)
            raise MissedError
        return process

    @contextmanager
    def judged(self, store):
        """Read a store during the block, then hold it against the undisturbed one."""
        injected = Injected()
        with Reader(store) as reader:
            yield injected
        self.compare(store, injected)
        injected.disturbed += reader.disturbed
        injected.readings, injected.vanished = reader.readings, reader.vanished

    def compare(self, store, injected):
        """Hold a store against the undisturbed one."""
        injected.lost, injected.doubled = differences(store, self.undisturbed)
        injected.other += unsound(store)


def _has_begun(store, executor):
    """Whether the store is made; on Ray, whose workers take seconds to start, has rows."""
    begun = store / "runs" if executor == "ray" else store
    return begun.is_dir() and any(begun.iterdir())
