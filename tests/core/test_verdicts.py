"""The rules that judge a run, on losses and signals made to meet or just miss each of them."""

from dataclasses import replace

import numpy as np
import pytest

from core.measuring.loss_summaries import summarize
from core.outcomes import CAUSES, INIT_PHASES, OUTCOMES, THRESHOLDS
from core.trials import DEFAULTS
from core.verdicts import judged

BASELINE = 2.0
SETTING = {"depth": 3, "learning_rate": 0.1, "measure": "signal", "trained_level": 0.1}
HEALTHY = {
    "final_log10_signal_ratio": -2.0,
    "final_log10_signal_per_error": -2.0,
    "final_gradient_alignment": 0.3,
    "final_active_fraction": 1.0,
    "final_mean_slope": 0.5,
    "log10_gradient_per_error": 0.0,
}


def verdict(losses, baseline=BASELINE, **columns):
    """What a healthy network's run is judged, but for the columns that are given."""
    summary = summarize(np.asarray(losses, float), baseline)
    run = {name: value if np.isfinite(value) else np.nan for name, value in summary.items()}
    row = SETTING | HEALTHY | run | columns
    return {
        name: column[0]
        for name, column in judged({name: np.array([value]) for name, value in row.items()}).items()
    }


def outcome(losses, **columns):
    return verdict(losses, **columns)["outcome"]


def falling(last, steps=100):
    return np.geomspace(3.0, last, steps + 1)


def test_each_outcome_has_a_run_that_it_describes():
    """One plain example each."""
    wobble = 1.5 + 0.5 * (-1.0) ** np.arange(101)
    assert outcome([3.0, 1e3, np.inf]) == "overflow"
    assert outcome([3.0, 3.1e6]) == "diverged"
    assert outcome(np.linspace(3, 3.5, 101)) == "diverged"
    assert outcome(falling(0.01)) == "trained"
    assert outcome(wobble) == "oscillating"
    assert outcome(np.full(101, 2.5)) == "stalled"
    assert outcome(falling(1.0)) == "slow"


def test_a_bounded_loss_that_ended_worse_than_it_began_diverged():
    """It need not reach a million times the start: 1.1 times in the tail's mean is enough."""
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 3.31)]) == "diverged"
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 3.29)]) != "diverged"


def test_trained_means_a_tenth_of_the_baseline():
    """The mean of the last 20 losses is held against 0.1 x the best constant predictor's."""
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 0.1999)]) == "trained"
    assert outcome(np.r_[np.full(81, 3.0), np.full(20, 0.2001)]) != "trained"


def test_the_level_of_trained_is_the_trials_own():
    """The same losses, held against half of the best constant predictor's."""
    ended = np.r_[np.full(81, 3.0), np.full(20, 0.9999)]
    assert outcome(ended, trained_level=0.5) == "trained"
    assert outcome(ended, trained_level=0.4999) != "trained"


def test_a_row_of_before_there_was_a_level_is_judged_by_the_defaults():
    """Whether it lacks the column or has NULL there."""
    level = DEFAULTS["trained_level"]
    for share, trained in ((0.99, "trained"), (1.01, "slow")):
        columns = {"tail_loss": share * level * BASELINE, "trained_level": np.nan}
        assert outcome(falling(1.0), **columns) == trained


def test_rounding_noise_is_no_oscillation():
    """Rises below 1e-3 of the loss are not counted, one in ten above it is not enough."""
    noise = 2.5 + 1e-4 * (-1.0) ** np.arange(101)
    assert outcome(noise) == "stalled"
    rare = falling(1.0)
    rare[[60, 70, 80]] *= 1.05
    assert outcome(rare) == "slow"


def test_a_start_that_is_not_finite_is_an_overflow():
    """An infinite initial loss decides the run before any step, by the init scale."""
    for start in (np.inf, np.nan):
        assert outcome([3.0, start]) == outcome([start]) == "overflow"
        assert verdict([start])["cause"] == "init_scale"


def test_no_number_is_too_large_to_be_judged():
    """Losses near the largest float overflow no sum."""
    assert outcome(np.full(101, 1.7e308)) == "stalled"


def test_a_run_without_steps_is_untrained():
    """Whatever its loss; a start that overflowed is said first."""
    assert outcome([3.0]) == outcome([1e-9]) == "untrained"
    assert outcome([np.inf]) == "overflow"


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_fewer_than_five_steps_have_a_last_step_to_judge(steps):
    """2.537 -> 0.588 in 4 steps is no stall; a loss that stays is one."""
    assert outcome(np.linspace(2.537, 0.588, steps + 1)) == "slow"
    assert outcome(np.full(steps + 1, 2.5)) == "stalled"


def test_a_constant_target_is_trained_once_its_loss_has_fallen_tenfold():
    """The best constant makes no error there, so the start is what the loss is held against."""
    assert outcome(falling(1e-3), baseline=0.0) == "trained"
    assert outcome(falling(0.35), baseline=0.0) == "slow"


@pytest.mark.parametrize(
    ("chi", "depth", "phase"),
    [
        (0.055, 4, "vanishing"),
        (1.0, 1000, "critical"),
        (1.5, 32, "exploding"),
        (0.0, 3, "vanishing"),
        (np.nan, 3, None),
    ],
)
def test_the_phase_at_initialization_is_l_ln_chi(chi, depth, phase):
    """Beyond +-6 gradients change by more than e^3 in norm from end to end."""
    assert verdict([3.0], chi_measured=chi, depth=depth)["init_phase"] == phase


def stall(loss=2.5, initial=3.0, **columns):
    """The cause of a stall of a healthy network, but for the columns that are given."""
    found = verdict(np.r_[initial, np.full(100, loss)], **columns)
    assert found["outcome"] == "stalled"
    return found["cause"]


def test_a_stall_has_the_first_cause_that_fits():
    """Dead before vanishing before saturated; a healthy network had a low learning rate."""
    lost = {"final_log10_signal_ratio": -6.1, "final_mean_slope": 0.0}
    assert stall(final_active_fraction=0.0, **lost) == "dead"
    assert stall(**lost) == "vanishing"
    assert stall(final_log10_signal_ratio=-5.9) == "low_learning_rate"
    assert stall(final_mean_slope=9e-4) == "saturated"
    assert stall() == "low_learning_rate"


def test_a_first_layer_without_any_gradient_has_vanished():
    """0 has no logarithm in a table; where nothing was measured at the end nothing is said."""
    assert stall(final_log10_signal_per_error=np.nan) == "vanishing"
    nothing = dict.fromkeys(["final_log10_signal_per_error", "final_mean_slope"], np.nan)
    assert stall(**nothing) == "low_learning_rate"
    assert stall(depth=1, final_log10_signal_per_error=np.nan) == "low_learning_rate"


def test_outputs_that_pass_no_error_are_the_first_to_blame():
    """Before what the layers below do with it; where none was measured they are not to blame."""
    for lost in ({}, {"final_log10_signal_per_error": np.nan}, {"final_gradient_alignment": 1e-9}):
        assert stall(**lost, final_output_slope=9e-4) == "saturated_outputs"
        assert stall(**lost, final_output_slope=1.1e-3) == stall(**lost)
        assert stall(**lost) != "saturated_outputs"
    assert stall(depth=1, final_output_slope=0.0) == "saturated_outputs"
    assert stall(final_output_slope=0.0, final_active_fraction=0.0) == "dead"


def test_gradients_that_cancel_at_the_best_constant_are_a_plateau():
    """Within 1% of its loss; at a low rate a run passes by, and a lost signal comes first."""
    assert stall(loss=BASELINE, final_gradient_alignment=1e-9) == "plateau"
    assert stall(loss=1.0099 * BASELINE, final_gradient_alignment=0.029) == "plateau"
    assert stall(loss=1.0101 * BASELINE, final_gradient_alignment=0.029) == "converged"
    assert stall(loss=BASELINE, final_gradient_alignment=0.031) == "low_learning_rate"
    lost = {"final_log10_signal_ratio": -7.0, "final_gradient_alignment": 1e-9}
    assert stall(loss=BASELINE, **lost) == "vanishing"


def test_gradients_that_cancel_have_converged_and_do_not_vanish():
    """Below a thirtieth of one example's, with signals of ordinary size; not at the constant."""
    assert stall(final_gradient_alignment=0.029) == "converged"
    assert stall(final_gradient_alignment=0.031) == "low_learning_rate"
    cancelled = {"final_gradient_alignment": 1e-9}
    assert stall(**cancelled, final_log10_gradient_ratio=-9.0) == "converged"
    assert stall(**cancelled, final_log10_signal_per_error=-7.0) == "vanishing"


def test_a_single_layer_neither_vanishes_nor_has_a_plateau():
    """Its signal has no way to be lost on, and its loss is convex."""
    single = {"depth": 1, "final_mean_slope": np.nan, "final_active_fraction": np.nan}
    lost = {"final_log10_signal_per_error": -9.0, "final_gradient_alignment": 1e-9}
    assert stall(**single, **lost) == "converged"
    assert stall(**single, loss=BASELINE, final_gradient_alignment=1e-9) == "converged"
    assert stall(**single, loss=BASELINE) == "low_learning_rate"


def test_gradients_that_vanish_alike_in_every_layer_vanish():
    """Linear layers of 0.5 I: each gradient is 0.5^(L-1) of a healthy one, their ratio 1."""
    alike = {"final_log10_signal_ratio": 0.0, "final_log10_signal_per_error": -9.0}
    assert stall(**alike) == "vanishing"


def test_a_stall_of_before_the_examples_gradients_keeps_its_cause():
    """A row that has them gets the cause that they give, and so does a run that diverged."""
    older = {"final_gradient_alignment": np.nan, "cause": "converged"}
    assert stall(**older) == "converged"
    assert stall(**{**older, "final_gradient_alignment": 0.3}) == "low_learning_rate"
    assert verdict([3.0, 1e3, np.inf], **older)["cause"] == "learning_rate"


@pytest.mark.parametrize("given", [None, float("nan"), "learning_rate"])
def test_a_stall_that_was_given_no_cause_has_that_of_the_rules(given):
    """As one that had diverged by other thresholds: what explained that explains no stall."""
    assert stall(final_gradient_alignment=np.nan, cause=given) == "low_learning_rate"
    older = dict.fromkeys(["final_gradient_alignment", "final_log10_signal_per_error"], np.nan)
    mean_alone = {**older, "final_log10_gradient_per_error": -2.0}
    assert stall(**mean_alone, cause=given) == "low_learning_rate"


def test_without_signals_there_is_no_cause():
    """Whatever else was measured, and whatever the row had."""
    ends = (np.full(101, 2.5), [3.0, 1e3, np.inf], [3.0, 3.1e6])
    for measure, known in (("none", False), ("sharpness", False), ("signal+sharpness", True)):
        causes = [verdict(losses, measure=measure)["cause"] for losses in ends]
        assert [cause is not None for cause in causes] == [known] * 3


def flight(initial=3.0, rate=0.1, critical=np.nan, before=(), **columns):
    """The cause of a divergence."""
    columns |= {"learning_rate": rate, "critical_learning_rate": critical}
    found = verdict([initial, *before, 10 * initial, np.inf], **columns)
    return found["cause"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("optimizer", "momentum"), ("schedule", "warmup"), ("clip_norm", 1.0), ("batch_size", 32)],
)
def test_only_plain_descent_outlives_its_start(name, value):
    """How fast a loss would leave is known of the same multiple of the same gradient alone."""
    settings = {"rate": 0.3, "critical": 0.1, "before": np.linspace(2.9, 1.0, 30)}
    assert flight(**settings) == "sharpening"
    assert flight(**settings, **{name: DEFAULTS[name]}) == "sharpening"
    assert flight(**settings, **{name: value}) == "learning_rate"


def test_a_divergence_is_the_init_scales_where_the_start_explodes():
    """By the loss or by the first layer's gradient, whatever the learning rate."""
    assert flight(initial=2001.0, rate=1e-9, critical=1.0) == "init_scale"
    assert flight(initial=np.inf) == flight(initial=np.inf, baseline=0.0) == "init_scale"
    assert flight(log10_gradient_per_error=3.1) == "init_scale"
    # Of one layer on inputs in the thousands, whatever its weights.
    assert flight(log10_gradient_per_error=3.1, depth=1, critical=0.05) == "learning_rate"
    assert flight(baseline=0.0) == "learning_rate"


def test_a_first_layer_without_a_gradient_at_the_start_has_not_exploded():
    """Weights of 0 whose output biases diverge: 0 has no logarithm in a table."""
    assert flight(log10_gradient_per_error=np.nan) == "learning_rate"


def test_a_divergence_from_a_moderate_start_is_the_learning_rates():
    """Above 2 / lambda_max by the start's curvature; below it the curvature has risen since."""
    assert flight(initial=1999.0) == "learning_rate"
    assert flight(rate=0.1, critical=0.09) == "learning_rate"
    assert flight(rate=0.1, critical=0.11) == "sharpening"


@pytest.mark.parametrize(("ratio", "longest"), [(1.01, 348), (1.5, 9), (5.0, 3)])
def test_a_run_that_fell_for_too_long_was_not_ended_by_its_starts_curvature(ratio, longest):
    """(2r - 1)^2 a step: beyond a millionfold no start would have let the loss fall."""

    def fell(steps):
        return flight(rate=ratio * 0.1, critical=0.1, before=np.linspace(2.9, 1.0, steps))

    assert 2 * longest * np.log(2 * ratio - 1) <= np.log(1e6)
    assert fell(longest) == "learning_rate"
    assert fell(longest + 1) == "sharpening"


def test_without_a_curvature_the_rate_is_taken_for_a_tenth_above_the_critical_one():
    """1.2^2 a step: 37 steps of falling could be, 38 could not; a single layer is not judged."""
    assert flight(before=np.linspace(2.9, 1.0, 37)) == "learning_rate"
    assert flight(before=np.linspace(2.9, 1.0, 38)) == "sharpening"
    assert flight(before=np.linspace(3.1, 4.0, 99)) == "learning_rate"
    assert flight(before=np.linspace(2.9, 1.0, 99), depth=1) == "learning_rate"


def test_a_number_whose_column_is_left_out_does_not_exist():
    """As in a store of before it was measured, where NULL would stand."""
    row = {**SETTING, "steps_run": 5, "baseline_loss": 2.0, "initial_loss": 3.0}
    ended = row | {"tail_loss": 1.0, "peak_loss": 3.0, "late_change": 0.5}
    columns = {name: np.array([value]) for name, value in ended.items()}
    assert {name: c.tolist() for name, c in judged(columns).items()} == {
        "outcome": ["slow"],
        "cause": [None],
        "init_phase": [None],
    }
    del columns["tail_loss"]
    assert judged(columns)["outcome"] == ["overflow"]


def test_runs_are_judged_by_the_thresholds_given():
    """The same row, held against another bound for a stall."""
    row = SETTING | summarize(falling(1.0), BASELINE)
    columns = {name: np.array([value]) for name, value in row.items()}
    assert judged(columns)["outcome"] == ["slow"]
    assert judged(columns, replace(THRESHOLDS, stalled_change=1.0))["outcome"] == ["stalled"]


def test_every_cause_explains_outcomes_that_there_are():
    """And no name stands twice among them."""
    assert {outcome for explained in CAUSES.values() for outcome in explained} <= {*OUTCOMES}
    for names in (OUTCOMES, INIT_PHASES):
        assert len(set(names)) == len(names)
