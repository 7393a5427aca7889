"""Runs whose learning rates are in units of the start's sharpness are never read as others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.advising.advice import rate_advice
from analysis.atlas.data import atlas_data
from analysis.explaining.causes import no_critical_rate, why
from analysis.explaining.explanation import as_run, theory_sentences, wanting_a_rate
from analysis.explaining.pytorch_lines import conventions, pytorch_lines
from analysis.explaining.suggestions import suggestions
from analysis.figures.catapult import catapult_by_rate
from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth
from analysis.reading.stores import read_runs
from analysis.tables.boundaries import boundary_learning_rates
from analysis.tables.curvatures import edge_of_stability, largest_stable_rates
from analysis.theory.plain_networks import PLAIN

C = [0.5, 1.0, 1.9, 30.0]
RATES = f"""
dataset: digits
examples: 24
depth: [2, 3]
width: 6
activation: linear
init_scale: [0, 1, 2]
learning_rate: {C}
learning_rate_unit: inverse_sharpness
biases: none
loss: mse
steps: 20
"""


@pytest.fixture(scope="module")
def in_units(trained_store):
    """A store of 24 trainings, of which 4, 3 layers of zeros, start flat."""
    return trained_store(RATES)


@pytest.fixture
def found(in_units):
    """Its runs."""
    return read_runs(in_units)


def test_the_tables_rates_are_c(found):
    """Each start survived up to one of the c that were asked for."""
    table = largest_stable_rates(found[found["init_scale"] > 0])
    assert set(table["c_stable"].round(9)) <= set(C)
    assert table["c_diverged"].round(9).tolist() == [30.0] * 4


def test_sharpness_along_training_is_measured_in_used_rates(make_runs):
    """c = 3 at a start of 6 is eta = 0.5, as of a run that names it."""
    runs = make_runs(
        trial_id=["a", "b"],
        learning_rate=[3.0, 0.5],
        learning_rate_unit=["inverse_sharpness", "absolute"],
        learning_rate_used=0.5,
        steps=10,
    )
    curves = pd.DataFrame({"trial_id": ["a", "b"], "step": 10, "loss": 1.0, "sharpness": 4.0})
    assert edge_of_stability(curves, runs)["late_ratio"].tolist() == [1.0, 1.0]


def test_the_catapult_lies_at_c(found):
    """Not at c times the sharpness."""
    panel = catapult_by_rate(found).axes[0]
    drawn = np.concatenate([line.get_xdata() for line in panel.lines if line.get_marker() == "o"])
    assert set(drawn.round(9)) <= set(C)
    plt.close("all")


def test_the_predicted_boundary_is_2(found):
    """In these units, at every depth; the straight lines of linear nets hold for absolute rates."""
    figure = boundary_learning_rate_by_depth(found)
    panel = figure.axes[0]
    dashes = [line.get_ydata() for line in panel.lines if line.get_marker() == "x"]
    known = np.concatenate(dashes)
    np.testing.assert_allclose(known[np.isfinite(known)], 2.0)
    assert not [line for line in panel.lines if line.get_linestyle() == ":"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert not [label for label in labels if "linear nets" in label]
    assert "unit" in figure.get_suptitle()


def test_a_start_without_a_rate_has_no_boundary(found):
    """No step was taken: nothing was found stable, either."""
    zeros = found[(found["init_scale"] == 0) & (found["depth"] == 3)]
    (row,) = boundary_learning_rates(zeros).to_dict("records")
    assert np.isnan([row["stable_learning_rate"], row["diverged_learning_rate"]]).all()
    assert not row["reentrant"]


def test_a_divergence_is_told_by_the_rate_that_was_used(found):
    """30 / lambda_max is 15 times 2 / lambda_max; half of that is c = 1."""
    diverged = as_run(found[found["cause"] == "learning_rate"].iloc[0])
    used = f"{diverged['learning_rate_used']:.4g} is 15 times 2 / lambda_max"
    assert used in why(diverged)
    assert f"learning rate {used}" in " ".join(theory_sentences(diverged, None))
    (remedy,) = suggestions(diverged)
    assert remedy.changes == {"learning_rate": 1.0}
    (*_, line) = pytorch_lines({**diverged, **remedy.changes}, remedy.changes)
    assert line == "optimizer = torch.optim.SGD(net.parameters(), lr=1 / sharpness)"
    assert conventions(diverged).endswith("with a multiple of it, take that one's sharpness.")


def test_a_flat_start_is_explained(found):
    """No step was taken, for want of a rate; theory's start would have one."""
    zeros = found[(found["init_scale"] == 0) & (found["depth"] == 3)]
    flat = as_run(zeros.iloc[0])
    assert set(zeros["outcome"]) == {"untrained"}
    assert "0.5 / lambda_max, and lambda_max of the start is 0, no positive number" in why(flat)
    assert "was not found" in why({**flat, "sharpness": None})
    assert "the start's sharpness is no positive number" in no_critical_rate(flat)
    remedy = suggestions(flat)[0]
    assert {"init_scale"} <= set(remedy.changes)
    assert remedy.needs_a_rate
    assert wanting_a_rate(flat, [remedy]) == []
    assert wanting_a_rate({**flat, "learning_rate_unit": "absolute"}, [remedy]) == [remedy]


def test_advice_takes_absolute_rates_alone(in_units, found, make_store):
    """A store without one is refused; runs of another unit beside them are left out."""
    wanted = {"activation": "linear", "depth": 2, "init_scale": 1.0, "width": 6, **PLAIN}
    with pytest.raises(ValueError, match=r"learning_rate_unit: absolute"):
        rate_advice(in_units, wanted)
    both = found.assign(learning_rate_unit="absolute", learning_rate=1e-3 * found["learning_rate"])
    mixed = make_store(pd.concat([found, both.assign(outcome="trained")]), "mixed")
    assert rate_advice(mixed, wanted).rate.learning_rate < 0.1


def test_the_page_compares_the_used_rate_with_the_critical_one(in_units):
    """c / 2."""
    header, columns = atlas_data(in_units)
    (measure,) = [each for each in header["measures"] if each["name"] == "rate_ratio"]
    assert measure["log"]
    ratios = 10 ** columns["measure rate_ratio"]
    known = np.unique(ratios[np.isfinite(ratios)].round(2))
    np.testing.assert_allclose(known, np.divide(C, 2), rtol=1e-2)
