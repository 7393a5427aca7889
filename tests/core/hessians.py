"""A small network, what it is trained on, and its Hessian formed column by column."""

import numpy as np

from core.gradient_descent import Problem
from core.initializers import initial_params
from core.measuring.hessian import Hessian

WIDTHS = (5, 7, 4, 3)
# Hidden layers that are not plain.
HIDDEN = (
    {"factor": 0.7},
    {"normalization": "layer"},
    {"normalization": "batch"},
    {"factor": 0.7, "normalization": "layer"},
    {"factor": 0.7, "normalization": "batch"},
)


def make_problem(rng, activation="tanh", loss="mse", widths=WIDTHS, examples=6, **hidden):
    inputs = np.concatenate([rng.standard_normal((widths[0], examples)), np.ones((1, examples))])
    targets = np.eye(widths[-1])[rng.integers(widths[-1], size=examples)].T
    return Problem(inputs, targets, activation, loss, 1.0, **hidden)


def make_network(widths=WIDTHS, init_scale=1.3, seed=0):
    return initial_params("gaussian", widths, seed, init_scale, 0.4)


def dense_hessian(params, problem):
    """H e_i for every parameter i: (parameters, parameters)."""
    hessian = Hessian(params, problem)
    return np.stack([hessian.matvec(column) for column in np.eye(hessian.size)])
