"""The notebooks: they run on a store as they are, and are kept as they were before running."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import analysis

PROJECT = Path(analysis.__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "analysis" / "notebooks").glob("*.ipynb"))
FIGURES = {"stability_map": 2, "the_argument": 3}  # that each notebook shows

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@each_notebook
def test_a_notebook_runs_on_a_store_and_shows_its_figures(
    path, store, claims_store, tmp_path, monkeypatch
):
    """In its own folder, as Jupyter runs it; a relative store counts from the project's."""
    monkeypatch.setenv("PHASESWEEP_STORE", os.path.relpath(store, PROJECT))
    monkeypatch.setenv("PHASESWEEP_CLAIMS_STORE", os.path.relpath(claims_store, PROJECT))
    # What a kernel leaves behind goes here and not into the home folder.
    for variable in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pictures = sum("image/png" in output.get("data", {}) for output in shown)
    assert pictures == FIGURES[path.stem]
    assert {output.output_type for output in shown} == {"execute_result"}


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
