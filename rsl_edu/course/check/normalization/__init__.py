"""Exercises of lesson 4: merge the moments of two groups, keep running statistics, and find the scale of rewards."""

from . import choices, discounted_return_scale, merge_moments, running_norm

EXERCISES = (merge_moments.EXERCISE, running_norm.EXERCISE, discounted_return_scale.EXERCISE)
CHOICES = choices.CHOICES
