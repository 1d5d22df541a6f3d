"""The outputs of an explorer or a quiz in a notebook: a still, and a widget that needs the kernel.

A notebook that is opened again has lost its kernel and its widgets, and JupyterLab reports that it found no model. The
still is therefore a separate output, which the widget hides while the widget exists. A page without a kernel needs no
still and no widget, because an explorer works there without them.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import functools
import io
import itertools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.display import display
from PIL import Image

from .drawing import POINTS, Drawing, Panel
from .static_page import in_a_page, question_lines, template

if TYPE_CHECKING:
    from .instrument import Instrument
    from .question import Question

SHARP = 2
"""Pixels of a still for each pixel of the page, in width and in height."""
COLOURS = 128
"""Number of colours in a still. With all colours of the picture, the file would be four times as large."""
_numbers = itertools.count(1)


def show_twice(thing: Any, live: Callable[[], Any]) -> None:
    """Display an explorer or a quiz twice: as a still image, from ``_repr_mimebundle_``, and as a widget.

    Args:
        thing: An explorer or a quiz.
        live: Function that returns the widget of ``thing``.
    """
    show: Any = display
    if in_a_page():
        data, metadata = thing._repr_mimebundle_()
        show(data, metadata=metadata, raw=True)
    elif getattr(get_ipython(), "kernel", None) is None:
        print(repr(thing))
    else:
        _return_memory_after_cells()
        # Colab needs the metadata of a widget's view.
        view, told = live()._repr_mimebundle_()
        data, metadata = thing._repr_mimebundle_()
        show(data, metadata=metadata, raw=True, display_id=thing.live.still)
        show({**view, "text/plain": ""}, metadata=told, raw=True)


def renew_still(instrument: Instrument[Any, Any], name: str, svg: str, panels: Sequence[Panel]) -> None:
    """Replace the still image that :func:`show_twice` displayed with the picture that the browser shows.

    The browser's picture already exists, so this takes only milliseconds. Drawing a still as :func:`explorer_still`
    does takes up to a second, and the sliders would not respond during this time.

    Args:
        instrument: The explorer.
        name: The result of :func:`still_name`.
        svg: The explorer's current picture, with all panels.
        panels: The visible panels.
    """
    show: Any = display
    left, top, right, bottom = _edges(panels)
    width, height = (round(length * 100 / POINTS) for length in (right - left, bottom - top))
    part = f'width="{width}" height="{height}" viewBox="{left:g} {top:g} {right - left:g} {bottom - top:g}"'
    svg = re.sub('width="[^"]*" height="[^"]*" viewBox="[^"]*"', part, svg, count=1)
    picture = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
    result = instrument.compute(instrument.at())
    html = _html(name, instrument.title(result), instrument.describe(result), picture, width)
    show({"text/plain": repr(instrument), "text/html": html}, raw=True, display_id=name, update=True)


def still_name(thing: object) -> str:
    """Return a new unique name for a still. A notebook gets the same names in every run."""
    return f"{type(thing).__name__}-{next(_numbers)}"


def explorer_still(instrument: Instrument[Any, Any], name: str, more: bool) -> dict[str, str]:
    """Return the current picture for a notebook without a kernel, both as HTML with its texts and as a plain image.

    Args:
        instrument: The explorer.
        name: The result of :func:`still_name`.
        more: Whether to include the panels that are shown only on request.
    """
    result = instrument.compute(instrument.at())
    png, width = _still(instrument, result, more)
    picture = f"data:image/png;base64,{png}"
    html = _html(name, instrument.title(result), instrument.describe(result), picture, width)
    return {"text/html": html, "image/png": png}


def _html(name: str, title: str, caption: str, picture: str, width: int) -> str:
    how = "This is a static picture. Run the cell to get the controls."
    return template("still.html.j2").render(
        name=name, title=title, caption=caption, picture=picture, width=width, how=how
    )


def quiz_still(questions: Sequence[Question], name: str) -> str:
    """Return questions as a list, for a notebook without a kernel."""
    return template("still.html.j2").render(
        name=name, title="", picture="", lines=question_lines(questions), how="Run the cell to answer."
    )


def _still(instrument: Instrument[Any, Any], result: Any, more: bool) -> tuple[str, int]:
    """Return the picture of a result for a notebook, and the width of the picture in pixels of the page."""
    drawing = Drawing(instrument)
    drawing.move(result)
    raw, png = io.BytesIO(), io.BytesIO()
    drawing.finished(more).savefig(raw, format="png", dpi=100 * SHARP)
    edges = _edges([panel for panel in drawing.panels if more or not panel.more])
    pixels = 100 * SHARP / POINTS
    image = Image.open(raw).convert("RGB").crop(tuple(round(pixels * edge) for edge in edges))  # type: ignore[arg-type]
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "png", optimize=True)
    return base64.b64encode(png.getvalue()).decode(), image.width // SHARP


@functools.cache
def _return_memory_after_cells() -> None:
    """Return free memory to the system after each cell.

    On a machine that a class shares, this saves up to 60 MB per lesson.

    This takes a millisecond. With MALLOC_TRIM_THRESHOLD_, the C library would return memory all the time, which slows
    training by half.
    """
    with contextlib.suppress(AttributeError, TypeError):  # only available in glibc, the C library of most Linux systems
        trim = ctypes.CDLL(None).malloc_trim
        get_ipython().events.register("post_run_cell", lambda result: trim(0))


def _edges(panels: Sequence[Panel]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of panels in points."""
    left, top, width, height = zip(*(panel.box for panel in panels), strict=True)
    right = max(a + b for a, b in zip(left, width, strict=True))
    return min(left), min(top), right, max(a + b for a, b in zip(top, height, strict=True))
