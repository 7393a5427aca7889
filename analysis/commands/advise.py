"""The command that says what to start from."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.commands.draw import ActivationOption, AsJson, TrainedLevel, refusing
from analysis.commands.new_files import write_new
from analysis.reading.printing import json_document

if TYPE_CHECKING:
    from analysis.advising.advice import RateAdvice

commands = typer.Typer()

LINE = 80  # characters
INDENT = "  "


@commands.command()
def advise(
    activation: ActivationOption,
    depth: Annotated[int, typer.Option(min=1, help="Weight matrices, the output's included.")],
    width: Annotated[int | None, typer.Option(min=1, help="Units in each hidden layer.")] = None,
    dataset: Annotated[str | None, typer.Option(help="What is trained on.")] = None,
    store: Annotated[str | None, typer.Option(help="Runs to learn from: folder or URL.")] = None,
    sweep_file: Annotated[
        Path | None, typer.Option(help="Where to write the sweep that would decide; else shown.")
    ] = None,
    trained_level: TrainedLevel = None,
    as_json: AsJson = False,
) -> None:
    """Say which init scale and learning rate to start from, why, and how often it worked."""
    # The theory takes a while to import, and other commands never need it.
    from analysis.advising.advice import rate_advice
    from analysis.advising.advice_lines import rate_lines
    from analysis.advising.deciding_sweep import deciding_sweep
    from analysis.advising.document import advice_document
    from analysis.advising.init_advice import init_advice, init_lines

    asked = {"dataset": dataset, "activation": activation, "depth": depth, "width": width}
    wanted: dict[str, Any] = {n: value for n, value in asked.items() if value is not None}
    with refusing():
        init = init_advice(activation, depth, width)
        start = {"init_scale": init.start or 1.0, "bias_scale": init.bias_scale}
        wanted |= {name: float(f"{scale:.4g}") for name, scale in start.items()}
        rate = rate_advice(store, wanted, trained_level) if store is not None else None
        sweep = deciding_sweep(wanted, rate)
        if sweep is not None and sweep_file is not None:
            write_new("--sweep-file", sweep_file, sweep)
    if as_json:
        print(json_document(advice_document(init, rate, sweep)))
        return
    if rate is None or store is None:
        _tell("Init scale, from theory", init_lines(init))
        _tell("Learning rate", ["No store was given; --store names one."])
    else:
        _tell("From the store", rate_lines(rate, store))
        _tell(_theory_heading(rate), init_lines(init))
    if sweep is not None:
        _show_sweep(sweep, sweep_file, store or "advice_store")


def _theory_heading(rate: "RateAdvice") -> str:
    """Theory comes second where a store says what trained."""
    beaten = " (in the store it did no better)" if rate.is_near and rate.theory else ""
    return f"Init scale, from theory alone{beaten}"


def _tell(heading: str, sentences: Iterable[str]) -> None:
    print(heading)
    for sentence in sentences:
        print(textwrap.fill(sentence, LINE, initial_indent=INDENT, subsequent_indent=2 * INDENT))


def _show_sweep(text: str, path: Path | None, store: str) -> None:
    print("Trainings that would decide")
    if path is None:
        print(textwrap.indent(text, 2 * INDENT), end="")
    if "\nfile: " in text:
        print(f"{INDENT}Give file its path, and add what your own sweep file says of its columns")
        print(f"{2 * INDENT}(target, drop, missing, ...): a store does not know them.")
    if path is None:
        print(f"{INDENT}Save these lines as decide.yaml, or give --sweep-file decide.yaml. Then:")
    print(f"{2 * INDENT}phasesweep run {path or 'decide.yaml'} --store {store}")
    print(f"{INDENT}and ask again of that store.")
