"""Explorer *signal*: how each layer of an MLP changes the forward signal and the backpropagated gradient."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from rsl_edu.data import rollout
from rsl_edu.data.learner_input import finite_tensor, learner_network
from rsl_edu.diagnosis.layers import BOUNDED, Layers, in_order, measure
from rsl_edu.modules import MLP, EmpiricalNormalization
from rsl_edu.modules.mlp import ACTIVATIONS
from rsl_edu.number_format import counted

from ..bench.controls import Control, control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw, cached
from ..bench.question import Question
from ..bench.touch import Grip, Spot
from . import picture
from .arithmetic import arithmetic, exact
from .picture import size_word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES, DEEPEST, OUTPUTS = 1024, 10, 8
"""Maximum number of samples, maximum number of hidden layers, and number of outputs of the built-in network. An Ant has
8 actions."""
INPUT = ("normalize", "scale")
"""The controls of the input. They are the only controls if a learner passes a network."""
_AS_BUILT = {"width": 64, "normalize": True, "scale": 1.0, "shared": False, "seed": 0}
"""Defaults of all other controls. The answers of the questions are correct only for these defaults."""
FADED, DEAD = 0.4, 0.03
"""Thresholds for the title. They apply to signals and gradients, relative to a norm-preserving network. Below FADED, a
signal fades, and below DEAD, it dies; above 1 / FADED, it grows, and above 1 / DEAD, it explodes."""


@dataclasses.dataclass(frozen=True)
class SignalState:
    """State of :class:`Signal`. With a learner's own network, only the controls of the input can be changed."""

    depth: int = control(6, "hidden layers", "Number of hidden layers.", range=(1, DEEPEST, 1), play=True)
    gain: float = control(
        1.0,
        "gain",
        "Scales all hidden weights. With orthogonal weights, a gain of about 1 (selu), 1.2 (elu, tanh) or 1.41 "
        "(relu) preserves the size of a signal.",
        steps=(0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.2, 1.41, 1.67, 2.0, 2.5, 3.0, 4.0),
    )
    activation: str = control(
        "elu",
        "activation",
        "The function after each hidden linear layer.",
        choices={name: name for name in ACTIVATIONS},
        group="network",
    )
    init: str = control(
        "torch",
        "initial weights",
        "How the weights are drawn, before the gain is applied.",
        choices={"torch default": "torch", "orthogonal": "orthogonal", "Xavier": "Xavier", "Kaiming": "Kaiming"},
        group="network",
    )
    width: int = control(
        64, "width", "Number of units per hidden layer.", unit="units", steps=(8, 16, 32, 64, 128, 256), group="network"
    )
    normalize: bool = control(
        True, "normalize input", "Subtract each feature's mean and divide by its std.", group="input"
    )
    scale: float = control(
        1.0,
        "input scale",
        "Factor by which the input is multiplied.",
        steps=(0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0),
        group="input",
    )
    shared: bool = control(
        False,
        "shared activation",
        "A mistake: all layers share one activation object, and a hook on this object records the values.",
        group="mistake, seed",
    )
    seed: int = control(0, "seed", "Seed of the random weights.", range=(0, 9, 1), group="mistake, seed")


@dataclasses.dataclass(frozen=True)
class SignalResult:
    """What the picture shows."""

    state: SignalState
    layers: Layers
    ideal_std: np.ndarray  # [rows], for a network that preserves norms
    ideal_gradient: np.ndarray  # [rows]


class Signal(Explorer[SignalState, SignalResult]):
    """The values in all layers of an MLP, the spread of the samples in each layer, and the backpropagated gradient.

    The spread of a layer is the std over the samples, averaged over the units as a root mean square. If the spread is
    0, the layer has the same values for all observations. The gradient is backpropagated from a random error at the
    output, and shown as a share of the norm of this error.

    Args:
        observations: ``[samples, features]`` or ``[time, envs, features]``; at most 1,024 evenly spaced samples are
            used. By default, 1,024 samples of ``Ant-v5``.
        network: The learner's own network for these observations, an :class:`.MLP` or a different ``nn.Sequential``
            with linear layers. The explorer shows a copy of this network in evaluation mode. By default, a network is
            built from the controls.
        state: Initial values of controls, by name; with a network, only of the controls of the input.

    Raises:
        ValueError: The observations have the wrong shape or are not finite, or do not fit the network.
    """

    State = SignalState
    lesson = 1
    shows = "what each layer of an MLP does to the signal and the gradient"
    breaks = "one gain for all activations, input that is not normalized, a hook on an activation shared by all layers"
    size = (10.4, 4.0)
    more = ("flat", "sizes")
    swept = (
        {
            "activation": ("elu", "relu", "tanh"),
            "init": ("torch", "orthogonal"),
            "gain": (1.0, 1.2, 3.0),
        },
        {"init": ("torch", "orthogonal"), "gain": (0.1, 1.41)},
        {"activation": ("sigmoid",), "init": ("torch", "orthogonal"), "gain": (1.0, 4.0)},
        {"activation": ("relu",), "init": ("torch", "orthogonal"), "depth": (6, 10), "gain": (1.0, 1.41)},
        {"activation": ("elu", "tanh"), "init": ("torch", "orthogonal"), "depth": (6, 10), "gain": (1.0, 1.2, 3.0)},
        {"activation": ("elu", "relu"), "shared": ...},
        {"normalize": ..., "scale": (1.0, 10.0)},
        {"activation": ("tanh",), "init": ("orthogonal",), "normalize": ..., "scale": (1.0, 10.0)},
        {"init": ..., "gain": (1.0, 1.2)},
    )
    question = Control("std", "Std over the samples in the last hidden layer.", range=(1e-12, 1e12, 1e-12))

    questions: tuple[Question, ...] = (
        Question(
            "Six ELU layers with torch's default weights: the input has a std of 0.68. What is the std in layer 6?",
            answer="0.016",
            show={"depth": 6, "activation": "elu", "init": "torch", "gain": 1.0, **_AS_BUILT},
        ),
        Question(
            "tanh, 10 layers, orthogonal weights: which gain preserves both the signal and the gradient?",
            ("1", "1.2", "3"),
            "1.2",
            {"depth": 10, "activation": "tanh", "init": "orthogonal", "gain": 1.2, **_AS_BUILT},
        ),
        Question(
            "ReLU, 10 layers, torch's default weights: how many units are dead, that is, 0 for every observation?",
            ("none", "one in ten", "one in three"),
            "one in three",
            {"depth": 10, "activation": "relu", "init": "torch", "gain": 1.0, **_AS_BUILT},
        ),
    )

    def __init__(
        self, observations: torch.Tensor | None = None, network: nn.Sequential | None = None, **state: Any
    ) -> None:
        if observations is not None or network is not None:
            self.questions = ()  # the questions are about the Ant and the built-in networks
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
        else:  # only the controls of the input remain
            built = {field.name: field.default for field in dataclasses.fields(SignalState) if field.name not in INPUT}
            super().__init__(fixed=built, defaults={"normalize": False}, **state)

    def compute(self, state: SignalState) -> SignalResult:
        """Run the observations through the network and backpropagate a random error."""
        layers = self._measure(state)
        # An orthogonal map to more units preserves the norm, which is then spread over more units. A map to fewer
        # units preserves only a part of the norm, in proportion to the number of units.
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
                torch.default_generator.manual_seed(state.seed)  # torch.manual_seed would also reseed the learner's GPU
                network = _build(state, x.shape[1])
            return _finite(measure(network, x, state.seed, by_module=state.shared))

    @cached(64)
    def _arithmetic(self, state: SignalState) -> list[tuple[str, ...]]:
        """Write out the calculation of one unit in each row, with the values that a correct hook would record."""
        x = state.scale * (self._normalized if state.normalize else self.observations)
        if self._network is not None:
            return arithmetic(self._network, x)
        with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(state.seed)
            network = _build(state, x.shape[1])
        rows = arithmetic(network, x)
        if self._shared(state):
            shown = exact(self._measure(state).std[-2])
            wrong = f"the hook records only the last call, so it shows {shown}, the std of layer {state.depth}"
            rows[1:-2] = [(*lines, wrong) for lines in rows[1:-2]]
        return rows

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out five panels with one row per layer. The input is the lowest row."""
        return picture.stage(figure, DEEPEST + 2)

    def draw(self, artists: dict[str, Any], result: SignalResult) -> None:
        """Update the bars, dots and labels of all rows."""
        guess = [] if self.guess is None else [self.guess]
        there = (
            result.layers if self.pinned is None else self._measure(self.pinned)
        )  # the axes also fit the pinned ghosts
        ideals = result.ideal_std, result.ideal_gradient
        rows = max(
            len(result.layers.units), len(there.units)
        )  # with at most 8 rows, the height of a row stays the same
        room = max(rows, 8 if self._network is None else 4)
        picture.draw(artists, result.layers, ideals, ([*there.std, *guess], there.gradient), room)

    def spots(self, result: SignalResult) -> list[Spot]:
        """Return one hover target for each layer."""
        return picture.spots(result.layers, self._arithmetic(result.state))

    def grips(self, result: SignalResult) -> list[Grip]:
        """Return the handle that adds and removes layers. For a learner's own network, return no handle."""
        return picture.grips(DEEPEST) if self._network is None else []

    def _shared(self, state: SignalState) -> bool:
        return self._network is None and state.shared and state.depth > 1

    def mark(self, result: SignalResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess in the row of the last hidden layer."""
        return [guess], [max(1, len(result.layers.units) - 2) + picture.DOT]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return observations for tests."""
        return (draw(24, 4, 6),)

    def numbers(self, result: SignalResult) -> dict[str, str]:
        """Return signal and gradient in the first and last hidden layers, and the shares of flat values and units."""
        layers, wrong = result.layers, "✗ " if self._shared(result.state) else ""
        hidden = len(layers.units) > 2
        flat, asleep = (_overall(layers, shares) for shares in (layers.flat, layers.asleep))
        return {
            "std, first hidden": wrong + size_word(layers.std[1]) if hidden else "–",
            "std, last hidden": size_word(layers.std[-2]) if hidden else "–",
            "std, output": size_word(layers.std[-1]),
            "gradient, first": wrong + size_word(layers.gradient[1]) if hidden else "–",
            "gradient, last": size_word(layers.gradient[-2]) if hidden else "–",
            "values flat": "–" if flat is None else f"{wrong}{100 * flat:.0f} %",
            "dead or saturated": "–" if asleep is None else f"{wrong}{100 * asleep:.0f} %",
            "parameters": f"{sum(layers.parameters):,}",
        }

    def title(self, result: SignalResult) -> str:
        """State what happens to the signal and, if the signal arrives at the output, to the gradient."""
        layers, last = result.layers, len(result.layers.units) - 2
        before, after = size_word(layers.std[0]), size_word(layers.std[max(last, 1)])
        if not layers.std[0]:
            return "The input is the same for all observations, so there is no signal."
        if not last:
            return f"A single linear layer: the input has a std of {before}, the output of {after}."
        if self._shared(result.state):
            return f"Wrong measurement: every hidden layer shows the values of layer {last}."
        if not layers.std[last]:
            return f"The signal is lost: in layer {last}, only rounding errors vary."
        if self._saturates(result.state) and layers.flat[1] > 0.3:
            return f"Layer 1 is saturated: {100 * layers.flat[1]:.0f} % of its values have a slope near 0."
        signal = layers.std[last] / result.ideal_std[last]
        gradient = layers.gradient[1] / result.ideal_gradient[1]
        if not FADED <= signal <= 1 / FADED:
            verb = _verb(signal, "dies", "fades", "grows", "explodes")
            return f"The signal {verb}: its std goes from {before} at the input to {after} in layer {last}."
        down = size_word(layers.gradient[1])
        if not FADED <= gradient <= 1 / FADED:
            verb = _verb(gradient, "vanishes", "fades", "grows", "explodes")
            return f"The signal arrives, but the gradient {verb}: from 1 at the output to {down} in layer 1."
        return f"Both arrive: signal with std {after} in layer {last}, gradient with norm {down} in layer 1."

    def _saturates(self, state: SignalState) -> bool:
        if self._network is not None:
            return any(isinstance(leaf, BOUNDED) for leaf in self._network)
        return state.activation in ("tanh", "sigmoid")

    def describe(self, result: SignalResult) -> str:
        """Describe the network, the signal near its output, and the gradient in layer 1."""
        state, layers = result.state, result.layers
        last = len(layers.units) - 2
        if self._network is None:
            scheme = f"{state.init} weights" if state.init != "torch" else "torch's default weights"
            hidden = counted(last, "hidden layer")
            network = f"An MLP with {hidden} of {state.width} {state.activation} units and {scheme} × {state.gain:g}"
        else:
            network = f"Your network, with {counted(last, 'hidden layer')}" if last else "Your network"
        shown = len(self.observations)
        seen = "a single observation" if shown == 1 else f"{shown:,} observations"
        rows = f"{network}, on {seen}. Each row is a layer, the input at the bottom."
        if self._shared(state):
            return (
                f"{rows} All layers share one activation object, and a hook on it records only the last call, so all "
                f"hidden layers seem to have a std of {size_word(layers.std[-2])} and the same histogram."
            )
        if not last:
            return f"{rows} The gradient at the input has {size_word(layers.gradient[0])} times the norm at the output."
        asleep = _overall(layers, layers.asleep)
        share = "" if asleep is None else f" {100 * asleep:.0f} % of the hidden units are dead or saturated."
        return (
            f"{rows} The output has a std of {size_word(layers.std[-1])}; a network that preserves norms would give "
            f"{size_word(result.ideal_std[-1])} (dashed). A random error at the output reaches layer 1 with "
            f"{size_word(layers.gradient[1])} times its norm.{share}"
        )


def _verb(share: float, dies: str, fades: str, grows: str, explodes: str) -> str:
    """Return the verb for a signal or gradient that is below FADED or above its inverse."""
    if share < 1:
        return dies if share < DEAD else fades
    return explodes if share > 1 / DEAD else grows


def _build(state: SignalState, features: int) -> MLP:
    """Build the network for the values of the controls."""
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
    if state.shared:  # as in rsl_rl
        for i in range(3, 2 * state.depth, 2):
            network[i] = network[1]
    return network


@torch.inference_mode(False)
def _usable_layers(network: nn.Sequential, x: torch.Tensor) -> nn.Sequential:
    """Check the learner's network and return a flat copy of its modules."""
    if not isinstance(network, nn.Sequential):
        raise ValueError(f"network: expected an nn.Sequential such as MLP, got {type(network).__name__}")
    leaves: list[Any] = list(in_order(learner_network("network", network).eval()))
    linear = [leaf for leaf in leaves if isinstance(leaf, nn.Linear)]
    if not 1 <= len(linear) <= DEEPEST + 1:
        raise ValueError(f"network: expected 1 to {DEEPEST + 1} linear layers, got {len(linear)}")
    if linear[0].in_features != x.shape[1]:
        raise ValueError(
            f"network: expected {x.shape[1]} inputs, one per feature of observations, got {linear[0].in_features}"
        )
    for leaf in leaves:
        leaf.requires_grad_(False)
        if hasattr(leaf, "inplace"):
            leaf.inplace = False  # an in-place module would overwrite values that are still to be measured
    copied = nn.Sequential(*leaves)
    try:
        copied(x).flatten(1)
    except (RuntimeError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"network: fails on observations {list(x.shape)}: {error}") from error
    _finite(measure(copied, x))
    return copied


def _finite(layers: Layers) -> Layers:
    if not np.isfinite(layers.std).all():
        raise ValueError("network: expected finite values in all layers, got NaN or infinity")
    return layers


def _overall(layers: Layers, shares: np.ndarray) -> float | None:
    """Return the mean of a share over hidden layers, weighted by units. Skip NaN; return None if all are NaN."""
    units, known = np.array(layers.units), ~np.isnan(shares)
    return float(shares[known] @ units[known] / units[known].sum()) if known.any() else None
