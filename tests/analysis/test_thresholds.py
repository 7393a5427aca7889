"""The thresholds that a store's runs were judged by are the store's own."""

import json
from dataclasses import asdict, replace

import pytest

from analysis.claims.argument import CLAIMS, selected
from analysis.figures.named import FIGURES, TABLES
from analysis.figures.thresholds import map_by_threshold
from analysis.reading.thresholds import JudgedBy, read_judged_by
from analysis.tables.boundaries import blew_up
from analysis.tables.judgments import read_judged
from analysis.tables.views import EVERYTHING
from core.outcomes import THRESHOLDS

OLD, NEW = replace(THRESHOLDS, diverged_at_end=1.5, rise=2e-3), replace(THRESHOLDS, rise=5e-3)
WITHIN = {"outcome": "stalled", "initial_loss": 1.0, "baseline_loss": 1.0, "peak_loss": 1.3}


@pytest.fixture
def judged_store(make_store):
    """Makes a store of runs with a manifest."""

    def make(runs, **manifest):
        folder = make_store(runs)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return make


def test_each_run_has_the_thresholds_of_its_own_entry(judged_store, runs):
    """Those of before, which name none, have the manifest's older entry."""
    half = len(runs) // 2
    mixed = runs.assign(thresholds=[None] * half + ["new"] * half, **WITHIN)
    store = judged_store(mixed, thresholds=asdict(OLD), judged_by={"new": asdict(NEW)})
    judged_by = read_judged_by(store)
    assert judged_by.values(mixed, "rise").tolist() == [2e-3] * half + [5e-3] * half
    read = read_judged(store)
    assert read["diverged_at_end"].tolist() == [1.5] * half + [1.1] * half
    assert blew_up(read).tolist() == [False] * half + [True] * half
    assert "judged by different thresholds" in judged_by.note(mixed)
    assert judged_by.note(mixed[:half]) is None


def test_a_threshold_that_an_older_store_lacks_is_this_versions(judged_store, runs):
    """And one of a newer version, which no rule here has, is passed over."""
    older = asdict(OLD)
    del older["presumed_excess"]
    judged_by = read_judged_by(judged_store(runs, thresholds={**older, "softness": 3.0}))
    assert judged_by.sets == {None: OLD}
    unnamed = runs.assign(thresholds=None)
    said = "nobody knows by what presumed_excess the runs were judged: shown is this version's own"
    assert judged_by.note(unnamed) == said
    assert judged_by.moved("rise", lambda value: 2 * value).note(unnamed) == said


def test_a_set_that_lacks_a_threshold_is_named_for_its_own_runs(judged_store, runs):
    """Runs of a set that has them all are none of those."""
    lacking = {name: number for name, number in asdict(NEW).items() if name != "plateau"}
    store = judged_store(runs, judged_by={"new": asdict(NEW), "lacking": lacking})
    mixed = runs.assign(thresholds=["lacking"] + ["new"] * (len(runs) - 1))
    judged_by = read_judged_by(store)
    assert f"by what plateau 1 of {len(runs)} runs were judged" in judged_by.note(mixed)
    assert judged_by.note(mixed[1:]) is None


def test_runs_whose_thresholds_nobody_knows_are_said_to_be(judged_store, runs):
    """All of a store without a word, or some whose entry is missing."""
    silent = JudgedBy({})
    unnamed = runs.drop(columns="thresholds", errors="ignore")
    assert silent.note(unnamed) == (
        "nobody knows by what the runs were judged: shown are this version's own"
    )
    assert silent.values(unnamed, "rise").eq(THRESHOLDS.rise).all()
    some = runs.assign(thresholds=["gone"] + ["new"] * (len(runs) - 1))
    note = JudgedBy({"new": NEW}).note(some)
    assert f"nobody knows by what 1 of {len(runs)} runs were judged" in note
    assert read_judged_by(judged_store(runs)).sets == {}


def test_the_threshold_figure_draws_the_stores_own(judged_store, runs):
    """Each panel's numbers are the store's, and the title says what is unusual."""
    unnamed = runs.assign(thresholds=None)
    store = judged_store(unnamed, thresholds=asdict(OLD))
    figure = FIGURES["thresholds"](store, None, EVERYTHING)
    moves = {tuple(panel.get_title().split("\n")[:2]) for panel in figure.axes[2:]}
    assert {("rise", "0.002 → 0.0002"), ("rise", "0.002 → 0.02")} <= moves
    assert "judged" not in figure.get_suptitle()
    unknown = map_by_threshold(unnamed, JudgedBy({})).get_suptitle()
    assert "nobody knows by what the runs were judged" in unknown
    table = TABLES["thresholds"](store, None, EVERYTHING)
    assert table[table["threshold"] == "rise"]["moved"].tolist() == ["0.0002", "0.02"]


def test_a_claim_goes_by_the_thresholds_of_its_rows(claims_store):
    """As vanished counts what the store's rows were judged by."""
    rows = selected(claims_store, CLAIMS["C10"].query)
    assert rows["vanishing_gradient"].eq(1e-6).all()
    strict = rows.assign(vanishing_gradient=1e-30)
    rule = CLAIMS["C10"].rule
    assert (rule(rows).verdict, rule(strict).verdict) == ("holds", "fails")
