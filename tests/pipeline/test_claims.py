"""`phasesweep claims`: the experiments are run once, and every claim gets a verdict."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis.claims.verdicts import VERDICTS
from analysis.reading.views import connect
from core.training import FULLY_CONNECTED
from pipeline import cli
from pipeline.claims import claim_sweeps, run_claims
from pipeline.plans import plan
from pipeline.storage.compaction import compact_into
from pipeline.storage.store import Store
from pipeline.sweep_files.loading import shipped_sweeps

from .s3 import BUCKET, environment, make_bucket, s3_server


@pytest.fixture
def claims(claim_experiments, monkeypatch):
    """The finished command, with the tests' reduced experiments."""
    monkeypatch.setattr(cli, "claim_sweeps", lambda: claim_experiments)
    return lambda *arguments: CliRunner().invoke(cli.app, ["claims", *map(str, arguments)])


@pytest.fixture
def bucket(monkeypatch):
    """A prefix in a bucket of a real server."""
    with s3_server() as port:
        for name, value in environment(port).items():
            monkeypatch.setenv(name, value)
        make_bucket(port)
        yield f"s3://{BUCKET}/claims"


def test_every_claim_is_told_with_its_verdict_and_query(claims, claims_store):
    """For reading; nothing but that on stdout, and nothing trained again."""
    before = sorted((claims_store / "runs").iterdir())
    done = claims("--store", claims_store)
    assert (done.exit_code, done.stderr) == (0, "")
    said = done.stdout.split("\n\n")
    assert [paragraph.split()[0] for paragraph in said] == [f"C{place}" for place in range(1, 18)]
    for paragraph in said:
        assert any(verdict.upper() in paragraph for verdict in VERDICTS)
        assert "select " in paragraph.splitlines()[-1]
    assert sorted((claims_store / "runs").iterdir()) == before


def test_json_is_one_document_whose_queries_run(claims, claims_store):
    """Claim, statement, setting, verdict, numbers with units, and the query for its rows."""
    done = claims("--store", claims_store, "--json")
    document = json.loads(done.stdout)
    with connect(claims_store) as connection:
        for each in document:
            assert list(each) == ["claim", "statement", "setting", "verdict", "numbers", "query"]
            assert each["setting"]
            assert each["verdict"] in VERDICTS
            assert all(set(number) == {"meaning", "value", "unit"} for number in each["numbers"])
            assert connection.execute(each["query"]).fetchone()


def test_what_a_store_lacks_is_trained_and_the_rest_kept(claim_experiments, tmp_path):
    """An experiment that is finished is not even named."""
    small = [each for each in claim_experiments if each.name in ("claims-identity", "claims-relu")]
    store, said = Store(tmp_path / "store", FULLY_CONNECTED), []
    with store.writing():
        assert run_claims(small[:1], store, said.append) == []
        first = sorted((store.path / "runs").iterdir())
        assert run_claims(small, store, said.append) == []
    assert [line.split(":")[0] for line in said] == [each.name for each in small]
    assert set(first) < set((store.path / "runs").iterdir())


def test_a_store_in_a_bucket_has_the_same_verdicts(claims, claims_store, bucket):
    """Which a URL names, not a folder `s3:` of this machine."""
    local = Store(claims_store, FULLY_CONNECTED)
    with local.writing():
        compact_into(local, Store(bucket, FULLY_CONNECTED))
    here, there = claims("--store", claims_store), claims("--store", bucket)
    assert (there.exit_code, there.stderr) == (0, "")
    assert there.stdout == here.stdout


def test_a_folder_that_is_no_store_is_left_alone(claims, tmp_path):
    """Refused before anything is trained."""
    (tmp_path / "thesis.tex").write_text("mine")
    failed = claims("--store", tmp_path)
    assert failed.exit_code != 0
    assert failed.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_experiments_are_shipped_apart_and_small():
    """Each has a name of its own; all take less than two minutes of one core by the plan."""
    sweeps = claim_sweeps()
    names = [sweep.name for sweep in sweeps]
    assert len(set(names)) == len(names) >= 5
    assert not set(names) & set(shipped_sweeps())
    assert sum(plan(sweep, np.empty(0, np.int64)).seconds for sweep in sweeps) < 120
