"""The moving map: what each frame shows, and what `phasesweep animate` writes and refuses."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from PIL import Image
from typer.testing import CliRunner

from analysis.figures.moving.animation import DIVERGED, TRAINED, map_colors, moving_map, write_gif
from analysis.reading.stores import UnsuitableRunsError, read_curves
from analysis.tables.judgments import read_judged
from analysis.tables.loss_by_step import loss_by_step
from analysis.tables.views import View
from core.gradient_descent import logged_steps
from pipeline.cli import app

BASELINE = 2.0
STEPS = [0, 1, 10]
# At the steps 0, 1 and 10; the best constant's loss is 2 and each run begins at 2 or 3.
LOSSES = {
    "trains": [2.0, 1.0, 0.2],  # 0.2 is the trained level itself
    "stays": [2.0, 2.0, 2.0],
    "climbs": [3.0, 3.4, 2.0],  # above 3 x 1.1 in between
    "overflows": [3.0, None, None],
}
PLACES = {  # learning rate, init scale
    "trains": (0.1, 2.0),
    "stays": (0.1, 0.5),
    "climbs": (10.0, 0.5),
    "overflows": (10.0, 2.0),
}


@pytest.fixture
def four(make_runs):
    """Four runs at the corners of a map, and their curves."""
    runs = make_runs(
        trial_id=list(PLACES),
        learning_rate=[rate for rate, _ in PLACES.values()],
        init_scale=[scale for _, scale in PLACES.values()],
        outcome=["trained", "stalled", "stalled", "overflow"],
        initial_loss=[losses[0] for losses in LOSSES.values()],
        baseline_loss=BASELINE,
        diverged_at_end=1.1,
        dataset="digits",
        steps=10,
    )
    return _curves(LOSSES), runs


def _curves(losses):
    """Rows of the table, without what comes after an overflow."""
    rows = pd.DataFrame(losses, STEPS, dtype=float).rename_axis("step").reset_index()
    rows = rows.melt("step", var_name="trial_id", value_name="loss")
    ended = rows["loss"].isna() & (rows["step"] > 1)
    return rows[~ended]


def texts(figures):
    """Each frame's headline and the panels' titles, left and right."""
    return [
        (
            figure.get_suptitle(),
            [
                (panel.get_title(loc="left"), panel.get_title(loc="right"))
                for panel in figure.axes
                if panel.get_xlabel() == "learning rate"
            ],
        )
        for figure in figures
    ]


def legend(figure):
    """The labels of its legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def gif_colors(figures, path, places):
    """The colors of the first panel's places in each frame of the GIF that is written."""
    seen = []
    write_gif((seen.append(figure) or figure for figure in figures), path, map_colors())
    points = seen[0].axes[0].transData.transform(places)
    with Image.open(path) as picture:
        frames = []
        for index in range(picture.n_frames):
            picture.seek(index)
            pixels = np.asarray(picture.convert("RGB")) / 255
            frames.append([pixels[-1 - int(y), int(x)] for x, y in points])
    return np.array(frames)


def test_cells_have_the_color_of_their_loss_in_every_frame(four, tmp_path):
    """In the GIF itself: trained at the level, diverged where it rose or overflowed, else blue."""
    found = gif_colors(moving_map(*four), tmp_path / "map.gif", list(PLACES.values()))
    half = (np.log(0.5) - np.log(0.1)) / np.log(100)
    began = (np.log(1.5) - np.log(0.1)) / np.log(100)
    one, halved, above = (colormaps["Blues"](place)[:3] for place in (0.5, half, began))
    trained, diverged = to_rgb(TRAINED), to_rgb(DIVERGED)
    expected = [
        [one, one, above, above],
        [halved, one, diverged, diverged],
        [trained, one, one, diverged],
    ]
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_the_frames_say_their_step_and_the_share_trained(four):
    """Of the cells that were run."""
    assert texts(moving_map(*four)) == [
        ("after 0 of 10 steps", [("depth 2", "0% trained")]),
        ("after 1 of 10 steps", [("depth 2", "0% trained")]),
        ("after 10 of 10 steps", [("depth 2", "25% trained")]),
    ]


def test_a_cell_that_was_not_run_is_hatched_and_explained(four, tmp_path):
    """The ground is drawn through it, and the legend says so only then."""
    curves, runs = four
    assert legend(next(moving_map(curves, runs))) == [
        "trained: at most 0.1",
        "diverged: above where it began",
    ]
    *_, figure = moving_map(curves, runs[runs["trial_id"] != "overflows"])
    assert legend(figure)[2:] == ["not run"]
    assert figure.axes[0].patch.get_hatch()
    (mesh,) = figure.axes[0].collections
    opacity = mesh.get_array()[..., 3].tolist()  # (init scales, learning rates)
    assert opacity == [[1, 1], [1, 0]]
    assert texts([figure])[0][1] == [("depth 2", "33% trained")]


def test_losses_are_shares_of_the_best_constants(store, runs):
    """Of every run, at every logged step of the sweep; one that ended early keeps its last."""
    judged = read_judged(store)
    judged = judged[(judged["activation"] == "tanh") & (judged["seed"] == 0)]
    table = loss_by_step(read_curves(store), judged)
    assert sorted(table["step"].unique()) == logged_steps(20).tolist()
    assert len(table) == len(judged) * table["step"].nunique()
    curves = pd.read_parquet(store / "curves").merge(
        judged.rename(columns={"loss": "loss_name"}), on="trial_id"
    )
    merged = table.merge(curves, on=["step", "depth", "init_scale", "learning_rate"])
    finite = merged[np.isfinite(merged["loss_share"])]
    assert len(finite) > 100
    np.testing.assert_allclose(finite["loss_share"], finite["loss"] / finite["baseline_loss"])
    infinite = merged[np.isinf(merged["loss_share"])]
    began = infinite[["initial_loss", "baseline_loss"]].max(axis=1)
    assert not (infinite["loss"] <= 1.1 * began).any()
    assert len(infinite) > 0


def test_where_seeds_disagree_the_median_counts(four):
    """An overflow is above every loss; of two runs one overflow is enough."""
    curves, runs = four
    together = runs.assign(learning_rate=0.1, init_scale=1.0, seed=range(4))
    three = together[together["trial_id"] != "climbs"]
    table = loss_by_step(curves, three)
    np.testing.assert_allclose(table["loss_share"], [1, 1, 1])
    two = together[together["trial_id"].isin(["stays", "overflows"])]
    assert loss_by_step(curves, two)["loss_share"].tolist() == [1.25, np.inf, np.inf]


def test_a_run_that_ended_early_adds_no_frame(four):
    """Its own last step is none of the others', and afterwards its loss stays."""
    curves, runs = four
    left = (curves["trial_id"] == "trains") & (curves["step"] == 10)
    curves.loc[left, "step"] = 4
    figures = texts(moving_map(curves, runs))
    assert [(headline, panel[1]) for headline, (panel,) in figures] == [
        ("after 0 of 10 steps", "0% trained"),
        ("after 1 of 10 steps", "0% trained"),
        ("after 10 of 10 steps", "25% trained"),
    ]


def test_the_activation_that_trained_most_is_shown_unless_one_is_named(four):
    """Its runs alone, with its name on the picture."""
    curves, runs = four
    other = runs.assign(activation="relu", outcome="slow", trial_id="relu " + runs["trial_id"])
    slow = curves.assign(trial_id="relu " + curves["trial_id"], loss=BASELINE)
    both = pd.concat([slow, curves]), pd.concat([other, runs])
    *_, figure = moving_map(*both)
    assert figure.texts[0].get_text() == "tanh networks on digits"
    assert texts([figure])[0][1] == [("depth 2", "25% trained")]
    *_, figure = moving_map(*both, activation="relu")
    assert figure.texts[0].get_text() == "relu networks on digits"
    assert texts([figure])[0][1] == [("depth 2", "0% trained")]
    with pytest.raises(UnsuitableRunsError, match=r"no run has 'gelu'; choose from relu, tanh"):
        moving_map(*both, activation="gelu")


def test_of_many_depths_three_are_shown(four):
    """Evenly chosen, the ends among them, each with its own cells."""
    curves, runs = four
    depths = range(2, 12)
    many = [runs.assign(depth=d, trial_id=f"{d} " + runs["trial_id"]) for d in depths]
    followed = [curves.assign(trial_id=f"{d} " + curves["trial_id"]) for d in depths]
    followed[-1]["loss"] = 0.0
    *_, figure = moving_map(pd.concat(followed), pd.concat(many))
    assert texts([figure])[0][1] == [
        ("depth 2", "25% trained"),
        ("depth 6", "25% trained"),
        ("depth 11", "100% trained"),
    ]


def test_the_style_of_other_figures_is_left_alone(four):
    """Also between two frames."""
    before = dict(mpl.rcParams)
    for _ in moving_map(*four):
        assert dict(mpl.rcParams) == before


def test_what_cannot_be_shown_is_refused_with_the_remedy(four):
    """Before a frame is drawn: no runs, none that were asked for, no steps."""
    curves, runs = four
    with pytest.raises(UnsuitableRunsError, match="there are no runs to show"):
        moving_map(curves, runs.iloc[:0])
    with pytest.raises(UnsuitableRunsError, match="no run has depth 3; the nearest are 2"):
        moving_map(curves, runs, view=View(where=("depth=3",)))
    for too_few in (curves[curves["step"] == 0], curves.iloc[:0]):
        with pytest.raises(UnsuitableRunsError, match=r"steps and a moving .* `steps: 100`"):
            moving_map(too_few, runs)


def test_another_axis_than_depth_has_the_panels(four):
    """As in the map."""
    curves, runs = four
    *_, figure = moving_map(curves, runs.assign(width=[8, 8, 16, 16]))
    assert [panel.get_title(loc="left") for panel in figure.axes[:2]] == ["width 8", "width 16"]
    *_, figure = moving_map(curves, runs.assign(learning_rate=0.0), view=View(x="depth"))
    assert figure.axes[0].get_xlabel() == "depth"


def animate(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["animate", *map(str, arguments)])


def test_animate_writes_a_gif_that_plays_and_prints_its_path(store, tmp_path):
    """A frame per logged step, again and again, the last for longest, 800 pixels wide."""
    out = tmp_path / "pictures" / "map.gif"
    done = animate(store, "--out", out, "--activation", "Tanh")
    assert (done.exit_code, done.stdout) == (0, f"{out}\n")
    with Image.open(out) as picture:
        assert (picture.format, picture.width, picture.info["loop"]) == ("GIF", 800, 0)
        assert picture.n_frames == len(logged_steps(20))
        times = []
        for index in range(picture.n_frames):
            picture.seek(index)
            times.append(picture.info["duration"])
    assert set(times[:-1]) == {250}
    assert times[-1] == 3000
    assert out.stat().st_size < 600_000


def test_the_trained_region_grows_as_the_steps_go_on(store):
    """To the cells whose last losses are at or below the level, by pandas alone."""
    runs = read_judged(store, 0.5)
    frames = texts(moving_map(read_curves(store), runs, "tanh"))
    shares = [[float(right.split("%")[0]) for _, right in panels] for _, panels in frames]
    assert shares[0] == [0, 0]
    here = runs[runs["activation"] == "tanh"]
    final = here["final_loss"].fillna(np.inf) / here["baseline_loss"]
    cells = final.groupby([here[name] for name in ("depth", "init_scale", "learning_rate")])
    trained = (cells.median() <= 0.5).groupby("depth").mean()
    assert shares[-1] == (100 * trained).round().tolist()
    assert shares[-1][0] > 20


def test_the_level_asked_for_colors_the_cells(store, four, tmp_path):
    """The command passes it on; the legend and the scale of the losses say it."""
    curves, runs = four
    figure = next(moving_map(curves, runs.assign(trained_level=0.5)))
    assert legend(figure)[0] == "trained: at most 0.5"
    bar = figure.axes[-1]
    assert [label.get_text() for label in bar.get_xticklabels()] == ["0.5", "1", "2"]
    assert bar.get_xlim() == pytest.approx((0.5, 2))
    write_gif([figure], tmp_path / "one.gif", map_colors())
    x, y = bar.transAxes.transform((0, 0.5)).astype(int)
    with Image.open(tmp_path / "one.gif") as picture:
        row = np.asarray(picture.convert("RGB"))[-1 - y] / 255
    np.testing.assert_allclose(row[x - 8], to_rgb(TRAINED), atol=0.02)  # below the scale
    low, high = tmp_path / "low.gif", tmp_path / "high.gif"
    assert animate(store, "--out", low).exit_code == 0
    assert animate(store, "--out", high, "--trained-level", 0.9).exit_code == 0
    assert low.read_bytes() != high.read_bytes()


@pytest.mark.parametrize("name", ["map.png", "map"])
def test_a_picture_of_another_kind_is_refused(store, tmp_path, name):
    """Exit code 2, a line, no file."""
    failed = animate(store, "--out", tmp_path / name)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr == f"error: --out must end in .gif, got {tmp_path / name}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_move_is_a_line_on_stderr(runs, make_store, tmp_path):
    """No store, no curves, an activation that it has not: exit code 2, and no folder is made."""
    out = tmp_path / "new" / "map.gif"
    without = make_store(runs)
    for arguments, words in (
        ([tmp_path], "is no phasesweep store"),
        ([without], "has no curves yet; `phasesweep run"),
    ):
        failed = animate(*arguments, "--out", out)
        assert (failed.exit_code, failed.stdout) == (2, "")
        assert failed.stderr.startswith("error: ")
        assert words in failed.stderr
    assert not out.parent.exists()


def test_an_activation_that_no_run_has_is_refused(store, tmp_path):
    """With those that there are."""
    failed = animate(store, "--out", tmp_path / "new" / "map.gif", "--activation", "gelu")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr == "error: --activation: no run has 'gelu'; choose from tanh, relu\n"
    assert list(tmp_path.iterdir()) == []
