"""`phasesweep watch`: the atlas of a running sweep, for whoever has its address."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from threading import Event
from time import monotonic, sleep

import pandas as pd
import pytest

from analysis.reading.stores import NotAStoreError
from analysis.watching import live_atlas
from analysis.watching.live_atlas import LiveAtlas
from analysis.watching.server import serving

SWEEP = """
name: running
dataset: digits
examples: 24
depth: [2, 4]
width: 6
activation: [tanh, relu]
init_scale: [0.5, 1, 8]
learning_rate: {geomspace: [1.0e-3, 100, 6]}
steps: 12
"""

# The command, which commits every batch, and waits for a line after the first.
PAUSED = """
import sys
from pipeline import cuts, sweep
from pipeline.cli import main
from pipeline.storage.store import Store

cuts.BATCH_SECONDS, sweep.COMMIT_SECONDS = 0.001, 0.0
commit = Store.commit

def pausing(store, batches):
    commit(store, batches)
    if store.manifest["last_commit"] == 1:
        print("paused", flush=True)
        sys.stdin.readline()

Store.commit = pausing
main()
"""


@contextmanager
def process(*command, cwd):
    """A process with pipes, which is gone when the block ends."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, *command], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=cwd
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def got(address):
    """What an address answers: its status, text and headers."""
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def state_when(address, is_so):
    """The state that is served, when it is so."""
    end = monotonic() + 300
    while monotonic() < end:
        state = json.loads(got(address + "state.json")[1])
        if is_so(state):
            return state
        sleep(0.2)
    raise AssertionError(f"still {state}")


def test_a_running_sweep_is_followed_until_ctrl_c(tmp_path):
    """Its first commit is a page while it runs; the last one, too; Ctrl-C ends in a line."""
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    run = ("-c", PAUSED, "run", "sweep.yaml", "--store", "s", "--executor", "serial")
    with process(*run, cwd=tmp_path) as sweep:
        assert sweep.stdout.readline() == "paused\n"
        with process("-m", "pipeline", "watch", "s", cwd=tmp_path) as watch:
            address = watch.stdout.readline().strip()
            first = state_when(address, lambda state: state["commit"] == 1)
            begun = len(pd.read_parquet(tmp_path / "s" / "runs"))
            assert first["words"] == f"{begun} trainings so far"
            assert f"<p>{begun} trainings, of which" in got(address + "atlas.html")[1]
            sweep.communicate("go on\n", timeout=300)
            assert sweep.returncode == 0
            last = json.loads((tmp_path / "s" / "manifest.json").read_text())["last_commit"]
            assert last > 1
            assert state_when(address, lambda s: s["commit"] == last)["words"].startswith("72 ")
            assert "<p>72 trainings, of which" in got(address + "atlas.html")[1]
            watch.send_signal(signal.SIGINT)
            _, err = watch.communicate(timeout=60)
    assert watch.returncode == 0
    assert err.endswith("Ctrl-C ends\nno longer watching s\n")


@pytest.fixture
def pages(monkeypatch):
    """Stands for the atlas' writer; keeps what it was asked for."""
    made = []

    def atlas(store, trained_level, figures):
        made.append((store, trained_level))
        return f"<p>page {len(made)}"

    monkeypatch.setattr("analysis.atlas.page.atlas", atlas)
    return made


@pytest.fixture
def address(store, pages):
    """Where the atlas of the small sweep is served."""
    atlas = LiveAtlas(store)
    atlas.refresh()
    with serving(atlas) as address:
        yield address


@pytest.mark.parametrize("path", ["", "state.json", "atlas.html", "watch.js", "favicon.ico"])
@pytest.mark.parametrize("token", ["", "x/", "{token}x/", "{short}/", "..%2f{token}/", "é/"])
def test_without_its_token_nothing_is_served(address, path, token):
    """403, whether the page exists or not; an empty answer."""
    *_, ours, _ = address.split("/")
    root = address.removesuffix(f"{ours}/")
    asked = token.format(token=ours, short=ours[:-1])
    status, text, _ = got(root + urllib.request.quote(asked, safe="/%") + path)
    assert (status, text) == (403, "")


def test_with_its_token_the_frame_and_the_atlas_are_served(address):
    """No cache keeps them, and no other page learns the address."""
    for name, start in (
        ("", "<!doctype html>"),
        ("watch.js", '"use strict"'),
        ("watch.css", "html"),
        ("atlas.html", "<p>page 1"),
        ("state.json", '{"commit": '),
    ):
        status, text, headers = got(address + name)
        assert (status, text[: len(start)]) == (200, start)
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
    assert got(address + "../server.py")[0] == 404
    assert got(address + "gone")[0] == 404


def test_only_this_machine_is_listened_to(address):
    """The server's socket has the loopback's address; another of this machine's is refused."""
    port = int(address.split(":")[2].split("/")[0])
    assert address.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=10)


def test_every_watch_has_a_token_of_its_own(store, pages):
    """Long enough not to be guessed."""
    with serving(LiveAtlas(store)) as one, serving(LiveAtlas(store)) as other:
        tokens = [address.split("/")[3] for address in (one, other)]
    assert tokens[0] != tokens[1]
    assert min(map(len, tokens)) >= 32


def commit(store, number):
    """Writes a manifest whose last commit has that number."""
    (store / "manifest.json").write_text(json.dumps({"last_commit": number}))


def test_a_page_is_made_anew_only_for_a_new_commit(make_store, runs, pages):
    """Looking again makes none."""
    store = make_store(runs)
    atlas = LiveAtlas(store, 0.5)
    commit(store, 1)
    assert atlas.refresh()
    assert not atlas.refresh()
    assert pages == [(store, 0.5)]
    commit(store, 2)
    assert atlas.refresh()
    assert (atlas.now.commit, atlas.now.page) == (2, "<p>page 2")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "{} trainings so far"),
        (61, "{} trainings; none has come in the last minute"),
        (200, "{} trainings; none has come in the last 3 minutes"),
    ],
)
def test_a_sweep_that_is_over_is_seen_to_be(make_store, runs, pages, monkeypatch, seconds, words):
    """Minutes without a commit are counted; the next one ends them."""
    store = make_store(runs)
    commit(store, 1)
    clock = {"now": 0.0}
    monkeypatch.setattr(live_atlas, "monotonic", lambda: clock["now"])
    atlas = LiveAtlas(store)
    atlas.refresh()
    clock["now"] += seconds
    atlas.refresh()
    assert atlas.now.words == words.format(len(runs))
    assert atlas.now.page == "<p>page 1"
    commit(store, 2)
    atlas.refresh()
    assert atlas.now.words == f"{len(runs)} trainings so far"


def test_before_the_first_commit_there_is_no_page(tmp_path, pages):
    """The frame says that it waits."""
    commit(tmp_path, 0)
    atlas = LiveAtlas(tmp_path)
    assert not atlas.refresh()
    with serving(atlas) as address:
        assert json.loads(got(address + "state.json")[1]) == {
            "commit": None,
            "words": "no trainings yet; the first come after some seconds",
        }
        assert got(address + "atlas.html")[0] == 404


def test_a_page_that_cannot_be_made_says_why_and_the_last_one_stays(
    make_store, runs, pages, monkeypatch
):
    """Until a commit that can be shown."""

    def refused(*arguments, **options):
        raise ValueError("too many values")

    store = make_store(runs)
    atlas = LiveAtlas(store)
    commit(store, 1)
    atlas.refresh()
    with monkeypatch.context() as patch:
        patch.setattr("analysis.atlas.page.atlas", refused)
        commit(store, 2)
        assert not atlas.refresh()
    assert (atlas.now.commit, atlas.now.words, atlas.now.page) == (
        1,
        "too many values",
        "<p>page 1",
    )
    assert not atlas.refresh()
    commit(store, 3)
    assert atlas.refresh()


def test_a_file_that_a_compaction_took_away_is_looked_for_again(
    make_store, runs, pages, monkeypatch
):
    """The page is made at the next look."""

    def gone(*arguments, **options):
        raise FileNotFoundError("part")

    store = make_store(runs)
    atlas = LiveAtlas(store)
    commit(store, 1)
    with monkeypatch.context() as patch:
        patch.setattr("analysis.atlas.page.atlas", gone)
        assert not atlas.refresh()
    assert atlas.refresh()


def test_the_processors_are_left_to_the_sweep(make_store, runs, pages, monkeypatch):
    """After a page that took ten seconds, twenty pass until the next look."""
    store = make_store(runs)
    commit(store, 1)
    clock = {"now": 0.0}
    atlas = LiveAtlas(store)
    waits = []

    class Waiting(Event):
        def wait(self, seconds):
            waits.append(seconds)
            return len(waits) == 3

    refresh = atlas.refresh

    def slowly():
        clock["now"] += 10.0
        return refresh()

    monkeypatch.setattr(live_atlas, "monotonic", lambda: clock["now"])
    monkeypatch.setattr(atlas, "refresh", slowly)
    atlas.follow(Waiting())
    assert waits == [0.0, 20.0, 1.0]


def test_a_store_that_has_gone_ends_the_watch(tmp_path, pages):
    """With its name."""
    with pytest.raises(NotAStoreError, match="is no phasesweep store"):
        LiveAtlas(tmp_path).follow(Event())


def refused(*arguments, cwd):
    """The exit code and the words of a command that is refused."""
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline", "watch", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def test_what_cannot_be_watched_is_refused(store, tmp_path):
    """Exit code 2 and a line: no store, a level that is none, a port that is taken."""
    code, err = refused(tmp_path, cwd=tmp_path)
    assert (code, err.startswith(f"error: {tmp_path} is no phasesweep store")) == (2, True)
    code, err = refused(store, "--trained-level", 50, cwd=tmp_path)
    assert (code, err.startswith("error: --trained-level must be")) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = refused(store, "--port", port, cwd=tmp_path)
    assert (code, err) == (
        2,
        f"error: --port {port}: Address already in use; leave it out for a free one\n",
    )
