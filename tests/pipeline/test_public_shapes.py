"""Files of the shapes that people bring: read as meant or told how to mend them, and trained on.

Each is written by pandas, NumPy or a text editor's rules; what the product says of it is
compared, the setting that it names is set, and the file is trained on.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.grids.blocks import Blocks
from pipeline.sweep_files.loading import SweepFileError, load_sweep
from pipeline.tasks import task_key, task_summaries, tasks

from ..trainings import trainings

ROWS = 60
SWEEP = """
file: {file}
depth: [1, 2]
width: 8
activation: tanh
learning_rate: [0.03, 0.3, 3]
steps: 300
"""


def people(rows=ROWS) -> pd.DataFrame:
    """Two features and whether somebody left, which depends on both."""
    rng = np.random.default_rng(1)
    age, income = rng.integers(20, 70, rows), rng.normal(3000, 900, rows).round(2)
    churn = (age + income / 100 + rng.normal(0, 8, rows) > 75).astype(int)
    return pd.DataFrame({"age": age, "income": income, "churn": churn})


def with_text() -> pd.DataFrame:
    """A column of three cities beside them."""
    return people().assign(city=np.resize(["Seoul", "Busan", "Jeju"], ROWS))


def with_gaps() -> pd.DataFrame:
    """Two incomes missing, in lines 5 and 9 of the file."""
    frame = people()
    frame.loc[[3, 7], "income"] = np.nan
    return frame


def counts() -> pd.DataFrame:
    """Bicycles rented: whole numbers, far more than 20 of them."""
    frame = people()
    rented = (frame["age"] * 7 + frame["income"] // 9).astype(int)
    return frame[["age", "income"]].assign(target=rented)


def lines(*rows: str) -> str:
    """Rows as the text of a file."""
    return "\n".join(rows) + "\n"


def numbered(row: Callable[[int], str]) -> list[str]:
    """A row of text for each number."""
    return [row(number) for number in range(ROWS)]


def wide() -> pd.DataFrame:
    """Two hundred features, one of them constant."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(ROWS, 200))).add_prefix("x")
    frame["x7"] = 4.2
    return frame.assign(target=(frame["x0"] > 0).map({True: "up", False: "down"}))


@dataclass(frozen=True)
class Shape:
    """A file, what is said of it, what mends it, and what it then is.

    Attributes:
        write: Writes it to a path that ends in `suffix`.
        refused: What its refusals say, one after the other, each mended by `mended`.
        mended: The settings that they name, one for each refusal.
        noted: What is said of it once it is read.
        settings: What its owner sets from the start.
        features, classes: What it then holds.
        rows, examples: In the file, and used; None: all.
    """

    write: Callable[[Path], object]
    features: int
    classes: int | None
    suffix: str = ".csv"
    refused: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    settings: str = ""
    rows: int = ROWS
    examples: int | None = None


CHURN = "target: churn"
INDEX = "the first column has no name .* and counts rows"
SHAPES = {
    "to_csv with its index": Shape(
        lambda path: people().to_csv(path), 2, 2, settings=CHURN, noted=(INDEX,)
    ),
    "to_csv twice": Shape(
        lambda path: people().reset_index(names="Unnamed: 0").to_csv(path),
        2,
        2,
        settings=CHURN,
        noted=(INDEX, INDEX),
    ),
    "a shuffled index": Shape(
        lambda path: people().sample(frac=1, random_state=0).to_csv(path),
        2,
        2,
        settings=CHURN,
        noted=("the first column has no name .* and differs in every row",),
    ),
    "an id column": Shape(
        lambda path: people().assign(id=np.arange(1, ROWS + 1)).to_csv(path, index=False),
        3,
        2,
        settings=CHURN,
        noted=(r"column 'id' looks like a row number and is a feature; drop: \[id\]",),
    ),
    "a target of another name": Shape(
        lambda path: people().to_csv(path, index=False),
        2,
        2,
        refused=(
            "no column 'target'; set target: to one of its columns, 'age', 'income', 'churn'",
        ),
        mended=(CHURN,),
    ),
    "a target in another case": Shape(
        lambda path: people().to_csv(path, index=False),
        2,
        2,
        settings="target: CHURN",
        noted=("target: 'CHURN' was read as the column 'churn'",),
    ),
    "semicolons": Shape(
        lambda path: people().to_csv(path, sep=";", index=False),
        2,
        2,
        settings=CHURN,
        refused=("looks like it is separated by ';': set separator: ';'",),
        mended=("separator: ';'",),
    ),
    "bars": Shape(
        lambda path: people().to_csv(path, sep="|", index=False),
        2,
        2,
        settings=CHURN,
        refused=(r"looks like it is separated by '\|': set separator: '\|'",),
        mended=("separator: '|'",),
    ),
    "tabs in a .csv": Shape(
        lambda path: people().to_csv(path, sep="\t", index=False),
        2,
        2,
        settings=CHURN,
        refused=(r"looks like it is separated by '\\t': set separator: tab",),
        mended=("separator: tab",),
    ),
    "a .tsv": Shape(
        lambda path: people().to_csv(path, sep="\t", index=False),
        2,
        2,
        suffix=".tsv",
        settings=CHURN,
    ),
    "a comma at the end of each line": Shape(
        lambda path: path.write_text(
            lines("a,b,target", *numbered(lambda n: f"{n * n % 7},{n % 11},{n % 2},"))
        ),
        2,
        2,
        noted=("an empty column without a name was left out, as of lines that end with ','",),
    ),
    "semicolons and decimal commas": Shape(
        lambda path: people().to_csv(path, sep=";", decimal=",", index=False),
        1,
        2,
        settings=CHURN,
        refused=(
            "set separator: ';'",
            "'income' holds numbers with commas or blanks in them.* in lines 2, 3, 4, 5, 6 and",
        ),
        mended=("separator: ';'", "drop: [income]"),
    ),
    "CP949": Shape(
        lambda path: (
            people().rename(columns={"churn": "이탈"}).to_csv(path, encoding="cp949", index=False)
        ),
        2,
        2,
        settings="target: 이탈",
        refused=("is not UTF-8 .* in line 1.; set encoding: cp949 .*cp949 reads '이탈'",),
        mended=("encoding: cp949",),
    ),
    "Latin-1": Shape(
        lambda path: (
            people()
            .assign(city=np.resize(["Zürich", "Genève"], ROWS))
            .to_csv(path, encoding="latin-1", index=False)
        ),
        4,
        2,
        settings=CHURN,
        refused=(
            "in line 2.; set encoding: latin-1 .*latin-1 reads 'Zürich'",
            r"text in 'city' \(2 different\): set categories: one_hot, or .* drop: \[city\]",
        ),
        mended=("encoding: latin-1", "categories: one_hot"),
        noted=(r"one feature a category: 'city' \(2 categories\)",),
    ),
    "UTF-16": Shape(
        lambda path: people().to_csv(path, encoding="utf-16", index=False),
        2,
        2,
        settings=CHURN,
        refused=("set encoding: utf-16",),
        mended=("encoding: utf-16",),
    ),
    "counts as targets": Shape(
        lambda path: counts().to_csv(path, index=False),
        2,
        None,
        settings="loss: mse",
        refused=("different whole numbers from .* with gaps: set task: numbers",),
        mended=("task: numbers",),
    ),
    "classes 0 and 2": Shape(
        lambda path: people().assign(target=people()["churn"] * 2).to_csv(path, index=False),
        3,
        2,
        refused=("2 different whole numbers from 0 to 2, with gaps: .* or task: classes",),
        mended=("task: classes",),
    ),
    "dates": Shape(
        lambda path: (
            people()
            .assign(joined=pd.date_range("2024-01-01", periods=ROWS))
            .to_csv(path, index=False)
        ),
        2,
        2,
        settings=CHURN,
        refused=(r"column 'joined' holds dates \(2024-01-01\), .* set drop: \[joined\]",),
        mended=("drop: [joined]",),
    ),
    "text columns": Shape(
        lambda path: with_text().to_csv(path, index=False),
        5,
        2,
        settings=CHURN,
        refused=(r"text in 'city' \(3 different\): set categories: one_hot",),
        mended=("categories: one_hot",),
        noted=(r"one feature a category: 'city' \(3 categories\)",),
    ),
    "missing cells": Shape(
        lambda path: with_gaps().to_csv(path, index=False),
        2,
        2,
        settings=CHURN,
        refused=(
            r"2 of column 'income' in lines 5, 9; .* missing: drop \(leaves out 2 of 60 rows\) or "
            "missing: mean",
        ),
        mended=("missing: drop",),
        noted=("2 of 60 rows were left out: cells of 'income' are missing",),
        examples=ROWS - 2,
    ),
    "300 rows with 6 positives": Shape(
        lambda path: (
            people(300)
            .assign(churn=(np.arange(300) % 50 == 3).astype(int))
            .to_csv(path, index=False)
        ),
        2,
        2,
        settings=f"{CHURN}\nexamples: 128",
        rows=300,
        examples=128,
    ),
    "noisy numbers": Shape(
        lambda path: (
            people()
            .assign(target=np.random.default_rng(3).normal(size=ROWS))
            .to_csv(path, index=False)
        ),
        3,
        None,
        settings="loss: mse",
    ),
    "targets in the thousands": Shape(
        lambda path: (
            people()
            .assign(target=people()["income"] * 3.1)
            .drop(columns="income")
            .to_csv(path, index=False)
        ),
        2,
        None,
        settings="loss: mse\ntargets: raw",
    ),
    "truths and text labels": Shape(
        lambda path: (
            people()
            .assign(
                old=people()["age"] > 40, target=people()["churn"].map({0: "stays", 1: "leaves"})
            )
            .drop(columns="churn")
            .to_csv(path, index=False)
        ),
        3,
        2,
    ),
    "compressed": Shape(
        lambda path: people().to_csv(path, index=False), 2, 2, suffix=".csv.gz", settings=CHURN
    ),
    "a Parquet file with its index": Shape(
        lambda path: people().sample(frac=1, random_state=0).to_parquet(path),
        2,
        2,
        suffix=".parquet",
        settings=CHURN,
        noted=("pandas' index '__index_level_0__' was left out",),
    ),
    "an npz": Shape(
        lambda path: np.savez(path, features=people()[["age", "income"]], labels=people()["churn"]),
        2,
        2,
        suffix=".npz",
        settings="target: labels",
    ),
    "two hundred features, one constant": Shape(
        lambda path: wide().to_csv(path, index=False), 200, 2
    ),
    "scales from 1e-9 to 1e9": Shape(
        lambda path: (
            people()
            .assign(age=people()["age"] * 1e-9, income=people()["income"] * 1e9)
            .to_csv(path, index=False)
        ),
        2,
        2,
        settings=CHURN,
    ),
    "an infinite number": Shape(
        lambda path: (
            people().replace({"income": {people()["income"][4]: np.inf}}).to_csv(path, index=False)
        ),
        1,
        2,
        settings=CHURN,
        refused=("column 'income' must be finite, got inf in line 6; write a number",),
        mended=("drop: [income]",),
    ),
}

each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


@pytest.fixture
def sweep_of(tmp_path):
    """Writes a shape's file and a sweep file beside it, and loads that."""

    def sweep_of(shape, mended):
        shape.write(tmp_path / f"mine{shape.suffix}")
        text = SWEEP.format(file=f"mine{shape.suffix}")
        path = tmp_path / "sweep.yaml"
        path.write_text(text + "\n".join([shape.settings, *mended]) + "\n", encoding="utf-8")
        return load_sweep(str(path))

    return sweep_of


def trained(sweep):
    """Every network of the sweep, trained."""
    on = tasks(sweep)
    for block in Blocks(sweep.grid):
        (trials,) = (
            block.trials(cells) for cells in block.cells.cut(lambda: 10**6, at_starts=False)
        )
        yield from trainings(trials, on[task_key(block.first)])


@each_shape
def test_what_is_said_names_the_setting_that_mends_it(sweep_of, shape):
    """A refusal tells place and setting; that set, it does not come again."""
    assert len(shape.refused) == len(shape.mended)
    for place, said in enumerate(shape.refused):
        with pytest.raises(SweepFileError, match=said):
            sweep_of(shape, shape.mended[:place])
    (file,) = sweep_of(shape, shape.mended).data_files.values()
    assert len(file.notes) >= len(shape.noted)
    for said, note in zip(shape.noted, file.notes, strict=False):
        assert re.match(said, note)
    if not shape.noted:
        assert file.notes == ()


@each_shape
def test_the_task_is_told_before_it_is_trained_on(sweep_of, shape):
    """Rows, examples used, features and classes; each class is in the sample."""
    (summary,) = task_summaries(sweep_of(shape, shape.mended))
    assert (summary.rows, summary.examples) == (shape.rows, shape.examples or shape.rows)
    assert (summary.feature_count, summary.classes) == (shape.features, shape.classes)
    assert summary.classes is None or summary.smallest_class >= 1
    assert all(loss > 0 for loss in summary.baseline_losses.values())


@each_shape
def test_networks_train_on_it(sweep_of, shape):
    """Of depth 1 and 2: each comes to an outcome, and some beat the best constant."""
    results = [training.result for training in trained(sweep_of(shape, shape.mended))]
    assert len(results) == 6
    assert any(
        result.final_loss is not None and result.final_loss < result.baseline_loss
        for result in results
    )


@each_shape
def test_no_network_of_depth_1_vanishes(sweep_of, shape):
    """Its one layer has no layer behind which a signal could be lost."""
    said = [t for t in trained(sweep_of(shape, shape.mended)) if t.trial.depth == 1]
    assert [t.result.cause for t in said if t.result.cause == "vanishing"] == []
