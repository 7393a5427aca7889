"""How the rates at which ReLU networks train fall with depth: a power law and its exponent.

Jelassi et al. (2023), arXiv:2305.07810: the largest rate at which one step changes every
pre-activation boundedly goes with depth^-3/2, in the maximal update parameterization, which is the
standard one at its base width. Here are the exponents of 2 / lambda_max at the start, and of the
rate at which training diverges, each fitted over depths, with its standard error over seeds.
"""

from dataclasses import asdict, replace

import numpy as np
from bench_catapult import SETTING as CATAPULT
from bench_catapult import runs_at
from reports import machine, save, show

from core.outcomes import DIVERGED
from core.trials import Trial

DEPTHS = (4, 8, 16, 32)
SEEDS = range(4)
C = 2 ** np.arange(0.4, 7.01, 0.2)  # learning rate x lambda_max at the start
KINDS = {
    "plain": {},
    "residual 1 / sqrt(depth)": {"residual": "inverse_sqrt_depth"},
    "residual 1 / depth": {"residual": "inverse_depth"},
    "residual 1, layer normalization": {"residual": "1", "normalization": "layer"},
}
SETTING = replace(CATAPULT, examples=32, depth=4, width=128, steps=50)
HEADER = ["network", "2 / lambda_max", "smallest diverging rate", "arXiv:2305.07810"]
THEIRS = {"plain": "-1.5"}


def rates(start: Trial) -> tuple[float, float]:
    """2 / lambda_max of a start, and the smallest rate at which it diverges."""
    runs = runs_at(start, C, start.steps)
    diverged = np.isin(runs["outcome"], DIVERGED)
    first = runs["learning_rate_used"][diverged.argmax()] if diverged.any() else np.nan
    return float(2 / runs["sharpness"][0]), float(first)


def exponent(of_seeds: np.ndarray) -> str:
    """The exponent in depth of rates, (seeds, depths), with its standard error."""
    known = of_seeds[np.isfinite(of_seeds).all(axis=1)]
    if len(known) < 2:
        return "beyond what was tried"
    each = np.array([np.polyfit(np.log(DEPTHS), np.log(rates), 1)[0] for rates in known])
    return f"{each.mean():.2f} +- {each.std(ddof=1) / len(each) ** 0.5:.2f}"


def main() -> None:
    """Measure and print."""
    rows = []
    for name, changes in KINDS.items():
        found = np.array(
            [
                [rates(replace(SETTING, depth=depth, seed=seed, **changes)) for depth in DEPTHS]
                for seed in SEEDS
            ]
        )
        rows.append([name, exponent(found[..., 0]), exponent(found[..., 1]), THEIRS.get(name, "")])
        print(*rows[-1], flush=True)
    show(f"Exponents in depth, {DEPTHS[0]} to {DEPTHS[-1]} layers", HEADER, rows)
    setting = asdict(SETTING) | {"measure": sorted(SETTING.measure)}
    save("depth_exponent", {"machine": machine("numba", "scipy"), "setting": setting, "rows": rows})


if __name__ == "__main__":
    main()
