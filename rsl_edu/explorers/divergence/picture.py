"""The picture of the explorer *divergence*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.number_format import power, round_up

from ..bench.arithmetic import HALF_LOG_2PI, difference, digits_for, exact, exponential, rounded, signed
from ..bench.coloured_titles import entitle
from ..bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, PINK, RED
from ..bench.touch import Grip, Mark, Spot, grip
from .state import MISTAKES, QUANTITIES, RATIOS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.controls import Control
    from .state import DivergenceResult

FLOOR, CEILING = 1e-3, 1e5
"""Limits of the logarithmic KL axis, in nats. The KL of equal policies is 0 and therefore below the axis."""
MeanStd = tuple[float, float]
FORMULA = "ln(σ₂/σ₁) + (σ₁² + (μ₁ − μ₂)²) / (2·σ₂²) − ½"


def stage(figure: Figure) -> dict[str, Any]:
    """Lay out the densities and integrands, and below them the table and the KL as a function of the std ratio."""
    (top, area), (curve, table) = figure.subplots(2, 2)
    for axes, label in ((top, "densities"), (area, "integrands"), (curve, "curve"), (table, "table")):
        axes.set_label(label)
    for axes in (top, area):
        axes.set(xticks=(), yticks=(), xlabel="action")
        axes.yaxis.set_label_coords(-0.15, 0.5)  # a fixed position, independent of the width of the tick labels
    top.set_ylabel("density (1/unit)")
    area.set_ylabel("nats per unit of action")
    curve.set(xscale="log", yscale="log", xlim=RATIOS[[0, -1]], ylim=(FLOOR, CEILING))
    curve.set(xlabel="std new / std old", ylabel="KL (nats)")
    curve.axvline(1, color=FAINT, linewidth=1, zorder=0)
    table.set_xscale("symlog", linthresh=1)
    table.set(ylim=(-0.35, 3.75), xticks=(), xlabel="nats (linear from −1 to 1)")
    table.set_yticks(range(3, -1, -1), QUANTITIES)
    table.tick_params("y", length=0)
    table.spines["left"].set_visible(False)
    table.axvline(0, color=FAINT, linewidth=1, zorder=0)
    entitle(top, "densities and the action", ("━ old", BLUE), ("━ new", ORANGE))
    entitle(area, "integrands of the KLs", ("━ old · log(old/new)", BLUE), ("━ new · log(new/old)", ORANGE))
    entitle(curve, "KL is not symmetric", ("━ KL(old‖new)", BLUE), ("━ KL(new‖old)", ORANGE))
    entitle(table, "entropy and KL", ("○ closed form", PINK), ("● integral", GREY))
    artists: dict[str, Any] = {"top": top, "area": area, "table": table, "dots": []}
    for axes, key in ((top, "densities"), (area, "integrands")):
        axes.axhline(0, color=FAINT, linewidth=1, zorder=0)
        artists[key], artists[f"{key} filled"] = [], []
        for color in (BLUE, ORANGE):
            artists[key] += axes.plot([], [], color=color, linewidth=2)
            artists[f"{key} filled"] += axes.fill([0, 0], [0, 0], color=color, alpha=0.2, linewidth=0)
    look: dict[str, Any] = {"transform": area.transAxes, "fontsize": 9, "ha": "right"}
    artists["areas"] = [area.text(0.99, y, "", color=color, **look) for color, y in ((BLUE, 0.1), (ORANGE, 0.02))]
    (artists["action"],) = top.plot([0, 0], [0, 1], color=GREY, linestyle=":", linewidth=1.5)
    artists["curves"] = [curve.plot([], [], color=color, linewidth=2)[0] for color in (BLUE, ORANGE)]
    for axes in (top, curve):
        for color, size in ((BLUE, 9), (ORANGE, 6)):  # different sizes, so that both dots are visible in one place
            artists["dots"] += axes.plot([], [], "o", color=color, markersize=size)
    (artists["apart"],) = table.plot([], [], color=RED, linewidth=2)
    ring = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.5}
    (artists["closed"],) = table.plot([], [], "o", color=PINK, label="closed form", **ring)
    (artists["integral"],) = table.plot([], [], "o", color=GREY, markersize=5, label="integral")
    (artists["guess"],) = table.plot([], [], "X", color=GREEN, markersize=10, label="your guess")
    row = {"transform": table.get_yaxis_transform(), "fontsize": 9, "va": "center", "ha": "right"}
    artists["values"] = [table.text(1, 3.42 - i, "", **row) for i in range(4)]
    return artists


def draw(artists: dict[str, Any], result: DivergenceResult, guess: float | None) -> None:
    """Update the curves, the dots and the values in the table. Change the limits of the axes only in coarse steps."""
    reach = float(result.actions[-1])
    high = max(1.0, round_up(result.unit * float(result.densities.max()), (1, 2, 8))) / result.unit
    high = float(f"{high:.2g}")
    low = -2 * float(result.integrands.min())
    steep = round_up(max(float(result.integrands.max()), low, 0.3 / result.unit), (1, 3))
    x = (-reach, -reach / 2, 0, reach / 2, reach)
    _frame(artists["top"], x, (0, high / 2, high), ylim=(0, 1.1 * high))
    _frame(artists["area"], x, (-steep / 2, 0, steep / 2, steep))
    for key, values in (("densities", result.densities), ("integrands", result.integrands)):
        for line, filled, y in zip(artists[key], artists[f"{key} filled"], values, strict=True):
            line.set_data(result.actions, y)
            ends = np.concatenate([[-reach], result.actions, [reach]])
            filled.set_xy(np.column_stack([ends, np.concatenate([[0], y, [0]])]))
    for text, kl in zip(artists["areas"], result.integral[2:], strict=True):
        text.set_text(f"area {rounded(kl)} nats")
    action = result.state.action
    artists["action"].set_data([action] * 2, [0, max(map(math.exp, result.log_prob))])
    *here, one, other = artists["dots"]
    for dot, log_prob in zip(here, result.log_prob, strict=True):
        dot.set_data([action], [math.exp(log_prob)])
    for line, dot, kl, value in zip(artists["curves"], (one, other), result.curves, result.integral[2:], strict=True):
        line.set_data(RATIOS, np.maximum(kl, FLOOR))
        dot.set_data([np.clip(result.ratio, RATIOS[0], RATIOS[-1])], [np.clip(value, FLOOR, CEILING)])
    _draw_table(artists, result, guess)


def _draw_table(artists: dict[str, Any], result: DivergenceResult, guess: float | None) -> None:
    """Update the table row of each quantity: closed form, integral, and the difference between them."""
    rows = np.arange(3, -1, -1)
    both = np.concatenate([result.closed, result.integral, [] if guess is None else [guess]])
    # The decades of the axis: two on each side of 1. If they are too few, three more are added at a time.
    low, high = (
        2 + 3 * math.ceil(max(0.0, math.log10(max(1.0, most)) - 1.9) / 3) for most in (-both.min(), both.max())
    )
    _frame(artists["table"], (-(10.0**low), -1, 0, 1, 10.0 ** (high // 2), 10.0**high))
    artists["closed"].set_data(result.closed, rows)
    artists["integral"].set_data(result.integral, rows)
    ends = np.stack([result.closed, result.integral, np.full(4, np.nan)], 1)[result.wrong]
    artists["apart"].set_data(ends.ravel(), np.repeat(rows[result.wrong], 3))
    for text, words in zip(artists["values"], words_of(result), strict=True):
        text.set_text(words)


def apart(result: DivergenceResult, row: int) -> tuple[str, str]:
    """Return closed form and integral as text. If they differ, there are enough digits to see the difference."""
    closed, integral = float(result.closed[row]), float(result.integral[row])
    if result.wrong[row] and rounded(closed) == rounded(integral):
        return exact(closed), exact(integral)
    return rounded(closed), rounded(integral)


def words_of(result: DivergenceResult) -> list[str]:
    """Return the value of each of the QUANTITIES as text."""
    pairs = [apart(result, row) for row in range(4)]
    wrong = zip(pairs, result.wrong, strict=True)
    return [f"✗ {closed} nats, not {integral}" if bad else f"{integral} nats" for (closed, integral), bad in wrong]


def _frame(axes: Any, x: tuple[float, ...], y: tuple[float, ...] = (), **limits: tuple[float, float]) -> None:
    """Set the ticks, and use the outer ticks as limits. Skip unchanged ticks, because setting ticks is slow."""
    for axis, ticks, name in ((axes.xaxis, x, "xlim"), (axes.yaxis, y, "ylim")):
        if ticks and tuple(axis.get_major_locator().locs) != ticks:
            axis.set_ticks(ticks, [exact(t, 10) if 1e-3 <= abs(t) < 1e4 or t == 0 else _ten(t) for t in ticks])
            axis.set_view_interval(*limits.get(name, (ticks[0], ticks[-1])), ignore=True)


def _ten(tick: float) -> str:
    return power(tick).replace("-", "−")


# Handles to drag


def grips(controls: dict[str, Control], result: DivergenceResult) -> list[Grip]:
    """Return the handles: each density's peak and a point one std from it, the action, and the std ratio."""
    found = []
    state = result.state
    for name, (mean, std) in (("old", result.old), ("new", result.new)):
        base, unit = mean - getattr(state, f"{name}_mean"), std / getattr(state, f"{name}_std")
        peak, flank = _density(0) / std, {s: unit * s for s in controls[f"{name}_std"].positions()}
        means = controls[f"{name}_mean"].positions()
        found.append(grip(f"{name}_mean", "densities", {m: (base + m, peak) for m in means}))
        found.append(grip(f"{name}_std", "densities", {s: (mean + own, _density(1) / own) for s, own in flank.items()}))
        if name == "new":
            ratios = {s: own / result.old[1] for s, own in flank.items()}
            kls = {s: float(np.interp(math.log(r), np.log(RATIOS), result.curves[0])) for s, r in ratios.items()}
            found.append(grip("new_std", "curve", {s: (ratios[s], max(FLOOR, kls[s])) for s in ratios}, along="xy"))
    found.append(grip("action", "densities", {a: (a, 0.0) for a in controls["action"].positions()}))
    return found


def _density(z: float) -> float:
    """Return the density of a standard normal variable."""
    return math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


# Hover targets


def spots(result: DivergenceResult) -> list[Spot]:
    """Return the hover targets: both policies, the action's log-probabilities and the four quantities."""
    action = result.state.action
    log_old, log_new = result.log_prob
    difference = f"e^({exact(log_new)} − {signed(log_old)})"
    close = abs(log_new - log_old) < 9
    ratio = f"= {exact(math.exp(log_new - log_old))}" if close else f"≈ {exponential(log_new - log_old)}"
    return [
        _policy("old policy", result.old),
        _policy("new policy", result.new),
        *(
            _log_prob(f"log {name}(action)", policy, action, log_prob)
            for name, policy, log_prob in (("old", result.old, log_old), ("new", result.new, log_new))
        ),
        Spot(
            "new/old(action)",
            "the ratio that PPO clips",
            (Mark("densities", action, 0),),
            (f"e^(log new − log old) = {difference} {ratio}",),
        ),
        *(_quantity(result, row) for row in range(4)),
    ]


def _policy(name: str, policy: MeanStd) -> Spot:
    mean, std = policy
    peak = _density(0) / std
    return Spot(
        name,
        f"mean {rounded(mean)}, std {rounded(std)}",
        (Mark("densities", (mean - std, mean + std), (0, peak)),),
        (f"density at the peak: 1 / ({exact(std)}·√(2·π)) = {exact(peak)}",),
    )


def _log_prob(name: str, policy: MeanStd, action: float, log_prob: float) -> Spot:
    mean, std = policy
    z = (action - mean) / std
    return Spot(
        name,
        f"{rounded(log_prob)} nats",
        (Mark("densities", action, math.exp(log_prob)),),
        (
            f"z = (a − μ) / σ = ({difference(action, mean)}) / {signed(std)} = {exact(z)}",
            f"−½·z² − ln σ − {HALF_LOG_2PI}",
            f"= −½·{signed(z)}² − ln({exact(std)}) − {HALF_LOG_2PI} = {exact(log_prob)}",
        ),
    )


def _quantity(result: DivergenceResult, row: int) -> Spot:
    """Return the hover target for one of the QUANTITIES, with its calculation in closed form and with a mistake."""
    count, place, each = result.state.dimensions, result.worked, result.each[row]
    one, std, other, std2 = map(float, result.policies[:, place])
    old, new = (one, std), (other, std2)
    p, q = (old, new) if row in (0, 2) else (new, old)
    lines = _entropy(p) if row < 2 else _kl(p, q, row)
    if count > 1:
        same = np.allclose(each, each[0])
        terms = f"{count} · {signed(each[0])}" if same else " + ".join(map(signed, each[:6]))
        more = "" if same or count <= 6 else " + …"
        lines.append(f"sum over {count} dimensions: {terms}{more} = {exact(each.sum())}")
    if result.wrong[row]:
        lines += _mistaken(result, row, p, q)
    marks = [Mark("table", None, (2.7 - row, 3.65 - row))]
    if row >= 2:
        integrand = result.integrands[row - 2]
        peak = int(np.argmax(integrand))
        kl = float(np.clip(result.integral[row], FLOOR, CEILING))
        marks += [
            Mark("integrands", float(result.actions[peak]), float(integrand[peak])),
            Mark("curve", result.ratio, kl),
        ]
    return Spot(QUANTITIES[row], words_of(result)[row], tuple(marks), tuple(lines))


def _entropy(p: MeanStd) -> list[str]:
    return [f"ln σ + ½ + {HALF_LOG_2PI}", f"= ln({exact(p[1])}) + ½ + {HALF_LOG_2PI} = {exact(_entropy_of(p[1]))}"]


def _kl(p: MeanStd, q: MeanStd, row: int) -> list[str]:
    log, square = math.log(q[1] / p[1]), (p[1] ** 2 + (p[0] - q[0]) ** 2) / (2 * q[1] ** 2)
    formula = FORMULA + (", 1: old, 2: new" if row == 2 else ", 1: new, 2: old")
    kl = log + square - 0.5
    digits = digits_for(kl, log, square)
    return [
        formula,
        f"= {_with_numbers(p, q)}",
        f"= {exact(log, digits)} + {exact(square, digits)} − 0.5 = {exact(kl)}",
    ]


def _with_numbers(p: MeanStd, q: MeanStd) -> str:
    one, two = signed(p[1]), signed(q[1])
    return f"ln({two}/{one}) + ({one}² + ({difference(p[0], q[0])})²) / (2·{two}²) − ½"


def _entropy_of(std: float) -> float:
    return math.log(std) + 0.5 + 0.5 * math.log(2 * math.pi)


def _mistaken(result: DivergenceResult, row: int, p: MeanStd, q: MeanStd) -> list[str]:
    """Write out the calculation with the mistake in one dimension, and the sum over all dimensions."""
    mistake, count, value = result.state.mistake, result.state.dimensions, result.closed[row]
    said = f"✗ {MISTAKES[mistake]}: "
    if mistake == "mean":
        return [f"{said}{signed(result.each[row].sum())} / {count} = {exact(value)}"]
    if mistake in ("variance", "exponentiated"):
        change = np.square if mistake == "variance" else np.exp
        p, q = ((policy[0], float(change(policy[1]))) for policy in (p, q))
    if mistake == "reversed":
        p, q = q, p
    std, log = p[1], math.log(q[1] / p[1])
    square = (p[1] ** 2 + (p[0] - q[0]) ** 2) / (2 * q[1] ** 2)
    if mistake == "half":
        words = f"ln({exact(std)}) + {HALF_LOG_2PI}" if row < 2 else f"{exact(log)} + {exact(square)}"
        one = _entropy_of(std) - 0.5 if row < 2 else log + square
    else:
        words = f"ln({exact(std)}) + ½ + {HALF_LOG_2PI}" if row < 2 else _with_numbers(p, q)
        one = _entropy_of(std) if row < 2 else log + square - 0.5
    together = [f"✗ sum over {count} dimensions: {exact(value)}"] if count > 1 else []
    return [f"{said}{words} = {exact(one)}", *together]
