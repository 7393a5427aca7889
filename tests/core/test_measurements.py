"""Measurements of starts: those of each network alone."""

import numpy as np

from core.measuring.curvature import extreme_curvature
from core.measuring.measurements import measure_starts, stacked
from core.measuring.output_derivatives import output_derivatives

from .hessians import make_network, make_problem


def test_starts_have_both_ends_of_their_curvature_where_it_is_asked_for(rng):
    """The smallest is the smallest."""
    networks, problem = [make_network(seed=n) for n in range(3)], make_problem(rng)
    found = measure_starts(stacked(networks), problem, {"sharpness"})["runs"]
    smallest, largest = np.transpose([extreme_curvature(p, problem) for p in networks])
    assert (smallest < largest).all()
    np.testing.assert_array_equal(found["smallest_curvature"], smallest)
    np.testing.assert_array_equal(found["sharpness"], largest)


def test_starts_have_derivatives_of_their_outputs_where_they_are_asked_for(rng):
    """One each, the same bits as alone."""
    networks, problem = [make_network(seed=n) for n in range(3)], make_problem(rng)
    found = measure_starts(stacked(networks), problem, {"ntk"})
    assert found["layers"] == {}
    alone = [output_derivatives(p, problem) for p in networks]
    expected = {name: [one[name] for one in alone] for name in alone[0]}
    assert {name: column.tolist() for name, column in found["runs"].items()} == expected
    assert measure_starts(stacked(networks), problem, set())["runs"] == {}
