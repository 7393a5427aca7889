"""`phasesweep query`: SQL over a store, in three formats, and errors that help."""

import io
import json

import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from analysis.reading.printing import aligned
from analysis.reading.stores import read_runs
from pipeline.cli import app


def query(*arguments):
    """The finished command."""
    return CliRunner().invoke(app, ["query", *map(str, arguments)])


def test_csv_is_what_pandas_counts(store, runs):
    """Every digit of every row, and NULL as an empty cell."""
    done = query(store, "select * from runs order by trial_id", "--format", "csv")
    asked = pd.read_csv(io.StringIO(done.stdout), dtype={"trainer": str, "thresholds": str})
    expected = runs.sort_values("trial_id", ignore_index=True)
    pd.testing.assert_frame_equal(asked, expected, check_dtype=False)


def test_json_is_one_document(store, runs):
    """NULL is null, and the numbers are those of the table."""
    sql = "select trial_id, final_loss, overflow_step from runs order by final_loss nulls first"
    rows = json.loads(query(store, sql, "--format", "json").stdout)
    assert len(rows) == len(runs)
    assert (rows[0]["final_loss"] is None) == bool(runs["final_loss"].isna().any())
    assert rows[-1]["final_loss"] == runs["final_loss"].max()


@pytest.mark.parametrize(
    ("form", "printed"), [("json", "[]\n"), ("csv", '"one"\n'), ("table", "one\n")]
)
def test_no_rows_are_an_answer(store, form, printed):
    """An empty document in every format, with its columns where they are named; and a note."""
    done = query(store, "select 1 as one where false", "--format", form)
    assert (done.exit_code, done.stdout, done.stderr) == (0, printed, "0 rows\n")


def test_a_shown_number_that_finds_nothing_is_explained(store, runs):
    """It was rounded; the note says what finds it, and that does."""
    scale = runs["init_scale"].unique()[1]
    shown = query(store, f"select init_scale from runs where init_scale < {scale} + 0.01").stdout
    rounded = shown.split()[-1]
    assert float(rounded) != scale
    failed = query(store, f"select count(*) from runs where init_scale = {rounded} having false")
    assert failed.stderr.startswith("0 rows; numbers are shown rounded: near(init_scale, ")
    found = query(
        store, f"select * from runs where near(init_scale, {rounded})", "--format", "json"
    )
    assert (len(json.loads(found.stdout)), found.stderr) == (
        (runs["init_scale"] == scale).sum(),
        "",
    )


def test_several_stores_are_asked_by_their_names(store, run_small, runs):
    """Given names, or those of their folders; the dictionary of each can be asked for."""
    other = run_small(seed="[1, 2]")
    sql = "select count(*) as runs from a.runs join b.runs using (trial_id)"
    done = query(f"a={store}", f"b={other}", sql, "--format", "json")
    assert json.loads(done.stdout) == [{"runs": len(runs) // 2}]
    described = query(f"a={store}", f"b={other}", "describe b.runs", "--format", "json")
    assert json.loads(described.stdout) == json.loads(
        query(store, "describe runs", "--format", "json").stdout
    )
    renamed = store.with_name("my-store")
    renamed.symlink_to(store)
    done = query(renamed, other, "select count(*) as runs from my_store.runs", "--format", "json")
    assert json.loads(done.stdout) == [{"runs": len(runs)}]


def test_stores_of_one_name_are_told_apart_by_the_user(store, run_small):
    """Exit code 2, and what to write."""
    other = run_small(seed="[1, 2]")
    failed = query(store, other, "from store.runs")
    assert failed.exit_code == 2
    assert f"are both called store; name them, as in a={store} b={other}" in failed.stderr


def test_of_several_stores_the_views_are_listed_with_their_names(store):
    """As SQL takes them; and of a wrong column, the columns of the view."""
    assert "The views are a.runs, a.layers, a.curves, a.manifest;" in (
        query(f"a={store}", "from runs").stderr
    )
    assert "\na.layers: trial_id, layer, " in query(f"a={store}", "select x from a.layers").stderr


def test_a_store_without_a_query_is_told_what_is_missing(store):
    """Exit code 2, with a command that can be copied."""
    failed = query(store)
    assert failed.exit_code == 2
    assert f'as in `query {store} "describe runs"`' in failed.stderr


def test_infinity_is_no_json(store):
    """JSON has no such number: null."""
    done = query(store, "select 'inf'::double as a, 'nan'::double as b", "--format", "json")
    assert json.loads(done.stdout) == [{"a": None, "b": None}]


def test_a_sum_of_integers_is_a_number(store, runs):
    """Not a text, although DuckDB sums them as decimals."""
    done = query(store, "select sum(depth) as layers from runs", "--format", "json")
    assert json.loads(done.stdout) == [{"layers": runs["depth"].sum()}]


def test_describe_shows_units_and_meanings(store):
    """Each column with its type, unit and meaning, whatever the case of the words."""
    rows = json.loads(query(store, " DESCRIBE layers; ", "--format", "json").stdout)
    assert rows[1] == {
        "column": "layer",
        "type": "int64",
        "unit": "layers",
        "meaning": "1 next to the inputs, depth at the outputs",
    }


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select width, lerning_rate from runs", "runs: trial_id, dataset"),
        ("select * from trials", "The views are runs, layers, curves, manifest; `describe runs`"),
        ("selec", "syntax error"),
        ("copy runs to 'stolen.csv'", "reads the store's views and nothing else"),
        ("select activation::int from runs", "Could not convert string"),
        ("set threads = 1", "The views are"),
    ],
)
def test_a_wrong_query_says_what_could_be_asked(store, sql, told):
    """Exit code 2, nothing on stdout, and what there is to ask on stderr."""
    failed = query(store, sql)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert failed.stderr.startswith("error: ")
    assert told in failed.stderr


def test_a_query_of_no_store_says_so(tmp_path):
    """Exit code 2, with the remedy."""
    failed = query(tmp_path, "select 1")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "is no phasesweep store" in failed.stderr


def test_a_wide_table_is_turned_on_its_side(store):
    """No line of `select *` is broken by an ordinary terminal."""
    printed = aligned(pa.Table.from_pandas(read_runs(store).head(2)), width=80)
    assert max(map(len, printed.splitlines())) <= 80
    assert [line for line in printed.splitlines() if line.startswith("row ")] == ["row 1", "row 2"]


def test_a_narrow_table_has_a_line_a_row():
    """Names to the left, numbers to the right, NULL as nothing."""
    rows = pa.table({"activation": ["tanh", "relu"], "n": [7, None], "loss": [0.123456789, 1e30]})
    assert aligned(rows, width=80).splitlines() == [
        "activation  n     loss",
        "tanh        7  0.12346",
        "relu             1e+30",
    ]


def test_a_long_last_text_is_wrapped():
    """The words go on below, in their column."""
    rows = pa.table({"column": ["a"], "meaning": ["the words of a meaning that is too long"]})
    lines = aligned(rows, width=40).splitlines()
    assert lines[1:] == ["a       the words of a meaning that is", "        too long"]


def test_a_name_cannot_steer_the_terminal():
    """An escape sequence in a store is shown, not obeyed."""
    assert "\x1b" not in aligned(pa.table({"dataset": ["\x1b[2J"]}), width=80)
