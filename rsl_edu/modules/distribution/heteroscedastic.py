"""Gaussian distribution with a std that depends on the state."""
# ruff: noqa: D102 (methods without a docstring are documented in the base class)

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from ..validate import positive, trailing_shape
from .base import Distribution, set_second_half
from .gaussian import GaussianDistribution


class HeteroscedasticGaussianDistribution(GaussianDistribution):
    """Gaussian whose std depends on the state: the network returns both the mean and the std (or its logarithm).

    Shapes: the network's output is ``[..., 2, output_dim]``, first the means, then the stds.

    Args:
        output_dim, std_range, std_type: As for :class:`GaussianDistribution`; the latter two apply to the network's
            stds.
        init_std: Initial std, which :meth:`init_mlp_weights` sets.

    Source: the public API of ``rsl_rl.modules.HeteroscedasticGaussianDistribution``.
    """

    def __init__(
        self,
        output_dim: int,
        init_std: float = 1.0,
        std_range: tuple[float, float] = (1e-6, 1e6),
        std_type: str = "scalar",
    ) -> None:
        Distribution.__init__(self, output_dim)  # not GaussianDistribution's, which adds a std parameter
        self._set_std(std_type, std_range)
        self.init_std = positive("init_std", init_std)

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        trailing_shape("mlp_output", mlp_output, (2, self.output_dim))
        return mlp_output[..., 0, :]

    def as_deterministic_output_module(self) -> nn.Module:
        return _FirstHalf()

    @property
    def input_dim(self) -> int | list[int]:
        return [2, self.output_dim]

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Set the last layer so that the std is initially ``init_std`` in every state."""
        set_second_half(mlp, self.output_dim, self.init_std if self.std_type == "scalar" else math.log(self.init_std))

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[Any, ...]:
        mean, raw = self._halves(mlp_output)
        std, log_std = self._std_of(raw)
        return mean, std, std, log_std


class _FirstHalf(nn.Module):
    def forward(self, mlp_output: torch.Tensor) -> torch.Tensor:
        return mlp_output[..., 0, :]
