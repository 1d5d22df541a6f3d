"""Beta actions: exploration that stays inside a bounded range."""
# ruff: noqa: D102 (a method without a docstring does what the class it inherits from says)

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import softplus

from ..validate import interval, tensor_pair, trailing_shape
from .base import Distribution, set_second_half


class BetaDistribution(Distribution):
    r"""Beta distribution on a bounded action range: no action beyond the limit, no probability mass on it.

    With :math:`u = (a - \text{min}) / s \in (0, 1)`, :math:`s = \text{max} - \text{min}`,
    :math:`\alpha, \beta = \operatorname{softplus}(\cdot) + 1 > 1` (one peak) and the Beta function :math:`B`:

    .. math::
        \log p(a) = \sum_i \bigl[(\alpha_i - 1) \log u_i + (\beta_i - 1) \log(1 - u_i)
        - \log B(\alpha_i, \beta_i) - \log s\bigr]

    Shapes: the network's output is ``[..., 2, output_dim]``, first the raw alphas, then the raw betas.

    Args:
        output_dim: Dimensions of the action.
        action_range: Least and greatest action (min, max).

    Source: the public API of ``rsl_rl.modules.BetaDistribution``. Unlike there, the entropy includes the
    :math:`\log s` of the range, so that it is minus the expected log-probability.
    """

    def __init__(self, output_dim: int, action_range: tuple[float, float] = (-1.0, 1.0)) -> None:
        super().__init__(output_dim)
        low, high = interval("action_range", action_range)
        if not 0 < high - low < math.inf:
            raise ValueError(f"action_range: expected finite (min, max) with min < max, got {action_range!r}")
        self.action_range = action_range
        self._low, self._scale = low, high - low

    def sample(self) -> torch.Tensor:
        alpha, beta = self.params
        with torch.no_grad():  # what torch.distributions.Beta draws from
            unit = torch._sample_dirichlet(torch.stack((alpha, beta), -1))[..., 0]
            return unit.mul_(self._scale).add_(self._low)

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        return self._mean_of(*self._params_of(mlp_output))

    def as_deterministic_output_module(self) -> nn.Module:
        return _BetaMean(self._scale, self._low)

    @property
    def input_dim(self) -> int | list[int]:
        return [2, self.output_dim]

    @property
    def mean(self) -> torch.Tensor:
        return self._mean_of(*self._given())

    @property
    def std(self) -> torch.Tensor:
        alpha, beta = self.params
        total = alpha + beta
        return (alpha * beta / (total.square() * (total + 1))).sqrt() * self._scale

    @property
    def entropy(self) -> torch.Tensor:
        alpha, beta = self.params
        total = alpha + beta
        unit = _log_beta(alpha, beta) - (alpha - 1) * alpha.digamma() - (beta - 1) * beta.digamma()
        return (unit + (total - 2) * total.digamma() + math.log(self._scale)).sum(-1)

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-density of actions ``[..., output_dim]``; at the limits that of the nearest inner action."""
        alpha, beta = self.params
        trailing_shape("outputs", outputs, (self.output_dim,))
        u = ((outputs - self._low) / self._scale).clamp(1e-6, 1 - 1e-6)
        log_density = (alpha - 1) * u.log() + (beta - 1) * (1 - u).log() - _log_beta(alpha, beta)
        return (log_density - math.log(self._scale)).sum(-1)

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        a, b = tensor_pair("old_params", old_params, self.output_dim)
        a2, b2 = tensor_pair("new_params", new_params, self.output_dim)
        total, total2 = a + b, a2 + b2  # in the order of torch.distributions, as for the Gaussian
        kl = (a2.lgamma() + b2.lgamma() + total.lgamma()) - (a.lgamma() + b.lgamma() + total2.lgamma())
        kl = kl + (a - a2) * a.digamma() + (b - b2) * b.digamma() + (total2 - total) * total.digamma()
        return kl.sum(-1)

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Let beta begin the same in every state."""
        set_second_half(mlp, self.output_dim, 0.0)

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        alpha, beta = self._halves(mlp_output)
        alpha, beta = (half.to(torch.promote_types(half.dtype, torch.float32)) for half in (alpha, beta))
        return softplus(alpha) + 1, softplus(beta) + 1

    def _mean_of(self, alpha: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        return (alpha / (alpha + beta)).mul_(self._scale).add_(self._low)


class _BetaMean(nn.Module):
    def __init__(self, scale: float, low: float) -> None:
        super().__init__()
        self.scale, self.low = scale, low

    def forward(self, mlp_output: torch.Tensor) -> torch.Tensor:
        alpha_beta = softplus(mlp_output) + 1
        return alpha_beta[..., 0, :] / alpha_beta.sum(-2) * self.scale + self.low


def _log_beta(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a.lgamma() + b.lgamma() - (a + b).lgamma()
