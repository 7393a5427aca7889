"""The notebooks: they run on a store as they are, and are kept as they were before running."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import analysis

PROJECT = Path(analysis.__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "analysis" / "notebooks").glob("*.ipynb"))
FIGURES = {  # that each notebook shows
    "learning_rate_edge": 3,
    "querying_a_store": 1,
    "stability_map": 2,
    "the_argument": 3,
    "theory_against_measurement": 3,
    "vanishing_and_exploding": 2,
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def outputs(store, claims_store, tmp_path_factory):
    """What each notebook shows, run in its folder as by Jupyter; errors are outputs too.

    All run in one kernel, its variables deleted in between: imports take seconds once.
    """
    state = tmp_path_factory.mktemp("jupyter")
    notebooks = [nbformat.read(path, as_version=4) for path in NOTEBOOKS]
    every = nbformat.v4.new_notebook()
    for notebook in notebooks:
        every.cells += [nbformat.v4.new_code_cell("%reset -f"), *notebook.cells]
    with pytest.MonkeyPatch.context() as environment:
        # A relative store counts from the project's folder.
        environment.setenv("PHASESWEEP_STORE", os.path.relpath(store, PROJECT))
        environment.setenv("PHASESWEEP_CLAIMS_STORE", os.path.relpath(claims_store, PROJECT))
        # What a kernel leaves behind goes here and not into the home folder.
        for variable in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            environment.setenv(variable, str(state / variable))
        where = {"metadata": {"path": str(NOTEBOOKS[0].parent)}}
        client = NotebookClient(
            every, timeout=120, kernel_name="python3", resources=where, allow_errors=True
        )
        client.execute()
    return {
        path: [output for cell in notebook.cells for output in cell.get("outputs", ())]
        for path, notebook in zip(NOTEBOOKS, notebooks, strict=True)
    }


@each_notebook
def test_a_notebook_runs_on_a_store_and_shows_its_figures(path, outputs):
    """Tables and pictures only: no error, no warning, nothing printed."""
    told = [output for output in outputs[path] if output.output_type != "execute_result"]
    assert told == []
    pictures = sum("image/png" in output.data for output in outputs[path])
    assert pictures == FIGURES[path.stem]


@each_notebook
def test_a_notebook_is_kept_without_outputs(path):
    """Numbers and pictures in the history would be of somebody else's store."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


def test_there_is_a_notebook():
    """Of none, nothing above would be checked."""
    assert {path.stem for path in NOTEBOOKS} >= set(FIGURES)
