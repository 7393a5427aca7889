"""The figure of the claims on layers: signals and gradients layer by layer."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.drawing.pages import STYLE, finish, panel_grid


def claim_layers(rows: pd.DataFrame) -> Figure:
    """Signals and gradients layer by layer, in deep nets before training.

    On the left the root mean square of pre-activations, on the right the weight gradients over the
    output error. Both axes are logarithmic: a straight line is exponential in depth.

    Args:
        rows: What analysis.claims.argument.PROFILES selects.
    """
    nets = list(rows.groupby(["activation", "init_scale"]))
    colors = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(nets)))
    with mpl.rc_context(STYLE):
        figure, panels = panel_grid(1, 2, x="layer", y=r"$\log_{10}$")
        figure.set_size_inches(8, 4.2)
        signals, gradients = panels[0]
        for ((activation, scale), net), color in zip(nets, colors, strict=True):
            style = {"color": color, "marker": ".", "label": f"{activation}, scale {scale:g}"}
            signals.plot(net["layer"], net["log10_mean_square_h"] / 2, **style)
            gradients.plot(net["layer"], net["log10_gradient_per_error"], **style)
        signals.set_title("root mean square of $h$")
        gradients.set_title("norm of the weight gradient / output error")
        key, _ = signals.get_legend_handles_labels()
        finish(figure, key, "Signals on their way forward, gradients on their way back, at step 0")
    return figure
