"""Rows of before a setting existed are read as its default, whatever type the setting has."""

import json
from dataclasses import dataclass

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from analysis.reading import older_rows
from analysis.reading.stores import data_dictionary, read_runs, read_schema
from analysis.reading.views import connect
from core.settings import setting, settings_of
from core.trials import DEFAULTS

LATER = {"word": ("full", "decided"), "share": (0.5, 0.1), "count": (3, 4), "flag": (True, False)}


@pytest.fixture(params=["a file says so", "core says so"])
def mixed_store(request, tmp_path, monkeypatch):
    """Three rows of before LATER's settings, and two of after, one of them at the defaults.

    What the defaults are is in the newer file, as a newer phasesweep or another trainer would
    write it; or they are core's own settings that a file without metadata has.
    """
    (tmp_path / "runs").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    older = pa.table({"trial_id": list("abc"), "outcome": ["trained", "slow", "slow"]})
    newer = pa.table(
        {"trial_id": list("de"), "outcome": ["trained", "slow"]}
        | {name: list(values) for name, values in LATER.items()}
    )
    if request.param == "a file says so":
        fields = [
            field.with_metadata({"default": json.dumps(LATER[field.name][0])})
            if field.name in LATER
            else field
            for field in newer.schema
        ]
        newer = newer.cast(pa.schema(fields))
    else:
        monkeypatch.setattr(older_rows, "SETTINGS", settings_of(Later))
        monkeypatch.setattr(older_rows, "FIRST", {"outcome"})
    pq.write_table(older, tmp_path / "runs" / "000000-a.parquet")
    pq.write_table(newer, tmp_path / "runs" / "000001-b.parquet")
    return tmp_path


@dataclass(frozen=True, kw_only=True)
class Later:
    """Settings of each type that came later."""

    word: str = setting("a word", default="full")
    share: float = setting("a share", default=0.5)
    count: int = setting("a count", default=3)
    flag: bool = setting("a truth", default=True)


@pytest.mark.parametrize("name", LATER)
def test_an_older_row_stands_for_the_default(mixed_store, name):
    """In pandas, by a condition and in SQL; a count stays whole and a truth a truth."""
    default, other = LATER[name]
    rows = read_runs(mixed_store).set_index("trial_id")[name]
    assert rows.to_dict() == {**dict.fromkeys("abcd", default), "e": other}
    assert rows.dtype == pd.Series([default, other]).dtype
    assert list(read_runs(mixed_store, ["trial_id"], {name: default})["trial_id"]) == list("abcd")
    assert list(read_runs(mixed_store, ["trial_id"], {name: other})["trial_id"]) == ["e"]
    with connect(mixed_store) as views:
        sql = f"select {name}, count(*) from runs group by all order by 2 desc"
        assert views.execute(sql).fetchall() == [(default, 4), (other, 1)]


@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("mixed_store", ["a file says so"], indirect=True)
def test_the_recipes_find_the_older_rows(mixed_store, name):
    """Those of the README and the notebook: plain DuckDB, and Polars with pyarrow's metadata."""
    default, other = LATER[name]
    files = f"{mixed_store}/runs/*.parquet"
    sql = (
        f"select count(*) from read_parquet(?, union_by_name = true) where coalesce({name}, ?) = ?"
    )
    assert duckdb.execute(sql, [files, default, default]).fetchall() == [(4,)]
    assert duckdb.execute(sql, [files, default, other]).fetchall() == [(1,)]
    parts = sorted((mixed_store / "runs").glob("*.parquet"))
    schema = pq.read_schema(parts[-1])
    standing_for = {
        field.name: json.loads(field.metadata[b"default"])
        for field in schema
        if field.metadata and b"default" in field.metadata
    }
    runs = pl.scan_parquet(parts[::-1], missing_columns="insert").with_columns(
        pl.col(column).fill_null(value) for column, value in standing_for.items()
    )
    assert runs.filter(pl.col(name) == default).select(pl.len()).collect().item() == 4


def test_a_store_of_another_trainer_gets_none_of_our_settings(tmp_path):
    """Its files have all its columns; of ours it would only have empty ones."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    pd.DataFrame({"trial_id": ["a"], "slope": [2.0], "outcome": ["up"]}).to_parquet(
        tmp_path / "runs" / "part.parquet"
    )
    assert list(read_runs(tmp_path)) == ["trial_id", "slope", "outcome"]


@pytest.fixture
def older_store(runs, make_store):
    """The small sweep's runs as a version without the later columns wrote them."""
    later = [*DEFAULTS, "thresholds"]
    return make_store(runs.drop(columns=[name for name in later if name in runs]))


def test_a_store_of_older_rows_alone_has_the_columns(older_store, store):
    """Their types, units and meanings are those of a new store."""
    older, new = (
        data_dictionary(read_schema(each)).set_index("column") for each in (older_store, store)
    )
    columns = [*DEFAULTS, "thresholds"]
    pd.testing.assert_frame_equal(older.loc[columns], new.loc[columns])
    assert read_runs(older_store)["thresholds"].isna().all()


@pytest.mark.parametrize("name", DEFAULTS)
def test_older_rows_are_found_by_what_they_stand_for(older_store, runs, name):
    """As columns, by a condition, and in SQL."""
    value = DEFAULTS[name]
    assert read_runs(older_store, [name])[name].tolist() == [value] * len(runs)
    assert len(read_runs(older_store, where={name: value})) == len(runs)
    with connect(older_store) as views:
        counted = views.execute(f"select count(*) from runs where {name} = ?", [value])
        assert counted.fetchall() == [(len(runs),)]
