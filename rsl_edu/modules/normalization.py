"""Normalization: running statistics of a stream of observations or rewards."""

# No `from __future__ import annotations` here: TorchScript cannot read the buffers' types as text.
import torch
from torch import nn

from ._validate import positive, trailing_shape, whole


class EmpiricalNormalization(nn.Module):
    r"""Normalize by the mean and standard deviation of everything seen so far.

    :meth:`update` merges a batch of :math:`n` samples with mean :math:`\mu_B` and population variance
    :math:`\sigma_B^2` into the statistics of the :math:`N` samples before it (Chan, Golub & LeVeque, 1979):

    .. math::
        N' = N + n, \quad r = \frac{n}{N'}, \quad \delta = \mu_B - \mu, \quad
        \mu' = \mu + r\,\delta, \quad
        \sigma'^2 = \sigma^2 + r\,\bigl(\sigma_B^2 - \sigma^2 + \delta\,(\mu_B - \mu')\bigr)

    and :meth:`forward` returns :math:`(x - \mu) / (\sigma + \epsilon)`. It does not learn.

    Shapes: everything that comes in and goes out ends in ``shape``; the dimensions before it are the batch.

    Args:
        shape: Shape of one sample.
        eps: Added to the standard deviation, so that a feature that never varies does not blow up.
        until: Samples after which the statistics stay as they are; None means never.

    Attributes:
        count: Samples seen, an integer tensor without dimensions. Part of ``state_dict``, like the statistics: who
            saves a policy without them saves another policy.

    Raises:
        TypeError, ValueError: An argument that is not allowed; the message names it. The statistics stay as they were.

    Source: the public API of ``rsl_rl.modules.EmpiricalNormalization``.
    """

    _mean: torch.Tensor
    _var: torch.Tensor
    _std: torch.Tensor
    count: torch.Tensor

    def __init__(self, shape: int | tuple[int, ...] | list[int], eps: float = 1e-2, until: int | None = None) -> None:
        super().__init__()
        sizes = [whole("shape", size) for size in (shape if isinstance(shape, (list, tuple)) else [shape])]
        self.eps = positive("eps", eps, allow_zero=True)
        self.until = None if until is None else whole("until", until, minimum=0)
        self.register_buffer("_mean", torch.zeros(1, *sizes))
        self.register_buffer("_var", torch.ones(1, *sizes))
        self.register_buffer("_std", torch.ones(1, *sizes))
        self.register_buffer("count", torch.tensor(0))

    @property
    def mean(self) -> torch.Tensor:
        r"""Running mean :math:`\mu`, of shape ``shape`` (a copy)."""
        return self._mean.squeeze(0).clone()

    @property
    def std(self) -> torch.Tensor:
        r"""Running population standard deviation :math:`\sigma`, of shape ``shape`` (a copy)."""
        return self._std.squeeze(0).clone()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize ``x [..., *shape]``."""
        if not torch.jit.is_scripting():
            trailing_shape("x", x, self._mean.shape[1:])
        return (x - self._mean) / (self._std + self.eps)

    @torch.no_grad()
    def update(self, x: torch.Tensor) -> None:
        """Learn from the samples ``x [..., *shape]``, in training mode and before ``until`` samples."""
        shape = self._mean.shape[1:]
        trailing_shape("x", x, shape)
        x = x.reshape(-1, *shape)  # [n, *shape]
        if not self.training or len(x) == 0 or (self.until is not None and self.count >= self.until):
            return
        x = x.to(torch.promote_types(x.dtype, self._mean.dtype))  # whole numbers and half precision, too
        var, mean = torch.var_mean(x, dim=0, correction=0)  # population variance: of the batch itself
        mean, var = mean.to(self._mean), var.to(self._var)
        self.count += len(x)
        rate = len(x) / self.count.to(self._mean)  # r
        delta = mean - self._mean  # δ
        self._mean.lerp_(mean, rate)  # a + r (b - a); exactly b for the first batch
        self._var.lerp_(var + delta * (mean - self._mean), rate)
        torch.sqrt(self._var, out=self._std)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`forward`: from normalized ``y [..., *shape]`` to the original units."""
        trailing_shape("y", y, self._mean.shape[1:])
        return y * (self._std + self.eps) + self._mean


class EmpiricalDiscountedVariationNormalization(nn.Module):
    r"""Scale rewards by the running standard deviation of discounted returns (Burda et al., 2018).

    Each step adds to a discounted sum per environment, :math:`\bar R_t = \gamma \bar R_{t-1} + r_t`; the reward that
    comes out is :math:`r_t / \operatorname{std}(\bar R)`. The std of the *returns* is the scale of the value function;
    nothing is subtracted, because a shifted reward is another task.

    Args:
        shape: Shape of one environment's reward; ``()`` for a number, with rewards ``[envs]``.
        eps: Kept for the API of the normaliser inside; the scale is not shifted by it.
        gamma: Discount factor :math:`\gamma`, from 0 to 1.
        until: Samples after which the scale stays as it is; None means never.

    Attributes:
        emp_norm: Running statistics of the discounted returns.
        disc_avg: The discounted sums: ``gamma``, and ``avg [envs, *shape]`` or None before the first step.

    Source: the public API of ``rsl_rl.modules.EmpiricalDiscountedVariationNormalization``.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-2,
        gamma: float = 0.99,
        until: int | None = None,
    ) -> None:
        super().__init__()
        if positive("gamma", gamma, allow_zero=True) > 1:
            raise ValueError(f"gamma: expected a number from 0 to 1, got {gamma!r}")
        self.emp_norm = EmpiricalNormalization(shape, eps, until)
        self.disc_avg = _DiscountedSum(gamma)

    def forward(self, rew: torch.Tensor) -> torch.Tensor:
        """Scale the rewards of one step, ``[envs, *shape]``; in training mode learn from them first."""
        trailing_shape("rew", rew, self.emp_norm._mean.shape[1:])
        if self.training and rew.numel() > 0:
            self.emp_norm.update(self.disc_avg.update(rew))
        std = self.emp_norm._std
        return rew / torch.where(std > 0, std, 1.0)


class _DiscountedSum:
    r"""The sums :math:`\bar R_t` of one reward stream per environment."""

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma
        self.avg: torch.Tensor | None = None

    @torch.no_grad()
    def update(self, rew: torch.Tensor) -> torch.Tensor:
        """Take the rewards of one step and return the new sums."""
        if self.avg is not None and self.avg.shape != rew.shape:
            raise ValueError(
                f"rew: expected shape {list(self.avg.shape)} as in the steps before, got {list(rew.shape)}"
            )
        self.avg = rew.clone() if self.avg is None else self.avg * self.gamma + rew
        return self.avg
