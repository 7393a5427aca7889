"""The sweep of the fault suite, its command, and its store compared with an undisturbed one."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import monotonic, sleep

import pandas as pd

from core.training import FULLY_CONNECTED
from pipeline.storage.store import Store
from pipeline.storage.verification import verify

TABLES = ("runs", *FULLY_CONNECTED.tables)


ROOT = Path(__file__).parents[2]
NOT_SCIENTIFIC = ["wall_seconds", "batch_id"]
# In seconds, for each process: far more than it takes on a busy machine, so that one which takes
# longer hangs.
LONGEST_RUN = 900

SWEEP = """
name: faults
dataset: digits
examples: 24
depth: [2, 4]
width: 6
activation: [tanh, relu]
init_scale: [0.5, 1, 8, 1.0e+5]
learning_rate: {geomspace: [1.0e-3, 100, 10]}
steps: 12
seed: [0, 1, 2]
"""
TRIALS = 480


_started = []


class HungError(Exception):
    """A process did not come to its end, or as far as it should, within LONGEST_RUN."""


def command(*arguments, **environment):
    """The phasesweep command, started; variables of the environment in small letters."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.driver", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **{name.upper(): value for name, value in environment.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    _started.append(process)
    return process


def kill_commands():
    """Kill all commands that still run."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()


def ended(process):
    """A process' exit code and what it said.

    Raises:
        HungError: It did not end.
    """
    try:
        _, said = process.communicate(timeout=LONGEST_RUN)
    except subprocess.TimeoutExpired as error:
        raise HungError(f"a run had not ended after {LONGEST_RUN} s") from error
    return process.returncode, said


def wait_for(happened, process):
    """Wait until something has happened; False if the process ended before.

    Raises:
        HungError: Neither came.
    """
    limit = monotonic() + LONGEST_RUN
    while not happened():
        if process.poll() is not None:
            return False
        if monotonic() > limit:
            raise HungError(f"a run did not come as far as its fault in {LONGEST_RUN} s")
        sleep(0.005)
    return True


def differences(store, undisturbed):
    """Rows of the undisturbed store that are lost, and rows too many; a changed row is both."""
    lost, doubled = 0, 0
    for table in TABLES:
        expected, found = _row_hashes(undisturbed / table), _row_hashes(store / table)
        lost += (expected - found).total()
        doubled += (found - expected).total()
    return lost, doubled


def _row_hashes(folder):
    frame = pd.read_parquet(folder).drop(columns=NOT_SCIENTIFIC, errors="ignore")
    return Counter(pd.util.hash_pandas_object(frame, index=False).tolist())


def unsound(store):
    """What `verify` finds."""
    return [
        f"verify: {found.file} {found.problem}" for found in verify(Store(store, FULLY_CONNECTED))
    ]
