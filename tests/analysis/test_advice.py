"""`phasesweep advise`: what to start from, by theory and by a store."""

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.advice import distances, rate_advice
from analysis.boundaries import DIVERGED
from pipeline.cli import app


def advise(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["advise", *map(str, arguments)])


def test_the_safe_rate_is_below_all_that_diverged(store, runs):
    """Of the region that was asked for, all seeds together."""
    wanted = {"activation": "relu", "depth": 12, "init_scale": 1.5874}
    advice = rate_advice(store, wanted)
    region = runs[(runs["activation"] == "relu") & (runs["depth"] == 12)]
    region = region[(region["init_scale"] - 1.5874).abs() < 0.01]
    diverged = region[region["outcome"].isin(DIVERGED)]["learning_rate"]
    assert advice.runs == len(region)
    assert advice.diverged == diverged.min()
    stable = region[region["learning_rate"] < diverged.min()]["learning_rate"]
    assert advice.safe == (stable.max() if len(stable) else None)
    assert advice.seeds == 2
    assert distances(advice, wanted) == {}


def test_the_nearest_region_is_said_not_to_be_the_one_asked_for(store):
    """Depth 12 stands for 20, and the reader hears it."""
    done = advise("--activation", "tanh", "--depth", 20, "--store", store)
    assert done.exit_code == 0
    assert "how sure: little; the nearest that the store has is depth 12 for 20" in done.stdout


def test_other_settings_that_vary_count_cautiously(make_store, runs):
    """With a data set that diverges at once in the store, no rate is safe."""
    worse = runs.assign(dataset="wine", outcome="diverged", trial_id=runs["trial_id"].str[::-1])
    both = make_store(pd.concat([runs, worse]))
    wanted = {"activation": "tanh", "depth": 2, "init_scale": 1.0}
    assert rate_advice(both, wanted).safe is None
    assert rate_advice(both, {"dataset": "digits", **wanted}).safe is not None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--activation", "cubic", "--depth", 3), "'cubic' is unknown; choose from"),
        (("--activation", "elu", "--depth", 3, "--store", "STORE"), "it has relu, tanh"),
        (
            ("--activation", "tanh", "--depth", 3, "--dataset", "wine", "--store", "STORE"),
            "the store has no dataset 'wine'; it has digits",
        ),
    ],
)
def test_a_wrong_name_lists_the_right_ones(store, arguments, told):
    """Exit code 2, nothing on stdout."""
    failed = advise(*(store if each == "STORE" else each for each in arguments))
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert told in failed.stderr


def test_without_a_store_theory_is_all():
    """And where to get a learning rate from."""
    done = advise("--activation", "tanh", "--depth", 30, "--width", 500)
    assert "Start from init_scale 1.225. At 1 gradients neither" in done.stdout
    assert "How sure: well. 500 units are wide for 30 layers." in done.stdout
    assert "--store names one" in done.stdout
