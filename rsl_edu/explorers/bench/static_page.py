"""Explorers and quizzes on a page without a kernel. All pictures are drawn in advance, and the page selects one."""

from __future__ import annotations

import base64
import json
import os
import re
import urllib.parse
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jinja2

from .scripts import HERE, page_script, page_style, text
from .view import Positions, grips_on, place_of, specification

if TYPE_CHECKING:
    from .controls import Control
    from .drawing import Frame, Panel
    from .instrument import Instrument
    from .question import Question

NOTEBOOK = "rsl-edu:notebook"
"""Placeholder for the address of the page's notebook; the build of the page replaces it."""
_TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined)
_TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False}


def in_a_page() -> bool:
    """Return whether outputs are for a page without a kernel. Kernels that build the book set a variable for this."""
    return bool(os.environ.get("RSL_EDU_BOOK"))


def explorer_html(
    explorer: Instrument[Any, Any], panels: Sequence[Panel], frames: Iterable[Frame], notebook: str = NOTEBOOK
) -> str:
    """Return an explorer with all its pictures, for a page. Without JavaScript, the page shows the current picture.

    Args:
        explorer: The explorer.
        panels: The panels of the explorer's pictures.
        frames: The explorer's pictures, including the current picture.
        notebook: Address of the notebook that contains the explorer; empty if there is none.
    """
    frames = list(frames)
    positions = moved(explorer, [frame.state for frame in frames])
    present = next(frame for frame in frames if frame.state == explorer.at())
    width, height = (round(100 * inches) for inches in explorer.size)
    page = {
        "spec": specification(explorer, panels, positions),
        "start": place_of(present.state, positions),
        "fixed": [
            f"{control.label} {control.word(getattr(present.state, name))}"
            for name, control in explorer.controls.items()
            if name not in positions
        ],
        "notebook": notebook,
        "drawn": _packed(explorer, frames, positions),
    }
    picture = urllib.parse.quote(present.svg, safe=" /:;,=()!@$&'*+?[]\n")  # smaller than base64 after gzip
    return template("explorer.html.j2").render(
        width=width, height=height, title=present.title, caption=present.caption, picture=picture, page=page
    )


def moved(explorer: Instrument[Any, Any], states: Iterable[Any]) -> dict[str, list[Any]]:
    """Return, for each control with several values in these states, these values in the control's order."""
    states = list(states)
    axes = {name: _values(control, name, states) for name, control in explorer.controls.items()}
    return {name: values for name, values in axes.items() if len(values) > 1}


def document(title: str, *parts: str) -> str:
    """Return a self-contained HTML page, light or dark depending on the reader's system.

    Args:
        title: Plain text.
        parts: HTML, which may contain explorers.
    """
    styles = page_style() + text("document.css")
    page = template("document.html.j2").render(title=title, parts=parts, style=styles, script=page_script())
    return f"{page}\n"


def quiz_html(questions: Sequence[Question], number: Control | None, positions: Positions) -> str:
    """Return questions for a page. Answers are written below the next explorer. Without JavaScript, they are a list.

    Args:
        questions: The questions.
        number: The control that describes the number for which a question without choices asks.
        positions: The values of the explorer's controls on the page.
    """
    told = questions_told(questions, number)
    for one, question in zip(told, questions, strict=True):
        one["range"] = None if number is None else (number.range or number.positions(2))[:2]
        one["places"] = {
            str(i): values.index(question.show[name])
            for i, (name, values) in enumerate(positions.items())
            if question.show.get(name) in values
        }
    return template("quiz.html.j2").render(lines=question_lines(questions), questions=told)


def question_lines(questions: Sequence[Question]) -> list[str]:
    """Return each question with its choices, as text."""
    return [
        f"{question.text} ({' / '.join(question.choices)})" if question.choices else question.text
        for question in questions
    ]


def questions_told(questions: Sequence[Question], number: Control | None) -> list[dict[str, Any]]:
    """Return the data that the script in the browser needs for questions, in a widget or on a page."""
    return [
        {
            "text": question.text,
            "choices": list(question.choices) or None,
            "unit": "" if number is None else number.unit,
            "answer": question.answer,
            "shows": bool(question.show),
        }
        for question in questions
    ]


def template(name: str) -> jinja2.Template:
    """Return a template of this folder."""
    return _TEMPLATES.get_template(name)


def _packed(explorer: Instrument[Any, Any], frames: list[Frame], positions: Mapping[str, list[Any]]) -> str:
    """Return pictures and their texts, compressed. An element that several pictures share is stored only once."""
    elements: dict[str, int] = {}

    def stored(panels: Iterable[str]) -> list[list[int]]:
        return [[elements.setdefault(part, len(elements)) for part in re.split("(?=<)", svg)] for svg in panels]

    told = [
        {
            "place": place_of(frame.state, positions),
            "title": frame.title,
            "caption": frame.caption,
            "numbers": [*frame.numbers.items()],
            "state": explorer.write(frame.state),
            "spots": frame.spots,
            "grips": grips_on(frame, positions),
            "grounds": stored(frame.grounds),
            "moving": stored(frame.moving),
        }
        for frame in frames
    ]
    page = json.dumps({"elements": list(elements), "frames": told}, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(page.encode(), 9)).decode()


def _values(control: Control, name: str, states: Iterable[Any]) -> list[Any]:
    """Return those values of a control that occur in the states of the pictures, in the control's order."""
    drawn = {getattr(state, name) for state in states}
    known = [value for value in control.positions() if value in drawn]
    return known if len(known) == len(drawn) else sorted(drawn)  # a value may be between two positions
