"""Shows the matplotlib figures that a gallery script draws, whether or not pyplot knows them."""

from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst


def figures_of_block(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figures that the script's variables name since the last block; their markup."""
    named = block_vars["example_globals"]
    shown = named.setdefault("__shown_figures__", [])
    saved = []
    for value in list(named.values()):
        if isinstance(value, Figure) and not any(value is each for each in shown):
            shown.append(value)
            saved.append(next(block_vars["image_path_iterator"]))
            value.savefig(saved[-1], dpi=150)
    return figure_rst(saved, gallery_conf["src_dir"])
