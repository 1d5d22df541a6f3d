"""Exercises of lesson 3: a GRU step, the reset at the end of an episode, and splitting a rollout into trajectories."""

from . import choices, gru_step, reset_done, split_and_pad, unpad

EXERCISES = (gru_step.EXERCISE, reset_done.EXERCISE, split_and_pad.EXERCISE, unpad.EXERCISE)
CHOICES = choices.CHOICES
