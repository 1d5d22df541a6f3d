"""Action distributions, which turn the output of a network into exploration."""

from .base import Distribution
from .beta import BetaDistribution
from .gaussian import GaussianDistribution
from .heteroscedastic import HeteroscedasticGaussianDistribution

__all__ = ["BetaDistribution", "Distribution", "GaussianDistribution", "HeteroscedasticGaussianDistribution"]
