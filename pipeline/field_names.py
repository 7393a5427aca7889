"""A sweep file's field that does not exist: the one that was meant, or that there is none yet."""

import difflib
from collections.abc import Iterable

CLOSE = 0.8  # difflib's ratio: a letter or two amiss in a field's name

# What the fields are called elsewhere.
ELSEWHERE = {
    "activation": "act, activation_function, activation_fn, nonlinearity, non_linearity",
    "bias_scale": "bias_std, sigma_b",
    "dataset": "data, data_set",
    "depth": "layers, hidden_layers, n_layers, num_layers, number_of_layers",
    "dtype": "float_type, precision",
    "examples": "n_examples, n_samples, num_examples, num_samples, points, samples",
    "features": "normalization, normalize, preprocessing, scaling, standardize",
    "file": "csv, csv_path, data_file, data_path, dataset_path, file_path, filename, path",
    "init_scale": "gain, init_std, sigma, sigma_w, std, weight_scale, weight_std",
    "initializer": "init, initialisation, initialization, kernel_initializer, weight_init",
    "learning_rate": "alpha, eta, learning_rates, lr, rate, step_size",
    "loss": "cost, cost_function, criterion, loss_fn, loss_function, objective",
    "seed": "random_seed, random_state, rng, seeds",
    "steps": "epochs, iterations, max_epochs, max_iter, n_epochs, n_steps, num_epochs, num_steps, "
    "training_steps",
    "width": "hidden, hidden_dim, hidden_size, hidden_units, n_hidden, neurons, units",
}

DESCENT = "phasesweep trains by full-batch gradient descent; it has no {name} setting yet"
NETWORK = "phasesweep trains plain fully connected networks; it has no {name} setting yet"
WHOLE = (
    "phasesweep trains on all examples of a sweep and holds none out; it has no {name} setting yet"
)
CONSTANT = "a learning rate stays the same for a whole training; there is no {name} setting yet"

# What people ask for and is not there.
ABSENT = {
    DESCENT: "batch, batch_size, beta, beta1, beta2, betas, clip, clip_grad, clip_norm, "
    "clipping, grad_clip, gradient_clip, gradient_clipping, l1, l2, minibatch, mini_batch, "
    "momentum, nesterov, optim, optimiser, optimizer, regularization, solver, weight_decay",
    NETWORK: "architecture, batch_norm, batchnorm, bn, conv, dropout, dropout_rate, kernel_size, "
    "layer_norm, layernorm, model, normalization_layer, output_activation, residual, "
    "skip_connections",
    WHOLE: "early_stopping, patience, test_size, test_split, train_split, val_split, validation, "
    "validation_split",
    CONSTANT: "decay, learning_rate_schedule, lr_decay, lr_schedule, lr_scheduler, schedule, "
    "scheduler, warmup",
}


def remedy(name: str, known: Iterable[str]) -> str:
    """What to do about a field of this name, which is none of those known."""
    fields, asked = list(known), name.strip().lower().replace("-", "_").replace(" ", "_")
    for sentence, names in ABSENT.items():
        if asked in names.split(", "):
            return sentence.format(name=asked)
    for field, names in ELSEWHERE.items():
        if asked in names.split(", "):
            return f"phasesweep calls it {field}"
    close = difflib.get_close_matches(asked, fields, n=1, cutoff=CLOSE)
    return f"did you mean {close[0]}?" if close else f"the fields are {', '.join(fields)}"
