"""Rendering of pages: templates, file names and links."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from rsl_edu.number_format import counted
from rsl_edu.printable import printable

from ..gradebook import Row, number
from ..page_name import digest, file_name


@dataclass(frozen=True)
class Link:
    """A student in the report.

    Attributes:
        name: Name of the submission.
        address: Address of the student's page, relative to the report.
    """

    name: str
    address: str


def left_over(folder: Path, submissions: Iterable[str]) -> list[Path]:
    """Return the pages in a folder that belong to none of the given submissions; ignore files that are not pages.

    Args:
        folder: The folder.
        submissions: Names of the submissions.
    """
    digests = {digest(name) for name in submissions}
    return [
        path
        for path in sorted(folder.iterdir())
        if (page := _PAGE.fullmatch(unicodedata.normalize("NFC", path.name)))  # macOS may have decomposed its letters
        and page["digest"] not in digests
        and path.is_file()
    ]


def links(rows: Iterable[Row], folder: str) -> tuple[Link, ...]:
    """Return links to the pages of students, one per student, in the order of the rows.

    Args:
        rows: The students' submissions.
        folder: Name of the folder with the pages, which is next to the report.
    """
    names = dict.fromkeys(row.submission for row in rows)
    place = quote(os.fsencode(folder), safe="")
    return tuple(Link(name, f"{place}/{quote(file_name(name))}") for name in names)


def render(template: str, **values: Any) -> str:
    """Return a page.

    Args:
        template: File name of the template.
        values: Values for the template.
    """
    return _TEMPLATES.get_template(template).render(values)


def harmless(value: Any) -> Any:
    """Return a value for a page; text loses control characters and marks that change the reading direction."""
    return printable(value, "\ufffd", keep="\n") if type(value) is str else value


def points(value: float) -> str:
    """Format points: `4`, `2.5`, `0.33`."""
    return number(round(value, 2))


_PAGE = re.compile(r"(?=[^.]{1,40}-\w{10}\.)[^\W_]+(-[^\W_]+)*-(?P<digest>[0-9a-f]{10})\.html")
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    finalize=harmless,  # applied to every value that a template writes
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"points": points, "counted": counted}
