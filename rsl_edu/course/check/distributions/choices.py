"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

CHOICES: tuple[Choice, ...] = (
    Choice(
        "gripper_std",
        {
            "scalar, 1e-6": (
                "Adam moves the std itself by up to 0.001 per update. From 1 it is at zero after about 1,000 updates, "
                "and waits at 1e-6, which explores nothing, when half of the 4,000 are done."
            ),
            "scalar, 0.05": (
                "it cannot reach zero, but Adam moves the std itself by up to 0.001 per update: after about "
                "950 it is at 0.05, and you want more than 0.1 after 2,000."
            ),
            "log, 0.1": (
                "halfway it is right, exp(-0.001 · 2,000) = 0.14. But this limit is the very value that the std has to "
                "fall below by the end."
            ),
            "log, 0.01": (
                "the log falls by up to 0.001 per update, so the std is at least exp(-2) = 0.14 halfway and can come "
                "down to exp(-4) = 0.02 at the end, which is above the limit."
            ),
        },
        "log, 0.01",
    ),
    Choice(
        "growing_std",
        {
            "the entropy bonus": (
                "all six joints get the same bonus, and five stds fall in spite of it. It explains why this std grows "
                "when nothing else acts on it. Why does nothing else act on it?"
            ),
            "front shin: no torque": (
                "its mean stays near 0 as it should: at the top of the lesson, its curve has its peak there. And its "
                "std falls in spite of the bonus, so trying other torques costs reward: its torque arrives."
            ),
            "front thigh: no torque": (
                "the reward does not depend on this action, so its advantage pushes mean and std in no direction, and "
                "only the entropy bonus is left, which widens the std."
            ),
            "front thigh: reversed": (
                "then the reward would rise towards -1 as steeply as it should towards 1: the mean would go there, and "
                "the std would fall as that of the back thigh does. This mean stays at 0."
            ),
            "front thigh: at a limit": (
                "a std that is held at a limit lies there, at 0.05 or 10, in a straight line. This one moves at every "
                "step, and is near 1."
            ),
        },
        "front thigh: no torque",
    ),
)
