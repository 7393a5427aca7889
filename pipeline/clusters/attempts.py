"""What becomes of a batch that came back from a cluster without rows: where it goes next.

A worker dies because a trial crashes it, or because memory runs out: then Ray or the kernel
kills a worker, whoever filled the memory. So a batch is tried on several nodes, with fewer
neighbors each time, before it is cut in halves, and a single trial before it is blamed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from pipeline.batches import Batch

# After so many deaths of its workers a batch is cut in halves, or its only trial blamed.
MOST_DEATHS = 3
# How often a batch is sent again that was lost with its node.
MOST_LOSSES = 10


@dataclass(frozen=True)
class Node:
    """A node of a cluster, or a share of it.

    Attributes:
        node_id: Ray's name of it.
        cpus: How many CPUs.
    """

    node_id: str
    cpus: int


@dataclass(frozen=True)
class Attempt:
    """A batch, and what happened to it so far.

    Attributes:
        batch: Trials without rows.
        deaths: How many workers died with them, or with a batch that they were cut from.
        losses: How many nodes were lost with the batch.
    """

    batch: Batch
    deaths: int = 0
    losses: int = 0

    @property
    def halves(self) -> tuple["Attempt", ...]:
        """The batch cut in two; nothing if its only trial is the culprit."""
        if len(self.batch) == 1:
            return ()
        return tuple(replace(self, batch=half) for half in self.batch.halves)

    @property
    def after_death(self) -> tuple["Attempt", ...]:
        """What is tried when its worker died; nothing if its only trial is the culprit."""
        again = replace(self, deaths=self.deaths + 1)
        return (again,) if again.deaths % MOST_DEATHS else again.halves

    @property
    def after_loss(self) -> tuple["Attempt", ...]:
        """What is tried when it was lost with its node; nothing if that happened too often."""
        again = replace(self, losses=self.losses + 1)
        return (again,) if again.losses <= MOST_LOSSES else ()

    def place(self, nodes: Sequence[Node]) -> Node | None:
        """The share of a node where it is tried: after a death half of one, then all of others.

        Successive attempts go to different nodes: one without memory kills whatever it gets.

        Args:
            nodes: Those that can train.

        Returns:
            None for one CPU of any node.
        """
        if not self.deaths or not nodes:
            return None
        node = nodes[(crc32(self.batch.batch_id.encode()) + self.deaths) % len(nodes)]
        return node if self.deaths > 1 else replace(node, cpus=max(1, node.cpus // 2))
