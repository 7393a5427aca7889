"""The argument: each claim with the query for its rows and the rule that judges them.

Nothing here fixes a verdict in advance. A query selects measured rows from the store of the claim
sweeps, and a rule turns these rows into the verdict; other rows may lead to another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.claims import cures, gradients, rates, signals, sources
from analysis.claims.backward_steps import backward_steps
from analysis.claims.verdicts import Verdict
from analysis.reading.stores import UnsuitableRunsError
from analysis.reading.thresholds import read_judged_by
from analysis.reading.views import connect
from analysis.tables.boundaries import LOSSES

Rule = Callable[[pd.DataFrame], Verdict]

# The losses by which a run that stalled after a peak does not count as stable.
PEAKS = ", ".join((*LOSSES, "thresholds"))
# Thresholds of the outcome rules that claims' rules use too, if their query selects `thresholds`.
BARS = ("diverged_at_end", "vanishing_gradient")
IDENTITY = "initializer = 'scaled_identity' and depth = 51"
ANY_SIGMOIDS = "activation = 'sigmoid' and runs.steps = 1000"
SIGMOIDS = f"{ANY_SIGMOIDS} and loss = 'mse'"
RATES = (
    "dataset = 'digits' and activation = 'linear' and runs.loss = 'mse' and steps = 100 "
    "and critical_learning_rate is not null"
)
# The claim sweep of cures, and the one change in which its networks differ from plain ones.
OF_CURES = "dataset = 'digits' and depth = 24"
PLAIN = {
    "activation": "'tanh'",
    "residual": "'none'",
    "optimizer": "'gd'",
    "normalization": "'none'",
    "clip_norm": "0",
}
FEATURES = "dataset = 'breast_cancer' and depth = 10 and loss = 'mse'"

# What signals and gradients do layer by layer, in the deep nets of C1, C2, C5 and C10.
PROFILES = (
    "select activation, init_scale, layer, log10_mean_square_h, log10_gradient_norm, "
    "log10_gradient_norm - last_value(log10_delta_norm) over net as log10_gradient_per_error "
    "from runs join layers using (trial_id) where dataset = 'digits' and seed = 0 and "
    "(depth = 51 and init_scale in (0.5, 1, 1.5) "
    "or depth = 30 and learning_rate = 0.1 and loss = 'mse') "
    "window net as (partition by trial_id order by layer "
    "rows between unbounded preceding and unbounded following) order by all"
)


def _cures(changed: str, columns: str, of: str = f"runs where {OF_CURES}") -> str:
    """The query for the networks of the cures' sweep that differ in one setting alone."""
    alike = [f"{name} = {value}" for name, value in PLAIN.items() if name != changed]
    return (
        f"select {changed}, init_scale, learning_rate, outcome, {columns} from {of} "
        f"and {' and '.join(alike)} order by all"
    )


@dataclass(frozen=True)
class Claim:
    """A statement, and the way to judge it.

    Attributes:
        id: C1 to C17.
        statement: The claim, as people state it.
        setting: The networks that the argument is about, and what was measured on them.
        query: Selects its rows, for `phasesweep query`.
        rule: Turns these rows into a verdict.
        measure: Adds columns that no sweep stores, measured on the same networks drawn again.
    """

    id: str
    statement: str
    setting: str
    query: str
    rule: Rule
    measure: Callable[[pd.DataFrame], pd.DataFrame] = lambda rows: rows


@dataclass(frozen=True)
class Judgement:
    """A claim with the verdict on its rows."""

    claim: Claim
    verdict: Verdict


CLAIMS = {
    claim.id: claim
    for claim in (
        Claim(
            "C1",
            "Linear layers of k I multiply a signal by k each: a little above the identity (1.5 I) "
            "they blow it up exponentially with depth, a little below (0.5 I) they shrink it",
            "the argument has (1.5 I)^20 = 3325.2567 and (0.5 I)^20 = 9.5367e-7; measured is the "
            "root mean square of h in 50 layers, and its growth over 20 of them",
            "select init_scale, layer, log10_mean_square_h from runs join layers using (trial_id) "
            f"where {IDENTITY} and layer < depth order by all",
            signals.signals_grow_exponentially,
        ),
        Claim(
            "C2",
            "In that net (1.5 I) every layer's weight gradient is large, although early "
            "activations are not",
            "the argument has dZ_L = A_L - Y, which is large because A_L is; |dW| is measured "
            "as it is, and over that output error; |db|, of the mean delta over examples, on the "
            "same net drawn again",
            "select runs.*, layer, log10_mean_square_h, log10_mean_square_a, log10_delta_norm, "
            "log10_gradient_norm from runs join layers using (trial_id) "
            f"where {IDENTITY} and init_scale = 1.5 order by layer",
            signals.every_gradient_is_large,
            signals.with_bias_gradients,
        ),
        Claim(
            "C3",
            "Large gradients make gradient descent overshoot and the cost grow",
            "measured is the largest learning rate that does not diverge, where the init scale "
            "moves the gradient alone (one layer) and where it moves the curvature too (20 layers)",
            f"select depth, init_scale, learning_rate, outcome, {PEAKS}, gradient_norm, "
            "critical_learning_rate from runs join curves using (trial_id) "
            f"where {RATES} and depth in (1, 20) and step = 0 order by all",
            rates.large_gradients_overshoot,
        ),
        Claim(
            "C4",
            "The backward step multiplies by the activation's value",
            "both steps are held against central differences of the loss, on the nets drawn again",
            "select runs.* from runs where depth = 8 and dtype = 'float64' and steps = 0 "
            "order by activation, init_scale, seed",
            gradients.backward_step_takes_the_value,
            backward_steps,
        ),
        Claim(
            "C5",
            "Sigmoid outputs, being below one, shrink layer by layer",
            "measured is the root mean square of a in 29 hidden layers, sigma_w = 1, no biases",
            "select init_scale, bias_scale, layer, log10_mean_square_a "
            f"from runs join layers using (trial_id) where {SIGMOIDS} and depth = 30 "
            "and learning_rate = 0.1 order by layer",
            signals.sigmoid_outputs_shrink,
        ),
        Claim(
            "C6",
            "In a deep sigmoid net the output error, and so the gradient at the output, is small",
            "the argument has sigmoid outputs under cross-entropy, so that dZ = A - Y lies within "
            "(-1, 1); outputs here are linear, and measured are the squared error and softmax "
            "cross-entropy, where A - Y lies within (-1, 1) too",
            "select loss, layer, trained_level, baseline_loss, log10_delta_norm, "
            "log10_gradient_norm, "
            "final_log10_delta_norm, final_log10_gradient_norm "
            f"from runs join layers using (trial_id) where {ANY_SIGMOIDS} and depth = 30 "
            "and learning_rate = 0.1 order by loss desc, layer",
            gradients.output_error_is_small,
        ),
        Claim(
            "C7",
            "Deep sigmoid nets suffer vanishing gradients",
            "measured is the first layer's weight gradient over the output error at step 0, "
            "sigma_w = 1, and which depths train within 1000 steps",
            "select depth, learning_rate, outcome, cause, log10_gradient_per_error, chi_theory, "
            "thresholds "
            f"from runs where {SIGMOIDS} order by all",
            gradients.deep_sigmoids_vanish,
        ),
        Claim(
            "C8",
            "Exploding gradients happen because the learning rate is too large",
            "the gradient of all parameters is measured before the first step, where no learning "
            "rate has acted yet, and at log-spaced steps of the training",
            f"select depth, init_scale, learning_rate, outcome, {PEAKS}, init_phase, "
            "critical_learning_rate, max(gradient_norm) filter (step = 0) as gradient_norm, "
            "max(gradient_norm) as peak_gradient_norm from runs join curves using (trial_id) "
            f"where {RATES} and depth > 1 group by all order by all",
            rates.learning_rate_explodes_gradients,
        ),
        Claim(
            "C9",
            "Features that are not normalized make it worse",
            "measured apart are the growth of gradients per layer, the first layer's gradient, "
            "which the inputs' size multiplies, and the boundary learning rate",
            f"select activation, init_scale, features, learning_rate, outcome, {PEAKS}, "
            "chi_measured, log10_gradient_per_error, log10_gradient_norm, log10_delta_norm, "
            "critical_learning_rate, saturated_fraction "
            f"from runs join layers using (trial_id) where {FEATURES} and layer = 1 order by all",
            sources.unscaled_features_hurt,
        ),
        Claim(
            "C10",
            "A sigmoid is not needed for gradients to vanish",
            "measured are linear layers of 0.5 I, and ReLU with half the weight variance that "
            "keeps gradients' norm",
            "select activation, init_scale, depth, chi_measured, log10_gradient_per_error, "
            "thresholds "
            "from runs where depth = 51 and steps = 0 and (activation = 'relu' "
            "or init_scale = 0.5) order by all",
            gradients.vanishing_without_sigmoid,
        ),
        Claim(
            "C11",
            "Initial weights are not the only source of vanishing and exploding gradients",
            "sigma_w is fixed and one other setting changed at a time; before the first step "
            "measured is the first layer's gradient over the output error, for learning rates the "
            "growth of the whole gradient during training",
            "select init_scale, features, depth, width, learning_rate, outcome, "
            "log10_gradient_per_error, log10(max(gradient_norm) / max(gradient_norm) "
            "filter (step = 0)) as log10_peak_growth from runs join curves using (trial_id) "
            "where dataset = 'breast_cancer' and runs.loss = 'cross_entropy' "
            "group by all order by all",
            sources.gradients_have_other_sources,
        ),
        Claim(
            "C12",
            "k I is chosen because it is easy to compute",
            "measured is ln r, r = |h_(L-1)|^2 / |h_1|^2, over draws of k I, orthogonal and "
            "Gaussian weights with the same sigma_w, and the spread of a layer's singular values",
            "select runs.*, b.log10_mean_square_h - a.log10_mean_square_h as log10_r from runs "
            "join layers a using (trial_id) join layers b using (trial_id) where depth = 22 "
            "and a.layer = 1 and b.layer = depth - 1 order by initializer, seed",
            signals.identity_is_easy,
            signals.with_singular_values,
        ),
        Claim(
            "C13",
            "ReLU cures vanishing gradients",
            "measured is the first layer's weight gradient over the output error at step 0, of "
            "sigmoid, tanh and ReLU networks of 24 layers, over init scales",
            _cures("activation", "init_phase, log10_gradient_per_error"),
            cures.relu_cures_vanishing,
        ),
        Claim(
            "C14",
            "Residual connections work because gradients flow through them",
            "measured is how many learning rates train 24 tanh layers with residual connections, "
            "and without them at the init scales where gradients flow as well",
            _cures("residual", "log10_gradient_per_error"),
            cures.gradients_flow_through_residuals,
        ),
        Claim(
            "C15",
            "Adam makes the initialization irrelevant",
            "counted are the init scales at which some learning rate trains 24 tanh layers",
            _cures("optimizer", "init_phase"),
            cures.adam_makes_init_irrelevant,
        ),
        Claim(
            "C16",
            "Batch normalization lets you use larger learning rates",
            "measured is the largest learning rate that trains 24 tanh layers at any init scale, "
            "with batch normalization and without it",
            _cures("normalization", "init_phase"),
            cures.batch_norm_allows_larger_rates,
        ),
        Claim(
            "C17",
            "Clipping gradients cures exploding gradients",
            "measured are the gradient of all parameters at step 0, and how many of the 24-layer "
            "tanh networks train whose start explodes",
            _cures(
                "clip_norm",
                "init_phase, log10(gradient_norm) as log10_start_norm",
                f"runs join curves using (trial_id) where step = 0 and {OF_CURES}",
            ),
            cures.clipping_cures_explosion,
        ),
    )
}


def evidence(store: str | Path, claim: Claim) -> pd.DataFrame:
    """The claim's rows with what is measured in addition; raises what `selected` raises."""
    return claim.measure(selected(store, claim.query))


def selected(store: str | Path, query: str) -> pd.DataFrame:
    """The rows that a query of this file selects, each with the BARS by which it was judged.

    Raises:
        NotAStoreError, MissingTableError: As analysis.reading.views.connect.
        UnsuitableRunsError: There are none.
    """
    with connect(store) as connection:
        rows = connection.sql(query).df()
    if rows.empty:
        raise UnsuitableRunsError(
            f"{store} has none of the rows that a claim needs; `phasesweep claims --store {store}` "
            "measures them"
        )
    if "thresholds" not in rows:
        return rows
    judged_by = read_judged_by(store)
    return rows.assign(**{name: judged_by.values(rows, name) for name in BARS})


def judge(store: str | Path) -> list[Judgement]:
    """Every claim with its verdict on the rows of a store; raises what `selected` raises."""
    return [Judgement(claim, claim.rule(evidence(store, claim))) for claim in CLAIMS.values()]
