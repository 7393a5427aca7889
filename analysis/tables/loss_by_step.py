"""The loss of every cell of a stability map at every logged step."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.reading.stores import UnsuitableRunsError
from analysis.tables.judgments import BOUND

CELL = ("depth", "init_scale", "learning_rate")


def loss_by_step(
    curves: pd.DataFrame, runs: pd.DataFrame, cell: Sequence[str] = CELL
) -> pd.DataFrame:
    """The loss of each cell along training: one row per logged step and cell.

    A run that ended early keeps its last loss. Where seeds disagree the median is taken.

    Args:
        curves: `trial_id`, `step` and `loss`; of a step that overflowed the loss is NaN.
        runs: `trial_id`, the settings of a cell, `initial_loss`, `baseline_loss` and
            `diverged_at_end`, as read_judged gives them.
        cell: The settings that make a cell; no other but the seed may vary.

    Returns:
        `step`, the settings of the cell, and `loss_share`: the loss in units of the best
        constant predictor's. It is infinite where the loss has overflowed, or lies above
        the larger of the initial loss and the best constant's by the factor `diverged_at_end`.

    Raises:
        UnsuitableRunsError: The curves of these runs have fewer than two steps.
    """
    shares = _share_by_run(curves, runs)
    steps = _common_steps(curves[curves["trial_id"].isin(shares.index)])
    if len(steps) < 2:
        raise UnsuitableRunsError(
            f"the curves of these runs have {len(steps)} steps and a moving picture needs two; "
            "choose another activation, or run a sweep with more steps, as in `steps: 100`"
        )
    keys = list(cell)
    cells = runs.set_index("trial_id").loc[shares.index, keys]
    table = shares[steps].join(cells).groupby(keys).median().reset_index()
    rows = table.melt(id_vars=keys, var_name="step", value_name="loss_share")
    return rows[["step", *keys, "loss_share"]]


def _share_by_run(curves: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Each run's loss as a share of the best constant's: (runs, steps logged by any run)."""
    known = runs[["trial_id", "initial_loss", "baseline_loss", BOUND]]
    rows = curves[["trial_id", "step", "loss"]].merge(known, on="trial_id")
    began = rows[["initial_loss", "baseline_loss"]].max(axis=1)
    # A loss of NaN has overflowed; the comparison is False for it, so it counts as not bounded.
    bounded = rows["loss"] <= rows[BOUND] * began
    rows["share"] = (rows["loss"] / rows["baseline_loss"]).where(bounded, np.inf)
    return rows.pivot(index="trial_id", columns="step", values="share").ffill(axis=1)


def _common_steps(curves: pd.DataFrame) -> list[int]:
    """The steps of the longest curve; a run that ended early has its own last step in addition."""
    if curves.empty:
        return []
    ends = curves.groupby("trial_id")["step"].max()
    longest = curves[curves["trial_id"] == ends.idxmax()]
    return sorted(longest["step"].tolist())
