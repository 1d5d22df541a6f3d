"""Choices of lesson 4: two decisions to make and a fault to find."""

from __future__ import annotations

from ..choice import Choice

RESUMED_STATISTICS = Choice(
    "resumed_statistics",
    {
        "count was lost": (
            "mean and std were loaded, but the first batch gets all of the weight: the normalizer treats it as the "
            "first batch it has ever seen."
        ),
        "mean and std were lost": (
            "then the point on the dotted line, which is before any update, would have a mean of 0 and a std of 1. "
            "Instead, it continues the curve from before the interruption."
        ),
        "only the last batch counts": (
            "then the curve would keep jumping at every update. This curve becomes smoother, because more and more "
            "samples count."
        ),
        "the robot changed": (
            "16 samples from a different robot have a weight of 16 in 4,112, so they move the mean by only 0.4 % of "
            "the change. Besides, the curve returns to the old values."
        ),
    },
    "count was lost",
)

SHIFTED_REWARD = Choice(
    "shifted_reward",
    {
        "A": (
            "a longer episode loses more, so a robot that falls early keeps more of its return than a robot that stays "
            "up."
        ),
        "B": (
            "in B, all episodes have the same length, so all returns lose the same amount. What does that do to the "
            "order of two policies?"
        ),
        "both": "in B, all episodes have the same length, so all returns lose the same amount and keep their order.",
        "neither": (
            "in A, one policy may stay up ten times longer than another. How much does the return of each policy lose?"
        ),
    },
    "A",
)

ANOTHER_ROBOT = Choice(
    "another_robot",
    {
        "0": (
            "the mean follows, but the first 24 samples get all of the weight: at the first update, half a second from "
            "one robot replaces the statistics of an entire training run."
        ),
        "10000": (
            "at the end, the new samples have a weight of 30,000 in 40,000, which is three quarters. The first 24 "
            "samples have a weight of 0.24 %."
        ),
        "30000": (
            "then the old samples count as much as the ten minutes of new samples, and the mean moves only half of the "
            "way."
        ),
        "90000": (
            "the new samples have a weight of 30,000 in 120,000, so the mean moves a quarter of the way. Which share "
            "should the old samples have?"
        ),
        "295000000": (
            "the normalizer keeps learning, but 30,000 new samples have a weight of 0.01 % compared with 295 million "
            "old ones: after ten minutes, the mean has moved by 0.0002 standard deviations."
        ),
    },
    "10000",
)

CHOICES: tuple[Choice, ...] = (RESUMED_STATISTICS, SHIFTED_REWARD, ANOTHER_ROBOT)
