"""The kinds of training, compiled separately.

Each is an activation, a loss and a precision; and if there is one, a normalization.
"""

from pathlib import Path

import numpy as np

from core.compilation import CACHE_FOLDER
from core.descent.trainer import NetworkTrainer
from core.gradient_descent import Problem
from core.hidden_layers import NO_NORMALIZATION


def is_compiled(
    activation: str, loss: str, dtype: str, normalization: str = NO_NORMALIZATION
) -> bool:
    """Whether code for a kind, compiled for this processor, is where the trainer looks for it."""
    return _marker(activation, loss, dtype, normalization).exists()


def compile_kind(
    activation: str, loss: str, dtype: str, normalization: str = NO_NORMALIZATION
) -> None:
    """Compile a kind by training the smallest network for one step, and keep the code."""
    data = np.ones((2, 2)), np.ones((1, 2))
    problem = Problem(*data, activation, loss, 1.0, normalization=normalization)
    NetworkTrainer(problem, width=1, depth=2, dtype=dtype).descend(
        [np.ones((1, 2))] * 2, 0.1, steps=1
    )
    _marker(activation, loss, dtype, normalization).touch()


def _marker(*kind: str) -> Path:
    return CACHE_FOLDER / f"{'-'.join(kind)}.compiled"
