"""The tangent kernel and the Jacobian: against central differences and closed forms."""

from dataclasses import replace

import numpy as np
import pytest

from core.measuring import output_derivatives as measured
from core.measuring.curvature import extreme_curvature
from core.measuring.output_derivatives import COLUMNS, output_derivatives
from core.measuring.starts import initial_params_of
from core.network import forward

from .hessians import HIDDEN, make_network, make_problem
from .trials import make_trial

NETWORKS = [((5, 7, 7, 3), 6), ((5, 9, 2), 20), ((3, 1), 2), ((2, 6, 6, 6, 6, 4), 5)]


def differences(function, array, step=1e-6):
    """d(outputs)/d(array), (outputs x examples, entries), by central differences."""
    columns = []
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + step
        above = function()
        array[index] = kept - step
        columns.append((above - function()) / (2 * step))
        array[index] = kept
    return np.stack(columns, axis=1)


def dense_kernel(params, problem):
    """J J^T with J = d(outputs)/d(parameters), biases left out where they are none."""

    def outputs():
        return forward(params, problem.inputs[:-1], problem.hidden)[0][-1].ravel()

    free = [p if problem.biases else p[:, :-1] for p in params]
    jacobian = np.concatenate([differences(outputs, p) for p in free], axis=1)
    return jacobian @ jacobian.T


def dense_singular_values(params, problem):
    """Of d(outputs)/d(inputs) of each example, by themselves."""

    def values_at(x):
        column = x[:, None].copy()
        return np.linalg.svd(
            differences(lambda: forward(params, column, problem.hidden)[0][-1][:, 0], column),
            compute_uv=False,
        )

    return np.stack([values_at(x) for x in problem.inputs[:-1].T])


def assert_derivatives_are_dense(params, problem):
    found = output_derivatives(params, problem)
    kernel, singular = dense_kernel(params, problem), dense_singular_values(params, problem)
    values = np.linalg.eigvalsh(kernel)
    assert found["ntk_diagonal"] == pytest.approx(np.diag(kernel).mean(), rel=1e-7)
    assert found["ntk_largest"] == pytest.approx(values[-1], rel=1e-7)
    assert found["ntk_smallest"] == pytest.approx(values[0], abs=1e-7 * values[-1])
    assert found["jacobian_mean_square"] == pytest.approx(np.square(singular).mean(), rel=1e-7)
    assert found["jacobian_largest"] == pytest.approx(singular[:, 0].mean(), rel=1e-7)


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu"])
@pytest.mark.parametrize(("widths", "examples"), NETWORKS)
def test_derivatives_are_those_of_central_differences(activation, widths, examples, biases, rng):
    """Deep and shallow, more outputs than inputs and fewer, biases trained or not."""
    problem = make_problem(rng, activation, "mse", widths, examples, biases=biases)
    assert_derivatives_are_dense(make_network(widths), problem)


@pytest.mark.parametrize("hidden", [each for each in HIDDEN if "batch" not in each.values()])
def test_other_networks_have_their_own_derivatives(hidden, rng):
    """Residual connections and layer normalization."""
    widths = (5, 6, 6, 6, 3)
    problem = make_problem(rng, "tanh", "mse", widths, **hidden)
    assert_derivatives_are_dense(make_network(widths), problem)


@pytest.mark.parametrize("parameterization", ["standard", "ntk", "mup"])
def test_all_parameters_of_a_parameterization_count_alike(parameterization, rng):
    """What it makes of the initial weights enters, what of the rates does not."""
    widths = (5, 8, 8, 3)
    trial = make_trial(
        width=8, depth=3, parameterization=parameterization, base_width=2, init_scale_last=3.0
    )
    params = [p.astype(np.float64) for p in initial_params_of(trial, widths)]
    assert_derivatives_are_dense(params, make_problem(rng, "tanh", "mse", widths))


@pytest.mark.parametrize("examples", [4, 40])
@pytest.mark.parametrize("init_scale", [0.0, 1.0, 1e9])
def test_a_linear_models_tangent_kernel_is_its_inputs(init_scale, examples, rng):
    """Depth 1: x . x' + 1 once an output, for whatever weights; its Jacobian is W.

    Of more examples than there are inputs and the bias it has no inverse: exactly 0.
    """
    problem, params = make_problem(rng, "linear", "mse", (5, 3), examples), make_network((5, 3))
    params = [init_scale * p for p in params]
    found = output_derivatives(params, problem)
    values = np.linalg.eigvalsh(problem.inputs.T @ problem.inputs)
    assert found["ntk_diagonal"] == pytest.approx(values.mean())
    assert found["ntk_largest"] == pytest.approx(values[-1])
    smallest = pytest.approx(values[0]) if examples == 4 else 0
    assert found["ntk_smallest"] == smallest
    singular = np.linalg.svd(params[0][:, :-1], compute_uv=False)
    assert found["jacobian_mean_square"] == pytest.approx(np.square(singular).mean())
    assert found["jacobian_largest"] == pytest.approx(singular[0])


def test_a_smallest_eigenvalue_below_rounding_is_0(rng):
    """Of one more example than there are inputs and the bias: not 1e-16 on either side."""
    params = make_network((5, 1))
    problems = [make_problem(rng, "linear", "mse", (5, 1), 7) for _ in range(20)]
    assert {output_derivatives(params, each)["ntk_smallest"] for each in problems} == {0.0}


def test_orthogonal_linear_layers_have_unit_singular_values(rng):
    """Dynamical isometry (arXiv:1711.04735), at depth 20."""
    layers = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(20)]
    params = [np.pad(weights, ((0, 0), (0, 1))) for weights in layers]
    found = output_derivatives(params, make_problem(rng, "linear", "mse", (6,) * 21))
    assert found["jacobian_mean_square"] == pytest.approx(1)
    assert found["jacobian_largest"] == pytest.approx(1)


@pytest.mark.parametrize(
    "hidden", [{}, {"biases": False}, {"factor": 0.7}, {"normalization": "layer"}]
)
def test_without_residuals_the_kernel_is_the_hessian(hidden, rng):
    """Of mse, whose Gauss-Newton part is J^T J / examples: lambda_max = ntk_largest / examples."""
    widths = (5, 7, 7, 3)
    params, problem = make_network(widths), make_problem(rng, "tanh", "mse", widths, **hidden)
    outputs = forward(params, problem.inputs[:-1], problem.hidden)[0][-1]
    largest = output_derivatives(params, problem)["ntk_largest"] / 6
    _, fitted = extreme_curvature(params, replace(problem, targets=outputs))
    assert fitted == pytest.approx(largest, rel=1e-7)
    _, unfitted = extreme_curvature(params, problem)
    assert unfitted != pytest.approx(largest, rel=1e-3)


def test_a_dead_network_moves_by_its_output_biases_alone(rng):
    """All-zero ReLU: each output has the derivative 1 in its own bias, for every example."""
    params = [np.zeros_like(p) for p in make_network()]
    found = output_derivatives(params, make_problem(rng, "relu"))
    assert list(found.values()) == [1, pytest.approx(6), 0, 0, 0]


@pytest.mark.parametrize("scale", [1e200, np.inf])
def test_an_exploded_network_has_no_derivatives(scale, rng):
    """Nobody is warned: that is a result."""
    params = [scale * p for p in make_network()]
    found = output_derivatives(params, make_problem(rng, "relu"))
    assert not np.isfinite(list(found.values())).any()


def test_the_outputs_of_a_batch_are_not_those_of_its_examples(rng):
    """NaN with batch normalization, where an example's outputs depend on the others."""
    problem = make_problem(rng, normalization="batch")
    found = output_derivatives(make_network(), problem)
    assert list(found) == list(COLUMNS)
    assert np.isnan(list(found.values())).all()


@pytest.mark.parametrize("largest", [17, 7, 2])
def test_a_kernel_beyond_the_largest_has_a_diagonal_alone(largest, rng, monkeypatch):
    """It is not formed; what needs no kernel is the same, found in parts."""
    params, problem = make_network(), make_problem(rng)  # 3 outputs of 6 examples
    whole = output_derivatives(params, problem)
    monkeypatch.setattr(measured, "LARGEST_KERNEL", largest)
    parts = output_derivatives(params, problem)
    for name in COLUMNS:
        expected = np.nan if name in ("ntk_largest", "ntk_smallest") else whole[name]
        assert parts[name] == pytest.approx(expected, rel=1e-12, nan_ok=True)
