"""
How large may the learning rate be?
===================================

The rate at which training begins to diverge, against depth. The dashed lines are 2 / lambda_max,
the prediction from the curvature at the start; they need a sweep with ``measure: [signal,
sharpness]``.
"""

import os
from pathlib import Path

from analysis import boundary_learning_rate_by_depth, read_runs

store = Path(os.environ.get("PHASESWEEP_STORE", "demo/quickstart"))
figure = boundary_learning_rate_by_depth(read_runs(store))
