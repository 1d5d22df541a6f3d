"""Action distributions: what turns the output of a network into exploration."""
# ruff: noqa: D102 (a method without a docstring does what the class it inherits from says)

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import softplus

from ._validate import choice, flag, interval, positive, tensor_pair, trailing_shape, whole

LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class Distribution(nn.Module):
    """What every action distribution offers; its parameters come from a network's output through :meth:`update`.

    Shapes: the output of the network is ``[..., *input_dim]``, actions are ``[..., output_dim]``, and everything summed
    over the action's dimensions (entropy, log-probability, KL) is ``[...]``, in nats.

    Args:
        output_dim: Dimensions of the action.

    Raises:
        TypeError, ValueError: An argument that is not allowed (the message names it), or a question about the
            distribution before the first :meth:`update`.

    Source: the public API of ``rsl_rl.modules.Distribution``.
    """

    def __init__(self, output_dim: int) -> None:
        super().__init__()
        self.output_dim = whole("output_dim", output_dim)
        self._params: tuple[torch.Tensor, ...] | None = None

    def update(self, mlp_output: torch.Tensor) -> None:
        """Take the distribution's parameters from a network's output, ``[..., *input_dim]``."""
        self._params = self._params_of(mlp_output)

    def sample(self) -> torch.Tensor:
        """Draw actions, ``[..., output_dim]``; no gradient flows through them."""
        raise NotImplementedError

    def deterministic_output(self, mlp_output: torch.Tensor) -> torch.Tensor:
        """Return the mean action for a network's output, without an update: what a trained policy plays."""
        return self._mean_of(*self._params_of(mlp_output))

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
        return self._mean_of(*self.params)

    @property
    def std(self) -> torch.Tensor:
        """Standard deviation of the action, ``[..., output_dim]``."""
        raise NotImplementedError

    @property
    def entropy(self) -> torch.Tensor:
        """Entropy, ``[...]``, in nats: minus the expected log-probability."""
        raise NotImplementedError

    @property
    def params(self) -> tuple[torch.Tensor, ...]:
        """What :meth:`kl_divergence` needs to know of this distribution, each ``[..., output_dim]``."""
        if self._params is None:
            raise ValueError(f"{type(self).__name__}: call update(mlp_output) before asking for the distribution")
        return self._params

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-density of actions ``[..., output_dim]``, summed over their dimensions."""
        raise NotImplementedError

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return KL(old ‖ new), ``[...]``, of two :attr:`params`."""
        raise NotImplementedError

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Set the last linear layer of ``mlp`` so that training begins with the distribution asked for."""

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        raise NotImplementedError

    def _mean_of(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return first

    def _halves(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        trailing_shape("mlp_output", mlp_output, [2, self.output_dim])
        return mlp_output.unbind(-2)


class GaussianDistribution(Distribution):
    r"""Gaussian with independent dimensions; the std is a parameter of its own, the same in every state.

    .. math::
        \log p(a) = -\sum_i \Bigl[\tfrac12 \bigl(\tfrac{a_i - \mu_i}{\sigma_i}\bigr)^2 + \log \sigma_i
        + \tfrac12 \log 2\pi\Bigr], \qquad H = \sum_i \bigl[\log \sigma_i + \tfrac12 + \tfrac12 \log 2\pi\bigr]

    .. math::
        KL(\text{old} \,\|\, \text{new}) = \sum_i \Bigl[\log \frac{\sigma'_i}{\sigma_i}
        + \frac{\sigma_i^2 + (\mu_i - \mu'_i)^2}{2 \sigma_i'^2} - \tfrac12\Bigr]

    Args:
        output_dim: Dimensions of the action.
        init_std: Standard deviation at the start, in the action's units, for either ``std_type``.
        std_range: Least and greatest std; beyond them it is clamped, and its gradient is then zero.
        std_type: Whether the parameter is the std itself (``"scalar"``) or its logarithm (``"log"``).
        learn_std: Whether the std is trained.

    Attributes:
        std_param, log_std_param: The parameter ``[output_dim]``, named by ``std_type``.

    Source: the public API of ``rsl_rl.modules.GaussianDistribution``.
    """

    def __init__(
        self,
        output_dim: int,
        init_std: float = 1.0,
        std_range: tuple[float, float] = (1e-6, 1e6),
        std_type: str = "scalar",
        learn_std: bool = True,
    ) -> None:
        super().__init__(output_dim)
        self._set_std(std_type, std_range)
        init = positive("init_std", init_std) * torch.ones(self.output_dim)
        name, raw = ("std_param", init) if self.std_type == "scalar" else ("log_std_param", init.log())
        self.register_parameter(name, nn.Parameter(raw, requires_grad=flag("learn_std", learn_std)))

    def sample(self) -> torch.Tensor:
        with torch.no_grad():
            return torch.normal(*self.params)

    def as_deterministic_output_module(self) -> nn.Module:
        return nn.Identity()

    @property
    def input_dim(self) -> int | list[int]:
        return self.output_dim

    @property
    def std(self) -> torch.Tensor:
        return self.params[1]

    @property
    def entropy(self) -> torch.Tensor:
        return (self.std.log() + (0.5 + LOG_SQRT_2PI)).sum(-1)

    def log_prob(self, outputs: torch.Tensor) -> torch.Tensor:
        mean, std = self.params
        trailing_shape("outputs", outputs, [self.output_dim])
        return -(0.5 * ((outputs - mean) / std).square() + std.log() + LOG_SQRT_2PI).sum(-1)

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        mean, std = tensor_pair("old_params", old_params, self.output_dim)
        mean2, std2 = tensor_pair("new_params", new_params, self.output_dim)
        ratio, shift = std / std2, (mean - mean2) / std2
        return (0.5 * (ratio.square() + shift.square() - 1) - ratio.log()).sum(-1)

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        trailing_shape("mlp_output", mlp_output, [self.output_dim])
        raw = self.get_parameter("std_param" if self.std_type == "scalar" else "log_std_param")
        return mlp_output, self._std_of(raw).expand_as(mlp_output)

    def _set_std(self, std_type: str, std_range: tuple[float, float]) -> None:
        self.std_type = choice("std_type", std_type, ("scalar", "log"))
        low, high = interval("std_range", std_range)
        low = max(low, 1e-6)  # a std of zero has no density
        if high < low:
            raise ValueError(f"std_range: expected an upper limit of at least {low}, got {std_range!r}")
        self.std_range = [low, high]
        self.log_std_range = [math.log(low), math.log(high)]

    def _std_of(self, raw: torch.Tensor) -> torch.Tensor:
        return raw.clamp(*self.std_range) if self.std_type == "scalar" else raw.clamp(*self.log_std_range).exp()


class HeteroscedasticGaussianDistribution(GaussianDistribution):
    """Gaussian whose std depends on the state: the network gives the mean and the std (or its logarithm).

    Shapes: the network's output is ``[..., 2, output_dim]``, first the means, then the stds.

    Args:
        output_dim, std_range, std_type: As for :class:`GaussianDistribution`, but of the network's stds.
        init_std: Standard deviation at the start, set by :meth:`init_mlp_weights`.

    Source: the public API of ``rsl_rl.modules.HeteroscedasticGaussianDistribution``.
    """

    def __init__(
        self,
        output_dim: int,
        init_std: float = 1.0,
        std_range: tuple[float, float] = (1e-6, 1e6),
        std_type: str = "scalar",
    ) -> None:
        Distribution.__init__(self, output_dim)  # no std parameter of its own
        self._set_std(std_type, std_range)
        self.init_std = positive("init_std", init_std)

    def as_deterministic_output_module(self) -> nn.Module:
        return _FirstHalf()

    @property
    def input_dim(self) -> int | list[int]:
        return [2, self.output_dim]

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Let the std begin as ``init_std`` in every state."""
        _set_second_half(mlp, self.output_dim, self.init_std if self.std_type == "scalar" else math.log(self.init_std))

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        mean, raw = self._halves(mlp_output)
        return mean, self._std_of(raw)


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
        unit = torch.distributions.Beta(alpha, beta, validate_args=False).sample()
        return unit * self._scale + self._low

    def as_deterministic_output_module(self) -> nn.Module:
        return _BetaMean(self._scale, self._low)

    @property
    def input_dim(self) -> int | list[int]:
        return [2, self.output_dim]

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
        trailing_shape("outputs", outputs, [self.output_dim])
        u = ((outputs - self._low) / self._scale).clamp(1e-6, 1 - 1e-6)
        log_density = (alpha - 1) * u.log() + (beta - 1) * (1 - u).log() - _log_beta(alpha, beta)
        return (log_density - math.log(self._scale)).sum(-1)

    def kl_divergence(self, old_params: tuple[torch.Tensor, ...], new_params: tuple[torch.Tensor, ...]) -> torch.Tensor:
        a, b = tensor_pair("old_params", old_params, self.output_dim)
        a2, b2 = tensor_pair("new_params", new_params, self.output_dim)
        means = (a - a2) * a.digamma() + (b - b2) * b.digamma() + (a2 - a + b2 - b) * (a + b).digamma()
        return (_log_beta(a2, b2) - _log_beta(a, b) + means).sum(-1)

    def init_mlp_weights(self, mlp: nn.Module) -> None:
        """Let beta begin the same in every state."""
        _set_second_half(mlp, self.output_dim, 0.0)

    def _params_of(self, mlp_output: torch.Tensor) -> tuple[torch.Tensor, ...]:
        alpha, beta = self._halves(mlp_output)
        return softplus(alpha) + 1, softplus(beta) + 1

    def _mean_of(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return first / (first + second) * self._scale + self._low


class _FirstHalf(nn.Module):
    def forward(self, mlp_output: torch.Tensor) -> torch.Tensor:
        return mlp_output[..., 0, :]


class _BetaMean(nn.Module):
    def __init__(self, scale: float, low: float) -> None:
        super().__init__()
        self.scale, self.low = scale, low

    def forward(self, mlp_output: torch.Tensor) -> torch.Tensor:
        alpha_beta = softplus(mlp_output) + 1
        return alpha_beta[..., 0, :] / alpha_beta.sum(-2) * self.scale + self.low


def _log_beta(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return a.lgamma() + b.lgamma() - (a + b).lgamma()


def _set_second_half(mlp: nn.Module, output_dim: int, bias: float) -> None:
    """Zero the weights of the second half of the last linear layer and set its bias."""
    linear = [layer for layer in mlp.modules() if isinstance(layer, nn.Linear)] if isinstance(mlp, nn.Module) else []
    if not linear or linear[-1].out_features != 2 * output_dim:
        raise ValueError(f"mlp: expected a network whose last linear layer has {2 * output_dim} outputs, got {mlp}")
    with torch.no_grad():
        linear[-1].weight[output_dim:] = 0
        linear[-1].bias[output_dim:] = bias
