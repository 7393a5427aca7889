"""The sweep file's fields on data: which, how they are read, and how many examples are used."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from core.datasets import DATASETS
from pipeline.data_files.reading import Reading
from pipeline.notation.axis_values import Counts, Names

READING_FIELDS = ("target", "drop", "task", "missing", "categories", "separator", "encoding")

# These are settings of a trial; the other fields say how a file is read.
SETTINGS = ("dataset", "examples")

# What other tools call these fields.
ELSEWHERE = {
    "file": (
        "csv",
        "csv_path",
        "data_file",
        "data_path",
        "dataset_path",
        "file_path",
        "filename",
        "path",
    )
}


def _separator(written: Any) -> Any:
    return "\t" if written in ("tab", "\\t") else written


def _no_quote(separator: str) -> str:
    if separator in "\"'\r\n":
        raise ValueError("must be no quote and no line break")
    return separator


def _tag(written: Any) -> str:
    return "all" if written == "all" else "counts"


Separator = Annotated[
    str, Field(min_length=1, max_length=1), AfterValidator(_no_quote), BeforeValidator(_separator)
]
Examples = Annotated[
    Annotated[Counts[Annotated[int, Field(ge=2, le=10**7)]], Tag("counts")]
    | Annotated[Literal["all"], Tag("all")],
    Discriminator(_tag),
]


class DataFields(BaseModel):
    """The fields on data; a field's description is the remedy in its errors."""

    model_config = ConfigDict(extra="forbid")

    dataset: Names[Literal[*DATASETS]] | None = Field(  # type: ignore[valid-type]
        None, description="one of " + ", ".join(DATASETS) + "; a file of your own goes in `file:`"
    )
    file: Names[str] | None = Field(
        None, description="a path to a .csv, .tsv, .csv.gz, .parquet or .npz, as in file: my.csv"
    )
    target: Names[str] = Field(
        ("target",),
        description="the column of your file to learn, as in target: churn; or several of "
        "numbers, as in target: [height, weight]",
    )
    drop: Names[str] = Field(
        (),
        description="columns of your file that are no features, as in drop: [id, date]",
    )
    task: Literal["classes", "numbers"] | None = Field(
        None,
        description="classes or numbers: what your file's target is; if left out, text, Booleans "
        "and up to 20 whole numbers without gaps are classes",
    )
    missing: Literal["refuse", "drop", "mean"] = Field(
        "refuse",
        description="refuse, drop (leave out rows with missing cells) or mean (fill them in)",
    )
    categories: Literal["refuse", "one_hot"] = Field(
        "refuse", description="refuse or one_hot: what becomes of your file's columns of text"
    )
    separator: Separator | None = Field(
        None, description="one character between the cells of your file, as in separator: ';'"
    )
    encoding: str | None = Field(
        None, description="your text file's encoding, as in encoding: cp949; if left out, UTF-8"
    )
    examples: Examples | None = Field(
        None,
        description="training examples, as in examples: 128 or examples: all; if left out, 128, "
        "or all of a file of your own",
    )

    @property
    def reading(self) -> Reading:
        """How data files are read."""
        return Reading(**{name: getattr(self, name) for name in READING_FIELDS})
