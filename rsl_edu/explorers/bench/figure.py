"""The figure of an instrument, laid out once and then quick to change: its colours, its ghosts, its bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from .svg import thin

if TYPE_CHECKING:
    from .instrument import Instrument

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
    with _settings:
        settings: dict[Any, Any] = mpl.rcParams
        before = dict(dict.items(settings))
        dict.update(settings, _theme(dark))  # these values were checked once; rc_context would check them each time
        try:
            yield
        finally:
            dict.update(settings, before)


@dataclasses.dataclass(frozen=True)
class Frame:
    """A picture with everything that is shown with it: what a page without a kernel needs of one state.

    Attributes:
        state: The state.
        caption: What the picture shows, in words.
        numbers: What is printed beside it.
        ground: The picture's frame, ticks and words, in SVG: many states share it.
        moving: What lies over it, in SVG.
    """

    state: Any
    caption: str
    numbers: Mapping[str, str]
    ground: str
    moving: str

    @property
    def svg(self) -> str:
        """The whole picture."""
        return f"{self.ground}{self.moving}</svg>"


class Drawing:
    """The figure of an instrument: laid out once, at its default state, then moved from result to result.

    Frames, ticks and words are kept as a background and drawn again only when a limit, a tick or a word changes; what
    moves is drawn over it. The picture equals that of a full draw to the pixel, and does not depend on those before.

    Attributes:
        figure: The figure, apart from pyplot and its list of figures.
        pinned: The result whose curves are left as ghosts, or None.
    """

    def __init__(self, instrument: Instrument[Any, Any], dark: bool = False) -> None:
        self._instrument = instrument
        self._dark = dark
        self.pinned: Any = None
        self._pinned_state: Any = None
        self._ghosts: list[Artist] = []
        self._words: list[Any] | None = None  # the limits, ticks and words that the kept background shows
        self._background: Any = None
        with theme(dark):
            self.figure = Figure(instrument.size, dpi=100)
            self._agg = FigureCanvasAgg(self.figure)
            self.figure.set_layout_engine("constrained", w_pad=0.07, h_pad=0.07)  # inches
            self._artists = instrument.stage(self.figure)
            self.move(instrument.compute(instrument.default))
            if instrument not in _places:
                _places[instrument] = _laid_out(self.figure)
            self.figure.set_layout_engine("none")  # the layout stays: a picture must not jump
            for axes, place in zip(self.figure.axes, _places[instrument], strict=True):
                axes.set_position(place)
        self.pin(instrument.pinned)

    def move(self, result: Any) -> None:
        """Move the artists to a result, and to the learner's guess."""
        with theme(self._dark):
            self._instrument.draw(self._artists, result)
            if "guess" in self._artists:
                guess = self._instrument.guess
                place = ([], []) if guess is None else self._instrument.mark(result, guess)
                self._artists["guess"].set_data(*place)

    def pin(self, state: Any | None) -> None:
        """Leave the curves of a state as pale ghosts behind the next ones; None takes them away."""
        if state == self._pinned_state:
            return
        self.pinned = None if state is None else self._instrument.compute(state)
        for ghost in self._ghosts:
            ghost.remove()
        self._ghosts, self._pinned_state = [], state
        if state is not None:
            self.move(self.pinned)
            curves = _flat(artist for name, artist in self._artists.items() if name != "guess")
            self._ghosts = [_ghost(curve) for curve in curves if type(curve) in _CURVES]

    def finished(self) -> Figure:
        """Return the figure with colours that stay what they are under the settings of whoever draws it."""
        with theme(self._dark):
            for artist in self.figure.findobj(Line2D) + self.figure.findobj(Text):
                for of in ("color", "markerfacecolor", "markeredgecolor"):
                    colour = getattr(artist, f"get_{of}", str)()
                    if isinstance(colour, str) and colour in _NAMES:  # a place in the palette, looked up when drawn
                        getattr(artist, f"set_{of}")(to_hex(colour))
        return self.figure

    def png(self) -> bytes:
        """Draw the figure as it is now and return it as PNG, 100 pixels an inch."""
        with theme(self._dark):
            stale, moving = self._apart()
            if stale:
                self._agg.draw()
                self._background = self._agg.copy_from_bbox(self.figure.bbox)
            self._agg.restore_region(self._background)
            for artist in moving:
                artist.axes.draw_artist(artist)  # type: ignore[union-attr]
        return _png(np.asarray(self._agg.buffer_rgba()))

    def svg(self) -> tuple[str, str]:
        """Draw the figure as it is now and return its background and what moves over it: SVG, but for the last tag."""
        for image in (image for axes in self.figure.axes for image in axes.images):
            image.set_interpolation("none")  # SVG then holds its pixels as they are
        with theme(self._dark):
            stale, moving = self._apart()
            if stale:
                self._background = self._written([self.figure])
            return self._background, self._written(moving).partition(">")[2]

    def _apart(self) -> tuple[bool, list[Artist]]:
        """Return whether the kept background is out of date, and the artists that are not in it."""
        axes = [a for a in self.figure.axes if a.get_visible()]
        moving = [artist for a in axes for artist in _moving(a)]
        words = [
            len(moving),
            *map(_fixed, axes),
            *((text.get_text(), text.get_color(), text.get_position()) for text in self.figure.texts),
        ]
        stale = self._words != words
        if stale:
            for artist in moving:
                artist.set_animated(True)
            self._words = words
        return stale, moving

    def _written(self, artists: Iterable[Artist]) -> str:
        file, dpi = io.StringIO(), self.figure.dpi
        self.figure.dpi = 72  # of SVG: a unit is a point
        try:
            vector = RendererSVG(*self.figure.bbox.size, file, image_dpi=dpi, metadata=dict.fromkeys(_SVG_METADATA))
            vector._text2path = text_to_path  # Matplotlib's own: it remembers formulas
            width, height = self.figure.get_size_inches()
            # A colour bar's many colours become an image; Matplotlib's own declaration of this class is empty.
            renderer: Any = MixedModeRenderer(self.figure, width, height, dpi, vector)
            for artist in artists:
                artist.draw(renderer)
            renderer.finalize()
        finally:
            self.figure.dpi = dpi
        return thin(file.getvalue())


def recolouring() -> dict[str, str]:
    """Return the colours of the light theme as SVG has them, and for each that of the dark theme."""
    light, dark = (map(str.lower, _PALETTES[it] + _GROUND[it]) for it in (False, True))
    return dict(zip(light, dark, strict=True))


_places: WeakKeyDictionary[Instrument[Any, Any], list[Any]] = WeakKeyDictionary()
"""Where the axes of an instrument are: its second drawing, in other colours or as SVG, is laid out as the first."""


def _laid_out(figure: Figure) -> list[Any]:
    """Let the layout engine place the axes and return their bounds, without the digits that differ from run to run."""
    figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]
    return [np.round(axes.get_position(original=True).bounds, 6) for axes in figure.axes]


_SVG_METADATA = ("Date", "Creator", "Format", "Type")
_CURVES = (Line2D, StepPatch)


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


def _moving(axes: Any) -> list[Artist]:
    """Return what a full draw would draw after the frame's ground and its ticks, in its order.

    A legend stays in the background: it is slow to draw, and must not lie over data anyway.
    """
    spines = axes.spines.values() if axes.axison else ()
    artists = [*axes.collections, *axes.patches, *axes.lines, *axes.texts, *axes.images, *spines]
    return sorted(artists, key=lambda artist: artist.zorder)


def _fixed(axes: Any) -> tuple[Any, ...]:
    words = (axes.get_title("left"), axes.get_title(), axes.get_xlabel(), axes.get_ylabel())
    ticks = [
        (tuple(getattr(axis.get_major_locator(), "locs", ())), tuple(getattr(axis.get_major_formatter(), "seq", ())))
        for axis in (axes.xaxis, axes.yaxis)
    ]
    return axes.viewLim.bounds, axes.get_xscale(), axes.get_yscale(), *words, *ticks


def _png(rgba: np.ndarray) -> bytes:
    """Encode an image ``[height, width, 4]`` without row filters and with the fastest deflate: 4 ms, not 60."""
    height, width, _ = rgba.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each row begins with its filter: none
    for i in range(3):  # red, green, blue: the ground is opaque
        rows[:, 1 + i :: 3] = rgba[..., i]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
