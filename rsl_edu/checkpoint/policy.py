"""The actor of rsl_rl, built from our modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from rsl_edu.modules import CNN, MLP, RNN, Distribution, EmpiricalNormalization


class Policy(nn.Module):
    r"""The actor of rsl_rl: normalizer :math:`\to` (CNN | RNN) :math:`\to` MLP :math:`\to` distribution.

    The names in its ``state_dict`` are those of rsl_rl 5.

    Args:
        mlp: Maps the latent to the parameters of the distribution.
        distribution: Distribution of the actions.
        obs_normalizer: Normalizer of the vector observations; None leaves them unchanged.
        rnn: Recurrent network between normalizer and MLP, or None.
        cnns: The CNN of each image observation, by the observation's name.
    """

    def __init__(
        self,
        mlp: MLP,
        distribution: Distribution,
        obs_normalizer: nn.Module | None = None,
        rnn: RNN | None = None,
        cnns: Mapping[str, CNN] | None = None,
    ) -> None:
        super().__init__()
        self.obs_normalizer = nn.Identity() if obs_normalizer is None else obs_normalizer
        self.rnn = rnn
        self.cnns = nn.ModuleDict(cnns or {})
        self.mlp = mlp
        self.distribution = distribution

    @property
    def features(self) -> int:
        """Number of features of an observation, without images."""
        if self.rnn is not None:
            return int(self.rnn.rnn.input_size)
        seen: int = sum(cnn.output_dim for cnn in self.cnns.values())  # type: ignore[misc]
        first: Any = self.mlp[0]
        return int(first.in_features) - seen

    @property
    def actions(self) -> int:
        """Dimensions of an action."""
        return self.distribution.output_dim

    @property
    def normalizer(self) -> EmpiricalNormalization | None:
        """The normalizer, if the policy has one."""
        return self.obs_normalizer if isinstance(self.obs_normalizer, EmpiricalNormalization) else None

    def latent(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the input of the MLP, ``[envs, latent]``; a recurrent policy takes one step.

        Args:
            observations: ``[envs, features]``.
            images: For each name in ``cnns``, an image ``[envs, channels, height, width]``.
        """
        latent = self.obs_normalizer(observations)
        if self.rnn is not None:
            latent = self.rnn(latent).squeeze(0)
        seen = [cnn((images or {})[name]) for name, cnn in self.cnns.items()]
        return torch.cat([latent, *seen], dim=-1) if seen else latent

    def forward(self, observations: torch.Tensor, images: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Return the mean action ``[envs, actions]``, which is used after training (arguments: :meth:`latent`)."""
        return self.distribution.deterministic_output(self.mlp(self.latent(observations, images)))

    def reset(self, dones: torch.Tensor | None = None) -> None:
        """Reset the hidden state of the environments whose episode ended, ``dones [envs]``; None resets all."""
        if self.rnn is not None:
            self.rnn.reset(dones)
