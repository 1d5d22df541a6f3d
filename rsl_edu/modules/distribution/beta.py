"""Beta distribution: exploration that stays inside a bounded range."""
# ruff: noqa: D102 (methods without a docstring are documented in the base class)

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.nn.functional import softplus

from ..validate import interval, items, per_action, tensor_pair, trailing_shape
from .base import Distribution, set_second_half


class BetaDistribution(Distribution):
    r"""Beta distribution on a bounded action range: no actions beyond the limits, and no probability mass on them.

    With :math:`u = (a - \text{min}) / s \in (0, 1)`, :math:`s = \text{max} - \text{min}`,
    :math:`\alpha, \beta = \operatorname{softplus}(\cdot) + 1 > 1` (one peak) and the Beta function :math:`B`:

    .. math::
        \log p(a) = \sum_i \bigl[(\alpha_i - 1) \log u_i + (\beta_i - 1) \log(1 - u_i)
        - \log B(\alpha_i, \beta_i) - \log s\bigr]

    Shapes: the network's output is ``[..., 2, output_dim]``, first the raw alphas, then the raw betas.

    Args:
        output_dim: Number of dimensions of the action.
        action_range: Smallest and largest action (min, max); each is a number, or one number per dimension.

    Source: the public API of ``rsl_rl.modules.BetaDistribution``. Unlike in rsl_rl, the entropy includes the
    :math:`\log s` of the range, so that it is minus the expected log-probability.
    """

    _low: torch.Tensor  # or a number, like _scale
    _scale: torch.Tensor

    def __init__(self, output_dim: int, action_range: tuple[float, float] = (-1.0, 1.0)) -> None:
        super().__init__(output_dim)
        self.action_range = copy.copy(action_range)
        self._ranges = _range_of_each(action_range, self.output_dim)
        self._log_scale = sum(
            math.log(high - low) for low, high in self._ranges
        )  # summed over the dimensions of the action
        set_constant(self, "_low", [low for low, _ in self._ranges])
        set_constant(self, "_scale", [high - low for low, high in self._ranges])

    def sample(self) -> torch.Tensor:
        both = self._given()[2]
        with torch.no_grad():  # torch.distributions.Beta uses the same function
            return torch._sample_dirichlet(both)[..., 0].mul_(self._scale).add_(self._low)

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        return self._mean_of(*self._alpha_and_beta(mlp_output)).to(mlp_output.dtype)

    def as_deterministic_output_module(self) -> nn.Module:
        return _BetaMean(self._ranges)

    @property
    def input_dim(self) -> int | list[int]:
        return [2, self.output_dim]

    @property
    def mean(self) -> torch.Tensor:
        return self._mean_of(*self.params)

    @property
    def std(self) -> torch.Tensor:
        alpha, beta = self.params
        total = alpha + beta
        return (alpha * beta / (total.square() * (total + 1))).sqrt() * self._scale

    @property
    def params(self) -> tuple[torch.Tensor, ...]:
        alpha, beta, *_ = self._given()
        return alpha, beta

    @property
    def entropy(self) -> torch.Tensor:
        both, log_gamma, total, log_gamma_total = self._log_gammas()
        parts = torch.addcmul(log_gamma, both - 1, both.digamma(), value=-1).sum(-1)
        whole = torch.addcmul(log_gamma_total, total - 2, total.digamma(), value=-1)
        return (parts - whole).sum(-1) + self._log_scale

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-density of actions ``[..., output_dim]``. A limit counts as the nearest action inside."""
        trailing_shape("outputs", outputs, (self.output_dim,))
        both, log_gamma, _, log_gamma_total = self._log_gammas()
        outputs = outputs.to(torch.promote_types(outputs.dtype, both.dtype))
        u = ((outputs - self._low) / self._scale).clamp(1e-6, 1 - 1e-6)
        logs = torch.stack((u, 1 - u), -1).log()
        parts = torch.addcmul(log_gamma, both - 1, logs, value=-1).sum(-1)
        return -self._log_scale - (parts - log_gamma_total).sum(-1)

    def _log_gammas(self) -> tuple[torch.Tensor, ...]:
        """Return alpha and beta ``[..., output_dim, 2]``, their log Γ, their sum ``[..., output_dim]`` and its log Γ.

        They are computed once per update, because a loss uses both log_prob and entropy.
        """
        alpha, beta, both, *known = self._given()
        if not known:
            total = both.sum(-1)
            known = [both.lgamma(), total, total.lgamma()]
            if torch.is_grad_enabled() or not both.requires_grad:
                self._params = (alpha, beta, both, *known)
        return both, *known

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        a, b = tensor_pair("old_params", old_params, self.output_dim)
        a2, b2 = tensor_pair("new_params", new_params, self.output_dim)
        total, total2 = a + b, a2 + b2  # in the order of torch.distributions, as in the Gaussian
        kl = (a2.lgamma() + b2.lgamma() + total.lgamma()) - (a.lgamma() + b.lgamma() + total2.lgamma())
        kl = kl + (a - a2) * a.digamma() + (b - b2) * b.digamma() + (total2 - total) * total.digamma()
        return kl.sum(-1)

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Set the last layer so that beta is initially the same in every state."""
        set_second_half(mlp, self.output_dim, 0.0)

    @property
    def _alpha(self) -> torch.Tensor | None:  # this is its name in rsl_rl
        return None if self._params is None else self._params[0]

    @property
    def _beta(self) -> torch.Tensor | None:
        return None if self._params is None else self._params[1]

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return alpha and beta, each ``[..., output_dim]``, and both in one tensor ``[..., output_dim, 2]``."""
        alpha, beta = self._alpha_and_beta(mlp_output)
        return alpha, beta, torch.stack((alpha, beta), -1)

    def _alpha_and_beta(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        alpha, beta = self._halves(mlp_output)
        alpha, beta = (half.to(torch.promote_types(half.dtype, torch.float32)) for half in (alpha, beta))
        return softplus(alpha) + 1, softplus(beta) + 1

    def _mean_of(self, alpha: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return (alpha / (alpha + beta)).mul_(self._scale).add_(self._low)


class _BetaMean(nn.Module):
    def __init__(self, ranges: list[tuple[float, float]]) -> None:
        super().__init__()
        set_constant(self, "low", [low for low, _ in ranges])
        set_constant(self, "scale", [high - low for low, high in ranges])

    def forward(self, mlp_output: torch.Tensor) -> torch.Tensor:
        alpha_beta = softplus(mlp_output) + 1
        return alpha_beta[..., 0, :] / alpha_beta.sum(-2) * self.scale + self.low  # type: ignore[operator]


def _range_of_each(action_range: Any, output_dim: int) -> list[tuple[float, float]]:
    """Return the range (min, max) of each dimension of the action."""
    limits = items(action_range)
    if limits is None or len(limits) != 2:
        limits = interval("action_range", action_range)  # this raises an error
    lows, highs = (per_action("action_range", limit, output_dim) for limit in limits)
    ranges = [interval("action_range", pair) for pair in zip(lows, highs, strict=True)]
    if not all(0 < high - low < math.inf for low, high in ranges):
        raise ValueError(f"action_range: expected finite (min, max) with min < max, got {action_range!r}")
    return ranges


def set_constant(module: nn.Module, name: str, values: list[float]) -> None:
    """Set an attribute to one number or, if the values differ, to a buffer that is not saved."""
    if len(set(values)) == 1:
        setattr(module, name, values[0])
    else:
        module.register_buffer(name, torch.tensor(values), persistent=False)
