"""Gradient descent by JAX's automatic differentiation in float64: nothing of ours enters.

A program of its own, from pickled trainings to pickled trajectories: JAX starts threads, and
would warn in every later test that forks a process.
"""

import pickle
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # most of the time it compiles

PHI = {
    "linear": lambda h: h,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "erf": jax.lax.erf,
    "relu": jax.nn.relu,
    "leaky_relu": lambda h: jax.nn.leaky_relu(h, 0.01),
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "gelu": lambda h: jax.nn.gelu(h, approximate=False),
    "silu": jax.nn.silu,
    "softplus": jax.nn.softplus,
}


def mse(outputs, targets):
    return 0.5 * jnp.sum((outputs - targets) ** 2) / targets.shape[1]


def cross_entropy(outputs, targets):
    return -jnp.sum(targets * jax.nn.log_softmax(outputs, axis=0)) / targets.shape[1]


def binary_cross_entropy(outputs, targets):
    right = targets * jax.nn.log_sigmoid(outputs) + (1 - targets) * jax.nn.log_sigmoid(-outputs)
    return -jnp.sum(right) / targets.shape[1]


# Over which means are taken, of (units, examples).
AXES = {"none": None, "layer": 0, "batch": 1}
LOSS = {
    "mse": mse,
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "sigmoid_mse": lambda outputs, targets: mse(jax.nn.sigmoid(outputs), targets),
    "softmax_mse": lambda outputs, targets: mse(jax.nn.softmax(outputs, axis=0), targets),
}


@partial(jax.jit, static_argnames=("steps", "residual", "axis"))
def _trace(layers, inputs, targets, learning_rate, factor, activation, loss, steps, residual, axis):
    """The loss, the gradient's norm and the parameters before each step and after the last.

    Activation and loss are places in PHI and LOSS: one compiled program has all of them.
    """

    def phi(h):
        return jax.lax.switch(activation, list(PHI.values()), h)

    def hidden(a, p):
        h = p[:, :-1] @ a + p[:, -1:]
        return phi(h if axis is None else jax.nn.standardize(h, axis=axis, epsilon=1e-5))

    def inside(a, p):
        """A hidden layer but the first: it may be a branch beside what it is given."""
        return (a + factor * hidden(a, p) if residual else hidden(a, p)), None

    def loss_of(layers):
        first, inner, last = layers
        a = inputs
        for p in first:
            a = hidden(a, p)
        if first:
            # A loop in the compiled program, lest a deep network take seconds to compile.
            a, _ = jax.lax.scan(inside, a, inner)
        outputs = last[:, :-1] @ a + last[:, -1:]
        return jax.lax.switch(loss, list(LOSS.values()), outputs, targets)

    def step(layers, _):
        value, gradients = jax.value_and_grad(loss_of)(layers)
        norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(gradients)))
        moved = jax.tree.map(lambda p, g: p - learning_rate * g, layers, gradients)
        return moved, (value, norm, layers)

    return jax.lax.scan(step, layers, None, length=steps + 1)[1]


def trajectory(
    params, inputs, targets, activation, loss, learning_rate, steps, factor, normalization
):
    """The losses and gradient norms, (steps + 1,), and the last parameters of a network."""
    width, depth = len(params[0]), len(params)
    first = params[: min(depth - 1, 1)]
    if any(len(p) != width for p in params[:-1]):  # of layers that differ no loop can be made
        first, width = params[:-1], len(params[-2])
    inner = np.reshape(params[len(first) : -1], (-1, width, width + 1))
    layers = (first, inner, params[-1])
    residual = factor is not None
    scaled = (learning_rate, factor if residual else 0.0)
    places = list(PHI).index(activation), list(LOSS).index(loss)
    traced = _trace(layers, inputs, targets, *scaled, *places, steps, residual, AXES[normalization])
    losses, norms, (first, inner, last) = traced
    layers = [*(p[-1] for p in first), *np.asarray(inner[-1]), last[-1]]
    return np.asarray(losses), np.asarray(norms), [np.asarray(p) for p in layers]


if __name__ == "__main__":
    trainings = pickle.load(sys.stdin.buffer)
    # All in these tables is compiled: only what is asked for.
    for table, place in ((PHI, 3), (LOSS, 4)):
        for name in table.keys() - {training[place] for training in trainings}:
            del table[name]
    pickle.dump([trajectory(*training) for training in trainings], sys.stdout.buffer)
