"""Running scale of a stream of rewards."""

from __future__ import annotations

import torch
from torch import nn

from ..validate import exact_shape, positive, trailing_shape
from .empirical import EmpiricalNormalization


class EmpiricalDiscountedVariationNormalization(nn.Module):
    r"""Scale rewards by the running standard deviation (std) of discounted returns (Burda et al., 2018).

    Each environment has a discounted sum, :math:`\bar R_t = \gamma \bar R_{t-1} + r_t`, and the scaled reward is
    :math:`r_t / \operatorname{std}(\bar R)`. The std of the *returns* is the scale of the value function. Nothing is
    subtracted, because shifting the rewards would change the task. A NaN or infinite reward adds nothing to the sum.

    Args:
        shape: Shape of one environment's reward; ``()`` for a number, with rewards ``[envs]``.
        eps: The ``eps`` of the normalizer inside. It is not added to the scale.
        gamma: Discount factor :math:`\gamma`, from 0 to 1.
        until: Number of samples after which the scale no longer changes; None means never.

    Attributes:
        emp_norm: Running statistics of the discounted returns.
        disc_avg: The discounted sums, with ``gamma`` and ``avg [envs, *shape]`` (None before the first step). They are
            not part of ``state_dict``, because a resumed training run does not continue the episodes they belong to.

    Source: the public API of ``rsl_rl.modules.EmpiricalDiscountedVariationNormalization``, which has no ``dones``.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-2,
        gamma: float = 0.99,
        until: int | None = None,
    ) -> None:
        super().__init__()
        discount = positive("gamma", gamma, allow_zero=True)
        if discount > 1:
            raise ValueError(f"gamma: expected a number from 0 to 1, got {gamma!r}")
        self.emp_norm = EmpiricalNormalization(shape, eps, until)
        self.disc_avg = _DiscountedSum(discount)

    def forward(self, rew: torch.Tensor, dones: torch.Tensor | None = None) -> torch.Tensor:
        """Scale the rewards of one step, ``[envs, *shape]``; in training mode, update the statistics first.

        Args:
            rew: Rewards of one step.
            dones: Nonzero where this step ended an episode, ``[envs]`` or ``[envs, 1]``; the next step begins a new
                sum there. With None the sums continue, as in rsl_rl.
        """
        statistics = self.emp_norm
        std = statistics._std
        trailing_shape("rew", rew, std.shape[1:])
        if self.training and rew.numel() > 0:
            total, following = self.disc_avg.after(rew, dones)
            statistics.update(total)
            self.disc_avg.avg = following
        return rew / (std + (std == 0))  # divide by 1 if nothing has varied yet


class _DiscountedSum(nn.Module):
    r"""The discounted sums :math:`\bar R_t` of the environments."""

    avg: torch.Tensor | None

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("avg", None, persistent=False)

    def update(self, rew: torch.Tensor, dones: torch.Tensor | None = None) -> torch.Tensor:
        """Add the rewards of one step and return the sums, which still include the episodes that end in this step."""
        total, self.avg = self.after(rew, dones)
        return total

    def after(self, rew: torch.Tensor, dones: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sums after the rewards of one step, and the sums with which the next step begins."""
        before = self.avg
        if before is not None and before.shape != rew.shape:
            raise ValueError(
                f"rew: expected shape {list(before.shape)} as in the previous steps "
                f"(to restart, set disc_avg.avg = None), "
                f"got {list(rew.shape)}"
            )
        if dones is not None:
            exact_shape("dones", dones, (len(rew),), (len(rew), 1))
        rew = rew if rew.is_floating_point() else rew.float()
        total = (rew.detach() if rew.requires_grad else rew).nan_to_num(0.0, 0.0, 0.0)
        if before is not None:
            total.add_(before, alpha=self.gamma)
        if dones is None:
            return total, total
        return total, total.masked_fill(dones.bool().reshape(-1, *[1] * (rew.dim() - 1)), 0)
