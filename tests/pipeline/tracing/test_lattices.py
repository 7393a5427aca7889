"""Nested vertices: every level holds the one before, cells lie in cells, the last level has all."""

import numpy as np
import pytest

from pipeline.tracing.lattices import Lattice, around, corners, extremes

SHAPES = [(257, 257), (1000,), (9, 300), (2, 3), (100, 37), (5, 40, 18)]


def of_level(lattice, level):
    everywhere = np.zeros(lattice.shape, np.int8)
    return lattice.numbers(np.ones(lattice.part(everywhere, level).shape, bool), level)


@pytest.mark.parametrize("shape", SHAPES)
def test_levels_are_nested_and_the_last_has_all(shape):
    lattice = Lattice(shape)
    levels = [of_level(lattice, level) for level in range(lattice.levels)]
    for coarse, fine in zip(levels, levels[1:], strict=False):
        assert set(coarse.tolist()) < set(fine.tolist())
    assert levels[-1].tolist() == list(range(lattice.size))
    corner = np.ravel_multi_index([[0, n - 1] for n in shape], shape)
    assert set(corner.tolist()) <= set(levels[0].tolist())


def test_the_coarse_grid_is_a_small_part_of_a_long_axis():
    """One vertex in 16 values, 9 to 33 of them; each level halves the gaps."""
    counts = [len(of_level(Lattice((1025,)), level)) for level in range(Lattice((1025,)).levels)]
    assert counts == [33, 65, 129, 257, 513, 1025]
    assert [len(of_level(Lattice((n,)), 0)) for n in (2, 9, 20, 257, 1024)] == [2, 9, 9, 17, 33]


def test_a_short_axis_has_all_its_values_from_the_first_level():
    lattice = Lattice((9, 300))
    rows, _ = np.unravel_index(of_level(lattice, 0), lattice.shape)
    assert sorted(set(rows.tolist())) == list(range(9))


@pytest.mark.parametrize("shape", SHAPES)
def test_children_lie_in_their_parents(shape, rng):
    """The vertices of the children of a cell lie within it, and their parents are the cell."""
    lattice = Lattice(shape)
    everywhere = np.arange(lattice.size).reshape(shape)
    for level in range(lattice.levels - 1):
        cells = np.zeros([n - 1 for n in lattice.part(everywhere, level).shape], bool)
        chosen = tuple(int(rng.integers(n)) for n in cells.shape)
        cells[chosen] = True
        own = np.array(np.unravel_index(lattice.numbers(corners(cells), level), shape))
        children = lattice.children(cells, level)
        inner = np.array(np.unravel_index(lattice.numbers(corners(children), level + 1), shape))
        assert (inner.min(axis=1) == own.min(axis=1)).all()
        assert (inner.max(axis=1) == own.max(axis=1)).all()
        assert (lattice.parents(children, level + 1) == cells).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cell_of_a_vertex_holds_it(shape):
    lattice = Lattice(shape)
    vertices = np.arange(lattice.size)
    places = np.unravel_index(vertices, shape)
    for level in range(lattice.levels):
        for axis, cells in enumerate(lattice.cells(vertices, level)):
            own = np.unique(np.unravel_index(of_level(lattice, level), shape)[axis])
            assert (own[cells] <= places[axis]).all()
            assert (places[axis] <= own[cells + 1]).all()


def test_around_reaches_diagonally_and_no_farther():
    cells = np.zeros((9, 9), bool)
    cells[4, 1] = True
    near = around(cells, 2)
    assert near[2:7, :4].all()
    assert near.sum() == 5 * 4


def test_extremes_are_those_of_a_cells_corners(rng):
    values = rng.integers(-2, 3, (4, 5, 3)).astype(np.int8)
    least, largest = extremes(values)
    assert least.shape == (3, 4, 2)
    for cell in np.ndindex(least.shape):
        own = values[tuple(slice(n, n + 2) for n in cell)]
        assert (least[cell], largest[cell]) == (own.min(), own.max())
