"""The trainer is compiled before a sweep's first task, and only by commands that train."""

import subprocess
import sys

from core.descent import kinds
from pipeline.compilation import compile_trainer


def test_what_nobody_compiled_here_is_compiled_and_announced_once(
    grid_of, tmp_path, monkeypatch, capsys
):
    """A line on stderr names the activations; the second time there is nothing to say."""
    monkeypatch.setattr(kinds, "CACHE_FOLDER", tmp_path)
    grid = grid_of(activation=("linear", "tanh"), depth=(2, 3))
    compile_trainer(grid)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "compiling the trainer for linear, tanh" in told.err
    compile_trainer(grid)
    assert capsys.readouterr().err == ""


def test_commands_that_train_nothing_do_not_wait_for_numba():
    """Importing all of them imports no compiler."""
    check = "import sys, pipeline.cli; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
