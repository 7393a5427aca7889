"""One small real sweep that the analysis tests read, and runs made by hand."""

import json
import shutil

import pandas as pd
import pytest

from core.training import FULLY_CONNECTED
from core.trials import TRIAL_FIELDS
from pipeline import plans
from pipeline import sweep as sweeps
from pipeline.executors import run_serially
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import load_sweep

SMALL = """
name: small
dataset: digits
examples: 24
depth: [2, 12]
width: 6
activation: [tanh, relu]
init_scale: {geomspace: [0.25, 4, 4]}
learning_rate: {geomspace: [1.0e-4, 100, 6]}
steps: 20
seed: [0, 1]
measure: [signal, sharpness]
"""


@pytest.fixture(scope="session")
def trained_store(tmp_path_factory):
    """Trains a sweep file's text, with the data files that it names, into a new store."""

    def train(text, **data_files):
        folder = tmp_path_factory.mktemp("trained")
        (folder / "sweep.yaml").write_text(text)
        for name, content in data_files.items():
            (folder / f"{name}.csv").write_text(content)
        sweep = load_sweep(str(folder / "sweep.yaml"))
        new = Store(folder / "store", FULLY_CONNECTED)
        with new.writing():
            finished = plans.finished_indices(sweep.grid, new)
            sweeps.run_sweep(sweep, finished, new, run_serially, lambda found: None)
        return new.path

    return train


@pytest.fixture(scope="session")
def run_small(trained_store):
    """Runs the small sweep with some fields changed; returns its store's folder."""

    def run(**changes):
        kept = [line for line in SMALL.splitlines() if line.split(":")[0] not in changes]
        lines = [f"{name}: {value}" for name, value in changes.items()]
        return trained_store("\n".join([*kept, *lines]))

    return run


@pytest.fixture(scope="session")
def store(run_small):
    """A store of 192 trainings; only read it."""
    return run_small()


@pytest.fixture
def runs(store):
    """The small sweep's runs, read without phasesweep."""
    return pd.read_parquet(store / "runs")


@pytest.fixture
def make_runs():
    """Makes runs by hand: equal lists by column, or one value for all; the rest is filled in."""

    def make(**columns):
        settings = {"activation": "tanh", "depth": 2, "init_scale": 1.0, "seed": 0, "cause": None}
        return pd.DataFrame({**settings, **columns})

    return make


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """Makes a store of runs alone, in a new folder of the name."""

    def make(runs, name="made"):
        folder = tmp_path_factory.mktemp("stores") / name
        (folder / "runs").mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
        runs.to_parquet(folder / "runs" / "part.parquet")
        return folder

    return make


@pytest.fixture(scope="session")
def hostile_page(store, make_store, tmp_path_factory):
    """The atlas of the small sweep and, in the same store, of a data set named to attack it."""
    from analysis.atlas.page import atlas  # it brings Plotly, which few tests need

    runs = pd.read_parquet(store / "runs")
    copies = runs[runs["depth"] == 2].assign(
        dataset="</script><img src=x onerror=\"document.title='attacked'\">",
        trial_id=lambda copy: copy["trial_id"].str[::-1],
    )
    hostile = make_store(pd.concat([runs, copies]), name="<b>hostile")
    for table in ("layers", "curves"):
        shutil.copytree(store / table, hostile / table)
    page = tmp_path_factory.mktemp("pages") / "atlas.html"
    page.write_text(atlas(hostile), encoding="utf-8")
    return page


@pytest.fixture(scope="session")
def traced_store(store, make_store):
    """The small sweep as if it were traced along its rates and scales: every third cell trained."""
    runs = pd.read_parquet(store / "runs")
    settings = {name: sorted(runs[name].unique().tolist()) for name in TRIAL_FIELDS}
    rate, scale = (
        pd.Index(settings[name]).get_indexer(runs[name]) for name in ("learning_rate", "init_scale")
    )
    traced = make_store(runs[(rate + scale) % 3 == 0], name="traced")
    entry = {
        "name": "small",
        "axes": settings,
        "trace": {"axes": ["init_scale", "learning_rate"], "of": "outcome"},
        "audits": [{"panel": {"depth": 2}, "audited": 9, "wrong": 0, "bound": 0.25}],
    }
    (traced / "manifest.json").write_text(json.dumps({"sweeps": [entry]}))
    return traced
