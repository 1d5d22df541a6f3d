"""Running mean and standard deviation of a stream of observations."""

# No `from __future__ import annotations` here: TorchScript cannot read the buffers' types as text.
from typing import Any

import torch
from torch import nn

from ..validate import positive, trailing_shape, whole

FAR = 1e15  # squares of it, and sums of them, still fit into single precision


class EmpiricalNormalization(nn.Module):
    r"""Normalize by the mean and standard deviation of everything seen so far.

    :meth:`update` merges a batch of :math:`n` samples :math:`x` into the statistics of the :math:`N` samples before it,
    and measures from the running mean, so that no large numbers cancel (Chan, Golub & LeVeque, 1979):

    .. math::
        N' = N + n, \quad d = x - \mu, \quad \delta = \tfrac{n}{N'}\,\overline{d}, \quad
        \mu' = \mu + \delta, \quad
        \sigma'^2 = \sigma^2 + \tfrac{n}{N'}\bigl(\overline{d^2} - \sigma^2\bigr) - \delta^2

    and :meth:`forward` returns :math:`(x - \mu) / (\sigma + \epsilon)`. It does not learn.

    A number that is NaN or infinite counts as the running mean, :math:`d = 0`, and one further away than 1e15 as that
    far: they cannot spoil the statistics for good. With ``torch.distributed`` initialised, all ranks call
    :meth:`update` together and learn from their joined batches.

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
    _mean_rest: torch.Tensor
    _var: torch.Tensor
    _std: torch.Tensor
    count: torch.Tensor

    def __init__(self, shape: int | tuple[int, ...] | list[int], eps: float = 1e-2, until: int | None = None) -> None:
        super().__init__()
        sizes = [whole("shape", size) for size in (shape if isinstance(shape, (list, tuple)) else [shape])]
        self.eps = positive("eps", eps, allow_zero=True)
        self.until = None if until is None else whole("until", until, minimum=0)
        self.register_buffer("_mean", torch.zeros(1, *sizes))
        self.register_buffer("_mean_rest", torch.zeros(1, *sizes), persistent=False)  # what rounding _mean left over
        self.register_buffer("_var", torch.ones(1, *sizes))
        self.register_buffer("_std", torch.ones(1, *sizes))
        self.register_buffer("count", torch.tensor(0))
        self._near = False  # whether _mean is near the data

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
        y = x - self._mean if torch.jit.is_scripting() else self._centred(x)
        return y.div_(self._std + self.eps)

    def update(self, x: torch.Tensor) -> None:
        """Learn from the samples ``x [..., *shape]``, in training mode and before ``until`` samples."""
        mean, rest, var, count = self._mean, self._mean_rest, self._var, self.count
        trailing_shape("x", x, mean.shape[1:])
        joined = torch.distributed.is_available() and torch.distributed.is_initialized()
        if not self.training or self.until == 0 or (x.numel() == 0 and not joined):
            return
        if x.dim() != mean.dim():
            x = x.reshape(-1, *mean.shape[1:])  # [n, *shape]
        x = x.detach() if x.is_floating_point() else x.to(mean.dtype)
        n: Any = len(x)
        if joined or not self._near:
            self._begin_near(x, joined)

        d = (x - mean).nan_to_num_(0.0, 0.0, 0.0).clamp_(-FAR, FAR)
        first = d.mean(0, keepdim=True, dtype=mean.dtype)
        second = d.square_().mean(0, keepdim=True, dtype=mean.dtype)
        if joined:
            n, first, second = _join(n, first, second)
        if self.until is not None:
            n = n * (count < self.until)  # a tensor: `if` would wait for the device
        count.add_(n)
        rate = (count.clamp(min=1) if joined else count).to(mean.dtype).reciprocal_().mul_(n)  # all ranks may be empty

        # The mean is stored in two parts, and the variance is about the first. In one part it stops at half an ulp: at
        # a mean of 1e5 that is 0.004, more than a sample moves it after a hundred others.
        delta = torch.lerp(rest, first, rate)  # a + rate (b - a), and exactly b for the first batch
        step = (mean + delta).sub_(mean)  # what of delta survives rounding
        mean.add_(step)
        torch.sub(delta, step, out=rest)
        change = second.sub_(var).mul_(rate).addcmul_(step, delta.add_(rest), value=-1)
        var.add_(change).clamp_(min=0)  # in one sum, so that var is rounded once
        torch.sqrt(var, out=self._std)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`forward`: from normalized ``y [..., *shape]`` to the original units."""
        mean = self._mean
        trailing_shape("y", y, mean.shape[1:])
        return (y * (self._std + self.eps)).add_(mean)

    def _begin_near(self, x: torch.Tensor, joined: bool) -> None:
        """Put the mean near the data, so that squares are small: before the first sample it has no weight."""
        learned, start = self.count > 0, x[:1].to(self._mean.dtype).nan_to_num(0.0, 0.0, 0.0).clamp(-FAR, FAR)
        if joined:
            n, start = _join(len(x), x.mean(0, keepdim=True))
            learned = learned | (n == 0)
        self._mean.copy_(torch.where(learned, self._mean, start))
        self._var.mul_(learned)
        self._near = True

    @torch.jit.unused
    def _centred(self, x: torch.Tensor) -> torch.Tensor:
        mean = self._mean
        try:
            y = x - mean
            fits = torch.jit.is_tracing() or x.shape == y.shape  # faster than looking at the sizes before
        except (AttributeError, RuntimeError, TypeError):
            fits = False
        if not fits:
            trailing_shape("x", x, mean.shape[1:])
        return y

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        self._mean_rest.zero_()  # it belongs to the mean that was here before
        self._near = False


def _join(n: int, *means: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return how many samples all processes have together, and the means over all of them, ``[1, *shape]`` each."""
    sums = torch.stack([torch.ones_like(means[0]), *means]).double().mul_(n).nan_to_num_(0.0, 0.0, 0.0)
    torch.distributed.all_reduce(sums)
    samples, *totals = sums.unbind()
    joined = [(total / samples.clamp(min=1)).to(mean.dtype) for total, mean in zip(totals, means, strict=True)]
    return samples.flatten()[0].long(), *joined
