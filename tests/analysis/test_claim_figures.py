"""The figures of the argument: every measured point is drawn, where its numbers say."""

import numpy as np
import pytest

from analysis.claims.argument import CLAIMS, PROFILES, evidence, selected
from analysis.figures.claim_c8 import claim_c8
from analysis.figures.claim_c9 import COLORS, claim_c9
from analysis.figures.claim_layers import claim_layers
from core.outcomes import DIVERGED


@pytest.fixture(scope="module")
def rows(claims_store):
    """The evidence of claims C8 and C9."""
    return {claim: evidence(claims_store, CLAIMS[claim]) for claim in ("C8", "C9")}


def test_c8_draws_each_run_at_its_rate_and_gradient(rows):
    """In the panel of its depth, among those that diverged or those that did not."""
    figure = claim_c8(rows["C8"])
    for panel, (depth, here) in zip(figure.axes, rows["C8"].groupby("depth"), strict=True):
        assert panel.get_title() == f"depth {depth}"
        kept, lost, curvature = panel.get_lines()
        diverged = here["outcome"].isin(DIVERGED)
        for line, chosen in ((kept, here[~diverged]), (lost, here[diverged])):
            np.testing.assert_array_equal(line.get_xdata(), chosen["learning_rate"])
            np.testing.assert_array_equal(line.get_ydata(), chosen["gradient_norm"])
        assert (kept.get_label(), lost.get_label()) == ("did not diverge", "diverged")
        starts = here.drop_duplicates("init_scale")
        np.testing.assert_array_equal(curvature.get_xdata(), starts["critical_learning_rate"])
        np.testing.assert_array_equal(curvature.get_ydata(), starts["gradient_norm"])


def test_c9_joins_each_net_over_its_features(rows):
    """A gray line for each net, a marker and a prediction for each of its features."""
    figure = claim_c9(rows["C9"])
    for panel, (activation, here) in zip(
        figure.axes, rows["C9"].groupby("activation"), strict=True
    ):
        assert panel.get_title() == activation
        joined = [line for line in panel.get_lines() if len(line.get_xdata()) == len(COLORS)]
        assert len(joined) == here["init_scale"].nunique()
        growth = here.drop_duplicates(["init_scale", "features"])["chi_measured"]
        drawn = np.concatenate([line.get_xdata() for line in joined])
        np.testing.assert_allclose(np.sort(drawn), np.sort(growth))
        (chi_of_one,) = (line for line in panel.get_lines() if list(line.get_ydata()) == [0, 1])
        assert set(chi_of_one.get_xdata()) == {1}


def test_the_layers_of_every_deep_net_are_drawn(claims_store):
    """Forward on the left, back on the right, in powers of ten."""
    rows = selected(claims_store, PROFILES)
    forward, back = claim_layers(rows).axes
    nets = rows.groupby(["activation", "init_scale"])
    for left, right, (_, net) in zip(forward.get_lines(), back.get_lines(), nets, strict=True):
        np.testing.assert_allclose(left.get_ydata(), net["log10_mean_square_h"] / 2)
        np.testing.assert_allclose(right.get_ydata(), net["log10_gradient_per_error"])


def test_figures_name_no_verdict(rows, claims_store):
    """A verdict follows from the rows; a title that tells it would be written in advance."""
    drawn = (
        claim_c8(rows["C8"]),
        claim_c9(rows["C9"]),
        claim_layers(selected(claims_store, PROFILES)),
    )
    for figure in drawn:
        title = figure.get_suptitle().lower()
        assert not any(word in title for word in ("holds", "fails", "two effects"))
