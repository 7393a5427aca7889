"""Measurements of starts: the tangent kernel against dense Jacobians and closed forms."""

import numpy as np
import pytest

from core.measuring.curvature import extreme_curvature
from core.measuring.measurements import measure_starts, ntk_diagonal, stacked
from core.network import forward

from .hessians import make_network, make_problem


def dense_jacobian(params, problem, step=1e-6):
    """d(outputs)/d(parameters), (outputs x examples, parameters), by central differences."""
    params, columns = [p.copy() for p in params], []

    def outputs():
        return forward(params, problem.inputs[:-1], problem.hidden)[0][-1].ravel()

    for p in params:
        for index in np.ndindex(p.shape):
            kept = p[index]
            p[index] = kept + step
            above = outputs()
            p[index] = kept - step
            columns.append((above - outputs()) / (2 * step))
            p[index] = kept
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
@pytest.mark.parametrize(("widths", "examples"), [((5, 7, 7, 3), 6), ((5, 9, 2), 20), ((3, 1), 2)])
def test_the_tangent_kernel_is_the_jacobians(activation, widths, examples, rng):
    """Its diagonal is the squared length of each of the Jacobian's rows."""
    params, problem = make_network(widths), make_problem(rng, activation, "mse", widths, examples)
    expected = np.square(dense_jacobian(params, problem)).sum(axis=1).mean()
    assert ntk_diagonal(params, problem) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("init_scale", [0.0, 1.0, 1e9])
def test_a_linear_models_tangent_kernel_is_its_inputs(init_scale, rng):
    """Depth 1: |x|^2 and the 1 of the bias, for whatever weights and however many outputs."""
    problem = make_problem(rng, "linear", "mse", (5, 3), 40)
    expected = np.square(problem.inputs).sum(axis=0).mean()
    assert ntk_diagonal(make_network((5, 3), init_scale), problem) == pytest.approx(expected)


def test_a_dead_network_moves_by_its_output_biases_alone(rng):
    """All-zero ReLU: each output has the derivative 1 in its own bias."""
    params = [np.zeros_like(p) for p in make_network()]
    assert ntk_diagonal(params, make_problem(rng, "relu")) == 1


def test_an_exploded_network_has_no_tangent_kernel(rng):
    """Nobody is warned: that is a result."""
    params = [1e200 * p for p in make_network()]
    assert not np.isfinite(ntk_diagonal(params, make_problem(rng, "relu")))


def test_starts_have_both_ends_of_their_curvature_where_it_is_asked_for(rng):
    """The smallest is the smallest."""
    networks, problem = [make_network(seed=n) for n in range(3)], make_problem(rng)
    found = measure_starts(stacked(networks), problem, {"sharpness"})["runs"]
    smallest, largest = np.transpose([extreme_curvature(p, problem) for p in networks])
    assert (smallest < largest).all()
    np.testing.assert_array_equal(found["smallest_curvature"], smallest)
    np.testing.assert_array_equal(found["sharpness"], largest)


def test_starts_have_a_tangent_kernel_where_it_is_asked_for(rng):
    """One each, the same bits as alone."""
    networks, problem = [make_network(seed=n) for n in range(3)], make_problem(rng)
    found = measure_starts(stacked(networks), problem, {"ntk"})
    assert found["layers"] == {}
    assert found["runs"]["ntk_diagonal"].tolist() == [ntk_diagonal(p, problem) for p in networks]
    assert measure_starts(stacked(networks), problem, set())["runs"] == {}
