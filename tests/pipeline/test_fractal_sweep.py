"""The shipped sweep `fractal` against the paper's network, written down a second time."""

import numpy as np
import pytest

from core.datasets import load_dataset, make_task
from core.initializers import unit_draw
from core.settings import Trials, trial_from
from core.training import train
from pipeline.sweep_files.loading import load_sweep

N = 16


def papers_losses(weights, inputs, targets, rates, steps):
    """Gradient descent on W1 tanh(sqrt(2) W0 x / sqrt(n)) / n, mean squared error.

    Sohl-Dickstein (2024), arXiv:2402.06184. Weights (16, features) and (1, 16), inputs
    (features, examples), targets (1, examples).
    """
    first, last = weights
    losses = []
    for _ in range(steps + 1):
        hidden = np.tanh(np.sqrt(2 / N) * first @ inputs)
        errors = last @ hidden / N - targets
        losses.append(np.mean(errors**2))
        pulled = 2 * errors / targets.size / N
        slopes = np.sqrt(2 / N) * (1 - hidden**2)
        gradients = (last.T @ pulled * slopes) @ inputs.T, pulled @ hidden.T
        first, last = (w - r * g for w, r, g in zip((first, last), rates, gradients, strict=True))
    return np.array(losses)


@pytest.fixture(scope="module")
def sweep():
    """The sweep as it ships."""
    return load_sweep("fractal")


def test_the_window_is_the_papers(sweep):
    """From 10^-3 to 10^6 in units of the paper, with a power of two of steps between."""
    for name, factor in (("learning_rate_first", 4), ("learning_rate_last", 128)):
        papers = np.log10(np.array(sweep.grid.axes[name]) * factor)
        np.testing.assert_allclose(papers[[0, -1]], [-3, 6], atol=1e-9)
        assert (len(papers) - 1).bit_count() == 1


@pytest.mark.parametrize("rates", [(1.0, 1.0), (30.0, 10.0), (0.1, 60.0)])
def test_the_losses_are_those_of_the_papers_network(sweep, rates):
    """Over all 500 steps, at rates that train; ours has half of them."""
    axes = {name: values[0] for name, values in sweep.grid.axes.items()}
    trial = trial_from(
        sweep.trainer.trial,
        axes | {"learning_rate_first": rates[0] / 4, "learning_rate_last": rates[1] / 128},
    )
    dataset = load_dataset(trial.dataset, trial.examples)
    task = make_task(dataset, trial.examples, trial.features, trial.targets)
    drawn = [np.sqrt(N) * w for w, _ in unit_draw("gaussian", (N, N, 1), trial.seed)]
    expected = papers_losses(drawn, task.inputs[:-1], task.targets, rates, trial.steps)
    curve = train(Trials.of([trial]), task)["curves"]
    np.testing.assert_allclose(2 * curve["loss"], expected[curve["step"]], rtol=1e-9)
    assert expected[-1] < 0.98 * expected[0]
