"""The audit of a traced panel: a random sample, and what it says about labels never trained."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from scipy import special

from pipeline.tracing.lattices import Vertices

# How many vertices are drawn: a share of all, with bounds.
SHARE, FEWEST, MOST = 1 / 200, 300, 10_000
LARGEST_SHARE = 1 / 50
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Audit:
    """How many labels of a panel were checked, and how many were wrong.

    Attributes:
        audited: Vertices of a random sample that were trained where labels are inferred.
        wrong: How many had not the label that was inferred; these were corrected.
        untrained: How many vertices have no label of their own.
    """

    audited: int
    wrong: int
    untrained: int

    @property
    def bound(self) -> float:
        """The share of the inferred labels that is wrong, at most.

        The upper end of a one-sided interval of Clopper and Pearson (1934), at CONFIDENCE. Wrong
        labels that were found count, though they and what lies around them were corrected.
        """
        if not self.untrained:
            return 0.0
        if self.wrong == self.audited:
            return 1.0
        right = self.audited - self.wrong
        return float(special.betaincinv(self.wrong + 1, right, CONFIDENCE))


def sample(settings: Mapping[str, Any], axes: Mapping[str, Sequence[Any]], size: int) -> Vertices:
    """Vertices to audit a panel with, sorted: the same for the same panel, on every machine.

    Args:
        settings: The values that all trials of the panel have, where these are no defaults.
        axes: The values of its axes.
        size: How many vertices it has.
    """
    count = int(min(max(SHARE * size, FEWEST), MOST, max(LARGEST_SHARE * size, 1)))
    text = json.dumps([settings, axes], sort_keys=True)
    key = int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "little")
    drawn = np.random.Philox(key=key).random_raw(count)  # its bits never change, unlike choice's
    return np.unique(drawn % np.uint64(size)).astype(np.int64)
