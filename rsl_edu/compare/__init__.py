"""Compares what was trained with what was deployed: a checkpoint with an export."""

from .exports import Comparison, Reason, compare_export

__all__ = ["Comparison", "Reason", "compare_export"]
