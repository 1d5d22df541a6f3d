"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

UPDATE_BIAS = Choice(
    "update_bias",
    {
        "0": "z is then 0.5, and 0.5 to the power of 100 is 8e-31: after 100 steps nothing is left.",
        "2": "z is then 0.88, and 0.88 to the power of 100 is 3e-6: after 100 steps almost nothing is left.",
        "5": "z is then 0.9933, and 0.9933 to the power of 100 is 0.51: a little more than half is left.",
        "10": (
            "z is then 0.99995, and 99.5 % is left. But only 1 - z = 0.00005 of what is new comes in at a step, 150 "
            "times less than with a smaller bias that keeps half as well."
        ),
    },
    right="5",
)
MEMORY_FAULT = Choice(
    "memory_fault",
    {
        "no reset when it plays": (
            "then the first episodes would be right, and the later ones wrong from their first step on: by about a "
            "metre, as section 6 shows. In the picture both are right at first, and wrong later."
        ),
        "rollouts of 8 steps": (
            "it is accurate up to the age that it was trained for, in first and in later episodes alike; what comes "
            "after that, no gradient ever told it."
        ),
        "a learning rate of 0.0003": (
            "then it would have learned little in 100 updates, and be far off on its own rollouts too. It is less than "
            "2 cm off there."
        ),
        "a detach after each step": (
            "a detach cuts at every step alike, so nothing would change after 8 to 10 steps. And a network that was "
            "trained like this, with three seeds, was 7 to 17 cm off on its own rollouts."
        ),
    },
    right="rollouts of 8 steps",
)
CHOICES: tuple[Choice, ...] = (UPDATE_BIAS, MEMORY_FAULT)
