"""What the verdicts promise: what was said of a run beside what then happened to it.

300 runs over data sets, losses, depths, activations, scales, rates and numbers of steps are
trained and judged by the product, then trained ten times as long by a plain loop that shares
nothing with it, also at a tenth, ten and a hundred times their rates.

    python tests/benchmarks/bench_verdicts.py [SEED ...]

The rules' thresholds were tuned on the first of the two samples and not on the second.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from plain_stack import losses_of
from reports import machine, save, show

from core.datasets import Task, load_dataset, make_task
from core.initializers import initial_params
from core.network import layer_widths
from core.outcomes import THRESHOLDS
from core.settings import Trials
from core.training import train
from core.trials import Trial

TUNED_ON, CONFIRMED_ON = 41, 44
SHAPES, RUNS_EACH = 50, 6
LONGER = 10
# Of a run's own rate; the first is its own.
RATES = (1, 0.1, 10, 100)
# Of the loss: what a stall is measured by, and what is worth waiting for.
A_LITTLE, A_LOT = THRESHOLDS.stalled_change, 0.01
AGREES = 1e-3
HAPPENED = ("trained", "fell further", "fell a little", "unchanged", "diverged")
WENT_ON = {"trained", "fell further", "fell a little"}
EXAMPLES = {
    "digits": (32, 64),
    "breast_cancer": (48, 96),
    "wine": (60, 120),
    "diabetes": (60, 120),
    "gaussian": (16, 48),
    "spirals": (24, 64),
}


@dataclass(frozen=True)
class Sequel:
    """A judged run, and how it went on.

    Attributes:
        said: The trial's row of `runs`.
        then: What happened at each of RATES times its rate, its own first.
        plain_loss: The plain loop's after as many steps as the product took.
    """

    trial: Trial
    said: Mapping[str, Any]
    then: tuple[str, ...]
    plain_loss: float

    @property
    def verdict(self) -> str:
        """The outcome, with the cause where there is one."""
        outcome, cause = self.said["outcome"], self.said["cause"]
        return f"{outcome}: {cause}" if cause else outcome


# What a verdict says of a run that goes on, and which sequels keep the promise.
CLAIMS = {
    "stalled: vanishing": (
        "trains at none of four rates",
        lambda s: "trained" not in s.then,
    ),
    "stalled: dead": ("more steps do not train it", lambda s: s.then[0] != "trained"),
    "stalled: saturated": ("more steps do not train it", lambda s: s.then[0] != "trained"),
    "stalled: converged": (
        "more steps gain less than 1%",
        lambda s: s.then[0] in ("unchanged", "fell a little"),
    ),
    "stalled: low_learning_rate": (
        "more steps or a larger rate go on",
        lambda s: bool(WENT_ON & {s.then[0], *s.then[2:]}),
    ),
    "slow": ("more steps go on", lambda s: s.then[0] in WENT_ON),
    "trained": ("stays trained", lambda s: s.then[0] == "trained"),
}


@dataclass(frozen=True)
class Range:
    """What a shape and its runs are drawn from.

    Attributes:
        rates: The ends of log10 of the learning rate.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    steps: tuple[int, ...]
    rates: tuple[float, float]


# Of everything; and small networks that come near to the best they can do.
WIDE = Range(
    (1, 2, 3, 4, 6, 10, 16), (2, 4, 8, 16), (3, 10, 30, 30, 100, 100, 300, 1000), (-4, 0.7)
)
SMALL = Range((1, 1, 2, 3), (2, 3), (300,), (-1.0, 0.5))
SMALL_SHARE = 0.3


def sampled(seed: int) -> Iterator[list[Trial]]:
    """Same-shaped trials, RUNS_EACH at a time."""
    rng = np.random.default_rng(seed)
    for _ in range(SHAPES):
        chosen = SMALL if rng.uniform() < SMALL_SHARE else WIDE
        shape = _shape(rng, chosen)
        yield [
            replace(
                shape,
                init_scale=float(10 ** rng.uniform(-0.8, 0.6)),
                bias_scale=float(rng.choice([0.0, 0.1])),
                learning_rate=float(10 ** rng.uniform(*chosen.rates)),
                seed=int(rng.integers(10_000)),
            )
            for _ in range(RUNS_EACH)
        ]


def _shape(rng: np.random.Generator, chosen: Range) -> Trial:
    dataset = str(rng.choice(list(EXAMPLES)))
    numbers = dataset in ("diabetes", "gaussian")
    return Trial(
        dataset=dataset,
        examples=int(rng.choice(EXAMPLES[dataset])),
        features="standardized",
        depth=int(rng.choice(chosen.depths)),
        width=int(rng.choice(chosen.widths)),
        activation=str(rng.choice(["linear", "sigmoid", "tanh", "relu", "gelu"])),
        initializer=str(rng.choice(["gaussian", "orthogonal"])),
        init_scale=1.0,
        bias_scale=0.0,
        learning_rate=1.0,
        loss="mse" if numbers else str(rng.choice(["mse", "cross_entropy"])),
        steps=int(rng.choice(chosen.steps)),
        seed=0,
        dtype=str(rng.choice(["float32", "float32", "float64"])),
        measure=frozenset({"signal"}),
    )


@cache
def task_of(dataset: str, examples: int, features: str) -> Task:
    """The task that trials of these settings share."""
    return make_task(load_dataset(dataset, examples), examples, features, "standardized")


def sequels(trials: list[Trial]) -> list[Sequel]:
    """What is said of each trial, and how it goes on."""
    shape = trials[0]
    task = task_of(shape.dataset, shape.examples, shape.features)
    columns = train(Trials.of(trials), task)["runs"]
    said = [{name: column[n] for name, column in columns.items()} for n in range(len(trials))]
    widths = layer_widths(task.feature_count, shape.width, task.outputs, shape.depth)
    networks = [
        initial_params(shape.initializer, widths, t.seed, t.init_scale, t.bias_scale)
        for t in trials
    ]
    start = [np.stack(layer) for layer in zip(*networks, strict=True)]
    losses = losses_of(
        [np.tile(p, (len(RATES), 1, 1)).astype(shape.dtype) for p in start],
        task.inputs[:-1].astype(shape.dtype),
        task.targets.astype(shape.dtype),
        shape.activation,
        shape.loss,
        np.concatenate([[t.learning_rate * by for t in trials] for by in RATES]),
        LONGER * shape.steps,
    ).reshape(-1, len(RATES), len(trials))
    return [
        _sequel(*each, losses[:, :, n]) for n, each in enumerate(zip(trials, said, strict=True))
    ]


def _sequel(trial: Trial, said: Mapping[str, Any], losses: np.ndarray) -> Sequel:
    then = tuple(happened(said, losses[:, place]) for place in range(len(RATES)))
    return Sequel(trial, said, then, float(losses[said["steps_run"], 0]))


def happened(said: Mapping[str, Any], losses: np.ndarray) -> str:
    """One of HAPPENED, of a run that went on to these losses."""
    tail = losses[-min(20, max(1, len(losses) // 5)) :].mean()
    worst = max(losses[0], said["baseline_loss"])
    # The plain loop goes on after an overflow, which NaN then shows.
    if not np.isfinite(losses).all() or losses.max() > 1e6 * worst or tail > 1.1 * worst:
        return "diverged"
    if tail <= 0.1 * said["baseline_loss"]:
        return "trained"
    fell = 0.0 if np.isnan(said["tail_loss"]) else 1 - tail / said["tail_loss"]
    return "fell further" if fell > A_LOT else "fell a little" if fell > A_LITTLE else "unchanged"


def wilson(kept: int, runs: int) -> tuple[float, float]:
    """The 95% interval of a share: Wilson (1927), doi:10.2307/2276774."""
    z, share = 1.96, kept / runs
    middle = share + z * z / (2 * runs)
    spread = z * np.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs))
    return (middle - spread) / (1 + z * z / runs), (middle + spread) / (1 + z * z / runs)


def confusion(found: list[Sequel]) -> list[list[object]]:
    """A row for each verdict: how many runs, and what then happened to them."""
    verdicts = sorted({s.verdict for s in found})
    rows = []
    for verdict in verdicts:
        then = [s.then[0] for s in found if s.verdict == verdict]
        rows.append([verdict, len(then), *(then.count(name) for name in HAPPENED)])
    return rows


def promises(found: list[Sequel]) -> list[list[object]]:
    """A row for each of CLAIMS: how many runs it was made of, and the share that kept it."""
    rows = []
    for verdict, (claim, keeps) in CLAIMS.items():
        made = [keeps(s) for s in found if s.verdict == verdict]
        if made:
            low, high = wilson(sum(made), len(made))
            share = f"{sum(made) / len(made):.0%}"
            rows.append([verdict, claim, len(made), share, f"{low:.0%} to {high:.0%}"])
    return rows


def agreement(found: list[Sequel]) -> str:
    """In how many runs that did not diverge both loops had come to the same loss."""
    ended = [s for s in found if s.said["tail_loss"] >= 0 and np.isnan(s.said["diverged_step"])]
    same = sum(abs(s.plain_loss / s.said["final_loss"] - 1) < AGREES for s in ended)
    return f"{same} of {len(ended)} runs had the plain loop's loss to {AGREES:.0e}"


def measure(seed: int) -> dict[str, object]:
    """Both tables of one sample, printed and returned."""
    found = [sequel for trials in sampled(seed) for sequel in sequels(trials)]
    table, kept, agreed = confusion(found), promises(found), agreement(found)
    print(f"\n{agreed}")
    title = f"{len(found)} runs, seed {seed}, trained {LONGER} times as long"
    show(f"What then happened: {title}", ["said", "runs", *HAPPENED], table)
    show(f"What was promised, seed {seed}", ["said", "promise", "runs", "kept", "95%"], kept)
    return {"seed": seed, "agreement": agreed, "then": table, "promises": kept}


def main() -> None:
    """The tables of both samples, or of the seeds given, and benchmarks/verdicts.json."""
    seeds = [int(seed) for seed in sys.argv[1:]] or [TUNED_ON, CONFIRMED_ON]
    save("verdicts", {"machine": machine(), "samples": [measure(seed) for seed in seeds]})


if __name__ == "__main__":
    main()
