"""The live form of an explorer: ipywidgets controls beside a picture that follows them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython import get_ipython

from .figure import Drawing
from .picture import Picture

if TYPE_CHECKING:
    from .controls import Control
    from .explorer import Explorer

PLAY_INTERVAL = 120
"""Milliseconds between the steps of a play button."""
BURST, PAUSE = 0.010, 0.005
"""An event of the browser within BURST seconds of the last picture waits PAUSE seconds for a newer one."""


class Live(ipywidgets.Box):
    """Controls and picture of one explorer. Made by :attr:`.Explorer.live`.

    Attributes:
        widgets: The control of each field of the state, by its name.
        picture: The image, its numbers, its caption and its error line.
    """

    dark = False  # as the last page was that said so: the next explorer begins with it

    def __init__(self, explorer: Explorer[Any, Any]) -> None:
        self._explorer = explorer
        self._lock = threading.RLock()  # ipykernel runs callbacks in threads
        self._following = True
        self._due = self._drawn = 0.0  # when a waiting event is drawn, when the last picture was
        self._pinned: Any = None
        width, height = (round(100 * inches) for inches in explorer.size)
        self.picture = Picture(name=type(explorer).__name__, width=width, height=height, dark=Live.dark)
        self._drawing = Drawing(explorer, Live.dark)
        self.widgets = {n: _widget(c, getattr(explorer.at(), n)) for n, c in explorer.controls.items()}
        self.show(explorer.at())
        for widget in self.widgets.values():
            widget.observe(self._follow, "value")
        self.picture.observe(self._pin, "pinned")
        self.picture.observe(self._adapt, "dark")
        self.picture.on_msg(self._reset)
        controls = ipywidgets.VBox([_row(self.widgets[name], control) for name, control in explorer.controls.items()])
        controls.add_class("rsl-controls")
        super().__init__([controls, self.picture])
        self.add_class("rsl-explorer")

    def show(self, state: Any) -> None:
        """Put controls and picture to ``state``; if that fails, the last picture stays and one line says why."""
        with self._lock:
            self._draw(state)
            self._following = False
            try:
                for name, value in vars(state).items():
                    self.widgets[name].value = value
                self.picture.pinned = self._explorer.pinned is not None
            finally:
                self._following = True

    def _draw(self, state: Any) -> None:
        explorer, picture, drawing = self._explorer, self.picture, self._drawing
        try:
            there = None if explorer.pinned is None else explorer.compute(explorer.pinned)
            if explorer.pinned != self._pinned:
                drawing.pin(there)
                self._pinned = explorer.pinned
            result = explorer.compute(state)
            drawing.move(result)
            data, caption, numbers = drawing.png(), explorer.describe(result), explorer.numbers(result)
            pinned = {} if there is None else explorer.numbers(there)
        except Exception as error:
            picture.error = _sentence(error)
            raise
        finally:
            self._drawn = time.monotonic()
        with picture.hold_sync():
            picture.data, picture.caption, picture.error = data, caption, ""
            picture.numbers = [[n, v, pinned[n]] if n in pinned else [n, v] for n, v in numbers.items()]
            picture.state, picture.answers = explorer.write(state), [*map(list, explorer.answers.items())]

    def _follow(self, change: Any) -> None:
        """Follow a control at once; of events that come faster than pictures, only the newest."""
        with self._lock:  # an event of another thread waits; one that show() itself caused is not followed
            now = time.monotonic()
            if not self._following or now < self._due:
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
        """Draw what the controls now say."""
        with self._lock, _told(browser):
            self._due = 0.0
            values = {name: _exact(widget.value) for name, widget in self.widgets.items()}
            try:
                state = self._explorer.at(**values)
            except ValueError as error:
                self.picture.error = _sentence(error)
                raise
            self._draw(state)
            self._explorer._state = state

    def _pin(self, change: Any) -> None:
        if self._following:
            with _told(_from_browser()):
                self._explorer.compare(change["new"])

    def _reset(self, widget: Any, content: Any, buffers: Any) -> None:
        if content == {"do": "reset"}:
            with _told(_from_browser()):
                self._explorer.reset()

    def _adapt(self, change: Any) -> None:
        """Draw on the ground of the page."""
        Live.dark = change["new"]
        with self._lock, _told(_from_browser()):
            self._drawing = Drawing(self._explorer, Live.dark)
            self._draw(self._explorer.at())


@contextlib.contextmanager
def _told(browser: bool) -> Iterator[None]:
    """Let pass what fails in a browser's event, where the line under the picture tells; a cell or a test must fail."""
    try:
        yield
    except Exception:
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
    slider = ipywidgets.IntSlider if all(isinstance(v, int) for v in control.range) else ipywidgets.FloatSlider
    return slider(min=first, max=last, step=step, **shared)


def _row(slider: ipywidgets.DOMWidget, control: Control) -> ipywidgets.DOMWidget:
    """Put a play button before a slider that can play."""
    if not control.play:
        return slider
    first, last, step = control.range or (0, len(control.positions()) - 1, 1)
    of = "value" if control.range else "index"
    play = ipywidgets.Play(min=first, max=last, step=step, interval=PLAY_INTERVAL, show_repeat=False, tooltip="play")
    play.value = getattr(slider, of)
    ipywidgets.jslink((play, "value"), (slider, of))
    row = ipywidgets.HBox([play, slider])
    row.add_class("rsl-play")
    return row
