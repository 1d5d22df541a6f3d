"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

PADDING = Choice(
    "scan_padding",
    {
        "none": "it does not fit. By (2), 11 rows become 7, then 3, and a kernel of 5 finds no place on 3.",
        "zeros": "at the right border the slope filter sees 0.28 m, then 0: (0 − 0.28) / 0.2 = −1.4. The ground rises "
        "by 0.4, and the map shows a drop that is three times as steep.",
        "reflect": "the point beyond the border is a copy of the one before it: (0.28 − 0.28) / 0.2 = 0. The ramp ends "
        "in a flat strip. That is better than a cliff, but another padding keeps half of the slope.",
        "replicate": "(0.32 − 0.28) / 0.2 = 0.2: the sign is right, and half of the slope is left. Nothing but a "
        "measurement could do better, and without padding the third layer does not fit.",
        "circular": "beyond the right border comes the left one, at −0.32 m: (−0.32 − 0.28) / 0.2 = −3.0. This is the "
        "deepest cliff of all: behind the ramp's highest side comes its lowest.",
    },
    "replicate",
)

SCAN = Choice(
    "odd_scan",
    {
        "columns": "then each piece of 11 numbers would be one column of the ground, and 17 of them would be the whole "
        "ground, mirrored at its diagonal. Its valley would be in one piece.",
        "transpose": "rows and columns exchanged mirror the ground at its diagonal. Neighbours stay neighbours, so the "
        "valley would still be one valley. Here it is in pieces. Look at the order in which the numbers arrive.",
        "robots": "heights of other robots would change the least, the largest and the mean height. They are printed "
        "above the picture, before and after, and all three are the same: these are the right 187 numbers.",
        "reshape": "the numbers come row by row, 17 to a row, but are laid out 11 to a row. Each row begins 6 points "
        "too early compared with the one above, so every edge becomes a stripe. 187 numbers fit either way.",
    },
    "reshape",
)

CHOICES: tuple[Choice, ...] = (PADDING, SCAN)
