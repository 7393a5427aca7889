"""The notebooks: they run on a store as they are, and are kept with the demo store's outputs."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import analysis

PROJECT = Path(analysis.__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "analysis" / "notebooks").glob("*.ipynb"))
FIGURES = {  # that each notebook shows, in the order in which they are read
    "1_stability_map": 2,
    "2_vanishing_and_exploding": 2,
    "3_learning_rate_edge": 3,
    "4_theory_against_measurement": 3,
    "5_the_argument": 3,
    "6_querying_a_store": 1,
}
# The demo store has no curvatures: a figure of them is missing there.
KEPT_FIGURES = FIGURES | {"3_learning_rate_edge": 2}
ELSEWHERE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|Users|mnt|opt)/")

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
def test_a_notebook_is_kept_with_the_outputs_of_one_run(path):
    """From the first cell to the last, without an error, a warning or a time of day."""
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [cell.metadata for cell in notebook.cells] == [{}] * len(notebook.cells)
    outputs = [output for cell in code for output in cell.outputs]
    assert {output.output_type for output in outputs} == {"execute_result"}
    assert sum("image/png" in output.data for output in outputs) == KEPT_FIGURES[path.stem]
    words = [text for o in outputs for kind, text in o.data.items() if kind != "image/png"]
    assert [text for text in words if ELSEWHERE.search(text)] == []


def test_the_notebooks_are_numbered_in_reading_order():
    """And each is looked at above."""
    assert [path.stem for path in NOTEBOOKS] == list(FIGURES)
