"""What can be pointed at in a picture and what can be dragged, in the coordinates of its axes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Extent = float | tuple[float, float] | None
"""A place on an axis, a range of it, or None for all of it."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A point or a rectangle in a panel.

    Attributes:
        panel: Label of the axes.
        x: Place or range on the x axis, in data coordinates; None for its whole length.
        y: The same on the y axis.
    """

    panel: str
    x: Extent = None
    y: Extent = None


@dataclasses.dataclass(frozen=True)
class Spot:
    """One thing that a picture shows, in all places where it is shown: pointed at, they light up together.

    Attributes:
        name: What it is; no two spots of a picture have the same name.
        numbers: Its numbers, in words.
        marks: Where it is.
        arithmetic: How one of its numbers is worked out, line by line; shown when it is chosen.
        listed: Whether it is written above the picture, as a sentence that can be chosen.
    """

    name: str
    numbers: str
    marks: tuple[Mark, ...]
    arithmetic: tuple[str, ...] = ()
    listed: bool = False


@dataclasses.dataclass(frozen=True)
class Grip:
    """A handle in the picture that sets controls where it is dragged or stepped by keys.

    Attributes:
        controls: The names of the controls that it sets.
        panel: Label of the axes that it is in.
        points: For each value that can be set, or each tuple of values of several controls, x and y of the handle.
        along: ``"x"`` or ``"y"`` if only that direction counts, as for the line of a time cursor; ``"xy"`` if both do.
    """

    controls: tuple[str, ...]
    panel: str
    points: Mapping[Any, tuple[float, float]]
    along: str = "xy"


def grip(control: str, panel: str, points: Mapping[Any, tuple[float, float]], along: str = "xy") -> Grip:
    """Return a :class:`Grip` of a single control."""
    return Grip((control,), panel, {(value,): point for value, point in points.items()}, along)
