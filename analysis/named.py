"""The figures and tables that the command line knows by name, each made from a store."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from analysis.boundaries import critical_learning_rate_bracket, outcome_shares
from analysis.chi import chi_against_theory
from analysis.claim_figures import claim_c8, claim_c9, claim_layers
from analysis.claims import CLAIMS, PROFILES, evidence, selected
from analysis.curvature_figures import catapult_by_rate, edge_of_stability_by_step
from analysis.curvatures import edge_of_stability, largest_stable_rates
from analysis.curve_figures import loss_curves_by_outcome
from analysis.depth_scales import fitted_multiple, trainable_depth
from analysis.figures import critical_learning_rate_by_depth, stability_map
from analysis.label_agreement import label_agreement, label_agreement_map
from analysis.layer_figures import gradient_by_layer
from analysis.share_figures import outcome_shares_by_axis
from analysis.tables import read_curves, read_layers, read_runs
from analysis.theory_figures import chi_by_init_scale, trainable_depth_map
from analysis.threshold_figures import map_by_threshold
from analysis.threshold_shifts import moved_shares

FIGURES: dict[str, Callable[[str | Path], Figure]] = {
    "stability_map": lambda store: stability_map(read_runs(store)),
    "critical_learning_rate": lambda store: critical_learning_rate_by_depth(read_runs(store)),
    "outcome_shares": lambda store: outcome_shares_by_axis(read_runs(store)),
    "loss_curves": lambda store: loss_curves_by_outcome(read_curves(store), read_runs(store)),
    "gradient_by_layer": lambda store: gradient_by_layer(read_layers(store), read_runs(store)),
    "label_agreement": lambda store: label_agreement_map(read_runs(store)),
    "trainable_depth": lambda store: trainable_depth_map(read_runs(store)),
    "chi": lambda store: chi_by_init_scale(deepest(read_runs(store))),
    "edge_of_stability": lambda store: edge_of_stability_by_step(
        read_curves(store), read_runs(store)
    ),
    "catapult": lambda store: catapult_by_rate(read_runs(store)),
    "thresholds": lambda store: map_by_threshold(read_runs(store)),
    "claim_layers": lambda store: claim_layers(selected(store, PROFILES)),
    "claim_c8": lambda store: claim_c8(evidence(store, CLAIMS["C8"])),
    "claim_c9": lambda store: claim_c9(evidence(store, CLAIMS["C9"])),
}

TABLES: dict[str, Callable[[str | Path], pd.DataFrame]] = {
    "outcomes": lambda store: outcome_shares(read_runs(store), ["activation", "depth"]),
    "critical_learning_rate": lambda store: critical_learning_rate_bracket(read_runs(store)),
    "label_agreement": lambda store: label_agreement(read_runs(store)),
    "trainable_depth": lambda store: trainable_depth(read_runs(store)),
    "multiple_of_xi": lambda store: multiple_of_xi(read_runs(store)),
    "chi": lambda store: chi_against_theory(read_runs(store)),
    "edge_of_stability": lambda store: edge_of_stability(read_curves(store), read_runs(store)),
    "catapult": lambda store: largest_stable_rates(read_runs(store)),
    "thresholds": lambda store: moved_shares(read_runs(store)),
}


def deepest(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs of the largest depth: a figure of one depth shows it where theory fits best."""
    return runs[runs["depth"] == runs["depth"].max()]


def multiple_of_xi(runs: pd.DataFrame) -> pd.DataFrame:
    """The fitted multiple of xi_correlation to which networks can be trained, per activation.

    Returns:
        A row for each activation: `multiple`, its standard error as a factor,
        `error_factor`, and the number of `points`; without those of too few points.
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
