"""How the documentation site is built: `make docs`. Nothing is fetched from anywhere."""

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "extensions"), str(HERE.parent)]
os.environ["MPLBACKEND"] = "Agg"

project = "phasesweep"
author = "The phasesweep developers"
project_copyright = f"2026, {author}"
version = release = installed_version("phasesweep")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    # Ours, in extensions/.
    "command_reference",
    "example_store",
    "plain_docstrings",
    "sessions",
    "sweep_fields",
]
exclude_patterns = ["_build", "examples/*.rst"]
default_role = "literal"  # docstrings quote code in single backticks
nitpicky = False  # without intersphinx, types of other packages lead nowhere

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Headings that an included file begins at its own level.
suppress_warnings = ["myst.header"]

autodoc_default_options = {"member-order": "bysource"}
add_module_names = False  # the page has them as headings
autodoc_typehints = "none"  # the signatures have them; shapes and units are in the text
autodoc_preserve_defaults = True
napoleon_use_rtype = False
napoleon_use_ivar = True

doctest_test_doctest_blocks = ""  # only what a page marks as a doctest

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "image_scrapers": ("drawn_figures.figures_of_block",),
    "capture_repr": ("_repr_html_",),
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "copyfile_regex": r".*\.yaml$",
}
example_sweep = "examples/examples.yaml"

html_theme = "furo"
html_title = "phasesweep"
html_static_path = ["static"]
html_css_files = ["wide_blocks.css"]
html_show_sphinx = False
html_copy_source = False
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
