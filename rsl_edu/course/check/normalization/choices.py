"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

RESUMED_STATISTICS = Choice(
    "resumed_statistics",
    {
        "count was lost": "mean and std were loaded, but the first batch weighs everything: the normalizer takes it "
        "for the first it has ever seen.",
        "mean and std were lost": "then the point on the dotted line, which is before any update, would be a mean of 0 "
        "and a std of 1. It is where the curve was before.",
        "only the last batch counts": "then the curve would go on jumping at every update. This one becomes smoother: "
        "more and more samples count.",
        "the robot changed": "16 samples of another robot weigh 16 of 4,112 and move the mean by 0.4 % of the change. "
        "And the curve returns to the old values.",
    },
    "count was lost",
)

SHIFTED_REWARD = Choice(
    "shifted_reward",
    {
        "A": "a longer episode loses more. A robot that falls early keeps more of its return than one that stays up.",
        "B": "in B all episodes have the same length, so all returns lose the same number. What happens to the order "
        "of two policies then?",
        "both": "in B all episodes have the same length, so all returns lose the same number, and their order stays.",
        "neither": "in A one policy may stay up ten times longer than another one. How much does each of them lose?",
    },
    "A",
)

ANOTHER_ROBOT = Choice(
    "another_robot",
    {
        "0": "it follows, but the first 24 samples weigh everything: half a second of one robot replaces the "
        "statistics of a whole training at the first update.",
        "10000": "in the end the new samples weigh 30,000 of 40,000, three quarters. The first 24 weigh 0.24 %.",
        "30000": "the past then counts as much as the ten minutes: the mean comes half of the way.",
        "90000": "the new samples weigh 30,000 of 120,000: the mean comes a quarter of the way. "
        "Which share is the past's?",
        "295000000": "it goes on learning, but 30,000 new samples weigh 0.01 % next to 295 million: after ten "
        "minutes the mean has moved by 0.0002 standard deviations.",
    },
    "10000",
)

CHOICES: tuple[Choice, ...] = (RESUMED_STATISTICS, SHIFTED_REWARD, ANOTHER_ROBOT)
