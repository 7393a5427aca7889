"""What gradient descent records: log-spaced steps."""

import numpy as np

from core.gradient_descent import logged_steps


def test_logged_steps_are_log_spaced_with_both_ends():
    """At most 26 points, 0 and the last step always among them."""
    for steps in (0, 1, 5, 100, 10_000):
        logged = logged_steps(steps)
        assert logged[0] == 0
        assert logged[-1] == steps
        assert len(logged) <= 26
        assert (np.diff(logged) > 0).all()
