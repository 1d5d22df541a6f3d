"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

TRAINING_FAULT = Choice(
    "training_fault",
    {
        "gamma is too small": "then no value could be this large: it is at most 1 / (1 - gamma), 2 for a gamma of 0.5. "
        "Compare with the second column.",
        "time-outs count as failures": "that makes values too small, and these are too large for robots that return "
        "about 10. Besides, a robot that falls this soon never sees the end of its time.",
        "the learning rate is too small": "then value and std would stay where they began. Both move as far as in the "
        "healthy training.",
        "episode ends are ignored": "the critic says 80 of robots that return about 10, so what it learns contains the "
        "rewards of the next episode. And a fall that costs nothing is not avoided.",
    },
    "episode ends are ignored",
)

DISCOUNT = Choice(
    "discount",
    {
        "0.9": "a reward 400 steps ahead counts less than 10 to the power of -18: the robot does not care.",
        "0.99": "with 50 actions a second, yes: there 2 s are 100 steps. Here they are 400, and 0.99 to the power "
        "of 400 is 0.02: the fall hardly counts.",
        "0.9975": "2 s are 400 steps, and 0.9975 to the power of 400 is 0.37: the fall counts, and what comes much "
        "later does not disturb.",
        "0.9999": "the fall counts, but so do 10,000 steps where an episode has 4,000: the critic has to learn values "
        "of up to 10,000 rewards, and advantages are full of the chance of all later steps.",
    },
    "0.9975",
)

CHOICES: tuple[Choice, ...] = (TRAINING_FAULT, DISCOUNT)
