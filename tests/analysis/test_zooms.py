"""A sequence of zooms: what each window says, and what `phasesweep animate` writes of several."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image
from typer.testing import CliRunner

from analysis.figures.moving.zooms import windows, zoom_frames, zoom_strip
from analysis.reading.stores import UnsuitableRunsError
from pipeline.cli import app

CELLS = 33


@pytest.fixture
def make_map(make_runs):
    """Makes a map of both learning rates, which converges below a rate of the last layer."""

    def make(low, high, **columns):
        rates = np.geomspace(low, high, CELLS)
        first, last = (each.ravel() for each in np.meshgrid(rates, rates))
        return make_runs(
            learning_rate_first=first,
            learning_rate_last=last,
            fractal_converged=last < 1,
            outcome=np.where(last < 1, "trained", "diverged"),
            initial_loss=1.0,
            tail_loss=0.5,
            steps_run=7,
            steps=10,
            init_phase=None,
            trial_id=[f"{place:04}" for place in range(CELLS**2)],
            **columns,
        )

    return make


def test_each_window_says_how_close_and_how_rough_it_is(make_map):
    """And has a frame about the next one."""
    every = windows(
        [make_map(1e-4, 1e4), make_map(1e-2, 1e2, inferred=np.arange(CELLS**2) % 4 > 0)]
    )
    panels = zoom_strip(every).axes
    both = ["48.5% converge", "dimension 1.00 ± 0.00"]
    assert [panel.get_title(loc="left").splitlines() for panel in panels] == [
        ["the whole window", *both, "33 x 33 cells"],
        ["2 times closer", *both, "33 x 33 cells, 25% trained"],
    ]
    (frame, _), none = (
        [patch for patch in panel.patches if isinstance(patch, Rectangle)] for panel in panels
    )
    edges = every[1].x.edges
    assert none == []
    np.testing.assert_allclose(frame.get_bbox().intervalx, edges[[0, -1]])
    np.testing.assert_allclose(frame.get_bbox().intervaly, every[1].y.edges[[0, -1]])
    assert len(list(zoom_frames(every))) == 2


def test_windows_that_do_not_nest_are_refused(make_map):
    """With the values of both."""
    with pytest.raises(UnsuitableRunsError, match="store 2: learning_rate_first from"):
        windows([make_map(1e-2, 1e2), make_map(1e-4, 1e4)])


def test_the_command_writes_frames_or_a_strip(make_map, make_store, tmp_path, monkeypatch):
    """By the file's ending, also without a dimension; and refuses what is for one store."""
    monkeypatch.setitem(globals(), "CELLS", 17)
    stores = [str(make_store(make_map(10.0**-n, 10.0**n))) for n in (4, 2)]
    frames, strip = tmp_path / "new" / "zooms.gif", tmp_path / "zooms.png"
    for out in (frames, strip):
        done = CliRunner().invoke(app, ["animate", *stores, "--out", str(out)])
        assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    with Image.open(frames) as moving, Image.open(strip) as still:
        assert moving.n_frames == 2
        assert still.width > moving.width
    failed = CliRunner().invoke(app, ["animate", *stores, "--activation", "tanh"])
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "--activation is for one store" in failed.stderr
