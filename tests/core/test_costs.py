"""The cost model: what a training costs more than another, by the tables' own facts."""

from dataclasses import replace

import pytest

from core.costs import HELD_OUT_STEPS, flops, seconds, start_seconds
from core.datasets import DATASETS
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import CURVE_POINTS, LAST_POINTS
from core.hidden_layers import NORMALIZATIONS
from core.optimization.optimizers import OPTIMIZERS
from core.trials import LARGEST_KERNEL, MEASUREMENTS, Trial

DIGITS = DATASETS["digits"]
TRIAL = Trial(
    dataset="digits",
    examples=128,
    features="standardized",
    depth=11,
    width=32,
    activation="tanh",
    initializer="gaussian",
    init_scale=1.0,
    bias_scale=0.0,
    learning_rate=0.1,
    loss="cross_entropy",
    steps=400,
    seed=0,
    dtype="float32",
    measure=frozenset(),
)


def with_(**settings):
    return replace(TRIAL, **settings)


@pytest.mark.parametrize("depth", [1, 2, 3, 11])
def test_operations_are_counted_layer_by_layer(depth):
    """Two a weight, bias, example and pass, three passes a step, and the loss at the end."""
    widths = [64, *[32] * (depth - 1), 10]
    weights = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    assert flops(with_(depth=depth), DIGITS) == 6 * weights * 128 * 401


def test_layers_that_differ_cost_what_each_has():
    """By their own units: 5-40-3 costs less than 40 thrice and more than 5 thrice."""
    own = {"width": 40, "depth": 4, "hidden_widths": "5-40-3", "measure": frozenset({"ntk"})}
    widths = [64, 5, 40, 3, 10]
    weights = sum((a + 1) * b for a, b in zip(widths[:-1], widths[1:], strict=True))
    assert flops(with_(**own), DIGITS) == 6 * weights * 128 * 401
    for cost in (seconds, start_seconds):
        narrow, between, wide = (
            cost(with_(**own | {"width": width, "hidden_widths": text}), DIGITS)
            for width, text in ((5, "equal"), (40, "5-40-3"), (40, "equal"))
        )
        assert narrow < between < wide


def test_one_output_costs_less_than_two():
    """Where a loss tells two classes apart by one, that one is counted."""
    data, settings = DATASETS["breast_cancer"], {"depth": 1, "steps": 0}
    two, one = (flops(with_(**settings, loss=n), data) for n in ("mse", "binary_cross_entropy"))
    assert (two, one) == (6 * 31 * 2 * 128, 6 * 31 * 128)


def test_an_activation_costs_what_its_entry_says():
    """The elements' share of the time, in proportion; a linear model has none."""
    base = seconds(TRIAL, DIGITS)
    per_cost = seconds(with_(activation="gelu"), DIGITS) - base
    per_cost /= ACTIVATIONS["gelu"].cost - ACTIVATIONS["tanh"].cost
    assert per_cost > 0
    for name, activation in ACTIVATIONS.items():
        expected = base + per_cost * (activation.cost - 1)
        assert seconds(with_(activation=name), DIGITS) == pytest.approx(expected)
        assert seconds(with_(activation=name, depth=1), DIGITS) == seconds(with_(depth=1), DIGITS)


# Around what tests/benchmarks/bench_cost_model.py measures: wide enough for another machine,
# narrow enough that a misplaced factor of ten is seen.
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("gelu", 1.5, 5),
        ("silu", 1, 3),
        ("softplus", 1, 3),
        ("erf", 1, 3),
        ("sigmoid", 0.7, 2),
        ("elu", 0.4, 1.2),
        ("selu", 0.4, 1.2),
        ("relu", 0.1, 0.7),
        ("linear", 0.1, 0.7),
    ],
)
def test_an_activation_is_priced_near_what_was_measured(name, least, most):
    """Beside tanh, whose elements are the unit."""
    assert ACTIVATIONS["tanh"].cost == 1
    assert least < ACTIVATIONS[name].cost < most


def test_residual_connections_cost_something_an_element():
    """Less than tanh, whatever their factor; a linear model has none."""
    tanh = seconds(TRIAL, DIGITS)
    share = (seconds(with_(residual="1"), DIGITS) - tanh) / (tanh - seconds(with_(depth=1), DIGITS))
    assert 0 < share < 0.2
    assert seconds(with_(residual="inverse_depth"), DIGITS) == seconds(with_(residual="1"), DIGITS)
    alone = with_(depth=1, residual="1")
    assert seconds(alone, DIGITS) == seconds(with_(depth=1), DIGITS)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_normalization_costs_what_its_entry_says(name):
    """An element, of tanh's."""
    tanh, relu = seconds(TRIAL, DIGITS), seconds(with_(activation="relu"), DIGITS)
    per_cost = (tanh - relu) / (1 - ACTIVATIONS["relu"].cost)
    added = seconds(with_(normalization=name), DIGITS) - tanh
    assert added == pytest.approx(per_cost * NORMALIZATIONS[name].cost)


@pytest.mark.parametrize("hidden", [{"residual": "1"}, {"normalization": "batch"}])
def test_curvature_costs_thrice_where_a_network_is_not_plain(hidden):
    """Its products are complex steps; other measurements cost their usual steps."""
    for name, times in (("sharpness", 3), ("signal", 1)):
        step = seconds(with_(dtype="float64", steps=401, **hidden), DIGITS)
        step -= seconds(with_(dtype="float64", **hidden), DIGITS)
        found = start_seconds(with_(measure=frozenset({name}), **hidden), DIGITS)
        assert found == pytest.approx(times * MEASUREMENTS[name].at_start * step)


def test_elements_weigh_as_much_as_products_and_a_trial_little():
    """At width 32 tanh takes 20% to 80% of a step's time, and a trial's own start hardly any."""
    relu, tanh = (seconds(with_(activation=name), DIGITS) for name in ("relu", "tanh"))
    elements = (tanh - relu) / (1 - ACTIVATIONS["relu"].cost)
    assert 0.2 < elements / tanh < 0.8
    assert seconds(with_(steps=0), DIGITS) < 2e-3
    assert seconds(with_(steps=0, depth=1, width=1, examples=2), DIGITS) > 1e-5


def test_float64_costs_more():
    """Half as many numbers fit in a register."""
    ratio = seconds(with_(dtype="float64"), DIGITS) / seconds(TRIAL, DIGITS)
    assert 1.5 < ratio < 3


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_costs_its_steps_where_it_is_made(name):
    """At the start, which learning rates share, at the end or at logged steps."""
    asked, measurement = with_(measure=frozenset({name})), MEASUREMENTS[name]
    data = replace(DIGITS, classes=LARGEST_KERNEL)  # too many for a tangent kernel
    steps = measurement.at_end + measurement.at_logged_step * CURVE_POINTS
    in_float64 = with_(dtype="float64")
    step = seconds(with_(dtype="float64", steps=401), data) - seconds(in_float64, data)
    assert seconds(asked, data) - seconds(TRIAL, data) == pytest.approx(steps * step)
    assert start_seconds(asked, data) == pytest.approx(measurement.at_start * step)


def test_a_kernel_costs_its_entries_and_its_eigenvalues():
    """Between the square and the cube of its rows; with batch normalization there is none."""
    asked = with_(measure=frozenset({"ntk"}))

    def of_kernel(examples, **settings):
        trial = replace(asked, examples=examples, **settings)
        steps = MEASUREMENTS["ntk"].at_start
        step = seconds(replace(trial, measure=frozenset(), dtype="float64", steps=401), DIGITS)
        step -= seconds(replace(trial, measure=frozenset(), dtype="float64"), DIGITS)
        return start_seconds(trial, DIGITS) - steps * step

    once, twice = of_kernel(100), of_kernel(200)
    assert 4 * once < twice < 8 * once
    assert 0.1 < of_kernel(128) < 1
    assert of_kernel(100, normalization="batch") == pytest.approx(0, abs=1e-12)


def test_batches_cost_their_examples_and_the_losses_of_all():
    """A quarter of the operations, but for the measured steps; a batch of all costs the same."""
    long = with_(steps=10_000)
    full, part = flops(long, DIGITS), flops(replace(long, batch_size=32), DIGITS)
    measured = CURVE_POINTS + LAST_POINTS + 1
    assert part / full == pytest.approx((32 * 10_000 + 128 * measured) / (128 * 10_001))
    assert flops(with_(batch_size=128), DIGITS) == flops(TRIAL, DIGITS)
    assert seconds(with_(batch_size=128), DIGITS) == seconds(TRIAL, DIGITS)
    one = with_(batch_size=1, measure=frozenset())
    assert flops(one, DIGITS) / flops(TRIAL, DIGITS) < seconds(one, DIGITS) / seconds(TRIAL, DIGITS)


def test_an_optimizer_costs_what_its_entry_says():
    """For each parameter and step; Adam, which has a root and a quotient, most."""
    base = seconds(TRIAL, DIGITS)
    extra = {name: seconds(with_(optimizer=name), DIGITS) - base for name in OPTIMIZERS}
    assert extra["gd"] == 0
    assert 0 < extra["momentum"] < extra["adam"] < 0.15 * base
    twice = seconds(with_(optimizer="adam", steps=800), DIGITS) - seconds(with_(steps=800), DIGITS)
    assert twice == pytest.approx(2 * extra["adam"])


def test_held_out_examples_cost_steps_of_as_many_examples():
    """In float64, once, however many steps are taken."""
    for steps in (0, 400):
        some, more = (with_(steps=steps, test_examples=n) for n in (64, 128))
        alone, in_float64 = with_(steps=steps), with_(steps=steps, dtype="float64")
        step = seconds(with_(steps=steps + 1, dtype="float64"), DIGITS) - seconds(
            in_float64, DIGITS
        )
        of_128 = seconds(more, DIGITS) - seconds(alone, DIGITS)
        assert of_128 == pytest.approx(HELD_OUT_STEPS * step)
        assert seconds(some, DIGITS) - seconds(alone, DIGITS) == pytest.approx(of_128 / 2)
