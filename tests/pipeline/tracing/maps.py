"""Dense maps of labels whose boundaries are known, and what tracing one comes to."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.tracing.audits import Audit, sample
from pipeline.tracing.fronts import Asked, Front
from pipeline.tracing.labels import UNKNOWN
from pipeline.tracing.lattices import Lattice


def circle(*shape):
    """1 within a circle, a ball or an interval around a point beside the middle."""
    axes = np.meshgrid(*(np.linspace(-1, 1, count) for count in shape), indexing="ij")
    return (sum((axis - 0.07) ** 2 for axis in axes) < 0.6**2).astype(np.int8)


def line(*shape):
    """1 above a slanting line."""
    rows, columns = np.indices(shape) / np.array(shape)[:, None, None]
    return (rows > 0.3 * columns + 0.21).astype(np.int8)


def newton(*shape):
    """To which root of z^3 = 1 Newton's iteration leads."""
    x, y = (np.linspace(-2, 2.01, count) for count in shape)
    z = x[:, None] + 1j * y
    for _ in range(40):
        z = z - (z**3 - 1) / (3 * z**2)
    return np.abs(z[..., None] - np.exp(2j * np.pi * np.arange(3) / 3)).argmin(-1).astype(np.int8)


def julia(*shape):
    """Whether z^2 - 0.8 + 0.156i stays bounded."""
    x, y = (np.linspace(-1.6, 1.6, count) for count in shape)
    z = x[:, None] + 1j * y
    bounded = np.ones(shape, bool)
    for _ in range(60):
        z = np.where(bounded, z**2 - 0.8 + 0.156j, z)
        bounded &= np.abs(z) < 4
    return bounded.astype(np.int8)


def boundary(labels):
    """The vertices of which a direct neighbor has another label."""
    found = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        along, own = np.moveaxis(labels, axis, 0), np.moveaxis(found, axis, 0)
        own[1:] |= along[1:] != along[:-1]
        own[:-1] |= along[1:] != along[:-1]
    return found


@dataclass(frozen=True)
class Traced:
    """A map that was traced: its trained vertices, and the map inferred from them."""

    labels: np.ndarray
    trained: np.ndarray
    inferred: np.ndarray
    asked: list[Asked]
    audit: Audit

    @property
    def share(self):
        """How much of it was trained."""
        return self.trained.mean()

    @property
    def missed(self):
        """The share of the dense map's boundary that is not seen on the inferred one."""
        edge = boundary(self.labels)
        return (edge & ~boundary(self.inferred)).sum() / max(1, edge.sum())

    @property
    def wrong(self):
        """The share of wrong labels among the inferred ones."""
        return (self.inferred != self.labels)[~self.trained].mean()


def traced(labels, seed=0, drawn=None):
    """Trace a map; `drawn` are the vertices to audit with."""
    if drawn is None:
        drawn = sample({"seed": seed}, {}, labels.size)
    front, steps = Front(Lattice(labels.shape), drawn), []
    trained = np.zeros(labels.shape, bool)
    for asked in front.rounds():
        for each in asked:
            assert not trained.flat[each.vertices].any()
            trained.flat[each.vertices] = True
            front.learn(each.vertices, labels.flat[each.vertices])
            steps.append(each)
    known = np.where(trained, labels, UNKNOWN)
    nearest = ndimage.distance_transform_edt(~trained, return_distances=False, return_indices=True)
    return Traced(labels, trained, known[tuple(nearest)], steps, front.audit)
