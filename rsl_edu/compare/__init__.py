"""Compares what was trained with what was deployed: a checkpoint with an export, and recordings with each other."""

from .exports import Comparison, Reason, compare_export
from .recordings import Difference, RecordingComparison, compare_recordings

__all__ = ["Comparison", "Difference", "Reason", "RecordingComparison", "compare_export", "compare_recordings"]
