"""Cures: how they are named, the shares that train, and their figure."""

import numpy as np
import pandas as pd
import pytest

from analysis.figures.cures import MOST_CURES, cures_by_share
from analysis.figures.named import TABLES
from analysis.tables.cures import trained_by_cure, with_cures
from analysis.tables.regions import REGIONS
from analysis.tables.views import View
from core.settings import values_of

from ..core.trials import make_trial


def run(outcome="slow", **changes):
    """A row of a run with changed settings, as a store has it."""
    return {**values_of(make_trial(**changes)), "outcome": outcome, "cause": None}


def plane(outcomes, **changes):
    """Runs over two init scales and as many learning rates as there are pairs of outcomes."""
    rates = np.geomspace(0.01, 1, len(outcomes) // 2)
    cells = [(scale, rate) for scale in (0.5, 2.0) for rate in rates]
    return [
        run(outcome, init_scale=scale, learning_rate=rate, **changes)
        for outcome, (scale, rate) in zip(outcomes, cells, strict=True)
    ]


@pytest.fixture
def runs():
    """A plain network of which nothing trains, and three changes of it."""
    return pd.DataFrame(
        plane(["slow"] * 4)
        + plane(["slow", "trained", "trained", "trained"], optimizer="adam")
        + plane(["slow", "slow", "slow", "trained"], batch_size=8, clip_norm=0.5)
        + plane(["trained", "slow", "slow", "trained"], activation="relu")
    )


def test_a_cure_is_named_by_what_was_changed(runs):
    """An optimizer and an activation by their names alone; what is plain is not named."""
    named = with_cures(runs)
    assert named["cure"].unique().tolist() == [
        "plain",
        "adam",
        "clip norm 0.5, batch size 8",
        "relu",
    ]
    assert named["trained_level"].equals(runs["trained_level"])


def test_where_no_value_is_the_usual_one_each_is_named():
    """Two activations, as many runs of each."""
    runs = pd.DataFrame(plane(["slow"] * 2) + plane(["slow"] * 2, activation="relu"))
    assert with_cures(runs)["cure"].unique().tolist() == ["tanh", "relu"]


def test_a_single_kind_of_network_is_plain():
    """Nothing varies but the plane."""
    assert with_cures(pd.DataFrame(plane(["slow"] * 2)))["cure"].unique().tolist() == ["plain"]


def test_the_share_that_trains_comes_with_its_interval(runs):
    """The best first; Wilson's interval of 3 of 4; the rates between which they lie."""
    found = trained_by_cure(runs)
    assert found["cure"].tolist() == ["adam", "relu", "clip norm 0.5, batch size 8", "plain"]
    assert found["share"].tolist() == [0.75, 0.5, 0.25, 0]
    best = found.iloc[0]
    assert (best["runs"], best["trained"]) == (4, 3)
    assert (best["low"], best["high"]) == pytest.approx((0.3006, 0.9544), abs=1e-4)
    assert (best["lowest_rate"], best["highest_rate"]) == (0.01, 1)
    assert found.iloc[3][["lowest_rate", "highest_rate"]].isna().all()


def test_the_figure_has_a_map_for_each_cure(runs):
    """Titled with its share; a cell has the color of its outcome."""
    figure = cures_by_share(runs)
    drawn = [panel for panel in figure.axes if panel.get_visible()]
    titles = [panel.get_title().replace("\n", " ") for panel in drawn]
    assert titles == [
        "adam: 75% trains",
        "relu: 50% trains",
        "clip norm 0.5, batch size 8: 25% trains",
        "plain: 0% trains",
    ]
    cells = drawn[0].collections[0].get_array().reshape(2, 2)
    outcomes = [[REGIONS[int(cell)].outcome for cell in row] for row in cells]
    assert outcomes == [["slow", "trained"], ["trained", "trained"]]


def test_the_figure_leaves_out_what_helps_least_and_says_so():
    """Twenty decays, of which each trains somewhere but the smallest ones."""
    rows = []
    for number in range(MOST_CURES + 4):
        outcomes = ["trained" if number >= 4 else "slow", "slow"]
        rows += plane(outcomes, weight_decay=(number + 1) / 1000)
    figure = cures_by_share(pd.DataFrame(rows), View(x="learning_rate", y="init_scale"))
    assert sum(panel.get_visible() for panel in figure.axes) == MOST_CURES
    assert "the 16 of 20 cures with which most trains are shown" in figure._suptitle.get_text()


def test_the_table_is_known_by_its_name(make_store, runs):
    """Of a store, and of the part of it that is asked for."""
    table = TABLES["cures"](make_store(runs), None, View(where=("optimizer=gd",)))
    assert set(table["cure"]) == {"relu", "clip norm 0.5, batch size 8", "plain"}
