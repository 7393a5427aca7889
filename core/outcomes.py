"""The outcomes of a training, their causes, and the thresholds of the rules.

The rules themselves are those of core.verdicts.
"""

from dataclasses import dataclass

OUTCOMES = ("overflow", "untrained", "diverged", "trained", "oscillating", "stalled", "slow")

DIVERGED = ("overflow", "diverged")
# Steps were taken, and the loss came to an end.
ENDED = ("trained", "oscillating", "stalled", "slow")

# Why a run ended as it did, and the outcomes that this explains.
CAUSES = {
    **dict.fromkeys(
        (
            "dead",
            "saturated_outputs",
            "vanishing",
            "saturated",
            "low_learning_rate",
            "plateau",
            "converged",
        ),
        ("stalled",),
    ),
    **dict.fromkeys(("init_scale", "learning_rate", "sharpening"), DIVERGED),
}

INIT_PHASES = ("vanishing", "critical", "exploding")


@dataclass(frozen=True)
class Thresholds:
    """Every number a rule compares with. Recorded in each store's manifest."""

    diverged_at_once: float = 1e6  # x max(initial, baseline): decided at that step
    diverged_at_end: float = 1.1  # x max(initial, baseline): the tail ended above it
    surely_trained_factor: float = 0.5  # x the trained level: a tail of losses in a row below it
    tail_losses: int = 20
    rise: float = 1e-3  # of the loss: a step raises the loss if by more than this
    oscillating_share: float = 0.1  # of the steps in the second half raise the loss
    stalled_change: float = 1e-3  # of the loss, over the last fifth
    vanishing_gradient: float = 1e-6  # x the last hidden layer's, or x the output error
    active_fraction: float = 1e-3  # of a layer's units pass a gradient for some example
    dead_unit: float = 1e-6  # |phi'| below it for every example: the unit is dead
    saturated_unit: float = 0.1  # x phi'(0): the unit is saturated for an example
    saturated_slope: float = 1e-3  # mean |phi'| over the hidden units; of outputs: their slope
    plateau: float = 0.01  # x baseline: the tail lies so close to the best constant's loss
    cancellation: float = 0.03  # x rms of the examples' gradients: their mean has cancelled
    exploding_start: float = 1e3  # x baseline loss, or gradient x output error, at step 0
    outlived_growth: float = 1e6  # x along the start's steepest direction, while the loss fell
    presumed_excess: float = 1.1  # rate over 2 / lambda_max, where that was not measured
    init_phase: float = 6.0  # |L ln chi|: beyond it gradients vanish or explode at step 0


THRESHOLDS = Thresholds()
