"""What to change in a run: a change that trained in its store, else what its cause suggests."""

from collections.abc import Iterator

import pandas as pd

from analysis.explaining.causes import Run
from analysis.explaining.nearest_changes import nearest_changes
from analysis.explaining.neighbors import CHANGEABLE
from analysis.explaining.suggestions import Remedy, suggestions
from analysis.reading.stores import REPEATS

ALIKE = [name for name in CHANGEABLE if name not in REPEATS]


def remedies(run: Run, runs: pd.DataFrame) -> list[Remedy]:
    """What to change, best first: the nearest change that trained, else what the cause suggests.

    Args:
        run: Its settings and results.
        runs: The store's: CHANGEABLE, `trained_level`, `trial_id` and `outcome`.

    Returns:
        One remedy that is known to have trained, or several to try; none for a run that trained or
        whose cause has no known remedy.
    """
    own = [*CHANGEABLE, "trained_level", "outcome"]
    return next(_each([run], pd.DataFrame([{name: run[name] for name in own}]), runs))


def remedies_of_each(each: list[Run], runs: pd.DataFrame) -> Iterator[list[Remedy]]:
    """The remedies of all runs of a store, in their order.

    Args:
        each: The rows of `runs`, with their results.
        runs: As of remedies.
    """
    return _each(each, runs, runs)


def _each(each: list[Run], own: pd.DataFrame, runs: pd.DataFrame) -> Iterator[list[Remedy]]:
    failed = own["outcome"] != "trained"
    trained = runs[runs["outcome"] == "trained"]
    places = iter(nearest_changes(own[failed], trained).tolist())
    columns = trained[[*CHANGEABLE, "trial_id"]].to_dict("list")
    shares = _shares(runs)[runs["outcome"] == "trained"].tolist()
    for run in each:
        if run["outcome"] == "trained":
            yield []
            continue
        place = next(places)
        if place < 0:
            yield suggestions(run)
            continue
        found = {str(name): values[place] for name, values in columns.items()}
        yield [_that_trained(run, found, shares[place])]


def _that_trained(run: Run, found: Run, share: str) -> Remedy:
    return Remedy(
        {name: found[name] for name in CHANGEABLE if found[name] != run[name]},
        share.format(found["trial_id"]),
        found["trial_id"],
    )


def _shares(runs: pd.DataFrame) -> pd.Series:
    """In words, how many of the runs that share all but the seed trained; {} is a run's id."""
    trained = (runs["outcome"] == "trained").groupby([runs[name] for name in ALIKE])
    of = trained.transform("size")
    words = trained.transform("sum").astype(str) + " of " + of.astype(str)
    words += " runs with these settings trained in this store, {} among them"
    return words.where(of > 1, "run {} of this store has these settings and trained")
