"""
Where do networks train?
========================

The stability map, and along each axis which share of the runs ended how.
"""

import os
from pathlib import Path

from analysis import View, outcome_shares_by_axis, read_runs, stability_map

store = Path(os.environ.get("PHASESWEEP_STORE", "demo/quickstart"))
runs = read_runs(store)
figure = stability_map(runs)

# %%
# A ``View`` says which runs are shown, and what lies along the axes: any two settings.

by_depth = stability_map(runs, View(where=("learning_rate>0.01",), x="learning_rate", y="depth"))

# %%
# A figure takes a DataFrame, so what you select of that is what it shows.

shares = outcome_shares_by_axis(runs[runs["depth"] == runs["depth"].max()])
