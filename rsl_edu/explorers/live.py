"""The live form of an explorer: ipywidgets controls above a picture that follows them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import ipywidgets
from IPython import get_ipython

from .picture import Canvas, Picture, new_figure

if TYPE_CHECKING:
    from .base import Control, Explorer

PLAY_INTERVAL = 120
"""Milliseconds between the steps of a play button."""


class Live(ipywidgets.VBox):
    """Controls and picture of one explorer. Made by :attr:`.Explorer.live`.

    Attributes:
        widgets: The control of each field of the state, by its name.
        picture: The image, its caption and its error line.
    """

    def __init__(self, explorer: Explorer[Any, Any]) -> None:
        self._explorer = explorer
        self._figure = new_figure(explorer.size)
        self._artists = explorer.stage(self._figure)
        self._canvas = Canvas(self._figure)
        self._lock = threading.RLock()  # ipykernel runs callbacks in threads
        self._following = True
        self.picture = Picture()
        self.widgets = {n: _widget(c, getattr(explorer.state, n)) for n, c in explorer.controls.items()}
        for name, widget in self.widgets.items():
            widget.observe(lambda change, name=name: self._follow(name, change["new"]), "value")
        self.show(explorer.state)
        playing = [name for name, control in explorer.controls.items() if control.play]
        grid = ipywidgets.Layout(grid_template_columns="repeat(auto-fill, minmax(290px, 1fr))", grid_gap="2px 16px")
        others = ipywidgets.GridBox([w for name, w in self.widgets.items() if name not in playing], layout=grid)
        rows = [_with_play(self.widgets[name], explorer.controls[name]) for name in playing]
        super().__init__([*rows, others, self.picture])
        self.add_class("rsl-explorer")

    def show(self, state: Any) -> None:
        """Put controls and picture to ``state``; if that fails, the last picture stays and one line says why."""
        with self._lock:
            try:
                result = self._explorer.compute(state)
                self._explorer.draw(self._artists, result)
                data, caption = self._canvas.png(), self._explorer.describe(result)
            except Exception as error:
                self.picture.error = f"{error}"
                raise
            self._following = False
            try:
                for name, value in vars(state).items():
                    self.widgets[name].value = value
            finally:
                self._following = True
            with self.picture.hold_sync():
                self.picture.data, self.picture.caption, self.picture.error = data, caption, ""

    def _follow(self, name: str, value: Any) -> None:
        with self._lock:  # an event of another thread waits; one that show() itself caused is not followed
            if not self._following:
                return
            try:
                self._explorer.set(**{name: value})
            except Exception:
                if not _from_browser():  # there the line under the picture tells; a cell or a test must fail
                    raise


def _from_browser() -> bool:
    kernel = getattr(get_ipython(), "kernel", None)
    return kernel is not None and kernel.get_parent().get("header", {}).get("msg_type") == "comm_msg"


def _widget(control: Control, value: Any) -> ipywidgets.DOMWidget:
    """Make the control's widget at ``value``."""
    shared = {
        "value": value,
        "description": control.label,
        "tooltip": control.help,
        "style": {"description_width": "8.5em"},
        "layout": ipywidgets.Layout(width="auto"),
    }
    if control.choices is not None:
        return ipywidgets.Dropdown(options=list(control.choices.items()), **shared)
    if control.range is None:
        return ipywidgets.Checkbox(indent=True, **shared)
    first, last, step = control.range
    slider = ipywidgets.IntSlider if all(isinstance(v, int) for v in control.range) else ipywidgets.FloatSlider
    return slider(min=first, max=last, step=step, **shared)


def _with_play(slider: ipywidgets.DOMWidget, control: Control) -> ipywidgets.DOMWidget:
    """Put a play button before a slider."""
    first, last, step = control.range  # type: ignore[misc]
    play = ipywidgets.Play(
        min=first, max=last, step=step, value=slider.value, interval=PLAY_INTERVAL, show_repeat=False, tooltip="play"
    )
    ipywidgets.jslink((play, "value"), (slider, "value"))
    slider.layout.flex = "1 1 auto"
    return ipywidgets.HBox([play, slider])
