"""`phasesweep advise`: the rate that trained, with its share, or the trainings that would decide.

Every store here is trained by its test: what is advised must hold where someone tries it.
"""

import json

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from analysis.advising.advice import rate_advice
from analysis.advising.deciding_sweep import deciding_sweep
from analysis.tables.shares import share_interval
from core.outcomes import DIVERGED
from pipeline.cli import app
from pipeline.sweep_files.loading import load_sweep

SIGMOID = """
dataset: digits
examples: 32
depth: 30
width: 16
activation: sigmoid
init_scale: [1, 10.15]
learning_rate: {geomspace: [0.01, 10, 4]}
steps: 40
"""
RELU = """
dataset: digits
examples: 64
depth: 10
activation: relu
init_scale: 2
learning_rate: {geomspace: [1.0e-3, 1, 7]}
steps: 40
"""
SHALLOW = """
dataset: digits
examples: 64
depth: 3
activation: relu
init_scale: [1, 1.41421356237]
learning_rate: {geomspace: [0.1, 1.78, 6]}
loss: mse
seed: [0, 1, 2, 3, 4]
measure: [signal, sharpness]
"""
LINE = """
file: line.csv
task: numbers
features: raw
depth: 1
activation: linear
loss: mse
learning_rate: [1.0e-4, 1.0e-3]
steps: 60
"""
NARROW = """
file: absolute.csv
examples: 32
depth: 11
width: 2
activation: relu
init_scale: 1.41421356237
learning_rate: 0.03
loss: mse
steps: 1500
seed: {linspace: [0, 99, 100]}
"""


@pytest.fixture(scope="module")
def shallow(trained_store):
    """Depth 3, width 32: where the old advice was 1.47, at which runs are stalled and dead."""
    return trained_store(SHALLOW)


@pytest.fixture(scope="module")
def narrow(trained_store):
    """The absolute value, learned by a hundred networks of width 2 and depth 11."""
    points = [0.1 * n - 1.6 for n in range(32)]
    rows = "".join(f"{x:.2f},{abs(x) + 0.01 * x:.4f}\n" for x in points)
    return trained_store(NARROW, absolute="x,target\n" + rows)


def advise(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["advise", *map(str, arguments)])


def told(*arguments):
    """What the command prints, as one line; every line fits the screen, a path's length apart."""
    done = advise(*arguments)
    assert done.exit_code == 0, done.output
    assert all(len(line) <= 80 or "phasesweep run" in line for line in done.stdout.splitlines())
    return " ".join(done.stdout.split())


def test_a_rate_that_diverges_is_not_advised(trained_store):
    """Sigmoid, depth 30: nothing trained, so the best run is named, and what to try."""
    store = trained_store(SIGMOID)
    advice = rate_advice(store, {"activation": "sigmoid", "depth": 30, "init_scale": 10.15})
    assert advice.rate is None
    runs = pd.read_parquet(store / "runs")
    shares = runs["tail_loss"] / runs["baseline_loss"]
    assert advice.best.share == shares.min()
    assert advice.best.trial_id == runs["trial_id"][shares.idxmin()]
    words = told("--activation", "sigmoid", "--depth", 30, "--store", store)
    assert "Start from learning_rate" not in words
    assert "None of the 8 runs there trained" in words
    assert f"`phasesweep explain {store} {advice.best.trial_id}` says why" in words
    assert f"came to {100 * shares.min():.3g}% of the constant's loss" in words
    assert "steps: 400" in words  # ten times as many: of vanished starts most train by then


def test_the_best_run_is_not_the_largest_rate_that_survived(trained_store):
    """ReLU, depth 10: 0.0316 did not diverge, at 0.00316 nearly all are classified right."""
    store = trained_store(RELU)
    runs = pd.read_parquet(store / "runs").set_index("learning_rate").sort_index()
    survived = runs[~runs["outcome"].isin(DIVERGED)].iloc[-1]
    best = rate_advice(store, {"activation": "relu", "depth": 10, "init_scale": 1.414}).best
    assert best.accuracy > survived["final_accuracy"] + 0.3
    assert best.settings["learning_rate"] < survived.name
    assert best.share == (runs["tail_loss"] / runs["baseline_loss"]).min()


def test_a_scale_that_trained_is_preferred_to_theorys(shallow):
    """ReLU, depth 3: at theory's scale nothing trained, and the reader hears it."""
    words = told("--activation", "relu", "--depth", 3, "--width", 32, "--store", shallow)
    assert "Start from learning_rate 0.316 with init_scale 1." in words
    assert "At 0.316, 5 of 5 runs trained" in words
    steps = pd.read_parquet(shallow / "runs")["steps"].unique().item()
    assert f"Each took {steps} steps; fewer may not do." in words
    assert "With theory's init_scale 1.414 none of 30 runs trained" in words
    assert words.startswith("From the store Start from learning_rate")
    assert "Init scale, from theory alone (in the store it did no better)" in words
    assert "safe" not in words


def test_a_run_that_a_peak_killed_is_no_witness(shallow):
    """What lies below the first divergence is told with how it ended."""
    runs = pd.read_parquet(shallow / "runs")
    killed = runs[(runs["outcome"] == "stalled") & (runs["peak_loss"] > 100)]
    assert (killed["cause"] == "dead").any()
    advice = rate_advice(shallow, {"activation": "relu", "depth": 3, "init_scale": 1.0})
    assert advice.divergence.first <= 1.78
    below = runs[(runs["init_scale"] == 1) & (runs["learning_rate"] < advice.divergence.first)]
    assert advice.divergence.runs == len(below)
    assert sum(advice.divergence.endings.values()) == len(below)
    assert not below["outcome"].isin(DIVERGED).any()


def test_the_share_holds_for_fresh_seeds(shallow, trained_store):
    """32 other seeds at the advised rate and start train as often as the interval says."""
    rate = rate_advice(shallow, {"activation": "relu", "depth": 3, "init_scale": 1.414}).rate
    followed = SHALLOW.replace("[1, 1.41421356237]", str(rate.start["init_scale"]))
    followed = followed.replace("{geomspace: [0.1, 1.78, 6]}", repr(rate.learning_rate))
    fresh = trained_store(followed.replace("[0, 1, 2, 3, 4]", "{linspace: [100, 131, 32]}"))
    runs = pd.read_parquet(fresh / "runs")
    low, high = share_interval(rate.trained, rate.runs)
    assert len(runs) == 32
    assert low <= (runs["outcome"] == "trained").mean() <= high


def test_where_most_seeds_fail_the_share_says_so(narrow):
    """Width 2, depth 11: a lucky seed is no reason to be sure."""
    runs = pd.read_parquet(narrow / "runs")
    trained, dead = (runs["outcome"] == "trained").sum(), (runs["cause"] == "dead").sum()
    assert 0 < trained < 10 < 80 < dead
    words = told("--activation", "relu", "--depth", 11, "--width", 2, "--store", narrow)
    assert f"{trained} of 100 runs trained; {dead} ended stalled by dead" in words
    assert "Most runs fail there" in words
    assert "well" not in words.split("Init scale, from theory")[0]


def test_a_near_depth_is_named_with_its_factor(shallow):
    """Depth 4 from depth 3: the rate falls as theory has it, and no share is promised."""
    wanted = {"activation": "relu", "depth": 4, "init_scale": 1.414}
    advice = rate_advice(shallow, wanted)
    assert advice.apart == {"depth": (4, 3)}
    assert advice.factor == pytest.approx(3 / 4)
    assert advice.is_near
    words = told("--activation", "relu", "--depth", 4, "--store", shallow)
    assert f"Start from learning_rate {0.75 * advice.rate.learning_rate:.3g}" in words
    assert "The nearest depth in the store is 3, 4 was asked for: a factor of 1.33." in words
    assert "of other seeds to train" not in words
    assert "Of 224 runs that took such a rate to a depth" in words
    assert rate_advice(shallow, {**wanted, "depth": 2}).factor == 1


def test_a_gradient_that_explodes_with_depth_lowers_the_rate_further(trained_store):
    """ReLU at scale 2: chi = 2 a layer more, beside what the number of layers costs."""
    store = trained_store(RELU)
    advice = rate_advice(store, {"activation": "relu", "depth": 12, "init_scale": 1.414})
    assert advice.factor == pytest.approx(10 / 12 / 2**2)
    assert not advice.is_near
    words = told("--activation", "relu", "--depth", 12, "--store", store)
    assert "Theory lets the learning rate fall to 0.21 times that of those runs." in words


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--activation", "relu", "--depth", 12), "is 3, 12 was asked for: a factor of 4."),
        (("--activation", "tanh", "--depth", 3), "no run with activation tanh; it has relu."),
        (
            ("--activation", "relu", "--depth", 3, "--dataset", "wine"),
            "no run with dataset wine; it has digits.",
        ),
    ],
)
def test_what_is_far_is_not_advised_from(shallow, asked, said, tmp_path):
    """Nothing is near: twelve trainings that would decide, as a sweep file that runs."""
    file = tmp_path / "decide.yaml"
    words = told(*asked, "--store", shallow, "--sweep-file", file)
    assert said in words
    assert "Start from learning_rate" not in words
    assert "The best run there" in words
    assert f"phasesweep run {file} --store {shallow}" in words
    sweep = load_sweep(str(file))
    assert sweep.grid.size == 12
    axes = dict(zip(asked[::2], asked[1::2], strict=True))
    assert sweep.grid.axes["depth"] == (axes["--depth"],)
    assert sweep.grid.axes["activation"] == (axes["--activation"],)
    assert sweep.grid.axes["dataset"] == (axes.get("--dataset", "digits"),)


def test_a_users_own_data_are_named_by_their_file(narrow):
    """The sweep that decides asks for the file, whose hash is the store's own."""
    own = pd.read_parquet(narrow / "runs")["dataset"].iloc[0]
    words = told("--activation", "relu", "--depth", 3, "--dataset", own, "--store", narrow)
    assert "The nearest depth in the store is 11, 3 was asked for" in words
    assert "Give file its path" in words
    assert "file: absolute.csv depth: 3" in words.replace(
        "examples: 32 features: standardized ", ""
    )


def test_the_sweep_that_decides_makes_the_advice(shallow, trained_store):
    """Depth 12 is far; once its trainings are in the store it is answered from them."""
    shown = advise("--activation", "tanh", "--depth", 12, "--store", shallow).stdout
    sweep = shown.split("Trainings that would decide\n")[1].split("  Save these lines")[0]
    decided = trained_store(sweep)
    advice = rate_advice(decided, {"activation": "tanh", "depth": 12, "init_scale": 1.0})
    assert advice.apart == {}
    assert advice.runs == 12
    assert advice.best.share < 1


def test_few_seeds_ask_for_more(shallow, trained_store):
    """Five runs at the rate are few: the sweep has seeds that none of them had."""
    shown = advise("--activation", "relu", "--depth", 3, "--store", shallow).stdout
    text = shown.split("Trainings that would decide\n")[1].split("  Save these lines")[0]
    runs = pd.read_parquet(trained_store(text) / "runs")
    assert len(runs) == 12
    assert set(runs["seed"]) == {5, 6, 7, 8}
    assert set(runs["init_scale"]) == {1.0}
    known = pd.read_parquet(shallow / "runs")
    assert set(runs["learning_rate"]) & set(known["learning_rate"])


def test_enough_seeds_need_no_sweep(narrow):
    """A hundred runs at the rate: their share is known."""
    shown = advise("--activation", "relu", "--depth", 11, "--width", 2, "--store", narrow).stdout
    assert "would decide" not in shown


def test_settings_that_vary_are_named(make_store, runs):
    """With two data sets in the store the share is over both, and no interval is promised."""
    other = runs.assign(dataset="wine", outcome="diverged", trial_id=runs["trial_id"].str[::-1])
    both = make_store(pd.concat([runs, other]))
    words = told("--activation", "tanh", "--depth", 2, "--store", both)
    assert "These runs also differ in dataset; the share is over them all." in words
    assert "interval" not in words
    assert "differ in" not in told(
        "--activation", "tanh", "--depth", 2, "--dataset", "digits", "--store", both
    )


def test_runs_of_layers_that_differ_say_nothing_of_equal_ones(make_store, runs):
    """They are left out beside others; alone they are no witnesses."""
    other = runs.assign(hidden_widths="8-6-4", trial_id=runs["trial_id"].str[::-1])
    wanted = {"activation": "tanh", "depth": 2, "init_scale": 1.0}
    with_them = rate_advice(make_store(pd.concat([runs, other])), wanted)
    assert with_them.runs == rate_advice(make_store(runs), wanted).runs
    failed = advise("--activation", "tanh", "--depth", 2, "--store", make_store(other))
    assert failed.exit_code == 2
    assert "has hidden layers that differ in width" in " ".join(failed.stderr.split())


def test_runs_without_steps_say_nothing(make_store, runs):
    """An untrained network is no failure of a rate."""
    untrained = runs.assign(steps=0, outcome="stalled", trial_id=runs["trial_id"].str[::-1])
    wanted = {"activation": "tanh", "depth": 2, "init_scale": 1.0}
    with_them = rate_advice(make_store(pd.concat([runs, untrained])), wanted)
    assert with_them.runs == rate_advice(make_store(runs), wanted).runs
    failed = advise("--activation", "tanh", "--depth", 2, "--store", make_store(untrained))
    assert failed.exit_code == 2
    assert "has steps: 0" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--activation", "cubic", "--depth", 3), "'cubic' is unknown; choose from"),
        (
            ("--activation", "tanh", "--depth", 3, "--dataset", "mine", "--store", "STORE"),
            "'mine' is none of digits, breast_cancer, wine, diabetes, gaussian, spirals, and the "
            "store has digits",
        ),
        (
            ("--activation", "elu", "--depth", 3, "--sweep-file", "TAKEN", "--store", "STORE"),
            "exists; name a file that does not",
        ),
    ],
)
def test_a_wrong_request_says_what_is_right(store, arguments, message, tmp_path):
    """Exit code 2, nothing on stdout."""
    taken = tmp_path / "taken.yaml"
    taken.write_text("my: own")
    places = {"STORE": store, "TAKEN": taken}
    failed = advise(*(places.get(each, each) for each in arguments))
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert message in failed.stderr
    assert taken.read_text() == "my: own"


def test_without_a_store_theory_is_all(tmp_path):
    """And a sweep that makes one."""
    words = told("--activation", "tanh", "--depth", 30, "--width", 500)
    assert "Start from init_scale 1.225. At 1 gradients neither" in words
    assert "How sure: well. 500 units are wide for 30 layers." in words
    assert "--store names one" in words
    told("--activation", "tanh", "--depth", 30, "--sweep-file", tmp_path / "sweep.yaml")
    assert load_sweep(str(tmp_path / "sweep.yaml")).grid.size == 12


@pytest.mark.parametrize(
    ("activation", "depth", "steps"), [("tanh", 30, 200), ("sigmoid", 30, 1000)]
)
def test_the_sweep_that_decides_takes_the_steps_that_were_needed(activation, depth, steps, shallow):
    """Where 200 did not do, 1,000; also where the runs of the store, too far away, took fewer."""
    wanted = {"activation": activation, "depth": depth, "init_scale": 1.0}
    far = rate_advice(shallow, wanted)
    assert not far.is_near
    for advice in (None, far):
        assert yaml.safe_load(deciding_sweep(wanted, advice))["steps"] == steps


@pytest.mark.parametrize("measured", [True, False])
def test_where_every_run_diverged_the_sweep_that_decides_has_smaller_rates(
    trained_store, tmp_path, measured
):
    """Around 2 / lambda_max, where some of them train, or without it below the smallest rate."""
    rows = "".join(f"{1000 + 40 * n},{0.5 * n - 12 + n % 3}\n" for n in range(48))
    measure = "measure: [signal, sharpness]\n" if measured else ""
    store = trained_store(f"{LINE}{measure}", line="x,target\n" + rows)
    wanted = {"activation": "linear", "depth": 1, "init_scale": 1.0}
    advice = rate_advice(store, wanted)
    assert advice.best.outcome in DIVERGED
    sweep = yaml.safe_load(deciding_sweep(wanted, advice))
    low, high, count = sweep["learning_rate"]["geomspace"]
    assert count == 12
    assert high <= 1e-4
    assert not measured or low < advice.predicted < high
    if measured:
        found = trained_store(yaml.safe_dump(sweep), line="x,target\n" + rows)
        assert (~pd.read_parquet(found / "runs")["outcome"].isin(DIVERGED)).any()


def test_no_factor_beyond_the_farthest_is_near(shallow):
    """A rate is carried over at most a factor of 1.5."""
    for depth in range(1, 13):
        advice = rate_advice(shallow, {"activation": "relu", "depth": depth, "init_scale": 1.4})
        assert advice.is_near is (max(depth / 3, 3 / depth) <= 1.5)


def test_advice_is_json_on_request(shallow):
    """What the words say, as data: the rate to start from, and the sweep that would decide."""
    asked = ("--activation", "relu", "--depth", 3, "--store", shallow)
    document = json.loads(advise(*asked, "--json").stdout)
    advice = rate_advice(shallow, {"activation": "relu", "depth": 3, "init_scale": 1.41421356237})
    assert document["rate"]["learning_rate"] == advice.rate.learning_rate * advice.factor
    assert f"Start from learning_rate {document['rate']['learning_rate']:.3g}" in told(*asked)
    assert document["rate"]["rate"]["trained"] == advice.rate.trained
    assert document["init"]["critical"] == pytest.approx(2**0.5)
    far = json.loads(advise(*asked[:3], 40, *asked[4:], "--json").stdout)
    assert (far["rate"]["is_near"], far["rate"]["learning_rate"]) == (False, None)
    assert far["sweep"]["depth"] == 40
    alone = json.loads(advise(*asked[:4], "--json").stdout)
    assert (alone["rate"], alone["sweep"]["depth"]) == (None, 3)
