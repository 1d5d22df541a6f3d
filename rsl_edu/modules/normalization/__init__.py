"""Normalization: running statistics of a stream of observations or rewards."""

from .empirical import EmpiricalNormalization
from .rewards import EmpiricalDiscountedVariationNormalization

__all__ = ["EmpiricalDiscountedVariationNormalization", "EmpiricalNormalization"]
