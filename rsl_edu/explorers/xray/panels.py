"""The panels of the x-ray. ``stage_…`` lays out a panel for all checkpoints; ``draw_…`` shows one checkpoint."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from rsl_edu.diagnosis.findings import ASLEEP, STALE
from rsl_edu.diagnosis.layers import EDGES
from rsl_edu.diagnosis.measures import Measures
from rsl_edu.number_format import power, round_up, short

from ..bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, PINK, RED

FARTHEST = 100.0
"""Maximum distance from the normalizer's mean, in stds. Features further away are drawn at the edge."""
COLOURS = (BLUE, ORANGE, GREEN, PINK)
WIDTH, HEIGHT, LETTER, LINE, LONGEST, LEADER = 2.2, 2.3, 0.065, 0.125, 18, 0.05
"""Sizes in the panel of the observations. The width, the height, a letter and a line are in inches. Then follow the
maximum length of a label, and the lines to the labels as a share of the height."""
Run = Sequence[Measures]
"""Measurements of a run, one item for each checkpoint."""


@dataclasses.dataclass(frozen=True)
class TermLabels:
    """The labels for the terms of the observations, which are written under the features of each term.

    Attributes:
        texts: The names of the terms, ``[terms]``.
        places: The centre of each term's features, ``[terms]``.
        edges: The boundaries between terms, ``[terms - 1]``.
        slots: Positions of vertical labels, ``[terms]``, as close to ``places`` as possible. None if all labels fit
            horizontally.
    """

    texts: tuple[str, ...]
    places: np.ndarray
    edges: np.ndarray
    slots: np.ndarray | None

    @property
    def height(self) -> float:
        """Share of the panel's height that vertical labels and the lines to them take up."""
        return 0.0 if self.slots is None else LEADER + LETTER * max(map(len, self.texts)) / HEIGHT


def label_terms(names: Sequence[str]) -> TermLabels | None:
    """Return the labels of the terms. Return None if the features have no terms, or more terms than the panel can show.

    Args:
        names: Names of the features: ``joint_vel[3]``, or with a history ``joint_vel[3] (t-2)``.
    """
    terms = [re.sub(r"(\[\d+\])?( \(t-\d+\))?$", "", name) for name in names]
    blocks = [(term, len(list(block))) for term, block in itertools.groupby(terms)]
    if not blocks or len(blocks) * LINE > WIDTH:
        return None
    texts = tuple(term if len(term) <= LONGEST else term[: LONGEST - 1] + "…" for term, _ in blocks)
    sizes, inch = np.array([size for _, size in blocks]), WIDTH / len(names)
    ends = np.cumsum(sizes) - 0.5
    places, edges = ends - sizes / 2, ends[:-1]
    if (LETTER * np.array([len(text) + 1 for text in texts]) <= inch * sizes).all():
        return TermLabels(texts, places, edges, None)
    return TermLabels(texts, places, edges, _apart((places + 0.5) * inch, LINE, WIDTH) / inch - 0.5)


def _apart(places: np.ndarray, least: float, end: float) -> np.ndarray:
    """Move ascending positions only as far as needed to be ``least`` apart and between 0 and ``end``."""
    steps = least * np.arange(len(places))
    groups: list[list[float]] = []  # positions that would overlap move together, around their mean
    for place in (places - steps).tolist():
        groups.append([place])
        while len(groups) > 1 and np.mean(groups[-2]) >= np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = np.concatenate([np.full(len(group), np.mean(group)) for group in groups])
    apart: np.ndarray = moved.clip(0, end - steps[-1]) + steps
    return apart


def stage_layers(artists: dict[str, Any], run: Run, ridge: Any, spread: Any, share: Any) -> None:
    """Lay out the values of each layer, the std of these values, and the share of dead units."""
    names, layers = run[0].rows, run[0].layers
    rows = np.arange(len(names))
    labels = [f"{name} ({units})" for name, units in zip(names, layers.units, strict=True)]
    ridge.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0, len(names)), title="values of each layer", xlabel="value")
    ridge.set_xticks((-3, 0, 3), ("≤ −3", "0", "≥ 3"))
    ridge.set_yticks(rows + 0.35, labels)
    for axes in (spread, share):
        axes.set(ylim=(0, len(names)))
        axes.set_yticks(rows + 0.35, names)
        axes.hlines(rows + 0.35, 0, 1, color=FAINT, linewidth=0.8, transform=axes.get_yaxis_transform())
    for axes in (ridge, spread, share):
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", left=False, labelsize=9)
    nothing = np.full(len(EDGES) - 1, np.nan)
    colours = [GREY] + [BLUE] * (len(names) - 1)
    artists["ridge"] = [ridge.stairs(nothing, EDGES, baseline=0, fill=True, color=c, alpha=0.75) for c in colours]
    std = np.stack([m.layers.std for m in run])
    known = std[np.isfinite(std) & (std > 0)]
    low, high = (known.min(), known.max()) if len(known) else (1.0, 1.0)
    spread.set(xscale="log", xlim=(min(0.05, low / 2), max(5, 2 * high)), title="std of layers", xlabel="std")
    write_plainly(spread.xaxis, subs=(1,), most=2)
    (artists["spread"],) = spread.plot([], [], "o-", color=BLUE, markersize=5)
    share.set(xlim=(-8, 108), title="dead units", xlabel="share (%)")
    share.set_xticks((0, 50, 100))
    (artists["asleep"],) = share.plot([], [], "o", color=BLUE, markersize=5)
    (artists["too many"],) = share.plot([], [], "X", color=RED, markersize=9)


def draw_layers(artists: dict[str, Any], now: Measures) -> None:
    """Update the layers to show one checkpoint."""
    layers = now.layers
    y = np.arange(len(now.rows)) + 0.35
    for i, ridge in enumerate(artists["ridge"]):
        heights = i + 0.85 * np.sqrt(layers.bars[i] / max(layers.bars[i].max(), 1e-9))
        ridge.set_data(heights, EDGES, baseline=i)
    artists["spread"].set_data(np.where(layers.std > 0, layers.std, np.nan), y)
    artists["asleep"].set_data(100 * layers.asleep, y)
    many = np.nan_to_num(layers.asleep) >= ASLEEP
    artists["too many"].set_data(100 * layers.asleep[many], y[many])


def stage_weights(artists: dict[str, Any], run: Run, axes: Any) -> None:
    """Lay out the singular values of the weights."""
    names = list(run[0].spectra)
    values = np.concatenate([v for m in run for v in m.spectra.values()])
    known = values[np.isfinite(values) & (values > 0)]
    low, high = (max(known.min(), known.max() / 1e3), known.max()) if len(known) else (0.1, 1)
    axes.set(
        yscale="log", xlim=(-0.03, 1.03), ylim=(low / 1.5, high * 1.5), title="singular values", xlabel="direction"
    )
    write_plainly(axes.yaxis, subs=(1, 2, 5) if high < 100 * low else (1,))
    axes.set_xticks((0, 1), ("largest", "smallest"))
    for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
        label.set_ha(side)
    styles = ("-", "--", ":")
    looks = {"linewidth": 1.8, "marker": ".", "markersize": 3}
    artists["spectra"] = {
        name: axes.plot([], [], styles[i // 4 % 3], color=COLOURS[i % 4], label=_layer(name), **looks)[0]
        for i, name in enumerate(names)
    }
    _name_below(axes, list(artists["spectra"].values()), 2 if len(names) < 5 else 3)


def draw_weights(artists: dict[str, Any], now: Measures) -> None:
    """Update the singular values to show one checkpoint."""
    for name, line in artists["spectra"].items():
        values = now.spectra[name]
        line.set_data(np.linspace(0, 1, len(values)), np.where(values > 0, values, np.nan))


def stage_observations(artists: dict[str, Any], run: Run, axes: Any, names: Sequence[str], real: bool) -> None:
    """Lay out the features, in stds of the normalizer. If terms are known, add the names of the terms."""
    features, bare, labels = len(run[0].shift), run[0].count is None, label_terms(names)
    axes.set(xlim=(-0.7, features - 0.3), title="observations" if real else "random observations")
    axes.set_yscale("symlog", linthresh=1)
    edge, height = 1.2 * FARTHEST, labels.height if labels else 0.0
    to_screen = axes.yaxis.get_transform()  # vertical labels are inside the panel, so that its height stays the same
    low, high = to_screen.transform([-edge, edge])
    axes.set_ylim(to_screen.inverted().transform([high - (high - low) / (1 - height)])[0], edge)
    axes.spines["left"].set_bounds(-edge, edge)
    axes.spines["bottom"].set_position(("data", -edge))
    axes.set_yticks([-100, -10, -1, 0, 1, 10, 100], ["−100", "−10", "−1", "0", "1", "10", "100"])
    axes.minorticks_off()
    axes.set_ylabel("as recorded" if bare else "normalizer's std", y=(1 + height) / 2)
    axes.axhspan(-1, 1, color=GREY, alpha=0.25, linewidth=0)
    if labels is None:
        axes.set_xlabel("feature")
        number(axes, features)
    else:
        flat = labels.slots is None
        axes.set_xticks(labels.places if flat else labels.slots, labels.texts, fontsize=8, rotation=0 if flat else 90)
        axes.xaxis.set_minor_locator(FixedLocator(labels.edges.tolist()))
        axes.tick_params(axis="x", length=0, pad=3 if flat else 72 * LEADER * HEIGHT)
        axes.tick_params(axis="x", which="minor", length=4, direction="in")
        if labels.slots is not None:
            end = to_screen.inverted().transform([low - LEADER * (high - low) / (1 - height)])[0]
            axes.plot([labels.places, labels.slots], [-edge, end], color=GREY, linewidth=0.7)
    width = min(4.0, max(0.6, 70 / features))
    artists["near"] = axes.vlines([], 0, 0, color=BLUE, linewidth=width)
    artists["far"] = axes.vlines([], 0, 0, color=RED, linewidth=width)
    (artists["shift"],) = axes.plot([], [], "o", color=BLUE, markersize=min(7.0, 1 + 1.5 * width))
    (artists["far off"],) = axes.plot([], [], "X", color=RED, markersize=min(9.0, 4 + 1.5 * width))


def draw_observations(artists: dict[str, Any], now: Measures) -> None:
    """Update the features to show one checkpoint."""
    low, high = (np.clip(now.shift + side * now.ratio, -FARTHEST, FARTHEST) for side in (-1, 1))
    far = now.off > STALE
    for name, chosen in (("near", ~far), ("far", far)):
        artists[name].set_segments([((i, low[i]), (i, high[i])) for i in np.flatnonzero(chosen)])
    places, shift = np.arange(len(low)), np.clip(now.shift, -FARTHEST, FARTHEST)
    artists["shift"].set_data(places[~far], shift[~far])
    artists["far off"].set_data(places[far], shift[far])


def learning(run: Run) -> dict[str, np.ndarray]:
    """Return the sizes of the critic and of the gradients, each ``[checkpoints]``, by the names in the picture."""
    nan = float("nan")
    histories = {
        "critic's last layer": [m.critic.gain if m.critic else nan for m in run],
        "critic's values": [m.critic.value if m.critic else nan for m in run],
        "actor's gradient": [m.optimizer.actor if m.optimizer else nan for m in run],
        "critic's gradient": [m.optimizer.critic if m.optimizer else nan for m in run],
    }
    return {name: np.array(history) for name, history in histories.items() if np.isfinite(history).any()}


def stage_histories(artists: dict[str, Any], run: Run, std: Any, entropy: Any, kls: Any, critic: Any) -> None:
    """Lay out the panels with the iterations as x axis. A single checkpoint is drawn as a point.

    The axes ``critic`` are for the values of :func:`learning`, or None if there are no values.
    """
    iterations = [m.iteration for m in run]
    margin = 0.04 * (iterations[-1] - iterations[0]) or 1
    all_axes = [axes for axes in (std, entropy, kls, critic) if axes is not None]
    for axes in all_axes:
        axes.set(xlim=(iterations[0] - margin, iterations[-1] + margin), xlabel="iteration")
        axes.locator_params(axis="x", nbins=4 if iterations[-1] < 10_000 else 3, integer=True)
        if len(run) == 1:
            axes.set_xticks(iterations)
    marker: dict[str, Any] = {"marker": "." if len(run) > 1 else "o", "markersize": 5}
    of_one: dict[str, Any] = {} if len(run) > 1 else {"marker": "_", "markersize": 14}
    std.set(yscale="log", title="std of the actions", ylabel="std")
    write_plainly(std.yaxis)
    artists["stds"] = [std.plot([], [], color=BLUE, linewidth=0.8, alpha=0.6, **of_one)[0] for _ in run[0].std]
    (artists["std"],) = std.plot([], [], color=BLUE, linewidth=2, label="mean", **marker)
    (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, clip_on=False)
    artists["guess"].set_in_layout(False)
    entropy.set(title="entropy", ylabel="nats")
    (artists["entropy"],) = entropy.plot([], [], color=BLUE, linewidth=2, **marker)
    kls.set(yscale="log", title="KL and learning rate")
    _write_powers(kls.yaxis)
    (artists["kl"],) = kls.plot([], [], color=BLUE, linewidth=2, label="KL (nats)", **marker)
    (artists["rate"],) = kls.plot([], [], "--", color=ORANGE, linewidth=1.5, label="learning rate", **marker)
    _name_below(kls, [artists["kl"], artists["rate"]], 2)
    artists["learning"] = {} if critic is None else _stage_learning(run, critic, marker)
    artists["cursors"] = [axes.plot([], [], color=GREY, linewidth=1, zorder=1)[0] for axes in all_axes]


def _stage_learning(run: Run, axes: Any, marker: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out the values of :func:`learning`, and return their lines."""
    solid, dashed = {"linestyle": "-"}, {"linestyle": "--", "fillstyle": "none"}  # single points are hollow
    looks: dict[str, dict[str, Any]] = {
        "critic's last layer": {"color": GREEN, **solid},
        "critic's values": {"color": GREEN, **dashed},
        "actor's gradient": {"color": PINK, **solid},
        "critic's gradient": {"color": PINK, **dashed},
    }
    names = list(learning(run))
    drawn = {"gradients" if name.endswith("gradient") else "critic" for name in names}
    axes.set(yscale="log", title=" and ".join(sorted(drawn)))
    _write_powers(axes.yaxis)
    lines = {name: axes.plot([], [], linewidth=1.8, label=name, **looks[name], **marker)[0] for name in names}
    _name_below(axes, list(lines.values()), 2)
    return lines


def draw_stds(artists: dict[str, Any], iterations: np.ndarray, std: np.ndarray, guess: float | None) -> None:
    """Update the std of each action, ``std [checkpoints, actions]``, and the mean of these stds."""
    for i, line in enumerate(artists["stds"]):
        line.set_data(iterations, _positive(std[:, i]))
    artists["std"].set_data(iterations, _positive(std.mean(1)))
    _limit(artists["std"].axes, [*std.ravel(), *([] if guess is None else [guess])])


def draw_entropy(artists: dict[str, Any], iterations: np.ndarray, entropy: np.ndarray) -> None:
    """Update the entropy, ``[checkpoints]``."""
    artists["entropy"].set_data(iterations, entropy)
    known = entropy[np.isfinite(entropy)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    margin = max(0.05, 0.1 * (high - low)) if len(entropy) > 1 else 1.0
    artists["entropy"].axes.set_ylim(low - margin, high + margin)


def draw_kl(artists: dict[str, Any], iterations: np.ndarray, kl: np.ndarray, rate: np.ndarray) -> None:
    """Update KL and learning rate, each ``[checkpoints]``, and the limits of the axis."""
    artists["kl"].set_data(iterations, _positive(kl))
    artists["rate"].set_data(iterations, _positive(rate))
    _limit_by_powers(artists["kl"].axes, np.concatenate([kl, rate]))


def draw_learning(artists: dict[str, Any], iterations: np.ndarray, histories: Mapping[str, np.ndarray]) -> None:
    """Update the curves of the values of :func:`learning`."""
    for name, line in artists["learning"].items():
        line.set_data(iterations, _positive(histories[name]))
        _limit_by_powers(line.axes, np.concatenate(list(histories.values())))


def stage_actions(artists: dict[str, Any], run: Run, axes: Any) -> None:
    """Lay out the mean actions and the noise of the actions."""
    reach = np.nan_to_num([np.abs(m.mean) + np.maximum(m.spread, m.std) for m in run])
    limit = round_up(max(float(reach.max()), 1e-3), (1, 2, 3, 5))
    actions = len(run[0].mean)
    axes.set(
        xlim=(-0.7, actions - 0.3),
        ylim=(-limit, limit),
        xlabel="action",
        title="mean action and noise",
        ylabel="action ± std",
    )
    number(axes, actions)
    wide = min(14.0, 100 / actions)
    artists["noise"] = axes.vlines([], 0, 0, color=FAINT, linewidth=wide)
    artists["means"] = axes.vlines([], 0, 0, color=BLUE, linewidth=max(1.0, wide / 3))


def draw_actions(artists: dict[str, Any], now: Measures) -> None:
    """Update the mean actions and the noise to show one checkpoint."""
    for name, reach in (("noise", now.std), ("means", now.spread)):
        bars = zip(now.mean - reach, now.mean + reach, strict=True)
        artists[name].set_segments([((i, a), (i, b)) for i, (a, b) in enumerate(bars)])


def stage_memory(artists: dict[str, Any], run: Run, axes: Any) -> None:
    """Lay out the panel that shows the error of the actions without a reset of the hidden state."""
    leaks = [m.memory.leak for m in run if m.memory is not None]
    most = max((float(np.nan_to_num(leak).max()) for leak in leaks if len(leak)), default=1.0)
    axes.set(xlim=(-0.5, max(1, *map(len, leaks)) - 0.5), ylim=(0, round_up(max(most, 1e-3))))
    axes.set(xlabel="steps since the end", ylabel="off by (std)", title="without reset")
    (artists["leak"],) = axes.plot([], [], color=BLUE, linewidth=2, marker=".", markersize=4)


def draw_memory(artists: dict[str, Any], now: Measures) -> None:
    """Update the error of the actions without a reset, to show one checkpoint."""
    assert now.memory is not None
    artists["leak"].set_data(np.arange(len(now.memory.leak)), now.memory.leak)


def write_plainly(axis: Any, subs: Iterable[float] = (1, 2, 5), most: int | None = None) -> None:
    """Write the numbers of a logarithmic axis in plain notation. Optionally, limit the number of powers of ten."""
    axis.set_major_locator(LogLocator(subs=tuple(subs), numticks=most))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())
    if most is not None:
        axis.set_minor_locator(NullLocator())


def number(axes: Any, count: int) -> None:
    """Number the features or actions along the x axis."""
    axes.set_xticks(range(0, count, -(-count // 6)))


def _name_below(axes: Any, lines: Sequence[Any], columns: int) -> None:
    """Add a legend for the lines below the axes."""
    look: dict[str, Any] = {"handlelength": 1.4, "columnspacing": 1.0, "handletextpad": 0.5, "borderaxespad": 0}
    under = axes.transAxes + ScaledTranslation(0, -0.5, axes.figure.dpi_scale_trans)  # inches, below the axis label
    axes.legend(handles=lines, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=under, ncols=columns, **look)


def _layer(name: str) -> str:
    return f"layer {name}" if name.isdigit() else name


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def _write_powers(axis: Any) -> None:
    """Label at most six powers of ten on an axis. Write small and large numbers as powers."""
    write_plainly(axis, subs=(1,), most=6)
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value) if 0.01 <= value < 1e4 else power(value)))


def _limit_by_powers(axes: Any, values: np.ndarray) -> None:
    """Set the limits of a logarithmic axis: slightly beyond the powers of ten that enclose all values."""
    known = values[np.isfinite(values) & (values > 0)]
    low, high = np.log10([known.min(), known.max()]) if len(known) else (-5.0, 0.0)
    axes.set_ylim(0.5 * 10.0 ** np.floor(low + 1e-9), 2 * 10.0 ** np.ceil(high - 1e-9))


def _limit(axes: Any, values: list[float]) -> None:
    """Set the tightest round limits of a logarithmic axis that fit all values."""
    known = [value for value in values if np.isfinite(value) and value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    axes.set_ylim(0.8 / round_up(1 / low), 1.25 * round_up(high))
