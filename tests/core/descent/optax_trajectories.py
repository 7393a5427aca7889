"""Descent by JAX's automatic differentiation and Optax's updates in float64.

A program of its own, from pickled trainings to pickled trajectories, as trajectories.py. A
training is (params, inputs, targets, steps, update, rate, factors, order): tanh and cross-entropy,
`update` by the names of the settings, the learning rate, what each layer's weights and biases
take of it (biases that take none are no parameters), and each step's examples or None.
"""

import pickle
import sys

import jax
import jax.numpy as jnp
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)


def loss_of(layers, inputs, targets):
    a = inputs
    for p in layers[:-1]:
        a = jnp.tanh(p[:, :-1] @ a + p[:, -1:])
    outputs = layers[-1][:, :-1] @ a + layers[-1][:, -1:]
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(outputs, axis=0), axis=0))


value = jax.jit(loss_of)
gradients_of = jax.jit(jax.grad(loss_of))


def optimizer_of(update):
    """Optax's, at the rate 1; the rate of each step comes after it."""
    by_moments = {
        "gd": optax.identity(),
        "momentum": optax.trace(update["momentum"]),
        "nesterov": optax.trace(update["momentum"], nesterov=True),
        "adam": optax.scale_by_adam(update["momentum"], update["beta2"], update["epsilon"]),
    }
    clip = update["clip_norm"]
    return optax.chain(
        optax.clip_by_global_norm(clip) if clip else optax.identity(),
        optax.add_decayed_weights(update["weight_decay"], of_weights),
        by_moments[update["optimizer"]],
        optax.scale(-1.0),
    )


def schedule_of(update, steps):
    """Optax's share of the rate at each step."""
    warmup = update["warmup_steps"]
    after = {
        "constant": optax.constant_schedule(1.0),
        "warmup": optax.constant_schedule(1.0),
        "cosine": optax.cosine_decay_schedule(1.0, steps - warmup),
        "step": optax.exponential_decay(
            1.0, update["decay_steps"], update["decay_factor"], staircase=True
        ),
    }[update["schedule"]]
    if update["schedule"] not in ("warmup", "cosine") or not warmup:
        return after
    rise = optax.linear_schedule(1 / warmup, 1.0, warmup - 1)
    return optax.join_schedules([rise, after], [warmup])


def split(layers, biases=1):
    return [(p[:, :-1], biases * p[:, -1]) for p in layers]


def of_weights(layers):
    return [(True, False) for _ in layers]


def trajectory(params, inputs, targets, steps, update, rate, factors, order):
    """The losses of all examples before each step and after the last, and the last parameters."""
    layers, losses = [jnp.asarray(p) for p in params], []
    optimizer = optimizer_of(update)
    state, share = optimizer.init(split(layers)), schedule_of(update, steps)
    for step in range(steps):
        losses.append(value(layers, inputs, targets))
        taken = slice(None) if order is None else order[step]
        gradients = gradients_of(layers, inputs[:, taken], targets[:, taken])
        biases = any(of_bias for _, of_bias in factors)
        moves, state = optimizer.update(split(gradients, biases), state, split(layers))
        layers = [
            p + rate * share(step) * jnp.column_stack([of_w * move[0], of_b * move[1]])
            for p, move, (of_w, of_b) in zip(layers, moves, factors, strict=True)
        ]
    losses.append(value(layers, inputs, targets))
    return np.asarray(losses), [np.asarray(p) for p in layers]


if __name__ == "__main__":
    trainings = pickle.load(sys.stdin.buffer)
    pickle.dump([trajectory(*training) for training in trainings], sys.stdout.buffer)
