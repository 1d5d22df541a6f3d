"""Explorer *x-ray*: what lessons 1 to 5 measure, on a policy as it learned: every checkpoint of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rsl_edu.checkpoint import Run
from rsl_edu.data import example_run
from rsl_edu.diagnosis import Diagnosis, Examination, examine
from rsl_edu.diagnosis.findings import ASLEEP, STALE
from rsl_edu.diagnosis.layers import EDGES
from rsl_edu.diagnosis.measures import Measures, kl
from rsl_edu.number_format import round_up, short, small

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.figure import BLUE, FAINT, GREEN, GREY, ORANGE, PINK, RED
from .bench.instrument import Draw, cached
from .bench.static_page import document

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REFERENCES = {"the one before": "before", "the first": "first", "the last": "last"}
FARTHEST = 100.0
"""Features further than this from the normaliser's mean, in its std, are drawn at the edge."""
COLOURS = (BLUE, ORANGE, GREEN, PINK)


@dataclasses.dataclass(frozen=True)
class XRayState:
    """State of :class:`XRay`; the iterations are those of the run."""

    iteration: int = control(0, "iteration", "Which checkpoint of the run is shown.", steps=(0,), play=True)
    reference: str = control("before", "KL from", "The checkpoint that the KL is measured from.", choices=REFERENCES)


@dataclasses.dataclass(frozen=True)
class XRayResult:
    """What the picture shows."""

    now: Measures
    iterations: np.ndarray  # [checkpoints]
    std: np.ndarray  # [checkpoints, actions]
    entropy: np.ndarray  # [checkpoints]
    kl: np.ndarray  # [checkpoints], from the reference; NaN where there is none
    learning_rate: np.ndarray  # [checkpoints]
    place: int  # of the checkpoint shown
    findings: tuple[str, ...]


class XRay(Explorer[XRayState, XRayResult]):
    """Layers, weights, normaliser, noise, KL and memory of a policy at every checkpoint of its training.

    Args:
        run: A run folder of rsl_rl (``model_0.pt``, ``model_50.pt``, …), one of its files, or what :func:`.read_run` or
            :func:`rsl_edu.diagnosis.examine` gave; None takes :func:`.example_run`. Of more than 40 checkpoints, 40 are
            shown.
        observations: What the policies are shown: ``[samples, features]`` or ``[time, envs, features]``, or a
            dictionary with images, ``dones`` and ``actions`` too (:func:`rsl_edu.diagnosis.own`). None: random numbers
            with the normaliser's mean and std stand in, and some findings cannot be made.
        robot: Instead of observations: a robot of Gymnasium for the last checkpoint to play, ``"InvertedPendulum-v5"``.
        activation: Of the hidden layers, which a checkpoint does not hold; None: as ``params/agent.yaml`` says, or elu.
        config: Other things that it does not hold: see :func:`rsl_edu.checkpoint.read`.
        state: Values of the controls other than the defaults.

    Attributes:
        examination: All that was measured.

    Raises:
        ValueError: No run that can be read, observations that its policies do not take, or a robot of another size.
    """

    State = XRayState
    lesson = 6
    shows = "layers, weights, normaliser, noise and KL of a policy at every checkpoint of its training"
    breaks = "a run of yours"
    size = (9.0, 6.6)
    swept = ({"iteration": ..., "reference": ...},)
    question = Control("std", "The mean std of the actions at the last checkpoint.", range=(0.001, 100, 0.001))

    def __init__(
        self,
        run: str | Path | Run | Examination | None = None,
        observations: Any = None,
        robot: str | None = None,
        activation: str | None = None,
        config: Mapping[str, Any] | None = None,
        **state: Any,
    ) -> None:
        if run is None:
            run, robot = example_run(), robot if observations is not None else robot or "InvertedPendulum-v5"
        if not isinstance(run, Examination):
            try:
                run = examine(run, observations, robot, activation, config)
            except OSError as error:
                raise ValueError(f"run: expected a run folder of rsl_rl or a checkpoint, got {str(run)!r}") from error
        self.examination = run
        self._measures = self.examination.measures
        iterations = tuple(measures.iteration for measures in self._measures)
        super().__init__(step_values={"iteration": iterations}, defaults={"iteration": iterations[-1]}, **state)

    def diagnosis(self) -> Diagnosis:
        """Return what is likely wrong at the present iteration, as text and, in a notebook, as a table."""
        return self.examination.diagnosis(self._place(self.at()))

    def page(self) -> str:
        """Return a page of its own that loads nothing: the diagnosis of the whole run, and all pictures."""
        return document(
            f"X-ray of {self.examination.name}",
            self.examination.diagnosis()._repr_html_(),
            self.html(notebook=""),
        )

    def compute(self, state: XRayState) -> XRayResult:
        """Pick what was measured on the checkpoint."""
        place = self._place(state)
        measures = self._measures
        return XRayResult(
            now=measures[place],
            iterations=np.array([m.iteration for m in measures]),
            std=np.stack([m.std for m in measures]),
            entropy=np.array([m.entropy for m in measures]),
            kl=self._kls(state.reference),
            learning_rate=np.array([m.learning_rate for m in measures]),
            place=place,
            findings=self._findings(place),
        )

    def _place(self, state: XRayState) -> int:
        return [m.iteration for m in self._measures].index(state.iteration)

    @cached(len(REFERENCES))
    def _kls(self, reference: str) -> np.ndarray:
        """Return the KL of each checkpoint from the reference, ``[checkpoints]``; NaN from itself or from none."""
        measures, policy = self._measures, self.examination.run.checkpoints[-1].policy
        ends = {"first": measures[0], "last": measures[-1]}
        old = [ends.get(reference, before) for before in (None, *measures)]
        pairs = zip(old, measures, strict=False)
        return np.array([np.nan if one is None or one is now else kl(policy, one, now) for one, now in pairs])

    @cached(40)
    def _findings(self, place: int) -> tuple[str, ...]:
        return tuple(finding.name for finding in self.examination.diagnosis(place).findings)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out layers, weights and normaliser above, histories and actions below."""
        grid = figure.add_gridspec(2, 1, height_ratios=(1.15, 1))
        widths = {"width_ratios": (2.1, 1.15, 0.85, 1.5, 2.3)}
        above: Any = grid[0].subgridspec(1, 5, **widths).subplots()
        below: Any = grid[1].subgridspec(1, 4).subplots()
        (ridge, spread, share, spectrum, norm), (std, entropy, kls, last) = above, below
        artists: dict[str, Any] = {"entropy axes": entropy, "std axes": std}
        self._stage_layers(artists, ridge, spread, share)
        self._stage_weights(artists, spectrum)
        self._stage_normalizer(artists, norm)
        measures = self._measures
        iterations = [m.iteration for m in measures]
        margin = 0.04 * (iterations[-1] - iterations[0]) or 1
        for axes in (std, entropy, kls):
            axes.set(xlim=(iterations[0] - margin, iterations[-1] + margin), xlabel="iteration")
            axes.locator_params(axis="x", nbins=4, integer=True)
        marker = {"marker": "." if len(measures) > 1 else "o", "markersize": 5}
        std.set(yscale="log", title="std of the actions")
        _write_plainly(std.yaxis)
        artists["stds"] = [std.plot([], [], color=BLUE, linewidth=0.8, alpha=0.6)[0] for _ in measures[0].std]
        (artists["std"],) = std.plot([], [], color=BLUE, linewidth=2, label="mean", **marker)
        (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, clip_on=False, label="your guess")
        artists["guess"].set_in_layout(False)
        entropy.set(title="entropy (nats)")
        (artists["entropy"],) = entropy.plot([], [], color=BLUE, linewidth=2, **marker)
        kls.set(yscale="log", ylim=(1e-6, 10), title="KL (nats), learning rate")
        (artists["kl"],) = kls.plot([], [], color=BLUE, linewidth=2, label="KL", **marker)
        (artists["rate"],) = kls.plot([], [], "--", color=ORANGE, linewidth=1.5, label="learning rate")
        few = {"handlelength": 1.5, "columnspacing": 1.2}
        spectra = list(artists["spectra"].values())
        figure.legend(handles=spectra, loc="outside lower left", ncols=min(5, len(spectra)), **few)
        others = [artists[name] for name in ("kl", "rate", "guess")]
        figure.legend(handles=others, loc="outside lower right", ncols=3, **few)
        artists["cursors"] = [axes.plot([], [], color=GREY, linewidth=1)[0] for axes in (std, entropy, kls)]
        (self._stage_actions if measures[0].memory is None else self._stage_memory)(artists, last)
        return artists

    def _stage_layers(self, artists: dict[str, Any], ridge: Any, spread: Any, share: Any) -> None:
        names, layers = self._measures[0].rows, self._measures[0].layers
        rows = np.arange(len(names))
        labels = [f"{name} ({units})" for name, units in zip(names, layers.units, strict=True)]
        ridge.set(xlim=(EDGES[0], EDGES[-1]), ylim=(0, len(names)), title="values of each layer")
        ridge.set_xticks((-3, 0, 3), ("≤ −3", "0", "≥ 3"))
        ridge.set_yticks(rows + 0.35, labels)
        ridge.tick_params(left=False)
        for axes in (spread, share):
            axes.set(ylim=(0, len(names)), yticks=())
            axes.hlines(rows + 0.35, 0, 1, color=FAINT, linewidth=0.8, transform=axes.get_yaxis_transform())
        for axes in (ridge, spread, share):
            axes.spines["left"].set_visible(False)
        nothing = np.full(len(EDGES) - 1, np.nan)
        colours = [GREY] + [BLUE] * (len(names) - 1)
        artists["ridge"] = [ridge.stairs(nothing, EDGES, baseline=0, fill=True, color=c, alpha=0.75) for c in colours]
        std = np.stack([m.layers.std for m in self._measures])
        known = std[np.isfinite(std) & (std > 0)]
        low, high = (known.min(), known.max()) if len(known) else (1.0, 1.0)
        spread.set(xscale="log", xlim=(min(0.05, low / 2), max(5, 2 * high)), title="its std")
        spread.locator_params(axis="x", numticks=3)
        (artists["spread"],) = spread.plot([], [], "o-", color=BLUE, markersize=5)
        share.set(xlim=(-8, 108), title="dead (%)")
        share.set_xticks((0, 50, 100))
        (artists["asleep"],) = share.plot([], [], "o", color=BLUE, markersize=5)
        (artists["too many"],) = share.plot([], [], "X", color=RED, markersize=9)

    def _stage_weights(self, artists: dict[str, Any], axes: Any) -> None:
        names = list(self._measures[0].spectra)
        values = np.concatenate([v for m in self._measures for v in m.spectra.values()])
        known = values[np.isfinite(values) & (values > 0)]
        low, high = (max(known.min(), known.max() / 1e3), known.max()) if len(known) else (0.1, 1)
        axes.set(yscale="log", xlim=(-0.03, 1.03), ylim=(low / 1.5, high * 1.5), title="singular values")
        if high < 100 * low:
            _write_plainly(axes.yaxis)
        axes.set_xticks((0, 1), ("greatest", "least"))
        for label, side in zip(axes.get_xticklabels(), ("left", "right"), strict=True):
            label.set_ha(side)
        styles = ("-", "--", ":")
        artists["spectra"] = {
            name: axes.plot(
                [],
                [],
                styles[i // 4 % 3],
                color=COLOURS[i % 4],
                linewidth=1.8,
                marker=".",
                markersize=3,
                label=_layer(name),
            )[0]
            for i, name in enumerate(names)
        }

    def _stage_normalizer(self, artists: dict[str, Any], axes: Any) -> None:
        features = len(self._measures[0].shift)
        bare = self._measures[0].count is None
        axes.set(xlim=(-0.7, features - 0.3), xlabel="feature")
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(-1.2 * FARTHEST, 1.2 * FARTHEST)
        axes.set_yticks([-100, -10, -1, 0, 1, 10, 100], ["−100", "−10", "−1", "0", "1", "10", "100"])
        axes.minorticks_off()
        axes.set(title="observations", ylabel="as recorded" if bare else "normaliser's std")
        axes.axhspan(-1, 1, color=GREY, alpha=0.25, linewidth=0)
        _number(axes, features)
        width = min(4.0, max(0.6, 70 / features))
        artists["near"] = axes.vlines([], 0, 0, color=BLUE, linewidth=width)
        artists["far"] = axes.vlines([], 0, 0, color=RED, linewidth=width)
        (artists["shift"],) = axes.plot([], [], "o", color=BLUE, markersize=min(7.0, 1 + 1.5 * width))

    def _stage_actions(self, artists: dict[str, Any], axes: Any) -> None:
        reach = np.nan_to_num([np.abs(m.mean) + np.maximum(m.spread, m.std) for m in self._measures])
        limit = round_up(max(float(reach.max()), 1e-3), (1, 2, 3, 5))
        actions = len(self._measures[0].mean)
        axes.set(xlim=(-0.7, actions - 0.3), ylim=(-limit, limit), xlabel="action", title="action and noise")
        _number(axes, actions)
        wide = min(14.0, 100 / actions)
        artists["noise"] = axes.vlines([], 0, 0, color=FAINT, linewidth=wide)
        artists["means"] = axes.vlines([], 0, 0, color=BLUE, linewidth=max(1.0, wide / 3))

    def _stage_memory(self, artists: dict[str, Any], axes: Any) -> None:
        leaks = [m.memory.leak for m in self._measures if m.memory is not None]
        most = max((float(np.nan_to_num(leak).max()) for leak in leaks if len(leak)), default=1.0)
        axes.set(xlim=(-0.5, max(1, *map(len, leaks)) - 0.5), ylim=(0, round_up(max(most, 1e-3))))
        axes.set(xlabel="steps since the end", ylabel="off by (std)", title="if not reset")
        (artists["leak"],) = axes.plot([], [], color=BLUE, linewidth=2, marker=".", markersize=4)

    def draw(self, artists: dict[str, Any], result: XRayResult) -> None:
        """Move rows, spectra, observations, histories and cursors."""
        now, layers = result.now, result.now.layers
        y = np.arange(len(now.rows)) + 0.35
        for i, ridge in enumerate(artists["ridge"]):
            heights = i + 0.85 * np.sqrt(layers.bars[i] / max(layers.bars[i].max(), 1e-9))
            ridge.set_data(heights, EDGES, baseline=i)
        artists["spread"].set_data(np.where(layers.std > 0, layers.std, np.nan), y)
        artists["asleep"].set_data(100 * layers.asleep, y)
        many = np.nan_to_num(layers.asleep) >= ASLEEP
        artists["too many"].set_data(100 * layers.asleep[many], y[many])
        for name, line in artists["spectra"].items():
            values = now.spectra[name]
            line.set_data(np.linspace(0, 1, len(values)), np.where(values > 0, values, np.nan))
        low, high = (np.clip(now.shift + side * now.ratio, -FARTHEST, FARTHEST) for side in (-1, 1))
        far = now.off > STALE
        for name, chosen in (("near", ~far), ("far", far)):
            artists[name].set_segments([((i, low[i]), (i, high[i])) for i in np.flatnonzero(chosen)])
        artists["shift"].set_data(np.arange(len(low)), np.clip(now.shift, -FARTHEST, FARTHEST))
        for i, line in enumerate(artists["stds"]):
            line.set_data(result.iterations, _positive(result.std[:, i]))
        mean = _positive(result.std.mean(1))
        artists["std"].set_data(result.iterations, mean)
        guess = [] if self.guess is None else [self.guess]
        _limit(artists["std axes"], [*result.std.ravel(), *guess])
        artists["entropy"].set_data(result.iterations, result.entropy)
        known = result.entropy[np.isfinite(result.entropy)]
        ends = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        margin = max(0.05, 0.1 * (ends[1] - ends[0]))
        artists["entropy axes"].set_ylim(ends[0] - margin, ends[1] + margin)
        artists["kl"].set_data(result.iterations, np.where(result.kl > 0, result.kl, np.nan))
        artists["rate"].set_data(result.iterations, result.learning_rate)
        for line in artists["cursors"]:
            line.set_data([result.iterations[result.place]] * 2, line.axes.get_ylim())
        if now.memory is None:
            for name, reach in (("noise", now.std), ("means", now.spread)):
                bars = zip(now.mean - reach, now.mean + reach, strict=True)
                artists[name].set_segments([((i, a), (i, b)) for i, (a, b) in enumerate(bars)])
        else:
            artists["leak"].set_data(np.arange(len(now.memory.leak)), now.memory.leak)

    def mark(self, result: XRayResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess at the last checkpoint of the std's panel."""
        return [result.iterations[-1]], [guess]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return the example run, and observations that its policies are shown."""
        return str(example_run()), draw(24, 4, 4)

    def describe(self, result: XRayResult) -> str:
        """Say what the policy is like at this iteration, and what is likely wrong."""
        now = result.now
        start, asleep = _word(result.std[0].mean()), _asleep(now)
        found = f"Findings: {', '.join(result.findings)}." if result.findings else "No finding."
        broken = "Its weights hold NaN. " if now.broken else ""
        kls = result.kl[result.place]
        moved = f", KL {small(kls)}" if np.isfinite(kls) else ""
        return (
            f"Iteration {now.iteration} of {result.iterations[-1]}. {broken}Mean std of the actions "
            f"{_word(now.std.mean())} (first checkpoint: {start}), entropy {_word(now.entropy)} nats{moved}. "
            f"{100 * asleep:.0f} % of the hidden units are dead or saturated. {found}"
        )

    def numbers(self, result: XRayResult) -> dict[str, str]:
        """Return the figures of this checkpoint."""
        now = result.now
        off = int((now.off > STALE).sum())
        still = int((now.norm_std < 1e-4).sum())
        kls = result.kl[result.place]
        return {
            "mean std": _word(now.std.mean()),
            "entropy": f"{_word(now.entropy)} nats",
            "KL": f"{small(kls)} nats" if np.isfinite(kls) else "–",
            "learning rate": short(now.learning_rate) if np.isfinite(now.learning_rate) else "–",
            "dead or saturated": f"{100 * _asleep(now):.0f} %",
            "last gain": _word(now.gain),
            "features far off": f"{off} of {len(now.shift)}",
            "features without variance": "–" if now.count is None else f"{still} of {len(now.shift)}",
            "findings": str(len(result.findings)),
        }


def _asleep(now: Measures) -> float:
    """Return the share of all hidden units that are dead or saturated."""
    units, shares = np.array(now.layers.units), now.layers.asleep
    known = np.isfinite(shares)
    return float(shares[known] @ units[known] / units[known].sum()) if known.any() else 0.0


def _write_plainly(axis: Any) -> None:
    """Write the numbers of a logarithmic axis as they are said."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axis.set_minor_formatter(NullFormatter())


def _number(axes: Any, count: int) -> None:
    """Let ticks number what stands side by side."""
    axes.set_xticks(range(0, count, -(-count // 6)))


def _layer(name: str) -> str:
    return f"layer {name}" if name.isdigit() else name


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def _limit(axes: Any, values: list[float]) -> None:
    """Give a logarithmic axis the tightest round limits that hold the values."""
    known = [value for value in values if np.isfinite(value) and value > 0]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    axes.set_ylim(0.8 / round_up(1 / low), 1.25 * round_up(high))


def _word(value: float) -> str:
    return short(value) if np.isfinite(value) else "broken"
