"""The pictures that open the lessons and their landing page, drawn from the package's own data."""

from . import fading, memory, noise, pendulum, robots, shapes

PICTURES = {
    "robots": robots.draw,
    "1_mlp": fading.draw,
    "2_cnn": shapes.draw,
    "3_rnn": memory.draw,
    "4_normalization": pendulum.normalization,
    "5_distributions": noise.draw,
    "6_policy": pendulum.policy,
}
"""The function that draws each picture in ``notebooks/pictures``, by the name of the file."""
