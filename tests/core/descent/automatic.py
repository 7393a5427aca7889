"""Small trainings, and their trajectories by JAX's automatic differentiation to compare with."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np

from core.datasets import baseline_loss, load_dataset, make_task
from core.gradient_descent import Problem
from core.hidden_widths import goes_with
from core.initializers import initial_params
from core.network import layer_widths

WIDTH, EXAMPLES, STEPS, RATE = 9, 21, 12, 0.02
# A start where each activation's signal neither dies nor explodes over 20 layers.
INIT_SCALES = {"relu": 1.4, "leaky_relu": 1.4, "gelu": 1.4, "silu": 1.6, "sigmoid": 3.0}


def make_problem(activation, loss, **hidden):
    task = make_task(load_dataset("wine", EXAMPLES), EXAMPLES, "standardized", "standardized")
    return Problem(task.inputs, task.targets, activation, loss, baseline_loss(task, loss), **hidden)


def start(initializer, layers, activation):
    """Of so many layers, or of the widths of hidden ones."""
    sizes = (WIDTH, 3, layers)
    if isinstance(layers, str):
        sizes = (goes_with(layers)["width"], 3, goes_with(layers)["depth"], layers)
    widths = layer_widths(13, *sizes)
    scale = 1.0 if initializer == "scaled_identity" else INIT_SCALES.get(activation, 1.0)
    return initial_params(initializer, widths, 4, scale, 0.1)


def trajectories(problems, starts):
    """Losses, gradient norms and last parameters of trainings from these starts, by JAX."""
    trainings = []
    for p, params in zip(problems, starts, strict=True):
        data = p.inputs[:-1], p.targets, p.activation, p.loss
        trainings.append((params, *data, RATE, STEPS, p.factor, p.normalization))
    command = [sys.executable, str(Path(__file__).parent / "trajectories.py")]
    done = subprocess.run(
        command, input=pickle.dumps(trainings), stdout=subprocess.PIPE, check=True
    )
    return pickle.loads(done.stdout)


def asked_activations(request):
    """Those of a test file's tests that are run, and tanh."""
    tests = [item for item in request.session.items if item.path == request.path]
    return {
        "tanh",
        *(
            t.callspec.params["activation"]
            for t in tests
            if "activation" in getattr(getattr(t, "callspec", None), "params", ())
        ),
    }


def relative_errors(descent, losses, norms, params):
    """Of the losses, the gradient norms and each layer's parameters, the largest."""
    errors = [np.abs(descent.losses / losses - 1).max()]
    errors.append(np.abs(descent.gradient_norms / norms[descent.logged_steps] - 1).max())
    errors += [
        np.abs(found - expected).max() / np.abs(expected).max()
        for found, expected in zip(descent.params, params, strict=True)
    ]
    return max(errors)
