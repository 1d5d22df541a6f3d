"""Explorer *stream*: how running statistics converge while observations arrive."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_names
from rsl_edu.number_format import short

from ..bench.arithmetic import rounded
from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from ..bench.touch import Grip, Spot
from ..running_moments import running_mean, running_std
from . import picture
from .picture import WINDOW
from .state import LastMerge, StreamResult, StreamState

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True)
class Robots:
    """The samples of the robots in the stream, and the statistics of all other robots, which count as the truth."""

    stream: torch.Tensor  # [samples, features], in time order
    others: torch.Tensor  # [envs], indices of the robots outside the stream
    mean: torch.Tensor  # [features], over the robots outside the stream
    std: torch.Tensor  # [features], over the robots outside the stream
    constant: torch.Tensor  # [features], True if a feature never varies; the shift does not change these features

    def moments(self, shifted: int | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the true mean and std of the features before the shift (0) or after it (1)."""
        return self.mean + 3 * shifted * self.std, (1 + shifted) * self.std


@dataclasses.dataclass(frozen=True)
class RunningStatistics:
    """A complete stream, with the means after every update."""

    samples: np.ndarray  # [samples, features]
    seen: np.ndarray  # [updates], number of samples
    mean: np.ndarray  # [updates, features]
    error: np.ndarray  # [updates], error of the means in true stds (root mean square over the features that vary)


class Stream(Explorer[StreamState, StreamResult]):
    """Running mean and std of an observation stream, compared with the truth.

    The stream consists of a quarter of the environments. The mean and std of all other environments count as the
    truth. If there is only one environment, its own mean and std count as the truth.

    Args:
        observations: A rollout ``[time, envs, features]``; by default, a rollout of ``Humanoid-v5``.
        names: Names of the features; by default, the features are numbered.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError: The names are not strings.
        ValueError: The observations have the wrong shape, are not finite or are too large, or the number of names is
            not the number of features.
    """

    State = StreamState
    lesson = 4
    shows = "running statistics of observations, compared with the true statistics"
    breaks = "three wrong merges, no `eps`, frozen statistics, a robot that changes"
    size = (8.6, 5.6)
    more = ("values", "normalized")
    swept = (
        {"shift": 9, "seen": 9},
        {"merge": ..., "seen": 5},
        {"merge": ("chan", "no shift"), "batch": (1, 64, 512), "seen": 5},
        {"until": ..., "seen": 9},
        {"independent": ..., "shift": (0,), "seen": 5},
        {"feature": (22, 74), "eps": ..., "seen": (1536,)},
    )
    question = Control(
        "error", "Error of the running means at the end of the stream.", "true stds", range=(1e-3, 300.0, 1e-3)
    )
    questions: tuple[Question, ...] = (
        Question(
            "1. After 2,048 samples, how many standard deviations will the running means be off (root mean square over "
            "the features)? With 2,048 independent samples, the error would be 1/√2048, about 0.02.",
            answer="about 0.07",
            show={"seen": 2048, "shift": 0},
        ),
        Question(
            "2. Which is closer to the truth after 1,024 samples?",
            ("batches of 1", "batches of 512", "no difference"),
            "no difference",
            {"seen": 1024, "shift": 0, "batch": 512},
        ),
        Question(
            "3. Halfway through the stream, the robot changes. By the end, do the statistics no longer depend on the "
            "old one?",
            ("yes", "no"),
            "no",
            {"seen": 2048, "shift": 1024},
        ),
    )

    def __init__(
        self, observations: torch.Tensor | None = None, names: tuple[str, ...] | None = None, **state: Any
    ) -> None:
        own = observations is not None
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
        last = step * steps
        ranges = {"seen": (step, last, step), "shift": (0, last, step), "feature": (0, features - 1, 1)}
        defaults = {"seen": step * max(1, steps // 2), "feature": min(22, features - 1)}
        if own:
            self.questions = ()
            defaults["batch"] = next((batch for batch in (64, 8) if 2 * batch <= defaults["seen"]), 1)
        else:  # a learner's own data start without a shift
            defaults |= {"seen": step * (3 * steps // 4), "shift": step * (steps // 2)}
        super().__init__(ranges=ranges, defaults=defaults, **self._dated(state))

    def at(self, **changes: Any) -> StreamState:
        """Check ``changes``, and return the current state with them. The explorer does not change."""
        return super().at(**self._dated(changes))

    def _dated(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Convert a ``shift`` from older states: True becomes half the number of samples, False becomes 0 (never)."""
        if isinstance(changes.get("shift"), bool):
            return {**changes, "shift": self._total // 2 * changes["shift"]}
        return changes

    def compute(self, state: StreamState) -> StreamResult:
        """Compute the library's statistics after every update, up to ``state.seen`` samples."""
        run = (state.batch, state.until, state.shift, state.independent, state.merge, state.seed)
        trace = self._run(*run)
        values = trace.samples[:, state.feature]
        updates = int(np.searchsorted(trace.seen, state.seen, side="right"))
        mean = trace.mean[:updates, state.feature]
        std = self._std(*run, state.feature)[:updates]
        now = (mean[-1], std[-1]) if updates else (0.0, 1.0)  # initial values of the normalizer
        before = (mean[-2], std[-2]) if updates > 1 else (0.0, 1.0)
        with np.errstate(all="ignore"):  # with eps = 0, a constant feature gives 0 / 0
            normalized = (values[max(0, state.seen - WINDOW) : state.seen] - now[0]) / (now[1] + np.float32(state.eps))
        robots = self._robots(state.seed)
        moments = (*robots.moments(0), *robots.moments(int(state.shift > 0)))  # before and after the shift
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
            last=_last_merge(state, trace.samples, updates, *map(float, before)),
        )

    @cached(2)
    def _robots(self, seed: int) -> Robots:
        x, envs = self.observations, self.observations.shape[1]
        order = torch.randperm(envs, generator=torch.Generator().manual_seed(seed)) if seed else torch.arange(envs)
        streams = max(1, envs // 4)
        which = order[streams:] if envs > 1 else order
        others = x[:, which].flatten(0, 1)
        constant = (others == others[0]).all(0)
        mean = torch.where(constant, others[0], others.mean(0))  # even over equal numbers, a mean has rounding errors
        std = (others - mean).square_().mean(0).sqrt_()  # three times as fast as torch's std
        return Robots(x[:, order[:streams]].flatten(0, 1), which, mean, std, constant)

    def _samples(self, robots: Robots, shift: int, independent: bool, seed: int) -> torch.Tensor:
        x, others = robots.stream, robots.others
        if independent:
            count = len(self.observations) * len(others)
            draws = torch.randint(count, (len(x),), generator=torch.Generator().manual_seed(seed))
            x = self.observations[draws // len(others), others[draws % len(others)]]
        if shift:
            later = torch.where(robots.constant, x[shift:], robots.moments(1)[0] + 2 * (x[shift:] - robots.mean))
            x = torch.cat([x[:shift], later])
        return x  # [samples, features]

    @cached(2)
    def _run(self, batch: int, until: int, shift: int, independent: bool, merge: str, seed: int) -> RunningStatistics:
        robots = self._robots(seed)
        x = self._samples(robots, shift, independent, seed).numpy()
        features = x.shape[1]
        seen = np.arange(batch, len(x) + 1, batch)
        batches = x[: len(seen) * batch].reshape(len(seen), batch, features)
        rows = _updates(len(seen), batch, until, merge, features)
        if merge == "last":
            means = batches.mean(1, dtype=float)
        elif merge == "pooled":  # without a batch axis, the features are treated as samples
            means = running_mean(batches.reshape(len(seen), batch * features))[:, None]
        else:
            means = running_mean(batches)
        mean = np.broadcast_to(means[rows].astype(np.float32), (len(seen), features))
        truth, width = robots.moments((torch.as_tensor(seen) > shift).unsqueeze(1) * int(shift > 0))
        varies = robots.std.numpy() > 1e-6
        error = (mean[:, varies] - truth.numpy()[:, varies]) / width.numpy()[:, varies]
        return RunningStatistics(x, seen, mean, np.sqrt(np.square(error).sum(1) / np.float32(varies.sum() or np.nan)))

    @cached(64)
    def _std(
        self, batch: int, until: int, shift: int, independent: bool, merge: str, seed: int, feature: int
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
        """Lay out four panels: statistics, error of the means, and the values before and after normalization."""
        return picture.stage(figure, self._total)

    def draw(self, artists: dict[str, Any], result: StreamResult) -> None:
        """Update the lines, the band and the bars."""
        picture.draw(artists, result)

    def spots(self, result: StreamResult) -> tuple[Spot, ...]:
        """Return the hover targets: the last merge, a normalized value, the shift, and some earlier updates."""
        return picture.spots(result)

    def grips(self, result: StreamResult) -> tuple[Grip, ...]:
        """Return the handles that set the number of samples seen and the sample of the shift."""
        return picture.grips(result, {name: self.controls[name].positions() for name in ("seen", "shift")})

    def mark(self, result: StreamResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess at the right end of the error panel."""
        return [self._total], [np.clip(guess, *picture.ERRORS)]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations for tests."""
        return (draw(24, 4, 6),)

    def numbers(self, result: StreamResult) -> dict[str, str]:
        """Return the statistics of the shown feature and the error of all means."""
        true_mean, true_std = result.truth_now
        mean, std, error = (series[-1:] for series in (result.mean, result.std, result.error))
        finite = result.normalized[np.isfinite(result.normalized)]
        return {
            "running mean": rounded(mean[0]) if len(mean) else "0",
            "true mean": rounded(true_mean),
            "running std": rounded(std[0]) if len(std) else "1",
            "true std": rounded(true_std),
            "error of all means": picture.stds(error[0]) if np.isfinite(error).any() else "–",
            "beyond 5 std": f"{100 * np.mean(np.abs(result.normalized) > 5):.0f} %" if len(finite) else "–",
        }

    def title(self, result: StreamResult) -> str:
        """State how far the statistics are from the truth, and why."""
        return picture.title(result)

    def describe(self, result: StreamResult) -> str:
        """Describe the numbers in the picture."""
        if not len(result.samples):
            return f"After {picture.samples(result.state.seen)}, there is no update yet: mean 0, std 1."
        (mean, std), after = result.truth_now, f"After {picture.samples(result.state.seen)},"
        learned = f"{result.name} has running mean {rounded(result.mean[-1])} and std {rounded(result.std[-1])}"
        truth = f"the truth is {rounded(mean)} and {rounded(std)}" if std else f"the truth is always {rounded(mean)}"
        off = result.error[-1]
        error = f"All running means are {picture.stds(off, 'true std')} off (root mean square)"
        independent = f"; with independent samples, the error would be {rounded(result.samples[-1] ** -0.5)}"
        if not np.isfinite(off):
            error, independent = "No feature varies by more than 10⁻⁶, so there is no error in true stds", ""
        z = result.normalized
        broken = int((~np.isfinite(z)).sum())
        last, one = "the last value" if len(z) == 1 else f"the last {len(z)} values", len(z) == 1
        if broken:
            spread = f"{last} is not a number" if one else f"{broken} of {last} are not numbers"
        else:
            spread = f"{last} {'has' if one else 'have'} mean {_tenths(z.mean())} and std {rounded(z.std())}"
        return f"{after} {learned}; {truth}. {error}{independent}. After normalization, {spread}."


def _tenths(value: float) -> str:
    return short(value, 1).replace("-", "−")


def _last_merge(state: StreamState, samples: np.ndarray, updates: int, mean: float, std: float) -> LastMerge:
    """Return the last of ``updates`` updates. The arguments include the mean and std before this update."""
    pooled = state.merge == "pooled"
    size = state.batch * (samples.shape[1] if pooled else 1)  # how many numbers one update counts
    end = max(1, updates) * state.batch
    batch = samples[end - state.batch : end, slice(None) if pooled else state.feature].astype(float)
    most = -(-state.until // size) if state.until and state.merge != "last" else updates
    done = min(max(0, updates - 1), most)  # number of earlier updates that changed the statistics
    offset = batch - batch.flat[0] if batch.size else batch  # exactly 0 if nothing varies
    moments = (float(batch.flat[0] + offset.mean()), float(offset.var())) if batch.size else (0.0, 1.0)
    return LastMerge(done * size, mean, std**2, batch.size, *moments, frozen=updates > most)


def _updates(count: int, batch: int, until: int, merge: str, features: int) -> np.ndarray:
    """Return for each update which update last changed the statistics, as an index ``[count]``."""
    rows = np.arange(count)
    if not until or merge == "last":  # the count is reset in every update
        return rows
    samples = batch * features if merge == "pooled" else batch
    return np.minimum(rows, -(-until // samples) - 1)
