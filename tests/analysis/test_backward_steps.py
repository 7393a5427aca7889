"""The two backward steps of claim C4: only there, and only one of them right."""

import numpy as np
import pandas as pd
import pytest

from analysis.claims.argument import CLAIMS, selected
from analysis.claims.backward_steps import Net, backward, backward_steps
from analysis.theory.redrawn import params_of, task_of
from core.functions.activations import ACTIVATIONS


@pytest.fixture(scope="module")
def runs(claims_store):
    """The runs of claim C4: three activations, two init scales, three seeds."""
    return selected(claims_store, CLAIMS["C4"].query)


def test_a_network_drawn_again_is_the_one_that_was_measured(runs, claims_store):
    """Each layer's gradient norm, the biases left out, is the one in the store."""
    layers = pd.read_parquet(claims_store / "layers")
    for _, run in runs.iterrows():
        net = Net(params_of(run), ACTIVATIONS[run["activation"]], run["loss"], task_of(run))
        gradients = backward(net, "slope")[1]
        norms = [np.log10(np.linalg.norm(gradient[:, :-1])) for gradient in gradients]
        stored = layers[layers["trial_id"] == run["trial_id"]].sort_values("layer")
        np.testing.assert_allclose(norms, stored["log10_gradient_norm"], rtol=1e-9)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_slope_is_right_for_every_activation_and_loss(activation, loss, runs):
    """And the value is wrong by more than a tenth: finite differences tell them apart."""
    run = runs.iloc[[0]].assign(activation=activation, loss=loss, depth=4)
    error = backward_steps(run).set_index("factor")["gradient_error"]
    assert error["slope"] < 1e-4
    assert error["value"] > 0.1


def test_a_gradient_that_is_off_by_a_thousandth_is_noticed(runs, monkeypatch):
    """Finite differences are exact enough to find a small error planted in the slope."""
    planted = {"slope": lambda phi, h, a: 1.001 * phi.derivative(h.copy())}
    monkeypatch.setattr("analysis.claims.backward_steps.FACTORS", planted)
    assert backward_steps(runs.iloc[[0]])["gradient_error"].item() > 1e-3


def test_growth_per_layer_by_the_slope_is_the_measured_chi(runs):
    """The same layers, the same mean as in the store."""
    steps = backward_steps(runs)
    right = steps[steps["factor"] == "slope"]
    np.testing.assert_allclose(right["growth_per_layer"], right["chi_measured"], rtol=1e-9)
