"""The picture of the explorer *std under training*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.number_format import counted, round_up

from ..bench.arithmetic import HALF_LOG_2PI, exact, rounded, signed
from ..bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, PINK, RED
from ..bench.touch import Grip, Mark, Spot, grip
from .state import STEPS, StdTrainingResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = 8
"""Number of joints with a name at their lines. They are the joints with the lowest stds; more names would not fit."""
POINTED = 12
"""Maximum number of joints to point at."""
ROOM = 110
"""Space for the names to the right of the last step, in steps. All panels have this space, so that equal steps line up.

The axis line ends at the last step.
"""
GAP = 0.055
"""Minimum distance between two names, as a share of the panel's height."""
CLEAR = 0.09
"""Minimum distance between a name and the centre of torch's error, which has two lines."""
ERROR = (0.2, 0.16, 0.12, *(0.25 + 0.05 * n for n in range(13)))
"""Possible heights of torch's error. The picture uses the first height at which the error overlaps no name."""


def stage(figure: Figure, names: Sequence[str]) -> dict[str, Any]:
    """Lay out the panels: stds and gradients in the upper row, entropy and logged mean std in the lower row."""
    (std, gradient), (entropy, log) = figure.subplots(2, 2, gridspec_kw={"height_ratios": (1.35, 1)})
    panels = {"std": std, "gradient": gradient, "entropy": entropy, "log": log}
    for label, axes in panels.items():
        axes.set_label(label)
        axes.set(xlim=(0, STEPS + ROOM), xticks=(0, 100, 200, 300))
        axes.set_xlabel("steps", x=STEPS / 2 / (STEPS + ROOM))
        axes.spines["bottom"].set_bounds(0, STEPS)
    std.set(ylabel="std given by the parameter", title="std of each joint (grey: below zero)")
    std.set_yscale("symlog", linthresh=0.01, linscale=0.7)
    ticks = (-10, -1, -0.1, -0.01, 0, 0.01, 0.1, 1, 10, 1e3, 1e5)
    std.set_yticks(ticks, [f"{tick:,g}".replace("-", "−") for tick in ticks])
    gradient.set(ylabel="∂loss/∂parameter", title="gradient: above 0, the std shrinks")
    gradient.set_yscale("symlog", linthresh=0.1, linscale=0.7)
    entropy.set(ylabel="nats", title="entropy of the policy")
    log.set(ylabel="mean of the stds", title="mean std in training logs")
    for axes in (std, gradient):
        axes.minorticks_off()
    ends = STEPS / (STEPS + ROOM)  # as a share of the panel's width
    std.axhspan(-30, 0, xmax=ends, color=FAINT, alpha=0.35, linewidth=0)
    gradient.axhline(0, xmax=ends, color=FAINT, linewidth=1)
    artists: dict[str, Any] = {"axes": panels, "joints": [], "gradients": [], "names": []}
    looks = itertools.cycle(itertools.product(("-", "--", ":", "-."), (BLUE, ORANGE, GREEN)))
    for name, (style, color) in zip(names, looks, strict=False):
        look: dict[str, Any] = {"color": color, "linestyle": style, "label": name}
        artists["joints"] += std.plot([], [], **look)
        artists["gradients"] += gradient.plot([], [], **look)
        artists["names"].append(std.text(0, 0, "", color=color, **_beside(std)))
    (artists["mean"],) = std.plot([], [], color=GREY, linewidth=3, alpha=0.6, label="logged mean")
    artists["mean name"] = std.text(0, 0, "", color=GREY, **_beside(std))
    (artists["end"],) = std.plot([], [], "s", color=RED, markersize=7)
    artists["error"] = std.text(0, ERROR[0], "", color=RED, **_beside(std))
    (artists["guess"],) = std.plot([], [], "X", color=PINK, markersize=10, label="your guess")
    (artists["entropy"],) = entropy.plot([], [], color=GREY, linewidth=2)
    (artists["log"],) = log.plot([], [], color=GREY, linewidth=2)
    artists["marks"] = [axes.axvline(-1, color=RED, linestyle=":", linewidth=1.5) for axes in panels.values()]
    return artists


def _beside(axes: Any) -> dict[str, Any]:
    return {"transform": axes.get_xaxis_transform(), "fontsize": 9, "va": "center"}


def draw(artists: dict[str, Any], result: StdTrainingResult) -> None:
    """Update the lines, the names of the lines, and the marker of the step at which a std first fell below zero."""
    asked, steps, joints = result.asked, np.arange(len(result.asked)), result.asked.shape[1]
    low = next((limit for limit, least in ((-0.1, -0.08), (-4, -1.2)) if asked.min() > least), -30)
    high = next((limit for limit, most in ((3, 2), (10, 10)) if asked.max() < most), 1e7)
    artists["axes"]["std"].set_ylim(low, high)
    lowest = np.nanmin(result.entropy, initial=0)
    artists["axes"]["entropy"].set_ylim((-4 if lowest > -4 * joints else -14) * joints, 4 * joints)
    artists["axes"]["log"].set_ylim(0, round_up(1.05 * max(1e-3, float(result.mean.max())), (2, 6)))
    steep = np.nanmax(np.abs(result.gradient), initial=0)
    ticks = (1, 10, 100) if steep < 80 else (1, 1e3, 1e6)
    slopes = artists["axes"]["gradient"]
    if slopes.get_ylim()[1] != 3 * ticks[-1]:
        slopes.set_yticks([-tick for tick in ticks[::-1]] + [0, *ticks])
        slopes.set_ylim(-3 * ticks[-1], 3 * ticks[-1])
    for place, joint in enumerate(result.joints):
        width = 2.4 if place == 0 else 1.2
        for line, series in ((artists["joints"][joint], asked), (artists["gradients"][joint], result.gradient)):
            line.set_data(steps, series[:, place])
            line.set(linewidth=width, zorder=3 if place == 0 else 2)
        artists["gradients"][joint].set(linewidth=width / 1.5, alpha=1 if place == 0 else 0.4)
    artists["mean"].set_data(steps, result.mean)
    artists["log"].set_data(steps, result.mean)
    artists["entropy"].set_data(steps, result.entropy)
    end = slice(-1, None) if result.error else slice(0)
    artists["end"].set_data(steps[end], asked[end, 0])
    for mark in artists["marks"]:
        mark.set_xdata([-10 if result.below is None else result.below] * 2)
    late = steps[-1] > 0.6 * STEPS
    artists["error"].set(x=steps[-1] + (-8 if late else 8), ha="right" if late else "left")
    artists["error"].set_text(textwrap.fill(f"✗ {result.error}", 26) if result.error else "")
    _name_lines(artists, result)


def _name_lines(artists: dict[str, Any], result: StdTrainingResult) -> None:
    """Place the names of the joints at the ends of the lines, without overlap."""
    axes, last = artists["axes"]["std"], len(result.asked) - 1
    for text in artists["names"]:
        text.set_text("")
    named = [(artists["names"][joint], name) for joint, name in zip(result.joints[:NAMED], result.names, strict=False)]
    named.append((artists["mean name"], "logged mean"))
    ends = [*result.asked[-1, : len(named) - 1], result.mean[-1]]
    within = axes.transData + axes.transAxes.inverted()
    heights = spread(within.transform(np.column_stack([np.zeros(len(ends)), ends]))[:, 1])
    for (text, name), height in zip(named, heights, strict=True):
        text.set(text=name, x=last + 8, y=round(float(height), 4))
    artists["error"].set_y(next((y for y in ERROR if np.abs(heights - y).min() > CLEAR), ERROR[0]))


def spread(heights: np.ndarray) -> np.ndarray:
    """Move heights only as far as needed to be :data:`GAP` apart. They keep their order and are from 0 to 1."""
    order = np.argsort(heights, kind="stable")
    wanted = heights[order] - GAP * np.arange(len(heights))
    # Names that would overlap form a group, which is centred on the mean of their heights.
    runs: list[list[float]] = []
    for value in wanted:
        runs.append([value])
        while len(runs) > 1 and np.mean(runs[-2]) > np.mean(runs[-1]):
            runs[-2:] = [runs[-2] + runs[-1]]
    flat = np.concatenate([np.full(len(run), np.mean(run)) for run in runs])
    placed = np.empty(len(heights))
    placed[order] = np.clip(flat, 0.03, 0.97 - GAP * (len(heights) - 1)) + GAP * np.arange(len(heights))
    return placed


def grips(positions: Sequence[int]) -> list[Grip]:
    """Return the handles that select the step, one in each panel."""
    feet = {"std": -100.0, "gradient": -1e9, "entropy": -1e9, "log": 0.0}  # below the lower edge of all axes
    return [grip("steps", panel, {t: (t, foot) for t in positions}, along="x") for panel, foot in feet.items()]


# Hover targets


def spots(result: StdTrainingResult) -> list[Spot]:
    """Return the hover targets: joints, mean std, entropy, and the step at which a std fell below zero."""
    last, step = len(result.asked) - 1, result.step
    found = []
    if result.below is not None:
        words = result.error or "a std is below zero for the first time"
        marks = tuple(Mark(panel, result.below, None) for panel in ("std", "gradient", "entropy", "log"))
        found.append(Spot(f"step {result.below}", words, marks, _joint(result, 0) if result.error else ()))
    found += [_joint_spot(result, place) for place in range(min(POINTED, len(result.joints)))]
    shown = result.asked[-1] if result.state.parameter == "unclamped" else result.asked[-1].clip(*result.limits)
    count = len(shown)
    total = " + ".join(map(signed, shown)) if count <= NAMED else exact(shown.sum())
    found.append(
        Spot(
            "mean std",
            f"{rounded(result.mean[-1])}, as shown in training logs",
            (Mark("std", last, float(result.mean[-1])), Mark("log", last, float(result.mean[-1]))),
            (f"({total}) / {count} = {exact(result.mean[-1])}",),
        )
    )
    if np.isfinite(step.entropy):
        logs = (
            " + ".join(f"ln({exact(std)})" for std in step.held) if count <= NAMED else exact(np.log(step.held).sum())
        )
        found.append(
            Spot(
                "entropy",
                f"{rounded(step.entropy)} nats at step {step.number}",
                (Mark("entropy", step.number, step.entropy),),
                (
                    f"Σ ln σ: {logs} = {exact(np.log(step.held).sum())}",
                    f"{exact(np.log(step.held).sum())} + {count}·(½ + {HALF_LOG_2PI}) = {exact(step.entropy)}",
                    f"in the loss: −{exact(result.state.entropy)}·{signed(step.entropy)}"
                    f" = {exact(-result.state.entropy * step.entropy)}",
                ),
            )
        )
    return found


def _joint_spot(result: StdTrainingResult, place: int) -> Spot:
    """Return the hover target for a joint, with marks along the lines of this joint."""
    last, asked, gradient = len(result.asked) - 1, result.asked[:, place], result.gradient[:, place]
    along = np.unique(np.linspace(0, last, 7).round().astype(int))
    marks = [Mark("std", int(t), float(asked[t])) for t in along]
    marks += [Mark("gradient", int(t), float(gradient[t])) for t in along[::2] if np.isfinite(gradient[t])]
    numbers = f"std {rounded(asked[-1])} after {counted(last, 'step')}, gradient {rounded(result.step.gradient[place])}"
    return Spot(result.names[place], numbers, tuple(marks), _joint(result, place))


def _joint(result: StdTrainingResult, place: int) -> tuple[str, ...]:
    """Write out the calculation of one step of a joint's std."""
    state, step = result.state, result.step
    log = state.parameter == "log"
    what = "log σ" if log else "σ"
    total, held, mean, square = (float(values[place]) for values in (step.gradient, step.held, step.mean, step.square))
    before, after = float(step.before[place]), float(step.after[place])
    bonus = state.entropy if log else state.entropy / held if held else 0.0
    share = exact(state.entropy) if log else f"{exact(state.entropy)} / {signed(held)}"
    asked = np.exp(before) if log else before
    if total == 0 and state.parameter != "unclamped" and asked < result.limits[0]:
        lines = [f"gradient at step {step.number}: 0, because the clamp blocks it"]
    else:
        lines = [
            f"gradient at step {step.number} (reward − entropy): {exact(total + bonus)} − {share} = {exact(total)}",
            f"full gradient clipped to norm 1: {signed(total)} · {exact(step.clip)} = {exact(total * step.clip)}",
        ]
    lines += [
        f"Adam's running means of gradient and squared gradient: {exact(mean)} and {exact(square)}",
        f"{what} after: {exact(before)} − {exact(state.rate)} · {signed(mean)} / (√({exact(square)}) + 10⁻⁸)"
        f" = {exact(after)}",
    ]
    if log:
        lines.append(f"σ after: e^({exact(after)}) = {exact(np.exp(after))}")
    elif state.parameter == "unclamped":
        lines += ["below zero: not a valid std, so torch raises an error"] if after < 0 else []
    elif after < result.limits[0]:
        lines.append("below the limit: clamped to 10⁻⁶")
    return tuple(lines)
