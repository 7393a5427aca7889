"""The phasesweep command as processes: interrupted, resumed, on a Ray of its own."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest

from core.training import FULLY_CONNECTED
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.storage.store import Store

# The command, which waits for a signal in the midst of the third batch that it trains.
PAUSED_IN_TRAINING = """
import os
import signal
from pipeline import cuts, sweep
from pipeline.cli import main

cuts.BATCH_SECONDS = 0.02
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
import os
import signal
from contextlib import contextmanager
from pipeline import cli, cuts

cuts.BATCH_SECONDS = 0.02
progress = cli.progress

@contextmanager
def pausing(*counts):
    with progress(*counts) as watch:
        def said(found):
            watch(found)
            print("paused", flush=True)
            signal.pause()
        yield said

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
    store = Store(path, FULLY_CONNECTED)
    with store.writing():
        finished = plans.finished_indices(sweep.grid, store)
        sweeps.run_sweep(sweep, finished, store, run_serially, lambda found: None)


def scientific(path, table):
    """A table's rows in one order, without what depends on how they were trained."""
    frame = pd.read_parquet(path / table)
    frame = frame.drop(columns=["wall_seconds", "batch_id"], errors="ignore")
    order = [name for name in ("trial_id", "layer", "step") if name in frame]
    return frame.sort_values(order, ignore_index=True)


def assert_same_bits(path, other):
    for table in ("runs", *FULLY_CONNECTED.tables):
        pd.testing.assert_frame_equal(
            scientific(path, table), scientific(other, table), check_exact=True
        )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_finished_and_resumes(
    small_sweep, kept_store, tmp_path, number
):
    """Exit code 130; run again, it equals an uninterrupted run bit for bit."""
    arguments = ("run", "sweep.yaml", "--store", "store", "--executor", "serial")
    code, err = interrupted(PAUSED_IN_TRAINING, number, *arguments, cwd=tmp_path)
    assert code == 130
    assert err.endswith("interrupted; what is finished is in store: run again to resume\n")
    assert "Traceback" not in err
    assert 0 < len(scientific(tmp_path / "store", "runs")) < small_sweep.grid.size
    run(small_sweep, tmp_path / "store")
    assert_same_bits(tmp_path / "store", kept_store.path)


def test_a_run_on_a_ray_of_its_own_is_interrupted_and_resumed_as_any_other(
    small_sweep, kept_store, tmp_path
):
    """Ray's own way with SIGTERM is to exit at once, with another code."""
    arguments = ("run", "sweep.yaml", "--store", "store", "--executor", "ray")
    code, err = interrupted(PAUSED_IN_THE_DRIVER, signal.SIGTERM, *arguments, cwd=tmp_path)
    assert code == 130
    assert "\nstarting Ray on this machine: some seconds\nRay trains on " in err
    assert err.endswith("interrupted; what is finished is in store: run again to resume\n")
    assert 0 < len(scientific(tmp_path / "store", "runs")) < small_sweep.grid.size
    run(small_sweep, tmp_path / "store")
    assert_same_bits(tmp_path / "store", kept_store.path)


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


def ended_with_stdout(stdout, *arguments, cwd, buffered):
    """The command's exit code and stderr, its stdout being this file or pipe."""
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONUNBUFFERED"}
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    ended = subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=cwd, env=environment
    )
    return ended.returncode, ended.stderr


# Less than a buffer, and more of it, by print and by pyarrow.
PRINTING = [
    ("status", "store"),
    ("query", "store", "from layers", "--format", "csv"),
    ("query", "store", "from layers", "--format", "json"),
]


@pytest.fixture
def finished_store(own_store, tmp_path):
    """The folder in which the small sweep's store is `store`."""
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "buffered"),
    [*((each, True) for each in PRINTING), (PRINTING[0], False), (("--help",), True)],
)
def test_a_full_stdout_ends_in_a_line(finished_store, arguments, buffered):
    """Exit code 1 and no traceback, be the output less or more than a buffer."""
    with open("/dev/full", "w") as full:
        code, err = ended_with_stdout(full, *arguments, cwd=finished_store, buffered=buffered)
    assert code == 1
    assert err == (
        "error: No space left on device; what was being written, to stdout or a file, is not "
        "whole\n"
    )


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_closed_pipe_ends_quietly(finished_store, arguments):
    """As in `phasesweep query ... | head`: nothing on stderr, and not exit code 0."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = ended_with_stdout(writing, *arguments, cwd=finished_store, buffered=True)
    finally:
        os.close(writing)
    assert ended == (1, "")


def test_a_closed_stdout_is_no_failure(finished_store):
    """As with `>&-`: who closed it asked for nothing to be printed."""
    shell = f'"{sys.executable}" -m pipeline query store "from runs" --format csv >&-'
    ended = subprocess.run(["sh", "-c", shell], stderr=subprocess.PIPE, cwd=finished_store)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_picture_that_cannot_be_written_ends_in_a_line(finished_store):
    """The line names what is in the way."""
    (finished_store / "file").write_text("")
    arguments = ("map", "store", "--out", "file/map.png")
    code, err = ended_with_stdout(None, *arguments, cwd=finished_store, buffered=True)
    assert code == 1
    assert err.startswith("error: file: ")
    assert len(err.splitlines()) == 1
