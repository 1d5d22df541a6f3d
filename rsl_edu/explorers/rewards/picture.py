"""The picture of the explorer *rewards*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.histogram import clipped_histogram
from rsl_edu.number_format import counted, large, round_up

from ..bench.arithmetic import difference, exact, rounded, signed
from ..bench.theme import BLUE, FAINT, GREY, ORANGE
from ..bench.touch import Grip, Mark, Spot, grip
from .state import WINDOW, RewardsResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOG = 10 ** np.linspace(1, 3, 21)
EDGES = np.concatenate([-_LOG[:0:-1], np.arange(-10, 10.1, 0.5), _LOG[1:]])
"""Edges of the bins of the normalized sums: linear up to ±10, then logarithmic. The outermost bins count the rest."""
TICKS = (-1000, -100, -10, -5, 0, 5, 10, 100, 1000)
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "borderaxespad": 0, "columnspacing": 1.2}
"""Position of the legends, between the title and the axes."""
ENDS = 4
"""Maximum number of episode ends to point at. If there are more, the latest are used."""
TITLES = {
    "reward": ("before: reward of one robot", "reward"),
    "normalized": ("after: normalized reward", "reward / std"),
    "sums": ("values used for the std", "sum of rewards"),
    "values": ("discounted sum after normalization", "normalized sum"),
    "std": ("running std, all robots", "std"),
}
"""Title and y-axis label of each panel with a time series."""


def stage(figure: Figure, total: int, unit: float = 1.0) -> dict[str, Any]:
    """Lay out the rewards before and after scaling, and below them the sums, the std and the histogram.

    Args:
        figure: An empty figure.
        total: Number of steps in the recording.
        unit: Order of magnitude of the rewards, a power of ten. The length of the tick labels depends on it.
    """
    from matplotlib.transforms import ScaledTranslation

    grid = figure.subplots(3, 2)
    (reward, normalized), (sums, values), (std, spread) = grid
    series = {"reward": reward, "normalized": normalized, "sums": sums, "values": values, "std": std}
    for name, axes in series.items():
        title, shown = TITLES[name]
        axes.set_label(name)
        axes.set(xlim=(0, total), xlabel="step", ylabel=shown)
        axes.set_title(title, pad=24)
        axes.locator_params(axis="x", nbins=6, integer=True)
    for axes in (reward, sums, normalized, values):
        axes.locator_params(axis="y", nbins=4)
        axes.yaxis.set_major_formatter(tick)
    std.set(yscale="log")
    std.minorticks_off()
    _stage_spread(spread, min(WINDOW, total))
    artists: dict[str, Any] = {"axes": grid, "marks": {}, "words": {}}
    for axes in (reward, sums, normalized, values):  # curves in nested dictionaries are not copied as ghosts
        artists["marks"][axes] = axes.plot([], [], color=FAINT, linewidth=1, transform=axes.get_xaxis_transform())[0]
    for name in ("sums", "std", "normalized", "values"):
        (artists[f"right {name}"],) = series[name].plot([], [], color=GREY, linewidth=1.2)
    for name, axes in series.items():
        (artists[name],) = axes.plot([], [], color=BLUE, linewidth=1.5)
    (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, clip_on=False)
    artists["guess"].set_in_layout(False)  # empty and unclipped, it would count as an artist at the corner
    bars = np.zeros(len(EDGES) - 1)
    artists["right spread"] = spread.stairs(bars, EDGES, color=GREY, linewidth=1.2)
    artists["spread"] = spread.stairs(bars, EDGES, fill=True, color=BLUE, alpha=0.7)
    for name in ("normalized", "sums", "values", "std", "spread"):
        axes = spread if name == "spread" else series[name]
        axes.legend([artists[name], artists[f"right {name}"]], ["current", "right"], ncols=2, **ABOVE)
    reward.legend([artists["marks"][reward]], ["end of an episode"], **ABOVE)
    for axes in grid.flat:
        look = {"textcoords": "offset points", "ha": "right", "fontsize": 9}
        artists["words"][axes] = axes.annotate("", (1, 1), (0, 4), xycoords="axes fraction", **look)
        beside = axes.transAxes + ScaledTranslation(-0.5 if 1e-3 < unit < 1e4 else -0.72, 0, figure.dpi_scale_trans)
        axes.yaxis.set_label_coords(0, 0.5, transform=beside)  # a fixed position, independent of the tick labels
    return artists


def _stage_spread(spread: Any, shown: int) -> None:
    spread.set_label("spread")
    spread.set(ylabel="peak = 1", ylim=(0, 1.05), yticks=[0, 1])
    spread.set_title(f"normalized sums, last {'step' if shown == 1 else counted(shown, 'step')}", pad=24)
    spread.set_xscale("symlog", linthresh=10, linscale=2.5)
    spread.set(xlim=(-1000, 1000), xlabel="normalized sum (beyond ±10: logarithmic)")
    spread.set_xticks(TICKS, [tick(value) for value in TICKS])
    spread.set_xticks([], minor=True)


def draw(artists: dict[str, Any], result: RewardsResult, std_limits: tuple[float, float]) -> None:
    """Update the lines, marks, bars and labels."""
    state, trace = result.state, result.trace
    (reward, normalized), (sums, values), (std, spread) = artists["axes"]
    total, ideal = len(trace.rewards), trace.truth or 1.0
    seen = slice(0, state.step)
    steps, half = np.arange(1, state.step + 1), slice(total // 2, None)
    right = {"sums": trace.right, "normalized": trace.rewards / ideal, "values": trace.right / ideal}
    reward.set_ylim(_limits(trace.rewards))
    sums.set_ylim(_limits(trace.sums, trace.right))
    normalized.set_ylim(_limits(trace.normalized[half], right["normalized"]))  # the first steps may exceed this limit
    values.set_ylim(_limits(trace.values[half], right["values"]))
    std.set_ylim(std_limits)
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
    words[std].set_text(f"{three(trace.std[state.step - 1])}, right: {three(trace.truth)}")
    words[normalized].set_text(f"initially up to {rounded(np.abs(trace.normalized[:8]).max())}")
    words[spread].set_text(f"std {rounded(trace.values[result.late].std(dtype=float))}")


def tick(value: float, position: int | None = None) -> str:
    """Return a tick label of at most seven characters."""
    value = float(f"{value:.3g}")  # Matplotlib's tick values have rounding errors
    if 1000 <= abs(value) < 1e6:
        text = f"{value / 1000:g}k"
    elif value == 0 or 0.01 <= abs(value) < 1000:
        text = f"{value:g}"
    else:
        text = re.sub(r"\.?0*e\+?(-?)0*", r"e\1", f"{value:.1e}")
    return text.replace("-", "−")


def three(value: float) -> str:
    """Return a divisor with three digits. With two, the shown divisors would give ratios that differ from the text."""
    return large(value) if abs(value) >= 1e6 else exact(value, 3)


def _limits(*series: np.ndarray) -> tuple[float, float]:
    """Return round limits that include 0 and all numbers. The limits change only in coarse steps."""
    low, high = min(0.0, *(float(x.min()) for x in series)), max(0.0, *(float(x.max()) for x in series))
    step, room = round_up((high - low) / 8 or 0.2), 0.02 * (high - low)
    return float(np.floor((low - room * (low < 0)) / step)) * step, float(np.ceil((high + room) / step) or 1) * step


def title(result: RewardsResult) -> str:
    """State in one sentence the divisor of the rewards and the right divisor."""
    state, trace, late = result.state, result.trace, result.late
    std, truth = float(trace.std[state.step - 1]), trace.truth
    if std == 0:
        return "Nothing varies, so the divisor is 1."
    if truth == 0:
        return f"The sums hardly vary: rewards are divided by {three(std)}, but there is no right scale."
    if state.divide == "centred":
        mean = "0" if result.averages_nothing else rounded(trace.normalized[late].mean(dtype=float))
        before = rounded(trace.rewards[late].mean(dtype=float) / truth)
        return f"The mean is subtracted: rewards average {mean} instead of {before}."
    if state.divide == "each step":
        least, most = (three(edge) for edge in (trace.std[late].min(), trace.std[late].max()))
        return f"The std over the robots jumps between {least} and {most}; the right one is {three(truth)}."
    if state.divide == "rewards":
        scale = large(trace.values[late].std(dtype=float))
        return f"Divided by their own std, rewards add up to sums with std {scale} instead of 1."
    if state.divide == "across":
        return f"Summed over robots instead of time: the divisor is {three(std)}; the right one is {three(truth)}."
    return _of_the_right_divisor(result, std)


def _of_the_right_divisor(result: RewardsResult, std: float) -> str:
    """Compare the divisor with the right divisor. Blame ignored episode ends only for the difference they cause."""
    state, truth, ended = result.state, result.trace.truth, float(result.trace.ended[result.state.step - 1])
    divided, right = three(std), three(truth)
    if state.ends or not result.episodes:
        return f"After {counted(state.step, 'step')}, rewards are divided by {divided}; the right divisor is {right}."
    if divided == three(ended):
        return f"Ignoring episode ends changes nothing here: the divisor is {divided}; the right one is {right}."
    if abs(std - ended) < 0.5 * abs(std - truth) or (std - ended) * (std - truth) < 0:
        return f"Ignoring episode ends moves the divisor from {three(ended)} to {divided}; the right one is {right}."
    ratio = float(f"{std:.3g}") / float(f"{truth:.3g}")  # of the printed numbers, as readers would calculate it
    if large(ratio) != "1":
        return f"Episode ends are ignored: rewards are divided by {divided}, {large(ratio)} times the correct {right}."
    return f"Episode ends are ignored: rewards are divided by {divided}; the right divisor is {right}."


def grips(result: RewardsResult, positions: Sequence[int]) -> tuple[Grip, ...]:
    """Return the handle that selects the step; its knob is near the bottom of the reward panel."""
    low, high = _limits(result.trace.rewards)
    return (grip("step", "reward", {step: (step, low + 0.08 * (high - low)) for step in positions}, along="x"),)


def spots(result: RewardsResult) -> tuple[Spot, ...]:
    """Return the hover targets: the current step, the first step, and the latest episode ends."""
    found = [_step(result, result.state.step - 1, "this step")]
    if result.state.step > 1:
        found.append(_step(result, 0, "the first step"))
    return (*found, *(_end(result, int(end)) for end in result.ends[-ENDS:]))


def _step(result: RewardsResult, t: int, name: str) -> Spot:
    trace, env = result.trace, result.state.env
    reward, after, std = (float(x) for x in (trace.rewards[t, env], trace.normalized[t, env], trace.std[t]))
    marks = [
        Mark(panel, t + 1, round_to(series))
        for panel, series in (
            ("reward", reward),
            ("normalized", after),
            ("sums", float(trace.sums[t, env])),
            ("values", float(trace.values[t, env])),
            ("std", std or None),
        )
    ]
    numbers = f"step {t + 1:,}, robot {env}: reward {exact(reward)} becomes {exact(after)}"
    return Spot(name, numbers, tuple(marks), step_lines(result, t))


def round_to(value: float | None) -> float | None:
    """Return a coordinate rounded to as many digits as are visible in the picture."""
    return None if value is None else float(f"{value:.4g}")


def step_lines(result: RewardsResult, t: int) -> tuple[str, ...]:
    """Write out the calculation of a step (counted from 0): the shown robot's sum, the std, the normalized reward."""
    state, trace, env = result.state, result.trace, result.state.env
    reward, std = float(trace.rewards[t, env]), float(trace.std[t])
    divisor = std or 1.0
    quotient = f"{signed(reward)} / {signed(divisor)}"
    if state.divide == "centred":
        mean = float(trace.rewards[: t + 1].mean(dtype=float))
        quotient = f"({difference(reward, mean)}) / {signed(divisor)}"
    return (
        _sum_line(result, t),
        *_std_lines(result, t),
        f"normalized = {quotient} = {exact(float(trace.normalized[t, env]))}",
    )


def _sum_line(result: RewardsResult, t: int) -> str:
    state, trace, env = result.state, result.trace, result.state.env
    reward, total = float(trace.rewards[t, env]), exact(float(trace.sums[t, env]))
    if state.divide == "rewards":
        return f"no sum: the std is over the rewards themselves, here {exact(reward)}"
    if state.divide == "across":
        if env == 0:
            return f"sum = {total}, only the reward, because this is the first robot"
        before = signed(float(trace.sums[t, env - 1]))
        return f"sum = γ · sum of robot {env - 1} + r = {state.gamma:g} · {before} + {signed(reward)} = {total}"
    if t == 0:
        return f"sum = r = {total}"
    if state.ends and result.dones[t - 1]:
        return f"sum = γ · 0 + r = {total}, because the previous step ended an episode"
    before = signed(float(trace.sums[t - 1, env]))
    return f"sum = γ · previous sum + r = {state.gamma:g} · {before} + {signed(reward)} = {total}"


def _std_lines(result: RewardsResult, t: int) -> tuple[str, ...]:
    """Write out how the std follows from the statistics of earlier steps and all robots' sums at this step."""
    trace, what = result.trace, "rewards" if result.state.divide == "rewards" else "sums"
    new = trace.sums[t].astype(float)
    m, mean, var = len(new), float(new.mean()), float(np.square(new - new.mean()).mean())
    here = f"{counted(m, 'robot')}: mean {exact(mean)}, variance {exact(var)}"
    if result.state.divide == "each step" or t == 0:
        return f"{what} over {here}", f"std = √{signed(var)} = {exact(float(trace.std[t]))}"
    past = trace.sums[:t].astype(float)
    n, past_mean, past_var = past.size, float(past.mean()), float(past.var())
    total, delta = n + m, mean - past_mean
    variance = (n * past_var + m * var + n * m / total * delta**2) / total
    shares = f"({n:,} · {exact(past_var)} + {m:,} · {exact(var)}) / {total:,}"
    return (
        f"{what} so far: n = {n:,}, mean {exact(past_mean)}, variance {exact(past_var)}",
        f"{what} of this step: n = {here}",
        f"variance = {shares} + {n:,}·{m:,}/{total:,}² · {signed(delta)}² = {exact(variance)}",
        f"std = √{signed(variance)} = {exact(float(trace.std[t]))}",
    )


def _end(result: RewardsResult, end: int) -> Spot:
    """Return the hover target for an episode end, with the sum at this step and at the next step."""
    state, trace, env = result.state, result.trace, result.state.env
    right = float(trace.right[end, env])
    marks = [Mark("reward", end + 1), Mark("sums", end + 1, round_to(float(trace.sums[end, env])))]
    lines = [f"discounted sum at the end = {exact(right)}"]
    if end + 1 < len(trace.rewards):
        reward = float(trace.rewards[end + 1, env])
        lines.append(f"right, at the next step: {state.gamma:g} · 0 + {signed(reward)} = {exact(reward)}")
        if state.divide in ("returns", "centred", "each step") and not state.ends:
            total = float(trace.sums[end, env])
            goes_on = f"{state.gamma:g} · {signed(total)} + {signed(reward)} = {exact(float(trace.sums[end + 1, env]))}"
            same = exact(float(trace.sums[end + 1, env])) == exact(reward)
            lines.append(f"current: {goes_on}, {'the same here' if same else 'as if the robot had not fallen'}")
    numbers = f"robot {env}'s episode ends with a discounted sum of {exact(right)}"
    return Spot(f"end at step {end + 1:,}", numbers, tuple(marks), tuple(lines))
