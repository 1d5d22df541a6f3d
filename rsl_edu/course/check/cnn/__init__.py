"""Exercises of lesson 2: the size of a layer's output, the convolution itself, and the receptive field."""

from . import choices, conv2d, output_size, receptive_field

EXERCISES = (output_size.EXERCISE, conv2d.EXERCISE, receptive_field.EXERCISE)
CHOICES = choices.CHOICES
