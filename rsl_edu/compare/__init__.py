"""Comparison of training with deployment: of a checkpoint with its export, and of two recordings."""

from .exports import Comparison, Reason, compare_export
from .recordings import Difference, RecordingComparison, compare_recordings

__all__ = ["Comparison", "Difference", "Reason", "RecordingComparison", "compare_export", "compare_recordings"]
