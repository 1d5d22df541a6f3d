"""Model of what an export may compute: the checkpoint's policy with one or two changes."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from rsl_edu.checkpoint import Checkpoint, Policy
from rsl_edu.modules.mlp import make_activation


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A policy, and how it is used.

    Attributes:
        name: Name of the policy's file.
        policy: The policy; only its weights are used, not its own normalizer.
        normalizer: Mean and divisor, each ``[features]``, or None.
        activation: rsl_rl's name of the hidden layers' activation; None keeps the policy's activation.
        times: How many times an observation is normalized.
        clip: Limits of an observation before and after the normalizer.
        order: Index of the observed feature for each feature of the policy, ``[features]``; None keeps the order.
        carries: Whether the hidden state is carried from one step to the next.
        start: Initial hidden state (and cell state), ``[layers, 1, hidden]`` each; an empty tuple means zeros.
        ending: Function applied to the actions ``[time, envs, actions]``.
    """

    name: str
    policy: Policy
    normalizer: tuple[torch.Tensor, torch.Tensor] | None
    activation: str | None = None
    times: int = 1
    clip: tuple[float, float] = (math.inf, math.inf)
    order: torch.Tensor | None = None
    carries: bool = True
    start: tuple[torch.Tensor, ...] = ()
    ending: Callable[[torch.Tensor], torch.Tensor] | None = None

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Model:
        """Return the unchanged policy of a checkpoint, in double precision."""
        policy = checkpoint.policy
        normalizer = policy.normalizer
        statistics = None
        if normalizer is not None:
            statistics = normalizer.mean.double(), normalizer.std.double() + normalizer.eps
        return cls(checkpoint.path.name, copy.deepcopy(policy).double(), statistics)

    def rounded(self, dtype: torch.dtype) -> Model:
        """Return the same model in the given precision."""
        mean_and_divisor = self.normalizer and (self.normalizer[0].to(dtype), self.normalizer[1].to(dtype))
        return dataclasses.replace(self, policy=copy.deepcopy(self.policy).to(dtype), normalizer=mean_and_divisor)

    @property
    def network(self) -> tuple[Any, ...]:
        """What the actions depend on before the last operations; equal if two models differ only in these."""
        parts = (self.policy, self.normalizer, self.order, self.start)
        return (*map(id, parts), self.activation, self.times, self.clip, self.carries)

    def actions(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the actions ``[time, envs, actions]`` before the last operations (clip, squash).

        Args:
            observations: ``[time, envs, features]``; each environment begins with a new hidden state.
            images: The policy's images, each ``[time, envs, channels, height, width]``.
        """
        return self.policy.distribution.deterministic_output(self.output(observations, images))

    def output(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the network's output, which is the input of the distribution, ``[time, envs, ...]``."""
        policy = self.policy
        dtype: torch.dtype = policy.mlp[0].weight.dtype  # type: ignore[assignment]
        x = observations.to(dtype)
        if self.order is not None:
            x = x[..., self.order]
        x = x.clamp(-self.clip[0], self.clip[0])
        if self.normalizer is not None:
            for _ in range(self.times):
                x = (x - self.normalizer[0]) / self.normalizer[1]
        x = x.clamp(-self.clip[1], self.clip[1])
        time, envs = x.shape[:2]
        if policy.rnn is not None:
            x = self._remember(policy.rnn.rnn, x)
        seen = [
            cnn(images[name].to(dtype).flatten(0, 1)).unflatten(0, (time, envs))
            for name, cnn in policy.cnns.items()
            if images is not None
        ]
        x = torch.cat([x, *seen], -1).flatten(0, 1)
        other = None if self.activation is None else make_activation(self.activation)
        for layer in policy.mlp:
            x = layer(x) if other is None or isinstance(layer, (nn.Linear, nn.Unflatten)) else other(x)
        outputs: torch.Tensor = x.unflatten(0, (time, envs))
        return outputs

    def _remember(self, rnn: Any, x: torch.Tensor) -> torch.Tensor:
        time, envs = x.shape[:2]
        if not self.carries:
            x = x.reshape(1, time * envs, -1)
        start: Any = tuple(part.to(x.dtype).expand(-1, x.shape[1], -1).contiguous() for part in self.start)
        if not start or isinstance(rnn, nn.GRU):
            start = start[0] if start else None
        remembered: torch.Tensor = rnn(x, start)[0].reshape(time, envs, -1)
        return remembered
