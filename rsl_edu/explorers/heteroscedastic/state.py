"""What the explorer *heteroscedastic fit* is set to, what it is about, and what its picture shows."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from ..bench.controls import control

STEPS = 300
"""Gradient steps of a whole training."""
WITHIN = 68.27
"""Percent of a Gaussian that lie within one std of its mean."""


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitState:
    """State of :class:`.HeteroscedasticFit`."""

    parameter: str = control(
        "log",
        "std",
        "Whether the std depends on the state, and what the network gives.",
        choices={
            "by state: network gives its log": "log",
            "by state: network gives it": "scalar",
            "one for all states": "one",
        },
    )
    angle: float = control(
        0.0, "angle", "The state, such as the angle of a joint, at which all panels are read.", range=(-1.0, 1.0, 0.05)
    )
    mistake: str = control(
        "none",
        "mistake",
        "All but the first are mistakes that people make; one std for all is spared the last three.",
        choices={
            "none: right": "none",
            "variance taken for std": "variance",
            "mean and std swapped": "swapped",
            "network not initialized": "no init",
            "clamp alone (rsl_rl)": "clamp",
        },
        group="break it",
    )
    steps: int = control(
        STEPS, "steps", "How far the training has come.", range=(0, STEPS, 5), play=True, group="training"
    )
    rate: float = control(
        0.02, "learning rate", "Of Adam.", steps=(0.001, 0.003, 0.01, 0.02, 0.05, 0.1), group="training"
    )
    init: float = control(1.0, "init std", "In stds of the target.", steps=(0.1, 0.3, 1.0, 3.0), group="training")
    hidden: int = control(
        16, "hidden units", "In the one hidden layer.", steps=(1, 2, 4, 8, 16, 32, 64), group="training"
    )
    seed: int = control(
        0, "seed", "Of the network and of the samples it learns from.", range=(0, 9, 1), group="training"
    )


@dataclasses.dataclass(frozen=True)
class Samples:
    """What is fitted, in bins of the state with as many samples each."""

    x: np.ndarray  # [samples]
    y: np.ndarray  # [samples]
    names: tuple[str, str]  # of x and y, with their units
    scale: float  # std of y
    edges: np.ndarray  # [bins + 1]
    count: np.ndarray  # [bins]
    mean: np.ndarray  # [bins], of y
    std: np.ndarray  # [bins], of y around a straight line in each bin: what changes along it is no noise
    free: np.ndarray  # [bins], samples less what was fitted to them: 2 for a line, 1 for a mean
    nll_one: float  # nats, of the best single std around these lines

    @property
    def noise(self) -> float:
        """The greatest std of a bin, in stds of all y."""
        return float(np.nanmax(self.std, initial=0.0)) / self.scale

    @property
    def even(self) -> bool:
        """Whether the stds of the bins differ by no more than samples of one std would (three standard errors)."""
        some = np.isfinite(self.std)
        count, std = self.free[some], self.std[some]
        together = math.sqrt(float((count * std**2).sum() / count.sum()))
        return bool((np.abs(std - together) <= 3 * together / np.sqrt(2 * count)).all())

    def bin_of(self, x: float) -> int:
        """Return the number of the bin that a state is in."""
        return int(np.searchsorted(self.edges[1:-1], x, side="right"))


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitResult:
    """What the picture shows, in the units of the samples; ``loss`` up to ``state.steps``."""

    state: HeteroscedasticFitState
    mean: np.ndarray  # [grid]
    std: np.ndarray  # [grid]
    loss: np.ndarray  # [steps + 1], nats
    losses: tuple[float, float]  # limits of the loss's axis, which hold most of the whole training
    nll: float  # of all samples, nats, as the network's output is read
    entropy: float  # mean over the samples, nats
    inside: np.ndarray  # [bins], percent of the samples within one std
    inside_all: float
    here: tuple[float, float]  # fitted mean and std at the angle
    bin: int  # that the angle is in
    sample: tuple[float, float, float, float]  # x, y, fitted mean and std of the sample that is nearest to the angle
