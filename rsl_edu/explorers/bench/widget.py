"""The live form of an explorer: ipywidgets controls beside a picture that follows them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython import get_ipython

from .figure import Drawing
from .picture import Picture

if TYPE_CHECKING:
    from .controls import Control
    from .instrument import Instrument

PLAY_INTERVAL = 120
"""Milliseconds between the steps of a play button."""
BURST, PAUSE = 0.010, 0.005
"""An event of the browser within BURST seconds of the last picture waits PAUSE seconds for a newer one."""


class Live(ipywidgets.Box):
    """Controls and picture of one explorer. Made by :attr:`.Explorer.live`.

    A control that is moved changes the instrument, and every change of the instrument comes back by :meth:`refresh`.

    Attributes:
        widgets: The widget of each control, by its name.
        picture: The image, its numbers, its caption and its error line.
    """

    dark = False  # as the last page was that said so: the next explorer begins with it

    def __init__(self, instrument: Instrument[Any, Any]) -> None:
        self._instrument = instrument
        self._refreshing = self._leading = False  # whether the state moves the controls, or they the state
        self._due = self._drawn = 0.0  # when a waiting event is drawn, when the last picture was
        width, height = (round(100 * inches) for inches in instrument.size)
        self.picture = Picture(name=type(instrument).__name__, width=width, height=height, dark=Live.dark)
        self._drawing = Drawing(instrument, Live.dark)
        state = instrument.at()
        self.widgets = {name: _widget(c, getattr(state, name)) for name, c in instrument.controls.items()}
        self.refresh()
        for widget in self.widgets.values():
            widget.observe(self._follow, "value")
        self.picture.observe(self._pin, "pinned")
        self.picture.observe(self._adapt, "dark")
        self.picture.on_msg(self._reset)
        controls = ipywidgets.VBox([_row(self.widgets[name], control) for name, control in instrument.controls.items()])
        controls.add_class("rsl-controls")
        super().__init__([controls, self.picture])
        self.add_class("rsl-explorer")

    def refresh(self) -> None:
        """Show the instrument's state; if that fails, the last picture stays and a line under it says why."""
        with self._instrument.lock, self._told():
            self._draw()
            if self._leading:  # the controls say it already, or what an event wants that still waits
                return
            self._refreshing = True
            try:
                for name, value in self._instrument.values(self._instrument.at()).items():
                    self.widgets[name].value = value
                self.picture.pinned = self._instrument.pinned is not None
            finally:
                self._refreshing = False

    def _draw(self) -> None:
        instrument, picture, drawing = self._instrument, self.picture, self._drawing
        state = instrument.at()
        try:
            drawing.pin(instrument.pinned)
            result = instrument.compute(state)
            drawing.move(result)
            data, caption, numbers = drawing.png(), instrument.describe(result), instrument.numbers(result)
            pinned = {} if drawing.pinned is None else instrument.numbers(drawing.pinned)
        finally:
            self._drawn = time.monotonic()
        with picture.hold_sync():
            picture.data, picture.caption, picture.error = data, caption, ""
            picture.numbers = [[n, v, pinned[n]] if n in pinned else [n, v] for n, v in numbers.items()]
            picture.state, picture.answers = instrument.write(state), [*map(list, instrument.answers.items())]

    def _follow(self, change: Any) -> None:
        """Follow a control at once; of events that come faster than pictures, only the newest."""
        with self._instrument.lock:  # an event of another thread waits; one that refresh() caused is not followed
            now = time.monotonic()
            if self._refreshing or now < self._due:
                return
            browser, loop = _from_browser(), None
            with contextlib.suppress(RuntimeError):
                loop = asyncio.get_running_loop()
            if browser and loop is not None and now - self._drawn < BURST:
                self._due = now + PAUSE
                loop.call_later(PAUSE, self._catch_up, True)
            else:
                self._catch_up(browser)

    def _catch_up(self, browser: bool) -> None:
        """Let the instrument do what the controls now say."""
        with self._instrument.lock, self._told(browser):
            self._due, self._leading = 0.0, True
            try:
                self._instrument.set(**{name: _exact(widget.value) for name, widget in self.widgets.items()})
            finally:
                self._leading = False

    def _pin(self, change: Any) -> None:
        with self._instrument.lock, self._told(_from_browser()):
            if not self._refreshing:
                self._instrument.compare(change["new"])

    def _reset(self, widget: Any, content: Any, buffers: Any) -> None:
        if content == {"do": "reset"}:
            with self._told(_from_browser()):
                self._instrument.reset()

    def _adapt(self, change: Any) -> None:
        """Draw on the ground of the page."""
        Live.dark = change["new"]
        with self._instrument.lock, self._told(_from_browser()):
            self._drawing = Drawing(self._instrument, Live.dark)
            self._draw()

    @contextlib.contextmanager
    def _told(self, browser: bool = False) -> Iterator[None]:
        """Tell under the picture what fails; then it is over in a browser's event, but a cell or a test must fail."""
        try:
            yield
        except Exception as error:
            self.picture.error = _sentence(error)
            if not browser:
                raise


def _from_browser() -> bool:
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and kernel.get_parent().get("header", {}).get("msg_type") == "comm_msg"


def _exact(value: Any) -> Any:
    """Return the position that a browser means: after some steps of 0.1 it sends 1.7000000000000002 for 1.7."""
    return round(value, 10) if isinstance(value, float) else value


def _sentence(error: Exception) -> str:
    words = str(error).strip().split("\n")[0]
    return words if isinstance(error, (TypeError, ValueError)) else f"{type(error).__name__}: {words}"


def _widget(control: Control, value: Any) -> ipywidgets.DOMWidget:
    """Make the control's widget at ``value``."""
    shared = {
        "value": value,
        "description": control.words,
        "tooltip": control.help,
        "style": {"description_width": "initial"},  # a label is never cut
    }
    if control.choices is not None:
        return ipywidgets.Dropdown(options=list(control.choices.items()), **shared)
    if control.steps is not None:
        return ipywidgets.SelectionSlider(options=[(f"{step:g}", step) for step in control.steps], **shared)
    if control.range is None:
        return ipywidgets.Checkbox(indent=False, **shared)
    first, last, step = control.range
    slider = ipywidgets.IntSlider if control.whole else ipywidgets.FloatSlider
    return slider(min=first, max=last, step=step, **shared)


def _row(slider: ipywidgets.DOMWidget, control: Control) -> ipywidgets.DOMWidget:
    """Put a play button before a slider that can play: it steps on from the present position."""
    places = control.positions()
    if not control.play or len(places) < 2:
        return slider
    settings = {"interval": PLAY_INTERVAL, "show_repeat": False, "tooltip": "play"}
    if control.range is not None and control.whole:
        first, last, step = control.range
        play = ipywidgets.Play(min=first, max=last, step=step, value=slider.value, **settings)
        ipywidgets.jslink((play, "value"), (slider, "value"))
    else:
        place = slider.index if control.range is None else _nearest(places, slider.value)
        play = ipywidgets.Play(min=0, max=len(places) - 1, value=place, **settings)
        if control.range is None:
            ipywidgets.jslink((play, "value"), (slider, "index"))
        else:  # the browser links only what is equal, and a button plays whole numbers
            _link(play, slider, places)
    row = ipywidgets.HBox([play, slider])
    row.add_class("rsl-play")
    return row


def _link(play: ipywidgets.Play, slider: ipywidgets.DOMWidget, places: Sequence[float]) -> None:
    """Let a play button number the positions of a slider, which may also stand between two of them."""

    def follow(change: Any) -> None:
        play.value = _nearest(places, change["new"])

    def step(change: Any) -> None:
        if _nearest(places, slider.value) != change["new"]:
            slider.value = places[change["new"]]

    slider.observe(follow, "value")
    play.observe(step, "value")


def _nearest(places: Sequence[float], value: float) -> int:
    """Return the number of the position that is nearest to a value."""
    return min(range(len(places)), key=lambda i: abs(places[i] - value))
