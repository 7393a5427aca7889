"""Rows of before a setting existed are read as its default, whatever type the setting has."""

from dataclasses import fields

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from analysis import older_rows
from analysis.tables import connect, data_dictionary, read_runs, read_schema
from core.trials import DEFAULTS, Trial

LATER = {"word": ("full", "decided"), "share": (0.1, 0.5), "count": (3, 4), "flag": (True, False)}


@pytest.fixture
def some_defaults(monkeypatch):
    """A setting of each type came later; its first value in LATER is its default."""
    defaults = {name: default for name, (default, _) in LATER.items()}
    monkeypatch.setattr(older_rows, "DEFAULTS", defaults)
    return defaults


@pytest.mark.parametrize("name", LATER)
def test_a_null_is_the_default_in_the_columns_own_type(some_defaults, name):
    """In Arrow and so in pandas: a count stays whole, a truth stays a truth."""
    default, other = LATER[name]
    rows = pa.table({name: [None, other, None], "loss": [None, 1.0, 2.0]})
    filled = older_rows.filled(rows)
    assert filled.schema == rows.schema
    assert filled[name].to_pylist() == [default, other, default]
    assert filled["loss"].null_count == 1
    assert filled.to_pandas()[name].dtype == pd.Series([default, other]).dtype


@pytest.mark.parametrize("name", LATER)
def test_a_condition_and_a_view_find_the_older_rows(some_defaults, name):
    """By the default, and not by the other value."""
    default, other = LATER[name]
    rows = pa.table({name: [None, other, None]})
    kept = ds.dataset(rows).filter(older_rows.condition_column(name).isin([default]))
    assert kept.count_rows() == 2
    connection = duckdb.connect()
    view = connection.from_arrow(rows).select(*older_rows.view_columns([name]))
    assert view.types == connection.from_arrow(rows).types
    assert view.fetchall() == [(default,), (other,), (default,)]


def test_a_setting_that_came_later_has_its_fields_type():
    """From which a column that no file has gets its own."""
    for field in fields(Trial):
        if field.name in DEFAULTS:
            assert type(DEFAULTS[field.name]) is field.type
    assert type(DEFAULTS["trained_level"]) is float


@pytest.fixture
def older_store(runs, make_store):
    """The small sweep's runs as a version without the later settings wrote them."""
    return make_store(runs.drop(columns=list(DEFAULTS)))


def test_a_store_of_older_rows_alone_has_the_columns(older_store, store):
    """Their types, units and meanings are those of a new store."""
    older, new = (
        data_dictionary(read_schema(each)).set_index("column") for each in (older_store, store)
    )
    pd.testing.assert_frame_equal(older.loc[list(DEFAULTS)], new.loc[list(DEFAULTS)])


@pytest.mark.parametrize("name", DEFAULTS)
def test_older_rows_are_found_by_what_they_stand_for(older_store, runs, name):
    """As columns, by a condition, and in SQL."""
    value = DEFAULTS[name]
    assert read_runs(older_store, [name])[name].tolist() == [value] * len(runs)
    assert len(read_runs(older_store, where={name: value})) == len(runs)
    with connect(older_store) as views:
        counted = views.execute(f"select count(*) from runs where {name} = ?", [value])
        assert counted.fetchall() == [(len(runs),)]
