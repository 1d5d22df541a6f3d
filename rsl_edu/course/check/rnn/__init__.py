"""Lesson 3's exercises: one step of a GRU, forget when an episode ends, cut a rollout into trajectories and back."""

from . import choices, gru_step, reset_done, split_and_pad, unpad

EXERCISES = (gru_step.EXERCISE, reset_done.EXERCISE, split_and_pad.EXERCISE, unpad.EXERCISE)
CHOICES = choices.CHOICES
