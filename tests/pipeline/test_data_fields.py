"""The sweep file's fields on data: what is read by them, and what they refuse together."""

import numpy as np
import pandas as pd
import pytest

from pipeline.data_files.loading import load_data_file
from pipeline.data_files.reading import DataFileError, Reading
from pipeline.sweep_files.loading import SweepFileError, load_sweep

REST = "depth: 2\nactivation: tanh\nlearning_rate: 0.1\n"
TEXT = (
    "Age,city,score,churn\n"
    "20,Seoul,1.5,0\n"
    "30,,2.5,1\n"
    ",Busan,3.5,1\n"
    "50,Seoul,4.5,0\n"
    "60,Seoul,5.5,1\n"
    "70,Seoul,6.5,0\n"
)


@pytest.fixture
def load(tmp_path):
    """Loads a sweep with these lines, beside a.csv of 60 rows and b.csv of 40."""
    for name, rows in (("a.csv", 60), ("b.csv", 40)):
        frame = pd.DataFrame({"x": np.linspace(0, 1, rows) ** 2, "target": np.arange(rows) % 2})
        frame.to_csv(tmp_path / name, index=False)

    def load(*lines):
        path = tmp_path / "sweep.yaml"
        path.write_text("\n".join(lines) + "\n" + REST)
        return load_sweep(str(path))

    return load


@pytest.fixture
def read(tmp_path):
    """Reads a text as my.csv with some settings."""

    def read(text, **settings):
        (tmp_path / "my.csv").write_text(text)
        return load_data_file(tmp_path / "my.csv", Reading(**settings))

    return read


@pytest.mark.parametrize(
    ("lines", "examples"),
    [
        (["file: a.csv"], (60,)),
        (["file: a.csv", "examples: all"], (60,)),
        (["file: a.csv", "examples: [10, 20]"], (10, 20)),
        (["file: [a.csv, b.csv]", "examples: 40"], (40,)),
        (["dataset: wine"], (128,)),
        (["dataset: wine", "examples: all"], (178,)),
        (["dataset: spirals"], (128,)),
    ],
)
def test_how_many_examples_are_used(load, lines, examples):
    """All of a user's file, 128 of a bundled data set, where nothing else is said."""
    assert load(*lines).grid.axes["examples"] == examples


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["dataset: gaussian", "loss: mse", "examples: all"], "examples: gaussian is drawn with"),
        (["dataset: [wine, spirals]", "examples: all"], "examples: spirals is drawn .* got all"),
        (["file: [a.csv, b.csv]"], "a.csv-.* has 60, b.csv-.* has 40; set examples: 40 or fewer"),
        (["dataset: [wine, digits]", "examples: all"], "wine has 178, digits has 1,797; set"),
        (["file: a.csv", "examples: some"], "examples: must be a whole number, .*; training"),
        (["file: a.csv", "examples: 61"], "has 60 examples, got 61; set examples: 60 or fewer"),
        (
            ["file: a.csv", "examples: 50", "test_examples: 11"],
            "test_examples: a.csv-.* has 60 examples, of which examples: 50 takes 50, got 11; set "
            "test_examples: 10 or fewer or examples: 49 or fewer",
        ),
        (["file: a.csv", "test_examples: 10"], "got 10; set examples: 50 or fewer$"),
        (
            ["dataset: wine", "test_examples: 200"],
            "178 .* got 200; set test_examples: 50 or fewer$",
        ),
        (["file: a.csv", "test_examples: 60"], "got 60; set both to fewer$"),
        (["dataset: wine", "test_examples: 0.2"], "test_examples: must be a whole number, got 0.2"),
        (["dataset: wine", "test_size: 50"], "test_size: .* phasesweep calls it test_examples"),
        (["dataset: wine", "target: x"], "target: says how a file of your own is read, got it wi"),
        (["dataset: wine", "missing: drop"], "missing: says how a file of your own is read"),
        (["file: a.csv", "targets: raw"], "targets: a.csv-.* has classes as targets, .*got raw"),
        (["dataset: wine", "targets: raw"], "targets: wine has classes as targets"),
        (["file: a.csv", "task: numbers"], "loss: a.csv-.* no classes, .*; set loss: mse"),
        (
            ["file: a.csv", "task: number"],
            "task: no such value, got 'number'; did you mean num",
        ),
        (["file: a.csv", "separator: ';;'"], "separator: must have at most 1 character"),
        (["file: a.csv", "separator: '\"'"], "separator: must be no quote and no line break"),
        (["file: a.csv", "drop: [x, x]"], "drop: 'x' is listed twice"),
        (["file: a.csv", "target: []"], "target: an axis needs a value at least, got .*; the col"),
        (["file: a.csv", "target: [x, x]"], "target: 'x' is listed twice"),
        (["file: a.csv", "target: [x, X]"], "target: names the column 'x' twice; once will do"),
        (["file: a.csv", "target: [x, y]"], "no column 'y'; set target: to one of its columns"),
        (["file: a.csv", "target: [x, target]"], "holds 60 examples of 0 features; training"),
        (["file: a.csv", "target: 5"], "target: must be text, in quotes .* got 5; the column of"),
        (["file: a.csv", "drop: target"], "drop: 'target' is the target"),
        (["file: a.csv", "drop: X2"], "no column 'X2'; set drop: to one of its columns, 'x'"),
        (["file: a.csv", "encoding: utf-9"], "encoding: there is no encoding 'utf-9'; set enc"),
    ],
)
def test_what_does_not_fit_is_reported(load, lines, told):
    """With the field, what was given and a remedy."""
    with pytest.raises(SweepFileError, match=told):
        load(*lines)


def test_held_out_examples_must_be_left_in_cells_that_there_are(load):
    """Of axes that move together, or are cut by a condition, only what is run counts."""
    axes = "examples: [20, 50]", "test_examples: [30, 10]"
    told = "of which examples: 50 takes 50, got 30; set test_examples: 10 or fewer or examples: 30"
    with pytest.raises(SweepFileError, match=told):
        load("file: a.csv", *axes)
    assert load("file: a.csv", *axes, "zip: [examples, test_examples]").grid.size == 2
    assert load("file: a.csv", *axes, "where: examples + test_examples <= 60").grid.size == 3
    assert load("dataset: spirals", "examples: 20", "test_examples: 10000000").grid.size == 1


def test_missing_cells_are_filled_with_the_mean(read):
    """Of text with the shares of its categories, which are their means."""
    file = read(TEXT, target=("churn",), missing="mean", categories="one_hot")
    inputs = file.dataset.inputs  # Age, city Busan, city Seoul, score
    assert inputs[2, 0] == np.mean([20, 30, 50, 60, 70])
    np.testing.assert_allclose(inputs[1, 1:3], [0.2, 0.8])
    assert inputs[0].tolist() == [20, 0, 1, 1.5]
    assert any("cells of 'Age', 'city' were filled" in note for note in file.notes)


def test_rows_with_missing_cells_are_left_out(read):
    """And counted."""
    file = read(TEXT, target=("churn",), missing="drop", categories="one_hot")
    assert file.rows == 6
    assert file.dataset.inputs[:, 0].tolist() == [20, 50, 60, 70]
    assert "2 of 6 rows were left out: cells of 'Age', 'city' are missing" in file.notes


def test_a_column_is_found_in_any_case_where_one_is_meant(read):
    """And it is said."""
    file = read("Age,Churn\n1.5,0\n2.5,1\n3.5,0\n4.5,1\n", target=("CHURN ",))
    assert file.dataset.targets.tolist() == [0, 1, 0, 1]
    assert file.notes == ("target: 'CHURN ' was read as the column 'Churn'",)
    with pytest.raises(DataFileError, match="'CHURN' may be 'churn' or 'Churn'; write one"):
        read("churn,Churn\n1.5,0\n2.5,1\n", target=("CHURN",))
    assert read("churn,Churn\n1.5,0\n2.5,1\n3.5,0\n4.5,1\n", target=("Churn",)).notes == ()


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        ("0.5 1.5 0.5 1.5", None, None),
        ("0.5 1.5 0.5 1.5", "classes", 2),
        ("1 2 1 2", None, 2),
        ("1 2 1 2", "numbers", None),
        ("-1 1 -1 1", "classes", 2),
        ("true false true false", None, 2),
        ("true false true false", "numbers", None),
        ("a b a b", None, 2),
        ("1 ? 1 ?", "classes", 2),
    ],
)
def test_what_targets_are(read, cells, task, classes):
    """Classes or numbers, as said, else by their type."""
    rows = [f"{row * row},{cell}" for row, cell in enumerate(cells.split())]
    file = read("\n".join(["x,target", *rows]), task=task)
    assert file.dataset.classes == classes
    assert len(np.unique(file.dataset.targets)) == 2


@pytest.mark.parametrize(
    ("cells", "settings", "told"),
    [
        ("-1 1 -1 1", {}, "2 different whole numbers from -1 to 1, with gaps: set task: numbers"),
        (" ".join(map(str, [*range(21)] * 3)), {}, "21 different whole numbers from 0 to 20: set"),
        ("1 2 3 4", {}, "4 different whole numbers from 1 to 4: set task: numbers"),
        ("1 2 3 4", {"task": "classes"}, "4 different classes among the 4 .*; set task: numbers"),
        ("a b c d", {}, "4 different classes among the 4 .*; set target: to another column"),
        ("a b a b", {"task": "numbers"}, "task: numbers, but column 'target' holds text such as"),
        ("1 2 ? 2", {}, r"'target' holds numbers and text: '\?' in line 4; .* set task: classes"),
        ("1 2 1 2024-01-01", {}, "numbers and text: '2024-01-01' in line 5"),
        ("2024-01-01 2024-01-02 2024-01-01 2024-01-02", {}, "column 'target' holds date32"),
        ("1 NA 1 2", {"missing": "mean"}, "mean fills features, but 1 targets .* in line 3; write"),
        ("1 1 1 NA", {"missing": "drop"}, "every target in column 'target' is 1"),
    ],
)
def test_targets_that_may_be_either_or_neither_are_asked_about(read, cells, settings, told):
    """The error names the column, what stands there and the settings that answer it."""
    rows = [f"{row * row},{cell}" for row, cell in enumerate(cells.split())]
    with pytest.raises(DataFileError, match=told):
        read("\n".join(["x,target", *rows]), **settings)


SEVERAL = "x,a,b\n1,0.5,7\n2,1.5,9\n4,2,8\n5,0,9\n"


def test_several_targets_are_numbers_and_no_features(read):
    """(rows, columns), in the order in which they are named; whole numbers are no classes."""
    data = read(SEVERAL, target=("b", "A")).dataset
    assert data.targets.tolist() == [[7, 0.5], [9, 1.5], [8, 2], [9, 0]]
    assert data.inputs.tolist() == [[1], [2], [4], [5]]
    assert data.classes is None
    assert (data.info.feature_count, data.info.outputs) == (1, 2)
    swapped = read(SEVERAL, target=("a", "b")).dataset
    assert swapped.targets.tolist() == [row[::-1] for row in data.targets.tolist()]
    alone = read(SEVERAL, target=("a",), drop=("b",)).dataset
    assert alone.targets.tolist() == [0.5, 1.5, 2, 0]
    assert len({data.name, swapped.name, alone.name}) == 3


@pytest.mark.parametrize(
    ("text", "settings", "told"),
    [
        (SEVERAL, {"task": "classes"}, "task: classes, but target: names 2 columns, 'a', 'b'; sev"),
        (SEVERAL.replace("9", "x"), {}, "target 'b' holds numbers and text: 'x' in lines 3, 5"),
        (SEVERAL.replace("7", "u").replace("8", "v").replace("9", "w"), {}, "'b' holds text such"),
        (SEVERAL.replace("9", "7").replace("8", "7"), {}, "every target in column 'b' is 7"),
        (SEVERAL.replace("9", "inf"), {}, "target 'b' must be finite, got inf in lines 3, 5"),
        (SEVERAL.replace("7", ""), {}, "1 of column 'b' in line 2; write them, or set missing: d"),
        (SEVERAL.replace("7", ""), {"missing": "mean"}, "1 targets are missing from 'b' in line 2"),
        (SEVERAL, {"drop": ("b",)}, "drop: 'b' is the target; take it out of drop"),
    ],
)
def test_one_of_several_targets_that_cannot_be_learned_is_named(read, text, settings, told):
    """With its column, its lines and what to do."""
    with pytest.raises(DataFileError, match=told):
        read(text, target=("a", "b"), **settings)


def test_rows_without_one_of_several_targets_are_left_out(read):
    """Where that is asked for."""
    data = read(SEVERAL.replace("7", ""), target=("a", "b"), missing="drop").dataset
    assert data.targets.tolist() == [[1.5, 9], [2, 8], [0, 9]]


def test_whole_targets_stored_as_floats_are_numbers_and_that_is_said(read):
    """As pandas writes labels of which one was missing."""
    file = read("x,target\n0.5,1.0\n0.7,0.0\n0.1,1.0\n")
    assert file.dataset.classes is None
    assert "they were read as numbers; task: classes makes them classes" in file.notes[0]


@pytest.mark.parametrize(
    ("text", "settings", "told"),
    [
        (
            "x,y,target\n1,1,0\n2,1 000,1\n3,7,0\n",
            {},
            "'y' holds numbers with commas .* '1 000' in",
        ),
        (
            'x,target\n"1,234",0\n"2,345",1\n',
            {},
            "'x' holds numbers with commas .* lines 2, 3; wri",
        ),
        ("x,target\n\n1,0\n\nn.a.,1\n3,0\n", {}, r"'n\.a\.' in line 5; leave such cells empty"),
        ('x,t,target\n1,"a\nb",0\n?,c,1\n3,c,0\n', {}, r"'\?' in row 2, counted from 1"),
        ("x,target\n01/02/2020,0\n03/02/2020,1\n", {}, r"'x' holds dates \(01/02/2020\)"),
        ("5.1,3.5,0\n4.9,3.0,1\n", {}, "these look like data: put a line of names above the first"),
        (
            ",x,target\n0.5,1,0\n0.5,2,1\n",
            {},
            r"no name \(''\) and does not distinguish rows; .* drop: \[\"\"",
        ),
        (
            "a,target\nr1,1,0\nr2,2,1\n",
            {},
            "one cell more than the first line has names, such as 0",
        ),
        ("x,target\n\n1,2\n\n3\n", {}, "names 2 columns, but line 5 holds 1 cells; give each"),
        ('x,target\n1,"a\nb"\n3\n', {}, "names 2 columns, but row 2 holds 1 cells; give each"),
        (
            "x,target,,\n1,0,,\n2,0,,7\n3,1,,\n4,1,,\n",
            {},
            r"3 of column '' in lines 2, 4, 5; .* drop: \[\"\"\]",
        ),
        ("x,target\n1,0\n,1\n", {"missing": "drop"}, "1 examples of 1 features"),
        (
            "x,y,target\n,1,0\n1,,1\n",
            {"missing": "drop"},
            r"leaves no row: .* drop: \[x\], or miss",
        ),
        ("x,target\n1,\n2,\n", {"missing": "drop"}, "leaves no row: .* set target: to another"),
        ("x target\n1 0\n2 1\n", {}, "looks like it is separated by ' ': set separator: ' '"),
        ("my file,target\n,0\n2,1\n", {}, r"or drop: \[my file\]"),
        ("a: b,target\n,0\n2,1\n", {}, r'or drop: \["a: b"\]'),
    ],
)
def test_what_a_column_holds_is_reported(read, text, settings, told):
    """Lines are counted as an editor does; where cells hold line breaks, rows are."""
    with pytest.raises(DataFileError, match=told):
        read(text, **settings)


def test_empty_columns_without_a_name_are_left_out(read):
    """As spreadsheets save them; it is said."""
    file = read("x,target,,\n1.5,0,,\n2.5,1,,\n3,0,,\n4,1,,\n")
    assert file.dataset.inputs.shape == (4, 1)
    assert file.notes == (
        "2 empty columns without a name were left out, as of lines that end with ','",
    )


def test_an_unnamed_column_is_left_out_by_its_empty_name(read):
    """As the error says."""
    file = read(",x,target\n0.5,1.5,0\n0.5,2.5,1\n0.5,3,0\n0.1,4,1\n", drop=("",))
    assert file.dataset.inputs.shape == (4, 1)


def test_texts_that_name_rows_are_no_categories(read):
    """One feature for each row would be learned by heart."""
    rows = [f"person {row},{row % 2}" for row in range(60)]
    text = "\n".join(["name,target", *rows])
    with pytest.raises(DataFileError, match=r"text in 'name' \(60 different\): leave out with dr"):
        read(text, categories="one_hot")


def test_one_hot_is_not_offered_where_it_would_be_refused(read):
    """A column that names rows can only be left out; one beside it that repeats has a choice."""
    rows = [f"person {row},{'ab'[row % 2]},{row % 2}" for row in range(60)]
    with pytest.raises(DataFileError) as error:
        read("\n".join(["name,city,target", *rows]))
    assert "text in 'name' (60 different): leave out with drop: [name]" in str(error.value)
    assert "text in 'city' (2 different): set categories: one_hot, or leave" in str(error.value)


def test_numbers_and_text_are_categories_where_they_are_few(read):
    """Say, 0, 1, 2 and 3+ children; of many such texts one is a stray in a column of numbers."""
    few = "\n".join(
        ["x,target", *[f"{['0', '1', '2', '3+'][row % 4]},{row % 2}" for row in range(60)]]
    )
    many = "\n".join(["x,target", *[f"{row if row else '?'},{row % 2}" for row in range(60)]])
    assert read(few, categories="one_hot").dataset.inputs.shape == (60, 4)
    with pytest.raises(DataFileError, match=r"'x' holds numbers and text: '\?' in line 2"):
        read(many, categories="one_hot")
