"""Explorers and quizzes in a page without a kernel: every picture is drawn beforehand, and the page picks one."""

from __future__ import annotations

import base64
import json
import os
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from .figure import recolouring

if TYPE_CHECKING:
    from .controls import Control
    from .figure import Frame
    from .instrument import Instrument

HERE = Path(__file__).parent
NOTEBOOK = "rsl-edu:notebook"
"""Address that stands for the notebook of the page; whoever builds the page replaces it."""
_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined)
_TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
STYLE = ("picture.css", "form.css", "static_page.css")


def in_a_page() -> bool:
    """Return whether what is shown now goes into a page, where no kernel will answer: the book's kernels say so."""
    return bool(os.environ.get("RSL_EDU_BOOK"))


def script() -> str:
    """Return the script of a page: those of the live widgets, and what they ask instead of a kernel.

    It is a classic script: a browser loads no module from a file.
    """
    widgets = "".join(f"const {name} = (() => {{\n{_exported(f'{name}.js')}}})();\n" for name in ("picture", "form"))
    return f"(() => {{\n{widgets}{_text('static_page.js')}}})();\n"


def style() -> str:
    """Return the style sheet of a page."""
    return "".join(map(_text, STYLE))


def explorer_html(explorer: Instrument[Any, Any], frames: Iterable[Frame], notebook: str = NOTEBOOK) -> str:
    """Return an explorer with all pictures that a page holds; without JavaScript it is the present one.

    Args:
        explorer: The explorer.
        frames: Its pictures, the present one among them.
        notebook: Address of the notebook that it is from; empty if there is none.
    """
    frames = list(frames)
    axes = {name: _values(control, name, frames) for name, control in explorer.controls.items()}
    moved = {name: values for name, values in axes.items() if len(values) > 1}
    present = next(frame for frame in frames if frame.state == explorer.at())
    width, height = (round(100 * inches) for inches in explorer.size)

    def place(frame: Frame) -> list[int]:
        return [values.index(getattr(frame.state, name)) for name, values in moved.items()]

    page = {
        "name": type(explorer).__name__,
        "width": width,
        "height": height,
        "dark": recolouring(),
        "controls": [_control(explorer.controls[name], values) for name, values in moved.items()],
        "start": place(present),
        "fixed": [
            f"{control.label} {_word(control, getattr(present.state, name))}"
            for name, control in explorer.controls.items()
            if name not in moved
        ],
        "notebook": notebook,
        "drawn": _packed([(place(frame), explorer.write(frame.state), frame) for frame in frames]),
    }
    picture = urllib.parse.quote(present.svg, safe=" /:;,=()!@$&'*+?[]\n")  # gzip packs it, as it does not pack base64
    return _TEMPLATES.get_template("explorer.html.j2").render(
        width=width, height=height, caption=present.caption, picture=picture, page=page
    )


def document(title: str, *parts: str) -> str:
    """Return a page of its own, light or dark as its reader's system, that loads nothing.

    Args:
        title: Plain text.
        parts: HTML: explorers among it.
    """
    styles = style() + _text("document.css")
    return (
        _TEMPLATES.get_template("document.html.j2").render(title=title, parts=parts, style=styles, script=script())
        + "\n"
    )


def quiz_html(questions: Mapping[str, Sequence[str] | None], number: Control | None) -> str:
    """Return a quiz whose answers are written under the next explorer; without JavaScript it is a list.

    Args:
        questions: The questions; for each the answers to choose from, or None for a number.
        number: What the number is.
    """
    asked: list[Any] = []
    lines = []
    for text, choices in questions.items():
        if choices is None:
            assert number is not None
            places = number.positions(2)
            asked.append([text, None, number.unit, number.range or (places[0], places[-1])])
        else:
            asked.append([text, list(choices), "", None])
        lines.append(text if choices is None else f"{text} ({' / '.join(choices)})")
    return _TEMPLATES.get_template("quiz.html.j2").render(lines=lines, questions=asked)


def _packed(drawn: list[tuple[list[int], str, Frame]]) -> str:
    """Return pictures and their words as text; the elements that pictures share, most of them, are stored once."""
    elements: dict[str, int] = {}

    def stored(svg: str) -> list[int]:
        return [elements.setdefault(element, len(elements)) for element in re.split("(?=<)", svg)]

    frames = [
        [place, frame.caption, [*frame.numbers.items()], state, stored(frame.ground), stored(frame.moving)]
        for place, state, frame in drawn
    ]
    text = json.dumps({"elements": list(elements), "frames": frames}, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _values(control: Control, name: str, frames: Iterable[Frame]) -> list[Any]:
    """Return the values of a control that there are pictures of, in the control's order."""
    drawn = {getattr(frame.state, name) for frame in frames}
    known = [value for value in control.positions() if value in drawn]
    return known if len(known) == len(drawn) else sorted(drawn)  # a slider may stand between two positions


def _control(control: Control, values: list[Any]) -> dict[str, Any]:
    if control.choices is None and control.range is None and control.steps is None:
        kind = "switch"
    else:
        kind = "slider" if control.choices is None and len(values) > 3 else "choice"  # few are quicker chosen by name
    return {
        "kind": kind,
        "words": control.words,
        "help": control.help,
        "values": [_word(control, value) for value in values],
        "play": control.play,
    }


def _word(control: Control, value: Any) -> str:
    """Return a value as the control shows it."""
    if control.choices is not None:
        return next(words for words, choice in control.choices.items() if choice == value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}"


def _exported(module: str) -> str:
    return _text(module).replace("export default", "return")


def _text(file: str) -> str:
    return (HERE / file).read_text("utf-8")
