"""The commands that print and draw by name, and the one that asks the theory."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from core.mean_field import critical_weight_variance, mean_field

commands = typer.Typer()

PICTURES = (".png", ".svg", ".pdf")

StoreArgument = Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")]
TrainedLevel = Annotated[
    float | None,
    typer.Option(
        help="Judge again: trained is a loss of this share of the best constant's.  "
        "[default: each run's own trained_level]"
    ),
]


class Formats(StrEnum):
    """How a table is printed."""

    table = "table"
    csv = "csv"
    json = "json"


@contextmanager
def refusing() -> Iterator[None]:
    """Tell a wrong request in a line on stderr, and end with exit code 2."""
    try:
        yield
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


@commands.command()
def figure(
    name: Annotated[str, typer.Argument(help="Which one; a wrong name lists them.")],
    store: StoreArgument,
    out: Annotated[
        Path | None, typer.Option(help="The picture, .png, .svg or .pdf.  [default: NAME.png]")
    ] = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Draw one of the figures that explain a sweep."""
    # Charts take seconds to import, and other commands never need them.
    from analysis.named import FIGURES

    with refusing():
        target = out or Path(f"{name}.png")
        _require_known(name, FIGURES)
        if target.suffix not in PICTURES:
            raise ValueError(f"--out must end in {', '.join(PICTURES)}, got {target}")
        drawn = FIGURES[name](store, trained_level)
    target.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(target, dpi=150)
    print(target)


@commands.command()
def table(
    name: Annotated[str, typer.Argument(help="Which one; a wrong name lists them.")],
    store: StoreArgument,
    form: Annotated[Formats, typer.Option("--format", help="How to print it.")] = Formats.table,
    trained_level: TrainedLevel = None,
) -> None:
    """Print the numbers behind one of the figures."""
    from analysis.named import TABLES

    with refusing():
        _require_known(name, TABLES)
        rows = TABLES[name](store, trained_level)
    if form is Formats.csv:
        print(rows.to_csv(index=False), end="")
    elif form is Formats.json:
        print(rows.to_json(orient="records", indent=2))
    else:
        print(rows.to_string(index=False, float_format=lambda number: f"{number:.5g}"))


@commands.command()
def theory(
    activation: Annotated[str, typer.Option(help="Its name, as in a sweep file.")],
    weight_variance: Annotated[float, typer.Option(help="sigma_w^2: init_scale squared.")],
    bias_variance: Annotated[float, typer.Option(help="sigma_b^2: bias_scale squared.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Say what an infinitely wide network does to signals and gradients."""
    with refusing():
        numbers = {
            **asdict(mean_field(activation, weight_variance, bias_variance)),
            "critical_weight_variance": critical_weight_variance(activation, bias_variance),
        }
    if as_json:
        print(json.dumps(numbers, indent=2))
        return
    for name, number in numbers.items():
        told = "none" if number is None else f"{number:.6g}"
        print(f"{name:<26}{told:>12}  {MEANINGS[name]}")


# What each of the theory's numbers says, in a line.
MEANINGS = {
    "q_star": "variance of deep pre-activations",
    "chi": "growth of the squared gradient per layer: < 1 vanishes, > 1 explodes",
    "c_star": "correlation that two inputs end at",
    "xi_gradient": "layers over which the squared gradient falls by e (negative: grows)",
    "xi_correlation": "layers over which correlations approach c_star by e",
    "xi_variance": "layers over which variances approach q_star by e",
    "critical_weight_variance": "sigma_w^2 at which chi = 1, at this sigma_b^2",
}


def _require_known(name: str, known: dict[str, object]) -> None:
    if name not in known:
        raise ValueError(f"{name!r} is unknown; choose from {', '.join(known)}")
