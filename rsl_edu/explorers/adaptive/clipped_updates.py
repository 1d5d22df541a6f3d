"""The gradient of PPO's clipped loss, for the explorer *adaptive rate*, without the cost of autograd."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import nn

from rsl_edu.modules import MLP, GaussianDistribution


@dataclasses.dataclass(frozen=True)
class MiniBatch:
    """A mini-batch of samples, with the outputs that the policy had when it drew the actions."""

    x: np.ndarray  # [samples, features]
    actions: np.ndarray  # [samples, actions]
    log_prob: np.ndarray  # [samples]
    advantage: np.ndarray  # [samples]
    mean: np.ndarray  # [samples, actions]
    std: np.ndarray  # [actions]


class Trained:
    """An ELU network and a Gaussian with a learned log std, in double precision, with all weights in one vector.

    Attributes:
        weights: Weights of the network and of the log std, ``[weights]``. The modules share this memory, so a change
            here also changes the modules.
    """

    def __init__(self, network: MLP, policy: GaussianDistribution) -> None:
        parameters = [*network.parameters(), *policy.parameters()]
        flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
        for parameter, values in zip(parameters, flat.split([each.numel() for each in parameters]), strict=True):
            parameter.data = values.view_as(parameter)
        self.weights = flat.numpy()
        linear = [layer for layer in network if isinstance(layer, nn.Linear)]
        self._layers = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in linear]
        self._log_std = policy.log_std_param.detach()
        self._first, self._second = np.zeros((2, len(self.weights)))  # Adam's moments
        self._steps = 0

    @property
    def std(self) -> np.ndarray:
        """The policy's std ``[actions]``, computed by torch because NumPy's ``exp`` may differ in the last digit.

        The policy's std limits are not applied; the few steps made here cannot reach them.
        """
        std: np.ndarray = self._log_std.exp().numpy()
        return std

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the input of each linear layer, ``[samples, units]``, followed by the mean actions."""
        values = [x]
        for weight, bias in self._layers:
            if len(values) > 1:  # after a hidden layer: ELU, in place
                z = values[-1]
                np.maximum(z, np.expm1(np.minimum(z, 0.0)), out=z)
            values.append(values[-1] @ weight.T + bias)
        return values

    def gradient(self, batch: MiniBatch, values: list[np.ndarray], clip: float) -> np.ndarray:
        """Return the gradient ``[weights]`` of the clipped loss; ``values`` is the result of :meth:`forward`."""
        std = self.std
        z = (batch.actions - values[-1]) / std
        log_prob = -0.5 * np.einsum("ij,ij->i", z, z) - float(self._log_std.sum()) - len(std) * 0.5 * np.log(2 * np.pi)
        ratio = np.exp(log_prob - batch.log_prob)
        gained = batch.advantage * ratio
        counts = gained <= batch.advantage * np.minimum(np.maximum(ratio, 1 - clip), 1 + clip)  # the others are clipped
        by_log_prob = gained * counts / -len(gained)
        by_log_std = by_log_prob @ (z * z) - by_log_prob.sum()
        by_values = by_log_prob[:, None] * z / std
        parts = [by_log_std]
        for i in reversed(range(len(self._layers))):
            parts[:0] = [(by_values.T @ values[i]).ravel(), by_values.sum(0)]
            if i:
                by_values = by_values @ self._layers[i][0]
                by_values *= np.minimum(values[i] + 1, 1.0)  # the slope of ELU, computed from its output
        return np.concatenate(parts)

    def step(self, gradient: np.ndarray, rate: float) -> None:
        """Take one Adam step."""
        self._steps += 1
        self._first += 0.1 * (gradient - self._first)
        self._second += 0.001 * (gradient * gradient - self._second)
        scale = np.sqrt(self._second / (1 - 0.999**self._steps)) + 1e-8
        self.weights -= rate / (1 - 0.9**self._steps) * self._first / scale


def kl_divergence(old_mean: np.ndarray, old_std: np.ndarray, new_mean: np.ndarray, new_std: np.ndarray) -> float:
    """Return the mean over the samples of KL(old‖new), in nats; means ``[samples, actions]``, stds ``[actions]``.

    The operations are in the same order as in :meth:`.GaussianDistribution.kl_divergence`. Two equal policies therefore
    give exactly 0, despite rounding; rsl_rl's rule raises the rate only if the KL is greater than 0.
    """
    ratio = np.square(old_std / new_std)
    shift = (old_mean - new_mean) / new_std
    shift *= shift
    return float((0.5 * (ratio + shift - 1 - np.log(ratio))).sum(1).mean())
