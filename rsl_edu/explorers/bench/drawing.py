"""The picture of an instrument: panels as SVG, pale ghosts of earlier curves, and marks. It is laid out only once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

from .ghosts import ghosts
from .svg import thin
from .theme import fixed_colours, theme

if TYPE_CHECKING:
    from .instrument import Instrument
    from .touch import Grip, Mark, Spot

DPI = 100
"""Pixels per inch, in files and for images inside a picture."""
POINTS = 72
"""Number of points in an inch. Points are the unit of the SVG."""
LINES = 'stroke-linejoin="round" stroke-linecap="butt"'
"""Line style of all lines. Matplotlib's own style sheet for it would apply to everything on a page."""
KEPT = 32
"""Number of backgrounds that are cached per panel, so that they need not be redrawn when a slider moves back."""
Box = tuple[float, float, float, float]
"""Left, top, width and height in points, from the picture's upper left corner."""


@dataclasses.dataclass(frozen=True)
class Panel:
    """A part of the picture that can be shown without the others.

    Attributes:
        name: Label of the panel's axes.
        box: Bounding box of the panel.
        more: Whether the panel is shown only on request.
        inside: Box of the panel's axes, without labels and titles.
    """

    name: str
    box: Box
    more: bool
    inside: Box


@dataclasses.dataclass(frozen=True)
class Frame:
    """The picture of one state with its texts, which is all that a page without a kernel needs to show this state.

    Attributes:
        state: The state.
        title: The main point, in one sentence.
        caption: Description of the picture.
        numbers: The numbers below the picture.
        grounds: Background of each panel in SVG: frame, ticks and labels, which many states share.
        moving: The artists of each panel that change with the state, in SVG.
        spots: Hover targets. Each has a name, numbers, a calculation, a flag for the list of names, and marks. A
            mark is the index of a panel, followed by left, top, width and height in points.
        grips: Handles to drag. Each has the names of its controls, the index of its panel and the direction in which it
            can be dragged. For each tuple of values of these controls, it has x and y in points.
        head: The opening tag of the SVG.
    """

    state: Any
    title: str
    caption: str
    numbers: Mapping[str, str]
    grounds: tuple[str, ...]
    moving: tuple[str, ...]
    spots: tuple[tuple[Any, ...], ...]
    grips: tuple[tuple[Any, ...], ...]
    head: str

    @property
    def svg(self) -> str:
        """The whole picture."""
        return f"{self.head}{''.join(self.grounds)}{''.join(self.moving)}</svg>"


class Drawing:
    """The figure of an instrument, laid out once in its default state and then updated for each result.

    The background of a panel consists of frame, ticks and labels. The background is drawn again only if a limit, a tick
    or a label changes. The picture of a state does not depend on the states drawn before.

    Attributes:
        figure: The figure, which pyplot does not manage.
        panels: The panels of the figure.
        pinned: The result whose curves are shown as ghosts, or None.
    """

    def __init__(self, instrument: Instrument[Any, Any], dark: bool = False) -> None:
        self._instrument = instrument
        self._dark = dark
        self.pinned: Any = None
        self._pinned_state: Any = None
        self._ghosts: list[Artist] = []
        with theme(dark):
            self.figure = Figure(instrument.size, dpi=DPI)
            canvas = FigureCanvasAgg(self.figure)
            self.figure.set_layout_engine("constrained", w_pad=0.07, h_pad=0.07)  # inches
            self._artists = instrument.stage(self.figure)
            self._guess = _named_guess(self._artists.get("guess"))
            self.move(instrument.compute(instrument.default))
            if instrument not in _layouts:
                _layouts[instrument] = _laid_out(self.figure, canvas.get_renderer(), instrument.more)
            places, self.panels = _layouts[instrument]
            self.figure.set_layout_engine("none")  # keep the layout, so that the picture does not jump
            for axes, place in zip(self.figure.axes, places, strict=True):
                axes.set_position(place)
        groups = _grouped(self.figure)
        self._axes = [groups.get(panel.name, []) for panel in self.panels]
        for image in (image for axes in self.figure.axes for image in axes.images):
            image.set_interpolation("none")  # keep the original pixels in the SVG
        self._written_ground = functools.lru_cache(KEPT * len(self.panels))(self._write_ground)
        self.pin(instrument.pinned)

    def move(self, result: Any) -> None:
        """Update the artists to show a result and the learner's guess."""
        with theme(self._dark):
            self._instrument.draw(self._artists, result)
            if self._guess is not None:
                guess = self._instrument.guess
                place = ([], []) if guess is None else self._instrument.mark(result, guess)
                self._artists["guess"].set_data(*place)
                _name_guess(self._guess, *place)

    @property
    def guess_needs_more(self) -> bool:
        """Whether the learner's guess is drawn in a panel that is shown only on request."""
        return self._guess is not None and any(
            panel.more and self._guess.axes in axes for panel, axes in zip(self.panels, self._axes, strict=True)
        )

    def pin(self, state: Any | None) -> None:
        """Show the curves of a state as pale ghosts behind the current curves; None removes the ghosts."""
        if state == self._pinned_state:
            return
        self.pinned = None if state is None else self._instrument.compute(state)
        for ghost in self._ghosts:
            ghost.remove()
        self._ghosts, self._pinned_state = [], state
        if state is not None:
            self.move(self.pinned)
            self._ghosts = ghosts(artist for name, artist in self._artists.items() if name != "guess")

    def finished(self, more: bool = True) -> Figure:
        """Return the figure with fixed colours, which do not depend on the settings when it is drawn.

        Args:
            more: Whether to include the panels that are shown only on request.
        """
        for panel, axes in zip(self.panels, self._axes, strict=True):
            for each in axes if panel.more and not more else ():
                each.set_visible(False)
        return fixed_colours(self.figure, self._dark)

    def frame(self, state: Any, more: bool = True) -> Frame:
        """Compute and draw a state, and return the picture and its texts.

        Args:
            state: The state.
            more: Whether to draw the panels that are shown only on request. If not, these panels are empty.
        """
        instrument = self._instrument
        result = instrument.compute(state)
        self.move(result)
        with theme(self._dark), self._in_points():
            drawn = [
                self._draw(place) if more or not panel.more else ("", "") for place, panel in enumerate(self.panels)
            ]
        grounds, moving = zip(*drawn, strict=True)
        return Frame(
            state,
            instrument.title(result),
            instrument.describe(result),
            instrument.numbers(result),
            grounds,
            moving,
            tuple(self._spot(spot) for spot in instrument.spots(result)),
            tuple(self._grip(grip) for grip in instrument.grips(result)),
            self.head,
        )

    # Writing

    @functools.cached_property
    def head(self) -> str:
        """The opening tag of the SVG, and the background of the figure."""
        with theme(self._dark), self._in_points():
            return self._write([self.figure.patch], whole=True)

    @contextlib.contextmanager
    def _in_points(self) -> Iterator[None]:
        """Draw with one pixel per point. This positions every artist again, so use it only once for all panels."""
        dpi, self.figure.dpi = self.figure.dpi, POINTS
        try:
            yield
        finally:
            self.figure.dpi = dpi

    def _draw(self, place: int) -> tuple[str, str]:
        """Return the background and the moving artists of a panel, each as an SVG group."""
        axes = [each for each in self._axes[place] if each.get_visible()]
        moving = [artist for each in axes for artist in _moving(each)]
        for artist in moving:
            artist.set_animated(True)  # otherwise these artists would be part of the background
        words = (len(moving), *map(_fixed, axes)) if axes else tuple(map(_words, self.figure.texts))
        return self._written_ground(place, words), self._write(moving)

    def _write_ground(self, place: int, words: Any) -> str:
        axes = [each for each in self._axes[place] if each.get_visible()]
        with _hidden([image for each in axes for image in each.images]):  # Matplotlib 3.10 also draws animated images
            return self._write(axes if self._axes[place] else [*self.figure.texts, *self.figure.legends])

    def _write(self, artists: Iterable[Artist], whole: bool = False) -> str:
        file = io.StringIO()
        vector = RendererSVG(*self.figure.bbox.size, file, image_dpi=DPI, metadata=dict.fromkeys(_SVG_METADATA))
        vector._text2path = text_to_path  # Matplotlib's own instance, which caches formulas
        width, height = self.figure.get_size_inches()
        # It draws the many colours of a colour bar as an image. Matplotlib's type stub for this class is empty.
        renderer: Any = MixedModeRenderer(self.figure, width, height, DPI, vector)
        for artist in artists:
            artist.draw(renderer)
        renderer.finalize()
        written = thin(file.getvalue())
        return written if whole else f"<g {LINES}>{written.partition('>')[2]}</g>"

    # Positions in the picture

    def _spot(self, spot: Spot) -> tuple[Any, ...]:
        return spot.name, spot.numbers, spot.arithmetic, spot.listed, tuple(map(self._marked, spot.marks))

    def _marked(self, mark: Mark) -> tuple[int, Box]:
        """Return the panel and the box of a mark, clipped to the limits of its axes."""
        place, axes = self._panel(mark.panel)
        (x0, x1), (y0, y1) = (
            limits if extent is None else extent if isinstance(extent, tuple) else (extent, extent)
            for extent, limits in ((mark.x, axes.get_xlim()), (mark.y, axes.get_ylim()))
        )
        left, top, right, bottom = _bounds(self._points(axes, (x0, x1), (y0, y1)))
        return place, (left, top, round(right - left, 1), round(bottom - top, 1))

    def _grip(self, grip: Grip) -> tuple[Any, ...]:
        place, axes = self._panel(grip.panel)
        x, y = zip(*grip.points.values(), strict=True)
        points = self._points(axes, x, y).tolist()
        return grip.controls, place, grip.along, dict(zip(grip.points, points, strict=True))

    def _panel(self, name: str) -> tuple[int, Any]:
        for place, panel in enumerate(self.panels):
            if panel.name == name and self._axes[place]:
                return place, self._axes[place][0]
        raise ValueError(f"panel: expected one of {', '.join(panel.name for panel in self.panels)}; got {name!r}")

    def _points(self, axes: Any, x: Sequence[float], y: Sequence[float]) -> np.ndarray:
        """Clip data to the axes' limits, and return its positions ``[n, 2]`` in points from the upper left corner."""
        inside = [
            np.clip(np.asarray(values, float), min(limits), max(limits))
            for values, limits in ((x, axes.get_xlim()), (y, axes.get_ylim()))
        ]
        across, up = axes.transData.transform(np.column_stack(inside)).T * (POINTS / self.figure.dpi)
        places: np.ndarray = np.column_stack([across, POINTS * self.figure.get_figheight() - up]).round(1)
        return places


_layouts: WeakKeyDictionary[Instrument[Any, Any], tuple[list[Any], list[Panel]]] = WeakKeyDictionary()
"""Positions of the axes and panels of each instrument. A second drawing in different colours has the same layout."""
_MARGIN = 2.0  # points around a panel


def _grouped(figure: Figure) -> dict[str, list[Any]]:
    """Return the axes of each panel. Axes with the same label form a panel; axes without a label are a panel each."""
    groups: dict[str, list[Any]] = {}
    for place, axes in enumerate(figure.axes):
        groups.setdefault(str(axes.get_label()) or f"panel {place}", []).append(axes)
    return groups


def _laid_out(figure: Figure, renderer: Any, more: Sequence[str]) -> tuple[list[Any], list[Panel]]:
    """Run the layout engine and return the axes' bounds. They are rounded, because last digits vary between runs."""
    figure.get_layout_engine().execute(figure)  # type: ignore[union-attr]
    places = [np.round(axes.get_position(original=True).bounds, 6) for axes in figure.axes]
    panels = []
    for name, group in _grouped(figure).items():
        bounds = [box for axes in group if (box := axes.get_tightbbox(renderer)) is not None]
        inside = _box(figure, [group[0].get_window_extent(renderer)])
        panels.append(Panel(name, _box(figure, bounds), name in more, inside))
    if words := [*figure.texts, *figure.legends]:
        box = _box(figure, [artist.get_window_extent(renderer) for artist in words])
        panels.append(Panel("", box, False, box))
    if unknown := set(more) - {panel.name for panel in panels}:
        raise ValueError(f"more: expected labels of axes, but there are no axes {', '.join(sorted(unknown))}")
    return places, panels


def _box(figure: Figure, bounds: list[Any]) -> Box:
    """Return the box around all bounds (in pixels), rounded to points."""
    width, height = (POINTS * float(inches) for inches in figure.get_size_inches())
    inside = np.asarray(Bbox.union(bounds).extents) * (POINTS / figure.dpi)
    left, right = (float(np.clip(x, 0, width)) for x in np.round((inside[0] - _MARGIN, inside[2] + _MARGIN)))
    top, bottom = (float(np.clip(y, 0, height)) for y in np.round(height - inside[[3, 1]] + (-_MARGIN, _MARGIN)))
    return left, top, right - left, bottom - top


def _bounds(corners: np.ndarray) -> list[float]:
    """Return left, top, right and bottom of the rectangle between two corners."""
    low, high = corners.min(0), corners.max(0)
    return [*low.tolist(), *high.tolist()]


_SVG_METADATA = ("Date", "Creator", "Format", "Type")


def _named_guess(guess: Any) -> Any:
    """Return the text artist that labels the learner's guess, or None if the picture has no guess."""
    if guess is None:
        return None
    look = {"size": 9, "va": "center", "color": guess.get_color(), "annotation_clip": False}
    return guess.axes.annotate("", (0, 0), (8, 0), textcoords="offset points", **look)


def _name_guess(words: Any, x: Any, y: Any) -> None:
    """Place the label next to the guess, on the side with more space."""
    words.set_text("your guess" if len(x) else "")
    if len(x):
        words.xy = x[0], y[0]
        left = words.axes.transAxes.inverted().transform(words.axes.transData.transform(words.xy))[0] < 0.6
        words.set(position=(8 if left else -8, 0), ha="left" if left else "right")


def _moving(axes: Any) -> list[Artist]:
    """Return the artists that Matplotlib draws after background and ticks, in drawing order.

    Legends and texts with the gid ``ground`` belong to the background because text is slow to draw.
    """
    spines = axes.spines.values() if axes.axison else ()
    texts = (text for text in axes.texts if text.get_gid() != "ground")
    artists = [*axes.collections, *axes.patches, *axes.lines, *texts, *axes.images, *spines]
    return sorted(artists, key=lambda artist: artist.zorder)


@contextlib.contextmanager
def _hidden(artists: Iterable[Artist]) -> Iterator[None]:
    seen = [artist for artist in artists if artist.get_visible()]
    for artist in seen:
        artist.set_visible(False)
    try:
        yield
    finally:
        for artist in seen:
            artist.set_visible(True)


def _fixed(axes: Any) -> tuple[Any, ...]:
    """Return everything that determines the background of axes: their limits, ticks and texts."""
    words = (axes.get_title("left"), axes.get_title(), axes.get_title("right"), axes.get_xlabel(), axes.get_ylabel())
    ticks = [
        (tuple(getattr(axis.get_major_locator(), "locs", ())), tuple(getattr(axis.get_major_formatter(), "seq", ())))
        for axis in (axes.xaxis, axes.yaxis)
    ]
    grounded = [_words(text) for text in axes.texts if text.get_gid() == "ground"]
    return axes.viewLim.bounds, axes.get_xscale(), axes.get_yscale(), *words, *ticks, *grounded


def _words(text: Any) -> tuple[Any, ...]:
    return text.get_text(), text.get_color(), text.get_position()
