"""Explorer *signal*: what each layer of an MLP does to the signal that goes up and to the gradient that comes down."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_network
from rsl_edu.diagnosis.layers import EDGES, Layers, in_order, measure
from rsl_edu.modules import MLP, EmpiricalNormalization
from rsl_edu.modules.mlp import ACTIVATIONS
from rsl_edu.number_format import power, short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw, cached
from .bench.theme import BLUE, FAINT, GREY, ORANGE, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES, DEEPEST, OUTPUTS = 1024, 10, 8
"""The most samples shown, the most hidden layers, and the outputs of the network that the explorer builds: an Ant's."""
LOWEST, HIGHEST = (1e-3, 1e-6, 1e-12, 1e-24, 1e-48), (1e1, 1e3, 1e6, 1e12, 1e38)
"""Limits of the logarithmic axes: the tightest that hold the data."""


@dataclasses.dataclass(frozen=True)
class SignalState:
    """State of :class:`Signal`; of the learner's own network only the input can be changed."""

    normalize: bool = control(True, "normalise input", "Take off each observation's mean and divide by its std.")
    scale: float = control(
        1.0, "input scale", "The input is multiplied by this.", steps=(0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
    )
    activation: str = control(
        "elu", "activation", "What follows each hidden linear layer.", choices={name: name for name in ACTIVATIONS}
    )
    depth: int = control(6, "hidden layers", "How many hidden layers there are.", range=(1, DEEPEST, 1), play=True)
    width: int = control(64, "width", "Units of each hidden layer.", unit="units", steps=(8, 16, 32, 64, 128, 256))
    init: str = control(
        "torch",
        "initial weights",
        "How the weights are drawn at gain 1.",
        choices={"torch default": "torch", "orthogonal": "orthogonal", "Xavier": "Xavier", "Kaiming": "Kaiming"},
    )
    gain: float = control(
        1.0,
        "gain",
        "Factor of all hidden weights; orthogonal ones keep a signal at about 1 (selu), 1.2 (elu, tanh), 1.41 (relu).",
        steps=(0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.2, 1.41, 1.67, 2.0, 2.5, 3.0, 4.0),
    )
    seed: int = control(0, "seed", "Which random weights are drawn.", range=(0, 9, 1))
    shared: bool = control(
        False, "shared activation", "Break it: one activation object for all layers, and a viewer that hooks into it."
    )


@dataclasses.dataclass(frozen=True)
class SignalResult:
    """What the picture shows."""

    state: SignalState
    layers: Layers
    ideal_std: np.ndarray  # [rows], of a network that preserves norms
    ideal_gradient: np.ndarray  # [rows]


class Signal(Explorer[SignalState, SignalResult]):
    """The values of all layers of an MLP, how far the samples stay apart in each, and the gradient that comes back.

    The spread of a layer is the std over the samples, root mean square over the units: at 0 the layer says the same
    whatever the robot sees. The gradient is that of a random error at the output, relative to its size.

    Args:
        observations: ``[samples, features]`` or ``[time, envs, features]``, of which up to 1,024 evenly spaced samples
            are shown; None takes 1,024 of a robot: ``Ant-v5``.
        network: The learner's own network for these observations: an :class:`.MLP` or another ``nn.Sequential`` with
            linear layers. A copy of it is shown as it is, in evaluation mode. None builds one from the controls.
        state: Values of the controls other than the defaults; with a network of one's own only those of the input.

    Raises:
        ValueError: Observations of another shape or with values that are not finite; a network that cannot map them.
    """

    State = SignalState
    lesson = 1
    shows = "what each layer of an MLP does to the signal and to its gradient"
    breaks = "one gain for all activations, raw input, a shared activation under a hook"
    size = (9.0, 5.6)
    swept = (
        {
            "activation": ("elu", "relu", "tanh", "sigmoid"),
            "init": ("torch", "orthogonal"),
            "gain": (0.1, 1.0, 1.2, 1.41, 3.0, 4.0),
        },
        {
            "activation": ("elu", "relu", "tanh"),
            "init": ("torch", "orthogonal"),
            "depth": (6, 10),
            "gain": (1.0, 1.2, 1.41, 3.0),
        },
        {"activation": ("elu", "relu", "tanh", "sigmoid"), "shared": ...},
        {"activation": ("elu", "tanh"), "init": ("torch", "orthogonal"), "normalize": ..., "scale": (0.1, 1.0, 10.0)},
        {"init": ..., "gain": (1.0, 1.2)},
    )
    question = Control("std", "The std over the samples in the last hidden layer.", range=(1e-12, 1e12, 1e-12))

    def __init__(
        self, observations: torch.Tensor | None = None, network: nn.Sequential | None = None, **state: Any
    ) -> None:
        if observations is None:
            observations = rollout("Ant-v5", steps=64, envs=16).observations
        observations = finite_tensor("observations", observations, "[samples, features]", "[time, envs, features]")
        x = observations.flatten(0, -2).float()
        kept = min(SAMPLES, len(x))
        self.observations = x[torch.arange(kept) * len(x) // kept]  # [samples, features]
        norm = EmpiricalNormalization(x.shape[1])
        norm.update(self.observations)
        self._normalized = norm(self.observations)
        self._network = None if network is None else _usable_layers(network, self.observations)
        if network is None:
            super().__init__(**state)
        else:  # it stays as it is
            built = {field.name: field.default for field in dataclasses.fields(SignalState)[2:]}
            super().__init__(fixed=built, defaults={"normalize": False}, **state)

    def compute(self, state: SignalState) -> SignalResult:
        """Send the observations up through the network, and a random error back down."""
        layers = self._measure(state)
        # An orthogonal map keeps the norm, of which more units have less each; to fewer dimensions it keeps their share
        kept = [min(1.0, below / above) ** 0.5 for below, above in itertools.pairwise(layers.units)]
        ideal_std = layers.std[0] * np.cumprod([1.0, *kept])
        ideal_gradient = np.cumprod([1.0, *kept[::-1]])[::-1]
        return SignalResult(state, layers, ideal_std, ideal_gradient)

    @cached(64)
    def _measure(self, state: SignalState) -> Layers:
        with torch.inference_mode(False):
            x = state.scale * (self._normalized if state.normalize else self.observations)
            if self._network is not None:
                return _finite(measure(self._network, x))
            with torch.random.fork_rng(devices=[]):
                torch.default_generator.manual_seed(state.seed)  # torch.manual_seed also reseeds the learner's GPU
                network = _build(state, x.shape[1])
            return _finite(measure(network, x, state.seed, by_module=state.shared))

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out one row a layer, the input at the bottom, across a table and four panels."""
        widths = (2.9, 2.0, 1.65, 1.65, 1.2)
        axes = figure.subplots(1, 5, sharey=True, gridspec_kw={"width_ratios": widths, "wspace": 0.07})
        table, ridge, forward, backward, share = axes
        for panel in axes:
            panel.spines["left"].set_visible(False)
            panel.tick_params(left=False, labelleft=False)
        table.spines["bottom"].set_visible(False)
        table.set(xlim=(0, 1), ylim=(0, 1), xticks=())
        ridge.set(xlim=(EDGES[0], EDGES[-1]), title="values of all units", xlabel="value (height: √count)")
        ridge.set_xticks((-3, 0, 3), ("≤ −3", "0", "≥ 3"))
        forward.set(xscale="log", xlim=(5e-4, 20), title="signal ↑", xlabel="std over samples")
        backward.set(xscale="log", xlim=(5e-4, 20), title="gradient ↓", xlabel="norm (output = 1)")
        for panel in (forward, backward):
            panel.locator_params(axis="x", numticks=3)
        share.set(xlim=(-6, 106), xticks=(0, 50, 100), title="flat slope", xlabel="share (%)")
        rows = DEEPEST + 2
        columns = ((0.0, "left"), (0.45, "right"), (0.73, "right"), (1.0, "right"))
        artists: dict[str, Any] = {"forward axes": forward, "backward axes": backward}
        for (x, side), head in zip(columns, ("layer", "weights", "params", "std"), strict=True):
            figure.text(x, 1.01, head, ha=side, va="bottom", transform=table.transData)
            # Words on the figure are part of the background; of the table only the std changes with each state
            place: Any = table if head == "std" else figure
            cells = [place.text(x, 0, "", ha=side, va="center", size=9, transform=table.transData) for _ in range(rows)]
            artists[head] = cells
        artists["guides"] = [
            panel.hlines([], 0, 1, color=FAINT, linewidth=0.8, transform=panel.get_yaxis_transform(), zorder=1)
            for panel in (forward, backward, share)
        ]
        colors = [GREY] + [BLUE] * (rows - 1)
        nothing = np.full(len(EDGES) - 1, np.nan)
        artists["ridge"] = [ridge.stairs(nothing, EDGES, baseline=0, fill=True, color=c, alpha=0.75) for c in colors]
        line = {"marker": "o", "markersize": 5}
        (artists["flat"],) = share.plot([], [], color=GREY, label="values on a flat slope", **line | {"markersize": 7})
        (artists["asleep"],) = share.plot([], [], color=RED, label="dead or saturated units", **line)
        for name, panel in (("signal", forward), ("gradient", backward)):
            (artists[f"ideal {name}"],) = panel.plot([], [], "--", color=GREY, label="a network that preserves norms")
            (artists[name],) = panel.plot([], [], color=BLUE, **line)
            (artists[f"no {name}"],) = panel.plot([], [], "<", color=BLUE, markersize=9)
        cross: dict[str, Any] = {"markersize": 9.5, "markeredgewidth": 0, "zorder": 3}
        (artists["guess"],) = forward.plot([], [], "X", color=ORANGE, label="your guess", **cross)
        keys = [artists[name] for name in ("ideal signal", "guess", "asleep", "flat")]
        figure.legend(handles=keys, loc="outside lower right", ncols=4, columnspacing=1.5)
        return artists

    def draw(self, artists: dict[str, Any], result: SignalResult) -> None:
        """Move the rows to their heights, and in them bars, dots and words."""
        layers = result.layers
        rows = len(layers.units)
        height, y = self._rows(rows)
        for i, ridge in enumerate(artists["ridge"]):
            for head, word in _words(layers, i).items():
                artists[head][i].set(text=word, y=(i + 0.35) * height)
            bars = np.sqrt(layers.bars[i] / layers.bars[i].max()) if i < rows else np.full(len(EDGES) - 1, np.nan)
            ridge.set_data((i + 0.85 * bars) * height, EDGES, baseline=i * height)
        for lines in artists["guides"]:
            lines.set_segments([[(0, level), (1, level)] for level in y])
        guess = [] if self.guess is None else [self.guess]
        there = layers if self.pinned is None else self._measure(self.pinned)  # the axes must hold its ghosts too
        signal = ("signal", artists["forward axes"], layers.std, result.ideal_std, [*there.std, *guess])
        gradient = ("gradient", artists["backward axes"], layers.gradient, result.ideal_gradient, there.gradient)
        for name, axes, values, ideal, others in (signal, gradient):
            low, high = _limits([*values, *ideal, *others])
            margin = (high / low) ** 0.06
            axes.set_xlim(low / margin, high * margin)
            artists[name].set_data(np.maximum(values, low), y)
            artists[f"no {name}"].set_data(np.full(rows, low)[values == 0], y[values == 0])  # 0 lies beyond the axis
            artists[f"ideal {name}"].set_data(np.maximum(ideal, low), y)
        artists["flat"].set_data(100 * layers.flat, y)
        artists["asleep"].set_data(100 * layers.asleep, y)

    def _rows(self, rows: int) -> tuple[float, np.ndarray]:
        """Return the height of a row, and where in it the dots are: ``[rows]``."""
        height = 1 / max(rows, 8 if self._network is None else 4)  # up to 8 rows stay where they are
        return height, (np.arange(rows) + 0.35) * height

    def _shared(self, state: SignalState) -> bool:
        return self._network is None and state.shared and state.depth > 1

    def mark(self, result: SignalResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess in the row of the last hidden layer."""
        rows = len(result.layers.units)
        return [guess], [self._rows(rows)[1][max(1, rows - 2)]]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations."""
        return (draw(24, 4, 6),)

    def numbers(self, result: SignalResult) -> dict[str, str]:
        """Return what arrives at both ends of the hidden layers."""
        layers, wrong = result.layers, "✗ " if self._shared(result.state) else ""
        hidden = len(layers.units) > 2
        flat, asleep = (_overall(layers, shares) for shares in (layers.flat, layers.asleep))
        return {
            "std, first hidden": wrong + _size(layers.std[1]) if hidden else "–",
            "std, last hidden": _size(layers.std[-2]) if hidden else "–",
            "std, output": _size(layers.std[-1]),
            "gradient, first": wrong + _size(layers.gradient[1]) if hidden else "–",
            "gradient, last": _size(layers.gradient[-2]) if hidden else "–",
            "values flat": "–" if flat is None else f"{wrong}{100 * flat:.0f} %",
            "dead or saturated": "–" if asleep is None else f"{wrong}{100 * asleep:.0f} %",
            "parameters": f"{sum(layers.parameters):,}",
        }

    def describe(self, result: SignalResult) -> str:
        """Say how much of the signal and of the gradient arrives."""
        state, layers = result.state, result.layers
        last = len(layers.units) - 2
        if self._network is None:
            scheme = f"{state.init} weights" if state.init != "torch" else "torch's default weights"
            network = f"An MLP of {last} × {state.width} {state.activation} units, {scheme} × {state.gain:g}"
        else:
            network = f"Your network, {last} hidden layers"
        if self._shared(state):
            return (
                f"{network}: one activation object serves all layers, and who hooks into it keeps its last call: all "
                f"hidden layers seem to have std {_size(layers.std[-2])}, that of layer {last}, and the same histogram."
            )
        if not last:
            return f"Your network is one linear map: std {_size(layers.std[0])} goes in, {_size(layers.std[1])} out."
        left = f"{_size(layers.std[-2])} is" if layers.std[-2] else "nothing but rounding is"
        asleep = _overall(layers, layers.asleep)
        share = "" if asleep is None else f" {100 * asleep:.0f} % of the units are dead or saturated."
        return (
            f"{network}: std {_size(layers.std[0])} goes in, {left} left in layer {last}; preserved norms would leave "
            f"{_size(result.ideal_std[-2])}. The gradient reaches layer 1 with {_size(layers.gradient[1])} of its norm."
            f"{share}"
        )


def _build(state: SignalState, features: int) -> MLP:
    """Build the network that the controls ask for."""
    network = MLP(features, OUTPUTS, [state.width] * state.depth, state.activation)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    if state.init == "orthogonal":
        network.init_weights([1.0] * len(linear))
    elif state.init != "torch":
        for layer in linear:
            draw = nn.init.xavier_uniform_ if state.init == "Xavier" else nn.init.kaiming_normal_
            draw(layer.weight)
            nn.init.zeros_(layer.bias)
    network.requires_grad_(False)
    for layer in linear[:-1]:
        layer.weight.mul_(state.gain)
    if state.shared:  # as rsl_rl builds it
        for i in range(3, 2 * state.depth, 2):
            network[i] = network[1]
    return network


@torch.inference_mode(False)
def _usable_layers(network: nn.Sequential, x: torch.Tensor) -> nn.Sequential:
    """Check the learner's network and return a copy of its modules, in a row."""
    if not isinstance(network, nn.Sequential):
        raise ValueError(f"network: expected an nn.Sequential such as MLP, got {type(network).__name__}")
    leaves: list[Any] = list(in_order(learner_network("network", network).eval()))
    linear = [leaf for leaf in leaves if isinstance(leaf, nn.Linear)]
    if not 1 <= len(linear) <= DEEPEST + 1:
        raise ValueError(f"network: expected 1 to {DEEPEST + 1} linear layers, got {len(linear)}")
    if linear[0].in_features != x.shape[1]:
        raise ValueError(
            f"network: expected {x.shape[1]} inputs, as observations has features, got {linear[0].in_features}"
        )
    for leaf in leaves:
        leaf.requires_grad_(False)
        if hasattr(leaf, "inplace"):
            leaf.inplace = False  # would overwrite what the viewer looks at
    copied = nn.Sequential(*leaves)
    try:
        copied(x).flatten(1)
    except (RuntimeError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"network: cannot map observations {list(x.shape)}: {error}") from error
    _finite(measure(copied, x))
    return copied


def _finite(layers: Layers) -> Layers:
    if not np.isfinite(layers.std).all():
        raise ValueError("network: expected finite values in all layers, got NaN or infinity")
    return layers


def _limits(values: Iterable[float]) -> tuple[float, float]:
    sizes = [value for value in values if value > 0]
    low = next((low for low in LOWEST if low <= min(sizes, default=1)), LOWEST[-1])
    return low, next((high for high in HIGHEST if high >= max(sizes, default=1)), HIGHEST[-1])


def _overall(layers: Layers, shares: np.ndarray) -> float | None:
    """Return a share over all hidden layers that have one, weighted by their units; None if none has."""
    units, known = np.array(layers.units), ~np.isnan(shares)
    return float(shares[known] @ units[known] / units[known].sum()) if known.any() else None


def _words(layers: Layers, row: int) -> dict[str, str]:
    """Return the words of a row of the table; none above the output."""
    units, parameters = layers.units[row - 1 : row + 1], layers.parameters[row : row + 1]
    if not parameters:
        return dict.fromkeys(("layer", "weights", "params", "std"), "")
    return {
        "layer": "input" if row == 0 else "output" if row == len(layers.units) - 1 else str(row),
        "weights": f"{units[0]} → {units[1]}" if row else str(layers.units[0]),
        "params": f"{parameters[0]:,}" if parameters[0] else "–",
        "std": _size(layers.std[row]),
    }


def _size(value: float) -> str:
    """Return two significant digits, with a power of ten where there would be many zeros."""
    return short(value) if value == 0 or 1e-3 <= value < 1e5 else power(value)
