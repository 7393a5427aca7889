"""Settings as lines of PyTorch that a reader can paste into a script of their own.

They call the network `net`, its data `inputs` (examples, features) and `targets`
(examples, outputs) or, for cross-entropy, (examples,) class numbers.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from core.datasets import DATASETS

Settings = Mapping[str, Any]

LAYERS = {
    "linear": "torch.nn.Identity()",
    "sigmoid": "torch.nn.Sigmoid()",
    "tanh": "torch.nn.Tanh()",
    "erf": "Erf()",
    "relu": "torch.nn.ReLU()",
    "leaky_relu": "torch.nn.LeakyReLU()",
    "elu": "torch.nn.ELU()",
    "selu": "torch.nn.SELU()",
    "gelu": "torch.nn.GELU()",
    "silu": "torch.nn.SiLU()",
    "softplus": "torch.nn.Softplus()",
}
# PyTorch has a function of that name, but no layer.
ERF = ("class Erf(torch.nn.Module):", "    forward = staticmethod(torch.erf)")

WEIGHTS = {
    "gaussian": "torch.nn.init.normal_(layer.weight, 0, {0:.4g} / layer.in_features**0.5)",
    "orthogonal": "torch.nn.init.orthogonal_(layer.weight, gain={0:.4g})",
    "scaled_identity": "torch.nn.init.eye_(layer.weight).data.mul_({0:.4g})",
}
FEATURES = {
    "raw": "inputs = inputs  # as they are",
    "centered": "inputs = inputs - inputs.mean(0)",
    "standardized": "inputs = (inputs - inputs.mean(0)) / inputs.std(0, correction=0)",
}
TARGETS = {
    "raw": "targets = targets  # as they are",
    "standardized": "targets = (targets - targets.mean(0)) / targets.std(0, correction=0)",
}
# As core.losses: 1/2 sum over outputs, mean over examples; and softmax cross-entropy in nats.
LOSSES = {
    "mse": "loss = (net(inputs) - targets).square().sum(1).mean() / 2",
    "cross_entropy": "loss = torch.nn.functional.cross_entropy(net(inputs), targets)",
}


def pytorch_lines(settings: Settings, changed: Collection[str]) -> Iterator[str]:
    """The lines that bring changed settings into a PyTorch script, in the order of a script.

    A network of another shape is initialized and given an optimizer anew. What decides on
    examples or measurements has no line.

    Args:
        settings: All settings, as changed.
        changed: The names of those that did.
    """
    told = set(changed)
    if told & {"depth", "width"}:
        told = told - {"activation"} | {"depth", "init_scale", "learning_rate"}
    for names, lines in PARTS:
        if told & set(names):
            yield from lines(settings)


def _dtype(settings: Settings) -> Iterator[str]:
    yield f"torch.set_default_dtype(torch.{settings['dtype']})"


def _features(settings: Settings) -> Iterator[str]:
    yield FEATURES[settings["features"]]


def _targets(settings: Settings) -> Iterator[str]:
    yield TARGETS[settings["targets"]]


def _seed(settings: Settings) -> Iterator[str]:
    yield f"torch.manual_seed({settings['seed']})  # another draw of initial weights"


def _activation(settings: Settings) -> Iterator[str]:
    if settings["activation"] == "erf":
        yield from ERF
    yield f"{LAYERS[settings['activation']]}  # in place of the activation"


def _network(settings: Settings) -> Iterator[str]:
    """Linear layers with an activation behind each but the last."""
    if settings["activation"] == "erf":
        yield from ERF
    info = DATASETS.get(settings["dataset"])
    own = {"mse": "targets.shape[1]", "cross_entropy": "int(targets.max()) + 1"}[settings["loss"]]
    outputs = own if info is None else info.outputs
    yield f"sizes = [inputs.shape[1], *[{settings['width']}] * {settings['depth'] - 1}, {outputs}]"
    yield "net = torch.nn.Sequential()"
    yield "for fan_in, fan_out in zip(sizes, sizes[1:]):"
    yield "    net.append(torch.nn.Linear(fan_in, fan_out))"
    yield f"    net.append({LAYERS[settings['activation']]})"
    yield "net = net[:-1]  # the outputs are linear"


def _weights(settings: Settings) -> Iterator[str]:
    yield "for layer in [each for each in net if isinstance(each, torch.nn.Linear)]:"
    yield "    " + WEIGHTS[settings["initializer"]].format(settings["init_scale"])
    if settings["bias_scale"]:
        yield f"    torch.nn.init.normal_(layer.bias, 0, {settings['bias_scale']:.4g})"
    else:
        yield "    torch.nn.init.zeros_(layer.bias)"


def _optimizer(settings: Settings) -> Iterator[str]:
    yield f"optimizer = torch.optim.SGD(net.parameters(), lr={settings['learning_rate']:.4g})"


def _loss(settings: Settings) -> Iterator[str]:
    yield LOSSES[settings["loss"]]


def _steps(settings: Settings) -> Iterator[str]:
    yield f"for step in range({settings['steps']}):"
    yield "    optimizer.zero_grad()"
    yield "    " + LOSSES[settings["loss"]]
    yield "    loss.backward()"
    yield "    optimizer.step()"


PARTS: tuple[tuple[tuple[str, ...], Callable[[Settings], Iterator[str]]], ...] = (
    (("dtype",), _dtype),
    (("features",), _features),
    (("targets",), _targets),
    (("seed",), _seed),
    (("activation",), _activation),
    (("depth",), _network),
    (("initializer", "init_scale", "bias_scale"), _weights),
    (("learning_rate",), _optimizer),
    (("loss",), _loss),
    (("steps",), _steps),
)


def conventions(settings: Settings) -> str:
    """What must be alike for a learning rate of phasesweep's to mean the same in PyTorch."""
    told = "Every step takes all examples at once, without momentum or weight decay"
    if settings["loss"] != "mse":
        return f"{told}; torch's cross_entropy is the same loss."
    info = DATASETS.get(settings["dataset"])
    factor = "half the number of outputs" if info is None else f"{info.outputs / 2:g}"
    return (
        f"{told}. The loss is {LOSSES['mse'].removeprefix('loss = ')}; with torch.nn.MSELoss(), "
        f"which divides by the outputs and has no 1/2, multiply the rate by {factor}."
    )
