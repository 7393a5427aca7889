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


def command(*arguments, **environment):
    """The phasesweep command, started; variables of the environment in small letters."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.driver", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **{name.upper(): value for name, value in environment.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    """A process' exit code and what it said."""
    _, said = process.communicate(timeout=300)
    return process.returncode, said


def wait_for(happened, process):
    """Wait until something has happened; False if the process ended before."""
    limit = monotonic() + 120
    while not happened():
        if process.poll() is not None:
            return False
        if monotonic() > limit:
            raise TimeoutError("the driver did not come so far in two minutes")
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
