"""CONTRIBUTING's examples, followed word by word in copies of the sources."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pandas as pd
import pytest

from core.settings import trial_id
from core.trials import trial_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"`(\"softsign\": .*?,)`")
QUERY = re.compile(r"`phasesweep (query STORE \".*?\")`")
DICTIONARY = re.compile(r"`phasesweep (dictionary STORE) > (.*?)`")
INDENT = 4 * " "
COPIED = (
    "core",
    "pipeline",
    "analysis",
    "tests/conftest.py",
    "tests/trainings.py",
    "tests/analysis",
    "tests/core",
    "pyproject.toml",
)
ACTIVATIONS = """
dataset: digits
depth: 2
width: 8
activation: [tanh, softsign]
learning_rate: 0.1
steps: 10
"""
INPUT_SCALES = """
dataset: digits
depth: 2
width: 8
activation: tanh
input_scale: [1, 4]
learning_rate: 0.1
steps: 10
"""


def blocks(title: str) -> list[str]:
    """The Python of the page's section whose title ends so."""
    section = PAGE.split(f"{title}\n")[1].split("\n## ")[0]
    return BLOCK.findall(section)


def insert_before(path: Path, place: str, text: str) -> None:
    """Write a text before the only occurrence of another."""
    before, after = path.read_text().split(place)
    path.write_text(f"{before}{text}{place}{after}")


def replace_function(path: Path, function: str) -> None:
    """Write a function in place of the one of its name."""
    head = re.match(r"def \w+", function).group()
    text, count = re.subn(
        rf"{head}\(.*?\n\n\n", f"{function}\n\n", path.read_text(), flags=re.DOTALL
    )
    assert count == 1
    path.write_text(text)


def run(arguments: list[str], folder: Path) -> str:
    """What a Python command prints, run on the folder's sources."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def phasesweep(command: str, folder: Path) -> str:
    """What a command of the page prints, run on the folder's sources and its store."""
    arguments = shlex.split(command.replace("STORE", "store"))
    return run(["-m", "pipeline", *arguments], folder)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, for both examples: what is compiled for one serves the other."""
    folder = tmp_path_factory.mktemp("sources")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


@pytest.fixture(scope="module")
def with_softsign(sources: Path) -> Path:
    """The copy of the sources with the first example's softsign."""
    folder = sources
    formula, fact, test = blocks("a new activation")
    formula_entry, jax_entry = ENTRY.findall(PAGE)
    formulas, table = (
        folder / "core/functions/activation_formulas.py",
        folder / "core/functions/activations.py",
    )
    insert_before(formulas, "FORMULAS = {\n", formula + "\n\n")
    insert_before(formulas, "}\n\n# Activations whose slope", formula_entry + "\n")
    insert_before(table, "    )\n}", f"{fact.strip()},\n")
    insert_before(folder / "tests/core/descent/trajectories.py", "}\n\n\ndef mse", jax_entry + "\n")
    with (folder / "tests/core/test_activations.py").open("a") as tests:
        tests.write(test)
    return folder


def test_a_new_activation_passes_every_test_of_core(with_softsign):
    """Whoever copies softsign from the page has a formula and facts that hold all promises."""
    # Rewriting every assertion would take longer than most of these tests.
    options = ["-q", "--assert=plain", "-k", "softsign"]
    said = run(["-m", "pytest", *options, "tests/core"], with_softsign)
    assert int(re.search(r"(\d+) passed", said).group(1)) > 80
    assert not re.search("failed|error|skipped", said)


def test_sweep_files_and_the_theory_know_a_new_activation(with_softsign):
    """An entry in the table is all that they need; its slope of 1 at 0 is critical at 1."""
    (with_softsign / "sweep.yaml").write_text(ACTIVATIONS)
    assert "to train   2" in run(["-m", "pipeline", "plan", "sweep.yaml"], with_softsign)
    setting = "--activation softsign --weight-variance 2.25 --bias-variance 0 --json"
    theory = json.loads(run(["-m", "pipeline", "theory", *setting.split()], with_softsign))
    assert theory["critical_weight_variance"] == pytest.approx(1)
    assert theory["chi"] > 1
    advice = run(
        ["-m", "pipeline", "advise", "--activation", "softsign", "--depth", "20"], with_softsign
    )
    assert "It was not measured how often networks of softsign train" in advice


@pytest.fixture(scope="module")
def with_input_scale(sources: Path) -> Path:
    """The copy of the sources with the second example's setting and result, and their store."""
    folder = sources
    setting, task, column, values = blocks("a new setting and a new result")
    training = folder / "core/training.py"
    insert_before(folder / "core/trials.py", "\n\nSETTINGS = ", indent(setting, INDENT))
    replace_function(training, task)
    insert_before(
        folder / "core/results.py", '    Column("wall_seconds"', f"{INDENT}{column.strip()},\n"
    )
    insert_before(training, '    return {"runs": runs', indent(values, INDENT))
    (folder / "sweep.yaml").write_text(INPUT_SCALES)
    phasesweep("run sweep.yaml --store STORE --executor serial", folder)
    return folder


def test_a_new_setting_and_a_new_result_are_swept_and_stored(with_input_scale):
    """Both are columns of the store, and a trial that has the default keeps its id."""
    runs = pd.read_parquet(with_input_scale / "store/runs").sort_values("input_scale")
    as_ever, larger = runs.to_dict("records")
    assert (as_ever["input_scale"], larger["input_scale"]) == (1, 4)
    assert as_ever["trial_id"] == trial_id(trial_of(as_ever))
    assert larger["trial_id"] != trial_id(trial_of(larger))
    for row in (as_ever, larger):
        assert row["loss_ratio"] == pytest.approx(row["final_loss"] / row["initial_loss"])
    assert larger["initial_loss"] != as_ever["initial_loss"]
    shown = phasesweep(f"{QUERY.search(PAGE).group(1)} --format json", with_input_scale)
    means = {row.pop("input_scale"): row for row in json.loads(shown)}
    for row in (as_ever, larger):
        assert means[row["input_scale"]] == {"avg(loss_ratio)": pytest.approx(row["loss_ratio"])}


def test_the_data_dictionary_is_written_anew_from_a_new_store(with_input_scale):
    """With both, as the page says; what the page is compared with agrees."""
    command, page = DICTIONARY.search(PAGE).groups()
    (with_input_scale / page).write_text(phasesweep(command, with_input_scale))
    written = (with_input_scale / page).read_text()
    assert "| `input_scale` | double | 1 | multiplies the scaled features; NULL: 1.0 |" in written
    assert "| `loss_ratio` | double | 1 | final\\_loss / initial\\_loss |" in written
    run(
        ["-m", "pytest", "-q", "tests/analysis/test_dictionary.py", "-k", "page_is"],
        with_input_scale,
    )
