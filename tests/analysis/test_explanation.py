"""`phasesweep explain`: one run told as a person would."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.causes import CAUSES, OUTCOMES, power, why
from analysis.explanation import UnknownTrialError, as_run, explain, find_run, layer_lines
from analysis.neighbors import nearest_trained
from analysis.regions import REGIONS
from pipeline.cli import app


def explained(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_every_run_of_a_store_can_be_told(store, runs):
    """One of each outcome and cause, whatever is NULL in it, with no NaN in the words."""
    for trial in runs.drop_duplicates(["outcome", "cause", "depth"])["trial_id"]:
        told = explain(store, trial)
        assert told.startswith(trial)
        assert "nan" not in told
        assert "2 / lambda_max" in told


def test_a_unique_prefix_is_enough(store, runs):
    """Upper case too, as one might copy it."""
    trial = runs["trial_id"].iloc[0]
    assert find_run(store, trial[:14].upper())["trial_id"] == trial


def test_an_ambiguous_prefix_names_the_matches(store, runs):
    """Exit code 2, and the first ids that it could mean."""
    failed = explained(store, "")
    assert failed.exit_code == 2
    assert f"{len(runs)} trial ids" in failed.stderr
    assert runs["trial_id"].min() in failed.stderr


def test_an_unknown_id_says_how_to_list_them(store):
    """Exit code 2, and a command that can be copied."""
    failed = explained(store, "zz")
    assert failed.exit_code == 2
    assert f'`phasesweep query {store} "select trial_id' in failed.stderr
    with pytest.raises(UnknownTrialError):
        find_run(store, "%")


def test_the_layers_of_a_run_are_listed(store, runs):
    """A line each, and one of three numbers at the start and at the end."""
    deep = runs[(runs["depth"] == 12) & (runs["outcome"] == "slow")]["trial_id"].iloc[0]
    done = explained(store, deep)
    lines = done.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("  layer  "))
    assert [line.split()[0] for line in lines[first + 1 : first + 13]] == [
        str(layer) for layer in range(1, 13)
    ]


def test_a_name_cannot_steer_the_terminal(make_store, runs):
    """An escape sequence in a store is shown, not obeyed."""
    hostile = make_store(runs.assign(dataset="\x1b[2J"))
    told = explain(hostile, runs["trial_id"].iloc[0])
    assert "\x1b" not in told
    assert "dataset \\x1b[2J" in told


def test_layers_that_were_not_measured_are_said_to_be():
    """With the measurement to ask for."""
    assert layer_lines(pd.DataFrame({"layer": []})) == ["not measured; `measure: signal` does that"]


def test_every_outcome_and_cause_has_words():
    """Those that the map knows: a new rule must be explained."""
    assert {region.outcome for region in REGIONS} == set(OUTCOMES)
    assert {region.cause for region in REGIONS if region.cause} <= set(CAUSES)


def test_a_divergence_is_told_with_its_numbers(runs):
    """The learning rate beside the curvature's bound."""
    diverged = runs[runs["cause"] == "learning_rate"].iloc[0]
    told = why(as_run(diverged))
    assert f"{diverged['learning_rate']:.4g} is" in told
    assert f"2 / lambda_max = {diverged['critical_learning_rate']:.4g}" in told


@pytest.mark.parametrize("alignment", [0.1, None])
def test_a_vanished_signal_is_told_by_what_the_row_has(alignment):
    """Single examples' gradients; of an older row, alone or in a mixed store, the mean's."""
    run = {
        "outcome": "stalled",
        "cause": "vanishing",
        "final_gradient_alignment": alignment,
        "final_log10_signal_ratio": None if alignment is None else -7.0,
        "final_log10_signal_per_error": None if alignment is None else -8.0,
        "final_log10_gradient_ratio": -7.0 if alignment is None else None,
        "final_log10_gradient_per_error": -8.0 if alignment is None else None,
    }
    told = why(run)
    assert "10^-7.0 of the last hidden layer's and 10^-8.0 of the error" in told


def test_a_long_fall_before_a_divergence_is_told():
    """With or without a measured curvature that the rate was above."""
    run = {
        "outcome": "diverged",
        "cause": "sharpening",
        "learning_rate": 0.2,
        "lowest_step": 213,
        "lowest_loss": 0.5,
    }
    for critical in (None, 0.1):
        assert "fell for 213 steps, to 0.5" in why(run | {"critical_learning_rate": critical})
    assert "was below 2 / lambda_max = 0.3" in why(run | {"critical_learning_rate": 0.3})


def test_a_factor_beyond_floats_is_told_by_its_exponent():
    """10^-400 is no float, but a sentence."""
    assert [power(-400.0), power(0.0), power(None)] == ["10^-400.0", "1", "no finite part"]


def test_the_nearest_neighbor_changes_least(runs):
    """As found by comparing every trained run with every setting."""
    run = as_run(runs[runs["outcome"] != "trained"].iloc[7])
    axes = ["depth", "activation", "init_scale", "learning_rate", "seed"]
    trained = runs[runs["outcome"] == "trained"]
    changes = sum((trained[name] != run[name]).astype(int) for name in axes)
    nearest = nearest_trained(run, runs)
    assert len(nearest["changed"].iloc[0]) == changes.min()
    first = nearest.iloc[0]
    assert set(first["changed"]) == {name for name in axes if first[name] != run[name]}
    same = trained[
        np.logical_and.reduce([(trained[n] == run[n]) == (n not in first["changed"]) for n in axes])
    ]
    own_distance = abs(np.log(first["learning_rate"] / run["learning_rate"]))
    if first["changed"] == ("learning_rate",):
        assert own_distance <= abs(np.log(same["learning_rate"] / run["learning_rate"])).min()


def test_no_remedy_has_a_change_too_many(make_runs):
    """Where a new learning rate alone trains, a new seed beside it is no advice."""
    runs = make_runs(
        trial_id=["own", "rate", "rate_and_seed", "scale"],
        outcome=["stalled", "trained", "trained", "trained"],
        learning_rate=[0.1, 1.0, 0.2, 0.1],
        init_scale=[1.0, 1.0, 1.0, 2.0],
        seed=[0, 0, 1, 0],
    )
    nearest = nearest_trained(as_run(runs.iloc[0]), runs)
    assert list(nearest["trial_id"]) == ["scale", "rate"]


def test_nothing_trained_is_an_answer(make_runs):
    """An empty table, not an error."""
    runs = make_runs(trial_id=["own"], outcome=["stalled"], learning_rate=[0.1])
    assert nearest_trained(as_run(runs.iloc[0]), runs).empty
