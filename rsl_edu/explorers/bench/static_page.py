"""Explorers and quizzes in a page without a kernel: every picture is drawn beforehand, and the page picks one."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figure import recolouring

if TYPE_CHECKING:
    from .controls import Control
    from .explorer import Explorer, Frame
    from .quiz import Quiz

NOTEBOOK = "rsl-edu:notebook"
"""Address that stands for the notebook of the page; who builds the page replaces it."""
STYLE = ("picture.css", "form.css", "static_page.css")
_THEME = """const system = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.documentElement.dataset.theme = system.matches ? "dark" : "light"; };
follow();
system.addEventListener("change", follow);
"""


def script() -> str:
    """Return the script of a page: those of the live widgets, and what they ask instead of a kernel.

    It is a classic script: a browser loads no module from a file.
    """
    here = Path(__file__).parent
    widgets = "".join(
        f"const {name} = (() => {{\n{_exported(here / f'{name}.js')}}})();\n" for name in ("picture", "form")
    )
    return f"(() => {{\n{widgets}{(here / 'static_page.js').read_text('utf-8')}}})();\n"


def style() -> str:
    """Return the style sheet of a page."""
    return "".join(Path(__file__).with_name(name).read_text("utf-8") for name in STYLE)


def explorer_html(explorer: Explorer[Any, Any], notebook: str = NOTEBOOK) -> str:
    """Return an explorer with all pictures that a page holds; without JavaScript it is the present one.

    Args:
        explorer: The explorer.
        notebook: Address of the notebook that it is from; empty if there is none.
    """
    frames = list(explorer.frames())
    axes = {
        name: [value for value in control.positions() if any(getattr(frame.state, name) == value for frame in frames)]
        for name, control in explorer.controls.items()
    }
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
    source = urllib.parse.quote(present.svg, safe=" /:;,=()!@$&'*+?[]\n")  # gzip packs it, as it does not pack base64
    picture, caption = html.escape(source), html.escape(present.caption)
    return (
        f'<rsl-explorer><figure class="rsl-picture"><img width="{width}" height="{height}" alt="{caption}" '
        f'src="data:image/svg+xml,{picture}"><figcaption>{caption}</figcaption></figure>{_json(page)}</rsl-explorer>'
    )


def document(title: str, *parts: str) -> str:
    """Return a page of its own, light or dark as its reader's system, that loads nothing.

    Args:
        title: Plain text.
        parts: HTML: explorers among it.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
    styles = style() + Path(__file__).with_name("document.css").read_text("utf-8")
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f"<title>{html.escape(title)}</title>\n<style>\n{styles}</style>\n<script>\n{_THEME}</script>",
            f'</head>\n<body>\n<main class="bd-content">\n<h1>{html.escape(title)}</h1>',
            *parts,
            f"</main>\n<script>\n{script()}</script>\n</body>\n</html>\n",  # defines elements that are complete by then
        )
    )


def quiz_html(quiz: Quiz) -> str:
    """Return a quiz whose answers are written under the next explorer; without JavaScript it is a list."""
    number: Any = quiz.explorer.question
    asked, lines = [], []
    for text, choices in quiz.questions.items():
        asked.append([text, list(choices), "", None] if choices else [text, None, number.unit, number.range])
        lines.append(f"{text} ({' / '.join(choices)})" if choices else text)
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<rsl-quiz><ul>{items}</ul>{_json(asked)}</rsl-quiz>"


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
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value:g}"


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>'


def _exported(module: Path) -> str:
    return module.read_text("utf-8").replace("export default", "return")
