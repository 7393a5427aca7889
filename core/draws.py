"""Which examples of a data set a task takes: every class by its share, in one fixed order."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def stratified(order: Indices, labels: Indices, examples: int) -> Indices:
    """The first of each class along `order`, as many as its share; all of them in that order.

    Args:
        order: (places,), of the examples that may be taken, each once.
        labels: (all examples,), whole numbers from 0 on.
        examples: How many to take; at most as many as there are places.

    Returns:
        (examples,), places of the examples taken.
    """
    along = np.unique(labels[order], return_inverse=True)[1]
    shares = class_shares(np.bincount(along), examples)
    rank = np.empty_like(along)
    for label in range(len(shares)):
        members = along == label
        rank[members] = np.arange(np.count_nonzero(members))
    return order[rank < shares[along]]


def class_shares(counts: Indices, examples: int) -> Indices:
    """How many of `examples` each class gets: its share, by the largest remainders.

    Each class gets one at least; with fewer examples than classes the largest classes
    get one each.

    Args:
        counts: (classes,), how many there are of each, none of them 0.
        examples: How many to share out; at most all.
    """
    if examples < len(counts):
        shares = np.zeros_like(counts)
        shares[np.argsort(-counts, kind="stable")[:examples]] = 1
        return shares
    total = counts.sum()
    shares = np.maximum(counts * examples // total, 1)
    while (left := examples - shares.sum()) != 0:
        # Whole numbers: a remainder that rounding decides would differ between machines.
        owed = counts * examples - shares * total
        if left > 0:
            shares[np.argmax(owed)] += 1
        else:
            shares[np.argmin(np.where(shares > 1, owed, np.iinfo(np.int64).max))] -= 1
    return shares
