"""What to change in a run: a change that trained in its store, else what its cause suggests."""

import pandas as pd

from analysis.explaining.causes import Run
from analysis.explaining.neighbors import CHANGEABLE, nearest_trained
from analysis.explaining.suggestions import NETWORK, Remedy, suggestions
from analysis.reading.stores import REPEATS
from core.trials import SETTINGS

# Other data or another loss is no remedy for a run; another scaling of the features is one.
OF_TASK = [n for n, s in SETTINGS.items() if s.of_task and s.decides == "training"]
GIVEN = (*(name for name in OF_TASK if name != "features"), "loss")


def remedies(run: Run, runs: pd.DataFrame) -> list[Remedy]:
    """What to change, best first: the nearest change that trained, else what the cause suggests.

    Args:
        run: Its settings and results.
        runs: The store's: CHANGEABLE, `trained_level`, `trial_id` and `outcome`.

    Returns:
        One that is known to have trained, or several to try; none for a run that trained,
        or whose cause is not known here.
    """
    if run["outcome"] == "trained":
        return []
    known = _that_trained(run, runs)
    return [known] if known else suggestions(run)


def _that_trained(run: Run, runs: pd.DataFrame) -> Remedy | None:
    """The nearest change that trained on the same task; it keeps the network if some change did."""
    same = runs
    for name in GIVEN:
        if name in runs and name in run:
            same = same[same[name] == run[name]]
    nearest = nearest_trained(run, same, most=len(same))
    if nearest.empty:
        return None
    kept = [NETWORK.isdisjoint(names) for names in nearest["changed"]]
    found = nearest[kept if any(kept) else [True] * len(nearest)].iloc[0]
    share = _share_like(found, same)
    return Remedy(
        {name: found[name] for name in found["changed"]},
        f"{share} with these settings trained in this store, {found['trial_id']} among them",
        found["trial_id"],
    )


def _share_like(found: pd.Series, runs: pd.DataFrame) -> str:
    """How many of the runs that differ from a run in the seed alone trained."""
    for name in CHANGEABLE:
        if name not in REPEATS:
            runs = runs[runs[name] == found[name]]
    trained = int((runs["outcome"] == "trained").sum())
    return f"{trained} of {len(runs)} run" + ("" if len(runs) == 1 else "s")
