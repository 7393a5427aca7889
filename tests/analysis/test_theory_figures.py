"""Figures by name: each shows what its table holds, and refuses what it cannot show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from analysis.figures.adam_edge import adam_edge_by_rate
from analysis.figures.catapult import catapult_by_rate
from analysis.figures.chi import chi_by_init_scale
from analysis.figures.edge_of_stability import edge_of_stability_by_step
from analysis.figures.thresholds import map_by_threshold
from analysis.figures.trainable_depth import trainable_depth_map
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import JudgedBy
from analysis.tables.chi import chi_against_theory
from analysis.tables.depth_scales import fitted_multiple, trainable_depth
from analysis.tables.threshold_shifts import SHIFTS
from analysis.tables.views import View
from core.outcomes import DIVERGED
from core.theory.mean_field import mean_field


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def labeled(panel, label):
    """The line of a panel whose label begins so."""
    (line,) = (line for line in panel.lines if str(line.get_label()).startswith(label))
    return line


def level(line):
    """The height of a line that crosses the whole panel."""
    assert list(line.get_xdata()) == [0, 1]
    (height,) = set(line.get_ydata())
    return height


def verticals(panel):
    """Where the lines stand that cross the whole panel from bottom to top."""
    return [line.get_xdata()[0] for line in panel.lines if list(line.get_ydata()) == [0, 1]]


def x_labels(figure):
    """What stands below its panels."""
    return {axes.get_xlabel() for axes in figure.axes} - {""}


def test_chi_has_a_panel_an_activation_with_its_points_on_log_axes(runs):
    """Two activations, four init scales each."""
    figure = chi_by_init_scale(runs[runs["depth"] == 12])
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [panel.get_title() for panel in panels] == list(runs["activation"].unique())
    for panel in panels:
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
        points = panel.containers[0].lines[0]
        np.testing.assert_allclose(points.get_xdata().astype(float), np.unique(runs["init_scale"]))
    assert "theory, infinite width" in labels(figure)


def test_chi_is_drawn_beside_the_theory_and_the_line_of_one(runs):
    """Each point at its mean, its bar two standard errors long on either side."""
    deep = runs[runs["depth"] == 12]
    table = chi_against_theory(deep)
    for panel in chi_by_init_scale(deep).axes:
        here = table[table["activation"] == panel.get_title()]
        theory = labeled(panel, "theory, infinite width")
        assert theory.get_xdata()[[0, -1]] == pytest.approx([0.25, 4])
        assert theory.get_ydata()[[0, -1]] == pytest.approx(here["chi_theory"].iloc[[0, -1]])
        middle = len(theory.get_xdata()) // 3
        setting = (here["activation"].iloc[0], theory.get_xdata()[middle] ** 2, 0.0)
        expected = mean_field(*setting, here["input_mean_square"].iloc[0]).chi
        assert theory.get_ydata()[middle] == pytest.approx(expected)
        assert level(labeled(panel, r"$\chi = 1$")) == 1
        (points, _, (bars,)) = panel.containers[0].lines
        np.testing.assert_allclose(points.get_ydata().astype(float), here["chi_measured"])
        lengths = [high[1] - low[1] for low, high in bars.get_segments()]
        np.testing.assert_allclose(lengths, 4 * here["standard_error"])


def test_activations_without_chi_have_no_panel_and_of_the_depths_the_largest(runs):
    """Where the theory fits best; the title says so, and another can be asked for."""
    deep = runs[runs["depth"] == 12]
    known = deep["chi_measured"].where(deep["activation"] == "relu")
    figure = chi_by_init_scale(deep.assign(chi_measured=known))
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == ["relu"]
    with pytest.raises(UnsuitableRunsError, match="no chi was measured"):
        chi_by_init_scale(deep.assign(chi_measured=np.nan))
    assert "depth 12 of 2, 12 shown" in chi_by_init_scale(runs).get_suptitle()
    shallow = chi_by_init_scale(runs, View(where=("depth=2",)))
    assert "depth\N{NO-BREAK SPACE}2" in shallow.get_suptitle()


@pytest.mark.parametrize(
    ("initializers", "of_chi", "of_depths"),
    [
        (["gaussian"], r"init scale $\sigma_w$", r"weight variance $\sigma_w^2$"),
        (
            ["weight_std"],
            "init scale: weight std",
            "variance of a weight",
        ),
        (["gaussian", "weight_std"], "init scale", "init scale squared"),
    ],
)
def test_the_axis_says_what_the_init_scale_is(runs, two_depths, initializers, of_chi, of_depths):
    """Of weight_std it is no sigma_w, and the points lie where the cells of their scale do."""
    deep = runs[runs["depth"] == 12]
    drawn = pd.concat([deep.assign(initializer=name) for name in initializers])
    assert x_labels(chi_by_init_scale(drawn)) == {of_chi}
    depths = pd.concat([two_depths.assign(initializer=name, width=16) for name in initializers])
    figure = trainable_depth_map(depths)
    assert x_labels(figure) == {of_depths}
    points = labeled(figure.axes[0], "trainable depth").get_xdata()
    np.testing.assert_allclose(points, np.square([1.0, 1.1, 1.2, 1.3, 1.4]))


@pytest.fixture
def two_depths(make_runs):
    """Depth 4 trains at one of two learning rates, depth 100 at none, whatever the init scale."""
    return pd.concat(
        make_runs(
            init_scale=scale,
            bias_scale=0.05**0.5,
            depth=[4, 4, 100, 100],
            learning_rate=[0.1, 0.2] * 2,
            tail_loss=[0.1, 0.02, 1.0, np.nan],
            baseline_loss=2.0,
            outcome=["slow", "trained", "stalled", "overflow"],
        )
        for scale in (1.0, 1.1, 1.2, 1.3, 1.4)
    )


def test_the_depth_map_shows_the_loss_left_by_the_best_learning_rate(two_depths):
    """A cell is the least tail loss over the baseline; the fit stands in the legend."""
    figure = trainable_depth_map(two_depths)
    mesh = figure.axes[0].collections[0].get_array()
    np.testing.assert_allclose(mesh, [[0.01] * 5, [0.5] * 5])
    assert r"the multiple of $\xi$ that fits, mean over init scales" in labels(figure)
    (without, _) = (trainable_depth_map(two_depths.iloc[drop:]) for drop in (2, 0))
    assert "not run" in labels(without)
    assert "not run" not in labels(figure)


def test_the_depth_map_has_the_theorys_lines_and_the_depths_that_train(two_depths):
    """Over the weight variance: xi, its fitted multiple, the points, and where chi is 1."""
    (panel, *_) = trainable_depth_map(two_depths).axes
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    theory = labeled(panel, r"$\xi$ (theory)")
    variances, xi = theory.get_xdata(), theory.get_ydata()
    assert variances[[0, -1]] == pytest.approx([1.0, 1.96])
    for place in (0, 60, -1):
        expected = mean_field("tanh", variances[place], 0.05).xi_correlation
        assert xi[place] == pytest.approx(expected)
    table = trainable_depth(two_depths)
    multiple = fitted_multiple(table).value
    fit = labeled(panel, "the multiple")
    assert rf"{multiple:.1f} $\xi$ fits" in panel.get_title()
    np.testing.assert_allclose(fit.get_ydata(), multiple * xi)
    points = labeled(panel, "trainable depth")
    np.testing.assert_allclose(points.get_xdata(), table["init_scale"] ** 2)
    np.testing.assert_allclose(points.get_ydata(), 20)
    (critical,) = verticals(panel)
    assert mean_field("tanh", critical, 0.05).chi == pytest.approx(1, abs=1e-3)


def test_the_catapult_figure_counts_in_units_of_the_curvature(runs):
    """Its points are eta x lambda_max of the runs that survived."""
    tanh = runs[runs["activation"] == "tanh"]
    figure = catapult_by_rate(tanh, View(where=("depth=2",)))
    kept = tanh[~tanh["outcome"].isin(DIVERGED) & (tanh["depth"] == 2)]
    expected = (kept["learning_rate"] * kept["sharpness"]).dropna()
    drawn = figure.axes[0].lines[0].get_xdata()
    np.testing.assert_allclose(np.sort(drawn), np.sort(expected))


def test_the_catapult_figure_tells_the_survived_from_the_diverged(runs):
    """Highest and last loss in green, the diverged in vermilion, and the bounds 2 and 4."""
    figure = catapult_by_rate(runs, View(where=("depth=12",)))
    for panel in figure.axes:
        here = runs[(runs["activation"] == panel.get_title()) & (runs["depth"] == 12)]
        here = here[here["sharpness"] > 0]
        lost = here["outcome"].isin(DIVERGED)
        drawn = (
            ("highest loss", ~lost, "peak_loss", "#009e73"),
            ("last loss", ~lost, "tail_loss", "#009e73"),
            ("highest loss, diverged", lost, "peak_loss", "#d55e00"),
        )
        assert [line.get_label() for line in panel.lines[:3]] == [label for label, *_ in drawn]
        for line, (_, which, column, color) in zip(panel.lines, drawn, strict=False):
            chosen = here[which]
            c = chosen["learning_rate"] * chosen["sharpness"]
            shares = (chosen[column] / chosen["initial_loss"]).fillna(np.inf)
            np.testing.assert_allclose(line.get_xdata(), c)
            np.testing.assert_allclose(line.get_ydata(), shares.clip(1e-3, 1e7))
            assert to_hex(line.get_color()) == color
        assert verticals(panel) == [2, 4]
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
        low, high = panel.get_ylim()
        assert all(
            ((line.get_ydata() > low) & (line.get_ydata() < high)).all() for line in panel.lines[:3]
        )
    assert len(labels(figure)) == 5


def test_what_was_not_measured_is_asked_for(runs, store):
    """A sweep without curvature gets the line to add to its file."""
    with pytest.raises(UnsuitableRunsError, match="sharpness_curve"):
        edge_of_stability_by_step(pd.read_parquet(store / "curves"), runs)
    with pytest.raises(UnsuitableRunsError, match=r"measure: \[sharpness\]"):
        catapult_by_rate(runs.assign(sharpness=np.nan))
    with pytest.raises(UnsuitableRunsError, match=r"measure: \[preconditioned_sharpness\]"):
        adam_edge_by_rate(runs)


def test_the_edge_figure_has_each_optimizers_points_and_its_bound(make_runs):
    """Learning rate x sharpness, at the rates that the optimizer was run with."""
    runs = make_runs(
        optimizer=["gd", "gd", "adam"],
        learning_rate=[0.1, 0.4, 0.01],
        final_preconditioned_sharpness=[10.0, 5.0, 3000.0],
        momentum=0.9,
        schedule="constant",
        warmup_steps=10,
        steps_run=20,
        outcome="trained",
    )
    (panel,) = adam_edge_by_rate(runs).axes
    drawn = {
        line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in panel.lines
    }
    assert set(drawn) == {"gd", "its bound, 2", "adam", "its bound, 38"}
    assert drawn["gd"] == ([0.1, 0.4], [1.0, 2.0])
    assert drawn["its bound, 2"] == ([0.1, 0.4], [2.0, 2.0])
    assert drawn["adam"] == ([0.01], [30.0])
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    (panel,) = adam_edge_by_rate(runs.assign(weight_decay=1.0)).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in panel.lines}
    assert set(drawn) == {
        *("gd", "its bound, 2 less learning rate × weight decay"),
        "adam, no bound known",
    }
    assert drawn["its bound, 2 less learning rate × weight decay"] == pytest.approx([1.9, 1.6])


def test_each_panel_has_the_bound_of_its_momentum(make_runs):
    """The legend has all of them, and optimizers that the first panel lacks."""
    runs = make_runs(
        optimizer=["gd", "momentum", "momentum", "adam"],
        learning_rate=0.1,
        final_preconditioned_sharpness=10.0,
        momentum=[0.5, 0.5, 0.9, 0.9],
        schedule="constant",
        warmup_steps=10,
        steps_run=20,
        outcome="trained",
    )
    figure = adam_edge_by_rate(runs)
    drawn = [[line.get_ydata()[0] for line in panel.lines[1::2]] for panel in figure.axes]
    assert drawn == [pytest.approx([2, 3]), pytest.approx([3.8, 38])]
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert told == [
        *("gd", "its bound, 2"),
        *("momentum", "its bound, 3 or 3.8"),
        *("adam", "its bound, 38"),
    ]


def test_the_edge_of_stability_has_a_line_a_learning_rate(make_runs):
    """The sharpness ratio above, the loss below on a log axis."""
    runs = make_runs(trial_id=["a", "b"], learning_rate=[0.1, 0.2], steps=10)
    curves = pd.DataFrame(
        {"trial_id": list("aabb"), "step": [0, 10] * 2, "loss": 1.0, "sharpness": 4.0}
    )
    figure = edge_of_stability_by_step(curves, runs)
    above, below = figure.axes
    assert [line.get_ydata()[0] for line in above.lines[:2]] == pytest.approx([0.2, 0.4])
    assert [line.get_label() for line in above.lines[:2]] == [
        "learning rate 0.1",
        "learning rate 0.2",
    ]
    assert below.get_yscale() == "log"
    assert level(labeled(above, "2 / learning rate")) == 1
    assert [list(line.get_ydata()) for line in below.lines] == [[1.0, 1.0]] * 2


def test_the_edge_of_stability_is_a_mean_over_seeds(make_runs):
    """Of the sharpness in units of 2 / learning rate above, of the loss below."""
    runs = make_runs(trial_id=["a", "b", "c"], seed=[0, 1, 2], learning_rate=0.1, steps=10)
    curves = pd.DataFrame(
        {"trial_id": list("abc"), "step": 0, "loss": [1.0, 2.0, 6.0], "sharpness": [2.0, 4.0, 12.0]}
    )
    above, below = edge_of_stability_by_step(curves, runs).axes
    assert above.lines[0].get_ydata() == pytest.approx([0.3])
    assert below.lines[0].get_ydata() == pytest.approx([3.0])


def test_the_threshold_figure_has_two_panels_for_each_threshold_that_moves_the_map(runs):
    """The map as it is first; what changed is in full color, the rest pale."""
    figure = map_by_threshold(runs, JudgedBy({}), View(where=("activation=relu", "depth=12")))
    here = runs[(runs["activation"] == "relu") & (runs["depth"] == 12)]
    recorded = here["outcome"] + here["cause"].fillna("")
    as_it_is, *panels = [panel for panel in figure.axes if panel.get_visible()]
    assert as_it_is.get_title() == "as it is"
    still = []
    for low, high in zip(SHIFTS[::2], SHIFTS[1::2], strict=True):
        changed = []
        for shift in (low, high):
            judged = shift.judged(here, JudgedBy({}))
            changed.append(judged["outcome"] + judged["cause"].fillna("") != recorded)
        if not any(each.any() for each in changed):
            still.append(low.threshold.replace("_", " "))
            continue
        for each in changed:
            panel = panels.pop(0)
            assert panel.get_title().startswith(low.threshold.replace("_", " ") + "\n")
            assert panel.get_title().endswith(f"\n{each.mean():.1%} changed")
            colors = panel.collections[0].get_array().reshape(-1, 4)[:, :3]
            if not each.any():
                assert (colors.min(axis=1) >= 1 - 0.2).all()
    assert panels == []
    assert f"no run changes with {', '.join(still)}" in figure.get_suptitle().replace("\n", " ")
    assert "pale: as it was" in labels(figure)
    assert figure.get_figheight() < figure.get_figwidth()
    with pytest.raises(UnsuitableRunsError, match="no run has activation gelu"):
        map_by_threshold(runs, JudgedBy({}), View(where=("activation=gelu",)))
