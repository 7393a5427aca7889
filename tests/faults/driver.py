"""The phasesweep command as the fault suite runs it: slow trainings, a commit after each batch.

    python -m tests.faults.driver run sweep.yaml --store store

In the environment FAULTS_PAUSE has the seconds that a batch takes longer, FAULTS_CULPRIT the
id of a trial that kills its process.
"""

import os
import signal
import time

from pipeline import cli, cuts, sweep

PAUSE = float(os.environ.get("FAULTS_PAUSE", "0.05"))
CULPRIT = os.environ.get("FAULTS_CULPRIT")


def slowed(train):
    """A work that does the same, and takes longer; made here, it travels to Ray by value."""
    pause, culprit = PAUSE, CULPRIT

    def work(batch):
        time.sleep(pause)
        if culprit in batch.trials.ids():
            os.kill(os.getpid(), signal.SIGKILL)
        return train(batch)

    return work


if __name__ == "__main__":
    cuts.BATCH_SECONDS = 0.005
    sweep.COMMIT_SECONDS = 0.0
    train_batch = sweep.TrainBatch
    sweep.TrainBatch = lambda *made: slowed(train_batch(*made))
    cli.main()
