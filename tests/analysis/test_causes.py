"""Why a run ended so, in words."""

import pytest

from analysis.explaining.causes import CAUSES, LATER, OUTCOMES, no_critical_rate, power, why
from analysis.explaining.explanation import as_run
from analysis.tables.regions import INDEX, REGIONS
from core import outcomes


def test_every_outcome_and_cause_has_words():
    """Those of core's one list and no others: a new one must be explained, and have a region."""
    assert set(OUTCOMES) == set(outcomes.OUTCOMES) == {region.outcome for region in REGIONS}
    assert set(CAUSES) == set(outcomes.CAUSES)
    explained = [(region.outcome, region.cause) for region in REGIONS if region.cause]
    assert all(outcome in outcomes.CAUSES[cause] for outcome, cause in explained)
    stalls = {cause for cause, outcomes in outcomes.CAUSES.items() if "stalled" in outcomes}
    assert all(("stalled", cause) in INDEX for cause in stalls)


def test_a_divergence_is_told_with_its_numbers(runs):
    """The learning rate beside the curvature's bound."""
    diverged = runs[runs["cause"] == "learning_rate"].iloc[0]
    told = why(as_run(diverged))
    assert f"{diverged['learning_rate']:.4g} is" in told
    assert f"2 / lambda_max = {diverged['critical_learning_rate']:.4g}" in told


@pytest.fixture
def run(runs):
    """A row with every number, to be given another ending."""
    return as_run(runs[runs["outcome"] == "stalled"].iloc[0])


def test_a_signal_is_told_example_by_example_where_that_was_measured(run):
    """An older store has the gradients' sums only."""
    old = {**run, "cause": "vanishing", "final_log10_gradient_ratio": -7.0}
    absent = ("gradient_per_error", "signal_ratio", "signal_per_error")
    old |= dict.fromkeys([f"final_log10_{name}" for name in absent])
    assert "gradient is 10^-7.0 of the last hidden layer's: it hardly moves" in why(old)
    new = {**old, "final_log10_signal_ratio": -9.0, "final_log10_signal_per_error": -12.0}
    assert "gradient for an example is 10^-9.0 of the last hidden layer's and 10^-12.0" in why(new)
    none = {**old, "final_log10_gradient_ratio": None}
    assert why(none).startswith("The signal is lost on its way through the layers. Of 76")


def test_a_converged_run_is_not_sent_on(run):
    """A stationary point above the trained level: cancelling gradients, not small steps."""
    deep = {**run, "cause": "converged", "depth": 3, "tail_loss": 0.5, "baseline_loss": 2.0}
    told = why({**deep, "final_gradient_alignment": 1e-5})
    assert "at 25% of the constant's loss" in told
    assert "cancel (their mean is 1e-05 of their size)" in told
    assert "minimum or a saddle" in told
    assert "the best that a linear model can do" in why({**deep, "depth": 1})


def test_a_layer_that_died_is_told_with_the_peak_before(run):
    """If there was one: a layer may also start dead."""
    dead = {**run, "cause": "dead", "final_active_fraction": 0.0, "initial_loss": 2.0}
    assert "the loss rose from 2 to 5675" in why({**dead, "peak_loss": 5675.0})
    assert "rose" not in why({**dead, "peak_loss": 2.0})


def test_no_promise_is_made_for_ever(run):
    """What may end is told with the share that did."""
    for cause, ending in LATER.items():
        about = {"cause": cause} if cause in CAUSES else {"cause": None, "outcome": cause}
        told = why({**run, **about})
        assert f"Of {ending.runs} runs of plain gradient descent that ended so" in told
        assert "never" not in told


def test_an_older_vanishing_is_told_as_what_it_was(run):
    """It was said of the mean gradient, as of a least-squares fit: no share is known of those."""
    older = {**run, "outcome": "stalled", "cause": "vanishing", "final_gradient_alignment": None}
    assert "An older phasesweep said so of the mean gradient" in why(older)
    newer = why({**older, "final_gradient_alignment": 0.9})
    assert "older" not in newer
    assert LATER["vanishing"].sentence in newer


@pytest.mark.parametrize(
    ("active", "units"), [(0.0, "none"), (5e-4, "hardly any"), (None, "hardly any")]
)
def test_dead_units_are_counted_in_words(run, active, units):
    """Not as a number of units, which a fraction is not."""
    dead = {**run, "outcome": "stalled", "cause": "dead", "final_active_fraction": active}
    assert f"dead: {units} of its units pass a gradient for any example" in why(dead)


@pytest.mark.parametrize("cause", outcomes.CAUSES)
def test_every_cause_is_told_of_every_run_that_can_have_it(runs, cause):
    """Whatever is NULL in it."""
    for outcome in outcomes.CAUSES[cause]:
        for _, row in runs.iterrows():
            told = why({**as_run(row), "outcome": outcome, "cause": cause})
            assert "does not know" not in told
            assert "None" not in told


def test_a_run_whose_layers_were_seen_is_not_said_to_lack_them(run):
    """A cause may be NULL for another reason, in a newer store for instance."""
    untold = {**run, "cause": None}
    assert why({**untold, "measure": "none"}).startswith(
        "The cause is unknown: without `measure: signal`"
    )
    assert why({**untold, "measure": "signal+sharpness"}).startswith("The cause is unknown.")
    # A name that another begins with is another measurement.
    assert "was not measured" in no_critical_rate({"measure": "signal+sharpness_curve"})
    assert "does not exist" in no_critical_rate({"measure": "sharpness"})


def test_an_oscillation_is_told_with_the_threshold_that_judged_it(run):
    """The store's own share of steps; many, where nobody knows it."""
    jumping = {**run, "outcome": "oscillating", "cause": None}
    assert "more than 20% of the steps raised it" in why({**jumping, "oscillating_share": 0.2})
    assert "many of the steps raised it" in why(jumping)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("init_scale", "The initial weights already explode: before the first step the loss is"),
        ("vanishing", "The signal is lost on its way through the layers."),
        ("learning_rate", "The start is moderate, but the learning rate is too large for it."),
        ("low_learning_rate", "Gradients arrive in every layer, but the steps are too small"),
        ("saturated", "errors hardly pass through them."),
        ("saturated_outputs", "The outputs are saturated."),
    ],
)
def test_a_cause_is_said_and_not_its_opposite(run, cause, sentence):
    """Exploding is not vanishing, and too small is not too large."""
    assert sentence in why({**run, "cause": cause})


def test_a_curvature_that_rose_is_said_to_have_risen(run):
    """With the start's own bound, where the learning rate was below it."""
    sharpened = {**run, "cause": "sharpening", "learning_rate": 0.1, "critical_learning_rate": 0.5}
    told = why(sharpened)
    assert "of the start, whose 2 / lambda_max is 0.5, rose on the way until steps of 0.1" in told
    assert "of the start" not in why({**sharpened, "critical_learning_rate": 0.05})


def test_untrained_is_no_stall(run):
    """steps: 0 says nothing of how a network trains."""
    assert "took no steps" in why({**run, "outcome": "untrained", "cause": None})


def test_a_factor_beyond_floats_is_told_by_its_exponent():
    """10^-400 is no float, but a sentence."""
    assert [power(-400.0), power(0.0)] == ["10^-400.0", "1"]
