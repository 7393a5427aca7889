"""
Where do networks train?
========================

The stability map, and along each axis which share of the runs ended how.
"""

import os
from pathlib import Path

from analysis import outcome_shares_by_axis, read_runs, stability_map

store = Path(os.environ.get("PHASESWEEP_STORE", "demo/quickstart"))
runs = read_runs(store)
figure = stability_map(runs)

# %%
# A figure takes a DataFrame, so what you select is what it shows.

shares = outcome_shares_by_axis(runs[runs["depth"] == runs["depth"].max()])
