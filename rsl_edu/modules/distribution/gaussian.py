"""Gaussian distribution with the same std in every state."""
# ruff: noqa: D102 (methods without a docstring are documented in the base class)

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ..validate import choice, flag, interval, per_action, positive, tensor_pair, trailing_shape
from .base import Distribution

HALF_MAX = torch.finfo(torch.float16).max
LOG_HALF_MAX = 11.08  # slightly below the logarithm of HALF_MAX, which half precision rounds up
LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class GaussianDistribution(Distribution):
    r"""Gaussian with independent dimensions; the standard deviation (std) is a parameter and the same in every state.

    .. math::
        \log p(a) = -\sum_i \Bigl[\tfrac12 \bigl(\tfrac{a_i - \mu_i}{\sigma_i}\bigr)^2 + \log \sigma_i
        + \tfrac12 \log 2\pi\Bigr], \qquad H = \sum_i \bigl[\log \sigma_i + \tfrac12 + \tfrac12 \log 2\pi\bigr]

    .. math::
        KL(\text{old} \,\|\, \text{new}) = \sum_i \Bigl[\log \frac{\sigma'_i}{\sigma_i}
        + \frac{\sigma_i^2 + (\mu_i - \mu'_i)^2}{2 \sigma_i'^2} - \tfrac12\Bigr]

    Args:
        output_dim: Number of dimensions of the action.
        init_std: Initial std in the action's units, for either ``std_type``; one value, or one per dimension.
        std_range: Smallest and largest std. Outside this range the std is clamped, but its gradient can bring it back.
        std_type: Whether the parameter is the std itself (``"scalar"``) or its logarithm (``"log"``).
        learn_std: Whether the std is trained.

    Attributes:
        std_param, log_std_param: The parameter ``[output_dim]``; ``std_type`` determines which of the two exists.

    Source: the public API of ``rsl_rl.modules.GaussianDistribution``. In rsl_rl, a clamped std has no gradient, so a
    std that once falls below zero stays at the limit forever. In rsl_rl, :meth:`sample` also checks for a NaN std and
    raises an error, so it must wait for the device. Here, the actions and the gradient become NaN instead.
    """

    std_param: nn.Parameter
    log_std_param: nn.Parameter

    def __init__(
        self,
        output_dim: int,
        init_std: float | Sequence[float] = 1.0,
        std_range: tuple[float, float] = (1e-6, 1e6),
        std_type: str = "scalar",
        learn_std: bool = True,
    ) -> None:
        super().__init__(output_dim)
        self._set_std(std_type, std_range)
        init = torch.tensor([positive("init_std", std) for std in per_action("init_std", init_std, self.output_dim)])
        name, raw = ("std_param", init) if self.std_type == "scalar" else ("log_std_param", init.log())
        self.register_parameter(name, nn.Parameter(raw, requires_grad=flag("learn_std", learn_std)))

    def sample(self) -> torch.Tensor:
        mean, _, std, *_ = self._given()
        with torch.no_grad():
            return torch.randn_like(mean).mul_(std).add_(mean)  # like torch.normal, but twice as fast for small batches

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        trailing_shape("mlp_output", mlp_output, (self.output_dim,))
        return mlp_output

    def as_deterministic_output_module(self) -> nn.Module:
        return nn.Identity()

    @property
    def input_dim(self) -> int | list[int]:
        return self.output_dim

    @property
    def mean(self) -> torch.Tensor:
        mean: torch.Tensor = self._given()[0]
        return mean

    @property
    def std(self) -> torch.Tensor:
        std: torch.Tensor = self._given()[1]
        return std

    @property
    def params(self) -> tuple[torch.Tensor, ...]:
        mean, std, *_ = self._given()
        return mean, std

    @property
    def entropy(self) -> torch.Tensor:
        mean, *_ = self._given()
        entropy = self._sum_log_std() + self.output_dim * (0.5 + LOG_SQRT_2PI)
        return entropy.expand(mean.shape[:-1]) if entropy.dim() == 0 else entropy  # the same for all actions

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        trailing_shape("outputs", outputs, (self.output_dim,))
        mean, _, std, *_ = self._given()
        volume = self._sum_log_std() + self.output_dim * LOG_SQRT_2PI
        log_prob: torch.Tensor = ((outputs - mean) / std).square().sum(-1).mul(-0.5) - volume
        return log_prob

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        mean, std = tensor_pair("old_params", old_params, self.output_dim)
        mean2, std2 = tensor_pair("new_params", new_params, self.output_dim)
        ratio, shift = (std / std2).square(), ((mean - mean2) / std2).square()
        # In the order of torch.distributions, so that even the last bit agrees: rsl_rl's adaptive learning rate depends
        # on whether the KL of two equal policies, which is only rounding error, is above zero.
        return (0.5 * (ratio + shift - 1 - ratio.log())).sum(-1)

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[Any, ...]:
        trailing_shape("mlp_output", mlp_output, (self.output_dim,))
        std, log_std = self._std_of(self.std_param if self.std_type == "scalar" else self.log_std_param)
        expanded = std.expand_as(mlp_output)
        if std.shape[-1:] != (self.output_dim,):  # the parameter was replaced by a single std
            std, log_std = expanded, None
        return mlp_output, expanded, std, log_std

    def _set_std(self, std_type: str, std_range: tuple[float, float]) -> None:
        self.std_type = choice("std_type", std_type, ("scalar", "log"))
        low, high = interval("std_range", std_range)
        low = max(low, 1e-6)  # a std of zero has no density
        if high < low:
            raise ValueError(f"std_range: expected an upper limit of at least {low}, got {std_range!r}")
        self.std_range = [low, high]
        self.log_std_range = [math.log(low), math.log(high)]

    def _std_of(self, raw: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the std, and its logarithm if it is available without computing it."""
        low, high = self.std_range if self.std_type == "scalar" else self.log_std_range
        if raw.dtype is torch.float16:
            high = min(high, HALF_MAX if self.std_type == "scalar" else LOG_HALF_MAX)
        clamped = _clamp(raw, low, high)
        return (clamped, None) if self.std_type == "scalar" else (clamped.exp(), clamped)

    def _sum_log_std(self) -> torch.Tensor:
        mean, expanded, std, log_std, *known = (
            self._given()
        )  # std: [output_dim], or expanded if it depends on the state
        total: torch.Tensor = known[0] if known else (std.log() if log_std is None else log_std).sum(-1)
        if torch.is_grad_enabled() or not std.requires_grad:  # a loss uses both log_prob and entropy
            self._params = (mean, expanded, std, log_std, total)
        return total


def _clamp(raw: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Clamp to a range; the gradient passes unless gradient descent would move further outside of the range."""
    compiling = torch.compiler.is_compiling()
    if not (torch.is_grad_enabled() and raw.requires_grad) or (not compiling and raw.is_inference()):
        return raw.clamp(low, high)
    clamp: type[torch.autograd.Function] = _Clamp if compiling else _ClampInBothModes
    if torch._C._are_functorch_transforms_active():
        clamp = _ClampInTransforms
    clamped: torch.Tensor = clamp.apply(raw, low, high)
    return clamped


class _Clamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, raw: torch.Tensor, low: float, high: float) -> torch.Tensor:
        clamped = raw.clamp(low, high)
        ctx.save_for_backward(raw, clamped)
        return clamped

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        raw, clamped = ctx.saved_tensors
        way_back = clamped - raw
        passes = gradient * way_back <= 0  # descent moves against the gradient
        return gradient * passes, None, None  # low and high have no gradient


class _ClampInBothModes(_Clamp):
    """``_Clamp`` with forward-mode derivatives. Separate, as torch.compile accepts no Function with a ``jvp``."""

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: None) -> torch.Tensor:
        return tangent.clone()  # in forward mode, there is no direction of descent


class _ClampInTransforms(_ClampInBothModes):
    """``_ClampInBothModes`` in the form that torch.func's transforms need, which takes twice as long."""

    generate_vmap_rule = True

    @staticmethod
    def forward(raw: torch.Tensor, low: float, high: float) -> torch.Tensor:  # type: ignore[override]
        return raw.clamp(low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, float, float], output: torch.Tensor) -> None:
        raw, _, _ = inputs
        ctx.save_for_backward(raw, output)
