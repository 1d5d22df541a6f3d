"""Explorer *rewards*: why rewards are divided by the std of their discounted sums and not by a different std."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import episode_ends, finite_tensor
from rsl_edu.number_format import counted, round_up

from ..bench.arithmetic import rounded
from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from ..bench.touch import Grip, Spot
from ..running_moments import running_mean, running_std
from . import picture
from .picture import three
from .state import NormalizedRewards, RewardsResult, RewardsState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEARNED_FROM = (0.1, 2.0)
"""Range for the std of normalized sums. Anywhere in this range, lesson 4's critic learns about as well as at 1."""
DIVISORS = {
    "returns": "the std of the discounted sums",
    "rewards": "the std of the rewards",
    "across": "the std of sums over robots",
    "each step": "the std over the robots at this step",
    "centred": "the mean is subtracted and the std of the discounted sums",
}


class Rewards(Explorer[RewardsState, RewardsResult]):
    """Rewards before and after division by a running std, and the scale that a value function's targets then have.

    The grey curves are correct. They use the std of discounted sums over the entire recording, and every sum ends with
    its episode. The value function's targets always respect episode ends. A switch decides whether the normalizer
    also respects them.

    Args:
        rewards: Rewards ``[time, envs]``; by default, the rewards of a ``Humanoid-v5`` rollout.
        dones: 1 or True if a step ended an episode, ``[time, envs]``. With rewards but without dones, no episode ends.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        ValueError: The rewards or dones have the wrong shape or invalid values.
    """

    State = RewardsState
    lesson = 4
    shows = "rewards before and after scaling, and the size of the returns that a value function has to learn"
    breaks = "sums that ignore episode ends, three wrong divisors, a subtracted mean"
    size = (8.6, 8.4)
    more = ("sums", "values", "std", "spread")
    swept = (
        {"divide": ..., "ends": ..., "step": 9},
        {"gamma": (0.0, 0.9, 0.99, 0.999), "ends": ...},
        {"divide": ..., "shift": (-5.0, 0.0, 5.0)},
        {"divide": ..., "scale": (0.01, 1.0, 100.0)},
    )
    question = Control("running std", "Divisor of the rewards at the last step.", range=(1e-3, 1e6, 1e-3))
    questions: tuple[Question, ...] = (
        Question(
            "1. A stumbling humanoid earns about 5 per step and falls every 25 steps. What will its rewards be "
            "divided by after 512 steps if the normalizer does not get the episode ends?",
            answer="about 114",
            show={"step": 512, "ends": False},
        ),
        Question(
            "2. Now tick 'episode ends'. The divisor …",
            ("grows", "stays about the same", "falls"),
            "falls",
            {"step": 512, "ends": True},
        ),
    )

    def __init__(self, rewards: torch.Tensor | None = None, dones: torch.Tensor | None = None, **state: Any) -> None:
        own = rewards is not None
        if rewards is None:
            if dones is not None:
                raise ValueError("dones: expected None because rewards is None, got dones without rewards")
            robot = rollout("Humanoid-v5", steps=512, envs=16)
            rewards, dones = robot.rewards, robot.dones
        rewards = finite_tensor("rewards", rewards, "[time, envs]")
        dones = torch.zeros(rewards.shape) if dones is None else dones
        self.rewards, self.dones = rewards.float(), episode_ends("dones", dones, rewards.shape)  # [time, envs]
        size = self.rewards.double()  # the squares may exceed the range of float32
        self._unit = float(10 ** np.round(np.log10(float(size.std(correction=0)) or 1.0)))
        steps, envs = rewards.shape
        stride = max(1, steps // 64)
        most = round_up(float(size.abs().mean()) or 1.0)
        ranges = {
            "step": (stride, steps - steps % stride, stride),
            "env": (0, envs - 1, 1),
            "shift": (-most, most, most / 5),
        }
        shifts = tuple(float(f"{most * fifths / 5:.10g}") for fifths in range(-5, 6))  # sliders round to 10 decimals
        defaults: dict[str, Any] = {"step": stride * max(1, steps // stride // 2)}
        if own:
            self.questions = ()
        else:  # as in rsl_rl
            defaults["ends"] = False
        own_steps = {"shift": shifts} if most < 1e-6 else None
        super().__init__(ranges=ranges, step_values=own_steps, defaults=defaults, **state)

    def compute(self, state: RewardsState) -> RewardsResult:
        """Normalize the rewards of all steps. The library's normalizer computes the same result step by step."""
        seen = self.dones[: state.step].numpy()
        return RewardsResult(
            state=state,
            trace=self._normalized(state.gamma, state.ends, state.scale, state.shift, state.divide),
            dones=self.dones[:, state.env].numpy(),
            ends=seen[:, state.env].nonzero()[0],
            episodes=int(seen.sum()),
        )

    @cached(16)
    def _normalized(self, gamma: float, ends: bool, scale: float, shift: float, divide: str) -> NormalizedRewards:
        rewards, dones = ((self.rewards + shift) * scale).numpy(), self.dones.numpy()  # [time, envs]
        right = _sums(rewards, dones, gamma)
        sums = right if ends else _sums(rewards, None, gamma)
        on = sums
        if divide == "rewards":
            sums = rewards
        elif divide == "across":  # mistake of swapped axes: the sum runs from the first robot to the last
            sums = _sums(rewards.T, None, gamma).T
        std = _std(sums, divide)
        ended = _std(right, divide) if sums is on and not ends else std
        divisor = (std + (std == 0))[:, None]  # as in the library, the std is 1 until something varies
        normalized = rewards / divisor
        if divide == "centred":
            normalized -= running_mean(rewards).astype(np.float32)[:, None] / divisor
        truth = float(right.std(dtype=float))
        return NormalizedRewards(
            rewards=rewards,
            sums=sums,
            std=std,
            ended=ended,
            normalized=normalized,
            values=_sums(normalized, dones, gamma),
            right=right,
            truth=truth if truth > 1e-6 * float(np.abs(right).max()) else 0.0,  # smaller numbers are rounding errors
        )

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the rewards before and after scaling, and below them the sums, the std and the histogram."""
        return picture.stage(figure, len(self.rewards), self._unit)

    def draw(self, artists: dict[str, Any], result: RewardsResult) -> None:
        """Update the lines, marks, bars and labels."""
        picture.draw(artists, result, self._std_limits(result.state))

    def title(self, result: RewardsResult) -> str:
        """State the divisor of the rewards and the right divisor."""
        return picture.title(result)

    def spots(self, result: RewardsResult) -> tuple[Spot, ...]:
        """Return the hover targets: the current step, the first step, and the latest episode ends."""
        return picture.spots(result)

    def grips(self, result: RewardsResult) -> tuple[Grip, ...]:
        """Return the handle that selects the step."""
        return picture.grips(result, self.controls["step"].positions())

    def _std_limits(self, state: RewardsState) -> tuple[float, float]:
        return 0.01 * self._unit * state.scale, 3000 * self._unit * state.scale

    def mark(self, result: RewardsResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the right end of the panel with the running std."""
        return [len(result.trace.rewards)], [np.clip(guess, *self._std_limits(result.state))]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return rewards and episode ends for tests."""
        return draw(24, 4), draw(24, 4) > 1.3

    def numbers(self, result: RewardsResult) -> dict[str, str]:
        """Return the scales of rewards and sums before and after normalization, and the shown robot's sum."""
        state, trace, late = result.state, result.trace, result.late
        std, scale = trace.std[state.step - 1], trace.values[late].std(dtype=float)
        return {
            "running std": three(std),
            "right std": three(trace.truth),
            "std of rewards": rounded(trace.rewards[: state.step].std(dtype=float)),
            "sum now": rounded(trace.sums[state.step - 1, state.env]),
            "normalized mean": _mean(result),
            "normalized std": rounded(trace.normalized[late].std(dtype=float)),
            "std of their sums": ("" if LEARNED_FROM[0] < scale < LEARNED_FROM[1] else "✗ ") + rounded(scale),
            "episodes ended": f"{result.episodes:,}",
        }

    def describe(self, result: RewardsResult) -> str:
        """State the divisor, the right divisor, and the symptom of a wrong divisor."""
        state, trace, late = result.state, result.trace, result.late
        std, scale = trace.std[state.step - 1], trace.values[late].std(dtype=float)
        if trace.truth == 0:
            symptom = "nothing varies, so the divisor is 1"
        elif state.divide == "centred":
            symptom = "on average, staying alive earns nothing"
        elif state.divide == "across":
            symptom = "the scale depends on the number of robots instead of the episodes"
        elif state.divide == "each step":
            least, most = (three(edge) for edge in (trace.std[late].min(), trace.std[late].max()))
            symptom = f"the scale jumps between {least} and {most}"
        elif scale >= LEARNED_FROM[1]:
            symptom = "too large for a value function, which learns well near 1"
        elif scale <= LEARNED_FROM[0]:
            symptom = "too small for a value function, which learns well near 1"
        elif scale < 0.5:
            symptom = "below 1, but a value function can still learn well from them"
        else:
            symptom = "a good scale for a value function"
        after = f"After {counted(state.step, 'step')} and {counted(result.episodes, 'episode')}"
        return (
            f"{after}, {DIVISORS[state.divide]} is "
            f"{three(std)}; the right divisor at the end is {three(trace.truth)}. "
            f"Robot {state.env}'s sum is {rounded(trace.sums[state.step - 1, state.env])}. "
            f"The normalized rewards have mean {_mean(result)} and their sums have std {rounded(scale)}: {symptom}."
            f"{_underflow(std)}"
        )


def _std(sums: np.ndarray, divide: str) -> np.ndarray:
    """Return the divisor at each step, ``[time]``: the std over all robots, or over all robots and steps so far."""
    each = sums - sums[:, :1]  # so that equal sums have a std of exactly 0
    std: np.ndarray = each.std(1, dtype=float) if divide == "each step" else running_std(sums)
    return std.astype(np.float32)


def _underflow(std: float) -> str:
    """Return a note if the library's float32 variance would underflow to 0; otherwise an empty string."""
    lost = std > 0 and np.float32(std) * np.float32(std) == 0
    note = " The library stores the variance in float32, where this one underflows to 0, so it would divide by 1."
    return note if lost else ""


def _mean(result: RewardsResult) -> str:
    """Return the mean of the latest normalized rewards as text."""
    return "0" if result.averages_nothing else rounded(result.trace.normalized[result.late].mean(dtype=float))


def _sums(rewards: np.ndarray, dones: np.ndarray | None, gamma: float) -> np.ndarray:
    """Return the discounted sum at each step, ``[time, envs]``. An episode's last step still belongs to its sum."""
    sums, before = np.empty_like(rewards), np.zeros_like(rewards[0])
    goes_on = None if dones is None else (~dones).astype(rewards.dtype)
    for t, total in enumerate(sums):
        np.multiply(before, gamma, out=total)
        total += rewards[t]
        before = total if goes_on is None else total * goes_on[t]
    return sums
