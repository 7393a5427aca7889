"""Our trainer is compiled before a sweep's first task, and only by commands that train."""

import subprocess
import sys

from core.descent import kinds
from core.training import FULLY_CONNECTED


def test_what_nobody_compiled_here_is_compiled_and_announced_once(grid_of, tmp_path, monkeypatch):
    """In a line that names the activations; the second time there is nothing to say."""
    monkeypatch.setattr(kinds, "CACHE_FOLDER", tmp_path)
    axes, said = grid_of(activation=("linear", "tanh"), depth=(2, 3)).axes, []
    FULLY_CONNECTED.prepare(axes, said.append)
    (line,) = said
    assert "compiling the trainer for linear, tanh" in line
    FULLY_CONNECTED.prepare(axes, said.append)
    assert said == [line]


def test_commands_that_train_nothing_do_not_wait_for_numba():
    """Importing all of them imports no compiler."""
    check = "import sys, pipeline.cli; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
