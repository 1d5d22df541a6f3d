"""Lesson 1's exercises: draw orthogonal weights, run a perceptron, count its parameters, find its dead units."""

from . import choices, count_parameters, dead_fraction, mlp_forward, orthogonal_

EXERCISES = (orthogonal_.EXERCISE, mlp_forward.EXERCISE, count_parameters.EXERCISE, dead_fraction.EXERCISE)
CHOICES = choices.CHOICES
