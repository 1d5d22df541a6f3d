"""The real input of the lessons: robots that move in MuJoCo, and terrain that was surveyed."""

from .bodies import Motion, motion
from .robots import ROBOTS, Rollout, rollout
from .terrain import height_scans

__all__ = ["ROBOTS", "Motion", "Rollout", "height_scans", "motion", "rollout"]
