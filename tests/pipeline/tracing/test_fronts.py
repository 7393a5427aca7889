"""Tracing finds the boundary of a map from a part of its cells."""

import numpy as np
import pytest

from pipeline.tracing.fronts import Front
from pipeline.tracing.labels import UNDECIDED, UNKNOWN
from pipeline.tracing.lattices import Lattice, around, extremes

from .maps import boundary, circle, julia, line, newton, traced

NOTHING = np.empty(0, np.int64)


@pytest.mark.parametrize(
    ("labels", "most"),
    [
        (circle(513, 513), 0.09),
        (circle(300, 1000), 0.1),
        (circle(90, 41), 0.7),
        (line(500, 257), 0.07),
        (newton(257, 257), 0.31),
        (julia(513, 513), 0.25),
        (circle(5000), 0.08),
        (circle(65, 70, 60), 0.45),
    ],
    ids=["circle", "oblong", "small", "line", "newton", "julia", "one axis", "three axes"],
)
def test_a_boundary_is_found_from_a_part_of_the_map(labels, most):
    """All of it: the map inferred from what was trained is the dense one."""
    found = traced(labels)
    assert found.share < most
    assert (found.inferred == labels).all()
    assert found.trained[boundary(labels)].all()


def test_a_map_of_one_label_costs_its_coarse_grid_and_the_audit():
    found = traced(np.zeros((257, 257), np.int8))
    reasons = {each.reason for each in found.asked if len(each.vertices)}
    assert reasons == {"base", "audit"}
    assert found.trained.sum() < 17 * 17 + 331
    assert found.audit.wrong == 0
    assert 0 < found.audit.bound < 0.012


def test_a_map_of_noise_is_trained_whole(rng):
    """Nothing is inferred, so nothing can be wrong."""
    found = traced(rng.integers(0, 2, (100, 80)).astype(np.int8))
    assert found.trained.all()
    assert found.audit.bound == 0


def test_what_is_asked_for_says_at_which_level_and_why():
    """Levels rise; the coarse grid comes first, and each level follows before it splits."""
    found = traced(newton(300, 257))
    levels = [each.level for each in found.asked if each.reason in ("base", "split")]
    assert levels[0] == 0
    assert levels == sorted(levels)
    assert set(levels) == set(range(Lattice((300, 257)).levels))
    asked = np.concatenate([each.vertices for each in found.asked])
    assert len(np.unique(asked)) == len(asked) == found.trained.sum()


@pytest.mark.parametrize("reach", [0, 5])
def test_an_island_is_found_only_if_the_audit_meets_it(reach):
    """Then all of its coast is traced: from one vertex, down to the finest level."""
    labels, middle = np.zeros((257, 257), np.int8), (117, 72)
    labels[112:123, 65:80] = 1
    at = np.ravel_multi_index((middle[0], middle[1] + 10 * (reach == 0)), labels.shape)
    found = traced(labels, drawn=np.array([at]))
    if reach:
        assert (found.audit.audited, found.audit.wrong) == (1, 1)
        assert (found.inferred == labels).all()
        assert found.share < 0.04
    else:
        assert (found.audit.audited, found.audit.wrong) == (1, 0)
        assert not found.inferred.any()


def test_an_island_of_one_vertex_is_cornered():
    """Where the audit hit it: its neighbors are trained, though no corner ever shows it."""
    labels = np.zeros((257, 257), np.int8)
    labels[101, 37] = 1
    found = traced(labels, drawn=np.array([101 * 257 + 37]))
    assert (found.inferred == labels).all()
    assert found.trained[100:103, 36:39].all()


@pytest.mark.parametrize("column", range(60, 68))
def test_a_speck_beside_a_boundary_is_found(column):
    """A single vertex of another label, seven from the edge: only the finest level meets it."""
    labels = line(257, 257)
    edge = int(np.flatnonzero(np.diff(labels[:, column]))[0])
    labels[edge - 7, column] = 1
    assert (traced(labels, drawn=NOTHING).inferred == labels).all()


def test_a_thin_strait_is_followed():
    """A line of another label that only starts where the coarse grid sees it."""
    labels = np.zeros((257, 257), np.int8)
    labels[:, :40] = 1
    labels[100:102, 40:] = 1
    found = traced(labels, drawn=NOTHING)
    assert (found.inferred == labels).all()
    reasons = {each.reason for each in found.asked if len(each.vertices)}
    assert "follow" in reasons


@pytest.mark.parametrize("labels", [newton(257, 200), julia(300, 257)], ids=["newton", "julia"])
def test_neighboring_cells_differ_by_one_level_at_most(labels):
    """Around the cells in which a level's cells lie, all cells of the level before are known."""
    found, lattice = traced(labels, drawn=NOTHING), Lattice(labels.shape)
    trained = found.trained.astype(np.int8)
    for level in range(1, lattice.levels):
        known = extremes(lattice.part(trained, level))[0] == 1
        before = extremes(lattice.part(trained, level - 1))[0] == 1
        assert before[around(lattice.parents(known, level), 1)].all()


def test_a_band_that_is_undecided_is_refined():
    """Where seeds disagree about as often as not, as if it were all boundary."""
    labels = circle(257, 257)
    edge = np.abs(np.hypot(*(np.indices(labels.shape) - 136.96)) - 76.8) < 20
    found = traced(np.where(edge, UNDECIDED, labels).astype(np.int8))
    assert found.trained[edge].all()
    assert edge.mean() < found.share < 0.75


def test_a_vertex_that_cannot_be_trained_stops_nothing():
    """It stays unknown, and is not asked for without end."""
    labels = circle(129, 129)
    labels[40:44, :] = UNKNOWN
    front = Front(Lattice(labels.shape), NOTHING)
    for asked in front.rounds():
        for each in asked:
            front.learn(each.vertices, labels.flat[each.vertices])
    assert front.audit.untrained > 0
