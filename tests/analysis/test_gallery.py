"""`phasesweep gallery`: all figures of a store in a folder, and the page that shows them."""

from pathlib import Path

from typer.testing import CliRunner

import analysis
from analysis.figures.gallery import SHOWN
from analysis.figures.named import FIGURES
from pipeline.cli import app

PAGE = Path(analysis.__file__).parent / "GALLERY.md"


def test_every_figure_that_can_be_is_drawn(store, tmp_path):
    """Their paths on stdout; what the store lacks for the others on stderr."""
    out = tmp_path / "pictures"
    done = CliRunner().invoke(app, ["gallery", str(store), "--out", str(out)])
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        str(out / f"{name}.png") for name in SHOWN if name != "edge_of_stability"
    ]
    assert {path.stem for path in out.iterdir()} == set(SHOWN) - {"edge_of_stability"}
    assert done.stderr.startswith("edge_of_stability is left out: no sharpness was measured along")


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    """Exit code 2, in one line."""
    failed = CliRunner().invoke(app, ["gallery", str(tmp_path), "--out", str(tmp_path / "out")])
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert len(failed.stderr.splitlines()) == 1


def test_what_is_shown_exists():
    """Each by its name on the command line, each once on the page."""
    assert set(SHOWN) <= set(FIGURES)
    page = PAGE.read_text()
    for name in SHOWN:
        assert page.count(f"(pictures/gallery/{name}.png)") == 1 or name == "edge_of_stability"
