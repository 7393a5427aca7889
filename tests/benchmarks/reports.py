"""What a benchmark leaves: a Markdown table on stdout and JSON under benchmarks/."""

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def machine(*packages: str) -> dict[str, str | int]:
    """The processor, its cores and the versions of what ran."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(": ")[1] for x in lines if x.startswith("model name")), model)
    versions = {package: version(package) for package in ("numpy", *packages)}
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "python": platform.python_version(),
        **versions,
    }


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    print(f"\n### {title}\n")
    for row in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def save(name: str, content: Mapping[str, object]) -> None:
    """Write benchmarks/NAME.json."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def interleaved(
    runs: Mapping[str, Callable[[], object]], rounds: int, most_seconds: float = 10.0
) -> dict[str, list[float]]:
    """Seconds of each run in every round, in a new order each, so that noise falls on all alike.

    What has taken `most_seconds` in all is left out of further rounds.
    """
    order, rng = list(runs), Random(0)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        rng.shuffle(order)
        for name in order:
            if sum(seconds[name]) < most_seconds:
                began = perf_counter()
                runs[name]()
                seconds[name].append(perf_counter() - began)
    return seconds


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: median(values) for name, values in seconds.items()}
