"""JAX: one training written with grad, scan and Optax, vmapped over networks, jitted."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
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


OPTIMIZERS = {
    "gd": optax.identity(),
    "momentum": optax.trace(0.9),
    "adam": optax.scale_by_adam(0.9, 0.999, 1e-8),
}


def layer_normalized(h):
    """Over the units of each example."""
    return (h - h.mean(axis=0)) / jnp.sqrt(h.var(axis=0) + 1e-5)


@partial(jax.jit, static_argnames=("workload",))
def train(layers, rates, orders, inputs, targets, workload):
    """Final losses of a stack of networks; `orders` has each step's examples, if not all."""
    phi, optimizer = PHI[workload.activation], OPTIMIZERS[workload.optimizer]

    def loss_of(layers, inputs, targets):
        a = inputs
        for w, b in layers[:-1]:
            h = w @ a + b
            a = phi(layer_normalized(h) if workload.normalization == "layer" else h)
        w, b = layers[-1]
        return LOSSES[workload.loss](w @ a + b, targets)

    def train_one(layers, rate, order):
        def step(carried, taken):
            layers, state = carried
            some = (inputs, targets) if taken is None else (inputs[:, taken], targets[:, taken])
            moves, state = optimizer.update(jax.grad(loss_of)(layers, *some), state)
            return (jax.tree.map(lambda p, m: p - rate * m, layers, moves), state), None

        begin = layers, optimizer.init(layers)
        (layers, _), _ = jax.lax.scan(step, begin, order, length=workload.steps)
        return loss_of(layers, inputs, targets)

    return jax.vmap(train_one)(layers, rates, orders)


def prepare(workload: Workload, trials: range) -> Callable[[], Floats]:
    """A function that trains these trials; its first call compiles."""
    size = min(NETWORKS[workload.width], len(trials))
    inputs, targets = map(jnp.asarray, workload.data())
    stacks = []
    for first in range(trials.start, trials.stop, size):
        some = range(first, min(first + size, trials.stop))
        layers = [(jnp.asarray(p[:, :, :-1]), p[:, :, -1:]) for p in workload.start(some)]
        rates = jnp.asarray(workload.learning_rates(some), jnp.float32)
        orders = jnp.stack([workload.order(n) for n in some]) if workload.batch_size else None
        stacks.append((layers, rates, orders))

    def run() -> Floats:
        # Calls return before they are done; only the results are waited for.
        done = [train(*stack, inputs, targets, workload) for stack in stacks]
        return np.concatenate([np.asarray(losses) for losses in done])

    return run
