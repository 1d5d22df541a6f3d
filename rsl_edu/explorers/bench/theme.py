"""The colours of our figures, on light and on dark ground, and the settings that they are drawn with."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from .usual_settings import usual_settings

_NAMES = BLUE, ORANGE, GREEN, PINK, GREY, FAINT = tuple(f"C{i}" for i in range(6))
"""Colours of both themes, told apart by colour-blind readers (after Okabe & Ito); grey for a truth, faint for dots."""
RED = "#D55E01"
"""What is wrong, on light and on dark ground; never told by the colour alone. Not quite the light orange, so that
:func:`recolouring` can tell the two apart."""

_PALETTES = {
    False: ("#0072B2", "#D55E00", "#009E73", "#B4558F", "#595959", "#C8C8C8"),
    True: ("#56B4E9", "#FF9E4A", "#2FC99A", "#E39AC6", "#ABABAB", "#505050"),
}
_GROUND = {False: ("#FFFFFF", "#1A1A1A"), True: ("#111111", "#E6E6E6")}  # paper and ink
_INKED = ("axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "text.color", "xtick.color", "ytick.color")
_settings = threading.RLock()  # Matplotlib's settings are one for all threads


@functools.cache
def _theme(dark: bool) -> dict[str, Any]:
    """Return all settings of our figures: a learner's own must not break a picture."""
    paper, ink = _GROUND[dark]
    ours: dict[Any, Any] = {
        **dict.fromkeys(_INKED, ink),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor"), paper),
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=_PALETTES[dark]),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "rsl_edu",
    }
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(ours)
        return {name: value for name, value in dict.items(mpl.rcParams) if "backend" not in name}


@contextlib.contextmanager
def theme(dark: bool) -> Iterator[None]:
    """Draw with the settings of our figures, on light or on dark ground, and leave the learner's own as they were."""
    with usual_settings(), _settings:
        settings: dict[Any, Any] = mpl.rcParams
        before = dict(dict.items(settings))
        dict.update(settings, _theme(dark))  # these values were checked once; rc_context would check them each time
        try:
            yield
        finally:
            dict.update(settings, before)


def recolouring() -> dict[str, str]:
    """Return the colours of the light theme as SVG has them, and for each that of the dark theme."""
    light, dark = (map(str.lower, _PALETTES[it] + _GROUND[it]) for it in (False, True))
    return dict(zip(light, dark, strict=True))


def fixed_colours(figure: Figure, dark: bool) -> Figure:
    """Give a figure colours that stay what they are under the settings of whoever draws it, and return it."""
    with theme(dark):
        for artist in figure.findobj(Line2D) + figure.findobj(Text):
            for of in ("color", "markerfacecolor", "markeredgecolor"):
                colour = getattr(artist, f"get_{of}", str)()
                if isinstance(colour, str) and colour in _NAMES:  # a place in the palette, looked up when drawn
                    getattr(artist, f"set_{of}")(to_hex(colour))
        for collection in figure.findobj(Collection):
            collection.set(edgecolor=collection.get_edgecolor(), facecolor=collection.get_facecolor())
    return figure
