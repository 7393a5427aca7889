"""JAX: one training written with grad and scan, vmapped over networks, jitted."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from workloads import Floats, Workload

# Networks a call, measured: more no longer fit the cache, fewer no longer fill it.
NETWORKS = {16: 512, 32: 8, 64: 2, 128: 1}


def loss(layers, inputs, targets):
    """1/2 squared error of one network, mean over examples."""
    a = inputs
    for w, b in layers[:-1]:
        a = jnp.tanh(w @ a + b)
    w, b = layers[-1]
    return 0.5 * jnp.sum((w @ a + b - targets) ** 2) / inputs.shape[1]


@partial(jax.jit, static_argnames="steps")
def train(layers, rates, inputs, targets, steps):
    """Final losses of a stack of networks."""

    def train_one(layers, rate):
        def step(layers, _):
            gradients = jax.grad(loss)(layers, inputs, targets)
            return jax.tree.map(lambda p, g: p - rate * g, layers, gradients), None

        layers, _ = jax.lax.scan(step, layers, None, length=steps)
        return loss(layers, inputs, targets)

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
        done = [train(*stack, inputs, targets, workload.steps) for stack in stacks]
        return np.concatenate([np.asarray(losses) for losses in done])

    return run
