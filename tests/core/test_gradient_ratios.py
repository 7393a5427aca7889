"""Gradients compared: signals that are lost apart from examples' gradients that cancel."""

import numpy as np
import pytest

from core.gradient_descent import Problem
from core.measuring.gradient_ratios import (
    gradient_alignment,
    log10_gradient_per_error,
    log10_hidden_gradient_ratio,
    log10_hidden_signal_ratio,
    log10_signal_per_error,
)
from core.measuring.signal_propagation import signal_propagation

INPUTS = np.array([[1.0, -1.0, 2.0, -2.0], [1.0, 1.0, 1.0, 1.0]])


def signals(weights, targets, activation="linear"):
    """Of a chain of single units without biases."""
    params = [np.array([[[w, 0.0]]]) for w in weights]
    problem = Problem(INPUTS, np.array([targets]), activation, "mse", 1.0)
    return signal_propagation(params, problem)


def test_biases_that_are_no_parameters_do_not_count():
    """The weights' gradients 1, 1, -1, -1 cancel, though those of the bias agree."""
    problem = Problem(INPUTS[:, [0, 1, 0, 1]], np.full((1, 4), 1.0), "linear", "mse", 1.0)
    zero = signal_propagation([np.zeros((1, 1, 2))], problem)
    assert gradient_alignment(zero) == pytest.approx(np.sqrt(1 / 2))
    assert gradient_alignment(zero, biases=False) == pytest.approx(0)


def test_examples_that_agree_have_alignment_one_and_those_that_cancel_none():
    """Two equal examples with residuals 1, 1; then 1, -1. By the definition, biases included."""
    problem = Problem(np.ones((2, 2)), np.array([[1.0, 1.0]]), "linear", "mse", 1.0)
    zero = [np.zeros((1, 1, 2))]
    assert gradient_alignment(signal_propagation(zero, problem)) == pytest.approx(1)
    problem = Problem(np.ones((2, 2)), np.array([[1.0, -1.0]]), "linear", "mse", 1.0)
    assert gradient_alignment(signal_propagation(zero, problem)) == 0


def test_alignment_is_the_mean_gradients_norm_over_the_rms_of_the_examples():
    """Against the definition, example by example, for one layer with a bias."""
    residual = INPUTS[0] * 0.5 - np.array([1.0, 2.0, 0.0, 1.0])
    each = residual * INPUTS
    expected = np.linalg.norm(each.mean(axis=1)) / np.sqrt(np.square(each).sum(axis=0).mean())
    found = gradient_alignment(signals([0.5], [1.0, 2.0, 0.0, 1.0]))
    assert found == pytest.approx(expected, rel=1e-12)


def test_at_a_stationary_point_mean_gradients_are_lost_and_signals_are_not():
    """y = |x|: the best slope of 0 through a second unit of 0.5; each example still pulls."""
    found = signals([0.0, 0.5], [1.0, 1.0, 2.0, 2.0])
    assert log10_gradient_per_error(found) == -np.inf
    assert log10_signal_per_error(found) == pytest.approx(np.log10(0.5 * np.sqrt(34 / 10)))


def test_a_signal_lost_behind_the_first_layer_shows_against_the_error():
    """Through a last weight of 1e-12; a stationary point alone would not."""
    found = signals([0.0, 1e-12], [1.0, 1.0, 2.0, 2.0])
    assert log10_signal_per_error(found) == pytest.approx(np.log10(1e-12 * np.sqrt(34 / 10)))


def test_no_example_with_a_gradient_has_no_alignment():
    """A perfect fit: 0 over 0 is no number."""
    assert np.isnan(gradient_alignment(signals([1.0], INPUTS[0])))


def test_signals_far_outside_a_float64_have_ratios():
    """1,000 layers of 0.1: the first layer's gradient is 10^-999 of the output error."""
    found = signals([0.1] * 1000, [1.0, 1.0, 2.0, 2.0])
    assert log10_hidden_signal_ratio(found) == pytest.approx(0, abs=1e-9)
    assert log10_signal_per_error(found) == pytest.approx(-999, abs=1)
    assert np.isfinite(gradient_alignment(found))


def test_without_a_hidden_layer_the_first_layer_is_the_last():
    """So that neither ratio shows anything."""
    found = signals([0.5], [1.0, 1.0, 2.0, 2.0])
    assert log10_hidden_signal_ratio(found) == log10_hidden_gradient_ratio(found) == 0
    assert log10_gradient_per_error(found) <= log10_signal_per_error(found)
