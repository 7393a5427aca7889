"""The phasesweep command as processes: interrupted, resumed, on a Ray of its own."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.schemas import SCHEMAS
from pipeline.store import Store

# The command, which waits for a signal in the midst of the third batch that it trains.
PAUSED_IN_TRAINING = """
import signal
from pipeline import batches, sweep
from pipeline.cli import main

batches.BATCH_SECONDS = 0.02
train, begun = sweep.TrainBatch.__call__, []

def pausing(self, batch):
    begun.append(batch)
    if len(begun) == 3:
        print("paused", flush=True)
        signal.pause()
    return train(self, batch)

sweep.TrainBatch.__call__ = pausing
main()
"""

# The command, which waits for a signal when it is told of the first batch that was trained.
PAUSED_IN_THE_DRIVER = """
import signal
from contextlib import contextmanager
from pipeline import batches, cli

batches.BATCH_SECONDS = 0.02
progress = cli.progress

@contextmanager
def pausing(*counts):
    with progress(*counts) as watch:
        def told(found):
            watch(found)
            print("paused", flush=True)
            signal.pause()
        yield told

cli.progress = pausing
cli.main()
"""

# The command, which is interrupted while its process ends.
INTERRUPTED_AT_EXIT = """
import atexit, signal
from pipeline.cli import main

atexit.register(signal.raise_signal, signal.SIGINT)
main()
"""

# The command, interrupted when it comes to import NumPy.
INTERRUPTED_AT_ONCE = """
import sys
from pipeline.__main__ import main

class Interrupt:
    def find_spec(self, name, *_):
        if name == "numpy":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
main()
"""

# The command, which says at its end whether it has come to import Ray.
TELLING_OF_RAY = """
import sys
from pipeline.cli import main

try:
    main()
finally:
    print("ray" in sys.modules)
"""


def phasesweep(script, *arguments, cwd):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120)


def interrupted(script, number, *arguments, cwd):
    """The command's exit code and stderr after a signal, sent when it has paused."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
    ) as process:
        try:
            assert process.stdout.readline() == "paused\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, err


def run(sweep, path):
    store = Store(path)
    with store.writing():
        finished = sweeps.finished_indices(sweep.grid, store)
        sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)


def scientific(path, table):
    """A table's rows in one order, without what depends on how they were trained."""
    frame = pd.read_parquet(path / table)
    frame = frame.drop(columns=["wall_seconds", "batch_id"], errors="ignore")
    order = [name for name in ("trial_id", "layer", "step") if name in frame]
    return frame.sort_values(order, ignore_index=True)


def assert_same_bits(path, other):
    for table in SCHEMAS:
        pd.testing.assert_frame_equal(
            scientific(path, table), scientific(other, table), check_exact=True
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_finished_and_resumes(small_sweep, tmp_path, number):
    """Exit code 130; run again, it equals an uninterrupted run bit for bit."""
    arguments = ("run", "sweep.yaml", "--store", "store", "--executor", "serial")
    code, err = interrupted(PAUSED_IN_TRAINING, number, *arguments, cwd=tmp_path)
    assert code == 130
    assert err.endswith("interrupted; what is finished is in store: run again to resume\n")
    assert "Traceback" not in err
    assert 0 < len(scientific(tmp_path / "store", "runs")) < small_sweep.grid.size
    run(small_sweep, tmp_path / "store")
    run(small_sweep, tmp_path / "uninterrupted")
    assert_same_bits(tmp_path / "store", tmp_path / "uninterrupted")


def test_a_run_on_a_ray_of_its_own_is_interrupted_and_resumed_as_any_other(small_sweep, tmp_path):
    """Ray's own way with SIGTERM is to exit at once, with another code."""
    arguments = ("run", "sweep.yaml", "--store", "store", "--executor", "ray")
    code, err = interrupted(PAUSED_IN_THE_DRIVER, signal.SIGTERM, *arguments, cwd=tmp_path)
    assert code == 130
    assert err.endswith("interrupted; what is finished is in store: run again to resume\n")
    assert 0 < len(scientific(tmp_path / "store", "runs")) < small_sweep.grid.size
    run(small_sweep, tmp_path / "store")
    run(small_sweep, tmp_path / "serial")
    assert_same_bits(tmp_path / "store", tmp_path / "serial")


def test_an_interrupt_after_all_is_done_changes_no_exit_code(small_sweep, tmp_path):
    """Ctrl-C, when the process is ending anyway."""
    ended = phasesweep(INTERRUPTED_AT_EXIT, "plan", "sweep.yaml", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_an_interrupt_while_it_is_loading_is_one_too(small_sweep, tmp_path):
    """Exit code 130 and no traceback, though nothing is there yet that could handle it."""
    ended = phasesweep(INTERRUPTED_AT_ONCE, "run", "sweep.yaml", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (130, "")


@pytest.mark.parametrize(("depth", "code"), [("0", 2), ("2", 0)])
def test_ray_is_not_started_for_a_wrong_or_a_small_sweep(write_sweep, tmp_path, depth, code):
    """Its import alone takes seconds."""
    (tmp_path / "sweep.yaml").write_text(
        f"dataset: wine\ndepth: {depth}\nactivation: relu\nlearning_rate: 0.1\n"
    )
    ended = phasesweep(TELLING_OF_RAY, "run", "sweep.yaml", cwd=tmp_path)
    assert ended.returncode == code
    assert ended.stdout == "False\n"


def test_messages_to_a_closed_stderr_do_not_end_in_the_data(small_sweep, tmp_path):
    """As with `2>&-`: the run runs, and stdout stays free for data."""
    shell = f'"{sys.executable}" -m pipeline run sweep.yaml 2>&-'
    ended = subprocess.run(["sh", "-c", shell], stdout=subprocess.PIPE, cwd=tmp_path, check=True)
    assert ended.stdout == b""
    assert len(scientific(tmp_path / "stores" / "small", "runs")) == small_sweep.grid.size


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is full")
def test_output_that_finds_no_room_is_told_in_a_line(tmp_path):
    """Exit code 1, no traceback."""
    command = [sys.executable, "-m", "pipeline", "plan", "quickstart", "--store", tmp_path / "new"]
    with open("/dev/full", "w") as full:
        failed = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert failed.returncode == 1
    (told,) = failed.stderr.splitlines()
    assert told.startswith("error: cannot go on: [Errno 28] No space left on device")


def test_a_path_that_cannot_be_written_is_told_in_a_line(tmp_path):
    """With its name: here a file stands where a folder is needed."""
    (tmp_path / "taken").touch()
    (tmp_path / "sweep.yaml").write_text(
        "dataset: digits\nexamples: 24\ndepth: 2\nwidth: 4\nactivation: tanh\nlearning_rate: 1\n"
    )
    store, out = tmp_path / "store", tmp_path / "taken" / "map.png"
    sweep = tmp_path / "sweep.yaml"
    for arguments in (["run", sweep, "--store", store], ["map", store, "--out", out]):
        command = [sys.executable, "-m", "pipeline", *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert told.startswith("error: cannot go on: ")
    assert str(tmp_path / "taken") in told
