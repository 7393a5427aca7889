"""Skew: versions that differ between the driver of a cluster and its workers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Skew:
    """A version that some nodes have otherwise than the driver.

    Attributes:
        software: Its name.
        driver: The driver's version.
        worker: The nodes' version.
        nodes: Their addresses.
    """

    software: str
    driver: str
    worker: str
    nodes: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """Both sides: `10.0.0.2 and 3 more nodes have NumPy 2.4.5, this driver 2.4.6`."""
        others = len(self.nodes) - 1
        more = f" and {others} more node{'s' * (others > 1)} have" if others else " has"
        return f"{self.nodes[0]}{more} {self.software} {self.worker}, this driver {self.driver}"


def skews(driver: Mapping[str, str], workers: Mapping[str, Mapping[str, str]]) -> Iterator[Skew]:
    """What differs between the driver and its workers.

    Args:
        driver: Its versions by name.
        workers: Theirs, by the address of the node.
    """
    for name, wanted in driver.items():
        found: dict[str, list[str]] = {}
        for node, versions in workers.items():
            found.setdefault(versions.get(name, "unknown"), []).append(node)
        for version, nodes in found.items():
            if version != wanted:
                yield Skew(name, wanted, version, tuple(nodes))
