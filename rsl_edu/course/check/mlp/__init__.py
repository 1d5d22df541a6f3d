"""Exercises of lesson 1: draw orthogonal weights, run an MLP, count its parameters and find its dead units."""

from . import choices, count_parameters, dead_fraction, mlp_forward, orthogonal_

EXERCISES = (orthogonal_.EXERCISE, mlp_forward.EXERCISE, count_parameters.EXERCISE, dead_fraction.EXERCISE)
CHOICES = choices.CHOICES
