"""Explorer *heteroscedastic fit*: learn a state-dependent std from a robot's data with state-dependent noise."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_names
from rsl_edu.modules import MLP, GaussianDistribution, HeteroscedasticGaussianDistribution
from rsl_edu.number_format import SUPERSCRIPTS, round_up

from ..bench.arithmetic import rounded
from ..bench.controls import Control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from . import gaussian_fit, picture
from .state import STEPS, WITHIN, HeteroscedasticFitResult, HeteroscedasticFitState, Samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..bench.touch import Grip, Spot

BATCH = 384
"""Number of training samples; NLL and calibration are measured on all samples."""
SHOWN = 2048
"""Maximum number of samples. If there are more samples, only a subset is used."""
POSITIONS = 40
"""Approximate number of positions of the slider for the angle."""


@dataclasses.dataclass(frozen=True)
class Fit:
    """A complete training run; row ``t`` is the state after ``t`` steps."""

    network: MLP
    distribution: GaussianDistribution
    weights: np.ndarray  # [steps + 1, weights], weights of network and distribution
    loss: np.ndarray  # [steps + 1], nats


class ClampAlone(HeteroscedasticGaussianDistribution):
    """A mistake: a plain clamp of the std. If the network's std is below the limit, the gradient is zero."""

    def _std_of(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        low, high = self.std_range if self.std_type == "scalar" else self.log_std_range
        inside = raw.clamp(low, high)
        return (inside, None) if self.std_type == "scalar" else (inside.exp(), inside)


class HeteroscedasticFit(Explorer[HeteroscedasticFitState, HeteroscedasticFitResult]):
    r"""A network that learns the mean and std of a target from one feature by minimizing :math:`-\log p`.

    Feature and target are normalized for the network; NLL and entropy refer to the normalized target. The noise of the
    target depends on the feature. By default, the feature is the angle of an Ant's hip under random torques,
    and the target is the hip's velocity one step later. Between its stops, the hip moves freely and fast; at the stops,
    it hardly moves.

    Args:
        x: The feature, ``[samples]``; by default from an ``Ant-v5`` rollout.
        y: The target, ``[samples]``. If there are more than 2,048 samples, 2,048 evenly spaced ones are used.
        names: Names of ``x`` and ``y``, with their units.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError: The names are not strings.
        ValueError: A tensor has the wrong shape, is not finite or is too large, or there are not exactly two names.
    """

    State = HeteroscedasticFitState
    lesson = 5
    shows = "mean ± std of a joint whose noise depends on its angle"
    breaks = "one std for all states, mean and std swapped, no initialization"
    size = (9.0, 6.2)
    more = ("nll", "inside")
    swept = (
        {"parameter": ..., "steps": 4},
        {"mistake": ..., "steps": 4},
        {"parameter": ..., "angle": 9},
    )
    question = Control(
        "ratio",
        "The largest learned std divided by the smallest learned std, at the end of training.",
        range=(1.0, 20.0, 0.1),
    )
    questions: tuple[Question, ...] = (
        Question(
            "How many times larger is the fitted std between the joint's stops than at the stops?",
            answer="about 4",
            show={"parameter": "log", "mistake": "none", "steps": STEPS},
        ),
        Question(
            "With one std for all states, how many of the samples at the stops are within one std?",
            ("about half", "68 %, as for every Gaussian", "nearly all"),
            "nearly all",
            {"parameter": "one", "mistake": "none", "steps": STEPS},
        ),
    )

    def __init__(
        self,
        x: torch.Tensor | None = None,
        y: torch.Tensor | None = None,
        names: tuple[str, str] = ("x", "y"),
        **state: Any,
    ) -> None:
        if x is None and y is None:
            robot = rollout("Ant-v5", steps=64, envs=16)
            follows = ~robot.dones[:-1]  # the step after an episode end belongs to a different episode
            x = robot.observations[:-1, :, robot.names.index("qpos[7]")][follows]
            y = robot.observations[1:, :, robot.names.index("qvel[8]")][follows]
            names = ("hip angle (rad)", "hip velocity, a step later (rad/s)")
        else:
            self.questions = ()  # the questions are about the Ant
        x = finite_tensor("x", x, "[samples], two or more")
        y = finite_tensor("y", y, f"[{len(x)}], as x")
        if len(x) < 2:
            raise ValueError(f"x: expected at least two samples, got {len(x)}")
        kept = torch.linspace(0, len(x) - 1, min(len(x), SHOWN)).round().long()
        self.x, self.y = (tensor[kept].float().unsqueeze(1) for tensor in (x, y))  # [samples, 1]
        self.names = learner_names("names", names, 2, "of x and y")
        self._x_moments, self._y_moments = (_moments(tensor) for tensor in (self.x, self.y))
        self._inputs = (self.x - self._x_moments[0]) / self._x_moments[1]
        self._targets = (self.y - self._y_moments[0]) / self._y_moments[1]
        low, high = self.x.min().item(), self.x.max().item()
        margin = max(0.5, 1e-3 * abs(low))  # both limits of the slider must differ in float32
        self._grid = (
            torch.linspace(low, high, 81).unsqueeze(1)
            if high > low
            else self.x[:1] + margin * torch.tensor([[-1.0], [1.0]])
        )
        self.edges, self.bins = _bins(self.x.squeeze(1).numpy())
        values = self.y.squeeze(1).numpy()
        self.bin_mean = _by_bin(np.mean, values, self.bins)  # [bins]
        residuals, self.bin_std, free = around_lines(self.x.squeeze(1).numpy(), values, self.bins)
        off = torch.from_numpy(residuals).float().unsqueeze(1) / self._y_moments[1]
        one = GaussianDistribution(1, init_std=max(1e-6, off.square().mean().sqrt().item()))
        one.update(torch.zeros_like(off))
        self.nll_one = -one.log_prob(off).mean().item()  # the best single std
        count = np.bincount(self.bins, minlength=len(self.edges) - 1)
        x_of, y_of = self.x.squeeze(1).numpy(), values
        pair = self.names[0], self.names[1]
        known = (self.edges, count, self.bin_mean, self.bin_std, free, self.nll_one)
        self.samples = Samples(x_of, y_of, pair, self._y_moments[1], *known)
        first, last = float(self._grid[0]), float(self._grid[-1])
        apart = round_up((last - first) / POSITIONS, (1, 2, 5))
        first, last = (round(apart * n, 10) for n in (math.ceil(first / apart), math.floor(last / apart)))
        middle = round(first + apart * round((last - first) / apart / 2), 10)
        super().__init__(ranges={"angle": (first, last, apart)}, defaults={"angle": middle}, **state)

    def compute(self, state: HeteroscedasticFitState) -> HeteroscedasticFitResult:
        """Train once for each setting, and evaluate the network after ``state.steps`` steps."""
        mistake = state.mistake if state.mistake in ("no init", "clamp") else "none"  # others affect only the output
        fit = self._fit(state.parameter, state.rate, state.init, state.hidden, mistake, state.seed)
        with torch.inference_mode():
            network, distribution = copy.deepcopy((fit.network, fit.distribution))
            _set(network, distribution, torch.from_numpy(fit.weights[state.steps]))
            shift, scale = self._y_moments
            grid = (self._grid - self._x_moments[0]) / self._x_moments[1]
            on_grid = self._read(network(grid), distribution, state.mistake)
            curve = [moment.squeeze(1) * scale for moment in on_grid.params]
            read = self._read(network(self._inputs), distribution, state.mistake)
            mean, std = read.params
            off = self._targets - mean
            inside = (off.abs() <= std).squeeze(1).numpy() * 100.0
            nll = -read.log_prob(self._targets).mean().item()
            nearest = int((self.x - state.angle).abs().argmin())
            sample = (float(self.x[nearest]), float(self.y[nearest]))
            sample_fit = float(mean[nearest]) * scale + shift, float(std[nearest]) * scale
            at = torch.tensor([[(state.angle - self._x_moments[0]) / self._x_moments[1]]])
            here = [float(moment) * scale for moment in self._read(network(at), distribution, state.mistake).params]
            return HeteroscedasticFitResult(
                state=state,
                mean=(curve[0] + shift).numpy(),
                std=curve[1].numpy(),
                loss=fit.loss[: state.steps + 1],
                losses=picture.limits_of_loss(fit.loss, nll, self.nll_one),
                nll=nll,
                entropy=read.entropy.mean().item(),
                inside=_by_bin(np.mean, inside, self.bins),
                inside_all=float(inside.mean()),
                here=(here[0] + shift, here[1]),
                bin=self.samples.bin_of(state.angle),
                sample=(*sample, *sample_fit),
            )

    @staticmethod
    def _read(output: torch.Tensor, distribution: GaussianDistribution, mistake: str) -> GaussianDistribution:
        """Return the distribution for network outputs ``[..., 1]`` or ``[..., 2, 1]``, optionally with a mistake."""
        if mistake == "swapped" and output.dim() == 3:
            output = output.flip(-2)
        distribution.update(output)
        if mistake == "variance":
            mean, std = distribution.params
            distribution = HeteroscedasticGaussianDistribution(1)
            distribution.update(torch.stack([mean, std.square()], dim=-2))
        return distribution

    @cached(64)
    def _fit(self, parameter: str, rate: float, init: float, hidden: int, mistake: str, seed: int) -> Fit:
        by_state = ClampAlone if mistake == "clamp" else HeteroscedasticGaussianDistribution
        kind = GaussianDistribution if parameter == "one" else by_state
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would also reseed the learner's GPU
            samples = torch.randperm(len(self.x))[:BATCH]
            distribution = kind(1, init_std=init, std_type="log" if parameter == "log" else "scalar")
            network = MLP(1, distribution.input_dim, [hidden], activation="tanh")
            if mistake != "no init":
                distribution.init_mlp_weights(network)
        trained = itertools.chain(network.parameters(), distribution.parameters())
        flat = torch.cat([each.detach().flatten() for each in trained])
        low, high = distribution.log_std_range if parameter == "log" else distribution.std_range
        reading = gaussian_fit.Reading(parameter == "log", low, high, leads_back=kind is not ClampAlone)
        x, y = (values[samples].squeeze(1).numpy() for values in (self._inputs, self._targets))
        weights, losses = gaussian_fit.train(flat.numpy(), hidden, reading, x, y, rate, STEPS)
        return Fit(network, distribution, weights, losses)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out the panels."""
        return picture.stage(figure, self.samples, self._grid.squeeze(1).numpy())

    def draw(self, artists: dict[str, Any], result: HeteroscedasticFitResult) -> None:
        """Update the curves, the band, the bins and the values at the angle."""
        picture.draw(artists, result, self.samples, self._grid.squeeze(1).numpy())

    def spots(self, result: HeteroscedasticFitResult) -> Sequence[Spot]:
        """Return the hover targets: the sample closest to the angle, the bins, and the NLL of all samples."""
        return picture.spots(result, self.samples)

    def grips(self, result: HeteroscedasticFitResult) -> Sequence[Grip]:
        """Return the handles that set the angle and the number of steps."""
        return picture.grips(self.controls["angle"].positions(), self.controls["steps"].positions())

    def mark(self, result: HeteroscedasticFitResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the largest std, calculated from the guessed ratio and limited to the std axis."""
        x = self._grid.squeeze(1).numpy()
        return [x[len(x) // 2]], [min(0.97 * picture.TOP * self.samples.scale, guess * float(result.std.min()))]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return a feature and a target for tests."""
        return draw(300), draw(300)

    def numbers(self, result: HeteroscedasticFitResult) -> dict[str, str]:
        """Return the std at the angle and over all samples, the NLL and the calibration."""
        wrong = "✗ " if result.nll > self.nll_one + 0.05 else ""
        worst = result.inside[np.nanargmax(np.abs(result.inside - WITHIN))]
        return {
            "std at the angle": rounded(result.here[1]),
            "observed there": rounded(self.bin_std[result.bin]),
            "inside ±1 std there": f"{result.inside[result.bin]:.0f} %",
            "fitted std": _extent(result.std),
            "observed std": _extent(self.bin_std),
            "inside ±1 std": f"{result.inside_all:.0f} %",
            "worst bin": f"{worst:.0f} %",
            "NLL, fitted": f"{wrong}{_large(result.nll)} nats",
            "NLL, best single std": f"{rounded(self.nll_one)} nats",
        }

    def title(self, result: HeteroscedasticFitResult) -> str:
        """Compare the learned std with the noise in the data, or state the effect of a mistake."""
        state, inside = result.state, result.inside
        fitted = _extent(result.std)
        fits = bool(np.nanmax(np.abs(inside - WITHIN)) < 20)
        share = _share(inside)
        if state.mistake != "none" and not _spared(state):
            if fits:
                return f"✗ {MISTAKEN[state.mistake]}, harmless here: {share} are within one std."
            return f"✗ {MISTAKEN[state.mistake]}: {share} are within one std, not 68 %."
        if self.samples.noise < picture.HARDLY:
            none = "There is no noise" if self.samples.noise < 1e-6 else "There is hardly any noise"
            return f"{none}: the samples of each bin are on a line. Fitted std: {fitted}."
        if " to " not in fitted:
            which = "One std before the first step" if not state.steps else "One std for all states"
            return f"{which}, {fitted}: {share} are within it{'' if fits else ', not 68 %'}."
        if fits and len(inside) == 1:
            return f"There are too few samples to see whether the noise varies; the fitted std is {fitted}."
        if fits and self.samples.even:
            return f"The noise is about the same everywhere; the fitted std is {fitted}."
        if fits:
            return f"The fitted std follows the noise: {fitted}, observed {_extent(self.bin_std)}."
        return f"After {state.steps} steps, the std is wrong: {share} are within it."

    def describe(self, result: HeteroscedasticFitResult) -> str:
        """Describe the fit and the samples at the angle, and state the cause of an error."""
        state, place = result.state, result.bin
        name, unit = picture.name_and_unit(self.names[0])
        gain = self.nll_one - result.nll
        where = "below" if gain > 0 else "above"
        nll = f"The NLL of normalized y is {_large(abs(gain))} nats {where} the NLL with the best single std."
        symptom = "This mistake cannot occur with one std for all states. " if _spared(state) else ""
        return (
            f"{symptom or SYMPTOMS[state.mistake]}"
            f"At {name} {rounded(state.angle)}{unit}, the fitted mean is {rounded(result.here[0])} and the fitted std "
            f"{rounded(result.here[1])}. The samples near this value have mean {rounded(self.bin_mean[place])} and, "
            f"around a line through them, std {rounded(self.bin_std[place])}; {result.inside[place]:.0f} % of them "
            f"are within one fitted std. {nll}"
        )


MISTAKEN = {
    "variance": "Variance used as std",
    "swapped": "Mean and std swapped",
    "no init": "Not initialized",
    "clamp": "Plain clamp",
}
SYMPTOMS = {
    "none": "",
    "variance": "The std is squared: too wide where it is wide, too narrow elsewhere. ",
    "swapped": "The std is drawn as the mean. ",
    "no init": "The initial std can have any value, even below zero. ",
    "clamp": "Where the std is below zero, its gradient is zero. ",
}


def _spared(state: HeteroscedasticFitState) -> bool:
    """Return whether the chosen mistake is impossible because the policy has one std for all states."""
    return state.parameter == "one" and state.mistake in ("swapped", "no init", "clamp")


def _extent(values: np.ndarray) -> str:
    """Return the smallest and largest number as text, or a single number if both are equal after rounding."""
    low, high = rounded(np.nanmin(values)), rounded(np.nanmax(values))
    return low if low == high else f"{low} to {high}"


def _share(inside: np.ndarray) -> str:
    """Return in words the share of the samples that are within one std of the mean."""
    low, high = f"{np.nanmin(inside):.0f}", f"{np.nanmax(inside):.0f}"
    if len(inside) == 1:
        return f"{low} % of the samples"
    return f"{low} % of each bin's samples" if low == high else f"{low} to {high} % of a bin's samples"


def _large(value: float) -> str:
    return rounded(value) if abs(value) < 1e5 else f"10{f'{np.log10(value):.0f}'.translate(SUPERSCRIPTS)}"


def _set(network: MLP, distribution: GaussianDistribution, flat: torch.Tensor) -> None:
    """Set the weights of network and distribution without copying them."""
    start = 0
    for each in itertools.chain(network.parameters(), distribution.parameters()):
        each.data = flat[start : start + each.numel()].view_as(each)
        start += each.numel()


def _moments(values: torch.Tensor) -> tuple[float, float]:
    """Return mean and std; if the std is 0, return 1 instead."""
    std, mean = torch.std_mean(values, correction=0)
    return mean.item(), std.item() or 1.0


def _bins(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of at most 10 bins with equal numbers of samples (at least 40), and the bin of each sample."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, 1 + min(10, max(1, len(x) // 40)))))
    if len(edges) == 1:
        edges = edges[0] + np.array([-0.5, 0.5])
    return edges, np.searchsorted(edges[1:-1], x, side="right")


def around_lines(x: np.ndarray, y: np.ndarray, bins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit a straight line to the samples of each bin. If a bin has too few samples or a constant x, use the mean.

    Args:
        x: ``[samples]``.
        y: ``[samples]``.
        bins: The bin of each sample, ``[samples]``.

    Returns:
        Three arrays: the residual of each sample, ``[samples]``; the unbiased std of the residuals in each bin,
        ``[bins]``; and the degrees of freedom of each bin, ``[bins]``. These are the number of samples minus 2 for a
        line, or minus 1 for a mean. A std without degrees of freedom is NaN.
    """
    off, std, free = y.astype(float), [], []
    for i in range(bins.max() + 1):
        here = bins == i
        across, up, count = x[here].astype(float), off[here], int(here.sum())
        if count:
            across, up = across - across.mean(), up - up.mean()
        line = count > 2 and np.ptp(across) > 0
        off[here] = up - across * (across @ up / (across @ across)) if line else up
        free.append(max(0, count - 1 - line))
        std.append(math.sqrt(float(np.square(off[here]).sum()) / free[-1]) if free[-1] else math.nan)
    return off, np.array(std), np.array(free)


def _by_bin(of: Any, values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Apply a function to the values in each bin. The result for an empty bin is NaN."""
    return np.array([of(values[bins == i]) if (bins == i).any() else np.nan for i in range(bins.max() + 1)])
