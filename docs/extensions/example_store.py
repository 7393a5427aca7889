"""The store that the gallery's scripts read: the build trains it, once."""

import os
import subprocess
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)


def train(app: Sphinx) -> None:
    """Run the sweep of `example_sweep`, if scripts will be executed; it resumes."""
    if not app.config.sphinx_gallery_conf["plot_gallery"]:
        return
    store = Path(app.doctreedir).parent / "stores" / "examples"
    sweep = Path(app.srcdir) / app.config.example_sweep
    log.info("training the examples' store, %s", store)
    command = [sys.executable, "-m", "pipeline", "run", str(sweep), "--store", str(store)]
    subprocess.run(command, check=True, cwd=Path(app.srcdir).parent)
    os.environ["PHASESWEEP_STORE"] = str(store)


def setup(app: Sphinx) -> dict[str, bool]:
    """Train before the gallery is made."""
    app.add_config_value("example_sweep", "", "env")
    app.connect("builder-inited", train, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
