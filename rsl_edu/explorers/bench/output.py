"""What an explorer or a quiz leaves in a notebook: a still for everyone, and the widget for those who have its kernel.

A notebook that is opened again has lost its kernel and its widgets; JupyterLab then says that it found no model. So the
still is an output of its own, which the widget hides as long as it lives. A page without a kernel needs neither: there
the explorer works by itself.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
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
"""Pixels of a still for each of the page."""
COLOURS = 128
"""Colours of a still; with all of them it would be four times as large."""
_numbers = itertools.count(1)


def show_twice(thing: Any, live: Callable[[], Any]) -> None:
    """Display the still of something, which ``_repr_mimebundle_`` gives, and its widget.

    Args:
        thing: An explorer or a quiz.
        live: Returns its widget.
    """
    show: Any = display
    if in_a_page():
        data, metadata = thing._repr_mimebundle_()
        show(data, metadata=metadata, raw=True)
    elif getattr(get_ipython(), "kernel", None) is None:
        print(repr(thing))
    else:
        # Colab needs the metadata that comes with the view of a widget.
        view, told = live()._repr_mimebundle_()
        data, metadata = thing._repr_mimebundle_()
        show(data, metadata=metadata, raw=True, display_id=thing.live.still)
        show({**view, "text/plain": ""}, metadata=told, raw=True)


def renew_still(instrument: Instrument[Any, Any], name: str, svg: str, panels: Sequence[Panel]) -> None:
    """Replace the still that :func:`show_twice` displayed with the picture that the browser has.

    That picture is there already, which takes milliseconds. Drawing a still as :func:`explorer_still` does takes up to
    a second, in which no slider would move.

    Args:
        instrument: What is drawn.
        name: What :func:`still_name` gave.
        svg: Its present picture, with all panels.
        panels: The panels that are shown.
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
    """Return a name that is not yet given: the same in every run of a notebook."""
    return f"{type(thing).__name__}-{next(_numbers)}"


def explorer_still(instrument: Instrument[Any, Any], name: str, more: bool) -> dict[str, str]:
    """Return the present picture with its words, for a notebook without a kernel: HTML, and an image alone.

    Args:
        instrument: What is drawn.
        name: What :func:`still_name` gave.
        more: Whether the panels are in it that are shown only when asked for.
    """
    result = instrument.compute(instrument.at())
    png, width = _still(instrument, result, more)
    return_memory()
    picture = f"data:image/png;base64,{png}"
    html = _html(name, instrument.title(result), instrument.describe(result), picture, width)
    return {"text/html": html, "image/png": png}


def _html(name: str, title: str, caption: str, picture: str, width: int) -> str:
    how = "This is a picture. Run the cell, and its controls appear."
    return template("still.html.j2").render(
        name=name, title=title, caption=caption, picture=picture, width=width, how=how
    )


def quiz_still(questions: Sequence[Question], name: str) -> str:
    """Return questions as a list, for a notebook without a kernel."""
    return template("still.html.j2").render(
        name=name, title="", picture="", lines=question_lines(questions), how="Run the cell to answer."
    )


def _still(instrument: Instrument[Any, Any], result: Any, more: bool) -> tuple[str, int]:
    """Return the picture of a result as a notebook stores it, and its width in pixels of a page."""
    drawing = Drawing(instrument)
    drawing.move(result)
    raw, png = io.BytesIO(), io.BytesIO()
    drawing.finished().savefig(raw, format="png", dpi=100 * SHARP)
    edges = _edges([panel for panel in drawing.panels if more or not panel.more])
    pixels = 100 * SHARP / POINTS
    image = Image.open(raw).convert("RGB").crop(tuple(round(pixels * edge) for edge in edges))  # type: ignore[arg-type]
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(png, "png", optimize=True)
    return base64.b64encode(png.getvalue()).decode(), image.width // SHARP


def return_memory() -> None:
    """Return to the system what pictures took, 25 MB for a still: a class has many kernels on one machine."""
    with contextlib.suppress(AttributeError, TypeError):  # only glibc, the C library of most Linux systems, has it
        ctypes.CDLL(None).malloc_trim(0)


def _edges(panels: Sequence[Panel]) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of panels in points."""
    left, top, width, height = zip(*(panel.box for panel in panels), strict=True)
    right = max(a + b for a, b in zip(left, width, strict=True))
    return min(left), min(top), right, max(a + b for a, b in zip(top, height, strict=True))
