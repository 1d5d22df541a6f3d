"""What a comparison of a checkpoint and an export found, as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rsl_edu.printable import printable

WIDTH = 100
"""Longest line of the text, in characters; a longer word is not broken."""
LESSONS = {1: "MLP", 2: "CNN", 3: "RNN", 4: "Normalization", 5: "Distributions", 6: "Policy"}
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=lambda words: printable(str(words)),  # names come from files
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why an export does something else.

    Attributes:
        name: Name of the cause.
        found: How it was found, with its figures.
        change: What to change.
        lesson: Number of the lesson that explains it.
    """

    name: str
    found: str
    change: str
    lesson: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Whether an export does what its checkpoint does, as text and, in a notebook, as a table.

    Attributes:
        same: Whether it does.
        about: What was compared, in words.
        verdict: The answer, in a sentence.
        reasons: Why not: one cause, or two together.
        notes: What else was seen.
        ruled_out: Causes that were tried and explain nothing.
        unchecked: What could not be tried, and what is missing for it.
    """

    same: bool
    about: Mapping[str, str]
    verdict: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    unchecked: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        """Lines of at most 100 characters, for a terminal."""
        lines = [_line(name, words) for name, words in self.about.items()]
        lines += ["", textwrap.fill(printable(self.verdict), WIDTH, break_long_words=False)]
        for number, reason in enumerate(self.reasons, 1):
            lines += ["", f"{number}. {reason.name}"]
            lines += [_line(name, words, 3) for name, words in _rows(reason).items() if name != "cause"]
        if rest := self._rest():
            lines += ["", *(_line(name, words) for name, words in rest)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        page = _PAGES.get_template("export_report.html.j2")
        rows = [_rows(reason) for reason in self.reasons]
        return page.render(about=self.about, verdict=self.verdict, rows=rows, rest=self._rest())

    def _rest(self) -> list[tuple[str, str]]:
        """Return what follows the causes, in words."""
        words = [("note", note) for note in self.notes]
        if self.ruled_out:
            words.append(("ruled out", ", ".join(self.ruled_out)))
        if self.unchecked:
            words.append(("not checked", "; ".join(f"{name}: {missing}" for name, missing in self.unchecked.items())))
        return words


def _rows(reason: Reason) -> dict[str, str]:
    lesson = f"{reason.lesson} · {LESSONS[reason.lesson]}"
    return {"cause": reason.name, "found": reason.found, "change": reason.change, "lesson": lesson}


def _line(name: str, words: str, indent: int = 0) -> str:
    """Return a name and its words, wrapped and indented."""
    return textwrap.fill(
        printable(words),
        WIDTH,
        initial_indent=f"{' ' * indent}{name:<12}",
        subsequent_indent=" " * (12 + indent),
        break_long_words=False,
    )
