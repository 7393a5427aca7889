"""CONTRIBUTING's example, followed word by word in a copy of the sources."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"add `(.*?)` there")
COPIED = ("core", "pipeline", "analysis", "tests/conftest.py", "tests/core/test_activations.py")
SWEEP = """
dataset: digits
depth: 2
width: 8
activation: [tanh, softsign]
learning_rate: 0.1
steps: 10
"""


def insert_before(path: Path, place: str, text: str) -> None:
    """Write a text before the only occurrence of another."""
    before, after = path.read_text().split(place)
    path.write_text(f"{before}{text}{place}{after}")


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """A copy of the sources with the example's softsign."""
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    text = (ROOT / "CONTRIBUTING.md").read_text()
    formula, fact, test = BLOCK.findall(text)
    formulas, table = tmp_path / "core/activation_formulas.py", tmp_path / "core/activations.py"
    insert_before(formulas, "FORMULAS = {\n", formula + "\n\n")
    insert_before(formulas, "}\n\n# Those whose slope", ENTRY.findall(text)[0] + "\n")
    insert_before(table, "    )\n}", f"{fact.strip()},\n")
    with (tmp_path / "tests/core/test_activations.py").open("a") as tests:
        tests.write(test)
    return tmp_path


def run(arguments: list[str], folder: Path) -> str:
    """What a Python command prints, run on the folder's sources."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_example_passes_the_tests_that_it_names(followed):
    """Whoever copies softsign from the page has a formula that holds what is promised."""
    said = run(["-m", "pytest", "-q", "tests/core/test_activations.py", "-k", "softsign"], followed)
    assert re.search(r"\b1[0-9] passed", said)


def test_sweep_files_and_the_theory_know_the_example(followed):
    """An entry in the table is all that they need; its slope of 1 at 0 is critical at 1."""
    (followed / "sweep.yaml").write_text(SWEEP)
    assert "to train   2" in run(["-m", "pipeline", "plan", "sweep.yaml"], followed)
    setting = "--activation softsign --weight-variance 2.25 --bias-variance 0 --json"
    theory = json.loads(run(["-m", "pipeline", "theory", *setting.split()], followed))
    assert theory["critical_weight_variance"] == pytest.approx(1)
    assert theory["chi"] > 1
