"""Make the elements of slides from the cells of a lesson, and estimate their heights."""

from __future__ import annotations

import ast
import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import markup
from .blocks import Block, blocks, condensed, is_caption, is_exercise, leads, without_further

LONG_CODE, LONG_CODE_OF_A_PICTURE = 12, 8
"""Maximum numbers of lines. Longer code with an output is folded, because then the output matters more."""
_LONG_OUTPUT = 14  # lines
_LINE, _GAP = 31.0, 10.0  # heights in px, on a slide of 1280 by 720
_EXPLORER, _FIGURE = 340.0, 290.0  # smallest heights of pictures
_LETTERS = 98  # characters in a line of text
_SWEEP = re.compile(r"^\w+: [\d,]+ pictures drawn\n?", re.MULTILINE)  # output of a lesson's test of its explorers
_TITLE = '<p class="title">'  # for an explorer


@dataclass(frozen=True)
class Element:
    """A part of a slide.

    Attributes:
        html: Its HTML.
        height: Its estimated height in px on a slide that is 720 high; for a picture, the smallest height.
        notes: HTML of the full text, if the slide shows only a part of it.
        heading: Whether it is a heading, which begins a slide.
        level: Level of a heading.
        picture: Whether the element takes the remaining height.
        leads: Whether the next element must be on the same slide.
        starts: Whether it is an exercise, which begins a slide.
    """

    html: str
    height: float = 0.0
    notes: str = ""
    heading: bool = False
    level: int = 0
    picture: bool = False
    leads: bool = False
    starts: bool = False


def elements(notebook: Any, folder: Path, links: str) -> list[Element]:
    """Return the elements for the slides of a lesson, in the order of the lesson.

    Args:
        notebook: The lesson, with its outputs.
        folder: The folder of the lesson; the paths of its pictures are relative to it.
        links: Prefix of links to other lessons.
    """
    cells = [
        (cell, []) if cell.cell_type == "code" else (None, blocks(cell.source))
        for cell in notebook.cells
        if cell.source.strip()
    ]
    found: list[Element] = []
    for cell, parts in without_further(cells):
        found += _code(cell) if cell else _text(parts, folder, links)
    return found


def _text(parts: Sequence[Block], folder: Path, links: str) -> Iterator[Element]:
    for block, after in zip(parts, [*parts[1:], None], strict=True):
        apart = after is not None and after.kind in ("paragraph", "heading", "picture")
        if block.kind == "heading":
            yield Element(markup.inline(block.text, links), heading=True, level=block.level)
        elif block.kind == "picture":
            alternative, file = re.fullmatch(r"!\[([^]]*)\]\(([^)]+)\)", block.text.strip()).groups()  # type: ignore[union-attr]
            image = _figure(markup.picture(folder / file, alternative))
            yield replace(image, leads=after is not None and is_caption(after.text))
        elif block.kind == "paragraph":
            short = condensed(block.text)
            full = " ".join(block.text.split())
            made = markup.rendered(short, links)
            notes = "" if short == full else markup.rendered(full, links)
            made = made.replace("<p>", '<p class="caption">') if is_caption(block.text) else made
            follows = leads(short) and not apart
            yield Element(made, _lines(short) * _LINE + _GAP, notes, leads=follows, starts=is_exercise(block.text))
        elif block.kind == "list":
            yield from _list(block, links)
        elif block.kind == "table":
            yield from _table(block, links)
        elif block.kind == "formula":
            rows = 1 + block.text.count(r"\\")
            made = markup.rendered(block.text, links)
            yield Element(made, 40 + (45 * rows if rows > 1 else 40))
        else:  # a quotation, or a code block in the text
            lines = sum(_lines(line) for line in block.text.splitlines())
            yield Element(markup.rendered(block.text, links), lines * _LINE + 2 * _GAP)


def _list(block: Block, links: str) -> Iterator[Element]:
    """Yield a list item by item, so that a long list can continue on the next slide with the right numbers."""
    for item in block.items:
        mark, text = re.match(r"([-*]|\d+\.) +(.*)", item, re.DOTALL).groups()  # type: ignore[union-attr]
        begin, end = (f'<ol start="{mark[:-1]}">', "</ol>") if mark[0].isdigit() else ("<ul>", "</ul>")
        made = f"{begin}<li>{markup.inline(' '.join(text.split()), links)}</li>{end}"
        yield Element(made, _lines(text) * _LINE + _GAP / 2)


def _table(block: Block, links: str) -> Iterator[Element]:
    """Yield a table, split into several with the same header row if it is too high for a slide."""
    head, rule, *rows = block.text.splitlines()
    piece: list[str] = []
    height = 0.0
    for row in rows:
        high = _row(row)
        if piece and height + high > 430:
            yield Element(markup.rendered("\n".join([head, rule, *piece]), links), height + 60)
            piece, height = [], 0.0
        piece.append(row)
        height += high
    yield Element(markup.rendered("\n".join([head, rule, *piece]), links), height + 60)


def _row(row: str) -> float:
    """Return the height of a row, estimated from its total length because browsers give long cells more width."""
    return 10 + 25 * max(1, math.ceil(len(_plain(row)) / 105))


def _code(cell: Any) -> Iterator[Element]:
    """Yield the code of a cell and its stored outputs."""
    lines = cell.source.rstrip().splitlines()
    further = re.search(r"# [Oo]ptional\b", lines[0]) is not None
    hidden = bool(cell.metadata.get("jupyter", {}).get("source_hidden"))
    asks = any("not answered yet" in str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
    shown = sorted(_outputs(cell), key=lambda element: element.picture or element.html.startswith(_TITLE))
    pictures = any(element.picture for element in shown)
    if further:  # the code is optional, but the text is about its pictures
        shown = shown if pictures else []
    most = LONG_CODE_OF_A_PICTURE if pictures else LONG_CODE
    shows_itself = "explorers.Quiz(" in cell.source or (len(lines) == 1 and (pictures or asks))
    if not (hidden or further or shows_itself or (not shown and _only_imports(cell.source))):
        made = markup.highlighted(cell.source.rstrip())
        if shown and len(lines) > most:
            made = f"<details><summary>Code, {len(lines)} lines</summary>{made}</details>"
            yield Element(made, 40, leads=True)
        elif not asks or pictures or "raise NotImplementedError" in cell.source:
            yield Element(made, 20 * len(lines) + 36, leads=bool(shown))
    yield from shown


def _only_imports(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except SyntaxError:  # an IPython command
        return False
    imports = [line for line in body if isinstance(line, (ast.Import, ast.ImportFrom))]
    return bool(imports) and all(isinstance(line, (ast.Import, ast.ImportFrom, ast.Expr)) for line in body)


def _outputs(cell: Any) -> Iterator[Element]:
    alternative = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    for output in cell.outputs:
        data = output.get("data", {})
        plain = "".join(data.get("text/plain", ""))
        if output.output_type == "stream":
            if printed := _SWEEP.sub("", "".join(output.text)).rstrip():
                yield _printed(printed)
        elif "image/png" in data:
            title = re.search(r"<p><b>(.*?)</b></p>", "".join(data.get("text/html", "")))
            says = plain.partition("): ")[2] if title else alternative
            image = markup.embedded("image/png", "".join(data["image/png"]), says)
            if title:
                notes = f"<p>{html.escape(says)}</p>"
                caption = f"{_TITLE}{title[1]}</p>"
                yield Element(caption, _LINE + _GAP, notes, leads=True)
            yield _figure(image, explorer=title is not None)
        elif plain.startswith("Quiz\n"):
            yield Element("<p><b>Predict, before you look.</b></p>", _LINE + _GAP, leads=True)
            asked = "\n".join(line if line[0].isdigit() else f"- {line}" for line in plain.splitlines()[1:])
            yield from _list(Block("list", asked), "")
        elif plain and "not answered yet" not in plain:
            yield _printed(plain)


def _figure(image: str, explorer: bool = False) -> Element:
    kind = "figure explorer" if explorer else "figure"
    return Element(f'<div class="{kind}">{image}</div>', _EXPLORER if explorer else _FIGURE, picture=True)


def _printed(text: str) -> Element:
    lines = text.splitlines()
    if len(lines) > _LONG_OUTPUT:
        lines = [*lines[:_LONG_OUTPUT], f"… and {len(lines) - _LONG_OUTPUT} more lines"]
    height = 23 * sum(max(1, math.ceil(len(line) / 118)) for line in lines) + 16
    return Element(f'<pre class="output">{html.escape(chr(10).join(lines))}</pre>', height)


def _plain(markdown: str) -> str:
    """Return Markdown as plain text, about as long as the text that a browser displays."""
    text = re.sub(r"\]\([^)]*\)", "", markdown)
    text = re.sub(r"\\[a-zA-Z]+", "x", text)
    return re.sub(r"[*`$\[\]{}_^]", "", text)


def _lines(markdown: str) -> int:
    return max(1, math.ceil(len(_plain(markdown)) / _LETTERS))
