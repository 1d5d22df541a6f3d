"""Comparison of recorded observations: how play or the robot differs from training, feature by feature."""

from .comparing import compare_recordings
from .comparison import Difference, RecordingComparison

__all__ = ["Difference", "RecordingComparison", "compare_recordings"]
