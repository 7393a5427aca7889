"""
Do gradients vanish or explode?
===============================

Each layer's gradient before the first step, for one activation at the largest depth, beside the
theory of infinitely wide networks.
"""

import os
from pathlib import Path

from analysis import gradient_by_layer, read_layers, read_runs

store = Path(os.environ.get("PHASESWEEP_STORE", "demo/quickstart"))
runs = read_runs(store, where={"activation": "tanh"})
deepest = runs[runs["depth"] == runs["depth"].max()]
figure = gradient_by_layer(read_layers(store), deepest)

# %%
# One number says the same: chi, by which the mean squared gradient is multiplied from a layer to
# the one before it. Below 1 gradients vanish, above 1 they explode.

from analysis import chi_against_theory

chi = chi_against_theory(deepest)
chi[["init_scale", "chi_measured", "chi_theory", "relative_deviation"]].round(3)
