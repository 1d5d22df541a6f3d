"""Explorer *heteroscedastic fit*: a std that depends on the state, learned from a robot whose noise does."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_names
from rsl_edu.modules import MLP, GaussianDistribution, HeteroscedasticGaussianDistribution
from rsl_edu.number_format import short

from . import gaussian_fit
from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREY, ORANGE, PINK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = 300
"""Gradient steps of a whole training."""
BATCH = 384
"""Samples to learn from; the measures are of all samples."""
SHOWN = 2048
"""Most samples that are kept."""
WITHIN = 68.27
"""Percent of a Gaussian that lie within one std of its mean."""


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitState:
    """State of :class:`HeteroscedasticFit`."""

    steps: int = control(STEPS, "steps", "How far the training has come.", range=(0, STEPS, 5), play=True)
    parameter: str = control(
        "log",
        "std",
        "Whether the std depends on the state, and what the network gives.",
        choices={
            "by state: network gives its log": "log",
            "by state: network gives it": "scalar",
            "one for all states": "one",
        },
    )
    rate: float = control(0.02, "learning rate", "Of Adam.", steps=(0.001, 0.003, 0.01, 0.02, 0.05, 0.1))
    init: float = control(1.0, "init std", "In stds of the target.", steps=(0.1, 0.3, 1.0, 3.0))
    hidden: int = control(16, "hidden units", "In the one hidden layer.", steps=(1, 2, 4, 8, 16, 32, 64))
    mistake: str = control(
        "none",
        "mistake",
        "All but the first are mistakes that people make; one std for all is spared the last three.",
        choices={
            "none: right": "none",
            "variance taken for std": "variance",
            "mean and std swapped": "swapped",
            "network not initialised": "no init",
            "clamp alone (rsl_rl)": "clamp",
        },
    )
    seed: int = control(0, "seed", "Of the network and of the samples it learns from.", range=(0, 9, 1))


@dataclasses.dataclass(frozen=True)
class Fit:
    """A whole training; row ``t`` is after ``t`` steps."""

    network: MLP
    distribution: GaussianDistribution
    weights: np.ndarray  # [steps + 1, weights], of network and distribution
    loss: np.ndarray  # [steps + 1], nats


@dataclasses.dataclass(frozen=True)
class HeteroscedasticFitResult:
    """What the picture shows, in the units of the samples; ``loss`` up to ``state.steps``."""

    state: HeteroscedasticFitState
    mean: np.ndarray  # [grid]
    std: np.ndarray  # [grid]
    loss: np.ndarray  # [steps + 1], nats
    calm: bool  # the loss of the whole training stays within what the finer axis shows
    nll: float  # of all samples, nats, as the network's output is read
    entropy: float  # mean over the samples, nats
    inside: np.ndarray  # [bins], percent of the samples within one std
    inside_all: float


class ClampAlone(HeteroscedasticGaussianDistribution):
    """The mistake: where the network asks for a std below the limit, the gradient is zero."""

    def _std_of(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        low, high = self.std_range if self.std_type == "scalar" else self.log_std_range
        inside = raw.clamp(low, high)
        return (inside, None) if self.std_type == "scalar" else (inside.exp(), inside)


class HeteroscedasticFit(Explorer[HeteroscedasticFitState, HeteroscedasticFitResult]):
    r"""A network learns mean and std of a target from one feature, by :math:`-\log p`, on samples of uneven noise.

    Both are normalised for the network; NLL and entropy are of the normalised target. By default the feature is the
    angle of an Ant's hip under random torques, the target its velocity a step later: between its stops the hip is free
    and fast, at them it is held.

    Args:
        x: What the state is ``[samples]``; None takes a robot's: ``Ant-v5``.
        y: What is to be predicted ``[samples]``. Of more than 2,048 samples, as many are taken at even distances.
        names: What ``x`` and ``y`` are, with their units.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError: Names that are no words.
        ValueError: Tensors of other shapes, with values that are not finite or too large; more or fewer names.
    """

    State = HeteroscedasticFitState
    lesson = 5
    shows = "mean ± std on a joint whose noise depends on its angle"
    breaks = "one std for all states, halves swapped, no initialisation"
    size = (9.0, 5.6)
    swept = (
        {"parameter": ..., "steps": 7},
        {"mistake": ..., "steps": 7},
    )
    question = Control("ratio", "The largest fitted std over the least one, at the end.", range=(1.0, 20.0, 0.1))

    def __init__(
        self,
        x: torch.Tensor | None = None,
        y: torch.Tensor | None = None,
        names: tuple[str, str] = ("x", "y"),
        **state: Any,
    ) -> None:
        if x is None and y is None:
            robot = rollout("Ant-v5", steps=64, envs=16)
            follows = ~robot.dones[:-1]  # after an episode's end comes another episode
            x = robot.observations[:-1, :, robot.names.index("qpos[7]")][follows]
            y = robot.observations[1:, :, robot.names.index("qvel[8]")][follows]
            names = ("hip angle (rad)", "hip velocity, a step later (rad/s)")
        x = finite_tensor("x", x, "[samples], two or more")
        y = finite_tensor("y", y, f"[{len(x)}], as x")
        if len(x) < 2:
            raise ValueError(f"x: expected two samples or more, got {len(x)}")
        kept = torch.linspace(0, len(x) - 1, min(len(x), SHOWN)).round().long()
        self.x, self.y = (tensor[kept].float().unsqueeze(1) for tensor in (x, y))  # [samples, 1]
        self.names = learner_names("names", names, 2, "of x and y")
        target = self.names[1]
        self._unit = target[target.rfind("(") :] if "(" in target else "of " + target
        self._x_moments, self._y_moments = (_moments(tensor) for tensor in (self.x, self.y))
        self._top = 3.3 * self._y_moments[1]  # of the std's axis: the greatest init std is 3
        self._inputs = (self.x - self._x_moments[0]) / self._x_moments[1]
        self._targets = (self.y - self._y_moments[0]) / self._y_moments[1]
        low, high = self.x.min().item(), self.x.max().item()
        margin = max(0.5, 1e-3 * abs(low))  # float32 must tell both ends apart
        self._grid = (
            torch.linspace(low, high, 81).unsqueeze(1)
            if high > low
            else self.x[:1] + margin * torch.tensor([[-1.0], [1.0]])
        )
        self.edges, self.bins = _bins(self.x.squeeze(1).numpy())
        values = self.y.squeeze(1).numpy()
        self.bin_mean, self.bin_std = (_by_bin(of, values, self.bins) for of in (np.mean, np.std))  # [bins]
        off = torch.from_numpy(values - self.bin_mean[self.bins]).unsqueeze(1) / self._y_moments[1]
        one = GaussianDistribution(1, init_std=max(1e-6, off.square().mean().sqrt().item()))
        one.update(torch.zeros_like(off))
        self.nll_one = -one.log_prob(off).mean().item()  # of the best single std, around the means of the bins
        super().__init__(**state)

    def compute(self, state: HeteroscedasticFitState) -> HeteroscedasticFitResult:
        """Train once for each setting, and read the network as it was after ``state.steps``."""
        mistake = state.mistake if state.mistake in ("no init", "clamp") else "none"  # the others are made in reading
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
            extremes = (*fit.loss, nll, self.nll_one)
            return HeteroscedasticFitResult(
                state=state,
                mean=(curve[0] + shift).numpy(),
                std=curve[1].numpy(),
                loss=fit.loss[: state.steps + 1],
                calm=bool(min(extremes) > 0.9 and max(extremes) < 2.3),
                nll=nll,
                entropy=read.entropy.mean().item(),
                inside=_by_bin(np.mean, inside, self.bins),
                inside_all=float(inside.mean()),
            )

    @staticmethod
    def _read(output: torch.Tensor, distribution: GaussianDistribution, mistake: str) -> GaussianDistribution:
        """Return the distribution of a network's output ``[..., 1]`` or ``[..., 2, 1]``, as it is or by mistake."""
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
            torch.default_generator.manual_seed(seed)  # torch.manual_seed also reseeds the learner's GPU
            samples = torch.randperm(len(self.x))[:BATCH]
            distribution = kind(1, init_std=init, std_type="log" if parameter == "log" else "scalar")
            network = MLP(1, distribution.input_dim, [hidden], activation="tanh")
            if mistake != "no init":
                distribution.init_mlp_weights(network)
        trained = itertools.chain(network.parameters(), distribution.parameters())
        flat = torch.cat([each.detach().float().flatten() for each in trained])
        low, high = distribution.log_std_range if parameter == "log" else distribution.std_range
        reading = gaussian_fit.Reading(parameter == "log", low, high, leads_back=kind is not ClampAlone)
        x, y = (values[samples].squeeze(1).numpy() for values in (self._inputs, self._targets))
        weights, losses = gaussian_fit.train(flat.numpy(), hidden, reading, x, y, rate, STEPS)
        return Fit(network, distribution, weights, losses)

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out four panels: the fit and its std over the feature, the NLL over the steps, and the calibration."""
        (fit, std), (nll, inside) = figure.subplots(
            2, 2, gridspec_kw={"width_ratios": (1.15, 1), "height_ratios": (1.2, 1)}
        )
        x, y = self.x.squeeze(1).numpy(), self.y.squeeze(1).numpy()
        (low, high), margin = (float(self._grid[0]), float(self._grid[-1])), max(1e-6, 0.15 * float(np.ptp(y)))
        for axes in (fit, std, inside):
            axes.set(xlim=(low, high), xlabel=self.names[0])
        artists: dict[str, Any] = {"nll axes": nll, "fit axes": fit}
        fit.set(ylim=(y.min() - margin, y.max() + margin), ylabel=_wrapped(self.names[1]))
        some = slice(None, None, -(-len(x) // 600))  # more dots take longer to draw than all else
        fit.plot(x[some], y[some], ".", color=FAINT, markersize=3, label="observed")
        (artists["mean"],) = fit.plot([], [], color=BLUE, linewidth=2, label="fitted mean ± std")
        (artists["band"],) = fit.fill([low, low], [0, 0], color=BLUE, alpha=0.25, linewidth=0)
        above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.02, 0.98), "borderaxespad": 0}
        above |= {"columnspacing": 1.0, "handlelength": 1.8}
        fit.legend(ncols=2, **above)
        std.set(ylim=(0, self._top), ylabel=f"std {self._unit}")
        std.stairs(self.bin_std, self.edges, baseline=None, color=GREY, linewidth=1.5, label="observed")
        (artists["std"],) = std.plot([], [], color=BLUE, linewidth=2, label="fitted")
        (artists["guess"],) = std.plot([], [], "X", color=ORANGE, markersize=10, label="your guess × least")
        std.legend(ncols=3, **above).set_in_layout(False)
        nll.set_yscale("symlog", linthresh=2, linscale=4)
        nll.minorticks_off()
        nll.set(xlim=(-0.02 * STEPS, STEPS * 1.02), xlabel="steps", ylabel="NLL (nats a sample)")
        nll.axhline(self.nll_one, color=GREY, linestyle="--", label="best single std")
        (artists["loss"],) = nll.plot([], [], color=BLUE, linewidth=2, label="training")
        (artists["nll"],) = nll.plot([], [], "o", color=PINK, markersize=7, label="all samples")
        nll.legend(ncols=3, **above).set_in_layout(False)
        inside.set(ylim=(0, 105), ylabel="% of the samples")
        share = WITHIN / 100
        doubt = 200 * np.sqrt(share * (1 - share) / max(1, len(x) / len(self.bin_std)))  # two standard errors
        inside.axhspan(WITHIN - doubt, WITHIN + doubt, color=FAINT, alpha=0.5, linewidth=0)
        inside.axhline(WITHIN, color=GREY, linestyle="--")
        artists["inside"] = inside.stairs(
            np.zeros(len(self.bin_std)), self.edges, color=BLUE, linewidth=2, baseline=None
        )
        inside.set_title("inside ± 1 std (dashed: 68 %)")
        return artists

    def draw(self, artists: dict[str, Any], result: HeteroscedasticFitResult) -> None:
        """Move curves, band and steps."""
        x, mean, std = self._grid.squeeze(1).numpy(), result.mean, result.std
        artists["mean"].set_data(x, mean)
        artists["band"].set_xy(np.column_stack([[*x, *x[::-1]], [*(mean + std), *(mean - std)[::-1]]]))
        artists["std"].set_data(x, std)
        fine, coarse = ([1, 1.5, 2], ["1", "1.5", "2"]), ([-10, 0, 1e4, 1e8, 1e12], ["−10", "0", "10⁴", "10⁸", "10¹²"])
        artists["nll axes"].set_yticks(*(fine if result.calm else coarse))
        artists["nll axes"].set_ylim((0.9, 2.3) if result.calm else (-15, 1e13))
        artists["loss"].set_data(np.arange(len(result.loss)), result.loss)
        artists["nll"].set_data([result.state.steps], [result.nll])
        artists["inside"].set_data(result.inside)

    def mark(self, result: HeteroscedasticFitResult, guess: float) -> tuple[Any, Any]:
        """Mark the largest std that the guess stands for; beyond the axis it stays in sight."""
        x = self._grid.squeeze(1).numpy()
        return [x[len(x) // 2]], [min(0.97 * self._top, guess * float(result.std.min()))]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return a feature and a target."""
        return draw(300), draw(300)

    def numbers(self, result: HeteroscedasticFitResult) -> dict[str, str]:
        """Return NLL, std, calibration and entropy."""
        wrong = "✗ " if result.nll > self.nll_one + 0.05 else ""
        worst = result.inside[np.nanargmax(np.abs(result.inside - WITHIN))]
        return {
            "NLL": f"{wrong}{_large(result.nll)} nats",
            "NLL, best single std": f"{short(self.nll_one)} nats",
            "fitted std": f"{short(result.std.min())} to {short(result.std.max())}",
            "observed std": f"{short(np.nanmin(self.bin_std))} to {short(np.nanmax(self.bin_std))}",
            "inside ±1 std": f"{result.inside_all:.0f} %",
            "worst bin": f"{worst:.0f} %",
            "entropy": f"{short(result.entropy)} nats",
        }

    def describe(self, result: HeteroscedasticFitResult) -> str:
        """Compare the fitted std with that of the samples, and say where a mistake shows."""
        state, inside = result.state, result.inside
        low, high = short(result.std.min()), short(result.std.max())
        std = f"the fitted std is {low} everywhere" if low == high else f"the fitted std goes from {low} to {high}"
        truth = f"observed: {short(np.nanmin(self.bin_std))} to {short(np.nanmax(self.bin_std))}"
        share = f"{np.nanmin(inside):.0f} to {np.nanmax(inside):.0f} % of a bin lie within one std"
        gain = self.nll_one - result.nll
        nll = f"The NLL is {_large(abs(gain))} nats {'below' if gain > 0 else 'above'} that of the best single std"
        spared = state.parameter == "one" and state.mistake in ("swapped", "no init", "clamp")
        symptom = "One std for all is spared this mistake. " if spared else SYMPTOMS[state.mistake]
        return f"{symptom}After {state.steps} steps {std} ({truth}); {share}. {nll}."


SYMPTOMS = {
    "none": "",
    "variance": "Variance taken for std: too wide where it is wide, too narrow elsewhere. ",
    "swapped": "Halves swapped: the std is drawn as the mean. ",
    "no init": "No init: the std begins anywhere, below zero too. ",
    "clamp": "Clamp alone: a std below zero has no gradient. ",
}


def _large(value: float) -> str:
    return short(value) if abs(value) < 1e5 else f"10^{np.log10(value):.0f}"


def _wrapped(name: str) -> str:
    """Break a long name at its comma."""
    return name.replace(", ", ",\n", 1)


def _set(network: MLP, distribution: GaussianDistribution, flat: torch.Tensor) -> None:
    """Let network and distribution have these weights, without a copy."""
    start = 0
    for each in itertools.chain(network.parameters(), distribution.parameters()):
        each.data = flat[start : start + each.numel()].view_as(each)
        start += each.numel()


def _moments(values: torch.Tensor) -> tuple[float, float]:
    """Return mean and std; 1 for a std of 0."""
    std, mean = torch.std_mean(values, correction=0)
    return mean.item(), std.item() or 1.0


def _bins(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return edges of at most 10 bins with as many samples each, 40 or more, and the bin of each sample."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, 1 + min(10, max(1, len(x) // 40)))))
    if len(edges) == 1:
        edges = edges[0] + np.array([-0.5, 0.5])
    return edges, np.searchsorted(edges[1:-1], x, side="right")


def _by_bin(of: Any, values: np.ndarray, bins: np.ndarray) -> np.ndarray:
    """Return a measure of the values in each bin, NaN where there is none."""
    return np.array([of(values[bins == i]) if (bins == i).any() else np.nan for i in range(bins.max() + 1)])
