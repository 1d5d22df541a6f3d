"""State and result of the explorer *std under training*."""

from __future__ import annotations

import dataclasses

import numpy as np

from ..bench.controls import control

STEPS = 300
"""Gradient steps in a complete training run."""


@dataclasses.dataclass(frozen=True)
class StdTrainingState:
    """State of :class:`.StdTraining`. With the default values, training has just crashed."""

    parameter: str = control(
        "unclamped",
        "parameter",
        "What is trained, and what happens to a std below zero. "
        "The first and the last choice are mistakes that people have shipped.",
        choices={
            "std, not clamped (rsl_rl #124)": "unclamped",
            "std, clamped, can recover": "scalar",
            "log of the std": "log",
            "std, plain clamp (frozen)": "frozen",
        },
    )
    steps: int = control(105, "steps", "How many training steps the picture shows.", range=(0, STEPS, 5), play=True)
    rate: float = control(
        0.01,
        "learning rate",
        "Learning rate of Adam.",
        steps=(1e-4, 3e-4, 1e-3, 3e-3, 0.005, 0.01, 0.02, 0.03, 0.1),
        group="training",
    )
    entropy: float = control(
        0.01,
        "entropy weight",
        "Weight of the entropy bonus per nat. The advantages have a std of 1.",
        steps=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
        group="training",
    )
    raw: bool = control(
        False,
        "raw advantages",
        "Do not divide the advantages by their std. Then the gradient fades as the std of the policy shrinks.",
        group="training",
    )
    init: float = control(
        1.0,
        "initial std",
        "Std of every joint at the start of training.",
        steps=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
        group="training",
    )
    batch: int = control(
        64,
        "batch size",
        "Number of actions per training step.",
        unit="actions",
        steps=(8, 16, 32, 64, 128, 256),
        group="training",
    )
    seed: int = control(0, "seed", "Seed of the drawn actions.", range=(0, 9, 1), group="training")


@dataclasses.dataclass(frozen=True)
class Training:
    """A complete training run; row ``t`` is the state after ``t`` steps. After a crash, the last gradient is NaN."""

    parameter: np.ndarray  # [rows, joints], the trained parameter: the std or its logarithm
    asked: np.ndarray  # [rows, joints], the std that the parameter gives, before any clamp
    gradient: np.ndarray  # [rows, joints], gradient of the loss with respect to the parameter
    clip: np.ndarray  # [rows], factor by which the norm of the full gradient is clipped
    entropy: np.ndarray  # [rows], nats
    reward: np.ndarray  # [rows], mean reward of the batch
    error: str  # torch's error at the end; empty if there was none


@dataclasses.dataclass(frozen=True)
class Step:
    """An Adam step: the next step or, after a crash, the last step before the crash. The joints are sorted by std."""

    number: int
    before: np.ndarray  # [joints], the parameter
    held: np.ndarray  # [joints], the std within its limits
    gradient: np.ndarray  # [joints]
    clip: float
    mean: np.ndarray  # [joints], Adam's running mean of the clipped gradient, bias-corrected
    square: np.ndarray  # [joints], Adam's running mean of the squared gradient, bias-corrected
    after: np.ndarray  # [joints], the parameter
    entropy: float  # nats


@dataclasses.dataclass(frozen=True)
class StdTrainingResult:
    """What the picture shows. The series end at ``state.steps``, and the joints are sorted by std, lowest first."""

    state: StdTrainingState
    joints: tuple[int, ...]  # indices of the joints, lowest std first
    names: tuple[str, ...]  # names of these joints
    asked: np.ndarray  # [rows, joints]
    gradient: np.ndarray  # [rows, joints]
    entropy: np.ndarray  # [rows]
    reward: np.ndarray  # [rows]
    mean: np.ndarray  # [rows], mean of the clamped stds, as logs show it
    below: int | None  # first step with a std below the library's limit
    error: str
    std: float  # lowest std in the distribution; NaN after a crash
    step: Step
    limits: tuple[float, float]  # the library's limits of a std
