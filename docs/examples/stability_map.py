"""
Where do networks train?
========================

The stability map, and the share of runs with each outcome along every axis.
"""

import os
from pathlib import Path

from analysis import View, outcome_shares_by_axis, read_runs, stability_map

store = Path(os.environ.get("PHASESWEEP_STORE", "demo/quickstart"))
runs = read_runs(store)
figure = stability_map(runs)

# %%
# A ``View`` says which runs are shown, and what lies along the axes: any two settings.

view = View(where=("init_scale=0.5,1,2,4",), x="learning_rate", y="depth")
by_depth = stability_map(runs, view)

# %%
# A figure takes a DataFrame and shows the rows that you select.

shares = outcome_shares_by_axis(runs[runs["depth"] == runs["depth"].max()])
