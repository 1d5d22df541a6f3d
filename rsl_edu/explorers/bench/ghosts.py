"""Pale copies of curves, which stay in the picture behind the current curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

_CURVES = (Line2D, StepPatch)


def ghosts(artists: Iterable[Any]) -> list[Artist]:
    """Add a pale copy behind each curve, and return the copies. The curves may be artists or in lists of artists."""
    return [_ghost(curve) for curve in _flat(artists) if type(curve) in _CURVES]


def _flat(artists: Iterable[Any]) -> Iterator[Any]:
    for artist in artists:
        yield from _flat(artist) if isinstance(artist, (list, tuple)) else [artist]


def _ghost(curve: Any) -> Artist:
    """Add a pale copy of a curve behind it."""
    if isinstance(curve, StepPatch):
        values, edges, baseline = curve.get_data()
        ghost: Any = StepPatch(
            values, edges, orientation=curve.orientation, baseline=baseline, fill=False, linewidth=1.5
        )
        ghost.set_edgecolor(curve.get_facecolor() if curve.get_fill() else curve.get_edgecolor())
    else:
        ghost = Line2D(*curve.get_data())
        ghost.update_from(curve)
    curve.axes.add_artist(ghost)
    ghost.set(alpha=0.4, zorder=curve.get_zorder() - 0.5, label="_pinned", animated=False)
    return ghost  # type: ignore[no-any-return]
