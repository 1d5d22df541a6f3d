"""The data of the lessons: rollouts of MuJoCo robots, surveyed terrain, and a training run."""

from .bodies import Motion, motion
from .robots import ROBOTS, Rollout, rollout
from .terrain import height_scans
from .training_run import example_run

__all__ = ["ROBOTS", "Motion", "Rollout", "example_run", "height_scans", "motion", "rollout"]
