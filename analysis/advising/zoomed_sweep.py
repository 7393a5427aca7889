"""A sweep file like a sweep that was run, over a small window of its map."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.advising.deciding_sweep import FILE_HASH, as_yaml
from analysis.reading.stores import UnsuitableRunsError
from core.datasets import DATASETS
from core.trials import SETTINGS

Floats = NDArray[np.float64]

NUMBERED = re.compile(r"^(.*)_zoom(\d+)$")
DIGITS = 12  # of the values of a range
UNEVEN = 0.05  # of a step: how far a value of an even axis may lie from its place
FINEST = 20 * 10.0**-DIGITS  # of a value: the least step whose values 12 digits tell apart


def zoomed_sweep(entry: Mapping[str, Any], point: Mapping[str, float], by: float) -> str:
    """The sweep file's text: the same sweep, with the point's axes shrunk about it.

    An axis keeps its number of values and its kind of steps, a factor or a difference. The point
    stays at the same place between the ends, so that the window lies within the old one.

    Args:
        entry: The sweep in a store's manifest.
        point: A value along each of the axes to shrink.
        by: How many times narrower the window is, above 1.

    Raises:
        UnsuitableRunsError: An axis cannot be shrunk, the point is outside, or by is not above 1.
    """
    if not by > 1:
        raise UnsuitableRunsError(f"--by must be above 1, got {by:g}; as in --by 8")
    ranges = {name: _shrunk(name, at, by, entry) for name, at in point.items()}
    written = {
        n: _written(n, v) for n, v in entry["axes"].items() if not _goes_without_saying(n, v)
    }
    datasets = entry["axes"]["dataset"]
    task = {"dataset": written.pop("dataset")}
    if not set(datasets) <= set(DATASETS):
        files = [FILE_HASH.sub("", name) for name in datasets]
        task = {"file": files[0] if len(files) == 1 else files}
    named = ("zip", "where", "trace")
    rest = {name: entry[name] for name in named if entry.get(name)}
    order = [name for name in SETTINGS if name in written]
    settings = {name: ranges.get(name, written[name]) for name in order}
    return as_yaml({"name": next_name(entry["name"]), **task, **settings, **rest})


def next_name(name: str) -> str:
    """The name of a zoom: of fractal fractal_zoom1, of that fractal_zoom2."""
    numbered = NUMBERED.match(name)
    if numbered is None:
        return f"{name}_zoom1"
    return f"{numbered[1]}_zoom{int(numbered[2]) + 1}"


def _shrunk(name: str, at: float, by: float, entry: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The range of an axis about a value, as a sweep file has it."""
    _require_axis(name, entry)
    values = np.array(entry["axes"][name], dtype=np.float64)
    if not values.min() <= at <= values.max():
        raise UnsuitableRunsError(
            f"--at: {name} {at:g} lies outside the map, which goes from {values.min():g} to "
            f"{values.max():g}; give a point on it"
        )
    kind = _kind(name, values)
    by_factor = kind == "geomspace"
    ends = np.log(values[[0, -1]]) if by_factor else values[[0, -1]]
    centre = np.log(at) if by_factor else at
    shrunk = centre + (ends - centre) / by
    new = np.exp(shrunk) if by_factor else shrunk
    if abs(new[1] - new[0]) < FINEST * (len(values) - 1) * np.abs(new).max():
        raise UnsuitableRunsError(
            f"--by {by:g}: the values of {name} would lie closer together around {at:g} than the "
            f"{DIGITS} digits of a range tell apart; zoom by less"
        )
    return {kind: [*(float(f"{end:.{DIGITS}g}") for end in new), len(values)]}


def _require_axis(name: str, entry: Mapping[str, Any]) -> None:
    """Refuse what has no values between its values, or none of its own."""
    if SETTINGS[name].kind is not float:
        raise UnsuitableRunsError(
            f"{name} has no values between its values; zoom over other axes: --x, --y"
        )
    if len(entry["axes"][name]) < 2:
        raise UnsuitableRunsError(
            f"{name} has one value in the sweep {entry['name']}; zoom over other axes: --x, --y"
        )
    for group in entry.get("zip", ()):
        if name in group:
            raise UnsuitableRunsError(
                f"{name} moves with others (zip: {', '.join(group)}); zoom over other axes: "
                "--x, --y"
            )


def _kind(name: str, values: Floats) -> str:
    """Whether the values go by a factor or by a difference, geomspace or linspace."""
    unevenness = {"linspace": _unevenness(values)}
    if values.min() > 0:
        unevenness["geomspace"] = _unevenness(np.log(values))
    kind = min(unevenness, key=lambda kind: unevenness[kind])
    if unevenness[kind] > UNEVEN:
        raise UnsuitableRunsError(
            f"the values of {name} go neither by a factor nor by a difference; run the sweep "
            f"with a range, as in {name}: {{geomspace: [{values[0]:g}, {values[-1]:g}, "
            f"{len(values)}]}}, and zoom into that"
        )
    return kind


def _unevenness(places: Floats) -> float:
    """How far the farthest place lies from an even one, in steps."""
    even = np.linspace(places[0], places[-1], len(places))
    step = abs(places[-1] - places[0]) / (len(places) - 1)
    return float(np.abs(places - even).max() / step)


def _goes_without_saying(name: str, values: Sequence[Any]) -> bool:
    """Whether an axis has the one value that a sweep file means where it leaves the setting out."""
    setting = SETTINGS[name]
    return setting.written is not None and list(values) == [setting.encoded(setting.written)]


def _written(name: str, values: Sequence[Any]) -> Any:
    """An axis as a sweep file has it: one value, a list, or the names of a set."""
    if SETTINGS[name].kind is frozenset:
        return sorted(SETTINGS[name].decoded(values[0]))
    return values[0] if len(values) == 1 else list(values)
