"""Explorer *std under training*: how exploration shrinks during training, and what happens when a std reaches zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_names
from rsl_edu.modules import GaussianDistribution
from rsl_edu.number_format import counted

from ..bench.arithmetic import rounded
from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from . import picture
from .state import STEPS, StdTrainingResult, StdTrainingState, Step, Training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.touch import Grip, Spot

CHEETAH = ("back thigh", "back shin", "back foot", "front thigh", "front shin", "front foot")
"""The joints of ``HalfCheetah-v5``, in the order of its actions."""
MOST = 1.0
"""Maximum norm of the gradient, as rsl_rl's ``max_grad_norm``. A longer gradient is clipped to this norm."""


class StdTraining(Explorer[StdTrainingState, StdTrainingResult]):
    r"""Policy gradient on a robot's rewards: the std of each joint, the gradient of this std, and the entropy.

    The policy is a single Gaussian, the same in all states. Its mean and std minimize
    :math:`-\frac1n \sum_i A_i \log p(a_i) - \beta H` as in rsl_rl's PPO, with Adam, gradients clipped to norm 1 and
    standardized advantages. Unlike in PPO, each batch is used only once. A robot's rewards depend on more than the
    action and would be too noisy for 300 steps. The reward used here is therefore the part that the actions explain.
    This part is the best-fitting quadratic
    :math:`r(a) = c + b \cdot \text{clip}(a) + q \cdot a^2`, where clip limits the actions to the range tried. For
    HalfCheetah, :math:`q < 0` for every joint, so exploration lowers the reward.

    Args:
        actions: The actions tried, ``[samples, joints]``; by default, the actions of a ``HalfCheetah-v5`` rollout.
        rewards: The rewards received for these actions, ``[samples]``.
        names: Names of the joints; by default, the joints are numbered.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError: The names are not strings.
        ValueError: A tensor has the wrong shape or is not finite, or the number of names is not the number of joints.
    """

    State = StdTrainingState
    lesson = 5
    shows = "how a policy gradient changes the std of each joint, up to the crash"
    breaks = "no clamp, a clamp with zero gradient"
    size = (9.0, 6.0)
    more = ("entropy", "log")
    swept = (
        {"parameter": ..., "rate": (0.003, 0.01), "steps": 5},
        {"steps": 13},
        {"parameter": ("unclamped", "log"), "entropy": (0.01, 0.3, 0.5), "steps": (300,)},
        {"raw": ..., "steps": (300,)},
    )
    question = Control("lowest std", "The lowest std of any joint at the end of training.", range=(0.0, 10.0, 0.001))
    questions: tuple[Question, ...] = (
        Question(
            "All stds start at 1. What is the lowest std after 300 steps at learning rate 0.003?",
            answer="0.12",
            show={"parameter": "unclamped", "rate": 0.003, "steps": STEPS},
        ),
        Question(
            "The same, but the log of the std is trained. The lowest std is then …",
            ("larger", "the same", "smaller"),
            "larger",
            {"parameter": "log", "rate": 0.003, "steps": STEPS},
        ),
        Question(
            "Learning rate 0.01, plain clamp: how many of the 6 joints are frozen at the limit after 300 steps?",
            ("none", "2", "all"),
            "2",
            {"parameter": "frozen", "rate": 0.01, "steps": STEPS},
        ),
    )

    def __init__(
        self,
        actions: torch.Tensor | None = None,
        rewards: torch.Tensor | None = None,
        names: Sequence[str] | None = None,
        **state: Any,
    ) -> None:
        if actions is None and rewards is None:
            robot = rollout("HalfCheetah-v5", steps=64, envs=16)
            actions, rewards, names = robot.actions.flatten(0, 1), robot.rewards.flatten(), CHEETAH
        else:
            self.questions = ()  # the questions are about HalfCheetah
        actions = finite_tensor("actions", actions, "[samples, joints]")
        rewards = finite_tensor("rewards", rewards, f"[{len(actions)}] (one for each row of actions)")
        if names is None:
            names = tuple(f"joint {i}" for i in range(actions.shape[1]))
        self.names = learner_names("names", names, actions.shape[1], "joint")
        a, r = actions.double(), rewards.double()
        self._low, self._high = (a.amin(0).float(), a.amax(0).float())
        terms = torch.cat([torch.ones_like(a[:, :1]), a, a.square()], dim=1)
        fit = torch.linalg.lstsq(terms, r.unsqueeze(1), driver="gelsd").solution.squeeze(1).float()
        self.constant, self.linear, self.square = fit.split((1, a.shape[1], a.shape[1]))
        fitted = (self._low, self._high, self.constant, self.linear, self.square)
        self._fitted = tuple(each.numpy() for each in fitted)
        super().__init__(**state)

    def reward(self, actions: torch.Tensor) -> torch.Tensor:
        """Return the fitted reward ``[...]`` of actions ``[..., joints]``."""
        gain = actions.clamp(self._low, self._high) @ self.linear
        reward: torch.Tensor = self.constant + gain + actions.square() @ self.square
        return reward

    def compute(self, state: StdTrainingState) -> StdTrainingResult:
        """Train once for each setting, and return all series up to ``state.steps``."""
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
            names=tuple(self.names[i] for i in order),
            asked=asked[:, order],
            gradient=training.gradient[:rows, order],
            entropy=training.entropy[:rows],
            reward=training.reward[:rows],
            mean=(asked if state.parameter == "unclamped" else asked.clip(low, high)).mean(1),
            below=int(below[0]) if len(below) else None,
            error=training.error if crashed else "",
            std=float("nan") if crashed else float(np.clip(asked[-1].min(), low, high)),
            step=_step(training, rows - 1 - crashed, state, order),
            limits=(low, high),
        )

    @cached(64)
    @np.errstate(all="ignore")  # an unclamped std can be exactly zero, where the density is undefined
    def _train(
        self, parameter: str, rate: float, entropy: float, init: float, batch: int, raw: bool, seed: int
    ) -> Training:
        """Train without autograd, with which training takes ten times as long; a test compares both results."""
        joints, log = len(self.linear), parameter == "log"
        policy = GaussianDistribution(joints, init_std=init, std_type="log" if log else "scalar")
        low, high = policy.log_std_range if log else policy.std_range
        if parameter == "unclamped":
            low, high = -np.inf, np.inf
        trained = np.zeros((2, joints), np.float32)  # the mean, and the parameter from which the std follows
        trained[1] = next(policy.parameters()).detach().numpy()
        first, second = np.zeros((2, 2, joints), np.float32)  # Adam's moments
        params, gradients, clips, rewards, error = [], [], [], [], ""
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
            if not log:  # up to here, the gradient is with respect to log std
                gradient[1] /= std
            gradient[1] *= held == asked if parameter == "frozen" else gradient[1] * (held - asked) <= 0
            gradients.append(gradient[1].copy())
            rewards.append(average)
            clips.append(MOST / max(MOST, float(np.linalg.norm(gradient))))
            gradient *= np.float32(clips[-1])
            first += 0.1 * (gradient - first)
            second += 0.001 * (gradient**2 - second)
            trained -= rate / (1 - 0.9**t) * first / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
        if error:  # the step that crashed has no gradient
            gradients.append(np.full(joints, np.nan, np.float32))
            rewards.append(np.nan)
            clips.append(np.nan)
        series = np.stack(params)
        held = np.clip(series, low, high)
        entropies = (held if log else np.log(held)).sum(1) + joints * 0.5 * math.log(2 * math.pi * math.e)
        asked = np.exp(held) if log else series
        return Training(
            parameter=series,
            asked=asked,
            gradient=np.stack(gradients),
            clip=np.array(clips),
            entropy=entropies.astype(float),
            reward=np.array(rewards, float),
            error=error,
        )

    @cached(2)
    def _noise(self, batch: int, seed: int) -> np.ndarray:
        """Return the standard normal noise of each step's actions, ``[steps + 1, batch, joints]``."""
        noise = torch.empty(STEPS + 1, batch, len(self.linear))
        generator = torch.Generator().manual_seed(seed)
        for step in noise:  # draw step by step, as the policy does, because a single call would draw different numbers
            step.normal_(generator=generator)
        return noise.numpy()

    def _reward(self, actions: np.ndarray) -> np.ndarray:
        """Return the same rewards as :meth:`reward`, but for NumPy arrays."""
        low, high, constant, linear, square = self._fitted
        gain = np.minimum(np.maximum(actions, low), high) @ linear
        reward: np.ndarray = constant + gain + (actions * actions) @ square
        return reward

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the panels."""
        return picture.stage(figure, self.names)

    def draw(self, artists: dict[str, Any], result: StdTrainingResult) -> None:
        """Update the lines, the names of the lines, and the marker of the step at which a std first fell below zero."""
        picture.draw(artists, result)

    def spots(self, result: StdTrainingResult) -> Sequence[Spot]:
        """Return the hover targets: joints, mean std, entropy, and the step at which a std fell below zero."""
        return picture.spots(result)

    def grips(self, result: StdTrainingResult) -> Sequence[Grip]:
        """Return the handles that select the step, one in each panel."""
        return picture.grips(self.controls["steps"].positions())

    def mark(self, result: StdTrainingResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the right end of the std panel."""
        return [STEPS], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return actions and rewards for tests."""
        return draw(96, 3), draw(96)

    def numbers(self, result: StdTrainingResult) -> dict[str, str]:
        """Return the current std, gradient, entropy and reward, and the step at which a std fell below zero."""
        what = {"unclamped": "✗ crash, step {}", "frozen": "✗ frozen, step {}"}.get(result.state.parameter, "step {}")
        return {
            "lowest std": f"✗ {rounded(result.asked[-1, 0])}" if result.error else rounded(result.std),
            "mean std": rounded(result.mean[-1]),
            "gradient": "–" if result.error else rounded(result.gradient[-1, 0]),
            "entropy": "–" if result.error else f"{rounded(result.entropy[-1])} nats",
            "mean reward": "–" if result.error else rounded(result.reward[-1]),
            "below zero": "no" if result.below is None else what.format(result.below),
        }

    def title(self, result: StdTrainingResult) -> str:
        """State the crash, the effect of the clamp, or how far the lowest std has fallen."""
        state, step, name, one = result.state, len(result.asked) - 1, result.names[0], len(result.names) == 1
        if result.error:
            where = f"Crash at step {step}: the std of {name} is below zero"
            mean = rounded(result.mean[-1])
            if one:  # with a single joint, the mean is this std
                return f"{where}, at {mean}."
            return (
                f"{where}, though the mean is {mean}." if result.mean[-1] > 0 else f"{where}; so is the mean, {mean}."
            )
        if result.below is not None and state.parameter == "frozen":
            stuck = "the only std" if one else f"{_stuck(result)} of {len(result.names)} stds, the first"
            if one and not _stuck(result):
                return f"The std hit the clamp at step {result.below} and has left it again."
            return f"The clamp has frozen {stuck} at step {result.below}: the gradient is zero."
        if result.below is not None:
            return (
                f"From step {result.below}, {'the' if one else 'a'} std hits the clamp, but the gradient can raise it."
            )
        least, first = rounded(result.std), rounded(state.init)
        what = "the std" if one else "the lowest std"
        if not step:
            return f"Before the first step, {'the std is' if one else 'all stds are'} {first}."
        after = f"after {counted(step, 'step')}"
        if least == first:
            return f"A{after[1:]}, {what} is still {first}."
        if result.std > state.init:
            return f"Exploration grows: {after}, {'' if one else 'even '}{what} has risen from {first} to {least}."
        if state.parameter == "log":
            return f"No std reaches zero: {after}, {'the std' if one else 'the lowest'} is {least}, down from {first}."
        return f"Exploration shrinks: {after}, {what} is {least}, down from {first}."

    def describe(self, result: StdTrainingResult) -> str:
        """Describe the stds, and what happened if one fell below zero."""
        joint, mean, one = result.names[0], rounded(result.mean[-1]), len(result.names) == 1
        if result.error:
            return _words_of_the_crash(result)
        entropy = f"the entropy is {rounded(result.entropy[-1])} nats"
        if len(result.asked) == 1:
            alone = "" if one else ", so all joints explore equally"
            return f"Training has not started{alone}; {entropy}."
        if result.below is None and one:
            return f"The std of {joint} is {mean}. In training logs, it appears as the mean std; {entropy}."
        if result.below is None:
            return f"The lowest std belongs to {joint}. The mean std, as shown in training logs, is {mean}; {entropy}."
        if result.state.parameter == "frozen":
            return (
                f"Beyond the clamp, the gradient is zero, so the std cannot recover. The mean std is {mean}; {entropy}."
            )
        coarse = "below 0.1" if result.mean[-1] < 0.1 else f"{result.mean[-1]:.1f}"  # rounding errors grew
        return (
            f"The mean std is {coarse}. Each time a std falls below zero, the library clamps it to its lower limit "
            "until a gradient raises it again."
        )


def _words_of_the_crash(result: StdTrainingResult) -> str:
    """Describe torch's error, and whether the mean std in a training log would have shown the problem."""
    fine = [rounded(std) for std in result.asked[-1] if std >= 0]
    others = f"The other stds are {fine[0]} to {fine[-1]}. " if len(fine) > 1 else ""
    end = f"until the run ends at step {result.below}"
    if len(result.names) == 1:
        log = f"With only one joint, training logs show this std, which falls {end}."
    elif result.mean[-1] > 0:  # also at all earlier steps, because no std was below zero
        log = f"Training logs show only the mean std, which stays above zero {end}."
    else:
        log = f"Training logs show only the mean std, which is below zero too: {rounded(result.mean[-1])} at the end."
    return f"Torch raises: {result.error}. {others}{log}"


def _stuck(result: StdTrainingResult) -> int:
    """Return the number of stds that are currently below the library's limit."""
    return int((result.asked[-1] < result.limits[0]).sum())


def _step(training: Training, row: int, state: StdTrainingState, order: np.ndarray) -> Step:
    """Return the Adam step at ``row``, computed from all gradients up to this row."""
    row = max(0, row)
    clipped = (training.gradient[: row + 1] * training.clip[: row + 1, None])[:, order].astype(float)
    ages = np.arange(row, -1, -1)
    mean, square = (
        (1 - decay) * decay**ages @ clipped**power / (1 - decay ** (row + 1)) for decay, power in ((0.9, 1), (0.999, 2))
    )
    before = training.parameter[row, order].astype(float)
    low, high = GaussianDistribution(1).std_range
    held = training.asked[row, order].astype(float)
    return Step(
        number=row,
        before=before,
        held=held if state.parameter == "unclamped" else held.clip(low, high),
        gradient=training.gradient[row, order].astype(float),
        clip=float(training.clip[row]),
        mean=mean,
        square=square,
        after=before - state.rate * mean / (np.sqrt(square) + 1e-8),
        entropy=float(training.entropy[row]),
    )


def _words_of_torch(std: np.ndarray) -> str:
    """Return torch's error message for drawing actions with a std below zero, as rsl_rl draws them."""
    try:
        torch.normal(0.0, torch.from_numpy(std))
    except RuntimeError as raised:
        return str(raised)
    return ""
