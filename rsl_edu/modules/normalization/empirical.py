"""Running mean and standard deviation of a stream of observations."""

# No `from __future__ import annotations` here: TorchScript cannot read the buffers' types as strings.
from typing import Any

import torch
from torch import nn

from ..validate import items, positive, recorded, trailing_shape, whole

PRECISE = (torch.float32, torch.float64)
FAR = 1e15  # sums of its squares still fit into single precision


class _Known:
    """The buffers' values and versions as Python last saw them; a tensor's version changes with every write."""

    count: torch.Tensor | None = None
    count_version = 0
    number: float = 0
    mean: torch.Tensor | None = None
    mean_version = 0
    rest: torch.Tensor | None = None  # the rest that belongs to this mean
    rest_version = 0
    replayed = False  # whether a CUDA graph updates the count, which does not change the version


class EmpiricalNormalization(nn.Module):
    r"""Normalize by the mean and standard deviation (std) of all samples seen so far.

    :meth:`update` merges a batch of :math:`n` samples with mean :math:`m` and variance :math:`s^2` into the statistics
    of the :math:`N` samples before it, without subtracting large numbers (Chan, Golub & LeVeque, 1979):

    .. math::
        N' = N + n, \quad r = \tfrac{n}{N'}, \quad \delta = m - \mu, \quad \mu' = \mu + r \delta

    .. math::
        \sigma'^2 = (1 - r)\, \sigma^2 + r \bigl(s^2 + (1 - r)\, \delta^2\bigr)

    and :meth:`forward` returns :math:`(x - \mu) / (\sigma + \epsilon)` without updating the statistics.

    A NaN or infinite number counts as the running mean (in the first batch, as the mean of the other numbers), and a
    distance from the mean above 1e15 counts as 1e15, so such numbers cannot ruin the statistics permanently. If
    ``torch.distributed`` is initialized, all ranks must call :meth:`update` together; they merge their joined batches.

    On a GPU, :meth:`update` does not wait for the device, because Python keeps a copy of the number in ``count``. The
    buffer is read in the first update. It is read again after something else, such as ``load_state_dict``, has written
    into it. Writes through ``count.data`` or a NumPy view bypass torch's version counter and are not detected.

    Shapes: all inputs and outputs end in ``shape``; the dimensions before it are the batch.

    Args:
        shape: Shape of one sample.
        eps: Added to the std, so that features that never vary are not divided by zero.
        until: Number of samples after which the statistics no longer change; None or infinity means never.

    Attributes:
        count: Number of samples seen, an integer tensor without dimensions. It is part of ``state_dict``, like the
            statistics: a policy that is saved without the statistics behaves differently.

    Raises:
        TypeError, ValueError: An argument is invalid; the message names it. The statistics do not change.

    Source: the public API of ``rsl_rl.modules.EmpiricalNormalization``.
    """

    __jit_ignored_attributes__ = ("_known",)

    _mean: torch.Tensor
    _mean_rest: torch.Tensor
    _var: torch.Tensor
    _std: torch.Tensor
    count: torch.Tensor

    def __init__(self, shape: int | tuple[int, ...] | list[int], eps: float = 1e-2, until: int | None = None) -> None:
        super().__init__()
        given = items(shape)
        sizes = [whole("shape", size, minimum=0) for size in ([shape] if given is None else given)]
        self.eps = positive("eps", eps, allow_zero=True)
        if until is not None and until != float("inf"):
            positive("until", until, allow_zero=True)
        self.until = until
        self.register_buffer("_mean", torch.zeros(1, *sizes))
        self.register_buffer("_mean_rest", torch.zeros(1, *sizes), persistent=False)  # rounding error of _mean
        self.register_buffer("_var", torch.ones(1, *sizes))
        self.register_buffer("_std", torch.ones(1, *sizes))
        self.register_buffer("count", torch.tensor(0))
        self._near = False  # whether _mean is near the data
        self._known = _Known()

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
        mean, std = self._mean, self._std
        y = x - mean if torch.jit.is_scripting() else self._centred(x, mean, std)
        return y.div_(std + self.eps)

    def update(self, x: torch.Tensor) -> None:
        """Update the statistics with samples ``x [..., *shape]``, in training mode and before ``until`` samples."""
        mean, var = self._mean, self._var
        shape = mean.shape[1:]
        trailing_shape("x", x, shape)
        joined = torch.distributed.is_available() and torch.distributed.is_initialized()
        empty = x.numel() == 0 and 0 not in shape  # samples without features still count
        if not self.training or (empty and not joined):
            return
        seen = None if joined else self._seen()
        if seen is not None and self.until is not None and seen >= self.until:
            return
        if x.dim() != mean.dim():
            x = x.reshape(-1, *shape)  # [n, *shape]
        if x.requires_grad:
            x = x.detach()
        rest = self._rest_of(mean)
        if joined:
            x = self._filled(x)
        elif seen == 0 or not self._near:
            self._begin_near(x)
        if self._std.dtype is mean.dtype is rest.dtype is var.dtype in PRECISE and not joined:
            self._merge(x, (mean, rest, var), seen, joined)
        else:
            dtype = torch.float64 if joined else _precise(mean, rest, var)
            precise = mean.to(dtype, copy=True), rest.to(dtype, copy=True), var.to(dtype, copy=True)
            self._merge(x, precise, seen, joined)
            self._store(*precise)
        if not recorded(mean) and not mean.is_inference():
            known = self._known
            known.mean, known.mean_version = mean, mean._version
            known.rest, known.rest_version = rest, rest._version

    def _merge(
        self, x: torch.Tensor, into: tuple[torch.Tensor, torch.Tensor, torch.Tensor], seen: float | None, joined: bool
    ) -> None:
        """Merge a batch ``[n, *shape]`` into ``count``, ``std`` and the given mean, its rest, and the variance."""
        mean, rest, var = into
        if not x.is_floating_point():
            x = x.to(mean.dtype)
        d = (x - mean).nan_to_num_(0.0, 0.0, 0.0).clamp_(-FAR, FAR)
        first, spread = _mean_and_variance(d, mean.dtype)
        n: Any = len(x)
        rate: Any
        if joined:
            n, first, spread = _join(n, first + mean, spread)
            first = first - mean  # relative to the mean of this process, which may have begun with a different mean

        # The mean is stored in two parts, rounded value and rest. A single float32 could not change by less than half
        # an ulp, which is 0.004 at a mean of 1e5: more than one sample's effect after a hundred others.
        gap = first - rest
        if seen is None:
            rate = self._count_on_device(n, mean.dtype)
            between = torch.addcmul(spread, gap, gap * (1 - rate))
        else:
            rate = self._count(n, seen)
            between = torch.addcmul(spread, gap, gap, value=1 - rate)
        delta = torch.lerp(rest, first, rate)  # a + rate (b - a), and exactly b for the first batch
        var.lerp_(between, rate)
        nearest = mean + delta
        torch.sub(delta, nearest - mean, out=rest)  # the part of delta that rounding loses
        mean.copy_(nearest)
        torch.sqrt(var, out=self._std)

    def inverse(self, y: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`forward`: return normalized ``y [..., *shape]`` in its original units."""
        mean = self._mean
        trailing_shape("y", y, mean.shape[1:])
        return y * (self._std + self.eps) + mean

    def _begin_near(self, x: torch.Tensor) -> None:
        """Set the mean close to the data before the first sample, when it has no weight, so that no digits are lost."""
        if len(x) > 0:
            far = min(FAR, torch.finfo(self._mean.dtype).max)
            start = _mean_of_finite(x).clamp(-far, far)
            self._mean.copy_(torch.where(self.count > 0, self._mean, start))
            self._near = True

    def _filled(self, x: torch.Tensor) -> torch.Tensor:
        """Replace NaN and infinity in a batch by the running mean, or in the first batch by the batch's own mean."""
        x = x.double()
        if len(x) == 0:
            return x
        return torch.where(x.isfinite(), x, torch.where(self.count > 0, self._mean, _mean_of_finite(x)))

    def _rest_of(self, mean: torch.Tensor) -> torch.Tensor:
        """Return the rounding error of the mean, which is zero if something else has written into the mean."""
        rest, known = self._mean_rest, self._known
        if rest.shape != mean.shape:
            self._mean_rest = rest = torch.zeros_like(mean)
        elif recorded(mean) or known.rest is not rest or known.rest_version != rest._version:
            return rest  # both may have been moved or restored
        elif known.mean is not mean or known.mean_version != mean._version:
            rest.zero_()
        return rest

    def _seen(self) -> float | None:
        """Return ``count`` as a Python number, or None if it cannot be read from the device.

        It is read from the device in the first update, and whenever something else has written into ``count``.
        """
        count, known = self.count, self._known
        if recorded(count):
            # Each replay of a CUDA graph updates the count, which a Python number cannot follow.
            known.replayed = known.replayed or not torch.compiler.is_compiling()
            return None
        if known.replayed or count.is_inference():
            return None
        shared = count.is_cpu and count.untyped_storage().is_shared()  # another process may update it, too
        if known.count is count and known.count_version == count._version and not shared:
            return known.number
        return 0 if count.is_meta else count.item()

    def _count(self, n: int, seen: float) -> float:
        """Add ``n`` to the count of samples; return ``n`` as a share of all samples."""
        count, known = self.count, self._known
        count.add_(n)
        known.count, known.count_version, known.number = count, count._version, seen + n
        return n / (seen + n)

    def _count_on_device(self, n: int | torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Do the same as ``_count``, and compare the count with ``until``, without reading it from the device."""
        count = self.count
        added = n if isinstance(n, torch.Tensor) else torch.full_like(count, n)
        if self.until is not None:
            added = added * (count < self.until)
        count.add_(added)
        return added.to(dtype) / count.clamp(min=1)  # all ranks may be empty

    def _store(self, mean: torch.Tensor, rest: torch.Tensor, var: torch.Tensor) -> None:
        """Round statistics to buffers of a different dtype, such as those of a module in half precision."""
        exact = mean + rest
        limit = torch.finfo(self._mean.dtype).max
        self._mean.copy_(exact.clamp(-limit, limit))
        self._mean_rest.copy_((exact - self._mean).clamp(-limit, limit))
        self._var.copy_(var.clamp(max=torch.finfo(self._var.dtype).max))
        if self._std.dtype is not self._var.dtype:
            self._std = self._std.to(self._var.dtype)

    @torch.jit.unused
    def _centred(self, x: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
        try:
            y = x - mean
            # This is faster than comparing the sizes first; when torch traces, they are unknown.
            fits = torch.jit.is_tracing() or isinstance(x, torch.fx.Proxy) or x.shape == y.shape
        except (AttributeError, RuntimeError, TypeError):
            trailing_shape("x", x, mean.shape[1:])
            raise
        if not fits:
            trailing_shape("x", x, mean.shape[1:])
        return y if std.dtype is mean.dtype else y.to(torch.promote_types(y.dtype, std.dtype))

    def _load_from_state_dict(self, *arguments: Any) -> None:
        super()._load_from_state_dict(*arguments)
        rest, mean = self._mean_rest, self._mean  # the rest belongs to the previous mean
        if rest.dtype is mean.dtype and rest.device == mean.device:
            rest.zero_()  # in place, because a CUDA graph may read it
        else:
            self._mean_rest = torch.zeros_like(mean)
        self._near = False

    def __getstate__(self) -> dict[str, Any]:
        """Leave out Python's record of the buffers, so that a copy of the module reads its own ``count``."""
        return self.__dict__ | {"_known": _Known()}


def _precise(*buffers: torch.Tensor) -> torch.dtype:
    """Return the dtype for computing statistics, which is at least single precision."""
    dtype = torch.float32
    for buffer in buffers:
        if buffer.dtype is not dtype:
            dtype = torch.promote_types(buffer.dtype, dtype)
    return dtype


def _mean_and_variance(d: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and population variance over the first dimension of ``d [n, *shape]``; this may overwrite ``d``."""
    if d.is_cpu:  # on the CPU, the single operation below takes ten times as long as these four
        mean = d.mean(0, keepdim=True, dtype=dtype)
        return mean, d.sub_(mean).square_().mean(0, keepdim=True, dtype=dtype)
    var, mean = torch.var_mean(d, 0, correction=0, keepdim=True)
    return mean.to(dtype), var.to(dtype)


def _mean_of_finite(x: torch.Tensor) -> torch.Tensor:
    """Return each feature's mean ``[1, *shape]``, ignoring NaN and numbers above ``FAR``; 0 if no numbers remain."""
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    return torch.where(x.abs() <= FAR, x, torch.nan).nanmean(0, keepdim=True).nan_to_num_(0.0)


def _join(n: int, mean: torch.Tensor, var: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the number of samples of all processes together, and their mean and variance, ``[1, *shape]`` each."""
    samples, joined = _mean_over_ranks(n, mean)
    _, joined_var = _mean_over_ranks(n, var + (mean - joined).square())
    return samples, joined, joined_var


def _mean_over_ranks(n: int, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the number of samples of all processes together, and the mean over all of them."""
    sums = torch.stack((torch.ones_like(mean), mean)).mul_(n).nan_to_num_(0.0, 0.0, 0.0)  # a rank may have no samples
    torch.distributed.all_reduce(sums)
    samples, total = sums.unbind()
    return samples.flatten()[0].long(), total / samples.clamp(min=1)
