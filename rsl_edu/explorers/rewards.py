"""Explorer *rewards*: why rewards are divided by the std of their discounted sums, and by no other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import episode_ends, finite_tensor
from rsl_edu.histogram import clipped_histogram
from rsl_edu.number_format import round_up, short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREY, ORANGE
from .running_moments import running_mean, running_std

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW = 128
"""Steps of all environments that the histogram and its numbers are of: the last ones."""
_LOG = 10 ** np.linspace(1, 3, 21)
EDGES = np.concatenate([-_LOG[:0:-1], np.arange(-10, 10.1, 0.5), _LOG[1:]])
"""Bins of the normalized sums: even up to 10, then evenly spaced in the logarithm; the outermost hold the rest."""
DIVISORS = {
    "returns": "the std of the discounted sums",
    "rewards": "the std of the rewards",
    "across": "the std of sums over robots",
    "each step": "the std over the robots of this step",
    "centred": "the mean is subtracted, and the std of the discounted sums",
}
TICKS = (-1000, -100, -10, -5, 0, 5, 10, 100, 1000)


@dataclasses.dataclass(frozen=True)
class RewardsState:
    """State of :class:`Rewards`."""

    step: int = control(256, "steps seen", "How far the rewards have come in.", range=(8, 512, 8), play=True)
    gamma: float = control(
        0.99, "gamma", "How much of the sum is kept at each step.", steps=(0.0, 0.5, 0.9, 0.97, 0.99, 0.997, 0.999)
    )
    ends: bool = control(True, "episode ends", "Whether the sum ends with its episode; rsl_rl lets it run on.")
    env: int = control(0, "environment", "Whose rewards the time series show.", range=(0, 15, 1))
    scale: float = control(
        1.0,
        "reward scale",
        "All rewards are multiplied by it; it must not matter.",
        steps=(0.01, 0.1, 1.0, 10.0, 100.0),
    )
    shift: float = control(0.0, "reward shift", "Added to each reward before it is scaled.", range=(-5.0, 5.0, 1.0))
    divide: str = control(
        "returns",
        "divide by",
        "What a reward is divided by; all but the first are mistakes that people made, or asked for.",
        choices={
            "std of returns: right": "returns",
            "std of rewards (baselines #538)": "rewards",
            "sum over robots (cleanrl #360)": "across",
            "std over robots, each step": "each step",
            "right, but minus the mean": "centred",
        },
    )


@dataclasses.dataclass(frozen=True)
class NormalizedRewards:
    """All steps of all environments."""

    rewards: np.ndarray  # [time, envs], scaled and shifted
    sums: np.ndarray  # [time, envs], what the std is taken of
    std: np.ndarray  # [time], after each step
    normalized: np.ndarray  # [time, envs]
    values: np.ndarray  # [time, envs], discounted sums of `normalized` up to the true ends: a value function's scale
    right: np.ndarray  # [time, envs], discounted sums of the rewards up to the true ends
    truth: float  # std of `right`


@dataclasses.dataclass(frozen=True)
class RewardsResult:
    """What the picture shows."""

    state: RewardsState
    trace: NormalizedRewards
    ends: np.ndarray  # steps at which an episode of the environment ended, so far
    episodes: int  # that ended so far, in all environments

    @property
    def late(self) -> slice:
        """The last steps seen."""
        return slice(max(0, self.state.step - WINDOW), self.state.step)


class Rewards(Explorer[RewardsState, RewardsResult]):
    """Rewards before and after they are divided by a running std, and the scale that a value function then meets.

    Grey is what would be right: divided by the std of the discounted sums of the whole recording, which end with their
    episodes. A value function always knows the ends; whether the normalizer does is a switch.

    Args:
        rewards: Rewards ``[time, envs]``; None takes a robot's: ``Humanoid-v5``.
        dones: 1 or True where a step ended an episode, ``[time, envs]``; None with rewards: none did.
        state: Values of the controls other than the defaults.

    Raises:
        ValueError: Rewards or dones of another shape, or with values that are not allowed.
    """

    State = RewardsState
    lesson = 4
    shows = "rewards before and after scaling, and what a value function meets"
    breaks = "sums that ignore episode ends, three wrong divisors, a subtracted mean"
    size = (9.0, 6.2)
    swept = (
        {"divide": ..., "ends": ..., "step": 9},
        {"gamma": (0.0, 0.9, 0.99, 0.999), "step": 9},
        {"divide": ..., "shift": (-5.0, 0.0, 5.0)},
        {"divide": ..., "scale": (0.01, 1.0, 100.0)},
    )
    question = Control("running std", "What the rewards are divided by at the last step.", range=(1e-3, 1e6, 1e-3))

    def __init__(self, rewards: torch.Tensor | None = None, dones: torch.Tensor | None = None, **state: Any) -> None:
        if rewards is None:
            if dones is not None:
                raise ValueError("dones: expected None where rewards are None")
            robot = rollout("Humanoid-v5", steps=512, envs=16)
            rewards, dones = robot.rewards, robot.dones
        rewards = finite_tensor("rewards", rewards, "[time, envs]")
        dones = torch.zeros(rewards.shape) if dones is None else dones
        self.rewards, self.dones = rewards.float(), episode_ends("dones", dones, rewards.shape)  # [time, envs]
        self._unit = 10 ** np.round(np.log10(float(self.rewards.std(correction=0)) or 1.0))
        steps, envs = rewards.shape
        stride = max(1, steps // 64)
        most = round_up(float(self.rewards.abs().mean()) or 1.0)
        ranges = {
            "step": (stride, steps - steps % stride, stride),
            "env": (0, envs - 1, 1),
            "shift": (-most, most, most / 5),
        }
        super().__init__(ranges=ranges, defaults={"step": stride * max(1, steps // stride // 2)}, **state)

    def compute(self, state: RewardsState) -> RewardsResult:
        """Scale the rewards of all steps at once, as the library's normalizer does step by step."""
        seen = self.dones[: state.step].numpy()
        return RewardsResult(
            state=state,
            trace=self._normalized(state.gamma, state.ends, state.scale, state.shift, state.divide),
            ends=seen[:, state.env].nonzero()[0],
            episodes=int(seen.sum()),
        )

    @cached(16)
    def _normalized(self, gamma: float, ends: bool, scale: float, shift: float, divide: str) -> NormalizedRewards:
        rewards, dones = ((self.rewards + shift) * scale).numpy(), self.dones.numpy()  # [time, envs]
        right = _sums(rewards, dones, gamma)
        sums = right if ends else _sums(rewards, None, gamma)
        if divide == "rewards":
            sums = rewards
        elif divide == "across":  # robots taken for time: the sum runs from the first robot to the last
            sums = _sums(rewards.T, None, gamma).T
        each = sums - sums[:, :1]  # whose std is exactly 0 where all are the same
        std = (each.std(1, dtype=float) if divide == "each step" else running_std(sums)).astype(np.float32)
        divisor = (std + (std == 0))[:, None]  # as the library: 1 where nothing varied yet
        normalized = rewards / divisor
        if divide == "centred":
            normalized -= running_mean(rewards).astype(np.float32)[:, None] / divisor
        truth = float(right.std(dtype=float))
        return NormalizedRewards(
            rewards=rewards,
            sums=sums,
            std=std,
            normalized=normalized,
            values=_sums(normalized, dones, gamma),
            right=right,
            truth=truth if truth > 1e-6 * float(np.abs(right).max()) else 0.0,  # less is rounding
        )

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out what comes in on the left, over the std; what comes out on the right, over its histogram."""
        from matplotlib.transforms import ScaledTranslation

        grid = figure.subplots(3, 2)
        (reward, normalized), (sums, values), (std, spread) = grid
        total = len(self.rewards)
        series = {"reward": reward, "sums": sums, "std": std, "normalized": normalized, "values": values}
        for axes in series.values():
            axes.set_xlim(0, total)
            axes.locator_params(axis="x", nbins=6, integer=True)
        for axes in (reward, sums, normalized, values):
            axes.locator_params(axis="y", nbins=4)
            axes.yaxis.set_major_formatter(_tick)
        for axes in (reward, normalized, sums):
            axes.tick_params(labelbottom=False)
        for axes in (values, std):
            axes.set_xlabel("step", labelpad=1)
        reward.set(title="reward of one robot", ylabel="reward")
        sums.set(title="what the std is taken of", ylabel="sum of rewards")
        std.set(title="its running std, all robots", ylabel="std", yscale="log")
        normalized.set(title="normalized reward", ylabel="reward / std")
        values.set(title="its discounted sum", ylabel="normalized sum")
        spread.set(title=f"last {WINDOW} steps of all robots", ylabel="peak = 1", ylim=(0, 1.05), yticks=[0, 1])
        spread.set_xscale("symlog", linthresh=10, linscale=2.5)
        spread.set(xlim=(-1000, 1000), xlabel="normalized sum (beyond ±10: logarithmic)")
        spread.set_xticks(TICKS, [_tick(tick) for tick in TICKS])
        spread.set_xticks([], minor=True)
        artists: dict[str, Any] = {"axes": grid, "marks": {}, "words": {}}
        for axes in (reward, sums, normalized, values):  # in a dictionary: they leave no ghosts
            (artists["marks"][axes],) = axes.plot(
                [], [], color=FAINT, linewidth=1, transform=axes.get_xaxis_transform()
            )
        for name in ("sums", "std", "normalized", "values"):
            (artists[f"right {name}"],) = series[name].plot([], [], color=GREY, linewidth=1.2)
        for name, axes in series.items():
            (artists[name],) = axes.plot([], [], color=BLUE, linewidth=1.5)
        (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, clip_on=False)
        artists["guess"].set_in_layout(False)  # without a guess it would pass for a mark at the figure's corner
        bars = np.zeros(len(EDGES) - 1)
        artists["right spread"] = spread.stairs(bars, EDGES, color=GREY, linewidth=1.2)
        artists["spread"] = spread.stairs(bars, EDGES, fill=True, color=BLUE, alpha=0.7)
        for axes in grid.flat:
            artists["words"][axes] = axes.annotate(
                "", (1, 1), (0, 6), "axes fraction", "offset points", ha="right", fontsize=9
            )
            beside = axes.transAxes + ScaledTranslation(-0.5, 0, figure.dpi_scale_trans)
            axes.yaxis.set_label_coords(0, 0.5, transform=beside)  # there: whatever the ticks say
        shown = {
            artists["std"]: "as the controls say",
            artists["right std"]: "by the right std, known from the start",
            artists["marks"][reward]: "end of an episode",
            artists["guess"]: "your guess",
        }
        figure.legend(list(shown), list(shown.values()), loc="outside upper center", ncols=4)
        return artists

    def draw(self, artists: dict[str, Any], result: RewardsResult) -> None:
        """Move lines, marks, bars and words."""
        state, trace = result.state, result.trace
        (reward, normalized), (sums, values), (std, spread) = artists["axes"]
        total, ideal = len(trace.rewards), trace.truth or 1.0
        seen = slice(0, state.step)
        steps, half = np.arange(1, state.step + 1), slice(total // 2, None)
        right = {"sums": trace.right, "normalized": trace.rewards / ideal, "values": trace.right / ideal}
        reward.set_ylim(_limits(trace.rewards))
        sums.set_ylim(_limits(trace.sums, trace.right))
        normalized.set_ylim(_limits(trace.normalized[half], right["normalized"]))  # what comes first may leave it
        values.set_ylim(_limits(trace.values[half], right["values"]))
        std.set_ylim(self._std_limits(state))
        artists["reward"].set_data(steps, trace.rewards[seen, state.env])
        for name, truth in right.items():
            artists[name].set_data(steps, getattr(trace, name)[seen, state.env])
            artists[f"right {name}"].set_data(steps, truth[seen, state.env])
        artists["std"].set_data(steps, np.where(trace.std > 0, trace.std, np.nan)[seen])
        artists["right std"].set_data([0, total], [trace.truth or np.nan] * 2)
        for line in artists["marks"].values():
            line.set_data(np.repeat(result.ends + 1, 3), np.tile([0, 1, np.nan], len(result.ends)))
        for name, sample in (("spread", trace.values), ("right spread", right["values"])):
            bars = clipped_histogram(sample[result.late], EDGES)
            artists[name].set_data(bars / max(1, bars.max()))
        words = artists["words"]
        words[reward].set_text(f"robot {state.env}")
        words[std].set_text(f"{short(trace.std[state.step - 1])}, right: {short(trace.truth)}")
        words[normalized].set_text(f"at first up to {short(np.abs(trace.normalized[:8]).max())}")
        words[spread].set_text(f"std {short(trace.values[result.late].std())}")

    def _std_limits(self, state: RewardsState) -> tuple[float, float]:
        return 0.01 * self._unit * state.scale, 3000 * self._unit * state.scale

    def mark(self, result: RewardsResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess at the end of the running std's panel."""
        return [len(result.trace.rewards)], [np.clip(guess, *self._std_limits(result.state))]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return rewards and the ends of episodes."""
        return draw(24, 4), draw(24, 4) > 1.3

    def numbers(self, result: RewardsResult) -> dict[str, str]:
        """Return the scales before and after, and the sum of the robot."""
        state, trace, late = result.state, result.trace, result.late
        std, scale = trace.std[state.step - 1], trace.values[late].std()
        return {
            "running std": short(std),
            "right std": short(trace.truth),
            "std of rewards": short(trace.rewards[: state.step].std()),
            "sum now": short(trace.sums[state.step - 1, state.env]),
            "normalized mean": _mean(trace.normalized[late]),
            "normalized std": short(trace.normalized[late].std()),
            "std of their sums": ("" if 0.5 < scale < 2 else "✗ ") + short(scale),
            "episodes ended": f"{result.episodes:,}",
        }

    def describe(self, result: RewardsResult) -> str:
        """Name what the rewards are divided by, what would be right, and the symptom of what is wrong."""
        state, trace, late = result.state, result.trace, result.late
        std, scale = trace.std[state.step - 1], trace.values[late].std()
        if trace.truth == 0:
            symptom = "nothing varies, nothing is divided"
        elif state.divide == "centred":
            symptom = "staying alive pays nothing on average"
        elif state.divide == "across":
            symptom = "the scale follows the number of robots, not the episodes"
        elif state.divide == "each step":
            symptom = f"the scale jumps between {short(trace.std[late].min())} and {short(trace.std[late].max())}"
        elif scale > 2:
            symptom = "too large for a value function"
        elif scale < 0.5:
            symptom = "too small for a value function"
        else:
            symptom = "a good scale for a value function"
        return (
            f"After {state.step:,} steps and {result.episodes:,} episodes {DIVISORS[state.divide]} is {short(std)}; "
            f"right, at the end, is {short(trace.truth)}. "
            f"Robot {state.env}'s sum is {short(trace.sums[state.step - 1, state.env])}. "
            f"Normalized rewards have mean {_mean(trace.normalized[late])}, their sums std {short(scale)}: {symptom}."
        )


def _mean(x: np.ndarray) -> str:
    """Write a mean; 0 where it is so small beside the std that its digits say nothing."""
    return short(x.mean()) if abs(x.mean()) > 0.02 * x.std() else "0"


def _sums(rewards: np.ndarray, dones: np.ndarray | None, gamma: float) -> np.ndarray:
    """Return the discounted sums at each step, ``[time, envs]``, those of ended episodes for the last time."""
    sums, before = np.empty_like(rewards), np.zeros_like(rewards[0])
    goes_on = None if dones is None else (~dones).astype(rewards.dtype)
    for t, total in enumerate(sums):
        np.multiply(before, gamma, out=total)
        total += rewards[t]
        before = total if goes_on is None else total * goes_on[t]
    return sums


def _tick(value: float, position: int | None = None) -> str:
    """Write a tick's number in at most six characters."""
    value = round(value, 12)
    if abs(value) >= 1000:
        text = f"{value / 1000:g}k" if abs(value) < 1e6 else f"{value:.0e}".replace("e+0", "e")
    else:
        text = f"{value:g}" if value == 0 or abs(value) >= 0.01 else f"{value:.0e}".replace("e-0", "e-")
    return text.replace("-", "−")


def _limits(*series: np.ndarray) -> tuple[float, float]:
    """Return round limits around all numbers and 0: they move in coarse steps."""
    low, high = min(0.0, *(float(x.min()) for x in series)), max(0.0, *(float(x.max()) for x in series))
    step, room = round_up((high - low) / 8 or 0.2), 0.02 * (high - low)
    return float(np.floor((low - room * (low < 0)) / step)) * step, float(np.ceil((high + room) / step) or 1) * step
