"""The picture of the explorer *adaptive rate*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.histogram import clipped_histogram
from rsl_edu.number_format import large, short

from ..bench.arithmetic import exact
from ..bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, PINK
from ..bench.touch import Grip, Mark, Spot, grip
from .state import BATCHES, EPOCHS, LIMITS, UPDATES, AdaptiveRateResult, adapted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EDGES = np.geomspace(1e-3, 1e3, 37)
"""Edges of the bins of KL / target; the outermost bins also count the values beyond them."""
KL_LIMITS = (1e-6, 100)
"""Limits of the KL axis, in nats."""
ANSWERS = {"up": ("^", GREEN, "rate rises"), "down": ("v", ORANGE, "rate falls"), "stays": (".", GREY, "stays")}
"""Marker, colour and label of an update for each effect of the rule on the learning rate."""
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "borderaxespad": 0, "columnspacing": 1.2}
"""Position of the legends, between the title and the axes."""


def stage(figure: Figure) -> dict[str, Any]:
    """Lay out the panels: KL above learning rate on the left, KL histogram above std on the right."""
    (kl, shares), (rate, std) = figure.subplots(2, 2, gridspec_kw={"width_ratios": (1.35, 1)})
    for axes, name in ((kl, "KL"), (rate, "learning rate"), (shares, "band"), (std, "exploration")):
        axes.set_label(name)
    for axes in (kl, rate, std):
        axes.set(xlim=(0, UPDATES + 2), xlabel="mini-batch updates (lines: iterations)")
        axes.set_xticks(range(0, UPDATES + 1, EPOCHS * BATCHES))
        axes.grid(axis="x", color=FAINT, linewidth=0.6)  # the updates at which an iteration begins
    artists: dict[str, Any] = {"dots": {}, "steps": {}}  # curves in nested dictionaries are not copied as ghosts
    _stage_kl(kl, artists)
    rate.set(yscale="log", ylim=(5e-6, 2e-2), ylabel="learning rate")
    rate.set_title("learning rate", pad=24)
    rate.minorticks_off()
    for limit in LIMITS:
        rate.axhline(limit, color=GREY, linestyle=":", linewidth=1)
    (artists["rate"],) = rate.plot([], [], color=BLUE, linewidth=1.2, drawstyle="steps-mid", label="rate")
    (limits,) = rate.plot([], [], color=GREY, linestyle=":", linewidth=1, label="its limits")
    (artists["guess"],) = rate.plot([], [], "X", color=ORANGE, markersize=10, clip_on=False)
    artists["guess"].set_in_layout(False)  # otherwise the layout would reserve space for this empty, unclipped artist
    rate.legend(handles=[artists["rate"], limits], ncols=2, **ABOVE)
    for answer in ("up", "down"):
        artists["steps"][answer] = rate.plot([], [], color=ANSWERS[answer][1], linewidth=3, solid_capstyle="butt")[0]
    _stage_shares(shares, artists)
    std.set(ylim=(0, 1.6), ylabel="std / initial std")
    std.set_title("exploration", pad=24)
    std.axhline(1, color=GREY, linestyle=":", linewidth=1)
    (artists["std"],) = std.plot([], [], color=BLUE, linewidth=2)
    return artists


def _stage_kl(kl: Any, artists: dict[str, Any]) -> None:
    kl.set(yscale="log", ylim=KL_LIMITS, ylabel="KL(old‖new) (nats)")
    kl.set_title("KL since the start of the iteration", pad=24)
    (artists["band"],) = kl.fill([0, 0], [0, 0], color=GREEN, alpha=0.25, linewidth=0, label="½–2 × target")
    (artists["target"],) = kl.plot([0, UPDATES + 2], [1, 1], color=GREEN, linestyle="--", linewidth=1)
    (artists["told"],) = kl.plot([], [], "--", color=PINK, label="KL the rule gets")
    (artists["asked"],) = kl.plot([], [], "o", color=PINK, markersize=6)
    (artists["kl"],) = kl.plot([], [], color=BLUE, linewidth=1.2, label="KL")
    for answer, (marker, colour, words) in ANSWERS.items():
        (artists["dots"][answer],) = kl.plot([], [], marker, color=colour, markersize=4.5, label=words)
    kl.legend(handles=[*artists["dots"].values(), artists["band"]], ncols=4, handlelength=1.2, **ABOVE)
    look = {"color": PINK, "size": 9, "ha": "right", "va": "top", "transform": kl.transAxes}
    artists["told words"] = kl.text(0.99, 0.97, "", **look)


def _stage_shares(shares: Any, artists: dict[str, Any]) -> None:
    shares.set(xscale="log", xlim=EDGES[[0, -1]], ylim=(0, 1.05), ylabel="updates (peak = 1)")
    shares.set(xlabel="KL / target")
    shares.minorticks_off()
    shares.axvspan(0.5, 2, color=GREEN, alpha=0.25, linewidth=0)
    artists["bars"] = shares.stairs(np.zeros(len(EDGES) - 1), EDGES, fill=True, color=BLUE, alpha=0.7)
    artists["words"] = [
        shares.text(x, 1.04, "", ha=ha, transform=shares.transAxes, fontsize=9)
        for x, ha in ((0, "left"), (0.5, "center"), (1, "right"))
    ]
    shares.set_title("is the KL in the band?", pad=24)


def draw(artists: dict[str, Any], result: AdaptiveRateResult) -> None:
    """Update the curves over the updates, the band of the KL target and the bars."""
    state, run = result.state, result.run
    updates = np.arange(1, len(run.kl) + 1)
    low, high = state.target / 2, state.target * 2
    artists["band"].set_xy([[0, low], [UPDATES + 2, low], [UPDATES + 2, high], [0, high]])
    artists["target"].set_ydata([state.target] * 2)
    artists["kl"].set_data(updates, run.kl)
    other = state.schedule == "adaptive" and state.mistake != "right"
    told = run.told if other else np.full(len(updates), np.nan)
    artists["told"].set_data(updates, told)
    artists["asked"].set_data(updates, told if state.mistake == "once" else np.full(len(updates), np.nan))
    artists["told words"].set_text(
        "" if not other else "circle: rule used" if state.mistake == "once" else "dashed: KL the rule gets"
    )
    artists["rate"].set_data(updates, run.rate)
    answers = np.array([answer_to(result, update) for update in range(len(updates))])
    for answer, dots in artists["dots"].items():
        dots.set_data(updates[answers == answer], run.kl[answers == answer])
    before = np.concatenate([[state.rate], run.rate[:-1]])
    for answer, steps in artists["steps"].items():
        these = (answers == answer) & (before != run.rate)
        ends = np.column_stack([before, run.rate, np.full(len(updates), np.nan)])[these]
        steps.set_data(np.repeat(updates[these] - 0.5, 3), ends.ravel())
    artists["std"].set_data(updates, run.std)
    bars = clipped_histogram(run.kl[np.isfinite(run.kl)] / state.target, EDGES)
    artists["bars"].set_data(bars / max(1, bars.max()), EDGES)
    for text, share, where in zip(artists["words"], result.shares, ("below", "inside", "above"), strict=True):
        text.set_text(f"{100 * share:.0f} % {where}")


def answer_to(result: AdaptiveRateResult, update: int) -> str:
    """Return the effect of the rule on the rate at an update (counted from 0), as a key of :data:`ANSWERS`."""
    told, target = result.told(update), result.state.target
    if result.state.schedule == "fixed" or not told:
        return "stays"
    return "down" if told > 2 * target else "up" if told < target / 2 else "stays"


def targets(value: float) -> str:
    """Return a KL as a multiple of the target: ``1 target``, ``1.2 targets``."""
    number = large(value)
    return f"{number} target{'s' * (number != '1')}"


def title(result: AdaptiveRateResult) -> str:
    """State in one sentence how the rate changes and whether it keeps the KL in the band."""
    state, run = result.state, result.run
    inside = f"{result.inside} of {len(run.kl)} updates"
    finite = run.kl[np.isfinite(run.kl)]
    if not len(finite):
        return "The policy does not change, so the KL stays 0 and the rate stays the same."
    largest = targets(finite.max() / state.target)
    if state.schedule == "fixed":
        rate = large(state.rate)
        return f"Fixed rate {rate}: the KL reaches {largest}; {inside} are in the band."
    if state.mistake == "once":
        return f"Applied once per iteration, the rule keeps the KL in the band in {inside}."
    if state.mistake == "mean":
        return f"The rule gets {large(1 / result.dimensions)} times the true KL, which reaches {largest}."
    if state.mistake == "reversed":
        told = result.told_share
        return f"The rule gets KL(new‖old), {told} times the true KL; {inside} are in the band."
    return f"The rate {_way(result)}; the KL is in the band in {inside}."


def _way(result: AdaptiveRateResult) -> str:
    """Describe how the adaptive learning rate changed."""
    rates = np.concatenate([[result.state.rate], result.run.rate])
    steps, least, most = np.diff(rates), rates.min(), rates.max()
    if not steps.any():
        return f"stays at {large(rates[0])}"
    if not (steps < 0).any():
        return f"rises from {large(least)} to {large(most)}"
    if not (steps > 0).any():
        return f"falls from {large(most)} to {large(least)}"
    return f"{'swings' if most > 3 * least else 'stays'} between {large(least)} and {large(most)}"


def grips(positions: Sequence[int]) -> tuple[Grip, ...]:
    """Return the handle that selects the last update shown; its knob is near the bottom of the KL panel."""
    return (grip("updates", "KL", {updates: (updates, 4 * KL_LIMITS[0]) for updates in positions}, along="x"),)


def spots(result: AdaptiveRateResult) -> tuple[Spot, ...]:
    """Return the updates of the last iteration as hover targets, each with its KL and the effect of the rule."""
    last = len(result.run.kl)
    first = (last - 1) // (EPOCHS * BATCHES) * EPOCHS * BATCHES
    return tuple(_update(result, update) for update in range(first, last))


def _update(result: AdaptiveRateResult, update: int) -> Spot:
    run = result.run
    kl, after = float(np.nan_to_num(run.kl[update])), float(run.rate[update])
    before = float(run.rate[update - 1]) if update else result.state.rate
    went = f"rate stays at {short(after)}" if before == after else f"rate {short(before)} → {short(after)}"
    ends = [float(f"{end:.4g}") for end in sorted((before, after))]  # further digits would not be visible
    marks = [Mark("learning rate", update + 0.5, (ends[0], ends[1]))]
    if kl:
        marks.insert(0, Mark("KL", update + 1, float(f"{kl:.4g}")))
    numbers = f"KL {short(kl)}, {targets(kl / result.state.target)}: {went}"
    return Spot(f"update {update + 1}", numbers, tuple(marks), rule_lines(result, update))


def rule_lines(result: AdaptiveRateResult, update: int) -> tuple[str, ...]:
    """Write out the rule at an update (counted from 0): the KL, its comparison with the target, the new rate."""
    state, run = result.state, result.run
    kl, told = float(np.nan_to_num(run.kl[update])), result.told(update)
    before = float(run.rate[update - 1]) if update else state.rate
    stays = f"rate = {exact(before)}, as before"
    if state.schedule == "fixed":
        return f"KL = {exact(kl)}", f"fixed: the rule is not used; {stays}"
    if state.mistake == "once" and (update + 1) % (EPOCHS * BATCHES):
        return f"KL = {exact(kl)}", f"the rule is applied only at the iteration's last mini-batch; {stays}"
    if not told:
        return "KL = 0: the policy has not changed since the start of the iteration", stays
    lines, name = [], "wrong KL" if state.mistake in ("mean", "reversed") else "KL"
    if name == "wrong KL":
        lines.append(f"KL(old‖new) = {exact(kl)}")
    if state.mistake == "mean":
        lines.append(f"wrong KL = KL / {result.dimensions} dimensions = {exact(told)}")
    elif state.mistake == "reversed":
        lines.append(f"wrong KL = KL(new‖old) = {exact(told)}")
    answer, target, factor = answer_to(result, update), state.target, state.factor
    after = exact(adapted(before, told, target, factor))
    if answer == "down":
        lines.append(f"{name} = {exact(told)} > 2 · {target:g} = {2 * target:g}: step too large")
        lines.append(f"rate = max({exact(LIMITS[0])}, {exact(before)} / {factor:g}) = {after}")
    elif answer == "up":
        lines.append(f"{name} = {exact(told)} < {target:g} / 2 = {target / 2:g}: step too small")
        lines.append(f"rate = min({exact(LIMITS[1])}, {exact(before)} · {factor:g}) = {after}")
    else:
        lines.append(f"{name} = {exact(told)} is between {target / 2:g} and {2 * target:g}: in the band")
        lines.append(stays)
    return tuple(lines)
