"""The colours of the figures, for light and dark backgrounds, and their Matplotlib settings."""

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
"""Colours of both themes, after Okabe & Ito; colour-blind readers can distinguish them. Grey is for true or correct
values, and the faint colour is for dots."""
RED = "#D55E01"
"""Colour of anything wrong, in both themes. The colour is never the only sign that something is wrong. It differs
slightly from the light theme's orange, so that :func:`recolouring` can distinguish these two colours."""

_PALETTES = {
    False: ("#0072B2", "#D55E00", "#009E73", "#B4558F", "#595959", "#C8C8C8"),
    True: ("#56B4E9", "#FF9E4A", "#2FC99A", "#E39AC6", "#ABABAB", "#505050"),
}
_GROUND = {False: ("#FFFFFF", "#1A1A1A"), True: ("#111111", "#E6E6E6")}  # background and text
_INKED = ("axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "text.color", "xtick.color", "ytick.color")
_settings = threading.RLock()  # Matplotlib's settings are shared by all threads


@functools.cache
def _theme(dark: bool) -> dict[str, Any]:
    """Return every Matplotlib setting for the figures, so that a learner's settings cannot affect a picture."""
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
    """Run a block with the light or dark settings of the figures, and restore the learner's settings afterwards."""
    with usual_settings(), _settings:
        settings: dict[Any, Any] = mpl.rcParams
        before = dict(dict.items(settings))
        dict.update(settings, _theme(dark))  # avoids rc_context, which would validate them every time
        try:
            yield
        finally:
            dict.update(settings, before)


def recolouring() -> dict[str, str]:
    """Return a mapping from the colours of the light theme to those of the dark theme, as written in SVG."""
    light, dark = (map(str.lower, _PALETTES[it] + _GROUND[it]) for it in (False, True))
    return dict(zip(light, dark, strict=True))


def fixed_colours(figure: Figure, dark: bool) -> Figure:
    """Fix a figure's colours, so that they do not depend on the settings when it is drawn, and return the figure."""
    with theme(dark):
        for artist in figure.findobj(Line2D) + figure.findobj(Text):
            for of in ("color", "markerfacecolor", "markeredgecolor"):
                colour = getattr(artist, f"get_{of}", str)()
                if isinstance(colour, str) and colour in _NAMES:  # a palette index
                    getattr(artist, f"set_{of}")(to_hex(colour))
        for collection in figure.findobj(Collection):
            collection.set(edgecolor=collection.get_edgecolor(), facecolor=collection.get_facecolor())
    return figure
