"""Compares recordings of observations: what differs between training and play or the robot, feature by feature."""

from .comparing import compare_recordings
from .comparison import Difference, RecordingComparison

__all__ = ["Difference", "RecordingComparison", "compare_recordings"]
