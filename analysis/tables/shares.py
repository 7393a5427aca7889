"""Shares of runs, and how sure they are."""

from scipy.stats import binomtest


def share_interval(hits: int, runs: int) -> tuple[float, float]:
    """The 95% confidence interval of the true share: Wilson's score interval.

    Wilson (1927), J. Am. Stat. Assoc. 22, 209.

    Args:
        hits: How many of the runs count.
        runs: At least 1, drawn independently.
    """
    interval = binomtest(hits, runs).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
