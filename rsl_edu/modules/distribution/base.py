"""The base class of all action distributions."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..validate import items, trailing_shape, whole


class Distribution(nn.Module):
    """Base class of the action distributions; :meth:`update` sets the parameters from a network's output.

    Shapes: the network's output is ``[..., *input_dim]``, actions are ``[..., output_dim]``. Entropy, log-probability
    and KL are sums over the action's dimensions, ``[...]``, in nats.

    Args:
        output_dim: Number of dimensions of the action.

    Raises:
        TypeError, ValueError: An argument is invalid (the message names it), or the distribution is used before the
            first :meth:`update`.

    A subclass computes its parameters in ``_params_of(mlp_output)``, which returns a tuple that begins with
    :attr:`params`, and reads them with ``self._given()``.

    Source: the public API of ``rsl_rl.modules.Distribution``.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        sizes = items(output_dim)
        self.output_dim = whole("output_dim", sizes[0] if sizes is not None and len(sizes) == 1 else output_dim)
        self._params: tuple[Any, ...] | None = None

    def update(self, mlp_output: torch.Tensor) -> None:
        """Set the distribution's parameters from a network's output, ``[..., *input_dim]``."""
        self._params = self._params_of(mlp_output)

    def sample(self) -> torch.Tensor:
        """Draw actions, ``[..., output_dim]``; no gradient flows through them."""
        raise NotImplementedError

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        """Return the mean action for a network's output without an update; a trained policy uses this action."""
        raise NotImplementedError

    def as_deterministic_output_module(self) -> nn.Module:
        """Return :meth:`deterministic_output` as a module that TorchScript and ONNX can export."""
        raise NotImplementedError

    @property
    def input_dim(self) -> int | list[int]:
        """Shape of the network's output that :meth:`update` takes: a size, or a list of sizes."""
        raise NotImplementedError

    @property
    def mean(self) -> torch.Tensor:
        """Mean action, ``[..., output_dim]``."""
        raise NotImplementedError

    @property
    def std(self) -> torch.Tensor:
        """Standard deviation of the action, ``[..., output_dim]``."""
        raise NotImplementedError

    @property
    def entropy(self) -> torch.Tensor:
        """Entropy in nats, ``[...]``, which is minus the expected log-probability."""
        raise NotImplementedError

    @property
    def params(self) -> tuple[torch.Tensor, ...]:
        """Parameters of this distribution for :meth:`kl_divergence`, each ``[..., output_dim]``."""
        return self._given()

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-density of actions ``[..., output_dim]``, summed over their dimensions."""
        raise NotImplementedError

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return KL(old ‖ new) of two :attr:`params` in nats, ``[...]``."""
        raise NotImplementedError

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Set the last linear layer of ``mlp`` so that training begins with the configured distribution."""

    def __getstate__(self) -> dict[str, Any]:
        """Detach the parameters for a copy or a file, because tensors with a graph cannot be copied."""
        params = self._params and tuple(None if param is None else param.detach() for param in self._params)
        return self.__dict__ | {"_params": params}

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[Any, ...]:
        raise NotImplementedError

    def _given(self) -> tuple[Any, ...]:
        if self._params is None:
            raise ValueError(f"{type(self).__name__}: call update(mlp_output) before using the distribution")
        return self._params

    def _halves(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        trailing_shape("mlp_output", mlp_output, (2, self.output_dim))
        return mlp_output.unbind(-2)


def set_second_half(mlp: nn.Module, output_dim: int, bias: float) -> None:
    """Set the weights of the second half of the last linear layer to zero, and its biases to ``bias``."""
    linear = [layer for layer in mlp.modules() if isinstance(layer, nn.Linear)] if isinstance(mlp, nn.Module) else []
    if not linear or linear[-1].out_features != 2 * output_dim or linear[-1].bias is None:
        outputs = f"{2 * output_dim} outputs and a bias"
        raise ValueError(f"mlp: expected a network whose last linear layer has {outputs}, got {mlp}")
    with torch.no_grad():
        linear[-1].weight[output_dim:] = 0
        linear[-1].bias[output_dim:] = bias
