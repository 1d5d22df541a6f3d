"""The picture of the explorer *stream*: its panels, its hover targets and its handles to drag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.histogram import clipped_histogram
from rsl_edu.number_format import large, round_up

from ..bench.arithmetic import difference, exact, rounded, signed
from ..bench.theme import BLUE, FAINT, GREY, ORANGE
from ..bench.touch import Grip, Mark, Spot, grip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .state import StreamResult

WINDOW = 512
"""Number of latest samples in the histograms."""
EDGES = np.linspace(-5, 5, 51)
"""Edges of the bins of the normalized values; the outermost bins also count the values beyond them."""
ERRORS = (0.01, 300)
"""Limits of the error axis, in true stds."""
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "borderaxespad": 0, "columnspacing": 1.2}
"""Position of the legends, between the title and the axes."""
DOTS = 256
"""Approximate number of samples, and of updates, that are drawn."""
LETTERS = 22
"""Maximum length of a feature's name next to a panel's title."""
POINTED = 6
"""Number of earlier updates to point at."""


def stage(figure: Figure, total: int) -> dict[str, Any]:
    """Lay out the running statistics and the error of the means; below, the values before and after normalization.

    Args:
        figure: An empty figure.
        total: Number of samples in the stream.
    """
    (top, error), (raw, after) = figure.subplots(2, 2)
    for axes, name in ((top, "statistics"), (error, "error"), (raw, "values"), (after, "normalized")):
        axes.set_label(name)
    quarters = sorted({0, total // 4, total // 2, 3 * total // 4, total})
    top.set(xlim=(0, total), xlabel="samples seen", ylabel="value")
    top.set_xticks(quarters, [f"{quarter:,}" for quarter in quarters])
    top.set_title("running mean ± std", pad=24)
    error.set(xscale="log", yscale="log", xlim=(0.9, total * 1.3), ylim=ERRORS)
    error.set(xlabel="samples seen", ylabel="error (true stds)")
    error.set_title("error of all running means", pad=24)
    raw.set(
        xlabel="value",
        ylim=(0, 1.05),
        ylabel="samples (peak = 1)",
        title=f"the last {samples(min(WINDOW, total))}".replace("last 1 ", "last "),
    )
    for axes in (top.yaxis, raw.xaxis):
        axes.get_major_locator().set_params(nbins=5)
        axes.set_major_formatter(lambda value, position: f"{round(value, 12):g}".replace("-", "−"))
    after.set(xlim=(-5, 5), ylim=(0, 1), ylabel="density", title="normalized")
    after.set(xlabel="(value − running mean) / (running std + eps)")
    n = np.geomspace(1, total)
    z = np.linspace(-5, 5, 101)
    kept = np.arange(0, total, total // DOTS | 1)  # an odd stride, so that not all dots belong to the same robot
    artists: dict[str, Any] = {"kept": kept, "raw axes": raw, "top axes": top}
    (artists["dots"],) = top.plot(kept, kept, ".", color=FAINT, markersize=3, label="observed")
    (artists["truth"],) = top.plot([0, 1], [0, 0], color=GREY, linestyle="--", label="true ± std")
    artists["truth band"] = [top.plot([0, 1], [0, 0], color=GREY, linestyle=":", linewidth=1)[0] for _ in range(2)]
    (artists["mean"],) = top.plot([], [], color=BLUE, linewidth=2, label="running")
    (artists["band"],) = top.fill([0, 0], [0, 0], color=BLUE, alpha=0.25, linewidth=0)
    top.legend(ncols=3, **ABOVE)
    error.plot(n, n**-0.5, color=GREY, linestyle="--", label="1/√n")
    (artists["error"],) = error.plot([], [], color=BLUE, linewidth=2, label="measured")
    (artists["guess"],) = error.plot([], [], "X", color=ORANGE, markersize=10)
    error.legend(ncols=2, **ABOVE)
    artists["raw"] = raw.stairs(np.zeros(60), np.linspace(0, 1, 61), fill=True, color=GREY, alpha=0.7)
    artists["after"] = after.stairs(np.zeros(50), EDGES, fill=True, color=BLUE, alpha=0.7)
    after.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color=GREY, linestyle="--", label="standard normal")
    after.legend(**ABOVE | {"loc": "lower right", "bbox_to_anchor": (1, 0.99)})
    artists["shifts"] = {  # curves in nested dictionaries are not copied as ghosts
        axes: axes.plot([], [], color=ORANGE, linewidth=1, transform=axes.get_xaxis_transform())[0]
        for axes in (top, error)
    }
    artists["names"] = {  # texts, not titles, because moving artists can show a new feature without a new background
        axes: axes.annotate("", (1, 1), (0, pad), "axes fraction", "offset points", ha="right")
        for axes, pad in ((top, 24), (raw, 6))
    }
    artists["shift"] = top.text(0, 0.94, "", color=ORANGE, size=9, va="center", transform=top.get_xaxis_transform())
    return artists


def draw(artists: dict[str, Any], result: StreamResult) -> None:
    """Update the lines, the band and the bars."""
    seen, total, shift = result.state.seen, len(result.values), result.state.shift
    mean0, std0, mean1, std1 = result.truth
    kept = artists["kept"]
    low, high = _limits(min(mean0 - 4 * std0, mean1 - 4 * std1), max(mean0 + 4 * std0, mean1 + 4 * std1))
    artists["top axes"].set(ylim=(low, high))
    artists["raw axes"].set(xlim=(low, high))
    for name in artists["names"].values():
        name.set_text(_cut(result.name))
    artists["dots"].set_data(kept[kept < seen], result.values[kept[kept < seen]])
    steps = [0, shift, shift, total] if shift else [0, 0, 0, total]
    artists["truth"].set_data(steps, [mean0, mean0, mean1, mean1])
    for line, sign in zip(artists["truth band"], (-1, 1), strict=True):
        line.set_data(steps, [mean0 + sign * std0] * 2 + [mean1 + sign * std1] * 2)
    for line in artists["shifts"].values():
        line.set_data([shift, shift] if shift else [], [0, 1] if shift else [])
    left = shift < 0.6 * total  # put the label on the side with more space
    artists["shift"].set(x=shift + (0.03 if left else -0.03) * total, ha="left" if left else "right")
    artists["shift"].set_text("the robot changes" if shift else "")
    few = np.linspace(0, len(result.samples) - 1, min(DOTS, len(result.samples))).astype(int)
    after, mean, std = result.samples[few], result.mean[few], result.std[few]
    artists["mean"].set_data(after, mean)
    for name in ("mean", "error"):
        artists[name].set_marker("o" if len(after) == 1 else "")  # a line of a single point is invisible
    artists["band"].set_linewidth(3 if len(after) == 1 else 0)
    edge = np.concatenate([mean + std, (mean - std)[::-1]])
    artists["band"].set_xy(np.column_stack([np.concatenate([after, after[::-1]]), edge]))
    artists["error"].set_data(after, result.error[few])
    window = result.values[max(0, seen - WINDOW) : seen]
    edges = np.linspace(low, high, 61)
    bars = clipped_histogram(window, edges)
    artists["raw"].set_data(bars / max(1, bars.max()), edges)
    counts = clipped_histogram(result.normalized[np.isfinite(result.normalized)], EDGES)
    artists["after"].set_data(counts / (len(result.normalized) * np.diff(EDGES)))


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def samples(count: int, kind: str = "sample") -> str:
    """Return a number of samples as text: ``1 sample``, ``1,024 samples``."""
    return f"{count:,} {kind}{'s' * (count != 1)}"


def stds(value: float, kind: str = "std") -> str:
    """Return a distance as text, with its unit: ``1 std``, ``1.2 stds``."""
    number = large(value)
    return f"{number} {kind}{'s' * (number != '1')}"


def _limits(low: float, high: float) -> tuple[float, float]:
    """Return round limits around a range. Many features get equal limits, because new limits need a new background."""
    if high - low < 1e-6 * max(1.0, abs(high)):
        low, high = low - max(1.0, abs(low)), high + max(1.0, abs(high))
    step = round_up((high - low) / 6)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step)


def title(result: StreamResult) -> str:
    """State in one sentence how far the statistics are from the truth, and why."""
    state, (mean, std) = result.state, result.truth_now
    if not len(result.samples):
        return "No update yet: the running mean is still 0, the running std 1."
    if not np.isfinite(result.normalized).all():
        return "The running std and eps are both 0, so normalized values are not numbers."
    if state.merge == "pooled":
        return f"One mean and std for all features: normalized, this one has std {large(result.normalized.std())}."
    if np.ptp(result.values) == 0:
        return "This feature never varies: only eps prevents a division by 0."
    if std == 0:
        return "This feature never varies in the other robots, so there is no true std to compare with."
    if state.merge == "no shift":
        return f"Without the shift term, the running std is {large(result.std[-1] / std)} times the true one."
    off = stds(abs(result.mean[-1] - mean) / std)
    if state.merge == "last":
        return f"Only the last batch counts: the mean fluctuates and is now {off} off."
    if result.last.frozen:
        return f"Frozen after {samples(result.last.count)}, the running mean is now {off} off."
    if result.shifted:
        return f"The robot changed at sample {state.shift:,}; the running mean is still {off} off."
    if not np.isfinite(result.error[-1]):
        return "No feature varies by more than 10⁻⁶, so there is no error to measure."
    means, ideal = stds(result.error[-1]), large(result.samples[-1] ** -0.5)
    if state.independent:
        return f"After {samples(state.seen, 'independent sample')}, the means are {means} off; 1/√n is {ideal}."
    return f"After {samples(state.seen)}, the means are {means} off; independent ones would give {ideal}."


def grips(result: StreamResult, positions: Mapping[str, Sequence[int]]) -> tuple[Grip, ...]:
    """Return the handles for the samples seen, with a knob at the bottom, and for the shift, with a knob at the top."""
    low, high = _places(result)
    seen = {count: (count, low) for count in positions["seen"]}
    shift = {count: (count, high) for count in positions["shift"]}
    return grip("seen", "statistics", seen, along="x"), grip("shift", "statistics", shift, along="x")


def _places(result: StreamResult) -> tuple[float, float]:
    """Return the heights of the two handles' knobs: below the data and above the data."""
    mean0, std0, mean1, std1 = result.truth
    low, high = _limits(min(mean0 - 4 * std0, mean1 - 4 * std1), max(mean0 + 4 * std0, mean1 + 4 * std1))
    return low + 0.1 * (high - low), high - 0.06 * (high - low)


def spots(result: StreamResult) -> tuple[Spot, ...]:
    """Return the hover targets: the last merge, the last value, the shift, and some earlier updates."""
    found = [_value(result)]
    if not len(result.samples):
        return tuple(found)
    found.insert(0, _merge(result))
    if result.state.shift:
        found.append(_shift(result))
    before = np.unique(np.linspace(0, len(result.samples) - 1, POINTED + 1).astype(int))[:-1]
    return (*found, *(_update(result, int(i)) for i in before))


def _places_of_update(result: StreamResult, update: int) -> tuple[Mark, ...]:
    seen = float(result.samples[update])
    marks = [Mark("statistics", seen, float(result.mean[update]))]
    if np.isfinite(result.error[update]):
        marks.append(Mark("error", seen, float(result.error[update])))
    return tuple(marks)


def _update(result: StreamResult, update: int) -> Spot:
    mean, std, error = (float(series[update]) for series in (result.mean, result.std, result.error))
    numbers = f"running mean {rounded(mean)}, std {rounded(std)}"
    if np.isfinite(error):
        numbers += f"; all means are {stds(error, 'true std')} off"
    return Spot(f"after {samples(int(result.samples[update]))}", numbers, _places_of_update(result, update))


def _merge(result: StreamResult) -> Spot:
    """Return the hover target for the last merge, with its effect on count, mean and variance."""
    state, mean, std = result.state, float(result.mean[-1]), float(result.std[-1])
    numbers = f"{samples(state.batch, 'more sample')}: running mean {rounded(mean)}, std {rounded(std)}"
    return Spot("the last merge", numbers, _places_of_update(result, -1), merge_lines(result))


def merge_lines(result: StreamResult) -> tuple[str, ...]:
    """Write out the shown feature's last merge, calculated by the chosen rule."""
    last, merge = result.last, result.state.merge
    of_batch = f"mean = {exact(last.batch_mean)}, std = √{signed(last.batch_var)} = {exact(last.batch_var**0.5)}"
    n, m, total = last.count, last.batch, last.count + last.batch
    here = f"batch: n {m:,}, mean {exact(last.batch_mean)}, variance {exact(last.batch_var)}"
    if last.frozen:
        kept = f"frozen: mean = {exact(last.mean)}, std = {exact(last.var**0.5)}"
        return kept, here, "not merged, because the count has reached until"
    if merge == "last":
        return here, f"{of_batch}; earlier batches are discarded"
    if not n:
        return here, f"first batch: {of_batch}"
    delta = last.batch_mean - last.mean
    mean = last.mean + m / total * delta
    within = n / total * last.var + m / total * last.batch_var
    between = n * m / total**2 * delta**2
    var = within if merge == "no shift" else within + between
    summed = "within" if merge == "no shift" else f"within + between = {exact(within)} + {exact(between)}"
    a, b = f"{n:,}/{total:,}", f"{m:,}/{total:,}"
    return (
        f"past: n {n:,}, mean {exact(last.mean)}, variance {exact(last.var)}; {here}",
        f"δ = {difference(last.batch_mean, last.mean)} = {exact(delta)}",
        f"mean = {exact(last.mean)} + {b} · {signed(delta)} = {exact(mean)}",
        f"within: {a} · {exact(last.var)} + {b} · {exact(last.batch_var)} = {exact(within)}",
        f"between{' (left out)' * (merge == 'no shift')}: {a} · {b} · {signed(delta)}² = {exact(between)}",
        f"variance = {summed} = {exact(var)}, std = √{signed(var)} = {exact(var**0.5)}",
    )


def _value(result: StreamResult) -> Spot:
    """Return the hover target for the last value of the stream, with the normalization of this value."""
    state, x, z = result.state, float(result.values[result.state.seen - 1]), float(result.normalized[-1])
    mean, std = (float(result.mean[-1]), float(result.std[-1])) if len(result.samples) else (0.0, 1.0)
    shown = exact(z) if np.isfinite(z) else "not a number" if np.isnan(z) else "infinite"
    lines = (
        "z = (x − running mean) / (running std + eps)",
        f"z = ({difference(x, mean)}) / ({exact(std)} + {exact(state.eps)})",
        f"z = {signed(x - mean)} / {signed(std + state.eps)} = {shown}",
    )
    marks = [Mark("statistics", float(state.seen), x), Mark("values", x)]
    if np.isfinite(z):
        marks.append(Mark("normalized", z))
    return Spot("the newest value", f"{rounded(x)} becomes {shown}", tuple(marks), lines)


def _shift(result: StreamResult) -> Spot:
    """Return the item for the shift, with the mean that follows if each of n samples has the weight 1/n."""
    state, (mean0, std0, mean1, std1) = result.state, result.truth
    place = (Mark("statistics", float(state.shift)),)
    if not std0:
        return Spot("the shift", f"after {samples(state.shift)}; this feature never varies and does not change", place)
    lines = [
        f"true mean: {exact(mean0)} + 3 · {exact(std0)} = {exact(mean1)}",
        f"true std: 2 · {exact(std0)} = {exact(std1)}",
    ]
    new = state.seen - state.shift
    if new > 0:
        expected = (state.shift * mean0 + new * mean1) / state.seen
        lines.append("every sample has weight 1/n, old ones too, so the expected running mean is")
        lines.append(
            f"({state.shift:,} · {signed(mean0)} + {new:,} · {signed(mean1)}) / {state.seen:,} = {exact(expected)}"
        )
    means, deviations = (f"from {rounded(old)} to {rounded(new)}" for old, new in ((mean0, mean1), (std0, std1)))
    numbers = f"the true mean changes {means}, the true std {deviations}"
    name = f"after {samples(state.shift)}, {numbers}"
    return Spot("the shift", name, place, tuple(lines))
