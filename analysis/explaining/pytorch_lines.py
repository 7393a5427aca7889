"""Settings as lines of PyTorch that a reader can paste into a script of their own.

They call the network `net`, its data `inputs` (examples, features) and `targets`
(examples, outputs), classes one-hot or, where one output tells two apart, 0 or 1; for
cross-entropy (examples,) class numbers.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from core.datasets import DATASETS, SCALINGS
from core.functions.activations import ACTIVATIONS
from core.hidden_layers import NORMALIZATIONS, branch_factor
from core.hidden_widths import EQUAL, units_of_hidden
from core.initializers import INITIALIZERS
from core.losses import LOSSES
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.rate_units import INVERSE_SHARPNESS
from core.optimization.schedules import SCHEDULES
from core.trials import SETTINGS

Settings = Mapping[str, Any]

# Settings of the hidden layers beside their number and activation.
OF_HIDDEN = ("width", "hidden_widths", "residual", "normalization")

# Layers that PyTorch has as a function only.
DEFINITIONS = {
    "Erf()": ("class Erf(torch.nn.Module):", "    forward = staticmethod(torch.erf)"),
}


def pytorch_lines(settings: Settings, changed: Collection[str]) -> Iterator[str]:
    """The lines that put changed settings into a PyTorch script, in the order of a script.

    After a change of shape come lines that initialize the network and make the optimizer again. A
    setting for which no line is known is named in a comment; settings of measurements have no line.

    Args:
        settings: All settings, as changed.
        changed: The names of those that did.
    """
    written = set(changed)
    if written & {"depth", *OF_HIDDEN}:
        written = written - {"activation"} | {"depth", "init_scale", "learning_rate"}
    for names, lines in PARTS:
        if written & set(names):
            yield from lines(settings)
    known = {*OF_HIDDEN, *(name for names, _ in PARTS for name in names)}
    for name, setting in SETTINGS.items():
        if name in changed and name not in known and setting.decides == "training":
            yield f"# {name}: {settings[name]}, for which no line is known here"


def _dtype(settings: Settings) -> Iterator[str]:
    yield f"torch.set_default_dtype(torch.{settings['dtype']})"


def _features(settings: Settings) -> Iterator[str]:
    yield SCALINGS[settings["features"]].torch.format("inputs")


def _targets(settings: Settings) -> Iterator[str]:
    yield SCALINGS[settings["targets"]].torch.format("targets")


def _seed(settings: Settings) -> Iterator[str]:
    yield f"torch.manual_seed({settings['seed']})  # another draw of initial weights"


def _activation(settings: Settings) -> Iterator[str]:
    layer = ACTIVATIONS[settings["activation"]].torch
    yield from DEFINITIONS.get(layer, ())
    yield f"{layer}  # in place of the activation"


def _network(settings: Settings) -> Iterator[str]:
    """Linear layers, each but the last followed by an activation."""
    layer = ACTIVATIONS[settings["activation"]].torch
    yield from DEFINITIONS.get(layer, ())
    info = DATASETS.get(settings["dataset"])
    loss = LOSSES[settings["loss"]]
    outputs = loss.torch_outputs if info is None else loss.units(info.outputs)
    hidden, own = f"*[{settings['width']}] * {settings['depth'] - 1}", settings["hidden_widths"]
    if own != EQUAL:
        hidden = ", ".join(map(str, units_of_hidden(settings["width"], settings["depth"], own)))
    yield f"sizes = [inputs.shape[1], {hidden}, {outputs}]"
    factor = branch_factor(settings["residual"], settings["depth"])
    layers = ["torch.nn.Linear(fan_in, fan_out)", layer]
    if settings["normalization"] in NORMALIZATIONS:
        layers.insert(1, NORMALIZATIONS[settings["normalization"]].torch.format("fan_out"))
    yield from _chain(layers) if factor is None else _residual(layers, factor)


def _chain(layers: list[str]) -> Iterator[str]:
    yield "net = torch.nn.Sequential()"
    yield "for fan_in, fan_out in zip(sizes, sizes[1:]):"
    yield from (f"    net.append({layer})" for layer in layers)
    yield f"net = net[:{1 - len(layers)}]  # the outputs are linear"


def _residual(layers: list[str], factor: float) -> Iterator[str]:
    """Every hidden layer but the first is a branch beside what it is given."""
    yield "class Branch(torch.nn.Module):"
    yield "    def __init__(self, layers):"
    yield "        super().__init__()"
    yield "        self.layers = layers"
    yield "    def forward(self, given):"
    yield f"        return given + {factor:.6g} * self.layers(given)"
    yield "net = torch.nn.Sequential()"
    yield "for fan_in, fan_out in zip(sizes[:-1], sizes[1:-1]):"
    yield "    layers = torch.nn.Sequential("
    yield from (f"        {layer}," for layer in layers)
    yield "    )"
    yield "    net.append(Branch(layers) if len(net) else layers)"
    yield "net.append(torch.nn.Linear(*sizes[-2:]))  # the outputs are linear"


def _weights(settings: Settings) -> Iterator[str]:
    yield "for layer in [m for m in net.modules() if isinstance(m, torch.nn.Linear)]:"
    yield "    " + INITIALIZERS[settings["initializer"]].torch.format(settings["init_scale"])
    if settings["bias_scale"]:
        yield f"    torch.nn.init.normal_(layer.bias, 0, {settings['bias_scale']:.4g})"
    else:
        yield "    torch.nn.init.zeros_(layer.bias)"


def _optimizer(settings: Settings) -> Iterator[str]:
    params, decay = "net.parameters()", settings["weight_decay"]
    if decay:
        yield "weights = [p for p in net.parameters() if p.ndim == 2]"
        yield "biases = [p for p in net.parameters() if p.ndim == 1]"
        yield f'decayed = {{"params": weights, "weight_decay": {decay:.4g}}}'
        params = '[decayed, {"params": biases}]'
    rate = f"{settings['learning_rate']:.4g}"
    if settings["learning_rate_unit"] == INVERSE_SHARPNESS:
        yield "# sharpness: the largest eigenvalue of the loss's Hessian at the start"
        rate += " / sharpness"
    words = {**settings, "params": params, "learning_rate": rate}
    call = OPTIMIZERS[settings["optimizer"]].torch.format(**words)
    yield f"optimizer = {call})"


def _loss(settings: Settings) -> Iterator[str]:
    yield LOSSES[settings["loss"]].torch


def _steps(settings: Settings) -> Iterator[str]:
    batch, schedule = settings["batch_size"], SCHEDULES[settings["schedule"]].torch
    if schedule:
        yield "import math"
        yield f"scheduler = {schedule.format(**settings)}"
    if batch:
        yield "all_inputs, all_targets = inputs, targets"
    yield f"for step in range({settings['steps']}):"
    if batch:
        yield f"    if step % (len(all_inputs) // {batch}) == 0:"
        yield f"        batches = iter(torch.randperm(len(all_inputs)).split({batch}))"
        yield "    batch = next(batches)"
        yield "    inputs, targets = all_inputs[batch], all_targets[batch]"
    yield "    optimizer.zero_grad()"
    yield "    " + LOSSES[settings["loss"]].torch
    yield "    loss.backward()"
    if settings["clip_norm"]:
        yield f"    torch.nn.utils.clip_grad_norm_(net.parameters(), {settings['clip_norm']:.4g})"
    yield "    optimizer.step()"
    if schedule:
        yield "    scheduler.step()"


OF_OPTIMIZER = ("optimizer", "momentum", "beta2", "epsilon", "weight_decay")
OF_STEPS = ("batch_size", "clip_norm", "schedule", "warmup_steps", "decay_steps", "decay_factor")

PARTS: tuple[tuple[tuple[str, ...], Callable[[Settings], Iterator[str]]], ...] = (
    (("dtype",), _dtype),
    (("features",), _features),
    (("targets",), _targets),
    (("seed",), _seed),
    (("activation",), _activation),
    (("depth",), _network),
    (("initializer", "init_scale", "bias_scale"), _weights),
    (("learning_rate", "learning_rate_unit", *OF_OPTIMIZER), _optimizer),
    (("loss",), _loss),
    (("steps", *OF_STEPS), _steps),
)


def conventions(settings: Settings) -> str:
    """What PyTorch code must have in common with phasesweep for learning rates to be comparable."""
    batch = settings["batch_size"]
    words = f"Every step takes {f'{batch} examples' if batch else 'all examples at once'}"
    if settings["optimizer"] == "gd":
        words += ", without momentum"
    loss = LOSSES[settings["loss"]]
    if loss.torch_factor is None:
        return f"{words}; {loss.torch_own} is the same loss."
    words += f". The loss is {loss.torch.removeprefix('loss = ')}"
    if OPTIMIZERS[settings["optimizer"]].adaptive:  # the loss's own factor changes nothing
        return f"{words}."
    if settings["learning_rate_unit"] == INVERSE_SHARPNESS:
        return f"{words}; with a multiple of it, take that one's sharpness."
    info = DATASETS.get(settings["dataset"])
    factor = "half the number of outputs" if loss.torch_factor == 0.5 else "the number of outputs"
    if info is not None:
        factor = f"{loss.torch_factor * loss.units(info.outputs):g}"
    return f"{words}; with {loss.torch_own}, multiply the rate by {factor}."
