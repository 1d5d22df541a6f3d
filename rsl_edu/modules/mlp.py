"""Multi-layer perceptron: linear maps with a nonlinearity between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from .validate import choice, finite, items, per_layer, trailing_shape, whole

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "elu": nn.ELU,
    "selu": nn.SELU,
    "relu": nn.ReLU,
    "crelu": nn.CELU,  # this is its name in rsl_rl
    "lrelu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "softplus": nn.Softplus,
    "gelu": nn.GELU,
    "swish": nn.SiLU,
    "mish": nn.Mish,
    "identity": nn.Identity,
}
"""Name in a configuration → class of the activation."""


def make_activation(name: str, argument: str = "activation") -> nn.Module:
    """Make a new activation module from its name (one of :data:`~rsl_edu.modules.mlp.ACTIVATIONS`, in any case)."""
    return ACTIVATIONS[choice(argument, name, ACTIVATIONS)]()


class MLP(nn.Sequential):
    r"""Multi-layer perceptron.

    .. math:: h_0 = x, \qquad h_{l} = \phi(W_l h_{l-1} + b_l), \qquad y = W_L h_{L-1} + b_L

    Shapes: :math:`x` is ``[..., input_dim]``, :math:`h_l` is ``[..., hidden_dims[l-1]]`` and :math:`y` is
    ``[..., output_dim]``, or ``[..., *output_dim]`` if ``output_dim`` is a tuple.

    Args:
        input_dim: Size of the last dimension of the input.
        output_dim: Size of the output; a tuple or list reshapes the last dimension to these sizes.
        hidden_dims: Size of each hidden layer; ``-1`` stands for ``input_dim``. An empty list gives a linear map.
        activation: Nonlinearity :math:`\phi` after each hidden layer, a name in
            :data:`~rsl_edu.modules.mlp.ACTIVATIONS`.
        last_activation: Nonlinearity after the output layer; None leaves the output linear.

    Raises:
        TypeError, ValueError: An argument is invalid; the message names it.

    Source: the public API of ``rsl_rl.modules.MLP``.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int | tuple[int, ...] | list[int],
        hidden_dims: tuple[int, ...] | list[int],
        activation: str = "elu",
        last_activation: str | None = None,
    ) -> None:
        input_dim = whole("input_dim", input_dim)
        output_shape = _output_shape(output_dim)
        hidden = items(hidden_dims)
        if hidden is None:
            raise ValueError(f"hidden_dims: expected a list with the size of each hidden layer, got {hidden_dims!r}")
        sizes = [input_dim] + [input_dim if size == -1 else whole("hidden_dims", size) for size in hidden]

        choice("activation", activation, ACTIVATIONS)  # checked even if there are no hidden layers
        layers: list[nn.Module] = []
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), make_activation(activation)]  # an activation object for each layer
        layers.append(nn.Linear(sizes[-1], math.prod(output_shape)))
        if items(output_dim) is not None:
            layers.append(nn.Unflatten(-1, output_shape))
        if last_activation is not None:
            layers.append(make_activation(last_activation, "last_activation"))
        super().__init__(*layers)

    def init_weights(self, scales: float | tuple[float, ...] | list[float]) -> None:
        """Draw orthogonal weights and set the biases to zero.

        An orthogonal matrix preserves the norm of a vector, so a scale of 1 preserves the size of a linear signal.

        Args:
            scales: Gain of the weights: one for all linear layers, or one for each. As in rsl_rl, the sequence can also
                have a value for each module, including activations; then only the values of the linear layers are used.
        """
        linear = {place: layer for place, layer in enumerate(self) if isinstance(layer, nn.Linear)}
        given = items(scales)
        if given is not None and len(linear) < len(given) > max(linear, default=0):
            scales = [given[place] for place in linear]
        gains = [finite("scales", gain) for gain in per_layer("scales", scales, len(linear))]
        for layer, gain in zip(linear.values(), gains, strict=True):
            nn.init.orthogonal_(layer.weight, gain)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``x [..., input_dim]`` to ``[..., *output_dim]``."""
        if not torch.jit.is_scripting():
            self._check(x)
        for layer in self:
            x = layer(x)
        return x

    @torch.jit.unused
    def _check(self, x: torch.Tensor) -> None:
        layers = list(self._modules.values())  # not next(iter(...), None): torch 2.6 cannot compile that
        if layers and type(layers[0]) is nn.Linear:  # the layer may have been replaced
            trailing_shape("x", x, (layers[0].in_features,))


def _output_shape(output_dim: int | Sequence[int]) -> tuple[int, ...]:
    sizes = items(output_dim)
    if sizes is None:
        return (whole("output_dim", output_dim),)
    if not sizes:
        raise ValueError("output_dim: expected at least one size, got an empty sequence")
    return tuple(whole("output_dim", size) for size in sizes)
