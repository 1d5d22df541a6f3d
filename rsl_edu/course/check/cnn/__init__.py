"""Lesson 2's exercises: the size of a layer's output, the convolution itself, and how far back a unit sees."""

from . import choices, conv2d, output_size, receptive_field

EXERCISES = (output_size.EXERCISE, conv2d.EXERCISE, receptive_field.EXERCISE)
CHOICES = choices.CHOICES
