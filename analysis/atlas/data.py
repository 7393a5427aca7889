"""What the atlas shows of each run: settings, region, measures, loss curve, layer profile."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.atlas.inferred_cells import inferred_cells
from analysis.atlas.packing import codes, differences, quantized, rounded
from analysis.atlas.profiles import profile_columns
from analysis.atlas.words import word_columns
from analysis.reading.stores import REPEATS, MissingTableError, following, read_curves
from analysis.reading.traces import read_traces
from analysis.reading.trained_levels import level_words
from analysis.tables.judgments import read_judged
from analysis.tables.layouts import MAP, placed
from analysis.tables.regions import REGIONS, Region, region_by_run
from analysis.tables.views import EVERYTHING, View
from core.initializers import weight_variance
from core.optimization.rate_units import used_rates
from core.theory.mean_field import critical_weight_variance
from core.trials import TRIAL_FIELDS

Columns = dict[str, NDArray[Any]]

CURVE_STEPS = 400  # to a decade of loss: within half a percent
MOST_CURVE_POINTS = 750_000
SHORTEST_ID = 8  # digits of a trial id: `phasesweep explain` takes a unique beginning
NO_CURVE = 65_535


@dataclass(frozen=True)
class Measure:
    """A number of a run that the map can be colored by.

    Attributes:
        name, label: The column, and its words on the page.
        log: Whether the page gets, and colors by, its log10.
        diverging: Whether values below and above 0 (of the log10, if `log`) have different colors.
        colored: Whether the map offers it; the others are only listed.
        bounded: Whether its colors span a hundredth to ten times the best constant's loss. Without
            bounds, diverged runs would take up nearly all colors.
    """

    name: str
    label: str
    log: bool = False
    diverging: bool = False
    colored: bool = True
    bounded: bool = False


MEASURES = (
    Measure("final_loss", "final loss", log=True, bounded=True),
    Measure("final_accuracy", "final accuracy"),
    Measure("test_loss", "loss of held-out examples", log=True, bounded=True),
    Measure("test_accuracy", "accuracy on held-out examples"),
    Measure(
        "log10_gradient_ratio", "log10 first / last layer's gradient, at step 0", diverging=True
    ),
    Measure("chi_measured", "chi, measured", log=True, diverging=True),
    Measure("chi_theory", "chi, infinite width", log=True, diverging=True),
    Measure("scale_ratio", "init scale over the one with chi = 1", log=True, diverging=True),
    Measure("rate_ratio", "learning rate over the critical one", log=True, diverging=True),
    Measure("sharpness", "sharpness lambda_max", log=True),
    Measure("initial_loss", "initial loss", log=True, bounded=True),
    Measure("baseline_loss", "best constant's loss", log=True, colored=False),
    Measure("peak_loss", "largest loss", log=True, colored=False),
    Measure("diverged_step", "diverged at step", colored=False),
    Measure("overflow_step", "overflow at step", colored=False),
    Measure("wall_seconds", "seconds", log=True),
)


def atlas_data(
    store: str | Path, trained_level: float | None = None, view: View = EVERYTHING
) -> tuple[dict[str, Any], Columns]:
    """The header and columns of a store's page, for analysis.atlas.packing.pack.

    Args:
        store: Its folder or URL.
        trained_level: As of analysis.tables.judgments.read_judged.
        view: Which runs, and what lies where when the page opens.

    Raises:
        NotAStoreError, MissingTableError: There is no store, or no run in it.
        UnsuitableRunsError: They cannot be judged at that level, or none meets the view.
    """
    every = read_judged(store, trained_level)
    runs = view.kept(every)
    level = level_words(runs)
    # Runs that share a start lie side by side, since equal neighbors compress well.
    runs = runs.sort_values([*TRIAL_FIELDS], ignore_index=True)
    runs["rate_ratio"] = used_rates(runs) / runs["critical_learning_rate"]
    runs["scale_ratio"] = runs["init_scale"] / _critical_scales(runs)
    cells, traced = inferred_cells(every, runs["trial_id"], read_traces(store), view)
    columns: Columns = {
        "region": region_by_run(runs["outcome"], runs["cause"]),
        "cell run": cells["run"].to_numpy(np.uint32),
    }
    header: dict[str, Any] = {
        "ids": _shortened(runs["trial_id"]),
        "regions": [_in_words(region, level) for region in REGIONS],
        "trained": level,
        "where": list(view.where),
        "traced": traced,
        "places": placed(runs, view, MAP),
        "settings": [],
        "fixed": {},
    }
    shown = pd.concat([runs[[*TRIAL_FIELDS]], cells[[*TRIAL_FIELDS]]])
    follows = following(shown)
    for name in TRIAL_FIELDS:
        places, values = codes(shown[name])
        if len(values) == 1:
            header["fixed"][name] = values[0]
            continue
        pooled = name in REPEATS or name in follows
        header["settings"].append({"name": name, "values": values, "repeats": pooled})
        columns[f"setting {name}"] = places
    known = [each for each in MEASURES if runs[each.name].notna().any()]
    header["measures"] = [asdict(each) | _color_bounds(each, runs) for each in known]
    for each in known:
        columns[f"measure {each.name}"] = rounded(_scaled(runs[each.name], each))
    header["patterns"], curves = curve_columns(store, runs["trial_id"])
    header["words"], words = word_columns(store, runs, header["ids"])
    return header, {**columns, **curves, **profile_columns(store, runs), **words}


def _critical_scales(runs: pd.DataFrame) -> pd.Series:
    """The init scale at which chi = 1; NaN where theory has none, or says nothing of a run."""
    names = ("activation", "bias_scale", "initializer", "width")
    keys = list(zip(*(runs[name] for name in names), strict=True))
    known = {key: _critical_scale(*key) for key in set(keys)}
    scales = pd.Series([known[key] for key in keys], runs.index)
    return scales.where((runs["depth"] > 1) & runs["chi_theory"].notna())


def _critical_scale(activation: str, bias_scale: float, initializer: str, width: int) -> float:
    variance = critical_weight_variance(activation, bias_scale**2)
    of_unit = weight_variance(initializer, 1.0, width)
    return math.nan if variance is None else math.sqrt(variance / of_unit)


def _in_words(region: Region, level: str) -> dict[str, str]:
    return {"outcome": region.outcome, "label": region.label(level), "color": region.color}


def _color_bounds(measure: Measure, runs: pd.DataFrame) -> dict[str, float | None]:
    if not measure.bounded:
        return {"lowest": None, "highest": None}
    baseline = float(np.log10(runs["baseline_loss"].median()))
    return {"lowest": baseline - 2, "highest": baseline + 1}


def _shortened(ids: pd.Series) -> list[str]:
    """The first digits of each id, as many as make the ids unique."""
    for length in range(SHORTEST_ID, ids.str.len().max()):
        short = ids.str[:length]
        if short.is_unique:
            return short.tolist()
    return ids.tolist()


def _scaled(values: pd.Series, measure: Measure) -> NDArray[np.float64]:
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    if not measure.log:
        return numbers
    with np.errstate(divide="ignore", invalid="ignore"):  # a loss of 0 is -inf, and 0 again
        return np.log10(numbers)


def curve_columns(store: str | Path, ids: pd.Series) -> tuple[list[list[int]], Columns]:
    """Every run's log10 loss at its logged steps, evenly thinned if these are too many.

    Returns:
        The distinct lists of steps, and the columns `pattern`, a run's place among them,
        and `curve`, all runs' losses in steps of 1 / CURVE_STEPS, as differences.
    """
    try:
        curves = read_curves(store, ["trial_id", "step", "loss"])
    except MissingTableError:
        nothing = np.zeros(0, np.int16)
        return [], {"pattern": np.full(len(ids), NO_CURVE, np.uint16), "curve": nothing}
    curves["run"] = pd.Index(ids).get_indexer(curves.pop("trial_id"))
    curves = curves[curves["run"] >= 0].sort_values(["run", "step"], kind="stable")
    curves = curves[_kept(curves["run"].to_numpy())]
    lengths = curves.groupby("run").size()
    patterns: dict[tuple[int, ...], int] = {}
    pattern = np.full(len(ids), NO_CURVE, np.uint16)
    for run, steps in _series(curves["run"].to_numpy(), curves["step"].to_numpy()):
        pattern[run] = patterns.setdefault(tuple(steps.tolist()), len(patterns))
    with np.errstate(divide="ignore"):  # a loss of 0 lies at the scale's end
        losses = quantized(np.log10(curves["loss"].to_numpy(np.float64)), CURVE_STEPS)
    curve = differences(losses, lengths)
    return [list(steps) for steps in patterns], {"pattern": pattern, "curve": curve}


def _kept(run: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Every point, or, if there are too many, every n-th point of each run and its last one."""
    every = -(-len(run) // MOST_CURVE_POINTS)
    first = np.flatnonzero(np.diff(run, prepend=-1))
    place = np.arange(len(run)) - np.repeat(first, np.diff(first, append=len(run)))
    last = np.diff(run, append=-1) != 0
    return (place % every == 0) | last


def _series(
    run: NDArray[np.int64], values: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    starts = np.flatnonzero(np.diff(run, prepend=-1))
    return zip(run[starts].tolist(), np.split(values, starts[1:]), strict=True)
