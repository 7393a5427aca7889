"""The commands that print and draw by name, and the one that asks the theory."""

import json
import sys
import textwrap
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.commands.name_lists import (
    complete_figure,
    complete_table,
    figure_names,
    listing,
    table_names,
)
from analysis.commands.views import Columns, Rows, Where, X, Y, asked_view
from core.functions.activations import canonical_activation
from core.theory.mean_field import critical_weight_variance, limit_chi, mean_field
from core.theory.variance_limits import variance_limits

if TYPE_CHECKING:
    import pandas as pd

commands = typer.Typer()

PICTURES = (".png", ".svg", ".pdf")

ActivationOption = Annotated[
    str,
    typer.Option(
        callback=canonical_activation, help="Its name, as in a sweep file; ReLU and Swish, too."
    ),
]
StoreArgument = Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")]
TrainedLevel = Annotated[
    float | None,
    typer.Option(
        help="Judge again: trained is a loss of this share of the best constant's "
        "(default: each run's own trained_level)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


class Formats(StrEnum):
    """How a table is printed."""

    table = "table"
    csv = "csv"
    json = "json"


@contextmanager
def refusing() -> Iterator[None]:
    """Report a wrong request in one line on stderr, and end with exit code 2."""
    try:
        yield
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


@commands.command(cls=listing("Figures", figure_names))
def figure(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Listed below.", autocompletion=complete_figure),
    ],
    store: StoreArgument,
    out: Annotated[
        Path | None, typer.Option(help="The picture, .png, .svg or .pdf (default: NAME.png).")
    ] = None,
    where: Where = None,
    x: X = None,
    y: Y = None,
    rows: Rows = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Draw one of the figures that explain a sweep."""
    # Charts take seconds to import, and other commands never need them.
    from analysis.figures.named import FIGURES

    with refusing():
        target = out or Path(f"{name}.png")
        _require_known(name, FIGURES)
        if target.suffix not in PICTURES:
            raise ValueError(f"--out must end in {', '.join(PICTURES)}, got {target}")
        view = asked_view(where, x, y, rows, columns)
        drawn = FIGURES[name](store, trained_level, view)
    target.parent.mkdir(parents=True, exist_ok=True)
    drawn.savefig(target, dpi=150)
    print(target)


@commands.command(cls=listing("Tables", table_names))
def table(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Listed below.", autocompletion=complete_table)
    ],
    store: StoreArgument,
    form: Annotated[Formats, typer.Option("--format", help="How to print it.")] = Formats.table,
    where: Where = None,
    x: X = None,
    y: Y = None,
    rows: Rows = None,
    columns: Columns = None,
    trained_level: TrainedLevel = None,
) -> None:
    """Print the numbers behind one of the figures."""
    from analysis.figures.named import TABLES, table_note

    with refusing():
        _require_known(name, TABLES)
        view = asked_view(where, x, y, rows, columns)
        found = TABLES[name](store, trained_level, view)
        note = table_note(name, store, trained_level, view)
    if note is not None:
        print(textwrap.fill(note, LINE), file=sys.stderr)
    if form is Formats.csv:
        print(found.to_csv(index=False), end="")
    elif form is Formats.json:
        print(found.to_json(orient="records", indent=2))
    else:
        print(
            _as_text(found) if len(found) else f"no rows: no run in {store} has what {name} shows"
        )


@commands.command()
def theory(
    activation: ActivationOption,
    weight_variance: Annotated[
        float, typer.Option(help="sigma_w^2: init_scale squared, with weight_std x width.")
    ],
    bias_variance: Annotated[float, typer.Option(help="sigma_b^2: bias_scale squared.")] = 0.0,
    input_mean_square: Annotated[
        float, typer.Option(help="Of the inputs' features; 1 where they are standardized.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Say what an infinitely wide network does to signals and gradients."""
    setting = (activation, weight_variance, bias_variance)
    with refusing():
        numbers = {
            **asdict(mean_field(*setting, input_mean_square)),
            "critical_weight_variance": critical_weight_variance(
                activation, bias_variance, input_mean_square
            ),
        }
    others = [
        OtherLimit(
            limit.q, limit_chi(limit.q, *setting[:2]), limit.smallest_input, limit.largest_input
        )
        for limit in variance_limits(*setting)
        if limit.q != numbers["q_star"]
    ]
    if as_json:
        print(json.dumps({**numbers, "other_limits": list(map(asdict, others))}, indent=2))
        return
    for name, number in numbers.items():
        text = "none" if number is None else f"{number:.6g}"
        print(
            textwrap.fill(
                f"{name:<26}{text:>12}  {MEANINGS[name]}", LINE, subsequent_indent=" " * 40
            )
        )
    for other in others:
        print(textwrap.fill(other.sentence(), LINE))


@dataclass(frozen=True)
class OtherLimit:
    """Where the variance of deep layers ends for inputs of another size.

    Attributes:
        q_star: The variance; None where it grows without bound.
        chi: The growth of the squared gradient there.
        smallest_input, largest_input: The mean squares between which inputs end there; the
            largest is None without bound.
    """

    q_star: float | None
    chi: float
    smallest_input: float
    largest_input: float | None

    def sentence(self) -> str:
        """The limit as a sentence."""
        if self.largest_input is None:
            inputs = f"above {self.smallest_input:.3g}"
        elif self.smallest_input == 0:
            inputs = f"below {self.largest_input:.3g}"
        else:
            inputs = f"between {self.smallest_input:.3g} and {self.largest_input:.3g}"
        if self.q_star is None:
            end = "the variance grows without bound"
        else:
            end = f"q_star is {self.q_star:.4g}"
        return (
            f"Other inputs end elsewhere: where the mean square of the features is {inputs}, "
            f"{end} and chi is {self.chi:.4g}."
        )


# What each of the theory's numbers says, in a line.
MEANINGS = {
    "q_star": "variance of deep pre-activations; none if it has no limit",
    "chi": "growth of the squared gradient per layer: < 1 vanishes, > 1 explodes",
    "c_star": "correlation that two inputs end at",
    "xi_gradient": "layers over which the squared gradient falls by e (negative: grows)",
    "xi_correlation": "layers over which correlations approach c_star by e",
    "xi_variance": "layers over which variances approach q_star by e",
    "critical_weight_variance": "sigma_w^2 at which chi = 1, at this sigma_b^2",
}
LINE = 80  # characters


def _as_text(rows: "pd.DataFrame") -> str:
    """One line per row; a number that does not exist is left out."""
    return rows.to_string(index=False, na_rep="", float_format=lambda number: f"{number:.5g}")


def _require_known(name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"{name!r} is unknown; choose from {', '.join(known)}")
