"""The live form of an explorer: its controls and its picture in the browser, followed by the kernel."""

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
"""Frames that are kept: a slider that goes back shows at once what was there."""
REST = 2.0
"""Seconds without a change by the learner after which the picture becomes the still that the notebook stores."""
PAUSE, AHEAD = 0.02, 2
"""A control that rests for PAUSE seconds has its next AHEAD positions drawn before they are asked for."""


class Live(anywidget.AnyWidget):
    """Controls and picture of one explorer. Made by :attr:`.Explorer.live`.

    The browser asks by messages, one at a time: the newest positions of the controls, or what a button does. They
    change the instrument, and every change of the instrument comes back by :meth:`refresh`, as traits that only the
    kernel sets.
    A host needs ipywidgets and anywidget, as JupyterLab, Notebook 7, VS Code and Colab have; nothing comes from a CDN.
    Of each panel, background and moving artists are a trait each, so that only what changed is sent.

    Attributes:
        spec: Name, panels, controls and colours; they stay.
        place: The position of each control in the picture that is shown.
        moved: Grows whenever something else than its own controls moves it, such as a quiz or a cell.
        served: The serial of the last message of the browser that was dealt with.
        epoch: Grows with whatever makes frames that were drawn ahead worthless.
        words: The value of each control, in words.
        title, caption, numbers: What the picture shows, in words; numbers are rows of name, number and pinned number.
        spots, grips: What can be pointed at and dragged, as in :class:`.Frame`.
        answers: What the learner predicted: rows of question and answer.
        error: What is wrong with the present values of the controls; empty if nothing is.
        state: The state as text, to be copied.
        pinned: Whether another state is pinned.
        more: Whether the panels are shown that are hidden at first.
        still: Name of the picture that stands for it in a notebook without a kernel; the browser hides that.
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
        self._asked = False  # by the browser
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
        """Show the instrument's state; if that fails, the last picture stays and a line under it says why."""
        with self._instrument.lock, self._told():
            self._draw()

    @property
    def svg(self) -> str:
        """The picture as the browser has it, in one piece."""
        panels = range(len(self._drawing.panels))
        layers = [getattr(self, f"{layer}{i}") for layer in ("ground", "moving") for i in panels]
        return "".join([self._drawing.head, *layers, "</svg>"])

    def _draw(self) -> None:
        """Show the state, written anew unless it was kept."""
        instrument = self._instrument
        self._drawing.pin(instrument.pinned)
        if self._drawing.guess_needs_more and instrument.guess not in (None, self._guess):
            self.more = True
        self._guess = instrument.guess
        values = self._frame(instrument.at())
        about = (instrument.pinned, instrument.guess, self.more)  # is in every picture
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
        """Let the notebook store the picture once the learner leaves it; cells change no output of cells before."""
        if self._rest is not None:
            self._rest.cancel()
        with contextlib.suppress(RuntimeError):  # a test has no event loop
            self._rest = asyncio.get_running_loop().call_later(REST, self._store)

    def _store(self) -> None:
        with self._instrument.lock:
            panels = [panel for panel in self._drawing.panels if self.more or not panel.more]
            renew_still(self._instrument, self.still, self.svg, panels)

    def _frame(self, state: Any) -> dict[str, Any]:
        """Return what the browser shows of a state, by the names of the traits."""
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
        """Do what the browser asks for, and tell it that this is done, whatever came of it."""
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
        """Let the instrument do what the controls say, and then draw what will be asked for next."""
        self._events += 1
        here = dict(zip(self._positions, place_of(self._instrument.at(), self._positions), strict=True))
        wanted = dict(zip(self._positions, place, strict=True))
        moved = {name: self._positions[name][to] for name, to in wanted.items() if to != here[name]}
        self._instrument.set(**moved)
        if len(moved) == 1:
            (name,) = moved
            self._later(self._events, name, 1 if wanted[name] > here[name] else -1, AHEAD)

    def _later(self, event: int, name: str, step: int, count: int) -> None:
        """Draw the next position in the direction of the last step as soon as the kernel is idle."""
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
            with contextlib.suppress(Exception):  # it is told as soon as it is asked for
                values = self._frame(instrument.at(**{name: self._positions[name][place]}))
                changed = {key: value for key, value in values.items() if getattr(self, key) != value}
                self.send({"ahead": values["place"], "epoch": self.epoch, "frame": changed})
        self._later(event, name, step, count - 1)

    @contextlib.contextmanager
    def _told(self, browser: bool = False) -> Iterator[None]:
        """Tell under the picture what fails; then it is over in a browser's event, but a cell or a test must fail."""
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
