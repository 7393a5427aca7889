"""Runs the notebooks, each in its folder as Jupyter does, and keeps what they show: nothing else.

`make notebooks` does that on the demo store. The time of day and the version of Python, which
`jupyter execute` would note in each cell, stay out: only what changed is a difference.
"""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "analysis" / "notebooks"


def keep(path: Path) -> None:
    """Run a notebook and write its outputs into it; raises what a cell raises."""
    notebook = nbformat.read(path, as_version=4)
    metadata = nbformat.from_dict(dict(notebook.metadata))
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, kernel_name="python3", record_timing=False, resources=where).execute()
    notebook.metadata = metadata
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        print(path.name, flush=True)
        keep(path)
