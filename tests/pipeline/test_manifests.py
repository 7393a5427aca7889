"""A manifest that was edited: one line that names the field and the remedy, or all goes well."""

import json
import sys
from copy import deepcopy

import pytest

from analysis.reading.stores import NotAStoreError
from analysis.reading.thresholds import read_judged_by
from core.training import FULLY_CONNECTED
from pipeline.cli import main
from pipeline.interrupts import kept_handlers
from pipeline.storage.store import Store, StoreError

SWEEP = """\
name: mine
dataset: digits
examples: 24
depth: [2, 3]
width: 6
activation: tanh
learning_rate: [0.01, 0.1, 1]
init_scale: [0.5, 1, 2]
zip: [learning_rate, init_scale]
where: depth < 3 or learning_rate < 1
steps: 3
"""
FAILURE = {
    "trial_id": "f" * 24,
    "settings": {"depth": 2, "learning_rate": 0.1},
    "reason": "ValueError: planted",
    "failed_at": "2026-01-01T00:00:00+00:00",
}
SKEW = {
    "accepted_at": "2026-01-01T00:00:00+00:00",
    "software": "NumPy",
    "driver": "2",
    "worker": "1",
    "nodes": ["10.0.0.2"],
}
# What a hand or a disk may leave in the place of a value.
EDITS = {
    "null": None,
    "text": "x",
    "true": True,
    "huge": 10**400,
    "a billion": 1_000_000_000,
    "infinite": float("inf"),
    "negative": -1,
    "a list": [],
    "a list of lists": [[1]],
    "a mapping": {},
}
COMMANDS = {
    "verify": ("verify", "s"),
    "repair": ("verify", "s", "--repair"),
    "status": ("status", "s"),
    "status as JSON": ("status", "s", "--json"),
    "run": ("run", "mine.yaml", "--store", "s"),
    "compact": ("compact", "s"),
    "query": ("query", "s", "select count(*) from runs"),
}


@pytest.fixture
def phasesweep(tmp_path, monkeypatch, capfd):
    """Runs the command beside the store `s`; returns its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(SWEEP)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["phasesweep", *arguments])
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


@pytest.fixture
def manifest(phasesweep, tmp_path):
    """Of a real store of five trainings in two commits, with an entry of every kind."""
    assert phasesweep("run", "mine.yaml", "--store", "s", "--max-trials", "2")[0] == 0
    assert phasesweep("run", "mine.yaml", "--store", "s")[0] == 0
    store = Store(tmp_path / "s", FULLY_CONNECTED)
    with store.writing():
        store.describe(
            failures=[FAILURE],
            set_aside=[1],
            skew=[SKEW],
            thresholds=dict(FULLY_CONNECTED.thresholds),
        )
    return store.manifest


def places(value, at=()):
    """Every entry, at any depth; of a list, and of a mapping of numbers, the first."""
    if at:
        yield at
    if isinstance(value, dict):
        alike = all(isinstance(each, int | float | str) for each in value.values())
        for name in list(value)[: 1 if alike else None]:
            yield from places(value[name], (*at, name))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*at, 0))


def edits(manifest):
    """At every place a value of every kind, or nothing: each with its name."""
    for at in places(manifest):
        for name, value in {"missing": ..., **EDITS}.items():
            yield f"{'.'.join(map(str, at))}: {name}", at, value


def edited(manifest, at, value):
    """A copy with the value at the place."""
    changed = deepcopy(manifest)
    holder = changed
    for step in at[:-1]:
        holder = holder[step]
    if value is ...:
        del holder[at[-1]]
    else:
        holder[at[-1]] = value
    return changed


def together(manifest, harmless):
    """Manifests with many of the edits each, none within another's place, and their names."""
    rounds = []
    for edit in harmless:
        apart = (made for made in rounds if not any(overlap(edit[1], at) for _, at, _ in made))
        made = next(apart, None)
        if made is None:
            rounds.append(made := [])
        made.append(edit)
    for made in rounds:
        changed = manifest
        for _, at, value in made:
            changed = edited(changed, at, value)
        yield ", ".join(name for name, _, _ in made), changed


def overlap(one, other):
    """Whether one of two places is the other, or within it."""
    return one[: len(other)] == other[: len(one)]


def refusal(read, *arguments):
    """What refuses an edit, in words; None if nothing does."""
    try:
        read(*arguments)
    except (StoreError, NotAStoreError) as error:
        return str(error)


def test_every_edit_is_refused_by_a_line_or_changes_nothing(phasesweep, manifest, tmp_path):
    """A line names the entry and a remedy, and all is left as it was; never a traceback."""
    file = tmp_path / "s" / "manifest.json"
    refused, harmless, judged = [], [], []
    for edit, at, value in edits(manifest):
        file.write_text(json.dumps(edited(manifest, at, value)))
        line = refusal(Store, tmp_path / "s", FULLY_CONNECTED)
        if line is None:
            (judged if at[0] == "judged_by" else harmless).append((edit, at, value))
            continue
        assert at[0] in line or "schema version" in line, f"{edit}: {line}"
        assert "\n" not in line, edit
        assert "; " in line, edit
        refused.append(edit)
    assert len(refused) > 300
    assert len(harmless) > 100
    accepted = [*together(manifest, judged), *together(manifest, harmless)]
    for command in COMMANDS.values():
        for edit, changed in [*accepted, ("refused", {**manifest, "sweeps": None})]:
            file.write_text(json.dumps(changed))
            code, out, err = phasesweep(*command)
            if edit == "refused":
                assert code == 2
                assert json.loads(file.read_text()) == changed
            elif edit.startswith("judged_by") and command[0] == "verify":
                assert code == 1
                assert "in judged_by, by which rows of runs" in out
            else:
                assert code == 0, f"{command}, {edit}: {err}"


@pytest.mark.parametrize("name", ["judged_by", "thresholds", "sweeps"])
def test_figures_and_queries_name_a_damaged_entry(manifest, tmp_path, name):
    """Where they read it, and which command says how it is mended."""
    file = tmp_path / "s" / "manifest.json"
    lines = []
    for _, at, value in edits(manifest):
        if at[0] == name:
            file.write_text(json.dumps(edited(manifest, at, value)))
            lines.append(refusal(read_judged_by, tmp_path / "s"))
    said = [line for line in lines if line is not None]
    assert len(said) >= 5
    assert all(f"is damaged: {name}" in line and "`phasesweep status" in line for line in said)


@pytest.mark.parametrize("name", ["last_commit", "set_aside"])
def test_commits_that_cannot_be_lost_are_refused_at_once(phasesweep, manifest, tmp_path, name):
    """Were they counted one by one, it would take hours and all memory."""
    file = tmp_path / "s" / "manifest.json"
    far = {"last_commit": 99_999_999, "set_aside": [99_999_999]}
    file.write_text(json.dumps({**manifest, name: far[name]}))
    for command in COMMANDS.values():
        code, _, err = phasesweep(*command)
        assert code == (0 if command[0] == "query" else 2)
        assert "query" in command or f"{name}: has 99999999, far beyond 2, the last" in err


def test_commits_that_may_be_lost_are_named_together(phasesweep, manifest, tmp_path):
    """In one line, and set aside together; then the store is sound."""
    file = tmp_path / "s" / "manifest.json"
    file.write_text(json.dumps({**manifest, "last_commit": 50_000}))
    code, _, err = phasesweep("run", "mine.yaml", "--store", "s")
    assert code == 2
    assert "runs has lost commits 3 to 50000; `phasesweep verify" in err
    code, out, _ = phasesweep("verify", "s")
    assert code == 1
    assert "runs the part with commits 3 to 50000 is missing" in out.splitlines()
    assert phasesweep("verify", "s", "--repair")[0] == 0
    assert phasesweep("verify", "s")[:2] == (0, "s is sound\n")


@pytest.mark.parametrize("content", ["[" * 100_000, "9" * 5000, "[]", "\ud800"])
def test_what_is_no_manifest_is_refused(phasesweep, manifest, tmp_path, content):
    """Nested without end, a number without end, of another form, no text."""
    (tmp_path / "s" / "manifest.json").write_bytes(content.encode(errors="surrogatepass"))
    for command in COMMANDS.values():
        code, _, err = phasesweep(*command)
        assert code == 2
        assert err.splitlines()[-1].startswith("error: s")
        assert "manifest" in err
