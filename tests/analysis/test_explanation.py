"""`phasesweep explain`: one run told as a person would."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.explaining.explanation import (
    UnknownTrialError,
    events,
    explain,
    find_run,
    layer_lines,
)
from pipeline.cli import app


def explained(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_every_run_of_a_store_can_be_explained(store, runs):
    """One of each outcome and cause, whatever is NULL in it: plain words that fit the screen."""
    for trial in runs.drop_duplicates(["outcome", "cause", "depth"])["trial_id"]:
        told = explain(store, trial)
        assert told.startswith(trial)
        assert "nan" not in told
        assert "None" not in told
        assert "2 / lambda_max" in told
        assert max(map(len, told.splitlines())) <= 80


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


def test_theory_starts_from_the_runs_own_inputs(run_small):
    """GELU, sigma_w^2 = 2.2, raw spirals: their small inputs are led to the limit that vanishes."""
    gelu = run_small(
        dataset="spirals",
        features="raw",
        examples=32,
        activation="gelu",
        init_scale=2.2**0.5,
        width=64,
        depth=20,
        learning_rate=0.01,
        seed=0,
        steps=5,
    )
    (run,) = pd.read_parquet(gelu / "runs").to_dict("records")
    told = " ".join(explain(gelu, run["trial_id"]).split())
    assert f"at infinite width {run['chi_theory']:.4g}. Each layer multiplies" in told
    assert run["chi_theory"] < 0.7


def test_theory_says_nothing_of_layers_that_are_not_there(run_small):
    """One layer passes no signal on, whatever its activation does at infinite width."""
    single = run_small(depth=1, learning_rate=0.1, seed=0)
    run = pd.read_parquet(single / "runs").iloc[0]
    told = explain(single, run["trial_id"])
    assert "a single layer passes no signal on" in told
    assert "infinite width" not in told


def test_layers_that_were_not_measured_are_said_to_be():
    """With the measurement to ask for."""
    assert layer_lines(pd.DataFrame({"layer": []})) == ["not measured; `measure: signal` does that"]


def test_a_run_of_an_older_store_can_be_explained(make_store, runs):
    """Columns that came later are as good as NULL."""
    later = ["late_rise", "rare_rise", "final_mean_slope", "critical_learning_rate", "late_change"]
    for trial in runs.drop_duplicates(["outcome", "cause"])["trial_id"]:
        told = explain(make_store(runs.drop(columns=later)), trial)
        assert "None" not in told
        assert "beyond any float of itself" not in told


def test_the_loss_of_an_overflow_is_no_none(make_store, runs):
    """Neither in what happened nor in the cause."""
    overflow = runs[runs["outcome"] == "overflow"].iloc[:1]
    told = explain(make_store(overflow.assign(initial_loss=None)), overflow["trial_id"].iloc[0])
    assert "step 0: the loss is beyond any float" in told
    assert "is none" not in told.split("Layer by layer")[0]


def test_held_out_examples_are_reported_where_there_were_some(store, runs):
    """Their loss, and the accuracy of a classifier; lines that fit the screen at any number."""
    run = find_run(store, runs[runs["outcome"] == "trained"]["trial_id"].iloc[0])
    assert not any("held-out" in line for line in events(run))
    held_out = {"test_examples": 10**7, "test_loss": 0.123456, "test_accuracy": 0.5}
    lines = [line for line in events({**run, **held_out}) if "held-out" in line]
    assert lines == [
        "on 10,000,000 held-out examples its loss is 0.1235",
        "it classifies 50% of the held-out examples correctly",
    ]
    lines = events({**run, **held_out, "test_accuracy": None})
    assert sum("held-out" in line for line in lines) == 1


def test_a_fall_before_a_divergence_is_reported(make_store, runs):
    """When the loss was lowest, from the columns that say so."""
    diverged = runs[runs["outcome"] == "diverged"].iloc[:1]
    store = make_store(
        diverged.assign(cause="sharpening", lowest_loss=0.02, lowest_step=213, steps_run=214)
    )
    told = explain(store, diverged["trial_id"].iloc[0])
    assert "step 213: the loss is lowest, 0.02" in told
    assert "The loss fell for 213 steps, to 0.02, and then left." in " ".join(told.split())
    at_last = diverged.assign(cause="sharpening", lowest_loss=0.02, lowest_step=1, steps_run=1)
    told = explain(make_store(at_last), diverged["trial_id"].iloc[0])
    assert "The loss fell for 1 step, to 0.02, the last that is known." in " ".join(told.split())
    run = find_run(make_store(diverged), diverged["trial_id"].iloc[0])
    assert not any("lowest" in event for event in events(run))


def test_an_explanation_ends_with_what_to_do(store, runs):
    """The nearest change that trained, with its share, as settings and as PyTorch."""
    failed = runs[(runs["depth"] == 2) & (runs["cause"] == "learning_rate")].iloc[0]
    end = explain(store, failed["trial_id"]).split("What to do\n")[1]
    assert f"learning_rate {failed['learning_rate']:.4g} -> " in end
    assert "trained in this store" in " ".join(end.split())
    assert "optimizer = torch.optim.SGD(net.parameters(), lr=" in end
    assert "all examples at once" in end


def test_a_run_that_trained_needs_nothing(store, runs):
    """And one of a newer phasesweep is not advised on."""
    trained = runs[runs["outcome"] == "trained"]["trial_id"].iloc[0]
    assert explain(store, trained).endswith("What to do\n  nothing: it trained")


def test_what_a_newer_version_calls_a_start_is_quoted(make_store, runs):
    """And the threshold that a word of the cause names is the store's."""
    jumping = runs[runs["init_phase"].notna()].iloc[:1]
    store = make_store(jumping.assign(init_phase="rotating", outcome="oscillating", cause=None))
    thresholds = {"oscillating_share": 0.25}
    (store / "manifest.json").write_text(json.dumps({"thresholds": thresholds}))
    without = store / "runs" / "part.parquet"
    pd.read_parquet(without).assign(thresholds=None).to_parquet(without)
    told = " ".join(explain(store, jumping["trial_id"].iloc[0]).split())
    assert "the error is 'rotating', a word that this version does not know" in told
    assert "more than 25% of the steps raised it" in told


def test_a_newer_cause_is_said_to_be_unknown(make_store, runs):
    """A cause or an outcome that this version has no words for."""
    run = runs[runs["outcome"] == "stalled"].iloc[:1]
    trial = run["trial_id"].iloc[0]
    cause = " ".join(explain(make_store(run.assign(cause="lazy")), trial).split())
    assert "This version of phasesweep does not know the cause 'lazy'" in cause
    assert cause.endswith("this version knows no remedy for it")
    outcome = explain(make_store(run.assign(outcome="asleep", cause=None)), trial)
    assert "does not know the outcome 'asleep'" in " ".join(outcome.split())


def test_an_explanation_is_json_on_request(store, runs):
    """For each outcome and cause what the text says, as data; what does not exist is null."""
    for _, run in runs.drop_duplicates(["outcome", "cause", "depth"]).iterrows():
        done = explained(store, run["trial_id"], "--json")
        document = json.loads(done.stdout)
        told = " ".join(explain(store, run["trial_id"]).split())
        assert (done.exit_code, document["outcome"]) == (0, run["outcome"])
        assert document["settings"]["learning_rate"] == run["learning_rate"]
        assert document["results"]["final_loss"] == (
            None if pd.isna(run["final_loss"]) else run["final_loss"]
        )
        assert [layer["layer"] for layer in document["layers"]] == [*range(1, run["depth"] + 1)]
        words = [document["why"], *document["events"]]
        words += [remedy["reason"] for remedy in document["remedies"]]
        words += [line for remedy in document["remedies"] for line in remedy["pytorch"]]
        words += [near["trial_id"] for near in document["trained_nearby"]]
        assert [each for each in words if " ".join(each.split()) not in told] == []
        assert bool(document["remedies"]) == (run["outcome"] != "trained")
        for change in (each["changes"] for each in document["remedies"]):
            assert all(change[name]["from"] == run[name] for name in change)
