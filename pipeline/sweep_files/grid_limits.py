"""The limits on a grid's size: an index must count it, and it must be plannable."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from core.settings import Setting
from pipeline.notation.field_names import FieldError

# Cells are counted by a signed integer of 64 bits; shapes are planned one by one.
MOST_CELLS = 2**63 - 1
MOST_SHAPES = 1_000_000


def require_countable(
    axes: Mapping[str, Sequence[Any]],
    together: Sequence[Sequence[str]],
    settings: Mapping[str, Setting],
) -> None:
    """Refuse grids with more cells than an index counts, or more shapes than can be planned.

    Args:
        axes: The values of every axis.
        together: The names of axes that move together; they are equally long.
        settings: Every setting, by name.

    Raises:
        FieldError: With the axis to shorten. A condition does not help: what it leaves out is
            counted too.
    """
    moved = {name for group in together for name in group}
    cells: dict[tuple[str, ...], int]
    cells = {(name,): len(values) for name, values in axes.items() if name not in moved}
    cells |= {tuple(group): len(axes[group[0]]) for group in together}
    _require_at_most(MOST_CELLS, "trials", cells)
    shapes = {
        of_shape: count if of_shape == factor else _different(of_shape, axes)
        for factor, count in cells.items()
        if (of_shape := tuple(n for n in factor if settings[n].differs_within == "sweep"))
    }
    _require_at_most(MOST_SHAPES, "shapes of networks and tasks", shapes)


def _different(names: Sequence[str], axes: Mapping[str, Sequence[Any]]) -> int:
    """How many combinations there are of values that stand at the same place."""
    return len(set(zip(*(axes[name] for name in names), strict=True)))


def _require_at_most(most: int, what: str, counts: Mapping[tuple[str, ...], int]) -> None:
    if prod(counts.values()) > most:
        longest = max(counts, key=lambda names: counts[names])
        raise FieldError(
            f"{longest[0]}: the axes make more than {most:,} {what}, got {counts[longest]:,} "
            f"values of {' with '.join(longest)}; shorten the axis"
        )
