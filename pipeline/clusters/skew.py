"""Skew: versions that differ between the driver of a cluster and its workers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.clusters.connections import REASON_LENGTH, ClusterError, in_a_line
from pipeline.provenance import software

# For the nodes to say what they have installed.
SOFTWARE_SECONDS = 60.0


class SkewError(ClusterError):
    """Driver and workers have different versions; the message names both sides."""


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


OnSkew = Callable[[Sequence[Skew]], None]


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


def look_for_skew(ray: Any, asked: set[str], on_skew: OnSkew) -> None:
    """Call `on_skew` where nodes that were not asked yet have other versions than this process.

    Args:
        ray: The module.
        asked: Nodes to leave out; the others are added.
        on_skew: May refuse them.
    """
    found = list(skews(software(), _software_of_nodes(ray, asked)))
    if found:
        on_skew(found)


def refuse_skew(found: Sequence[Skew]) -> None:
    """Raise SkewError."""
    each = "; ".join(skew.in_words for skew in found)
    raise SkewError(
        f"the nodes of the cluster differ: {each}; install the same versions everywhere, as "
        "constraints.txt pins them, or accept numbers that may differ with --accept-skew; what has "
        "been trained stays in the store"
    )


def _software_of_nodes(ray: Any, asked: set[str]) -> dict[str, dict[str, str]]:
    """What the nodes that can train have installed, by their addresses.

    A node that does not answer in time is left out: its tasks look for themselves.
    """
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    task = ray.remote(num_cpus=0, max_retries=0)(_software_here)
    nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    answers = {
        task.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(): node
        for node in nodes
        if node["NodeID"] not in asked
    }
    asked.update(node["NodeID"] for node in nodes)
    if not answers:
        return {}
    ready, _ = ray.wait(list(answers), num_returns=len(answers), timeout=SOFTWARE_SECONDS)
    found = {answers[each]["NodeManagerAddress"]: _software_of(ray, each) for each in ready}
    return {node: versions for node, versions in found.items() if versions}


def _software_of(ray: Any, answer: Any) -> dict[str, str]:
    """A node's answer; none where the node left meanwhile."""
    try:
        return dict(ray.get(answer))
    except ray.exceptions.RayTaskError as error:  # The function could not even be imported.
        return {"phasesweep": f"none that can be loaded ({in_a_line(error)[-REASON_LENGTH:]})"}
    except ray.exceptions.RayError:
        return {}


def _software_here() -> dict[str, str]:
    """By name, so that a worker's own module answers."""
    return software()
