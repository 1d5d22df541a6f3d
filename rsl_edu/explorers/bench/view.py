"""The data that the script in the browser needs for an explorer, in a widget or on a page without a kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .theme import recolouring

if TYPE_CHECKING:
    from .controls import Control
    from .drawing import Frame, Panel
    from .instrument import Instrument

FEW = 3
"""Maximum number of positions for which a slider is shown as a choice."""
Positions = Mapping[str, Sequence[Any]]
"""The values to which each control can be set, by name."""


def specification(instrument: Instrument[Any, Any], panels: Sequence[Panel], positions: Positions) -> dict[str, Any]:
    """Return the constant data of an explorer: its name, panels, controls and colours."""
    names = list(positions)
    return {
        "name": type(instrument).__name__,
        "panels": [[*panel.box, panel.more, panel.inside] for panel in panels],
        "controls": [_told(instrument.controls[name], values) for name, values in positions.items()],
        "dark": recolouring(),
        "autoplay": names.index(instrument.autoplay) if instrument.autoplay in names else -1,
    }


def place_of(state: Any, positions: Positions) -> list[int]:
    """Return the index of each control's position in a state; if the value has no position, of the nearest one."""
    return [_nearest(values, getattr(state, name)) for name, values in positions.items()]


def grips_on(frame: Frame, positions: Positions) -> list[list[Any]]:
    """Return those grips (handles) of a frame that can be moved.

    Each grip is a list: the indices of its controls, its panel, its direction, and its places. A place consists of the
    positions of the controls, x and y.
    """
    names = list(positions)
    grips = []
    for controls, panel, along, points in frame.grips:
        if not all(name in positions for name in controls):
            continue
        places = []
        for values, (x, y) in points.items():
            if all(value in positions[name] for name, value in zip(controls, values, strict=True)):
                here = [positions[name].index(value) for name, value in zip(controls, values, strict=True)]
                places.append([*here, x, y])
        if len(places) > 1:
            grips.append([[names.index(name) for name in controls], panel, along, places])
    return grips


def _told(control: Control, values: Sequence[Any]) -> dict[str, Any]:
    few = control.kind == "slider" and len(values) <= FEW
    return {
        "kind": "choice" if few else control.kind,
        "words": control.words,
        "help": control.help,
        "values": [control.word(value) for value in values],
        "play": control.play and len(values) > FEW,
        "group": control.group,
    }


def _nearest(values: Sequence[Any], value: Any) -> int:
    if value in values:
        return values.index(value)
    return min(range(len(values)), key=lambda place: abs(values[place] - value))
