"""JAX: one training written with grad and scan, vmapped over networks, jitted."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from workloads import Floats, Workload

# Networks a call, measured: more no longer fit the cache, fewer no longer fill it.
NETWORKS = {16: 512, 24: 32, 32: 8, 48: 4, 64: 2, 128: 1}
PHI = {"tanh": jnp.tanh, "relu": jax.nn.relu, "gelu": partial(jax.nn.gelu, approximate=False)}


def mse(outputs, targets):
    """1/2 squared error, mean over examples."""
    return 0.5 * jnp.sum((outputs - targets) ** 2) / targets.shape[1]


def cross_entropy(outputs, targets):
    """Softmax cross-entropy, mean over examples."""
    return -jnp.sum(targets * jax.nn.log_softmax(outputs, axis=0)) / targets.shape[1]


LOSSES = {"mse": mse, "cross_entropy": cross_entropy}


@partial(jax.jit, static_argnames=("activation", "loss", "steps"))
def train(layers, rates, inputs, targets, activation, loss, steps):
    """Final losses of a stack of networks."""

    def loss_of(layers):
        a = inputs
        for w, b in layers[:-1]:
            a = PHI[activation](w @ a + b)
        w, b = layers[-1]
        return LOSSES[loss](w @ a + b, targets)

    def train_one(layers, rate):
        def step(layers, _):
            gradients = jax.grad(loss_of)(layers)
            return jax.tree.map(lambda p, g: p - rate * g, layers, gradients), None

        layers, _ = jax.lax.scan(step, layers, None, length=steps)
        return loss_of(layers)

    return jax.vmap(train_one)(layers, rates)


def prepare(workload: Workload, trials: range) -> Callable[[], Floats]:
    """A function that trains these trials; its first call compiles."""
    size = min(NETWORKS[workload.width], len(trials))
    inputs, targets = map(jnp.asarray, workload.data())
    stacks = []
    for first in range(trials.start, trials.stop, size):
        some = range(first, min(first + size, trials.stop))
        layers = [(jnp.asarray(p[:, :, :-1]), p[:, :, -1:]) for p in workload.start(some)]
        stacks.append((layers, jnp.asarray(workload.learning_rates(some), jnp.float32)))

    def run() -> Floats:
        # Calls return before they are done; only the results are waited for.
        fixed = (workload.activation, workload.loss, workload.steps)
        done = [train(*stack, inputs, targets, *fixed) for stack in stacks]
        return np.concatenate([np.asarray(losses) for losses in done])

    return run
