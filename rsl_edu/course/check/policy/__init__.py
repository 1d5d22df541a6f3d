"""Lesson 6's exercises: advantages, PPO's clipped loss, and the value of the time that was cut off."""

from . import advantages, bootstrap, choices, surrogate_loss

EXERCISES = (advantages.EXERCISE, surrogate_loss.EXERCISE, bootstrap.EXERCISE)
CHOICES = choices.CHOICES
