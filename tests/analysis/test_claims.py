"""The claims' rules: on what the experiments measure, and on rows that would change a verdict."""

import numpy as np
import pytest

from analysis.claims.argument import CLAIMS, evidence, judge, selected
from analysis.claims.verdicts import FAILS, HOLDS, OTHER_REASON, TWO_EFFECTS, VERDICTS, number
from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.boundaries import blew_up


@pytest.fixture(scope="module")
def measured(claims_store):
    """The rows of each claim."""
    return {claim.id: evidence(claims_store, claim) for claim in CLAIMS.values()}


@pytest.fixture(scope="module")
def judgements(measured):
    """What the rules make of them, by claim."""
    return {claim.id: claim.rule(measured[claim.id]) for claim in CLAIMS.values()}


def value(verdict, meaning):
    """The one number of a verdict whose meaning begins so."""
    (found,) = [each.value for each in verdict.numbers if each.meaning.startswith(meaning)]
    return found


def test_every_claim_gets_a_verdict_with_numbers(judgements):
    """Seventeen claims, one of four verdicts each, and no number that does not exist."""
    assert list(judgements) == [f"C{place}" for place in range(1, 18)]
    for verdict in judgements.values():
        assert verdict.verdict in VERDICTS
        assert verdict.numbers
        assert all(each.value is not None for each in verdict.numbers)


def test_signals_of_multiples_of_the_identity_grow_by_the_multiple(judgements):
    """C1: k times a layer, exactly."""
    assert judgements["C1"].verdict == HOLDS
    for k in (0.5, 0.9, 1.1, 1.5):
        assert value(judgements["C1"], f"growth of rms h, {k:g} I") == pytest.approx(k, rel=1e-12)


def test_the_argument_s_products_are_measured(judgements):
    """C1: (1.5 I)^20 and (0.5 I)^20, as growth of a signal over 20 layers, beside the powers."""
    for k, power in ((1.5, 3325.256730079651), (0.5, 9.5367431640625e-07)):
        measured = value(judgements["C1"], f"growth of rms h over 20 layers, {k:g} I")
        assert measured == pytest.approx(power, rel=1e-12)
        assert value(judgements["C1"], f"{k:g}^20") == power


def test_every_gradient_is_large_and_all_are_equal(judgements):
    """C2: each |dW_l| is k^(L - 1) times the error, but for a factor from the inputs."""
    verdict = judgements["C2"]
    assert verdict.verdict == HOLDS
    assert value(verdict, "largest |dW|") == pytest.approx(1, abs=1e-9)
    assert 1 < value(verdict, "smallest |dW| over") / value(verdict, "k^(L - 1)") < 3


def test_the_output_error_is_large_because_the_outputs_are(judgements):
    """C2: dZ_L = A_L - Y, 64 outputs of 1.5^51 times the inputs; it divides nothing out unseen."""
    verdict = judgements["C2"]
    outputs, error = value(verdict, "rms of the outputs"), value(verdict, "output error |dZ_L|")
    assert outputs == pytest.approx(1.5**51, rel=0.2)
    assert error == pytest.approx(outputs * np.sqrt(10) / np.sqrt(0.9), rel=0.02)
    product = error * value(verdict, "smallest |dW| over")
    assert value(verdict, "smallest |dW| of a layer") == pytest.approx(product, rel=1e-9)


def test_a_bias_gradient_is_the_mean_of_delta(measured):
    """C2: k^(L - l) times the outputs' mean error, which centered features leave as it was."""
    norms = measured["C2"].sort_values("layer")["bias_gradient_norm"].to_numpy()
    np.testing.assert_allclose(norms[:-1] / norms[1:], 1.5, rtol=1e-5)
    rms = 10 ** measured["C2"].sort_values("layer")["log10_delta_norm"].to_numpy()
    assert np.all(norms < rms)


def test_overshooting_follows_the_sharpness_and_not_the_gradient(judgements):
    """C3: in one layer the boundary rate stays though the gradient grows 100-fold."""
    verdict = judgements["C3"]
    assert verdict.verdict == OTHER_REASON
    assert value(verdict, "depth 1: gradient") > 100
    assert value(verdict, "depth 1: boundary") == pytest.approx(1)
    assert value(verdict, "depth 20: boundary") > 1e6


def test_the_backward_step_takes_the_slope(judgements):
    """C4: by the slope gradients agree with finite differences, by the value none does."""
    verdict = judgements["C4"]
    assert verdict.verdict == FAILS
    assert value(verdict, "gradient error with * phi'") < 1e-4
    assert value(verdict, "gradient error with * a") > 0.5
    right, stored = value(verdict, "sigmoid: with"), value(verdict, "sigmoid: chi")
    assert right == pytest.approx(stored, rel=1e-9)


def test_sigmoid_outputs_come_to_a_fixed_point(judgements):
    """C5: within 5% of the theory's."""
    verdict = judgements["C5"]
    assert verdict.verdict == FAILS
    fixed_point = value(verdict, "its fixed point")
    assert fixed_point == pytest.approx(0.5145, abs=1e-4)
    assert value(verdict, "rms a, layer 29") == pytest.approx(fixed_point, rel=0.05)


@pytest.mark.parametrize(("loss", "gradient"), [("mse", 1), ("cross-entropy", 0.4)])
def test_the_output_error_is_that_of_the_best_constant(judgements, loss, gradient):
    """C6: after training too; only then the last gradient is small, as the errors cancel."""
    verdict = judgements["C6"]
    assert verdict.verdict == FAILS
    assert value(verdict, f"{loss}: output error after") == pytest.approx(1, abs=0.01)
    assert value(verdict, f"{loss}: |dW| of the last layer at step 0") > gradient
    assert value(verdict, f"{loss}: |dW| of the last layer after") < 1e-3


def test_deep_sigmoids_lose_the_gradient_that_theory_says(judgements):
    """C7: decades a layer within 3% of ln chi / 2."""
    verdict = judgements["C7"]
    assert verdict.verdict == HOLDS
    theory = value(verdict, "the same in theory")
    assert value(verdict, "first |dW| over") == pytest.approx(theory, rel=0.03)


def test_gradients_explode_and_training_diverges_one_without_the_other(judgements):
    """C8: no rate moves the first gradient, any start diverges at some rate and not at others."""
    verdict = judgements["C8"]
    assert verdict.verdict == TWO_EFFECTS
    assert value(verdict, "gradient at step 0, across learning") < 1e-5
    assert value(verdict, "gradient at step 0, across init") > 6


def test_gradients_grow_on_the_way_only_where_training_diverges(judgements):
    """C8, during training: tenfold at most where it does not, and more than that where it does."""
    assert value(judgements["C8"], "later, at rates that do not") < 10
    assert value(judgements["C8"], "later, where it diverges: grows, median") > 100


def test_raw_features_cost_learning_rate_and_no_growth(judgements):
    """C9: chi within a quarter; the first gradient by the inputs' size, and the rate, far more."""
    verdict = judgements["C9"]
    assert verdict.verdict == TWO_EFFECTS
    assert value(verdict, "raw: boundary learning rate") > 1e3
    first = value(verdict, "raw: first |dW| over output error, median")
    assert first > 100
    assert value(verdict, "raw: of it by the inputs' size") == pytest.approx(first, rel=0.2)
    assert value(verdict, "raw: gradient growth per layer, least") > 0.8
    assert value(verdict, "raw: gradient growth per layer, most") < 1.25


def test_linear_and_relu_networks_vanish(judgements):
    """C10: with chi 1/4 and about 1/2."""
    verdict = judgements["C10"]
    assert verdict.verdict == HOLDS
    assert value(verdict, "linear at 0.5: chi") == pytest.approx(0.25)
    assert value(verdict, "relu at 1: chi") == pytest.approx(0.5, rel=0.05)


def test_gradients_change_with_more_than_the_initial_weights(judgements):
    """C11: tenfold in half of the groups by depth and by learning rate, at one sigma_w."""
    verdict = judgements["C11"]
    assert verdict.verdict == HOLDS
    for source in ("width", "depth", "features", "learning rate"):
        assert value(verdict, f"{source}: outcome changes") > 0
    assert value(verdict, "depth: it moves, median") > 1
    assert value(verdict, "learning rate: it moves, median") > 1


def test_the_identity_is_easy_and_hides_the_spread(judgements):
    """C12: of ln r over draws, and of singular values: sqrt(1 - (8 / 3 pi)^2) if Gaussian."""
    verdict = judgements["C12"]
    assert verdict.verdict == TWO_EFFECTS
    assert value(verdict, "k I: departure") < 1e-9
    gaussian = value(verdict, "spread of singular values, gaussian")
    assert gaussian == pytest.approx(np.sqrt(1 - (8 / (3 * np.pi)) ** 2), rel=0.02)


def test_relu_moves_the_init_scale_at_which_gradients_vanish(judgements):
    """C13: sigmoids lose them everywhere; ReLU loses them below sqrt(2), by half a power of 2."""
    verdict = judgements["C13"]
    assert verdict.verdict == TWO_EFFECTS
    assert value(verdict, "sigmoid: init scales") == 9
    assert value(verdict, "tanh: init scales") == 4
    assert value(verdict, "relu: init scales") == 5
    lost = value(verdict, "relu: first |dW| over the output error at init scale 0.25")
    fallen = value(verdict, "relu: first |dW| over the output error at init scale 1") - lost
    assert fallen == pytest.approx(23 * np.log10(4), rel=0.02)


def test_residual_networks_train_beyond_what_gradients_explain(judgements):
    """C14: at the init scales where plain gradients flow as well, too."""
    verdict = judgements["C14"]
    assert verdict.verdict == OTHER_REASON
    residual = value(verdict, "residual, at those init scales")
    assert residual > 3 * value(verdict, "plain, at those init scales") > 0


def test_adam_needs_an_init_scale_too(judgements):
    """C15: at none of those where the signal vanishes does any rate train."""
    verdict = judgements["C15"]
    assert verdict.verdict == FAILS
    assert value(verdict, "adam: of them, vanishing") == 0
    assert value(verdict, "adam: init scales") >= value(verdict, "gd: init scales") > 0


def test_batch_norm_takes_larger_rates(judgements):
    """C16: tenfold, and more than its larger weights explain."""
    verdict = judgements["C16"]
    assert verdict.verdict == HOLDS
    assert value(verdict, "largest rate, batch norm over") == pytest.approx(10)
    assert value(verdict, "largest rate / init scale^2") > 1.5


def test_clipping_leaves_gradients_as_they_are(judgements):
    """C17: not a start's gradient is smaller, and no more of the exploding ones train."""
    verdict = judgements["C17"]
    assert verdict.verdict == FAILS
    assert value(verdict, "exploding: clipping makes it smaller") == 0
    assert value(verdict, "exploding: gradient at step 0, least") > 1


def relu_loses_none(rows):
    return rows.assign(init_phase=rows["init_phase"].mask(rows["activation"] == "relu", "critical"))


def relu_loses_all(rows):
    lost = rows["activation"] == "relu"
    return rows.assign(init_phase=rows["init_phase"].mask(lost, "vanishing"))


def trains(rows, good):
    return rows.assign(outcome=np.where(good, "trained", "slow"))


def all_that_flow_train(rows):
    flows = (
        rows["log10_gradient_per_error"]
        > rows.loc[rows["residual"] != "none", "log10_gradient_per_error"].min() - 1e-9
    )
    return trains(rows, flows)


def residuals_train_as_seldom(rows):
    return trains(rows, rows["learning_rate"] == rows["learning_rate"].max())


def adam_trains_everywhere(rows):
    return rows.assign(outcome=rows["outcome"].mask(rows["optimizer"] == "adam", "trained"))


def gradients_keep_their_norm_apart(rows):
    apart = np.where(rows["residual"] != "none", 0.0, 9.0)
    return rows.assign(log10_gradient_per_error=apart)


def nothing_trains(rows):
    return rows.assign(outcome="slow")


def rates_are_the_same(rows):
    return trains(rows, rows["learning_rate"] < 0.5)


def only_larger_weights_take_larger_rates(rows):
    limit = 0.1 * np.where(rows["normalization"] == "batch", rows["init_scale"] ** 2, 1)
    return trains(rows, (rows["learning_rate"] <= 1.01 * limit) & (rows["init_scale"] >= 1))


def clipped_starts_train(rows):
    return rows.assign(outcome=rows["outcome"].mask(rows["clip_norm"] > 0, "trained"))


def clipped_starts_train_and_are_flat(rows):
    flat = rows["log10_start_norm"].mask(rows["clip_norm"] > 0, 0.0)
    return clipped_starts_train(rows).assign(log10_start_norm=flat)


def early_signals_do_not_shrink(rows):
    small = (rows["init_scale"] < 1) & (rows["layer"] < 25)
    return rows.assign(log10_mean_square_h=rows["log10_mean_square_h"].mask(small, 0.0))


def signals_grow_a_tenth_as_fast(rows):
    return rows.assign(log10_mean_square_h=rows["log10_mean_square_h"] / 10)


def one_multiple_grows_faster(rows):
    faster = rows["log10_mean_square_h"].where(rows["init_scale"] != 1.1, 1.5 * rows["layer"])
    return rows.assign(log10_mean_square_h=faster)


def signals_grow_evenly(rows):
    return rows.assign(log10_mean_square_h=np.log10(rows["layer"]))


def early_gradients_are_small(rows):
    early = rows["layer"] < 10
    return rows.assign(log10_gradient_norm=rows["log10_gradient_norm"].mask(early, 0.0))


def only_the_error_is_large(rows):
    lost = rows["log10_gradient_norm"] - 8
    return rows.assign(log10_gradient_norm=lost)


def early_activations_are_large(rows):
    return rows.assign(log10_mean_square_a=rows["log10_mean_square_a"] + 4)


def outcomes(rows, diverged):
    return rows.assign(outcome=np.where(diverged, "diverged", "slow"))


def rates_follow_every_gradient(rows):
    return outcomes(rows, rows["learning_rate"] * rows["gradient_norm"] > 1)


def rates_follow_no_gradient(rows):
    return outcomes(rows, rows["learning_rate"] > 0.1)


def the_value_is_right(rows):
    swapped = rows["factor"].map({"slope": "value", "value": "slope"})
    return rows.assign(factor=swapped)


def outputs_shrink(rows):
    return rows.assign(log10_mean_square_a=-0.1 * rows["layer"])


def errors_are_small(rows):
    columns = ["log10_delta_norm", "log10_gradient_norm"]
    return rows.assign(**{name: rows[name] - 3 for name in columns})


def only_the_gradient_is_small(rows):
    return rows.assign(log10_gradient_norm=rows["log10_gradient_norm"] - 3)


def only_cross_entropys_gradient_is_small(rows):
    small = rows["log10_gradient_norm"].where(rows["loss"] == "mse", -3.0)
    return rows.assign(log10_gradient_norm=small)


def deep_nets_train(rows):
    return rows.assign(outcome="trained")


def gradients_keep_their_norm(rows):
    return rows.assign(log10_gradient_per_error=0.0)


def gradients_keep_their_norm_and_train(rows):
    return deep_nets_train(gradients_keep_their_norm(rows))


def rates_move_the_gradient(rows):
    return rows.assign(gradient_norm=rows["gradient_norm"] * rows["learning_rate"])


def only_the_exploding_diverge(rows):
    return outcomes(rows, rows["init_phase"] == "exploding")


def nothing_grows_on_the_way(rows):
    return rows.assign(peak_gradient_norm=rows["gradient_norm"])


def every_rate_lets_gradients_grow(rows):
    return rows.assign(peak_gradient_norm=1e6 * rows["gradient_norm"])


def no_start_explodes(rows):
    return rows.assign(init_phase="critical")


def gradients_grow_on_raw_features(rows):
    grown = rows["chi_measured"].mask(rows["features"] == "raw", 3 * rows["chi_measured"])
    return rows.assign(chi_measured=grown)


def every_feature_allows_one_rate(rows):
    return outcomes(rows, rows["learning_rate"] > 1e-3)


def inputs_have_one_size(rows):
    size = rows["log10_gradient_norm"] - rows["log10_delta_norm"]
    columns = ["log10_gradient_per_error", "log10_gradient_norm"]
    return rows.assign(**{name: rows[name] - size for name in columns})


def nothing_is_worse(rows):
    return inputs_have_one_size(every_feature_allows_one_rate(rows))


def only_growth_is_worse(rows):
    return nothing_is_worse(gradients_grow_on_raw_features(rows))


def growth_and_rate_are_worse(rows):
    return inputs_have_one_size(gradients_grow_on_raw_features(rows))


def all_end_alike(rows):
    return rows.assign(outcome="trained")


def no_gradient_moves(rows):
    return rows.assign(log10_gradient_per_error=0.0, log10_peak_growth=0.0)


def no_gradient_moves_tenfold(rows):
    columns = ["log10_gradient_per_error", "log10_peak_growth"]
    return rows.assign(**{name: 0.9 * rows[name].rank(pct=True) for name in columns})


def the_identity_is_off(rows):
    return rows.assign(log10_r=rows["log10_r"] + 0.01)


def draws_are_all_alike(rows):
    return rows.assign(log10_r=rows["log10_r"].iloc[-1])  # the rows end with k I


@pytest.mark.parametrize(
    ("claim", "altered", "verdict"),
    [
        ("C1", early_signals_do_not_shrink, FAILS),
        ("C1", signals_grow_evenly, FAILS),
        ("C1", signals_grow_a_tenth_as_fast, FAILS),
        ("C1", one_multiple_grows_faster, FAILS),
        ("C2", early_gradients_are_small, FAILS),
        ("C2", early_activations_are_large, OTHER_REASON),
        ("C2", only_the_error_is_large, OTHER_REASON),
        ("C3", rates_follow_every_gradient, HOLDS),
        ("C3", rates_follow_no_gradient, FAILS),
        ("C4", the_value_is_right, HOLDS),
        ("C5", outputs_shrink, HOLDS),
        ("C6", errors_are_small, HOLDS),
        ("C6", only_the_gradient_is_small, OTHER_REASON),
        ("C6", only_cross_entropys_gradient_is_small, TWO_EFFECTS),
        ("C7", deep_nets_train, TWO_EFFECTS),
        ("C7", gradients_keep_their_norm, OTHER_REASON),
        ("C7", gradients_keep_their_norm_and_train, FAILS),
        ("C8", rates_move_the_gradient, HOLDS),
        ("C8", only_the_exploding_diverge, FAILS),
        ("C8", nothing_grows_on_the_way, FAILS),
        ("C8", every_rate_lets_gradients_grow, FAILS),
        ("C8", no_start_explodes, HOLDS),
        ("C9", inputs_have_one_size, OTHER_REASON),
        ("C9", every_feature_allows_one_rate, OTHER_REASON),
        ("C9", nothing_is_worse, FAILS),
        ("C9", only_growth_is_worse, HOLDS),
        ("C10", gradients_keep_their_norm, FAILS),
        ("C11", no_gradient_moves, FAILS),
        ("C11", no_gradient_moves_tenfold, FAILS),
        ("C12", the_identity_is_off, FAILS),
        ("C12", draws_are_all_alike, HOLDS),
        ("C13", relu_loses_none, HOLDS),
        ("C13", relu_loses_all, FAILS),
        ("C14", all_that_flow_train, HOLDS),
        ("C14", residuals_train_as_seldom, FAILS),
        ("C15", adam_trains_everywhere, HOLDS),
        ("C16", rates_are_the_same, FAILS),
        ("C16", only_larger_weights_take_larger_rates, OTHER_REASON),
        ("C17", clipped_starts_train, OTHER_REASON),
        ("C17", clipped_starts_train_and_are_flat, HOLDS),
    ],
)
def test_other_rows_make_another_verdict(claim, altered, verdict, measured):
    """What is measured, changed as the name says, is judged otherwise."""
    rows, rule = measured[claim], CLAIMS[claim].rule
    assert rule(rows).verdict != verdict
    assert rule(altered(rows)).verdict == verdict


@pytest.mark.parametrize(
    ("claim", "altered"), [("C9", growth_and_rate_are_worse), ("C11", all_end_alike)]
)
def test_what_a_claim_does_not_rest_on_leaves_its_verdict(claim, altered, measured):
    """C9: any two of the three are two effects. C11: gradients decide, outcomes do not."""
    rows, rule = measured[claim], CLAIMS[claim].rule
    assert rule(altered(rows)).verdict == rule(rows).verdict


def test_a_store_is_judged_by_what_its_queries_select(claims_store, judgements):
    """Nothing else than each claim's query and what is measured on the same networks."""
    assert {each.claim.id: each.verdict for each in judge(claims_store)} == judgements


def test_a_store_without_a_claims_rows_says_how_to_measure_them(store):
    """Any store may be asked."""
    with pytest.raises(UnsuitableRunsError, match="phasesweep claims --store"):
        selected(store, CLAIMS["C9"].query)


@pytest.mark.parametrize("claim", ["C3", "C9"])
def test_an_unknown_critical_rate_is_no_verdict(claim, measured):
    """Where nothing diverges, rates cannot be compared: the message says what to widen."""
    with pytest.raises(UnsuitableRunsError, match="widen the range of learning rates"):
        CLAIMS[claim].rule(all_end_alike(measured[claim]))


@pytest.mark.parametrize(
    ("claim", "altered", "words"),
    [
        ("C14", gradients_keep_their_norm_apart, "add init scales near"),
        ("C16", nothing_trains, "train at no learning rate"),
        ("C17", no_start_explodes, "add larger init scales"),
    ],
)
def test_rows_that_show_nothing_are_no_verdict(claim, altered, words, measured):
    """The message says what to add to the sweep."""
    with pytest.raises(UnsuitableRunsError, match=words):
        CLAIMS[claim].rule(altered(measured[claim]))


@pytest.mark.parametrize("claim", ["C3", "C8", "C9"])
def test_a_stall_after_a_peak_is_no_stable_rate(claim, measured):
    """The rows have what shows it; the verdicts rest on rates that held."""
    rows = measured[claim]
    halted = rows.assign(
        outcome="stalled", peak_loss=2 * rows[["initial_loss", "baseline_loss"]].max(axis=1)
    )
    assert blew_up(halted).all()
    assert not blew_up(halted.assign(peak_loss=rows["initial_loss"])).any()


def test_a_number_that_is_not_finite_does_not_exist():
    """None, told as none; a unit of 1 is not told."""
    assert number("ratio", np.inf, "times").value is None
    assert str(number("ratio", np.nan, "times")) == "none times"
    assert str(number("ratio", 0.51449)) == "0.5145"
