"""Exercises of lesson 5: log-probability, entropy and KL of Gaussian actions, and an adaptive learning rate."""

from . import adaptive_learning_rate, choices, gaussian_entropy, gaussian_kl, gaussian_log_prob

EXERCISES = (
    gaussian_log_prob.EXERCISE,
    gaussian_entropy.EXERCISE,
    gaussian_kl.EXERCISE,
    adaptive_learning_rate.EXERCISE,
)
CHOICES = choices.CHOICES
