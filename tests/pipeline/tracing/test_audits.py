"""The audit: a sample that never changes, and a bound that holds."""

import numpy as np
import pytest
from scipy import stats

from pipeline.tracing.audits import Audit, sample

from .maps import circle, julia, line, newton, traced

PANEL = {"depth": 2, "activation": "tanh"}
AXES = {"learning_rate": [0.1, 0.2], "init_scale": [1.0, 2.0]}


@pytest.mark.parametrize(("audited", "wrong"), [(300, 0), (300, 7), (5, 4), (1, 0)])
def test_the_bound_is_that_of_clopper_and_pearson(audited, wrong):
    """SciPy's exact interval of one side."""
    interval = stats.binomtest(wrong, audited, alternative="less").proportion_ci(0.95, "exact")
    assert Audit(audited, wrong, 9).bound == pytest.approx(interval.high, rel=1e-9)


def test_a_bound_without_knowledge_excludes_nothing():
    """And where no label is inferred, none is wrong."""
    assert Audit(0, 0, 9).bound == Audit(4, 4, 9).bound == 1
    assert Audit(300, 2, 0).bound == 0


def test_the_sample_is_that_of_the_panel_for_ever():
    """Pinned: another sample would train other vertices when an older store is resumed."""
    drawn = sample(PANEL, AXES, 10_000)
    assert drawn[:4].tolist() == [11, 40, 193, 224]
    assert (np.diff(drawn) > 0).all()
    assert drawn.max() < 10_000
    assert drawn.tolist() == sample(dict(reversed(PANEL.items())), AXES, 10_000).tolist()
    assert drawn.tolist() != sample({**PANEL, "depth": 3}, AXES, 10_000).tolist()
    assert drawn.tolist() != sample(PANEL, {**AXES, "init_scale": [1.0, 3.0]}, 10_000).tolist()


@pytest.mark.parametrize(
    ("size", "least", "most"), [(100, 1, 2), (10_000, 190, 200), (10**6, 4900, 5000)]
)
def test_the_sample_grows_with_the_panel(size, least, most):
    assert least <= len(sample(PANEL, AXES, size)) <= most


def test_the_sample_is_uniform():
    """Each tenth of the vertices has its tenth, within what chance allows."""
    counts, _ = np.histogram(sample(PANEL, AXES, 10**6), 10, (0, 10**6))
    assert stats.chisquare(counts).pvalue > 1e-4


def test_the_audit_is_honest_on_ten_maps(rng):
    """Where tracing must go wrong: maps with specks that nothing leads to.

    The true share of wrong labels lies below the bound at least nine times of ten, and the
    bound is no empty one.
    """
    maps = [make(193, 193) for make in (circle, line, newton, julia)] * 3
    honest, wrong = 0, 0.0
    for number, labels in enumerate(maps[:10]):
        specks = rng.random(labels.shape) < 10.0 ** -(2 + number % 3)
        found = traced(np.where(specks, 3, labels).astype(np.int8), seed=number)
        assert found.audit.bound < 0.08
        wrong += found.wrong
        honest += found.wrong <= found.audit.bound
    assert wrong > 0.01
    assert honest >= 9
