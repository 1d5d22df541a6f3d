"""Spots to point at and handles to drag in a picture, in the coordinates of its axes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Extent = float | tuple[float, float] | None
"""A coordinate on an axis, a range, or None for the entire axis."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A point or a rectangle in a panel.

    Attributes:
        panel: Label of the axes.
        x: Coordinate or range on the x axis, in data coordinates; None for the entire axis.
        y: Coordinate or range on the y axis, likewise.
    """

    panel: str
    x: Extent = None
    y: Extent = None


@dataclasses.dataclass(frozen=True)
class Spot:
    """An item of a picture with all the places that show it, which are highlighted together when it is pointed at.

    Attributes:
        name: Its name, unique within a picture.
        numbers: Its numbers, as text.
        marks: The places that show it.
        arithmetic: The arithmetic of one of its numbers, line by line; shown when the spot is chosen.
        listed: Whether the name is a sentence listed above the picture, where it can be chosen.
    """

    name: str
    numbers: str
    marks: tuple[Mark, ...]
    arithmetic: tuple[str, ...] = ()
    listed: bool = False


@dataclasses.dataclass(frozen=True)
class Grip:
    """A handle in the picture that sets controls when it is dragged or moved by keys.

    Attributes:
        controls: The names of the controls that it sets.
        panel: Label of its axes.
        points: Position x and y of the handle for each tuple of control values that it can set.
        along: ``"x"`` or ``"y"`` if only that direction counts, as for a time cursor; otherwise ``"xy"``.
    """

    controls: tuple[str, ...]
    panel: str
    points: Mapping[Any, tuple[float, float]]
    along: str = "xy"


def grip(control: str, panel: str, points: Mapping[Any, tuple[float, float]], along: str = "xy") -> Grip:
    """Return a :class:`Grip` of a single control."""
    return Grip((control,), panel, {(value,): point for value, point in points.items()}, along)
