"""The kinds of training, compiled separately: an activation, a loss and a precision each."""

from pathlib import Path

import numpy as np

from core.compilation import CACHE_FOLDER
from core.descent.trainer import NetworkTrainer
from core.gradient_descent import Problem


def is_compiled(activation: str, loss: str, dtype: str) -> bool:
    """Whether code for a kind, compiled for this processor, is where the trainer looks for it."""
    return _marker(activation, loss, dtype).exists()


def compile_kind(activation: str, loss: str, dtype: str) -> None:
    """Compile a kind by training the smallest network for one step, and keep the code."""
    problem = Problem(np.ones((2, 2)), np.ones((1, 2)), activation, loss, 1.0)
    NetworkTrainer(problem, width=1, depth=2, dtype=dtype).descend(
        [np.ones((1, 2))] * 2, 0.1, steps=1
    )
    _marker(activation, loss, dtype).touch()


def _marker(activation: str, loss: str, dtype: str) -> Path:
    return CACHE_FOLDER / f"{activation}-{loss}-{dtype}.compiled"
