"""Split the Markdown of a lesson into blocks, and shorten paragraphs for slides to the first sentence and bold text."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["heading", "paragraph", "list", "table", "formula", "quote", "picture", "code"]


@dataclass(frozen=True)
class Block:
    """A part of a cell that is not split further.

    Attributes:
        kind: Kind of the block.
        text: Its Markdown; for a heading, without the leading ``#``.
        level: Level of a heading, 1 to 6; 0 for other blocks.
    """

    kind: Kind
    text: str
    level: int = 0

    @property
    def further(self) -> bool:
        """Whether the block is marked as optional, by itself or together with the blocks after it."""
        return re.match(r"\*{1,3}Optional\b|\*\*Exercise[^.]*\*optional\*\.", self.text) is not None

    @property
    def items(self) -> list[str]:
        """The items of a list, each with its bullet or number."""
        return re.split(r"\n(?=[-*] |\d+\. )", self.text)


_FOLDED = re.compile(r"<details>.*?</details>|<!--.*?-->", re.DOTALL)
_ELSEWHERE = "](https://colab.research.google.com/"
_ITEM = re.compile(r"[-*] |\d+\. ")


def blocks(markdown: str) -> list[Block]:
    """Split the Markdown of a cell into blocks.

    Folded text (hints and solutions) is left out. Links that open the lesson on other sites are also left out.
    """
    return [_block(text) for text in _texts(_FOLDED.sub("", markdown)) if _ELSEWHERE not in text]


def _texts(markdown: str) -> Iterator[str]:
    lines: list[str] = []
    closing = ""  # the end marker of an open code fence or formula
    for line in markdown.splitlines():
        heading = not closing and re.match(r"#+ ", line)
        listing = _ITEM.match(line) and lines and not _ITEM.match(lines[0])
        if not closing and (not line.strip() or heading or listing) and lines:
            yield "\n".join(lines)
            lines = []
        if not line.strip() and not closing:
            continue
        lines.append(line)
        if heading:
            yield lines.pop()
        elif closing:
            closing = "" if line.rstrip().endswith(closing) or re.search(r"\$\$\s*$", line) else closing
        elif line.startswith("```"):
            closing = "```"
        elif line.startswith("$$") and line.count("$$") == 1:
            closing = "$$"
    if lines:
        yield "\n".join(lines)


def _block(text: str) -> Block:
    if heading := re.match(r"(#+) +", text):
        return Block("heading", text[heading.end() :].strip(), len(heading[1]))
    kinds: tuple[tuple[str, Kind], ...] = (
        (r"\|", "table"),
        (r"\$\$", "formula"),
        (r"> ", "quote"),
        (r"!\[", "picture"),
        (r"```", "code"),
        (_ITEM.pattern, "list"),
    )
    return Block(next((kind for begin, kind in kinds if re.match(begin, text)), "paragraph"), text)


_OPAQUE = re.compile(r"\$[^$]+\$|`[^`]+`|\]\([^)]*\)|“[^”]*”|\"[^\"]*\"")
_END = re.compile(r"[.?!][)*”\"]*\s+(?=[A-Z*\[(`$“\"x])")
_WHOLE = re.compile(r"\*\*(?:Exercise|Choose|Choice|Find|Predict|Your turn|Read on)\b")
_EXERCISE = re.compile(r"\*\*(?:Exercise|Choose|Choice|Find|Your turn)\b")


def is_exercise(paragraph: str) -> bool:
    """Return whether a paragraph is the task of an exercise or of a choice."""
    return _EXERCISE.match(paragraph) is not None


def is_caption(paragraph: str) -> bool:
    """Return whether a paragraph is the caption of a picture: its whole text is emphasized."""
    return re.fullmatch(r"\*(?!\*)[^*]+\*", paragraph.strip()) is not None


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph, without splitting emphasis and parentheses."""
    text = " ".join(paragraph.split())
    masked = _OPAQUE.sub(lambda found: "x" * len(found[0]), text)
    ends = [0, *(end.end() for end in _END.finditer(masked)), len(text)]
    found: list[str] = []
    for begin, end in itertools.pairwise(ends):
        if found and (found[-1].count("**") % 2 or found[-1].count("(") > found[-1].count(")")):
            found[-1] += text[begin:end]
        else:
            found.append(text[begin:end])
    return [sentence.strip() for sentence in found if sentence.strip()]


def condensed(paragraph: str) -> str:
    """Return the part of a paragraph that a slide shows.

    The slide shows the first sentence, every sentence with bold text, and the last sentence if it introduces what
    follows. Exercises and questions are not shortened.
    """
    if _WHOLE.match(paragraph) or is_caption(paragraph):
        return " ".join(paragraph.split())
    all_of_it = sentences(paragraph)
    first = all_of_it[0]
    few = len(first.split()) < 4 or first.endswith(("**", "?"))  # "Why?" needs its answer
    kept = [
        sentence
        for place, sentence in enumerate(all_of_it)
        if place <= few or "**" in sentence or (place == len(all_of_it) - 1 and leads(sentence))
    ]
    return " ".join(kept)


def leads(text: str) -> bool:
    """Return whether a text ends with a colon, so that it needs what follows."""
    return text.rstrip("* ").endswith(":")


def without_further(cells: Sequence[tuple[Any, Sequence[Block]]]) -> list[tuple[Any, list[Block]]]:
    """Leave out what a lesson marks as *Optional*.

    Args:
        cells: A pair for each cell. For a code cell: the cell and no blocks. For a text cell: None and its blocks.

    Returns:
        The remaining cells, with the remaining blocks of text cells.
    """
    whole = "the next heading" in "\n".join(block.text for block in (cells[0][1] if cells else ()))
    left: list[tuple[Any, list[Block]]] = []
    skipping = 0  # skip up to a heading of this level; 0: skip nothing
    next_cell = False  # whether the next code cell is skipped
    for code, parts in cells:
        if code:
            if not (skipping or next_cell):
                left.append((code, []))
            next_cell = False
            continue
        kept: list[Block] = []
        leading = False  # whether the next block belongs to the skipped one
        for block in parts:
            if skipping and _ends(block, skipping):
                skipping = 0
            if block.further:
                exercise = "xercise" in block.text[:40]
                next_cell = exercise or "next cell" in block.text.split(".")[0]
                skipping = skipping if exercise else _extent(block, whole) or skipping
                leading = not exercise and block.text.rstrip().endswith((":", "line.", "lines."))
            elif not skipping and not (leading and block.kind in ("list", "table", "formula", "code")):
                kept.append(block)
                leading = False
        if kept:
            left.append((None, kept))
    return left


_ANY = 6
"""The level of an optional part that ends at the next heading of any level, or at a paragraph that begins in bold."""


def _ends(block: Block, level: int) -> bool:
    if block.kind == "heading":
        return block.level <= level
    return level == _ANY and block.kind == "paragraph" and bool(re.match(r"\*\*(?!\*)", block.text))


def _extent(block: Block, whole: bool) -> int:
    """Return the level of the heading at which an optional part ends, or 0 if the part is only this block."""
    if block.kind == "heading":
        return block.level
    begin = block.text.split(".")[0]
    if "section" in begin:
        return 2
    return _ANY if whole or "heading" in begin or "up to" in begin else 0
