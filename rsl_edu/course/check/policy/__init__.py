"""Exercises of lesson 6: advantages, PPO's clipped loss, and the value that a time-out cuts off."""

from . import advantages, bootstrap, choices, surrogate_loss

EXERCISES = (advantages.EXERCISE, surrogate_loss.EXERCISE, bootstrap.EXERCISE)
CHOICES = choices.CHOICES
