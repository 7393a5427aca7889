"""Where compiled code is kept: a folder that can be written to, another one for other sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import core
from core import compilation

COMPILE = """
from core.compilation import CACHE_FOLDER
from core.descent.kinds import compile_kind, is_compiled
from core.descent.loop import descend

kind = ("linear", "mse", "float64")
before = is_compiled(*kind)
compile_kind(*kind)
print(CACHE_FOLDER, before, is_compiled(*kind), sum(descend.stats.cache_hits.values()))
"""


def test_an_installation_that_cannot_be_written_to_is_compiled_once_for_its_user(tmp_path):
    """The second process finds in the user's cache what the first one compiled."""
    shutil.copytree(
        Path(core.__file__).parent,
        tmp_path / "site/core",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    # Permissions would not stop root: a file stands where the folder would be made.
    (tmp_path / "site/core/__pycache__").write_text("")
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    env |= {"PYTHONPATH": str(tmp_path / "site"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    told = []
    for _ in range(2):
        command = [sys.executable, "-c", COMPILE]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert done.stderr == ""
        told.append(done.stdout.split())
    assert [Path(folder).parent for folder, *_ in told] == [tmp_path / "cache/phasesweep"] * 2
    assert told[0][1:] == ["False", "True", "0"]
    assert told[1][1:] == ["True", "True", "1"]


def test_the_folder_that_numba_is_told_to_use_comes_first(tmp_path, monkeypatch):
    """NUMBA_CACHE_DIR, with a folder of its own for these sources."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "numba"))
    assert compilation.cache_folder().parent == tmp_path / "numba"


def test_other_sources_have_another_folder(tmp_path, monkeypatch):
    """Numba alone would take code compiled before a change in a function that is called."""
    source = tmp_path / "formula.py"
    source.write_text("old")
    monkeypatch.setattr(compilation, "SOURCES", (*compilation.SOURCES, source))
    before = compilation.cache_folder()
    source.write_text("new")
    assert compilation.cache_folder() != before


@pytest.mark.parametrize(
    "name", ["activation_formulas", "elementary", "hidden_layers", "polynomials"]
)
def test_formulas_are_among_the_sources(name):
    """They are inlined into what is compiled elsewhere."""
    assert f"{name}.py" in {source.name for source in compilation.SOURCES}
