"""Generated sweep files, good and bad: a Sweep or a SweepFileError, never anything else."""

import reprlib
from math import prod

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import DATASETS, SCALINGS
from core.functions.activations import ACTIVATIONS
from core.initializers import INITIALIZERS
from core.losses import LOSSES
from core.training import FULLY_CONNECTED
from pipeline.sweep_files.fields import sweep_fields
from pipeline.sweep_files.loading import SweepFileError, load_sweep

FIELDS = [*sweep_fields(FULLY_CONNECTED).model_fields]

VALID = {
    "dataset": "digits",
    "examples": 24,
    "depth": [2, 4],
    "activation": ["tanh", "relu"],
    "init_scale": {"geomspace": [0.5, 8, 4]},
    "learning_rate": 0.1,
}


class _Dumper(yaml.SafeDumper):
    """Writes every value out where it stands."""

    def ignore_aliases(self, data):
        return True


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Writes settings as a sweep file."""
    path = tmp_path_factory.mktemp("sweeps") / "sweep.yaml"

    def write(settings):
        path.write_text(yaml.dump(settings, Dumper=_Dumper), encoding="utf-8")
        return path

    return write


def several(values):
    return st.lists(values, min_size=1, max_size=4, unique=True)


SCALES = st.just(0.0) | st.floats(1e-12, 1e5)


good_axes = st.fixed_dictionaries(
    {
        "dataset": several(st.sampled_from(["digits", "wine", "spirals"])),
        "examples": several(st.integers(2, 178)),
        "depth": several(st.integers(1, 10**5)),
        "activation": several(st.sampled_from([*ACTIVATIONS])),
        "learning_rate": several(st.floats(1e-12, 1e12)),
        "trained_level": several(st.floats(0, 1, exclude_min=True, exclude_max=True)),
    },
    optional={
        "features": several(st.sampled_from([*SCALINGS])),
        "width": several(st.integers(1, 10**5)),
        "initializer": several(st.sampled_from([*INITIALIZERS])),
        "init_scale": several(SCALES),
        "bias_scale": several(SCALES),
        "loss": several(st.sampled_from([*LOSSES])),
        "steps": several(st.integers(0, 10**8)),
        "seed": several(st.integers(0, 2**63 - 1)),
        "dtype": several(st.sampled_from(["float32", "float64"])),
    },
)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(good_axes)
def test_a_good_file_is_the_product_of_its_axes(write, axes):
    """Every value in its order, and one cell a combination."""
    grid = load_sweep(write(axes)).grid
    assert grid.size == prod(len(values) for values in axes.values())
    assert {name: list(grid.axes[name]) for name in axes} == axes


pairs = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=2, max_size=8, unique=True
)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(pairs)
def test_axes_that_move_together_are_their_pairs(write, pairs):
    """However often a value stands in one of them, in the order in which they are written."""
    depths, steps = zip(*pairs, strict=True)
    moved = {"depth": [*depths], "steps": [*steps], "zip": ["depth", "steps"]}
    grid = load_sweep(write(VALID | moved)).grid
    assert (grid.axes["depth"], grid.axes["steps"]) == (depths, steps)
    assert grid.size == len(pairs) * len(grid.axes["activation"]) * len(grid.axes["init_scale"])


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
    | st.sampled_from([*DATASETS, "mse", "tanh", "signal", 1, 2, 0.5, "1e3", 2**63])
)
any_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=2)
        | st.fixed_dictionaries({"linspace": st.lists(leaves, min_size=3, max_size=3)})
    ),
    max_leaves=6,
)
any_names = st.sampled_from(FIELDS) | st.text(max_size=8) | st.integers(0, 99)


NUMBER = r"[-+]?[0-9_]{1,5}([.,:][0-9_]{1,3}){0,2}([eE][-+]?[0-9]{1,2})?"


@pytest.fixture(scope="module")
def load_written(write):
    """Loads a sweep whose field is written as given, by the letter."""

    def load(field, written):
        path = write({name: value for name, value in VALID.items() if name != field})
        path.write_text(path.read_text(encoding="utf-8") + f"{field}: {written}\n")
        return path, grid_or_error(path)

    return load


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(st.sampled_from(["learning_rate", "seed"]), st.from_regex(NUMBER, fullmatch=True))
def test_a_number_is_what_it_says_or_refused(load_written, field, written):
    """Never octal, never in 60s: digits mean what they mean to everyone, underscores nothing."""
    path, got = load_written(field, written)
    if isinstance(got, SweepFileError):
        assert str(got).startswith(f"{path}: {field}: ")
    else:
        assert got.axes[field] == (float(written.replace("_", "")),)
        assert "_" not in written or all(len(part) == 3 for part in groups(written)[1:])


def groups(written):
    """The digits before the point, parted at underscores."""
    return written.partition(".")[0].split("_")


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.lists(st.from_regex("[0-9]{1,4}", fullmatch=True), min_size=1, max_size=4))
def test_a_list_has_as_many_values_as_it_seems_to_or_is_refused(load_written, items):
    """1,000 in a list is told as what it is; so is any number that starts with a zero."""
    path, got = load_written("seed", f"[{','.join(items)}]")
    if isinstance(got, SweepFileError):
        assert str(got).startswith(f"{path}: seed: ")
        repeated = len(set(map(int, items))) < len(items)
        assert repeated or any(item.startswith("0") and len(item) > 1 for item in items)
    else:
        assert got.axes["seed"] == tuple(map(int, items))


def grid_or_error(path):
    try:
        return load_sweep(path).grid
    except SweepFileError as error:
        return error


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.dictionaries(any_names, any_values, min_size=1, max_size=3), st.sets(any_names))
def test_any_file_is_a_sweep_or_told_by_file_and_field(write, changed, left_out):
    """Whatever YAML stands in it."""
    path = write({name: v for name, v in (VALID | changed).items() if name not in left_out})
    got = grid_or_error(path)
    if isinstance(got, SweepFileError):
        names = [*FIELDS, *changed, *map(reprlib.repr, changed)]
        assert str(got).startswith(tuple(f"{path}: {name}: " for name in names))
    else:
        assert 0 < got.size <= prod(len(values) for values in got.axes.values())
        assert got.first.depth in got.axes["depth"]
