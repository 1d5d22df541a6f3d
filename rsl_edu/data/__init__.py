"""The real input of the lessons: robots that move in MuJoCo, and terrain that was surveyed."""

from .bodies import Motion, motion
from .robots import ROBOTS, Rollout, rollout
from .terrain import height_scans
from .training_run import example_run

__all__ = ["ROBOTS", "Motion", "Rollout", "example_run", "height_scans", "motion", "rollout"]
