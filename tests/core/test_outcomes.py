"""Outcomes: what is called diverged, and what came to an end."""

from core.outcomes import DIVERGED, ENDED, OUTCOMES


def test_a_run_took_no_step_diverged_or_came_to_an_end():
    """Each outcome is one of the three, and none is two."""
    assert sorted(["untrained", *DIVERGED, *ENDED]) == sorted(OUTCOMES)
