"""The real input of the lessons: robots that move in MuJoCo, and terrain that was surveyed."""

from .bodies import Motion, motion
from .robots import ROBOTS, Rollout, rollout
from .runs import example_run
from .terrain import height_scans

__all__ = ["ROBOTS", "Motion", "Rollout", "example_run", "height_scans", "motion", "rollout"]
