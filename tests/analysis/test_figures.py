"""The figures: what they show where, what they name, and what they refuse."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.image import imread

from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth
from analysis.figures.stability_map import stability_map
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.regions import REGIONS, region_by_cell
from analysis.tables.views import View

FIGURES = [stability_map, boundary_learning_rate_by_depth]


def title(figure):
    """The figure's title, its non-breaking spaces made plain."""
    return figure.get_suptitle().replace("\N{NO-BREAK SPACE}", " ")


def legend(figure):
    """The labels of the figure's legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def colors_at(figure, panel, points):
    """The colors that a panel's points, (x, y) each, have in the rendered picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=figure.dpi)
    buffer.seek(0)
    picture = imread(buffer)
    columns, rows_from_below = panel.transData.transform(points).astype(int).T
    return [to_hex(pixel) for pixel in picture[-1 - rows_from_below, columns]]


@pytest.fixture
def corners(make_runs):
    """Runs of four outcomes at the corners of one panel, and a cause."""
    return make_runs(
        init_scale=[0.5, 0.5, 2.0, 2.0],
        learning_rate=[0.1, 10.0, 0.1, 10.0],
        outcome=["stalled", "trained", "slow", "diverged"],
        cause=["vanishing", None, None, "learning_rate"],
    )


def test_a_cell_has_its_regions_color_at_its_setting(corners):
    """Learning rate to the right, init scale upwards, in the rendered picture."""
    figure = stability_map(corners)
    colors = {(region.outcome, region.cause): region.color for region in REGIONS}
    assert colors_at(figure, figure.axes[0], corners[["learning_rate", "init_scale"]]) == [
        colors["stalled", "vanishing"],
        colors["trained", None],
        colors["slow", None],
        colors["diverged", None],
    ]


def test_every_cell_of_a_real_map_has_the_color_of_its_region(runs):
    """In the panel of its depth (columns) and activation (rows)."""
    figure = stability_map(runs)
    cells = region_by_cell(runs)
    places = [(a, d) for a in runs["activation"].unique() for d in (2, 12)]
    assert [panel.get_title() for panel in figure.axes] == ["depth 2", "depth 12", "", ""]
    for panel, (activation, depth) in zip(figure.axes, places, strict=True):
        here = cells[(cells["activation"] == activation) & (cells["depth"] == depth)]
        found = colors_at(figure, panel, here[["learning_rate", "init_scale"]])
        assert found == [REGIONS[index].color for index in here["region"]]
        assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")


def test_a_cell_that_was_not_run_is_hatched_and_explained(corners):
    """It is no region: the ground shows through, and the legend says what it means."""
    figure = stability_map(corners.drop(index=2))
    (panel,) = figure.axes
    (mesh,) = (child for child in panel.get_children() if isinstance(child, QuadMesh))
    assert mesh.get_array().mask.tolist() == [[False, False], [True, False]]
    assert panel.patch.get_hatch()
    assert legend(figure)[-1] == "not run"
    assert "not run" not in legend(stability_map(corners))


def test_the_legend_names_the_regions_that_are_there_and_no_others(corners, runs):
    """In the order of the rules."""
    assert legend(stability_map(corners)) == [
        region.label("10%")
        for region in REGIONS
        if (region.outcome, region.cause)
        in {("diverged", None), ("trained", None), ("stalled", "vanishing"), ("slow", None)}
    ]
    present = set(region_by_cell(runs)["region"])
    expected = [region.label("10%") for index, region in enumerate(REGIONS) if index in present]
    figure = stability_map(runs)
    assert legend(figure) == expected
    patches = [to_hex(patch.get_facecolor()) for patch in figure.legends[0].get_patches()]
    named = [region.color for index, region in enumerate(REGIONS) if index in present]
    assert patches == named


@pytest.mark.parametrize("draw", FIGURES)
def test_the_title_names_what_all_runs_share(draw, runs):
    """A picture found on its own tells which networks it shows, and over how many seeds."""
    told = title(draw(runs))
    for setting in ("dataset digits", "width 6", "loss cross entropy", "steps 20", "2 seeds"):
        assert setting in told
    for setting in ("activation", "depth", "init scale", "learning rate", "measure"):
        assert f"· {setting} " not in told
    assert "seed 1" in title(draw(runs[runs["seed"] == 1]))


def test_the_title_keeps_a_files_name(runs):
    """Only the words of settings are written without underscores."""
    told = title(stability_map(runs.assign(dataset="my_file.csv-0123456789ab")))
    assert "dataset my_file.csv-0123456789ab" in told
    assert "loss cross entropy" in told


def test_of_many_depths_and_init_scales_an_even_choice_is_shown_and_told(make_runs):
    """The ends are among them."""
    many = make_runs(depth=range(1, 31), learning_rate=0.1, outcome="slow")
    figure = stability_map(many, View(y="init_scale", columns="depth"))
    titles = [panel.get_title() for panel in figure.axes]
    assert (len(titles), titles[0], titles[-1]) == (8, "depth 1", "depth 30")
    assert "8 of 30 depths shown" in title(figure)
    many = make_runs(init_scale=np.arange(1, 10), learning_rate=0.1, outcome="slow")
    figure = boundary_learning_rate_by_depth(many, View(x="depth"))
    assert "5 of 9 init scales shown" in title(figure)
    assert legend(figure)[:5] == [f"init scale {scale}" for scale in (1, 3, 5, 7, 9)]


def test_no_figure_is_left_with_pyplot(corners):
    """Figures drawn in a loop are freed, and a notebook shows each only once."""
    for draw in FIGURES:
        draw(corners)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("draw", FIGURES)
def test_what_cannot_be_drawn_is_refused_with_the_remedy(draw, corners):
    """No runs at all, or none that were asked for."""
    with pytest.raises(UnsuitableRunsError, match="there are no runs to show"):
        draw(corners.iloc[:0])
    with pytest.raises(UnsuitableRunsError, match=r"no run has depth 3; the nearest are 2"):
        draw(corners, View(where=("depth=3",)))
