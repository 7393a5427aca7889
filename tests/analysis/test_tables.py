"""Reading a store: the rows that pandas reads, errors that say what to do, a locked DuckDB."""

import shutil

import duckdb
import pandas as pd
import polars as pl
import pytest

from analysis.reading.conditions import condition
from analysis.reading.stores import (
    DamagedTableError,
    MissingTableError,
    NotAStoreError,
    UnsuitableRunsError,
    axes,
    data_dictionary,
    read_curves,
    read_layers,
    read_runs,
    read_schema,
    refuse_other_axes,
)
from analysis.reading.views import connect

READERS = {"runs": read_runs, "layers": read_layers, "curves": read_curves}


def test_the_runs_are_what_pandas_reads(store, runs):
    """Every row and column, to the bit."""
    pd.testing.assert_frame_equal(
        read_runs(store).sort_values("trial_id", ignore_index=True),
        runs.sort_values("trial_id", ignore_index=True),
        check_exact=True,
    )


def test_only_the_columns_asked_for_are_read_in_their_order(store):
    """A large store is read in part."""
    assert list(read_runs(store, ["outcome", "depth"]).columns) == ["outcome", "depth"]


@pytest.mark.parametrize(
    "where",
    [
        {"activation": "tanh"},
        {"depth": [2, 12], "seed": 1},
        {"outcome": ["stalled", "slow"], "depth": 12},
        {"depth": 999},
    ],
)
def test_where_keeps_the_rows_that_pandas_would(store, runs, where):
    """One value or several a column, all columns at once; the column itself need not be read."""
    for name, wanted in where.items():
        runs = runs[runs[name].isin(wanted if isinstance(wanted, list) else [wanted])]
    found = read_runs(store, columns=["trial_id"], where=where)
    assert sorted(found["trial_id"]) == sorted(runs["trial_id"])


def test_every_layer_and_curve_belongs_to_a_run(store, runs):
    """A layers row for each weight matrix, a curve from step 0 for each training."""
    assert len(read_layers(store)) == runs["depth"].sum()
    starts = read_curves(store, columns=["trial_id"], where={"step": 0})
    assert sorted(starts["trial_id"]) == sorted(runs["trial_id"])


@pytest.mark.parametrize("asked", [{"columns": ["dept"]}, {"where": {"dept": 2}}])
@pytest.mark.parametrize("table", READERS)
def test_an_unknown_column_is_named_beside_the_known_ones(store, table, asked):
    """So a typing mistake is seen at once."""
    with pytest.raises(ValueError, match=f"{table} in .* no column 'dept'; it has trial_id, "):
        READERS[table](store, **asked)


@pytest.mark.parametrize("read", [*READERS.values(), connect, read_schema])
def test_what_is_no_store_is_named_with_the_remedy(tmp_path, read):
    """A missing folder and a folder of other files get different errors."""
    with pytest.raises(NotAStoreError, match=r"gone is no .*: it is no folder; .*--store"):
        read(tmp_path / "gone")
    with pytest.raises(NotAStoreError, match=r"it has no manifest\.json; .*--store"):
        read(tmp_path)


@pytest.mark.parametrize("table", READERS)
def test_a_table_without_rows_is_missing_and_named(tmp_path, table):
    """A sweep that has only begun is no bug; the command that goes on is told."""
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(MissingTableError, match=f"has no {table} yet; `phasesweep run"):
        READERS[table](tmp_path)
    with pytest.raises(MissingTableError, match="has no runs yet"):
        connect(tmp_path)


def test_pandas_polars_and_duckdb_read_the_same_rows(store, runs):
    """No phasesweep is needed: the README's three lines agree."""
    counts = runs.groupby(["activation", "outcome"]).size().to_dict()
    by_polars = pl.read_parquet(store / "runs").group_by("activation", "outcome").len()
    by_duckdb = duckdb.sql(
        f"select activation, outcome, count(*) from '{store}/runs/*.parquet' group by all"
    )
    assert len(counts) > 4
    assert {row[:2]: row[2] for row in by_polars.iter_rows()} == counts
    assert {row[:2]: row[2] for row in by_duckdb.fetchall()} == counts


@pytest.mark.parametrize("table", READERS)
def test_the_data_dictionary_explains_every_column(store, table):
    """Its type, unit and meaning come from the store itself."""
    dictionary = data_dictionary(read_schema(store, table))
    assert list(dictionary["column"]) == list(READERS[table](store).columns)
    assert (dictionary != "").all(axis=None)


def test_the_axes_are_the_settings_that_vary(runs):
    """In the order of the columns; measurements are no settings."""
    assert axes(runs) == ["depth", "activation", "init_scale", "learning_rate", "seed"]
    assert axes(runs.head(1)) == []


def test_an_axis_that_would_be_mixed_up_is_named_with_a_remedy_that_works(make_runs):
    """The message holds the very condition to give."""
    runs = make_runs(width=[8, 16, 32], outcome="slow")
    with pytest.raises(UnsuitableRunsError, match=r"width varies .*\(8, 16, 32\)") as error:
        refuse_other_axes(runs, {"depth"})
    remedy = str(error.value).split("--where ")[1]
    refuse_other_axes(condition(remedy).kept(runs), {"depth"})
    refuse_other_axes(runs, {"width"})


def test_a_damaged_file_is_told_with_the_remedy(store, tmp_path):
    """Cut short or with a flipped byte: no reader's traceback, and never a wrong number."""
    damaged = tmp_path / "damaged"
    shutil.copytree(store, damaged)
    part = min((damaged / "runs").iterdir())
    whole = part.read_bytes()
    part.write_bytes(whole[:-20])
    with pytest.raises(DamagedTableError, match=r"damaged is damaged .*verify .* --repair"):
        read_runs(damaged)
    footer = int.from_bytes(whole[-8:-4], "little")
    for place in (len(whole) // 3, len(whole) - 8 - footer):
        flipped = bytearray(whole)
        flipped[place] ^= 0xFF
        part.write_bytes(flipped)
        with pytest.raises(DamagedTableError, match=r"verify .* --repair"):
            read_runs(damaged)
