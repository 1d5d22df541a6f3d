"""Explorer *std under training*: how exploration shrinks, and what happens where it reaches zero."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor
from rsl_edu.modules import GaussianDistribution
from rsl_edu.number_format import short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREEN, ORANGE, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 300
"""Gradient steps of a whole training."""
MOST = 1.0
"""Norm to which a longer gradient is clipped: rsl_rl's ``max_grad_norm``."""


@dataclasses.dataclass(frozen=True)
class StdTrainingState:
    """State of :class:`StdTraining`."""

    steps: int = control(STEPS, "steps", "How far the training has come.", range=(0, STEPS, 5), play=True)
    parameter: str = control(
        "scalar",
        "parameter",
        "What is trained, and what happens to it below zero; the last two are mistakes that people shipped.",
        choices={
            "std, clamped, gradient leads back": "scalar",
            "log of the std": "log",
            "std, not clamped (rsl_rl #124)": "unclamped",
            "std, clamp alone (frozen)": "frozen",
        },
    )
    rate: float = control(
        0.01, "learning rate", "Of Adam.", steps=(1e-4, 3e-4, 1e-3, 3e-3, 0.005, 0.01, 0.02, 0.03, 0.1)
    )
    entropy: float = control(
        0.01,
        "entropy weight",
        "How much a nat of entropy is worth; advantages have std 1.",
        steps=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5),
    )
    init: float = control(1.0, "init std", "Of every joint.", steps=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0))
    batch: int = control(
        64, "batch size", "Actions that each step learns from.", unit="actions", steps=(8, 16, 32, 64, 128, 256)
    )
    raw: bool = control(
        False, "raw advantages", "Do not divide by their std: then the pressure fades as the std shrinks."
    )
    seed: int = control(0, "seed", "Of the actions that are drawn.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class Training:
    """A whole training; row ``t`` is after ``t`` steps. A crash ends it: its last row has no gradient (NaN)."""

    asked: np.ndarray  # [rows, joints], the std that the parameter stands for, before any clamp
    gradient: np.ndarray  # [rows, joints], of the loss with respect to the parameter
    entropy: np.ndarray  # [rows], nats
    reward: np.ndarray  # [rows], mean of the batch
    error: str  # what torch said at the end, or nothing


@dataclasses.dataclass(frozen=True)
class StdTrainingResult:
    """What the picture shows; the series are those up to ``state.steps``, the least joint first."""

    state: StdTrainingState
    joints: tuple[int, ...]  # by their std, the least first
    asked: np.ndarray  # [rows, joints]
    gradient: np.ndarray  # [rows, joints]
    entropy: np.ndarray  # [rows]
    reward: np.ndarray  # [rows]
    mean: np.ndarray  # [rows], of the stds after the clamp: what logs show
    below: int | None  # first step with a std below what the library allows
    error: str
    std: float  # of the least joint, as the distribution has it; NaN after a crash


class StdTraining(Explorer[StdTrainingState, StdTrainingResult]):
    r"""Policy gradient on a robot's rewards: the std of each joint, its gradient and the entropy over the steps.

    The policy is one Gaussian, the same in all states; mean and std are trained as rsl_rl's PPO does (Adam, gradients
    clipped to norm 1, advantages of std 1) on :math:`-\frac1n \sum_i A_i \log p(a_i) - \beta H`, but every batch is
    used once. A robot's rewards depend on more than the action, too noisy for 300 steps, so the reward is what the
    actions alone explain: the quadratic :math:`r(a) = c + b \cdot \text{clip}(a) + q \cdot a^2` that fits them best,
    clipped to the range of the actions tried. HalfCheetah has :math:`q < 0` for every joint: exploration costs.

    Args:
        actions: Actions that were tried ``[samples, joints]``; None takes a robot's: ``HalfCheetah-v5``.
        rewards: What they earned ``[samples]``.
        state: Values of the controls other than the defaults.

    Raises:
        ValueError: Tensors of other shapes, or with values that are not finite.
    """

    State = StdTrainingState
    lesson = 5
    shows = "the std of each joint under policy gradient, up to the crash"
    breaks = "no clamp, a clamp whose gradient is zero"
    size = (9.0, 5.2)
    swept = (
        {"parameter": ..., "rate": (0.003, 0.01), "steps": 5},
        {"parameter": ..., "rate": (0.003, 0.01), "entropy": (0.01, 0.3, 0.5)},
        {"parameter": ..., "rate": (0.003, 0.01), "raw": ...},
    )
    question = Control("least std", "The least std of a joint at the end of the training.", range=(0.0, 10.0, 0.001))

    def __init__(self, actions: torch.Tensor | None = None, rewards: torch.Tensor | None = None, **state: Any) -> None:
        if actions is None and rewards is None:
            robot = rollout("HalfCheetah-v5", steps=64, envs=16)
            actions, rewards = robot.actions.flatten(0, 1), robot.rewards.flatten()
        actions = finite_tensor("actions", actions, "[samples, joints]")
        rewards = finite_tensor("rewards", rewards, f"[{len(actions)}] (one for each row of actions)")
        a, r = actions.double(), rewards.double()
        self._low, self._high = (a.amin(0).float(), a.amax(0).float())
        terms = torch.cat([torch.ones_like(a[:, :1]), a, a.square()], dim=1)
        fit = torch.linalg.lstsq(terms, r.unsqueeze(1), driver="gelsd").solution.squeeze(1).float()
        self.constant, self.linear, self.square = fit.split((1, a.shape[1], a.shape[1]))
        fitted = (self._low, self._high, self.constant, self.linear, self.square)
        self._fitted = tuple(each.numpy() for each in fitted)
        super().__init__(**state)

    def reward(self, actions: torch.Tensor) -> torch.Tensor:
        """Return the fitted reward ``[...]`` of actions ``[..., joints]``; beyond those tried a motor gives no more."""
        gain = actions.clamp(self._low, self._high) @ self.linear
        reward: torch.Tensor = self.constant + gain + actions.square() @ self.square
        return reward

    def compute(self, state: StdTrainingState) -> StdTrainingResult:
        """Train once for each setting, and cut the series off at ``state.steps``."""
        training = self._train(
            state.parameter, state.rate, state.entropy, state.init, state.batch, state.raw, state.seed
        )
        rows = min(state.steps + 1, len(training.asked))
        asked = training.asked[:rows]
        crashed = bool(training.error) and rows == len(training.asked)
        order = np.argsort(asked[-1], kind="stable")
        low, high = GaussianDistribution(1).std_range
        below = np.flatnonzero((asked < (0 if state.parameter == "unclamped" else low)).any(1))
        return StdTrainingResult(
            state=state,
            joints=tuple(order.tolist()),
            asked=asked[:, order],
            gradient=training.gradient[:rows, order],
            entropy=training.entropy[:rows],
            reward=training.reward[:rows],
            mean=(asked if state.parameter == "unclamped" else asked.clip(low, high)).mean(1),
            below=int(below[0]) if len(below) else None,
            error=training.error if crashed else "",
            std=float("nan") if crashed else float(np.clip(asked[-1].min(), low, high)),
        )

    @cached(64)
    @np.errstate(all="ignore")  # an unclamped std can be exactly zero, which has no density
    def _train(
        self, parameter: str, rate: float, entropy: float, init: float, batch: int, raw: bool, seed: int
    ) -> Training:
        """Train without autograd, which would take ten times as long: a test compares it with the library's policy."""
        joints, log = len(self.linear), parameter == "log"
        policy = GaussianDistribution(joints, init_std=init, std_type="log" if log else "scalar")
        low, high = policy.log_std_range if log else policy.std_range
        if parameter == "unclamped":
            low, high = -np.inf, np.inf
        trained = np.zeros((2, joints), np.float32)  # the mean and the parameter of the std
        trained[1] = next(policy.parameters()).detach().float().numpy()
        first, second = np.zeros((2, 2, joints), np.float32)  # Adam's moments
        params, gradients, rewards, error = [], [], [], ""
        for t, noise in enumerate(self._noise(batch, seed), 1):
            mean, asked = trained
            params.append(asked.copy())
            held = np.minimum(np.maximum(asked, low), high)
            std = np.exp(held) if log else held
            if not (std >= 0).all():
                error = _words_of_torch(std)
                break
            actions = noise * std + mean
            reward = self._reward(actions)
            average = reward.sum() / batch
            off = reward - average
            weights = off / ((1 if raw else math.sqrt(off @ off / (batch - 1)) + 1e-8) * batch)
            z = (actions - mean) / std
            gradient = np.stack([-(weights @ z) / std, weights.sum() - weights @ (z * z) - entropy])
            if not log:  # so far it is that of the log
                gradient[1] /= std
            gradient[1] *= held == asked if parameter == "frozen" else gradient[1] * (held - asked) <= 0
            gradients.append(gradient[1].copy())
            rewards.append(average)
            gradient *= np.float32(MOST / max(MOST, float(np.linalg.norm(gradient))))
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            trained -= rate / (1 - 0.9**t) * first / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        if error:  # what there is no gradient of
            gradients.append(np.full(joints, np.nan, np.float32))
            rewards.append(np.nan)
        series = np.stack(params)
        held = np.clip(series, low, high)
        entropies = (held if log else np.log(held)).sum(1) + joints * 0.5 * math.log(2 * math.pi * math.e)
        asked = np.exp(held) if log else series
        return Training(asked, np.stack(gradients), entropies.astype(float), np.array(rewards, float), error)

    @cached(2)
    def _noise(self, batch: int, seed: int) -> np.ndarray:
        """Return the standard normal numbers that each step's actions are made of, ``[steps + 1, batch, joints]``."""
        noise = torch.empty(STEPS + 1, batch, len(self.linear), dtype=torch.float32)
        generator = torch.Generator().manual_seed(seed)
        for step in noise:  # one by one, as the policy draws them: in one call, torch draws others
            step.normal_(generator=generator)
        return noise.numpy()

    def _reward(self, actions: np.ndarray) -> np.ndarray:
        """Return what :meth:`reward` does, of arrays."""
        low, high, constant, linear, square = self._fitted
        gain = np.minimum(np.maximum(actions, low), high) @ linear
        reward: np.ndarray = constant + gain + (actions * actions) @ square
        return reward

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out three panels: the std of each joint, and beside it the gradient and the entropy."""
        grid = figure.add_gridspec(2, 2, width_ratios=(1.25, 1))  # the std panel is as tall as both others
        std, gradient, entropy = (figure.add_subplot(grid[place]) for place in ((slice(None), 0), (0, 1), (1, 1)))
        joints = len(self.linear)
        artists: dict[str, Any] = {"std axes": std, "entropy axes": entropy}
        std.set(xlim=(0, STEPS * 1.02), xlabel="steps", ylabel="std that the parameter asks for")
        std.set_yscale("symlog", linthresh=0.01, linscale=0.7)
        ticks = (-10, -1, -0.1, -0.01, 0, 0.01, 0.1, 1, 10, 1e3, 1e5)
        std.set_yticks(ticks, [f"{tick:,g}".replace("-", "−") for tick in ticks])
        std.minorticks_off()
        gradient.set(
            xlim=(0, STEPS * 1.02), ylim=(-3e6, 3e6), ylabel="∂loss/∂parameter", title="gradient (> 0 shrinks the std)"
        )
        gradient.set_yscale("symlog", linthresh=0.1, linscale=0.7)
        gradient.set_yticks([-1e6, -1e3, -1, 0, 1, 1e3, 1e6])
        gradient.minorticks_off()
        entropy.set(xlim=(0, STEPS * 1.02), xlabel="steps", ylabel="nats", title="entropy of the policy")
        artists["title"] = std.text(0, 1.06, "", transform=std.transAxes, fontsize=11)  # moves: a title would be slow
        std.axhspan(-30, 0, color=FAINT, alpha=0.35, linewidth=0)
        std.text(0.985, 0.015, "no std is below zero", transform=std.transAxes, ha="right", va="bottom", fontsize=9)
        thin: dict[str, Any] = {"color": BLUE, "linewidth": 0.8, "alpha": 0.55}
        artists["others"] = [std.plot([], [], **thin)[0] for _ in range(joints - 1)]
        artists["other gradients"] = [gradient.plot([], [], **thin)[0] for _ in range(joints - 1)]
        (artists["mean"],) = std.plot([], [], color=GREEN, linestyle="--", linewidth=2, label="mean, as in logs")
        (artists["least"],) = std.plot([], [], color=BLUE, linewidth=2.2, label="least now")
        (artists["end"],) = std.plot([], [], "s", color=RED, markersize=7)
        (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, label="your guess")
        above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.99), "borderaxespad": 0}
        std.legend(ncols=3, columnspacing=1.2, handlelength=1.8, **above).set_in_layout(False)
        gradient.axhline(0, color=FAINT, linewidth=1)
        (artists["gradient"],) = gradient.plot([], [], color=BLUE, linewidth=1.8)
        (artists["entropy"],) = entropy.plot([], [], color=BLUE, linewidth=2)
        artists["marks"] = [
            axes.axvline(-1, color=RED, linestyle=":", linewidth=1.5) for axes in (std, gradient, entropy)
        ]
        return artists

    def draw(self, artists: dict[str, Any], result: StdTrainingResult) -> None:
        """Move the lines, and the mark where a std first went below zero."""
        asked, steps = result.asked, np.arange(len(result.asked))
        artists["std axes"].set_ylim(-4 if asked.min() > -1.2 else -30, 10 if asked.max() < 10 else 1e7)
        artists["title"].set_text(_title(result))
        joints = asked.shape[1]
        lowest = np.nanmin(result.entropy, initial=0)
        artists["entropy axes"].set_ylim((-4 if lowest > -4 * joints else -14) * joints, 4 * joints)
        for i, (line, slope) in enumerate(zip(artists["others"], artists["other gradients"], strict=True), 1):
            line.set_data(steps, asked[:, i])
            slope.set_data(steps, result.gradient[:, i])
        artists["least"].set_data(steps, asked[:, 0])
        artists["mean"].set_data(steps, result.mean)
        artists["gradient"].set_data(steps, result.gradient[:, 0])
        artists["entropy"].set_data(steps, result.entropy)
        end = slice(-1, None) if result.error else slice(0)
        artists["end"].set_data(steps[end], asked[end, 0])
        for mark in artists["marks"]:
            mark.set_xdata([-10 if result.below is None else result.below] * 2)

    def mark(self, result: StdTrainingResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess at the end of the std's panel."""
        return [STEPS], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return actions and what they earned."""
        return draw(96, 3), draw(96)

    def numbers(self, result: StdTrainingResult) -> dict[str, str]:
        """Return std, gradient and entropy now, and the step at which a std went below zero."""
        what = {"unclamped": "✗ crash, step {}", "frozen": "✗ frozen, step {}"}.get(result.state.parameter, "step {}")
        return {
            "least std": "✗ none" if result.error else short(result.std),
            "mean std": short(result.mean[-1]),
            "gradient": "–" if result.error else short(result.gradient[-1, 0]),
            "entropy": "–" if result.error else f"{short(result.entropy[-1])} nats",
            "mean reward": "–" if result.error else short(result.reward[-1]),
            "below zero": "no" if result.below is None else what.format(result.below),
        }

    def describe(self, result: StdTrainingResult) -> str:
        """Say where the std is, and what happened where it went below zero."""
        state, step = result.state, len(result.asked) - 1
        joint, mean = result.joints[0], short(result.mean[-1])
        if result.error:
            return (
                f"Crash at step {step}: the std of joint {joint} is below zero, and torch says: {result.error}. "
                f"The mean of all stds, as logs show it, is {mean}."
            )
        start = f"After {step} steps"
        entropy = f"entropy {short(result.entropy[-1])} nats"
        if result.below is None:
            return f"{start} the least std, of joint {joint}, is {short(result.std)}, the mean {mean}; {entropy}."
        if state.parameter == "frozen":
            stuck = int((result.asked[-1] < GaussianDistribution(1).std_range[0]).sum())
            return (
                f"{start} {stuck} of {result.asked.shape[1]} stds are frozen at the clamp, the first since step "
                f"{result.below}: their gradient is exactly zero, nothing brings them back. Mean {mean}; {entropy}."
            )
        coarse = "below 0.1" if result.mean[-1] < 0.1 else short(result.mean[-1], 1)  # rounding errors grow from there
        return (
            f"{start} the mean std is {coarse}. At step {result.below} a std first went below zero: "
            "the clamp holds it at the limit until a gradient leads back."
        )


def _words_of_torch(std: np.ndarray) -> str:
    """Return what torch raises when it draws with a std below zero, as rsl_rl does."""
    try:
        torch.normal(0.0, torch.from_numpy(std))
    except RuntimeError as raised:
        return str(raised)
    return ""


def _title(result: StdTrainingResult) -> str:
    if result.error:
        return f"✗ step {result.below}: {result.error}"
    if result.below is not None and result.state.parameter == "frozen":
        return f"✗ from step {result.below} on frozen below zero"
    return "std of each joint" if result.below is None else f"std of each joint; clamped from step {result.below}"
