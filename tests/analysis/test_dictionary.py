"""The data dictionary in the documents is the one of the schemas."""

from pathlib import Path

from typer.testing import CliRunner

import analysis
from analysis.reading.dictionary import dictionary_page
from core.training import FULLY_CONNECTED
from pipeline.cli import app
from pipeline.storage.schemas import schemas

PAGE = Path(analysis.__file__).parent / "DATA_DICTIONARY.md"


def test_the_page_is_what_the_schemas_say():
    """If not: `phasesweep dictionary STORE > analysis/DATA_DICTIONARY.md`, of a new store."""
    assert PAGE.read_text() == dictionary_page(schemas(FULLY_CONNECTED))


def test_the_command_prints_the_page_from_a_store(store):
    """A store carries the whole dictionary in its Parquet files."""
    done = CliRunner().invoke(app, ["dictionary", str(store)])
    assert (done.exit_code, done.stdout) == (0, PAGE.read_text())
