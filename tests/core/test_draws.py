"""Draws: every class by its share, the same always."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.draws import class_shares, stratified

COUNTS = st.lists(st.integers(1, 400), min_size=2, max_size=30).map(np.array)


@given(COUNTS, st.data())
def test_each_class_gets_its_share(counts, data):
    """Within one of it, or the one example that a small class gets at least; all are used."""
    examples = data.draw(st.integers(len(counts), counts.sum()))
    shares = class_shares(counts, examples)
    exact = counts * examples / counts.sum()
    assert shares.sum() == examples
    assert np.all((shares >= 1) & (shares <= counts))
    if (exact >= 1).all():
        assert np.all(np.abs(shares - exact) < 1)
    assert np.all(shares <= np.maximum(np.ceil(exact), 1))


@pytest.mark.parametrize(
    ("counts", "examples", "shares"),
    [
        ([294, 6], 128, [125, 3]),
        ([294, 6], 10, [9, 1]),
        ([294, 6], 2, [1, 1]),
        ([5, 3, 2], 10, [5, 3, 2]),
        ([50, 30, 20], 7, [4, 2, 1]),  # 3.5, 2.1, 1.4
        ([10, 1, 1, 1, 1], 5, [1, 1, 1, 1, 1]),
        ([1, 7, 3, 7], 2, [0, 1, 0, 1]),  # fewer than classes: the largest
    ],
)
def test_shares_by_largest_remainder(counts, examples, shares):
    """Worked by hand."""
    assert class_shares(np.array(counts), examples).tolist() == shares


@given(COUNTS, st.data())
def test_a_draw_is_the_first_of_each_class_in_the_order_of_all(counts, data):
    """As many of each as its share, none twice, the order that of the whole data set."""
    labels = np.repeat(np.arange(len(counts)), counts)
    order = np.random.default_rng(len(counts)).permutation(counts.sum())
    examples = data.draw(st.integers(1, counts.sum()))
    chosen = stratified(order, labels, examples)
    shares = class_shares(counts, examples)
    expected = [
        place for label, share in enumerate(shares) for place in _first(order, labels, label, share)
    ]
    assert sorted(chosen) == sorted(expected)
    positions = {place: position for position, place in enumerate(order)}
    assert [positions[place] for place in chosen] == sorted(positions[place] for place in chosen)


def _first(order, labels, label, share):
    return [place for place in order if labels[place] == label][:share]
