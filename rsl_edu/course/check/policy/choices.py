"""Choices of lesson 6: a fault to find and a decision to make."""

from __future__ import annotations

from ..choice import Choice

TRAINING_FAULT = Choice(
    "training_fault",
    {
        "gamma is too small": (
            "then no value could be this large: a value is at most 1 / (1 - gamma), which is 2 for a gamma of 0.5. "
            "Compare with the second column."
        ),
        "time-outs count as failures": (
            "that makes values too small, but these are too large for robots whose return is about 10. Besides, a "
            "robot that falls this early never reaches its time limit."
        ),
        "the learning rate is too small": (
            "then value and std would stay near their initial values. Both change as much as in the healthy training "
            "run."
        ),
        "episode ends are ignored": (
            "the critic predicts 80 for robots whose return is about 10, so the returns it learns from contain the "
            "rewards of the next episode. And since a fall costs nothing, the policy does not learn to avoid it."
        ),
    },
    "episode ends are ignored",
)

DISCOUNT = Choice(
    "discount",
    {
        "0.9": (
            "a reward 400 steps ahead counts less than 10 to the power of -18, so the fall has no effect on the policy."
        ),
        "0.99": (
            "with 50 actions per second, this would be right, because 2 s would be 100 steps. Here, 2 s are 400 steps, "
            "and 0.99 to the power of 400 is 0.02, so the fall hardly counts."
        ),
        "0.9975": (
            "2 s are 400 steps, and 0.9975 to the power of 400 is 0.37. So the fall counts, and what comes much later "
            "does not interfere."
        ),
        "0.9999": (
            "the fall counts, but rewards up to about 10,000 steps ahead count too, although an episode has only 4,000 "
            "steps. The critic has to learn values of up to 10,000 rewards, and the advantages contain the randomness "
            "of all later steps."
        ),
    },
    "0.9975",
)

CHOICES: tuple[Choice, ...] = (TRAINING_FAULT, DISCOUNT)
