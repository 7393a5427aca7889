"""How large a run's inputs are: from its first layer, or from its data set."""

import numpy as np
import pandas as pd
import pytest

from analysis.reading.stores import read_layers
from analysis.theory.input_mean_squares import data_mean_square, input_mean_square
from core.settings import values_of

from ..core.trials import make_trial

UNMEASURED = pd.DataFrame({"layer": []})
SPIRALS = values_of(
    make_trial(
        dataset="spirals", examples=128, features="raw", width=32, init_scale=1.5, bias_scale=0.5
    )
)


def first_layer(log10_mean_square_h):
    return pd.DataFrame({"layer": [1, 2], "log10_mean_square_h": [log10_mean_square_h, 0.0]})


def test_the_first_layers_variance_gives_the_inputs_back():
    """q_1 = sigma_w^2 |x|^2 / n + sigma_b^2; never below 0."""
    q = 1.5**2 * 0.3 + 0.5**2
    assert input_mean_square(SPIRALS, first_layer(np.log10(q))) == (pytest.approx(0.3))
    assert input_mean_square(SPIRALS, first_layer(-3.0)) == 0
    assert input_mean_square(SPIRALS, first_layer(1000.0)) > 1e90


def test_without_a_measurement_the_data_set_tells():
    """Raw spirals of 128 examples have 0.2698; a user's own file counts as standardized."""
    for layers in (UNMEASURED, first_layer(None)):
        assert input_mean_square(SPIRALS, layers) == pytest.approx(0.26975, abs=1e-5)
    assert input_mean_square(SPIRALS | {"init_scale": 0.0}, first_layer(-0.6)) == (
        pytest.approx(0.26975, abs=1e-5)
    )
    assert data_mean_square(SPIRALS | {"dataset": "mine.csv-0123"}) == 1


def test_an_orthogonal_layer_that_widens_sees_smaller_inputs():
    """From 2 features to 32 units its weights have a sixteenth of the variance."""
    widened = data_mean_square(SPIRALS | {"initializer": "orthogonal"})
    assert widened == pytest.approx(data_mean_square(SPIRALS) * 2 / 32)
    of_std = data_mean_square(SPIRALS | {"initializer": "weight_std"})
    assert of_std == pytest.approx(data_mean_square(SPIRALS) * 2 / 32)


def test_measured_and_exact_sizes_agree_on_real_runs(store, runs):
    """Six units scatter: within a factor of three, seed by seed, in every run."""
    for run in runs.drop_duplicates(["init_scale", "seed"]).to_dict("records"):
        layers = read_layers(store, where={"trial_id": run["trial_id"]})
        measured = input_mean_square(run, layers)
        assert 1 / 3 < measured / data_mean_square(run) < 3
