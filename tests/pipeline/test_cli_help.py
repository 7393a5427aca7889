"""What the phasesweep command says about itself: `-h`, its lists of names, and Tab."""

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from analysis.figures.named import FIGURES, TABLES
from pipeline.cli import app
from pipeline.sweep_files.loading import shipped_sweeps

COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_every_command_takes_h_for_help(command, monkeypatch):
    """It says what `--help` says, in lines that fit a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    short, long = (CliRunner().invoke(app, [*command, option]) for option in ("-h", "--help"))
    assert (short.exit_code, short.stdout) == (0, long.stdout)
    assert "Usage: " in short.stdout
    assert max(map(len, short.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("command", "names"),
    [("figure", FIGURES), ("table", TABLES), ("run", shipped_sweeps()), ("plan", shipped_sweeps())],
)
def test_the_help_of_a_command_lists_the_names_it_takes(command, names):
    """All of them, at its end."""
    shown = " ".join(CliRunner().invoke(app, [command, "-h"]).stdout.split())
    assert shown.endswith(f": {', '.join(names)}.")


def offered(line):
    """What Tab offers at the end of a command line."""
    words = f"phasesweep {line}"
    environment = {
        "_PHASESWEEP_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = CliRunner().invoke(app, [], prog_name="phasesweep", env=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ver", ["verify"]),
        ("run qu", ["quickstart"]),
        ("plan ch", ["chi"]),
        ("figure ca", ["catapult"]),
        ("table mult", ["multiple_of_xi"]),
        ("figure x", []),
        ("explain gone 0", []),
    ],
)
def test_tab_completes_commands_sweeps_figures_and_tables(line, words):
    """What cannot be completed is no error."""
    assert offered(line) == words


def test_tab_offers_the_sweep_files_of_this_folder(tmp_path, monkeypatch):
    """Beside the shipped sweeps."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "current.yaml").touch()
    shipped = ["catapult", "chi", "critical_learning_rate", "cures"]
    assert offered("run c") == [*shipped, "current.yaml"]


def test_tab_completes_a_trial_id_from_the_store_on_the_line(small_sweep, tmp_path):
    """Those that begin with what is typed."""
    store = tmp_path / "store"
    CliRunner().invoke(app, ["run", str(tmp_path / "sweep.yaml"), "--store", str(store)])
    ids = sorted(pd.read_parquet(store / "runs")["trial_id"])
    assert len(ids) == small_sweep.grid.size
    assert offered(f"explain {store} ") == ids
    assert offered(f"explain {store} {ids[1][:20]}") == [ids[1]]
