"""Hover targets and handles to drag in a picture, in the coordinates of the picture's axes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

Extent = float | tuple[float, float] | None
"""A coordinate on an axis, a range of coordinates, or None for the entire axis."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A point or a rectangle in a panel.

    Attributes:
        panel: Label of the axes.
        x: Coordinate or range on the x axis, in data coordinates; None for the entire axis.
        y: Coordinate or range on the y axis, in data coordinates; None for the entire axis.
    """

    panel: str
    x: Extent = None
    y: Extent = None


@dataclasses.dataclass(frozen=True)
class Spot:
    """A hover target: an item that the pointer can select. All places that show it are highlighted together.

    Attributes:
        name: Name of the item, unique within a picture.
        numbers: Numbers of the item, as text.
        marks: The places that show the item.
        arithmetic: The calculation of one of these numbers, line by line; shown when the item is selected.
        listed: Whether the name is a sentence in the list above the picture, where the item can be selected.
    """

    name: str
    numbers: str
    marks: tuple[Mark, ...]
    arithmetic: tuple[str, ...] = ()
    listed: bool = False


@dataclasses.dataclass(frozen=True)
class Grip:
    """A handle in the picture. It sets controls when a learner drags it or moves it with keys.

    Attributes:
        controls: Names of the controls that the handle sets.
        panel: Label of its axes.
        points: Position (x, y) of the handle for each tuple of control values that the handle can set.
        along: ``"x"`` or ``"y"`` if the handle moves only in this direction, as a time line does; otherwise ``"xy"``.
    """

    controls: tuple[str, ...]
    panel: str
    points: Mapping[Any, tuple[float, float]]
    along: str = "xy"


def grip(control: str, panel: str, points: Mapping[Any, tuple[float, float]], along: str = "xy") -> Grip:
    """Return a :class:`Grip` of a single control."""
    return Grip((control,), panel, {(value,): point for value, point in points.items()}, along)
