"""Choices of lesson 2: a decision to make and a fault to find."""

from __future__ import annotations

from ..choice import Choice

PADDING = Choice(
    "scan_padding",
    {
        "none": (
            "without padding, the third layer does not fit. By equation (2), 11 rows become 7, then 3, and a "
            "kernel of 5 does not fit into 3."
        ),
        "zeros": (
            "at the right border, the slope filter sees 0.28 m and then 0: (0 − 0.28) / 0.2 = −1.4. The ground "
            "rises with a slope of 0.4, but the map shows a drop that is more than three times as steep."
        ),
        "reflect": (
            "the point beyond the border is a copy of the point before it: (0.28 − 0.28) / 0.2 = 0. The ramp "
            "ends in a flat strip. That is better than a cliff, but a different padding preserves half of the slope."
        ),
        "replicate": (
            "(0.32 − 0.28) / 0.2 = 0.2: the sign is right, and half of the slope is preserved. Only a "
            "measurement beyond the border could do better, and without padding the third layer does not fit."
        ),
        "circular": (
            "the point beyond the right border comes from the left border, at −0.32 m: (−0.32 − 0.28) / 0.2 = "
            "−3.0. This is the steepest cliff of all, because the lowest side of the ramp follows its highest."
        ),
    },
    "replicate",
)

SCAN = Choice(
    "odd_scan",
    {
        "columns": (
            "then each group of 11 numbers would be one column of the ground, and the 17 groups would show all "
            "of the ground, mirrored at its diagonal. Its valley would be in one piece."
        ),
        "transpose": (
            "exchanging rows and columns mirrors the ground at its diagonal. Neighbours stay neighbours, so "
            "there would still be one valley, but here it is in pieces. Check the order in which the numbers "
            "arrive."
        ),
        "robots": (
            "heights from other robots would change the minimum, the maximum and the mean height. All three are "
            "printed above the picture, before and after, and they are the same: these are the right 187 "
            "numbers."
        ),
        "reshape": (
            "the numbers arrive row by row, with 17 in a row, but are laid out with 11 in a row. Each row starts "
            "6 points too early compared with the row above, so every edge becomes a stripe. torch raises no "
            "error, because both shapes have 187 numbers."
        ),
    },
    "reshape",
)

CHOICES: tuple[Choice, ...] = (PADDING, SCAN)
