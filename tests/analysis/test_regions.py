"""The regions of a map: one for every outcome, the majority's in a cell, distinct to any eye."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from analysis.drawing.map_cells import NOT_RUN
from analysis.tables.regions import REGIONS, region_by_cell
from core.outcomes import OUTCOMES

# Machado, Oliveira & Fernandes (2009), doi:10.1109/TVCG.2009.113, severity 1, on linear RGB.
EYES = {
    "trichromat": np.eye(3),
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanope": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# IEC 61966-2-1: linear sRGB to CIE XYZ under D65.
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], dtype=float
)
# A difference of 2 can just be seen side by side; across a picture it takes several times that.
APART = 15


def lab(color, eye):
    """CIE L*a*b* of an sRGB color as an eye sees it."""
    srgb = np.array(to_rgb(color))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(EYES[eye] @ linear, 0, 1)
    t = (XYZ @ seen) / XYZ.sum(axis=1)
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one, other, eye):
    """CIE Delta E (1976) between two colors as an eye sees them."""
    return np.linalg.norm(lab(one, eye) - lab(other, eye))


@pytest.mark.parametrize("eye", EYES)
def test_regions_stay_apart_for_every_eye(eye):
    """No two regions, nor a region and the ground of cells not run, come close in color."""
    colors = {region.label("10%"): region.color for region in REGIONS}
    colors["not run"] = NOT_RUN["facecolor"]
    close = {
        (one, other): difference(colors[one], colors[other], eye)
        for one, other in combinations(colors, 2)
        if difference(colors[one], colors[other], eye) < APART
    }
    assert close == {}


def test_colors_that_an_eye_confuses_are_noticed():
    """Red and olive merge for the color-blind in red and green, blue and teal for a tritanope."""
    assert difference("#8c5a28", "#5f6e28", "trichromat") > APART
    assert difference("#8c5a28", "#5f6e28", "deuteranope") < APART
    assert difference("#8c3c28", "#4b5028", "protanope") < APART
    assert difference("#2878b4", "#288c8c", "trichromat") > APART
    assert difference("#2878b4", "#288c8c", "tritanope") < APART


def test_trained_is_green_and_diverged_is_vermilion():
    """Pictures drawn by different versions can be laid side by side."""
    colors = {(region.outcome, region.cause): region.color for region in REGIONS}
    assert colors["trained", None] == "#009e73"
    assert colors["diverged", None] == "#d55e00"
    assert colors["slow", None] == "#c8e1ff"
    assert colors["stalled", "vanishing"] == "#2f4b9a"


def test_every_outcome_has_a_region_in_the_order_of_the_rules():
    """None is left white, and the legend reads like the table of outcomes."""
    assert tuple(dict.fromkeys(region.outcome for region in REGIONS)) == OUTCOMES
    assert [region.outcome for region in REGIONS if region.cause is None] == list(OUTCOMES)
    assert len({region.label("10%") for region in REGIONS}) == len(REGIONS)


def region_of(runs):
    """The outcome and cause of the only cell's region."""
    (index,) = region_by_cell(runs.assign(learning_rate=0.1))["region"]
    return REGIONS[index].outcome, REGIONS[index].cause


@pytest.mark.parametrize(
    ("outcomes", "winner"),
    [
        (["slow"], "slow"),
        (["slow", "trained", "slow"], "slow"),
        (["slow", "trained", "slow", "trained"], "trained"),
        (["slow", "stalled", "oscillating"], "oscillating"),
    ],
)
def test_the_most_frequent_outcome_wins_and_a_tie_goes_to_the_first_region(
    make_runs, outcomes, winner
):
    """Whatever order the seeds come in."""
    seeds = range(len(outcomes))
    assert region_of(make_runs(outcome=outcomes, seed=seeds)) == (winner, None)
    assert region_of(make_runs(outcome=outcomes[::-1], seed=seeds)) == (winner, None)


def test_outcomes_are_counted_before_their_causes(make_runs):
    """Three stalls of three causes outweigh two trained seeds; then the commonest cause shows."""
    outcomes = ["trained", "trained", "stalled", "stalled", "stalled"]
    causes = [None, None, "dead", "saturated", "vanishing"]
    assert region_of(make_runs(outcome=outcomes, cause=causes)) == ("stalled", "vanishing")
    causes[-1] = "saturated"
    assert region_of(make_runs(outcome=outcomes, cause=causes)) == ("stalled", "saturated")


def test_a_cause_without_a_shade_shows_as_its_outcome(make_runs):
    """Divergences have one color; a stall whose cause was not measured has the plain one."""
    assert region_of(make_runs(outcome=["diverged"], cause="sharpening")) == ("diverged", None)
    assert region_of(make_runs(outcome=["stalled"])) == ("stalled", None)
    without = make_runs(outcome=["stalled"]).drop(columns="cause")
    assert region_of(without) == ("stalled", None)


def test_an_unknown_outcome_is_named_beside_the_known_ones(make_runs):
    """A store of a later version is refused, not drawn wrongly."""
    with pytest.raises(ValueError, match=r"'melted' has no region.*overflow, untrained, diverged"):
        region_of(make_runs(outcome=["melted"]))


def test_every_cell_of_a_real_sweep_has_its_most_frequent_outcome(runs):
    """As a plain count over the seeds has it, and stalls have a cause that one of them had."""
    cell = ["activation", "depth", "init_scale", "learning_rate"]
    found = region_by_cell(runs).set_index(cell)["region"]
    assert len(found) == len(runs) / 2
    assert {"trained", "diverged", "stalled"} < {REGIONS[index].outcome for index in found}
    for setting, group in runs.groupby(cell):
        region = REGIONS[found[setting]]
        counts = group["outcome"].value_counts()
        assert counts[region.outcome] == counts.max()
        if region.outcome == "stalled":
            assert region.cause in set(group["cause"])
