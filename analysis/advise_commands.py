"""The command that says what to start from."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from analysis.theory_commands import TrainedLevel, refusing

commands = typer.Typer()


@commands.command()
def advise(
    activation: Annotated[str, typer.Option(help="Its name, as in a sweep file.")],
    depth: Annotated[int, typer.Option(min=1, help="Weight matrices, the output's included.")],
    width: Annotated[int | None, typer.Option(min=1, help="Units in each hidden layer.")] = None,
    dataset: Annotated[str | None, typer.Option(help="What is trained on.")] = None,
    store: Annotated[str | None, typer.Option(help="Runs to learn from: folder or URL.")] = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Say which init scale and learning rate to start from, by what, and how sure."""
    # The theory takes a while to import, and other commands never need it.
    from analysis.advice import init_advice, rate_advice

    asked = {"dataset": dataset, "activation": activation, "depth": depth, "width": width}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with refusing():
        init = init_advice(activation, depth)
        wanted["init_scale"] = init.start or 1.0
        rate = rate_advice(store, wanted, trained_level) if store is not None else None
    for heading, lines in {
        "Init scale, from theory": _init_lines(init, depth, width),
        "Learning rate, from a store": _rate_lines(rate, wanted),
    }.items():
        print(heading)
        for line in lines:
            print(f"  {line}")


def _init_lines(init: Any, depth: int, width: int | None) -> Iterator[str]:
    if init.critical is None:
        yield "none is critical without biases: gradients never keep their size exactly"
    else:
        yield f"{init.critical:.4g} is critical: gradients neither vanish nor explode"
    if init.lowest is None:
        yield f"none passes a signal through {depth} layers; choose another activation"
    else:
        yield (
            f"{init.lowest:.3g} to {init.highest:.3g} pass signals and gradients through "
            f"{depth} layers (six depth scales, arXiv:1611.01232)"
        )
    if width is None:
        yield "how sure: exact for infinite width; give --width to hear how far off yours may be"
    elif depth > width / 4:
        yield (
            f"how sure: not very; {depth} layers of {width} units scatter from draw to draw "
            "(depth / width above 1/4), so try several seeds"
        )
    else:
        yield f"how sure: well; {width} units are wide for {depth} layers"


def _rate_lines(rate: Any, wanted: dict[str, Any]) -> Iterator[str]:
    from analysis.advice import distances

    if rate is None:
        yield "none given; --store names one, `phasesweep run critical_learning_rate` makes one"
        return
    if rate.safe is None:
        yield "none is safe there: the smallest tried diverged already"
    elif rate.diverged is None:
        yield f"{rate.safe:.3g} is safe, the largest tried: nothing diverged"
    else:
        yield f"{rate.safe:.3g} is the largest safe one; {rate.diverged:.3g} diverged"
    if rate.trained is None:
        yield "none trained within the steps that the store gave them"
    else:
        yield f"{rate.trained[0]:.3g} to {rate.trained[1]:.3g} trained"
    if rate.predicted is not None:
        yield f"2 / lambda_max at step 0 is {rate.predicted:.3g} at the least"
    told = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in rate.region.items()
    )
    yield f"source: {rate.runs} runs of {told}"
    apart = distances(rate, wanted)
    if apart:
        told = ", ".join(
            f"{name} {found:.3g} for {asked:.3g}" for name, (asked, found) in apart.items()
        )
        yield f"how sure: little; the nearest that the store has is {told}"
    elif rate.seeds < 3:
        yield f"how sure: fairly; those very settings, but only {rate.seeds} seed(s)"
    else:
        yield f"how sure: well; those very settings, {rate.seeds} seeds"
