"""Explorer *stream*: how running statistics find their way while observations stream in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_names
from rsl_edu.histogram import clipped_histogram
from rsl_edu.number_format import round_up, short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREY, ORANGE
from .running_moments import running_mean, running_std

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WINDOW = 512
"""Samples of the stream that the histograms show: the last ones."""
EDGES = np.linspace(-5, 5, 51)
"""Bins of the normalized values; what lies beyond is counted in the outermost bins."""

ERRORS = (0.01, 300)
"""Limits of the error's axis, in true stds."""
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "borderaxespad": 0, "columnspacing": 1.2}
"""Where legends stand: between the title and what moves."""


@dataclasses.dataclass(frozen=True)
class StreamState:
    """State of :class:`Stream`."""

    seen: int = control(1024, "samples seen", "How far the stream has run.", range=(64, 2048, 64), play=True)
    feature: int = control(22, "feature", "Which feature of the observation is shown.", range=(0, 347, 1))
    batch: int = control(
        64, "batch size", "Samples in each update.", unit="samples", choices={"1": 1, "8": 8, "64": 64, "512": 512}
    )
    eps: float = control(
        1e-2, "eps", "Added to the std before dividing.", choices={"0": 0.0, "1e-8": 1e-8, "0.01": 1e-2, "1": 1.0}
    )
    until: int = control(
        0,
        "until",
        "Samples after which the statistics stay as they are.",
        unit="samples",
        choices={"no end": 0, "512": 512, "1024": 1024},
    )
    shift: bool = control(False, "shift at half time", "From there on the feature is twice as wide and 3 std higher.")
    independent: bool = control(
        False,
        "independent samples",
        "Each sample comes from a random moment of a random other robot, not in the order of time.",
    )
    merge: str = control(
        "chan",
        "merge",
        "How a batch is merged into the statistics; all but the first are mistakes that people shipped.",
        choices={
            "Chan: right": "chan",
            "no shift term": "no shift",
            "features pooled (cleanrl #18)": "pooled",
            "last batch only": "last",
        },
    )
    seed: int = control(
        0, "seed", "Draws the robots of the stream (0: the first ones), and the independent samples.", range=(0, 9, 1)
    )


@dataclasses.dataclass(frozen=True)
class Robots:
    """The robots of the stream, and the others: the truth."""

    stream: torch.Tensor  # [samples, features], in the order of time
    others: torch.Tensor  # [samples of the others, features]
    mean: torch.Tensor  # [features], of the others
    std: torch.Tensor  # [features]

    def moments(self, shifted: int | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the true mean and std of the features where ``shifted`` is 0, or 1."""
        return self.mean + 3 * shifted * self.std, (1 + shifted) * self.std


@dataclasses.dataclass(frozen=True)
class RunningStatistics:
    """A whole stream, and the means after each update."""

    samples: np.ndarray  # [samples, features]
    seen: np.ndarray  # [updates], samples
    mean: np.ndarray  # [updates, features]
    error: np.ndarray  # [updates], of the means, in true stds: root mean square over the features that vary


@dataclasses.dataclass(frozen=True)
class StreamResult:
    """What the picture shows; the series are those up to ``state.seen``."""

    state: StreamState
    name: str
    values: np.ndarray  # [samples], the feature over the whole stream
    truth: tuple[float, ...]  # mean and std before half time, mean and std after it
    samples: np.ndarray  # [updates]
    mean: np.ndarray  # [updates]
    std: np.ndarray  # [updates]
    error: np.ndarray  # [updates]
    normalized: np.ndarray  # [window]


class Stream(Explorer[StreamState, StreamResult]):
    """Running mean and std of an observation stream, against the truth.

    A quarter of the environments is the stream; the moments of all others are the truth it is held against (with a
    single environment: its own).

    Args:
        observations: A rollout ``[time, envs, features]``; None takes a robot's: ``Humanoid-v5``.
        names: What the features are; None numbers them.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError: Names that are no words.
        ValueError: Observations of another shape, with values that are not finite or too large; more or fewer names.
    """

    State = StreamState
    lesson = 4
    shows = "running statistics of observations against the truth"
    breaks = "three wrong merges, no `eps`, frozen statistics, a robot that changes"
    swept = (
        {"merge": ..., "seen": 9},
        {"merge": ("chan", "no shift"), "batch": (1, 64, 512), "seen": 9},
        {"shift": ..., "until": ..., "seen": 9},
        {"independent": ..., "seen": 9},
        {"feature": (22, 74), "eps": ..., "seen": 9},
    )
    question = Control(
        "error", "How far the running means are off at the end of the stream.", "true stds", range=(1e-3, 300.0, 1e-3)
    )

    def __init__(
        self, observations: torch.Tensor | None = None, names: tuple[str, ...] | None = None, **state: Any
    ) -> None:
        if observations is None:
            robot = rollout("Humanoid-v5", steps=512, envs=16)
            observations, names = robot.observations, robot.names
        observations = finite_tensor("observations", observations, "[time, envs, features]")
        steps, envs, features = observations.shape
        self.observations = observations.float()
        self._total = steps * max(1, envs // 4)
        if names is None:
            names = tuple(f"feature {i}" for i in range(features))
        self.names = learner_names("names", names, features, "feature")
        step = max(1, self._total // 32)
        steps = self._total // step
        ranges = {"seen": (step, step * steps, step), "feature": (0, features - 1, 1)}
        defaults = {"seen": step * max(1, steps // 2), "feature": min(22, features - 1)}
        super().__init__(ranges=ranges, defaults=defaults, **state)

    def compute(self, state: StreamState) -> StreamResult:
        """Work out what the library's normaliser has after each update, and cut the series off at ``state.seen``."""
        run = (state.batch, state.until, state.shift, state.independent, state.merge, state.seed)
        trace = self._run(*run)
        values = trace.samples[:, state.feature]
        updates = int(np.searchsorted(trace.seen, state.seen, side="right"))
        mean = trace.mean[:updates, state.feature]
        std = self._std(*run, state.feature)[:updates]
        now = (mean[-1], std[-1]) if updates else (0.0, 1.0)  # a normaliser starts with these
        with np.errstate(all="ignore"):  # with eps = 0 a feature that never varies gives 0 / 0
            normalized = (values[max(0, state.seen - WINDOW) : state.seen] - now[0]) / (now[1] + np.float32(state.eps))
        robots = self._robots(state.seed)
        moments = (*robots.moments(0), *robots.moments(int(state.shift)))  # before half time, and after
        return StreamResult(
            state=state,
            name=self.names[state.feature],
            values=values,
            truth=tuple(float(moment[state.feature]) for moment in moments),
            samples=trace.seen[:updates],
            mean=mean,
            std=std,
            error=trace.error[:updates],
            normalized=normalized,
        )

    @cached(2)
    def _robots(self, seed: int) -> Robots:
        x, envs = self.observations, self.observations.shape[1]
        order = torch.randperm(envs, generator=torch.Generator().manual_seed(seed)) if seed else torch.arange(envs)
        streams = max(1, envs // 4)
        others = (x[:, order[streams:]] if envs > 1 else x).flatten(0, 1)
        mean = others.mean(0)
        std = (others - mean).square_().mean(0).sqrt_()  # three times as fast as torch's std
        return Robots(x[:, order[:streams]].flatten(0, 1), others, mean, std)

    @staticmethod
    def _samples(robots: Robots, shift: bool, independent: bool, seed: int) -> torch.Tensor:
        x, others = robots.stream, robots.others
        if independent:
            x = others[torch.randint(len(others), (len(x),), generator=torch.Generator().manual_seed(seed))]
        if shift:
            half = len(x) // 2
            x = torch.cat([x[:half], robots.moments(1)[0] + 2 * (x[half:] - robots.mean)])
        return x  # [samples, features]

    @cached(2)
    def _run(self, batch: int, until: int, shift: bool, independent: bool, merge: str, seed: int) -> RunningStatistics:
        robots = self._robots(seed)
        x = self._samples(robots, shift, independent, seed).numpy()
        features = x.shape[1]
        seen = np.arange(batch, len(x) + 1, batch)
        batches = x[: len(seen) * batch].reshape(len(seen), batch, features)
        rows = _updates(len(seen), batch, until, merge, features)
        if merge == "last":
            means = batches.mean(1, dtype=float)
        elif merge == "pooled":  # an observation without its batch axis: the features pass for samples
            means = running_mean(batches.reshape(len(seen), batch * features))[:, None]
        else:
            means = running_mean(batches)
        mean = np.broadcast_to(means[rows].astype(np.float32), (len(seen), features))
        truth, width = robots.moments((torch.as_tensor(seen) > len(x) // 2).unsqueeze(1) * int(shift))
        varies = robots.std.numpy() > 1e-6
        error = (mean[:, varies] - truth.numpy()[:, varies]) / width.numpy()[:, varies]
        return RunningStatistics(x, seen, mean, np.sqrt(np.square(error).sum(1) / np.float32(varies.sum() or np.nan)))

    @cached(64)
    def _std(
        self, batch: int, until: int, shift: bool, independent: bool, merge: str, seed: int, feature: int
    ) -> np.ndarray:
        """Return the running std of one feature after each update, ``[updates]``."""
        trace = self._run(batch, until, shift, independent, merge, seed)
        updates, features = trace.mean.shape
        samples = trace.samples[: updates * batch]
        if merge == "pooled":
            batches = samples.reshape(updates, batch * features)
        else:
            batches = samples[:, feature].reshape(updates, batch)
        if merge in ("last", "no shift"):
            of_each = (batches - batches[:, :1]).var(1, dtype=float)
            std = np.sqrt(of_each if merge == "last" else running_mean(of_each[:, None]))
        else:
            std = running_std(batches)
        shown: np.ndarray = std[_updates(updates, batch, until, merge, features)].astype(np.float32)
        return shown

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out four panels: the statistics, their error, and the values before and after."""
        (top, error), (raw, after) = figure.subplots(2, 2, gridspec_kw={"width_ratios": (1.25, 1)})
        total = self._total
        quarters = sorted({0, total // 4, total // 2, 3 * total // 4, total})
        top.set(xlim=(0, total), xlabel="samples seen")
        top.set_xticks(quarters, [f"{samples:,}" for samples in quarters])
        top.set_title("running mean ± std", pad=24)
        error.set(xscale="log", yscale="log", xlim=(0.9, total * 1.3), ylim=ERRORS)
        error.set(xlabel="samples seen", ylabel="error (true stds)")
        error.set_title("error of all running means", pad=24)
        raw.set(xlabel="value", ylim=(0, 1.05), ylabel="samples (peak = 1)", title=f"the last {WINDOW} samples")
        for axes in (top.yaxis, raw.xaxis):
            axes.get_major_locator().set_params(nbins=5)
            axes.set_major_formatter(lambda value, position: f"{round(value, 12):g}".replace("-", "−"))
        after.set(xlim=(-5, 5), ylim=(0, 1), ylabel="density", title="normalized")
        after.set(xlabel="(value − running mean) / (running std + eps)")
        n = np.geomspace(1, total)
        z = np.linspace(-5, 5, 101)
        kept = np.arange(0, total, max(1, total // 512))
        artists: dict[str, Any] = {"kept": kept, "raw axes": raw, "top axes": top}
        (artists["dots"],) = top.plot(kept, kept, ".", color=FAINT, markersize=3, label="observed")
        (artists["truth"],) = top.plot([0, 1], [0, 0], color=GREY, linestyle="--", label="true")
        artists["truth band"] = [top.plot([0, 1], [0, 0], color=GREY, linestyle=":", linewidth=1)[0] for _ in range(2)]
        (artists["mean"],) = top.plot([], [], color=BLUE, linewidth=2, label="running")
        (artists["band"],) = top.fill([0, 0], [0, 0], color=BLUE, alpha=0.25, linewidth=0)
        top.legend(ncols=3, **ABOVE)
        error.plot(n, n**-0.5, color=GREY, linestyle="--", label="1/√n")
        (artists["error"],) = error.plot([], [], color=BLUE, linewidth=2, label="measured")
        (artists["guess"],) = error.plot([], [], "X", color=ORANGE, markersize=10, label="your guess")
        error.legend(ncols=3, **ABOVE)
        artists["raw"] = raw.stairs(np.zeros(60), np.linspace(0, 1, 61), fill=True, color=GREY, alpha=0.7)
        artists["after"] = after.stairs(np.zeros(50), EDGES, fill=True, color=BLUE, alpha=0.7)
        after.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color=GREY, linestyle="--", label="standard normal")
        after.legend(**ABOVE | {"loc": "lower right", "bbox_to_anchor": (1, 0.99)})
        artists["names"] = {  # no titles: these are drawn with what moves, so that another feature is quick
            axes: axes.annotate("", (1, 1), (0, pad), "axes fraction", "offset points", ha="right")
            for axes, pad in ((top, 24), (raw, 6))
        }
        return artists

    def draw(self, artists: dict[str, Any], result: StreamResult) -> None:
        """Move lines, band and bars."""
        seen, total = result.state.seen, len(result.values)
        mean0, std0, mean1, std1 = result.truth
        kept = artists["kept"]
        low, high = _limits(min(mean0 - 4 * std0, mean1 - 4 * std1), max(mean0 + 4 * std0, mean1 + 4 * std1))
        artists["top axes"].set(ylim=(low, high))
        artists["raw axes"].set(xlim=(low, high))
        for name in artists["names"].values():
            name.set_text(result.name)
        artists["dots"].set_data(kept[kept < seen], result.values[kept[kept < seen]])
        half = [0, total // 2, total // 2, total]
        artists["truth"].set_data(half, [mean0, mean0, mean1, mean1])
        for line, sign in zip(artists["truth band"], (-1, 1), strict=True):
            line.set_data(half, [mean0 + sign * std0] * 2 + [mean1 + sign * std1] * 2)
        artists["mean"].set_data(result.samples, result.mean)
        upper, lower = result.mean + result.std, (result.mean - result.std)[::-1]
        edge = np.concatenate([upper, lower])
        artists["band"].set_xy(np.column_stack([np.concatenate([result.samples, result.samples[::-1]]), edge]))
        artists["error"].set_data(result.samples, result.error)
        window = result.values[max(0, seen - WINDOW) : seen]
        edges = np.linspace(low, high, 61)
        bars = clipped_histogram(window, edges)
        artists["raw"].set_data(bars / max(1, bars.max()), edges)
        counts = clipped_histogram(result.normalized[np.isfinite(result.normalized)], EDGES)
        artists["after"].set_data(counts / (len(result.normalized) * np.diff(EDGES)))

    def mark(self, result: StreamResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess at the end of the error's panel."""
        return [self._total], [np.clip(guess, *ERRORS)]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations."""
        return (draw(24, 4, 6),)

    def numbers(self, result: StreamResult) -> dict[str, str]:
        """Return the statistics of the feature and how far all means are off."""
        late = 2 * (result.state.seen > len(result.values) // 2)
        mean, std, error = (series[-1:] for series in (result.mean, result.std, result.error))
        finite = result.normalized[np.isfinite(result.normalized)]
        return {
            "running mean": short(mean[0]) if len(mean) else "0",
            "true mean": short(result.truth[late]),
            "running std": short(std[0]) if len(std) else "1",
            "true std": short(result.truth[late + 1]),
            "error of all means": f"{short(error[0])} stds" if np.isfinite(error).any() else "–",
            "beyond 5 std": f"{100 * np.mean(np.abs(result.normalized) > 5):.0f} %" if len(finite) else "–",
        }

    def describe(self, result: StreamResult) -> str:
        """Name the numbers that the picture shows."""
        state, late = result.state, 2 * (result.state.seen > len(result.values) // 2)
        if not len(result.samples):
            return f"After {state.seen:,} samples there was no update yet: mean 0, std 1."
        learned = f"{result.name} has running mean {short(result.mean[-1])} and std {short(result.std[-1])}"
        truth = f"the truth is {short(result.truth[late])} and {short(result.truth[late + 1])}"
        off = result.error[-1]
        error = f"All running means are {short(off)} true stds off, root mean square"
        independent = f"; independent samples would leave {short(result.samples[-1] ** -0.5)}"
        if not np.isfinite(off):
            error, independent = "No feature varies by more than 10⁻⁶, so there is no error in true stds", ""
        z = result.normalized
        broken = int((~np.isfinite(z)).sum())
        spread = f"mean {short(z.mean(), 1)} and std {short(z.std())}" if not broken else f"{broken} not numbers"
        return (
            f"After {state.seen:,} samples {learned}; {truth}. {error}{independent}. "
            f"The last {len(z)} values, normalized: {spread}."
        )


def _limits(low: float, high: float) -> tuple[float, float]:
    """Return round limits around a range, the same for many features: a new limit is a new background."""
    if high - low < 1e-6 * max(1.0, abs(high)):
        low, high = low - max(1.0, abs(low)), high + max(1.0, abs(high))
    step = round_up((high - low) / 6)
    return float(np.floor(low / step) * step), float(np.ceil(high / step) * step)


def _updates(count: int, batch: int, until: int, merge: str, features: int) -> np.ndarray:
    """Return the last update that changed the statistics by the time of each, ``[count]``."""
    rows = np.arange(count)
    if not until or merge == "last":  # which forgets the count
        return rows
    samples = batch * features if merge == "pooled" else batch
    return np.minimum(rows, -(-until // samples) - 1)
