"""Settings as PyTorch: lines that compile and do the same arithmetic as phasesweep.

PyTorch itself is not installed for the tests: a stand-in records what it was asked for.
"""

import itertools
import re
from types import SimpleNamespace

import numpy as np
import pytest

from analysis.explaining.pytorch_lines import conventions, pytorch_lines
from core.datasets import SCALINGS
from core.functions.activations import ACTIVATIONS
from core.gradient_descent import Update
from core.hidden_layers import NORMALIZATIONS
from core.hidden_widths import listed_widths
from core.initializers import INITIALIZERS
from core.losses import LOSSES, mse
from core.optimization.schedules import rate_factors
from core.trials import SETTINGS as KNOWN

SETTINGS = {name: setting.encoded(setting.written) for name, setting in KNOWN.items()} | {
    "dataset": "digits",
    "examples": 64,
    "depth": 4,
    "width": 16,
    "activation": "tanh",
    "init_scale": 1.41421356,
    "learning_rate": 0.1,
    "loss": "mse",
    "steps": 500,
    "seed": 3,
}


def code(changed, **settings):
    """The lines as one script, which compiles."""
    text = "\n".join(pytorch_lines({**SETTINGS, **settings}, changed))
    compile(text, "lines", "exec")
    return text


@pytest.mark.parametrize("changed", [*([name] for name in KNOWN), list(KNOWN)])
def test_every_setting_has_lines_that_compile(changed):
    """But for what is measured or judged beside the training, or ends it."""
    trains = any(KNOWN[name].decides == "training" for name in changed)
    assert bool(code(changed)) == trains


@pytest.mark.parametrize(
    ("activation", "initializer", "features", "loss"),
    [*itertools.zip_longest(ACTIVATIONS, INITIALIZERS, SCALINGS, LOSSES)],
)
def test_every_name_has_lines(activation, initializer, features, loss):
    """Of the trainer's activations, initializers, scalings and losses."""
    names = {"activation": activation, "initializer": initializer}
    names |= {"features": features, "loss": loss}
    given = {name: value for name, value in names.items() if value}
    assert code(given, **given)
    assert code(["depth"], **given)


def test_the_numbers_are_the_settings():
    """Init scale over the root of the fan-in, and the learning rate as it is."""
    assert code(["init_scale"]).splitlines()[1:] == [
        "    torch.nn.init.normal_(layer.weight, 0, 1.414 / layer.in_features**0.5)",
        "    torch.nn.init.zeros_(layer.bias)",
    ]
    assert "torch.nn.init.normal_(layer.bias, 0, 0.3)" in code(["bias_scale"], bias_scale=0.3)
    assert code(["learning_rate"]) == "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)"
    assert "gain=1.414" in code(["init_scale"], initializer="orthogonal")


def test_leaky_relu_has_the_slope_that_pytorchs_has_unasked():
    """torch.nn.LeakyReLU takes 0.01 below zero if it is given no other slope."""
    assert ACTIVATIONS["leaky_relu"].asymptotic_slopes == (0.01, 1)


class Tensor(np.ndarray):
    """Enough of a PyTorch tensor for a loss and for scaling features."""

    def square(self):
        """Each element's square."""
        return self * self

    def std(self, axis, correction):
        """As PyTorch names its arguments."""
        return np.asarray(self).std(axis, ddof=correction).view(Tensor)


def test_the_loss_is_ours_and_mseloss_is_off_by_the_factor_said(rng):
    """1/2 sum over outputs, mean over examples, beside a mean over both."""
    outputs, targets = rng.normal(size=(2, 64, 10)).view(Tensor)
    ours = mse(outputs.T[None].copy(), targets.T)[0]
    namespace = {"net": lambda inputs: outputs, "inputs": None, "targets": targets}
    exec(LOSSES["mse"].torch, namespace)
    assert namespace["loss"] == pytest.approx(ours)
    factor = float(re.search(r"multiply the rate by (\S+?)\.$", conventions(SETTINGS)).group(1))
    assert factor * ((outputs - targets) ** 2).mean() == pytest.approx(ours)
    other = conventions({**SETTINGS, "dataset": "mine.csv-0123456789ab"})
    assert "half the number of outputs" in other
    assert "same loss" in conventions({**SETTINGS, "loss": "cross_entropy"})


def test_what_is_said_of_pytorchs_own_losses():
    """Of one output its mean over outputs is no other; of ten it is a tenth."""
    binary = {**SETTINGS, "loss": "binary_cross_entropy"}
    assert "multiply the rate by 10." in conventions(binary)
    assert "multiply the rate by 1." in conventions({**binary, "dataset": "breast_cancer"})
    mine = conventions({**binary, "dataset": "mine.csv-0123456789ab"})
    assert "multiply the rate by the number of outputs." in mine
    squared = {**SETTINGS, "loss": "sigmoid_mse", "dataset": "breast_cancer"}
    assert "multiply the rate by 0.5." in conventions(squared)
    assert ", 1]" in code(["depth"], loss="sigmoid_mse", dataset="breast_cancer")
    assert ", 2]" in code(["depth"], loss="softmax_mse", dataset="breast_cancer")


def test_standardized_features_are_ours(rng):
    """The deviation over the number of examples, not one less."""
    inputs = rng.normal(2, 3, size=(64, 5)).view(Tensor)
    namespace = {"inputs": inputs}
    exec(code(["features"]), namespace)
    expected = (np.asarray(inputs) - inputs.mean(0)) / np.asarray(inputs).std(0)
    np.testing.assert_allclose(namespace["inputs"], expected)


class Sequential(list):
    """A list of layers, sliced into another one."""

    def __getitem__(self, place):
        """A slice stays a Sequential."""
        return Sequential(super().__getitem__(place))


@pytest.mark.parametrize("hidden", [[], [16], [16] * 4, [16, 5, 9]])
def test_a_network_has_its_hidden_layers_and_linear_outputs(hidden):
    """As many as `depth` says, each as wide as it is; 64 features, 10 classes."""
    shape = listed_widths(hidden) if hidden else {"depth": 1}
    nn = SimpleNamespace(Sequential=Sequential, Linear=lambda *sizes: sizes, ReLU=lambda: "ReLU")
    lines = code(["width"], **shape, activation="relu").split("\nfor layer in")[0]
    namespace = {"torch": SimpleNamespace(nn=nn), "inputs": np.empty((7, 64))}
    exec(lines, namespace)
    sizes = list(itertools.pairwise([64, *hidden, 10]))
    expected = [layer for size in sizes for layer in (size, "ReLU")][:-1]
    assert namespace["net"] == expected


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_normalization_stands_between_the_linear_layer_and_the_activation(name):
    """With the width, and without one for the outputs."""
    layers = {"LayerNorm": "layer", "BatchNorm1d": "batch"}
    nn = SimpleNamespace(Sequential=Sequential, Linear=lambda *sizes: sizes, ReLU=lambda: "ReLU")
    for layer, known in layers.items():
        setattr(nn, layer, lambda width, known=known, **options: (known, width, options))
    lines = code(["normalization"], depth=3, activation="relu", normalization=name)
    namespace = {"torch": SimpleNamespace(nn=nn), "inputs": np.empty((7, 64))}
    exec(lines.split("\nfor layer in")[0], namespace)
    first, norm, phi, *rest = namespace["net"]
    assert (first, norm[:2], phi) == ((64, 16), (name, 16), "ReLU")
    assert set(norm[2].values()) == {False}
    assert rest == [(16, 16), norm, phi, (16, 10)]


class Module:
    """What PyTorch's modules have in common."""

    def __call__(self, inputs):
        """Calls forward."""
        return self.forward(inputs)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_residual_network_adds_its_branches_to_what_they_are_given(depth):
    """Of layers that double, a branch of factor 1/2 doubles too; none past the first and last."""
    given, chain = [], lambda *layers: lambda x: [x := layer(x) for layer in layers][-1]

    def sequential(*layers):
        return chain(*layers) if layers else given

    def linear(fan_in, fan_out):
        return lambda x: 2 * x

    nn = SimpleNamespace(Sequential=sequential, Linear=linear, ReLU=lambda: abs, Module=Module)
    lines = code(["residual"], depth=depth, activation="relu", residual="0.5")
    namespace = {"torch": SimpleNamespace(nn=nn), "inputs": np.empty((7, 64))}
    exec(lines.split("\nfor layer in")[0], namespace)
    assert [type(each).__name__ == "Branch" for each in given] == [
        0 < layer < depth - 1 for layer in range(depth)
    ]
    assert chain(*given)(1.0) == 2.0**depth


def test_another_activation_is_a_line():
    """PyTorch has a layer for each but erf, which is written."""
    assert code(["activation"], activation="leaky_relu") == (
        "torch.nn.LeakyReLU()  # in place of the activation"
    )
    assert code(["activation"], activation="erf").startswith("class Erf(torch.nn.Module):")


def test_the_optimizer_has_its_own_call():
    """With its momentum; a decay is of the weights alone, as here."""
    assert code(["optimizer"], optimizer="nesterov").endswith(
        "lr=0.1, momentum=0.9, nesterov=True)"
    )
    adam = code(["beta2"], optimizer="adam", beta2=0.99, weight_decay=0.01)
    assert 'decayed = {"params": weights, "weight_decay": 0.01}' in adam
    assert adam.endswith(
        'torch.optim.Adam([decayed, {"params": biases}], lr=0.1, betas=(0.9, 0.99), eps=1e-08)'
    )


@pytest.mark.parametrize("schedule", ["warmup", "cosine", "step"])
def test_a_schedule_in_pytorch_is_ours(schedule):
    """Its function of the step gives each step's share of the rate."""
    settings = {"schedule": schedule, "warmup_steps": 7, "decay_steps": 8, "decay_factor": 0.5}
    lines = code(["schedule"], **settings, steps=50).splitlines()
    found = {}

    def scheduler(optimizer, share):
        found["share"] = share

    lr_scheduler = SimpleNamespace(LambdaLR=scheduler)
    torch = SimpleNamespace(optim=SimpleNamespace(lr_scheduler=lr_scheduler))
    exec("\n".join(lines[:2]), namespace := {"torch": torch, "optimizer": None})
    assert "math" in namespace
    expected = rate_factors(Update(**settings), 50, np.arange(50))
    np.testing.assert_allclose([found["share"](t) for t in range(50)], expected)


def test_batches_and_clipping_stand_in_the_loop():
    """Where PyTorch has them; without them the loop has no line of theirs."""
    lines = code(["batch_size", "clip_norm"], batch_size=32, clip_norm=0.5)
    assert "torch.randperm(len(all_inputs)).split(32)" in lines
    assert (
        "    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)\n    optimizer.step()" in lines
    )
    assert not re.search("batch|clip|scheduler", code(["steps"]))
    assert "Every step takes 32 examples, without" in conventions({**SETTINGS, "batch_size": 32})
    assert "multiply the rate" not in conventions({**SETTINGS, "optimizer": "adam"})
