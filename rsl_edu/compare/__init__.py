"""Compares what was trained with what was deployed: a checkpoint with an export."""

from .export import compare_export
from .export_report import Comparison, Reason

__all__ = ["Comparison", "Reason", "compare_export"]
