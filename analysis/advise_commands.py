"""The command that says what to start from."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from analysis.theory_commands import ActivationOption, TrainedLevel, refusing

commands = typer.Typer()


@commands.command()
def advise(
    activation: ActivationOption,
    depth: Annotated[int, typer.Option(min=1, help="Weight matrices, the output's included.")],
    width: Annotated[int | None, typer.Option(min=1, help="Units in each hidden layer.")] = None,
    dataset: Annotated[str | None, typer.Option(help="What is trained on.")] = None,
    store: Annotated[str | None, typer.Option(help="Runs to learn from: folder or URL.")] = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Say which init scale and learning rate to start from, by what, and how sure."""
    # The theory takes a while to import, and other commands never need it.
    from analysis.advice import rate_advice
    from analysis.init_advice import init_advice, init_lines

    asked = {"dataset": dataset, "activation": activation, "depth": depth, "width": width}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with refusing():
        init = init_advice(activation, depth, width)
        wanted["init_scale"] = init.start or 1.0
        rate = rate_advice(store, wanted, trained_level) if store is not None else None
    for heading, lines in {
        "Init scale, from theory": init_lines(init),
        "Learning rate, from a store": _rate_lines(rate, wanted),
    }.items():
        print(heading)
        for line in lines:
            print(f"  {line}")


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
