"""The figure of gradients from layer to layer, from vanishing to exploding."""

from math import ceil

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import AutoLocator

from analysis.drawing.boundary_lines import COLORS
from analysis.drawing.log_scales import evenly_chosen
from analysis.drawing.marks import Style
from analysis.drawing.pages import STYLE, chosen, give_title, hide_unused, panel_grid
from analysis.tables.layer_profiles import gradients_by_layer

MEASURED: Style = {"marker": "o", "markersize": 3, "linestyle": "none"}
THEORY: Style = {"linewidth": 1.1}
# Beyond, lines leave the panel: a gradient 30 decades down would flatten all others.
MOST_DECADES = 12


def gradient_by_layer(layers: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """How the gradient changes on its way back through the deepest networks, at step 0.

    A panel for each activation, a color for each init scale (of more scales than colors an even
    choice is drawn). Points are measured means over seeds, lines the theory of infinite width.

    Args:
        layers: `trial_id`, `layer` and the norms of step 0.
        runs: `trial_id` and the settings.

    Raises:
        UnsuitableRunsError: No layer was measured, or a setting varies besides activation,
            depth, init scale, learning rate and seed.
    """
    deepest = runs[runs["depth"] == runs["depth"].max()]
    profiles = gradients_by_layer(layers, deepest)
    activations = list(profiles["activation"].unique())
    every_scale = sorted(profiles["init_scale"].unique())
    scales = evenly_chosen(every_scale, len(COLORS))
    columns = min(len(activations), 3)
    with mpl.rc_context(STYLE):
        rows = ceil(len(activations) / columns)
        figure, panels = panel_grid(
            rows, columns, x="layer", y=r"$\log_{10}\,|\partial\,$loss$/\partial h|$"
        )
        hide_unused(panels, len(activations))
        for panel, activation in zip(panels.flat, activations, strict=False):
            _draw(panel, profiles[profiles["activation"] == activation], scales)
            panel.set_title(activation)
        entries = [
            Line2D([], [], color=color, marker="o", markersize=3, label=f"init scale {scale:.3g}")
            for scale, color in zip(scales, COLORS, strict=False)
        ]
        entries += [
            Line2D([], [], color="0.3", label="measured, the mean over seeds", **MEASURED),
            Line2D([], [], color="0.3", label="theory, infinite width", **THEORY),
        ]
        figure.legend(handles=entries, loc="outside lower left", ncols=3, frameon=False)
        note = chosen("init scales", scales, every_scale)
        give_title(figure, "Gradients vanish or explode on the way back", deepest, note)
    return figure


def _draw(panel: Axes, profiles: pd.DataFrame, scales: list[float]) -> None:
    for scale, color in zip(scales, COLORS, strict=False):
        profile = profiles[profiles["init_scale"] == scale]
        panel.plot(profile["layer"], profile["measured"], color=color, **MEASURED)
        panel.plot(profile["layer"], profile["theory"], color=color, **THEORY)
    shown = profiles.loc[profiles["init_scale"].isin(scales), "measured"]
    known = shown[np.isfinite(shown)].clip(-MOST_DECADES, MOST_DECADES)
    if len(known):
        panel.set_ylim(known.min() - 0.5, known.max() + 0.5)
    locator = AutoLocator()
    locator.set_params(integer=True)
    panel.xaxis.set_major_locator(locator)
