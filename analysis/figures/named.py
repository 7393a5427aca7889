"""The figures and tables that the command line knows by name, each made from a store."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.claims.argument import CLAIMS, PROFILES, evidence, selected
from analysis.figures.adam_edge import adam_edge_by_rate
from analysis.figures.catapult import catapult_by_rate
from analysis.figures.chi import chi_by_init_scale
from analysis.figures.claim_c8 import claim_c8
from analysis.figures.claim_c9 import claim_c9
from analysis.figures.claim_layers import claim_layers
from analysis.figures.critical_learning_rate import boundary_learning_rate_by_depth
from analysis.figures.cures import PLANE, cures_by_share
from analysis.figures.edge_of_stability import edge_of_stability_by_step
from analysis.figures.fractal import fractal_boundary
from analysis.figures.gradient_by_layer import gradient_by_layer
from analysis.figures.label_agreement import label_agreement_map
from analysis.figures.loss_curves import loss_curves_by_outcome
from analysis.figures.outcome_shares import outcome_shares_by_axis
from analysis.figures.stability_map import stability_map
from analysis.figures.thresholds import map_by_threshold
from analysis.figures.trainable_depth import trainable_depth_map
from analysis.reading.cells import INFERRED
from analysis.reading.stores import (
    UnsuitableRunsError,
    factors,
    read_curves,
    read_layers,
)
from analysis.reading.thresholds import read_judged_by
from analysis.reading.traces import Trace, read_traces
from analysis.tables.boundaries import USUAL as BRACKETED
from analysis.tables.boundaries import boundary_learning_rates, outcome_shares
from analysis.tables.chi import POOLED as CHI_POOLED
from analysis.tables.chi import SETTINGS as CHI_SETTINGS
from analysis.tables.chi import chi_against_theory
from analysis.tables.cures import AXES, trained_by_cure
from analysis.tables.curvatures import (
    EDGES,
    RATES,
    STARTS,
    edge_of_stability,
    largest_stable_rates,
    optimizer_edges,
)
from analysis.tables.depth_scales import POOLED, multiple_of_xi, trainable_depth
from analysis.tables.depth_scales import SETTINGS as DEPTH_SETTINGS
from analysis.tables.dimensions import boundary_dimensions
from analysis.tables.judgments import read_judged
from analysis.tables.label_agreement import CELL, label_agreement
from analysis.tables.layouts import placed
from analysis.tables.map_cells import read_map, trace_note, trained_only_note
from analysis.tables.threshold_shifts import moved_shares
from analysis.tables.views import EVERYTHING, View

# How each is made: from a store, the trained level to judge its runs at (None: their own), and
# what of it is shown.
Maker = Callable[[str | Path, float | None, View], Any]


def _of_runs(draw: Callable[[pd.DataFrame, View], Figure]) -> Maker:
    return lambda store, level, view: draw(read_judged(store, level), view)


def _of_map(draw: Callable[[pd.DataFrame, View, Sequence[Trace]], Figure]) -> Maker:
    return lambda store, level, view: draw(read_map(store, level, view), view, read_traces(store))


def _of_curves(draw: Callable[[pd.DataFrame, pd.DataFrame, View], Figure]) -> Maker:
    return lambda store, level, view: draw(read_curves(store), read_judged(store, level), view)


FIGURES: dict[str, Maker] = {
    "stability_map": _of_map(stability_map),
    "critical_learning_rate": _of_runs(boundary_learning_rate_by_depth),
    "outcome_shares": _of_map(outcome_shares_by_axis),
    "loss_curves": _of_curves(loss_curves_by_outcome),
    "gradient_by_layer": lambda store, level, view: gradient_by_layer(
        read_layers(store), read_judged(store, level), view
    ),
    "label_agreement": _of_runs(label_agreement_map),
    "trainable_depth": _of_runs(trainable_depth_map),
    "chi": _of_runs(chi_by_init_scale),
    "edge_of_stability": _of_curves(edge_of_stability_by_step),
    "adam_edge": _of_runs(adam_edge_by_rate),
    "catapult": _of_runs(catapult_by_rate),
    "cures": _of_map(cures_by_share),
    "fractal": _of_map(fractal_boundary),
    "thresholds": lambda store, level, view: map_by_threshold(
        read_judged(store, level), read_judged_by(store), view
    ),
    "claim_layers": lambda store, level, view: claim_layers(
        selected(_as_recorded(store, level, view), PROFILES)
    ),
    "claim_c8": lambda store, level, view: claim_c8(
        evidence(_as_recorded(store, level, view), CLAIMS["C8"])
    ),
    "claim_c9": lambda store, level, view: claim_c9(
        evidence(_as_recorded(store, level, view), CLAIMS["C9"])
    ),
}


def _grouped(
    count: Callable[[pd.DataFrame, list[str]], pd.DataFrame],
    usual: Sequence[str],
    pooled: Collection[str] = (),
) -> Maker:
    """A table that has a row for each group, as of View.groups."""

    def made(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
        runs = view.kept(read_judged(store, level))
        by = view.groups(runs, usual, pooled)
        return count(runs, by).sort_values(by, ignore_index=True)

    return made


def _outcomes(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
    """The shares of the settings asked for, or of activation and depth; all others are pooled."""
    cells = view.kept(read_map(store, level, view))
    usual = [name for name in ("activation", "depth") if name in factors(cells)]
    by = list(view.named.values()) or usual or factors(cells)
    return _counted(outcome_shares(cells, by or ["activation", "depth"]), cells)


def _edge(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
    curves = read_curves(store)
    return _grouped(partial(edge_of_stability, curves), EDGES)(store, level, view)


def _cures(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
    """The plane is that of the settings asked for, x and y, or of learning rate and init scale.

    If neither varies, it is the figure's.
    """
    cells = view.kept(read_map(store, level, view))
    usual = AXES if set(AXES) & set(factors(cells)) else placed(cells, view, PLANE).values()
    return _counted(trained_by_cure(cells, list(view.named.values()) or list(usual)), cells)


def _counted(table: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """A table in which what was counted has its name: of a traced map cells, not runs alone."""
    return table.rename(columns={"runs": "cells"}) if INFERRED in cells else table


def _dimension(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
    return boundary_dimensions(read_map(store, level, view), view, read_traces(store))


def _thresholds(store: str | Path, level: float | None, view: View) -> pd.DataFrame:
    if view.named:
        raise UnsuitableRunsError("the table of thresholds has no groups; it takes --where")
    return moved_shares(view.kept(read_judged(store, level)), read_judged_by(store))


TABLES: dict[str, Maker] = {
    "outcomes": _outcomes,
    "critical_learning_rate": _grouped(boundary_learning_rates, BRACKETED, ("learning_rate",)),
    "label_agreement": _grouped(label_agreement, CELL),
    "trainable_depth": _grouped(trainable_depth, DEPTH_SETTINGS, POOLED),
    "multiple_of_xi": _grouped(
        multiple_of_xi, ("activation",), (*POOLED, "init_scale", "bias_scale")
    ),
    "chi": _grouped(chi_against_theory, CHI_SETTINGS, CHI_POOLED),
    "edge_of_stability": _edge,
    "adam_edge": _grouped(optimizer_edges, RATES),
    "catapult": _grouped(largest_stable_rates, STARTS, ("learning_rate",)),
    "cures": _cures,
    "dimension": _dimension,
    "thresholds": _thresholds,
}

# Tables that count the cells of a traced map, also those that were not trained.
OF_CELLS = ("outcomes", "cures", "dimension")


def table_note(name: str, store: str | Path, level: float | None, view: View) -> str | None:
    """What a table of a traced store is of, cells or runs; None if each cell was trained.

    Raises:
        UnsuitableRunsError: As the table does.
    """
    traces = read_traces(store)
    if not traces:
        return None
    cells = view.kept(read_map(store, level, view))
    return trace_note(cells, traces) if name in OF_CELLS else trained_only_note(cells)


def _as_recorded(store: str | Path, level: float | None, view: View) -> str | Path:
    if level is not None:
        raise UnsuitableRunsError(
            "a claim's runs are judged as the claim asks; leave out --trained-level"
        )
    if view != EVERYTHING:
        raise UnsuitableRunsError(
            f"a claim's figure shows what the claim is about; leave out{view.options()}"
        )
    return store
