"""The layout of all reports: text for a terminal, and a table for a notebook or a page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rsl_edu.printable import printable

WIDTH = 100
"""Length of the longest line in characters; a longer word is not broken."""
LESSON_TITLES = {1: "MLP", 2: "CNN", 3: "RNN", 4: "Normalization", 5: "Distributions", 6: "Policy"}


def _safe(words: object) -> Markup:
    """Return words from files as HTML, without line breaks inside the names of options."""
    option = r'<span style="white-space: nowrap">\g<0></span>'
    return Markup(
        re.sub(r"--\w[\w-]*", option, str(escape(printable(str(words)))))
    )  # in Markup, <span> would be escaped


_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_safe,
    trim_blocks=True,
    lstrip_blocks=True,
)


def lesson_title(number: int) -> str:
    """Return the number and the title of a lesson."""
    return f"{number} · {LESSON_TITLES[number]}"


def sentence(words: str) -> str:
    """Return a sentence, wrapped."""
    return textwrap.fill(printable(words), WIDTH, break_long_words=False)


def line(name: str, words: str, indent: int = 0) -> str:
    """Return a line of a report: a name and the text after it, wrapped and indented."""
    return textwrap.fill(
        printable(words),
        WIDTH,
        initial_indent=f"{' ' * indent}{name:<12}",
        subsequent_indent=" " * (12 + indent),
        break_long_words=False,
    )


def page(about: Mapping[str, str], summary: str, rows: Sequence[Mapping[str, str]], below: Mapping[str, str]) -> str:
    """Return a report as HTML.

    Args:
        about: What the report is about, above the table.
        summary: A sentence above the table.
        rows: The rows of the table, by the titles of the columns.
        below: Further entries below the table.
    """
    return _PAGES.get_template("report.html.j2").render(about=about, summary=summary, rows=rows, below=below)
