"""Stores as DuckDB views: what SQL sees of them, and that it sees nothing else."""

import json

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.reading.stores import read_runs
from analysis.reading.views import NEAR, connect
from core.outcomes import THRESHOLDS


def test_a_connection_has_the_tables_as_views(store, runs):
    """SQL joins them, and counts what pandas counts."""
    query = "select outcome, count(*) from runs join layers using (trial_id) group by outcome"
    with connect(store) as connection:
        assert connection.sql("show tables").fetchall() == [
            ("curves",),
            ("layers",),
            ("manifest",),
            ("runs",),
        ]
        assert (
            dict(connection.sql(query).fetchall())
            == runs.groupby("outcome")["depth"].sum().to_dict()
        )


def test_stores_are_joined_by_their_names(store, run_small):
    """Each has its views in a schema; nothing is there without a name."""
    other = run_small(seed="[1, 2]")
    with connect({"a": store, "B": other}) as connection:
        both = connection.sql("select count(*) from a.runs join b.runs using (trial_id)")
        assert both.fetchall() == [(len(read_runs(store)) // 2,)]
        with pytest.raises(duckdb.CatalogException, match="runs"):
            connection.sql("from runs")


@pytest.mark.parametrize("names", [("main",), ("Temp",), ("a b",), ('a"b',), ("1st",), ("a", "A")])
def test_a_name_that_sql_does_not_take_is_refused(store, names):
    """Before any store is read; the message shows the form."""
    with pytest.raises(ValueError, match=r"give (another|other names)"):
        connect(dict.fromkeys(names, store))


def test_the_manifest_is_a_view(store):
    """Versions and thresholds by keys, as text."""
    manifest = json.loads((store / "manifest.json").read_text())
    with connect(store) as connection:
        found = dict(connection.sql("from manifest").fetchall())
        rises = connection.sql(
            "select distinct value::double from manifest join runs "
            "on key = 'judged_by.' || thresholds || '.rise'"
        ).fetchall()
    assert found["versions.numpy"] == manifest["versions"]["numpy"]
    assert json.loads(found["sweeps.1.axes.depth"]) == [2, 12]
    assert found["sweeps.1.name"] == "small"
    assert found["machine.blas.1.version"] == manifest["machine"]["blas"][0]["version"]
    assert rises == [(THRESHOLDS.rise,)]


def test_near_finds_a_number_by_its_first_digits(rng):
    """Three of them, or more, rounded; what differs by 1%, or in its sign, is not near."""
    numbers = np.concatenate([10 ** rng.uniform(-30, 30, 500), [1.005, 9.995, 1.0, 1e5]])
    numbers = np.concatenate([numbers, -numbers])
    cases = pd.DataFrame(
        [
            {"number": number, "other": other, "same": same}
            for number in numbers
            for other, same in (
                *((float(f"{number:.{digits}g}"), True) for digits in (3, 5, 8)),
                (1.011 * number, False),
                (0.99 * number, False),
                (-number, False),
            )
        ]
    )
    with duckdb.connect() as connection:
        connection.execute(NEAR)
        connection.register("cases", cases)
        wrong = connection.sql("from cases where near(number, other) <> same").fetchall()
        assert wrong == []
        assert connection.sql("select near(0, 0), near(0, 1e-9), near(1e-9, 0)").fetchall() == [
            (True, False, False)
        ]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select * from read_text('{folder}/secret.csv')", "disabled"),
        ("select * from '{folder}/secret.csv'", "disabled"),
        ("select * from glob('{folder}/*')", "disabled"),
        ("select * from 'https://example.org/runs.parquet'", "disabled"),
        ("copy runs to '{folder}/copy.parquet'", "disabled"),
        ("export database '{folder}/copy'", "disabled"),
        ("attach '{folder}/copy.db'", "disabled"),
        ("install httpfs", "disabled"),
        ("load httpfs", "disabled"),
        ("load '{folder}/secret.csv'", "disabled"),
        ("set enable_external_access = true", "locked"),
        ("set temp_directory = '{folder}'", "locked"),
        ("set allowed_directories = ['{folder}']", "locked"),
        ("set memory_limit = '1TB'", "locked"),
        ("reset lock_configuration", "locked"),
        ("insert into runs select * from runs", "not an? table"),
        ("delete from runs", "base table"),
        ("update runs set seed = 7", "base table"),
    ],
)
def test_a_query_reaches_nothing_but_the_views(store, tmp_path, query, reason):
    """No other file, no network, no extension, no setting, and no writing anywhere."""
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    with connect(store) as connection, pytest.raises(duckdb.Error, match=reason):
        connection.execute(query.format(folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_a_query_does_not_see_the_variables_around_it(store):
    """DuckDB itself would look up an unknown table among the caller's DataFrames."""
    secret = pd.DataFrame({"number": [1]})
    assert duckdb.sql("from secret").fetchall() == [(secret["number"][0],)]
    with connect(store) as connection, pytest.raises(duckdb.CatalogException, match="secret"):
        connection.sql("from secret")
