"""Learning rates in units of the start's sharpness: what they come to, and where there is none."""

from dataclasses import replace

import numpy as np
import pytest

from core.costs import seconds, start_seconds
from core.datasets import DATASETS
from core.measuring import measurements
from core.optimization.rate_units import critical_rates, rates_in, used_rates
from core.settings import trial_id
from core.trials import MEASUREMENTS

from ..trainings import results, tables
from .trials import make_trial, task_of

UNIT = {"learning_rate_unit": "inverse_sharpness"}


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
@pytest.mark.parametrize("init_scale", [0.1, 1.0])
def test_a_rate_in_units_is_that_rate(loss, init_scale):
    """Every number but the setting is that of the absolute rate; so is the verdict."""
    settings = {"init_scale": init_scale, "loss": loss, "measure": frozenset({"signal"})}
    in_units = make_trial(learning_rate=1.5, **settings, **UNIT)
    task = task_of(in_units)
    (found,) = results([in_units], task)
    assert found.learning_rate_used == 1.5 / found.sharpness
    settings["measure"] = frozenset({"signal", "sharpness"})
    absolute = make_trial(learning_rate=found.learning_rate_used, **settings)
    (expected,) = results([absolute], task)
    assert found.__dict__ | {"wall_seconds": 0} == expected.__dict__ | {"wall_seconds": 0}


@pytest.mark.parametrize(("c", "trains"), [(1.99, True), (2.01, False)])
@pytest.mark.parametrize("optimizer", ["gd", "momentum"])
def test_a_quadratic_is_stable_below_its_bound(c, trains, optimizer):
    """Linear regression: exactly 2, with momentum 2 (1 + beta), whatever its start."""
    factor = {"gd": 1.0, "momentum": 1.9}[optimizer]
    settings = {"depth": 1, "loss": "mse", "steps": 4000, "dtype": "float64"}
    trial = make_trial(learning_rate=factor * c, optimizer=optimizer, **settings, **UNIT)
    (run,) = results([trial], task_of(trial))
    assert (run.outcome != "diverged") == trains
    assert run.learning_rate_used < run.critical_learning_rate or not trains
    assert run.cause == (run.cause if trains else "learning_rate")
    assert run.learning_rate_used / run.critical_learning_rate == pytest.approx(c / 2)


@pytest.mark.parametrize(
    ("settings", "outcome", "loss"),
    [
        ({"init_scale": 0.0, "bias_scale": 0.0, "biases": "none", "loss": "mse"}, "untrained", 0.5),
        ({"init_scale": 1e5, "depth": 200, "activation": "linear"}, "overflow", None),
    ],
)
def test_without_curvature_no_step_is_taken(settings, outcome, loss):
    """A start that is flat, or has overflowed: a row as any other, and nobody is warned."""
    flat = make_trial(learning_rate=1.0, **settings, **UNIT)
    both = [flat, replace(flat, seed=1)]
    for run in results(both, task_of(flat)):
        assert (run.outcome, run.steps_run, run.learning_rate_used) == (outcome, 0, None)
        assert run.final_loss == loss
    found = tables(both, task_of(flat))
    assert found["curves"]["step"].tolist() == [0, 0]


def test_a_start_that_rates_share_is_measured_once(monkeypatch):
    """However many rates are given in units of its sharpness."""
    measured, of_one = [], measurements.extreme_curvature

    def counted(*given):
        measured.append(None)
        return of_one(*given)

    monkeypatch.setattr(measurements, "extreme_curvature", counted)
    trials = [
        make_trial(learning_rate=rate, seed=seed, **UNIT) for rate in (0.5, 1, 4) for seed in (0, 1)
    ]
    runs = results(trials, task_of(trials[0]))
    assert len(measured) == 2
    for run, trial in zip(runs, trials, strict=True):
        assert run.learning_rate_used * run.sharpness == pytest.approx(trial.learning_rate)


def test_the_unit_costs_the_measurement_that_it_takes():
    """Of the start, as if it had been asked for; a trial's own cost stays the same."""
    digits, plain = DATASETS["digits"], make_trial(dataset="digits", measure=frozenset())
    in_units, asked = replace(plain, **UNIT), replace(plain, measure=frozenset({"sharpness"}))
    assert start_seconds(in_units, digits) == start_seconds(asked, digits) > 0
    assert start_seconds(replace(asked, **UNIT), digits) == start_seconds(asked, digits)
    assert seconds(in_units, digits) == seconds(plain, digits)
    assert "sharpness" in MEASUREMENTS


def test_an_absolute_rate_has_the_id_that_it_had():
    """Only another unit makes another trial."""
    trial = make_trial()
    assert trial_id(replace(trial, learning_rate_unit="absolute")) == trial_id(trial)
    assert trial_id(replace(trial, **UNIT)) != trial_id(trial)


@pytest.mark.parametrize("sharpness", [0.0, -1.0, np.nan, np.inf, 1e-320])
def test_there_is_no_rate_where_the_unit_is_no_positive_number(sharpness):
    """NaN, but for an infinite lambda_max, which nobody measures: 0."""
    (rate,) = rates_in("inverse_sharpness", [2.0], [sharpness])
    assert rate == 0 if sharpness == np.inf else np.isnan(rate)
    assert rates_in("absolute", [2.0], [sharpness]).tolist() == [2.0]


def test_rates_of_rows_are_found_in_their_units():
    """Of columns and of one run; rows without a unit are absolute."""
    runs = {
        "learning_rate": [0.1, 2.0, 2.0, 0.3],
        "learning_rate_unit": ["absolute", "inverse_sharpness", "inverse_sharpness", None],
        "learning_rate_used": [0.1, 0.5, None, None],
        "critical_learning_rate": [0.2, 0.25, None, 0.4],
        "sharpness": [10.0, 4.0, 0.0, None],
    }
    np.testing.assert_array_equal(used_rates(runs), [0.1, 0.5, np.nan, 0.3])
    np.testing.assert_array_equal(critical_rates(runs), [0.2, 1.0, np.nan, 0.4])
    for place, rate in enumerate([0.1, 0.5, np.nan, 0.3]):
        one = {name: column[place] for name, column in runs.items()}
        np.testing.assert_array_equal(used_rates(one), rate)
    assert used_rates({"learning_rate": 0.1}) == 0.1
    assert np.isnan(used_rates({}))
