"""The picture of an explorer in the browser."""

from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Picture(anywidget.AnyWidget):
    """An image with its numbers, a caption that is read out when it changes, predictions, an error line, four buttons.

    A host needs ipywidgets and anywidget, as JupyterLab, Notebook 7, VS Code and Colab have; nothing comes from a CDN.

    Attributes:
        name: Name of the explorer, for files and for screen readers.
        data: The image.
        mime: Its format.
        width, height: Its size in pixels.
        caption: What it shows: its alternative text, and the line under it.
        numbers: Rows of name, number and, if another state is pinned, the number there.
        error: What is wrong with the present values of the controls; empty if nothing is.
        answers: What the learner predicted: rows of question and answer.
        state: The state as text, to be copied.
        pinned: Whether another state is pinned; the compare button sets it.
        dark: Whether the page around it is dark; the page sets it.
    """

    _esm = Path(__file__).with_name("picture.js")
    _css = Path(__file__).with_name("picture.css")

    name = traitlets.Unicode().tag(sync=True)
    data = traitlets.Bytes().tag(sync=True)
    mime = traitlets.Unicode("image/png").tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    height = traitlets.Int().tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    numbers: Any = traitlets.List().tag(sync=True)
    answers: Any = traitlets.List().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    state = traitlets.Unicode().tag(sync=True)
    pinned = traitlets.Bool().tag(sync=True)
    dark = traitlets.Bool().tag(sync=True)
