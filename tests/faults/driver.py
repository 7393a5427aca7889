"""The phasesweep command as the fault suite runs it: slow trainings, a commit after each batch.

    python -m tests.faults.driver run sweep.yaml --store store

In the environment FAULTS_PAUSE has the seconds that a batch takes longer, FAULTS_CULPRIT the
id of a trial that kills its process, FAULTS_GREEDY that of one that fills the memory which a
local Ray may use, unless it is alone and FAULTS_SATISFIED is set, and FAULTS_LEASE the seconds
of a lease in an object store.
"""

import os
import signal
import time

import psutil

from pipeline import cli, cuts, sweep
from pipeline.storage import locks

PAUSE = float(os.environ.get("FAULTS_PAUSE", "0.05"))
CULPRIT, GREEDY = os.environ.get("FAULTS_CULPRIT"), os.environ.get("FAULTS_GREEDY")
SATISFIED = "FAULTS_SATISFIED" in os.environ
# What a local Ray may use beyond what is used now, and what the greedy trial takes, in bytes.
ROOM, TAKEN = 2 << 30, 4 << 30


def slowed(train):
    """A work that does the same, and takes longer; made here, it travels to Ray by value."""
    pause, culprit, greedy, satisfied = PAUSE, CULPRIT, GREEDY, SATISFIED
    taken = TAKEN

    def work(batch):
        time.sleep(pause)
        if culprit in batch.trials.ids():
            os.kill(os.getpid(), signal.SIGKILL)
        if greedy in batch.trials.ids() and not (satisfied and len(batch) == 1):
            memory = bytearray(taken)
            memory[:: 1 << 10] = bytes(len(memory[:: 1 << 10]))
            time.sleep(10)
        return train(batch)

    return work


def limit_memory():
    """Let the memory monitor of a local Ray kill workers as soon as ROOM is used up."""
    memory = psutil.virtual_memory()
    threshold = (memory.total - memory.available + ROOM) / memory.total
    os.environ.update({"RAY_memory_usage_threshold": f"{threshold:.3f}"})


if __name__ == "__main__":
    cuts.BATCH_SECONDS = 0.005
    sweep.COMMIT_SECONDS = 0.0
    train_batch = sweep.TrainBatch
    sweep.TrainBatch = lambda *made: slowed(train_batch(*made))
    locks.LEASE_SECONDS = float(os.environ.get("FAULTS_LEASE", "60"))
    locks.RENEWAL_SECONDS = locks.LEASE_SECONDS / 6
    if GREEDY:
        limit_memory()
    cli.main()
