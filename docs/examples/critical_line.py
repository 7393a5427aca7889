"""
Where theory draws the line
===========================

The init scale at which an infinitely wide network's gradients neither vanish nor explode is where
chi crosses 1. Nothing is trained here, and no store is needed.
"""

import numpy as np
from matplotlib.figure import Figure

from core.theory.mean_field import mean_field

scales = np.geomspace(0.5, 4, 40)
figure = Figure(figsize=(6, 3.5), layout="constrained")
panel = figure.subplots()
for activation in ("tanh", "relu", "gelu", "selu"):
    chi = [mean_field(activation, scale**2, 0.05).chi for scale in scales]
    panel.plot(scales, chi, label=activation)
panel.axhline(1, color="0.5", linestyle=":")
panel.set(xscale="log", yscale="log", xlabel=r"init scale $\sigma_w$", ylabel=r"$\chi$")
panel.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
panel.set_xticks([], minor=True)
panel.legend(title="bias variance 0.05", frameon=False)
