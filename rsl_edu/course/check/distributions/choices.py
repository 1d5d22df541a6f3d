"""Choices of lesson 5: a decision to make and a fault to find."""

from __future__ import annotations

from ..choice import Choice

CHOICES: tuple[Choice, ...] = (
    Choice(
        "gripper_std",
        {
            "scalar, 1e-6": (
                "Adam moves the std itself by up to 0.001 per update. Starting from 1, the std reaches zero after "
                "about 1,000 updates and then stays at 1e-6, so the gripper no longer explores when half of the 4,000 "
                "updates are done."
            ),
            "scalar, 0.05": (
                "the std cannot reach zero, but Adam moves the std itself by up to 0.001 per update: after about 950 "
                "updates it is at 0.05, and it should be above 0.1 after 2,000."
            ),
            "log, 0.1": (
                "halfway, the std is right: exp(-0.001 · 2,000) = 0.14. But this limit is exactly the value that the "
                "std has to fall below by the end."
            ),
            "log, 0.01": (
                "the log of the std falls by up to 0.001 per update, so the std is at least exp(-2) = 0.14 halfway and "
                "can fall to exp(-4) = 0.02 by the end, which is above the limit."
            ),
        },
        "log, 0.01",
    ),
    Choice(
        "growing_std",
        {
            "the entropy bonus": (
                "all six joints get the same bonus, and five stds fall in spite of it. The bonus explains why this std "
                "grows if nothing else acts on it. But why does nothing else act on it?"
            ),
            "front shin: no torque": (
                "its mean stays near 0, as it should: the curve at the top of the lesson peaks there. And its std "
                "falls in spite of the bonus, so trying other torques costs reward. So the torque does arrive."
            ),
            "front thigh: no torque": (
                "the reward does not depend on this action, so the advantage pushes its mean and std in no particular "
                "direction. Only the entropy bonus is left, and it widens the std."
            ),
            "front thigh: reversed": (
                "then the reward would rise towards -1 as steeply as it should rise towards 1. The mean would move to "
                "-1, and the std would fall like the std of the back thigh. But this mean stays at 0."
            ),
            "front thigh: at a limit": (
                "a std that is held at a limit stays exactly there, at 0.05 or 10, in a straight line. This std moves "
                "at every step and is near 1."
            ),
        },
        "front thigh: no torque",
    ),
)
