"""The five building blocks of a robot's policy, with the public API of ``rsl_rl.modules``.

The lessons cover them in this order: ``mlp``, ``cnn``, ``rnn``, ``normalization``, ``distribution``.
They require only torch.
"""

from .cnn import CNN
from .distribution import BetaDistribution, Distribution, GaussianDistribution, HeteroscedasticGaussianDistribution
from .mlp import MLP
from .normalization import EmpiricalDiscountedVariationNormalization, EmpiricalNormalization
from .rnn import RNN, HiddenState
from .trajectories import split_and_pad_trajectories, unpad_trajectories

__all__ = [
    "CNN",
    "MLP",
    "RNN",
    "BetaDistribution",
    "Distribution",
    "EmpiricalDiscountedVariationNormalization",
    "EmpiricalNormalization",
    "GaussianDistribution",
    "HeteroscedasticGaussianDistribution",
    "HiddenState",
    "split_and_pad_trajectories",
    "unpad_trajectories",
]
