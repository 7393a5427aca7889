"""The figures and tables that the command line knows by name, each made from a store."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.claims.argument import CLAIMS, PROFILES, evidence, selected
from analysis.figures.catapult import catapult_by_rate
from analysis.figures.chi import chi_by_init_scale
from analysis.figures.claim_c8 import claim_c8
from analysis.figures.claim_c9 import claim_c9
from analysis.figures.claim_layers import claim_layers
from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth
from analysis.figures.edge_of_stability import edge_of_stability_by_step
from analysis.figures.gradient_by_layer import gradient_by_layer
from analysis.figures.label_agreement import label_agreement_map
from analysis.figures.loss_curves import loss_curves_by_outcome
from analysis.figures.outcome_shares import outcome_shares_by_axis
from analysis.figures.stability_map import stability_map
from analysis.figures.thresholds import map_by_threshold
from analysis.figures.trainable_depth import trainable_depth_map
from analysis.reading.stores import UnsuitableRunsError, read_curves, read_layers
from analysis.reading.thresholds import read_judged_by
from analysis.tables.boundaries import boundary_learning_rates, outcome_shares
from analysis.tables.chi import chi_against_theory
from analysis.tables.curvatures import edge_of_stability, largest_stable_rates
from analysis.tables.depth_scales import fitted_multiple, trainable_depth
from analysis.tables.judgments import read_judged
from analysis.tables.label_agreement import label_agreement
from analysis.tables.threshold_shifts import moved_shares

# Each figure's function of a store and the trained level at which to judge its runs (None: their
# own level).
FIGURES: dict[str, Callable[[str | Path, float | None], Figure]] = {
    "stability_map": lambda store, level: stability_map(read_judged(store, level)),
    "critical_learning_rate": lambda store, level: boundary_learning_rate_by_depth(
        read_judged(store, level)
    ),
    "outcome_shares": lambda store, level: outcome_shares_by_axis(read_judged(store, level)),
    "loss_curves": lambda store, level: loss_curves_by_outcome(
        read_curves(store), read_judged(store, level)
    ),
    "gradient_by_layer": lambda store, level: gradient_by_layer(
        read_layers(store), read_judged(store, level)
    ),
    "label_agreement": lambda store, level: label_agreement_map(read_judged(store, level)),
    "trainable_depth": lambda store, level: trainable_depth_map(read_judged(store, level)),
    "chi": lambda store, level: chi_by_init_scale(deepest(read_judged(store, level))),
    "edge_of_stability": lambda store, level: edge_of_stability_by_step(
        read_curves(store), read_judged(store, level)
    ),
    "catapult": lambda store, level: catapult_by_rate(read_judged(store, level)),
    "thresholds": lambda store, level: map_by_threshold(
        read_judged(store, level), read_judged_by(store)
    ),
    "claim_layers": lambda store, level: claim_layers(
        selected(_as_recorded(store, level), PROFILES)
    ),
    "claim_c8": lambda store, level: claim_c8(evidence(_as_recorded(store, level), CLAIMS["C8"])),
    "claim_c9": lambda store, level: claim_c9(evidence(_as_recorded(store, level), CLAIMS["C9"])),
}

TABLES: dict[str, Callable[[str | Path, float | None], pd.DataFrame]] = {
    "outcomes": lambda store, level: outcome_shares(
        read_judged(store, level), ["activation", "depth"]
    ),
    "critical_learning_rate": lambda store, level: boundary_learning_rates(
        read_judged(store, level)
    ),
    "label_agreement": lambda store, level: label_agreement(read_judged(store, level)),
    "trainable_depth": lambda store, level: trainable_depth(read_judged(store, level)),
    "multiple_of_xi": lambda store, level: multiple_of_xi(read_judged(store, level)),
    "chi": lambda store, level: chi_against_theory(read_judged(store, level)),
    "edge_of_stability": lambda store, level: edge_of_stability(
        read_curves(store), read_judged(store, level)
    ),
    "catapult": lambda store, level: largest_stable_rates(read_judged(store, level)),
    "thresholds": lambda store, level: moved_shares(
        read_judged(store, level), read_judged_by(store)
    ),
}


def _as_recorded(store: str | Path, level: float | None) -> str | Path:
    if level is not None:
        raise UnsuitableRunsError(
            "a claim's runs are judged as the claim asks; leave out --trained-level"
        )
    return store


def deepest(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the largest depth, where theory fits best."""
    return runs[runs["depth"] == runs["depth"].max()]


def multiple_of_xi(runs: pd.DataFrame) -> pd.DataFrame:
    """The fitted multiple of xi_correlation to which networks can be trained, per activation.

    Returns:
        One row per activation with enough points: `multiple`, its standard error as a factor,
        `error_factor`, and the number of `points`.
    """
    fits = {
        activation: fitted_multiple(depths)
        for activation, depths in trainable_depth(runs).groupby("activation")
    }
    rows = [
        {"activation": a, "multiple": m.value, "error_factor": m.error, "points": m.points}
        for a, m in fits.items()
        if m is not None
    ]
    return pd.DataFrame(rows, columns=["activation", "multiple", "error_factor", "points"])
