"""Choices of lesson 3: a decision to make and a fault to find."""

from __future__ import annotations

from ..choice import Choice

UPDATE_BIAS = Choice(
    "update_bias",
    {
        "4": "z is then 0.982, and 0.982 to the power of 200 is 0.027: after 200 steps almost nothing is left.",
        "5": ("z is then 0.9933. Half is still left after 100 steps, but 0.9933 to the power of 200 is only 0.26."),
        "6": "z is then 0.9975, and 0.9975 to the power of 200 is 0.61: more than half is left.",
        "8": (
            "z is then 0.99966, and 94 % is left. But each step takes in only 1 - z = 0.0003 of the new "
            "information, 7 times less than a smaller bias that also keeps more than half."
        ),
    },
    right="6",
)
MEMORY_FAULT = Choice(
    "memory_fault",
    {
        "no reset when it plays": (
            "then the first episodes would be right, and the later ones would be wrong from their first step on, "
            "by about a metre, as section 6 shows. In the picture, both are right at first and wrong later."
        ),
        "rollouts of 8 steps": (
            "then no gradient would have trained it to remember for more than 8 steps, and both curves would "
            "rise soon after step 8. In the picture they are still flat at 12."
        ),
        "rollouts of 16 steps": (
            "it is accurate up to about the age for which it was trained, both in first and in later episodes. "
            "No gradient ever trained it beyond that age."
        ),
        "rollouts of 32 steps": (
            "then it would have been trained for an age of 24 steps just as for an age of 8. In the picture, its "
            "error at 24 is already 6 to 9 cm."
        ),
        "a detach after each step": (
            "a detach at every step affects all steps equally, so the error would not start at a certain age. "
            "And a network that was trained this way, with three seeds, was 8 to 16 cm off on its own rollouts."
        ),
    },
    right="rollouts of 16 steps",
)
CHOICES: tuple[Choice, ...] = (UPDATE_BIAS, MEMORY_FAULT)
