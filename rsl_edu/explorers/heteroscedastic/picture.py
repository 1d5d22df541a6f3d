"""The picture of the explorer *heteroscedastic fit*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from rsl_edu.number_format import power

from ..bench.arithmetic import HALF_LOG_2PI, difference, exact, rounded, signed
from ..bench.coloured_titles import entitle
from ..bench.theme import BLUE, FAINT, GREY, ORANGE, PINK
from ..bench.touch import Grip, Mark, Spot, grip
from .state import STEPS, WITHIN, HeteroscedasticFitResult, Samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TOP = 3.3
"""Upper limit of the std axis, in stds of the target; the largest initial std is 3."""
NAME, UNIT = 30, 12
"""Maximum length of a name and of a unit in sentences."""
ACROSS, LINE = 36, 28
"""Maximum length of a label below an axis, and of each of the two lines of a label next to an axis."""
LOWEST, HIGHEST = (0.9, 0.0, -4.0, -15.0), (2.3, 5.0, 10.0)
"""Possible limits of the loss axis. A std at its limit gives a loss of 10¹² nats, which would hide everything else."""
MOST = 0.9
"""Share of the training losses that should be below the upper limit of the axis, if possible."""
HARDLY = 0.01
"""Largest std of a bin, relative to the std of all y, that counts as hardly any noise."""
DOTS = 600
"""Maximum number of drawn samples. Drawing more samples would take longer than everything else."""


def stage(figure: Figure, samples: Samples, grid: np.ndarray) -> dict[str, Any]:
    """Lay out the panels of the fit and the std, and below them the NLL over the steps and the calibration."""
    (fit, std), (nll, inside) = figure.subplots(2, 2)
    for axes, label in ((fit, "fit"), (std, "std"), (nll, "nll"), (inside, "inside")):
        axes.set_label(label)
    for axes in (fit, std, inside):
        axes.set(xlim=(grid[0], grid[-1]), xlabel=_label(samples.names[0], ACROSS))
        _plain_ticks(axes.xaxis)
    x, y = samples.x, samples.y
    artists: dict[str, Any] = {"nll axes": nll}
    low, high = float(y.min()), float(y.max())
    margin = 0.15 * (high - low) or max(1.0, 1e-3 * abs(low))
    fit.set(ylim=(low - margin, high + margin), ylabel=_in_lines(_label(samples.names[1], 2 * LINE - 10)))
    entitle(fit, "samples and fit", ("● observed", GREY), ("━ mean ± std", BLUE), x=0.25)
    third: dict[str, Any] = {"transform": fit.transAxes + fit.titleOffsetTrans, "fontsize": 9, "gid": "ground"}
    fit.text(0.57, 1.01, "● sample at the angle", color=PINK, **third)
    some = slice(None, None, -(-len(x) // DOTS))
    fit.plot(x[some], y[some], ".", color=FAINT, markersize=3, label="observed")
    (artists["mean"],) = fit.plot([], [], color=BLUE, linewidth=2, label="fitted mean ± std")
    (artists["band"],) = fit.fill([grid[0], grid[0]], [0, 0], color=BLUE, alpha=0.25, linewidth=0)
    (artists["here"],) = fit.plot([], [], "-", color=BLUE, linewidth=2.5, label="here")
    (artists["sample"],) = fit.plot([], [], "o", color=PINK, markersize=6, label="sample")

    name, unit = name_and_unit(samples.names[1])
    std.set(ylim=(0, TOP * samples.scale), ylabel=_in_lines(f"std ({unit.strip() or name})"))
    for axes in (fit, std):
        _plain_ticks(axes.yaxis)
    entitle(std, "std over the same states", ("━ observed", GREY), ("━ fitted", BLUE))
    std.stairs(samples.std, samples.edges, baseline=None, color=GREY, linewidth=1.5, label="observed")
    (artists["std"],) = std.plot([], [], color=BLUE, linewidth=2, label="fitted")
    (artists["observed here"],) = std.plot([], [], "o", color=GREY, markersize=6)
    (artists["std here"],) = std.plot([], [], "o", color=BLUE, markersize=6)
    (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, label="your guess")

    nll.locator_params(axis="y", nbins=5)
    nll.set(xlim=(-0.02 * STEPS, STEPS * 1.02), xlabel="steps", ylabel="NLL of normalized y\n(nats per sample)")
    entitle(nll, "loss (dashed: best single std)", ("━ in training", BLUE), ("● all samples", PINK))
    nll.axhline(samples.nll_one, color=GREY, linestyle="--")
    (artists["loss"],) = nll.plot([], [], color=BLUE, linewidth=2, label="training")
    (artists["nll"],) = nll.plot([], [], "o", color=PINK, markersize=7, label="all samples")
    look: dict[str, Any] = {"transform": nll.transAxes, "fontsize": 9, "ha": "right", "va": "top"}
    artists["beyond"] = nll.text(0.98, 0.95, "", color=BLUE, **look)
    artists["nll beyond"] = nll.text(0.98, 0.84, "", color=PINK, **look)

    inside.set(ylim=(0, 105), ylabel="% of the samples")
    entitle(inside, "share of samples within ± 1 std", ("━ in each bin", BLUE), ("┅ 68 %, as for a Gaussian", GREY))
    share = WITHIN / 100
    doubt = 200 * np.sqrt(share * (1 - share) / max(1, len(x) / len(samples.std)))  # two standard errors
    inside.axhspan(WITHIN - doubt, WITHIN + doubt, color=FAINT, alpha=0.5, linewidth=0)
    inside.axhline(WITHIN, color=GREY, linestyle="--")
    artists["inside"] = inside.stairs(np.zeros(len(samples.std)), samples.edges, color=BLUE, linewidth=2, baseline=None)
    (artists["inside here"],) = inside.plot([], [], "o", color=BLUE, markersize=6)
    return artists


def draw(artists: dict[str, Any], result: HeteroscedasticFitResult, samples: Samples, x: np.ndarray) -> None:
    """Update the curves, the band, the bins and the values at the angle."""
    mean, std, angle = result.mean, result.std, result.state.angle
    artists["mean"].set_data(x, mean)
    artists["band"].set_xy(np.column_stack([[*x, *x[::-1]], [*(mean + std), *(mean - std)[::-1]]]))
    artists["std"].set_data(x, std)
    low, high = result.losses
    artists["nll axes"].set_ylim(low, high)
    artists["loss"].set_data(np.arange(len(result.loss)), np.minimum(result.loss, 2 * high))  # leaves the axis
    artists["nll"].set_data([result.state.steps], [min(result.nll, high)])
    most = float(result.loss.max())
    artists["beyond"].set_text(f"▲ in training up to {rounded(most)}" if most > high else "")
    artists["nll beyond"].set_text(f"▲ all samples: {rounded(result.nll)}" if result.nll > high else "")
    artists["inside"].set_data(result.inside)
    middle, width = result.here
    artists["here"].set_data([angle, angle], [middle - width, middle + width])
    artists["sample"].set_data([result.sample[0]], [result.sample[1]])
    artists["std here"].set_data([angle], [width])
    artists["observed here"].set_data([angle], [samples.std[result.bin]])
    artists["inside here"].set_data([angle], [result.inside[result.bin]])


def limits_of_loss(loss: np.ndarray, nll: float, one: float) -> tuple[float, float]:
    """Return limits of the loss axis that include all low values and most losses of the training.

    Args:
        loss: Loss of the complete training, so that the axis is constant during playback, ``[steps + 1]``, nats.
        nll: NLL of all samples, nats; it can be far above the limits.
        one: NLL with the best single std, nats.
    """
    least, most = min(float(loss.min()), nll, one), max(float(np.quantile(loss, MOST)), one)
    low = next((limit for limit in LOWEST if limit < least), LOWEST[-1])
    return low, next((limit for limit in HIGHEST if limit > most), HIGHEST[-1])


def name_and_unit(words: str) -> tuple[str, str]:
    """Return a name without its unit, and the unit with a space before it; without a unit, an empty string."""
    name, bracket, unit = words.rpartition(" (")
    return (cut(name, NAME), f" {cut(unit.removesuffix(')'), UNIT)}") if bracket else (cut(words, NAME), "")


def cut(words: str, most: int) -> str:
    """Return text cut to at most ``most`` letters."""
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def _label(words: str, most: int) -> str:
    """Return a name with its unit, if any, cut to at most ``most`` letters."""
    if len(words) <= most:
        return words
    unit = name_and_unit(words)[1].strip()
    end = f" ({unit})" if unit else ""
    return cut(words.rpartition(" (")[0] or words, most - len(end)) + end


def _in_lines(words: str) -> str:
    """Return a y-axis label wrapped to at most two lines."""
    return "\n".join(textwrap.wrap(words, LINE, max_lines=2, placeholder="…"))


def _plain_ticks(axis: Any) -> None:
    """Write full numbers at the ticks, because Matplotlib's offset text for large numbers would overlap the legend."""
    low, high = axis.get_view_interval()
    most = max(abs(low), abs(high))
    powers = high - low > 0.05 * most  # if False, the ticks differ only in their last digits
    axis.set_major_formatter(lambda value, _: tick(value) if powers else exact(value, 9))
    if axis.axis_name == "x" and not 1e-3 <= most < 1e4:  # long labels
        axis.set_major_locator(MaxNLocator(3))


def tick(value: float) -> str:
    """Return a tick label such as ``0.5`` or ``1,000,001``. From 100,000 on, use ``1.5·10⁶`` if this is exact."""
    whole = abs(value) >= 1e5 and math.isclose(value, float(f"{value:.1e}"), rel_tol=1e-9)
    return power(value).replace("-", "−") if whole else exact(value, 9)


def grips(angles: Sequence[float], steps: Sequence[int]) -> list[Grip]:
    """Return the handles: for the angle in each panel with an angle axis, and for the steps below the NLL curve."""
    feet = {"fit": -1e30, "std": 0.0, "inside": 0.0}  # at the lower edge of the panel
    found = [grip("angle", panel, {a: (a, foot) for a in angles}, along="x") for panel, foot in feet.items()]
    return [*found, grip("steps", "nll", {t: (t, -1e30) for t in steps}, along="x")]


def spots(result: HeteroscedasticFitResult, samples: Samples) -> list[Spot]:
    """Return the hover targets: the sample closest to the angle, the bins, and the NLL of all samples."""
    nll, one = round(result.nll, 3), round(samples.nll_one, 3)
    return [
        _sample(result, samples),
        *(_bin(result, samples, i) for i in np.flatnonzero(np.isfinite(samples.std)).tolist()),
        Spot(
            "NLL of all samples",
            f"{rounded(nll)} nats for normalized y" if abs(nll) < 1e5 else "beyond the scale",
            (Mark("nll", result.state.steps, min(result.nll, result.losses[1])),),
            (f"compared with the best single std: {exact(nll)} − {signed(one)} = {exact(nll - one)}",),
        ),
    ]


def _sample(result: HeteroscedasticFitResult, samples: Samples) -> Spot:
    """Return the sample closest to the angle as a hover target, with the calculation of its NLL."""
    x, y, mean, std = result.sample
    name, unit = name_and_unit(samples.names[0])
    z, relative = (y - mean) / std, std / samples.scale
    nll = 0.5 * z**2 + math.log(relative) + 0.5 * math.log(2 * math.pi)
    return Spot(
        "sample at the angle",
        f"NLL {exact(nll, 2)} nats for normalized y",
        (Mark("fit", x, y),),
        (
            f"{name} {exact(x)}{unit}: y = {exact(y)}, fitted μ = {exact(mean)}, σ = {exact(std)}",
            f"z = (y − μ) / σ = ({difference(y, mean)}) / {signed(std)} = {exact(z)}",
            f"σ in the network, in stds of all y: {signed(std)} / {signed(samples.scale)} = {exact(relative)}",
            f"−log p = ½·z² + ln σ + {HALF_LOG_2PI}",
            f"= ½·{signed(z)}² + ln({exact(relative)}) + {HALF_LOG_2PI} = {exact(nll)}",
        ),
    )


def _bin(result: HeteroscedasticFitResult, samples: Samples, place: int) -> Spot:
    low, high = samples.edges[place : place + 2]
    free = int(samples.free[place])
    line = "mean" if free == samples.count[place] - 1 else "line"
    count, std, share = int(samples.count[place]), float(samples.std[place]), float(result.inside[place])
    within = round(share * count / 100)
    name, unit = name_and_unit(samples.names[0])
    extent = (float(low), float(high))
    return Spot(
        f"bin {place + 1}",
        f"{name} {rounded(low)} to {rounded(high)}{unit}: observed std {rounded(std)}, {share:.0f} % inside",
        (
            Mark("fit", extent, None),
            Mark("std", extent, (0.0, std)),
            Mark("inside", extent, (0.0, share)),
        ),
        (
            f"observed std: √(sum of (y − {line})² / (samples − {count - free}))"
            f" = √({signed(std**2 * free)} / {free}) = {exact(std)}",
            f"percent within ± 1 fitted std: 100·{within} / {count} = {exact(100 * within / count)}",
        ),
    )
