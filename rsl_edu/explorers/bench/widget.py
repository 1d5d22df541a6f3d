"""The widget of an explorer: controls and picture in the browser, computed by the kernel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython import get_ipython

from .drawing import Drawing
from .output import renew_still, still_name
from .scripts import picture_module, text
from .view import grips_on, place_of, specification

if TYPE_CHECKING:
    from .instrument import Instrument

KEPT = 48
"""Number of frames that are cached, so that the picture follows immediately when a slider moves back."""
REST = 2.0
"""Time in seconds. If the learner changes nothing for this long, the picture replaces the still in the notebook."""
PAUSE, AHEAD = 0.02, 2
"""When a control has not moved for PAUSE seconds, the frames of its next AHEAD positions are drawn in advance."""


class Live(anywidget.AnyWidget):
    """The widget with the controls and the picture of one explorer; :attr:`.Explorer.live` creates it.

    The browser sends messages, one at a time, with the newest positions of the controls or the action of a button. The
    messages change the instrument. Every change of the instrument is sent back by :meth:`refresh`, as traits that only
    the kernel sets.
    The notebook application needs ipywidgets and anywidget, which JupyterLab, Notebook 7, VS Code and Colab have.
    Nothing is loaded from a CDN.

    Attributes:
        spec: Name, panels, controls and colours, which are constant.
        place: The position of each control in the current picture.
        moved: Counter of changes that do not come from the widget's own controls, for example from a quiz or a cell.
        served: Serial number of the browser's latest message that was processed.
        epoch: Counter of changes that invalidate frames drawn in advance.
        words: The value of each control, as text.
        title, caption, numbers: Texts of the picture; numbers are rows of name, number and pinned number.
        spots, grips: Hover targets and handles to drag, as in :class:`.Frame`.
        answers: The learner's predictions: rows of question and answer.
        error: What is wrong with the current values of the controls; empty if nothing is wrong.
        state: The state as text, for copying.
        pinned: Whether a state is pinned.
        more: Whether the panels that are hidden at first are shown.
        still: Name of the still that replaces the widget in a notebook without a kernel; the browser hides it.
    """

    _esm = picture_module()
    _css = text("explorer.css")

    spec: Any = traitlets.Dict().tag(sync=True)
    place: Any = traitlets.List().tag(sync=True)
    moved = traitlets.Int().tag(sync=True)
    served = traitlets.Unicode().tag(sync=True)
    epoch = traitlets.Int().tag(sync=True)
    words: Any = traitlets.List().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    numbers: Any = traitlets.List().tag(sync=True)
    spots: Any = traitlets.List().tag(sync=True)
    grips: Any = traitlets.List().tag(sync=True)
    answers: Any = traitlets.List().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode().tag(sync=True)
    pinned = traitlets.Bool().tag(sync=True)
    more = traitlets.Bool().tag(sync=True)
    still = traitlets.Unicode().tag(sync=True)

    def __init__(self, instrument: Instrument[Any, Any]) -> None:
        self._instrument = instrument
        self._drawing = Drawing(instrument)
        self._positions = {name: list(control.positions()) for name, control in instrument.controls.items()}
        self._frames: dict[Any, dict[str, Any]] = {}
        self._about: Any = None
        self._guess: float | None = None
        self._events = 0
        self._asked = False  # whether a message from the browser is being processed
        self._rest: asyncio.TimerHandle | None = None
        super().__init__(
            spec=specification(instrument, self._drawing.panels, self._positions), still=still_name(instrument)
        )
        panels = range(len(self._drawing.panels))
        self.add_traits(
            **{f"{layer}{i}": traitlets.Unicode().tag(sync=True) for i in panels for layer in ("ground", "moving")}
        )
        self.refresh()
        self.on_msg(self._receive)

    def refresh(self) -> None:
        """Show the instrument's state. If that fails, keep the last picture and show the error below this picture."""
        with self._instrument.lock, self._told():
            self._draw()

    @property
    def svg(self) -> str:
        """The complete picture that the browser shows."""
        panels = range(len(self._drawing.panels))
        layers = [getattr(self, f"{layer}{i}") for layer in ("ground", "moving") for i in panels]
        return "".join([self._drawing.head, *layers, "</svg>"])

    def _draw(self) -> None:
        """Show the state, from the cache if possible."""
        instrument = self._instrument
        self._drawing.pin(instrument.pinned)
        if self._drawing.guess_needs_more and instrument.guess not in (None, self._guess):
            self.more = True
        self._guess = instrument.guess
        values = self._frame(instrument.at())
        about = (instrument.pinned, instrument.guess, self.more)  # affects every picture
        with self.hold_sync():
            self.epoch += about != self._about
            self.moved += not self._asked and values["place"] != self.place
            for name, value in values.items():
                self.set_trait(name, value)
            self.answers = [*map(list, instrument.answers.items())]
            self.pinned, self.error = instrument.pinned is not None, ""
        self._about = about
        if _from_browser():
            self._store_later()

    def _store_later(self) -> None:
        """Store the picture in the notebook after a while. Called only for changes by the learner, not by cells."""
        if self._rest is not None:
            self._rest.cancel()
        with contextlib.suppress(RuntimeError):  # a test has no event loop
            self._rest = asyncio.get_running_loop().call_later(REST, self._store)

    def _store(self) -> None:
        with self._instrument.lock:
            panels = [panel for panel in self._drawing.panels if self.more or not panel.more]
            renew_still(self._instrument, self.still, self.svg, panels)

    def _frame(self, state: Any) -> dict[str, Any]:
        """Return the data of a state for the browser, by the names of the traits."""
        instrument, pinned = self._instrument, self._drawing.pinned
        key = (state, self.more, instrument.pinned, instrument.guess)
        if key in self._frames:
            return self._frames[key]
        frame = self._drawing.frame(state, self.more)
        before = {} if pinned is None else instrument.numbers(pinned)
        place = place_of(state, self._positions)
        values: dict[str, Any] = {
            "place": place,
            "words": [instrument.controls[name].word(value) for name, value in instrument.values(state).items()],
            "title": frame.title,
            "caption": frame.caption,
            "numbers": [[n, v, before[n]] if n in before else [n, v] for n, v in frame.numbers.items()],
            "state": instrument.write(state),
            "spots": [list(spot) for spot in frame.spots],
            "grips": grips_on(frame, self._positions),
        }
        values |= {f"ground{i}": svg for i, svg in enumerate(frame.grounds)}
        values |= {f"moving{i}": svg for i, svg in enumerate(frame.moving)}
        while len(self._frames) >= KEPT:
            del self._frames[next(iter(self._frames))]
        self._frames[key] = values
        return values

    def _receive(self, widget: Any, content: Any, buffers: Any) -> None:
        """Process a message from the browser. Confirm the message even if processing fails."""
        try:
            with self._instrument.lock, self._told(_from_browser()):
                self._asked = True
                match content:
                    case {"place": place}:
                        self._move(place)
                    case {"do": "reset"}:
                        self._instrument.reset()
                    case {"do": "compare"}:
                        self._instrument.compare(self._instrument.pinned is None)
                    case {"do": "more"}:
                        self.more = not self.more
                        self._draw()
        finally:
            self._asked = False
            self.served = content.get("serial", "")

    def _move(self, place: Sequence[int]) -> None:
        """Set the instrument to the positions of the controls, and then draw the next positions in advance."""
        self._events += 1
        here = dict(zip(self._positions, place_of(self._instrument.at(), self._positions), strict=True))
        wanted = dict(zip(self._positions, place, strict=True))
        moved = {name: self._positions[name][to] for name, to in wanted.items() if to != here[name]}
        self._instrument.set(**moved)
        if len(moved) == 1:
            (name,) = moved
            self._later(self._events, name, 1 if wanted[name] > here[name] else -1, AHEAD)

    def _later(self, event: int, name: str, step: int, count: int) -> None:
        """Schedule a drawing of the next position in the direction of the last step, for when the kernel is idle."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().call_later(PAUSE, self._look_ahead, event, name, step, count)

    def _look_ahead(self, event: int, name: str, step: int, count: int) -> None:
        instrument = self._instrument
        if event != self._events or not count:
            return
        with instrument.lock:
            here = dict(zip(self._positions, place_of(instrument.at(), self._positions), strict=True))
            place = here[name] + step * (AHEAD + 1 - count)
            if not 0 <= place < len(self._positions[name]):
                return
            with contextlib.suppress(Exception):  # an error is reported when the state is requested
                values = self._frame(instrument.at(**{name: self._positions[name][place]}))
                changed = {key: value for key, value in values.items() if getattr(self, key) != value}
                self.send({"ahead": values["place"], "epoch": self.epoch, "frame": changed})
        self._later(event, name, step, count - 1)

    @contextlib.contextmanager
    def _told(self, browser: bool = False) -> Iterator[None]:
        """Run a block, and show its error below the picture. Unless the browser made the change, also raise it."""
        try:
            yield
        except Exception as error:
            self.error = _sentence(error)
            if not browser:
                raise


def _from_browser() -> bool:
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and kernel.get_parent().get("header", {}).get("msg_type") == "comm_msg"


def _sentence(error: Exception) -> str:
    words = str(error).strip().split("\n")[0]
    return words if isinstance(error, (TypeError, ValueError)) else f"{type(error).__name__}: {words}"
