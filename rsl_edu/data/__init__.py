"""The real input of the lessons: robots that move in MuJoCo, and terrain that was surveyed."""

from .robots import ROBOTS, Rollout, rollout
from .terrain import height_scans

__all__ = ["ROBOTS", "Rollout", "height_scans", "rollout"]
