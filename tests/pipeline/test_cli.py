"""The phasesweep command: data on stdout, messages on stderr, exit codes that say so."""

import errno
import json
import re
import sys
from dataclasses import replace
from importlib.metadata import version

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import core
from core.outcomes import OUTCOMES
from core.training import FULLY_CONNECTED
from pipeline.cli import main
from pipeline.clusters.connections import ClusterError
from pipeline.clusters.skew import Skew, refuse_skew
from pipeline.executors import run_serially
from pipeline.interrupts import kept_handlers
from pipeline.provenance import machine_kind
from pipeline.storage.compaction import CompactionError
from pipeline.storage.files import LocalFiles
from pipeline.storage.schemas import SCHEMA_VERSION

SWEEP = """\
name: mine
dataset: digits
examples: 24
depth: [2, 3]
width: 6
activation: tanh
learning_rate: [0.01, 0.1, 1]
steps: 12
"""
TASK = (
    "task: digits: 1,797 rows, 24 used, 64 features, 10 classes (smallest: 0), baseline loss 1.97\n"
)


@pytest.fixture
def phasesweep(tmp_path, monkeypatch, capfd):
    """Runs the command in an empty folder; returns its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SWEEP)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["phasesweep", *map(str, arguments)])
        try:
            with kept_handlers():
                main()
        except SystemExit as end:
            code = end.code or 0
        else:
            code = 0
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def content(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_run_trains_all_and_says_how_fast(phasesweep, tmp_path):
    """Exit code 0, a summary on stderr, nothing on stdout, the rows in stores/NAME."""
    code, out, err = phasesweep("run", "mine.yaml")
    assert (code, out) == (0, "")
    place = tmp_path / "stores" / "mine"
    assert err.startswith(f"{TASK}mine: 6 trials, 0 already in {place}\n")
    summary = err.splitlines()[-1]
    assert re.fullmatch(r"6 trainings in \d+\.\d s, [\d,.]+ trainings/s, in stores/mine", summary)
    assert len(pd.read_parquet(tmp_path / "stores" / "mine" / "runs")) == 6


@pytest.mark.parametrize("command", [("run", "mine.yaml"), ("plan", "mine.yaml"), ("claims",)])
@pytest.mark.parametrize("store", [None, "s"])
def test_a_relative_store_in_the_copy_of_a_ray_job_is_refused(
    phasesweep, tmp_path, monkeypatch, command, store
):
    """Its rows would be lost with the copy; the message has a path that is not."""
    copy = tmp_path / "session_1" / "runtime_resources" / "working_dir_files" / "_ray_pkg_1"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (copy / "mine.yaml").write_text(SWEEP)
    code, out, err = phasesweep(*command, *(["--store", store] if store else []))
    named = store or {"claims": "stores/claims"}.get(command[0], "stores/mine")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: --store {named} is relative, and the current folder is a Ray ")
    assert f"; give --store {tmp_path}/home/{named}, which" in err
    assert [path.name for path in copy.iterdir()] == ["mine.yaml"]
    if command[0] == "run":
        assert phasesweep(*command, "--store", tmp_path / "home" / named)[0] == 0


def test_a_job_that_would_train_beside_its_cluster_is_refused(phasesweep, tmp_path, monkeypatch):
    """It says which options there are; nothing is made."""
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    code, out, err = phasesweep("run", "mine.yaml", "--store", "s", "--executor", "auto")
    assert (code, out) == (2, "")
    assert "this is a job of a Ray cluster" in err
    assert "add --address auto for all nodes, or --executor serial" in err
    assert not (tmp_path / "s").exists()
    assert phasesweep("run", "mine.yaml", "--store", "s", "--executor", "serial")[0] == 0


def test_a_job_that_brings_its_own_code_is_refused(phasesweep, tmp_path, monkeypatch):
    """A folder named core that was sent with a job hides the installed one."""
    sent = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_1"
    monkeypatch.setattr(core, "__file__", str(sent / "core" / "__init__.py"))
    code, out, err = phasesweep("run", "mine.yaml", "--store", "s", "--executor", "serial")
    assert (code, out) == (2, "")
    assert f"this job would train with the code in {sent}/core" in err
    assert not (tmp_path / "s").exists()


def test_a_home_that_no_shell_has_replaced_is_found(phasesweep, tmp_path, monkeypatch):
    """As in --store '~/s'."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert phasesweep("run", "mine.yaml", "--store", "~/s", "--executor", "serial")[0] == 0
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["s"]


def test_running_again_trains_nothing(phasesweep, tmp_path):
    """It says that all is there; the rows stay as they are, whatever is asked for."""
    phasesweep("run", "mine.yaml", "--store", "s")
    before = content(tmp_path / "s" / "runs")
    for more in (), ("--max-trials", 5), ("--budget", "20m"):
        code, out, err = phasesweep("run", "mine.yaml", "--store", "s", *more)
        assert (code, out) == (0, "")
        assert err == f"{TASK}mine: 6 trials, 6 already in {tmp_path}/s\nnothing is left to train\n"
    assert content(tmp_path / "s" / "runs") == before


def test_a_run_stops_after_so_many_trials_and_the_same_command_goes_on(phasesweep, tmp_path):
    """Exit code 0 each time; it says what was done and what remains, until nothing does."""
    command = ("run", "mine.yaml", "--max-trials", 4)
    code, out, err = phasesweep(*command)
    assert (code, out) == (0, "")
    assert re.match(r"4 trainings in \d+\.\d s", err.splitlines()[-2])
    assert err.endswith(
        "\nstopped after 4 trials as asked: 4 of 6 trials have a row; the same command goes on\n"
    )
    assert "4/4 trainings" in err  # the bar's end is where it stops
    assert len(pd.read_parquet(tmp_path / "stores" / "mine" / "runs")) == 4
    code, _, err = phasesweep(*command)
    assert code == 0
    assert re.match(r"2 trainings in \d+\.\d s", err.splitlines()[-1])
    assert len(pd.read_parquet(tmp_path / "stores" / "mine" / "runs")) == 6
    assert "nothing is left to train" in phasesweep(*command)[2]


@pytest.fixture
def clock(monkeypatch):
    """The command's clock, which stands still but for what a test adds to it."""
    clock = {"now": 1000.0}
    for module in ("cli", "budgets", "commands.progress"):
        monkeypatch.setattr(f"pipeline.{module}.monotonic", lambda: clock["now"])
    return clock


def taking(monkeypatch, clock, seconds, *, each=0.0):
    """Lets compiling, or what else comes first, take its time, and each batch."""

    def prepare(axes, say):
        clock["now"] += seconds

    def train(trials, task):
        clock["now"] += each
        return FULLY_CONNECTED.train(trials, task)

    trainer = replace(FULLY_CONNECTED, prepare=prepare, train=train)
    monkeypatch.setattr("pipeline.cli.TRAINER", trainer)


def test_a_run_stops_when_its_time_is_up(phasesweep, monkeypatch, clock):
    """What had begun is committed; compiling counts. Then the same command goes on."""
    taking(monkeypatch, clock, 30.0, each=75.0)
    code, out, err = phasesweep("run", "mine.yaml", "--budget", "1m30s")
    assert (code, out) == (0, "")
    assert err.endswith(
        "3 trainings in 105.0 s, 0.029 trainings/s, in stores/mine\n"
        "stopped after 1 min 30 s as asked: 3 of 6 trials have a row; the same command goes on\n"
    )
    code, _, err = phasesweep("run", "mine.yaml", "--budget", "1h")
    assert (code, err.splitlines()[-1][:11]) == (0, "3 trainings")


def test_time_that_was_up_before_anything_was_trained_is_said(
    phasesweep, tmp_path, monkeypatch, clock
):
    """With how long it took to get there, and a time that is long enough."""
    taking(monkeypatch, clock, 20.0)
    code, out, err = phasesweep("run", "mine.yaml", "--budget", "5s")
    assert (code, out) == (0, "")
    assert err.endswith(
        f"mine: 6 trials, 0 already in {tmp_path}/stores/mine\n"
        "stopped after 5 s as asked, before anything was trained: getting ready took 20.0 s; "
        "give a longer one, as in --budget 60s\n"
    )
    assert "stopped" not in phasesweep("run", "mine.yaml", "--budget", "60s")[2]


@pytest.mark.parametrize(
    ("options", "stopped"),
    [(("--budget", "2h"), "2 trials"), (("--budget", "10s"), "10 s")],
)
def test_of_two_limits_the_first_one_stops(phasesweep, monkeypatch, clock, options, stopped):
    """And is named."""
    taking(monkeypatch, clock, 9.0, each=2.0)
    err = phasesweep("run", "mine.yaml", "--max-trials", 2, *options)[2]
    assert f"stopped after {stopped} as asked: " in err


@pytest.mark.parametrize(
    ("options", "executor"),
    [((), "ray"), (("--budget", "5s"), "serial"), (("--max-trials", 1), "serial")],
)
def test_ray_is_not_started_for_a_small_part_of_a_sweep(phasesweep, monkeypatch, options, executor):
    """It takes longer to start than the part takes."""

    def executed(name):
        def execute(work, todo, **address):
            chosen.append(name)
            return iter(())

        return execute

    chosen, costly = [], replace(FULLY_CONNECTED, seconds=lambda trial, data: 10.0)
    monkeypatch.setattr("pipeline.cli.TRAINER", costly)
    monkeypatch.setattr("pipeline.executors.run_serially", executed("serial"))
    monkeypatch.setattr("pipeline.executors.run_on_ray", executed("ray"))
    phasesweep("run", "mine.yaml", *options)
    assert chosen == [executor]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "20"), "'20' is no duration; write it as 90s, 20m, 1.5h or 1h30m"),
        (("--budget", "soon"), "'soon' is no duration; write it as 90s, 20m, 1.5h or 1h30m"),
        (("--max-trials", "0"), "'0' is no number of trials; give 1 or more"),
        (("--max-trials", "1.5"), "'1.5' is no number of trials; give 1 or more"),
    ],
)
def test_a_budget_that_is_none_exits_2(phasesweep, tmp_path, options, said):
    """With the option, the value and the forms; nothing is run."""
    code, out, err = phasesweep("run", "mine.yaml", *options)
    assert (code, out) == (2, "")
    words = " ".join(err.replace("│", " ").split())
    assert f"Invalid value for '{options[0]}': {said}" in words
    assert not (tmp_path / "stores").exists()


def test_plan_counts_and_prices_without_writing(phasesweep, tmp_path):
    """For people, in lines."""
    before = content(tmp_path)
    code, out, err = phasesweep("plan", "mine.yaml")
    assert (code, err) == (0, "")
    said = "mine: 6 trials, 0 in stores/mine\nto train   6 in about 2 batches\n"
    assert out.startswith(TASK + said)
    assert content(tmp_path) == before


def test_plan_counts_all_cpus_where_the_system_tells_no_others(phasesweep, monkeypatch):
    """As on macOS."""
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 12)
    assert phasesweep("plan", "mine.yaml")[1].endswith(" on 12 CPUs\n")


def test_plan_says_so_where_it_is_not_exact(phasesweep, monkeypatch):
    """Of very many shapes a sample is priced."""
    monkeypatch.setattr("pipeline.plans.MOST_PRICED", 1)
    out = phasesweep("plan", "mine.yaml")[1]
    assert "from a sample of 1 of 2 shapes: batches, FLOPs and time are not exact\n" in out
    assert json.loads(phasesweep("plan", "mine.yaml", "--json")[1])["sampled_shapes"] == 1


def test_plan_as_json_is_one_document(phasesweep):
    """With what is finished taken off."""
    phasesweep("run", "mine.yaml")
    (code, out, err) = phasesweep("plan", "mine.yaml", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["sweep"], document["store"]) == ("mine", "stores/mine")
    counts = [document[name] for name in ("trials", "finished", "remaining", "batches")]
    assert counts == [6, 6, 0, 0]


def test_status_counts_outcomes_and_what_is_missing(phasesweep):
    """Of every sweep in the store."""
    phasesweep("run", "mine.yaml")
    code, out, err = phasesweep("status", "stores/mine")
    assert (code, err) == (0, "")
    assert out.startswith("stores/mine: 6 trainings\n")
    assert all(re.search(rf"^ +{outcome} +\d+$", out, re.MULTILINE) for outcome in OUTCOMES)
    assert "sweep mine: 6 trials, 0 missing, last run " in out


def test_status_as_json_is_one_document(phasesweep, tmp_path):
    """A sweep whose file has grown since is counted as it was run."""
    phasesweep("run", "mine.yaml")
    (tmp_path / "more.yaml").write_text(SWEEP.replace("[2, 3]", "[2, 3, 4]"))
    code, out, _ = phasesweep("status", "stores/mine", "--json")
    document = json.loads(out)
    assert code == 0
    assert sum(document["outcomes"].values()) == 6
    assert [(s["name"], s["trials"], s["finished"]) for s in document["sweeps"]] == [("mine", 6, 6)]
    phasesweep("run", "more.yaml", "--store", "stores/mine")
    document = json.loads(phasesweep("status", "stores/mine", "--json")[1])
    assert [(s["trials"], s["finished"]) for s in document["sweeps"]] == [(6, 6), (9, 9)]


def test_the_status_document_has_versions_and_thresholds(phasesweep):
    """What shaped the numbers, as the store's manifest has it."""
    phasesweep("run", "mine.yaml")
    document = json.loads(phasesweep("status", "stores/mine", "--json")[1])
    assert document["schema_version"] == SCHEMA_VERSION
    assert document["versions"]["phasesweep"] == version("phasesweep")
    assert document["versions"]["numpy"] == version("numpy")
    assert document["machine"]["blas_threads_per_task"] == 1
    assert document["trainers"] == {FULLY_CONNECTED.version: 6}
    assert document["judged_by"] == [{"runs": 6, "thresholds": dict(FULLY_CONNECTED.thresholds)}]


TABLE = ",age,left\n" + "".join(f"{row},{row % 7},{row % 20 // 19}\n" for row in range(100))
OWN = SWEEP.replace("dataset: digits", "file: people.csv\ntarget: left").replace("24", "30")
INDEX = "people.csv: the first column has no name ('') and counts rows"
OWN_TASK = "task: people.csv: 100 rows, 30 used, 1 feature, 2 classes (smallest: 1), baseline loss "


def test_what_was_read_otherwise_and_the_task_are_said_first(phasesweep, tmp_path):
    """On stderr by run; plan has the task beside its other answers on stdout."""
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "own.yaml").write_text(OWN)
    code, out, err = phasesweep("plan", "own.yaml")
    assert code == 0
    assert out.startswith(f"{OWN_TASK}0.146\n")
    assert err.startswith(INDEX)
    code, out, err = phasesweep("run", "own.yaml")
    assert (code, out) == (0, "")
    assert err.startswith(INDEX)
    assert err.splitlines()[1] == f"{OWN_TASK}0.146"


def test_the_task_is_a_field_of_the_plans_document(phasesweep, tmp_path):
    """With its numbers."""
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "own.yaml").write_text(OWN)
    (task,) = json.loads(phasesweep("plan", "own.yaml", "--json")[1])["tasks"]
    assert task.pop("dataset").startswith("people.csv-")
    assert task.pop("baseline_losses") == {"cross_entropy": pytest.approx(0.1461, abs=1e-4)}
    assert task == {
        "file": "people.csv",
        "rows": 100,
        "examples": 30,
        "feature_count": 1,
        "classes": 2,
        "smallest_class": 1,
        "target_columns": None,
        "target_range": None,
    }


NO_SWEEPS = {
    "a misspelled field": (SWEEP + "epochs: 3", "bad.yaml: epochs: no such field (got 3)"),
    "a negative rate": (SWEEP.replace("0.01", "-1"), "learning_rate: must be greater than"),
    "no YAML": ("depth: [2", "bad.yaml is not valid YAML: "),
    "a number of thousands of digits": (SWEEP + "seed: " + "9" * 9999, "at line 9, column 7"),
    "brackets without end": (SWEEP + "seed: " + "[" * 500, "nested too deeply"),
    "cross entropy of numbers": (
        SWEEP.replace("digits", "diabetes"),
        "bad.yaml: loss: diabetes has numbers as targets, no classes, got cross_entropy; set",
    ),
    "a sample of one class": (
        SWEEP.replace("digits", "breast_cancer").replace("24", "2"),
        "examples: the 2 examples drawn from the 569 of breast_cancer all are of one class, got",
    ),
    "a data file without target": (
        SWEEP.replace("dataset: digits", "file: data.csv"),
        "bad.yaml: file: data.csv has no column 'target'; set target: to one of",
    ),
}


@pytest.mark.parametrize(("text", "said"), NO_SWEEPS.values(), ids=NO_SWEEPS.keys())
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_sweep_that_cannot_be_run_exits_2(phasesweep, tmp_path, command, text, said):
    """One message on stderr, nothing on stdout, nothing written."""
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "data.csv").write_text("x,y\n1,2\n")
    before = content(tmp_path)
    code, out, err = phasesweep(command, "bad.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert said in err
    assert content(tmp_path) == before


def test_a_sweep_that_is_nowhere_exits_2(phasesweep):
    """The names of the shipped ones are offered."""
    code, out, err = phasesweep("run", "gone.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("error: 'gone.yaml' is neither a file nor a shipped sweep (")


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "no phasesweep store"),
        ("{", "manifest.json is damaged"),
        ('{"format": "phasesweep store", "schema_version": 999, "sweeps": []}', "version 999"),
    ],
)
@pytest.mark.parametrize("command", [("run", "mine.yaml", "--store"), ("status",)])
def test_a_folder_that_is_no_store_exits_2(phasesweep, tmp_path, command, manifest, said):
    """It is left alone; the message names it and offers a way out."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("precious")
    if manifest:
        (tmp_path / "other" / "manifest.json").write_text(manifest)
    before = content(tmp_path)
    code, out, err = phasesweep(*command, "other")
    assert (code, out) == (2, "")
    assert err.startswith("error: other")
    assert said in err
    assert content(tmp_path) == before


@pytest.mark.parametrize(
    "command",
    [
        ("status", "s"),
        ("plan", "mine.yaml", "--store", "s"),
        ("run", "mine.yaml", "--store", "s"),
        ("compact", "s"),
        ("verify", "s"),
        ("verify", "s", "--repair"),
    ],
)
def test_a_store_with_a_setting_that_is_unknown_exits_2(phasesweep, tmp_path, command):
    """A newer version added it: one that does not know it would take other rows for its own."""
    phasesweep("run", "mine.yaml", "--store", "s")
    path = tmp_path / "s" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["sweeps"][0]["axes"]["dropout"] = [0.0]
    path.write_text(json.dumps(manifest))
    before = content(tmp_path)
    code, out, err = phasesweep(*command)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == (
        "error: s holds sweeps of another trainer or of a newer phasesweep: mine has the axis "
        "'dropout', which is no setting here; use the phasesweep that wrote it, or choose "
        "another --store"
    )
    assert content(tmp_path) == before


def test_a_store_below_a_file_exits_2(phasesweep):
    """The system's reason is said."""
    code, out, err = phasesweep("run", "mine.yaml", "--store", "mine.yaml/store")
    assert (code, out) == (2, "")
    assert err.startswith("error: cannot ")
    assert "mine.yaml/store: Not a directory" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "mine.yaml", "--executor", "serial", "--address", "auto"),
        ("run", "mine.yaml", "--executor", "slurm"),
        ("run",),
        ("walk", "mine.yaml"),
    ],
)
def test_a_wrong_command_line_exits_2(phasesweep, tmp_path, arguments):
    """Nothing is run."""
    code, out, _ = phasesweep(*arguments)
    assert (code, out) == (2, "")
    assert not (tmp_path / "stores").exists()


def test_a_cluster_that_is_not_there_exits_2(phasesweep, monkeypatch):
    """The request was wrong; a line says so."""

    def no_cluster(work, todo, address):
        raise ClusterError(f"cannot join the Ray cluster at {address!r}")

    monkeypatch.setattr("pipeline.cli.run_on_ray", no_cluster)
    code, out, err = phasesweep("run", "mine.yaml", "--address", "10.0.0.1:6379")
    assert (code, out) == (2, "")
    assert err.endswith("error: cannot join the Ray cluster at '10.0.0.1:6379'\n")


@pytest.mark.parametrize("writes", [0, 1, 2, 3, 4])
def test_a_disk_that_fills_up_ends_the_run_in_a_line(phasesweep, monkeypatch, tmp_path, writes):
    """Whichever write it is that fails; with room again, running again gives each row once."""
    write, written = LocalFiles.write, []

    def write_some(files, name, content):
        if len(written) == writes:
            raise OSError(errno.ENOSPC, "No space left on device", name)
        written.append(name)
        write(files, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFiles, "write", write_some)
        code, out, err = phasesweep("run", "mine.yaml", "--store", "s")
    assert (code, out) == (1 if writes else 2, "")
    assert re.match("error: .*No space left on device", err.splitlines()[-1])
    assert phasesweep("run", "mine.yaml", "--store", "s")[0] == 0
    for table in ("runs", "curves"):
        frame = pd.read_parquet(tmp_path / "s" / table)
        assert frame["trial_id"].nunique() == 6
        assert not frame.duplicated(["trial_id", *frame.columns[1:2]]).any()


def test_a_compaction_that_fails_ends_with_exit_code_1(phasesweep, monkeypatch):
    """In a line, as when the disk is full."""
    phasesweep("run", "mine.yaml")

    def fail(store):
        raise CompactionError("runs could not be merged: No space left on device")

    monkeypatch.setattr("pipeline.commands.store.compact_store", fail)
    code, out, err = phasesweep("compact", "stores/mine")
    assert (code, out) == (1, "")
    assert err.startswith("error: runs could not be merged: No space left on device; the rows")


def test_plan_and_status_name_the_best_run(phasesweep, tmp_path):
    """With its share, and where nothing trained the option that helps; JSON has it as fields."""
    phasesweep("run", "mine.yaml")
    runs = pd.read_parquet(tmp_path / "stores" / "mine" / "runs")
    share = (runs["tail_loss"] / runs["baseline_loss"]).where(runs["outcome"] != "diverged")
    best = runs.loc[share.idxmin()]
    line = (
        f"best: {share.min():.4g} of the best constant's loss, trial {best['trial_id']} (depth "
        f"{best['depth']}, learning_rate {best['learning_rate']:.4g}); trained means <= 0.1\n"
    )
    for command in ("plan", "mine.yaml"), ("status", "stores/mine"):
        out = phasesweep(*command)[1]
        assert line in out
        assert "nothing trained: that run would have at " in out
        found = json.loads(phasesweep(*command, "--json")[1])["best"]
        assert found["trial_id"] == best["trial_id"]
        assert found["share"] == share.min()
        assert found["trained_level"] == 0.1
        assert set(found["settings"]) == {"depth", "learning_rate"}
    (remedy,) = re.findall(r"`phasesweep (map .*)`", out)
    assert phasesweep(*remedy.split(), "--out", "map.png")[0] == 0
    level = remedy.split()[-1]
    (tmp_path / "mine.yaml").write_text(SWEEP + f"trained_level: {level}\n")
    phasesweep("run", "mine.yaml", "--store", "lower")
    assert json.loads(phasesweep("status", "lower", "--json")[1])["outcomes"]["trained"] >= 1


def test_before_the_first_run_there_is_no_best(phasesweep):
    """Plan says nothing of it; its document has null."""
    assert "best" not in phasesweep("plan", "mine.yaml")[1]
    assert json.loads(phasesweep("plan", "mine.yaml", "--json")[1])["best"] is None


def test_the_version_is_the_installed_one(phasesweep):
    """As a bug report asks for it."""
    status, out, _ = phasesweep("--version")
    assert (status, out) == (0, f"phasesweep {version('phasesweep')}\n")


def test_skew_that_is_accepted_is_recorded(phasesweep, tmp_path, monkeypatch):
    """Both sides, in the manifest, which reads as before; without the option it is refused."""

    def skewed(work, todo, address, accept_skew=refuse_skew):
        accept_skew([Skew("NumPy", "2.4.6", "1.0", ("10.0.0.2", "10.0.0.3"))])
        return run_serially(work, todo)

    monkeypatch.setattr("pipeline.cli.run_on_ray", skewed)
    command = ("run", "mine.yaml", "--store", "s", "--address", "auto")
    both = "10.0.0.2 and 1 more node have NumPy 1.0, this driver 2.4.6"
    code, _, err = phasesweep(*command)
    assert code == 2
    assert f"error: the nodes of the cluster differ: {both}; install the same" in err
    code, _, err = phasesweep(*command, "--accept-skew")
    assert code == 0
    assert f"accepted, and recorded in the store: {both}\n" in err
    (entry,) = json.loads((tmp_path / "s" / "manifest.json").read_text())["skew"]
    assert entry.pop("accepted_at")
    assert entry == {
        "software": "NumPy", "driver": "2.4.6", "worker": "1.0", "nodes": ["10.0.0.2", "10.0.0.3"]
    }  # fmt: skip
    assert phasesweep("verify", "s")[0] == 0


def test_status_says_where_kinds_of_machine_are_mixed(phasesweep, tmp_path):
    """By how many runs; a store of one kind, and of rows that name none, says nothing."""
    phasesweep("run", "mine.yaml", "--store", "s", "--max-trials", 4)
    phasesweep("run", "mine.yaml", "--store", "s")
    assert "kinds of machine" not in phasesweep("status", "s")[1]
    first, _ = sorted((tmp_path / "s" / "runs").iterdir())
    rows = pq.read_table(first)
    place = rows.schema.get_field_index("processor")
    for other, said in (None, False), ("other", True):
        column = pa.array([other] * len(rows), pa.string())
        pq.write_table(rows.set_column(place, rows.schema.field(place), column), first)
        out = phasesweep("status", "s")[1]
        assert ("trained on several kinds of machine" in out) == said
    here = machine_kind()
    assert f": 4 on other with {here.blas}, 2 on {here.processor} with {here.blas}" in out or (
        f": 2 on {here.processor} with {here.blas}, 4 on other with {here.blas}" in out
    )
