"""From a store to tables and figures; needs the Parquet files alone, no pipeline, no Ray.

What notebooks use is imported from here: `from analysis import read_runs, stability_map`.
"""

from importlib import import_module
from typing import Any

# By the module that has it. Loaded when asked for: commands that draw nothing start sooner.
OFFERED = {
    "analysis.reading.stores": (
        "UnsuitableRunsError",
        "data_dictionary",
        "read_curves",
        "read_layers",
        "read_runs",
        "read_schema",
    ),
    "analysis.reading.views": ("connect",),
    "analysis.tables.boundaries": ("boundary_learning_rates", "outcome_shares"),
    "analysis.tables.chi": ("chi_against_theory",),
    "analysis.tables.comparison": (
        "changes_by_setting",
        "common_cells",
        "differing_settings",
        "moved_boundary",
        "outcome_changes",
    ),
    "analysis.tables.curvatures": ("edge_of_stability", "largest_stable_rates", "optimizer_edges"),
    "analysis.tables.depth_scales": ("trainable_depth",),
    "analysis.tables.dimensions": ("boundary_dimensions",),
    "analysis.tables.judgments": ("read_judged",),
    "analysis.tables.views": ("View",),
    "analysis.tables.label_agreement": ("label_agreement",),
    "analysis.figures.adam_edge": ("adam_edge_by_rate",),
    "analysis.figures.catapult": ("catapult_by_rate",),
    "analysis.figures.chi": ("chi_by_init_scale",),
    "analysis.figures.claim_c8": ("claim_c8",),
    "analysis.figures.claim_c9": ("claim_c9",),
    "analysis.figures.claim_layers": ("claim_layers",),
    "analysis.figures.critical_learning_rate": ("boundary_learning_rate_by_depth",),
    "analysis.figures.edge_of_stability": ("edge_of_stability_by_step",),
    "analysis.figures.fractal": ("fractal_boundary",),
    "analysis.figures.gradient_by_layer": ("gradient_by_layer",),
    "analysis.figures.label_agreement": ("label_agreement_map",),
    "analysis.figures.loss_curves": ("loss_curves_by_outcome",),
    "analysis.figures.outcome_shares": ("outcome_shares_by_axis",),
    "analysis.figures.stability_map": ("stability_map",),
    "analysis.figures.thresholds": ("map_by_threshold",),
    "analysis.figures.trainable_depth": ("trainable_depth_map",),
    "analysis.claims.argument": ("CLAIMS", "PROFILES", "evidence", "judge", "selected"),
    "analysis.claims.judgements": ("decisive_numbers", "verdicts"),
}
MODULES = {name: module for module, names in OFFERED.items() for name in names}

__all__ = sorted(MODULES)


def __getattr__(name: str) -> Any:
    """Import a public function when its name is first used."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
