"""Slides of a lesson: one HTML file that needs neither a network nor a kernel.

nbconvert's own slides load reveal.js and MathJax from the internet, and put a complete cell on each slide, which would
not fit. These slides are plain HTML, and the browser's scrolling stops at each of them. nbconvert's filters render the
text and the code, and Matplotlib draws the formulas. A slide shows the first sentence of each paragraph; the notes have
the full text. Hints, solutions and everything that a lesson marks as *Optional* are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2

from .elements import Element, elements

__all__ = ["Slide", "page", "slides"]

BODY = 555.0
"""Height in px available below the heading, on a slide of 1280 by 720."""
_REMARK = 80.0  # largest height in px of a remark below a picture
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)


@dataclass
class Slide:
    """A slide.

    Attributes:
        heading: HTML of its heading.
        section: HTML of the heading of its section, or an empty string if the heading is the section's own.
        level: Level of its heading; 1 is the title of the lesson.
        elements: The elements on it.
    """

    heading: str
    section: str = ""
    level: int = 2
    elements: list[Element] = field(default_factory=list)

    @property
    def notes(self) -> str:
        """HTML of the full texts that the slide shows only in part."""
        return "".join(element.notes for element in self.elements)

    @property
    def below_picture(self) -> list[Element]:
        """The elements below its picture, or all elements if it has no picture."""
        pictures = [place for place, element in enumerate(self.elements) if element.picture]
        return self.elements[pictures[-1] + 1 :] if pictures else self.elements

    @property
    def height(self) -> float:
        """The estimated height of its elements, in px."""
        return sum(element.height for element in self.elements)


def slides(notebook: Any, folder: Path, links: str = "") -> list[Slide]:
    """Return the slides of a lesson.

    Args:
        notebook: The lesson, with its outputs.
        folder: The folder of the lesson; the paths of its pictures are relative to it.
        links: Prefix of links to other lessons: the path to their folder.
    """
    made: list[Slide] = []
    section = ""
    for group in _groups(elements(notebook, folder, links)):
        first = group[0]
        if first.heading:
            section = first.html if first.level == 2 else section
            made.append(Slide(first.html, section if first.level > 2 else "", first.level))
            continue
        slide = made[-1]
        if slide.elements and not _fits(group, slide):
            made.append(Slide(slide.heading, slide.section, max(slide.level, 2)))
        made[-1].elements += group
    return _joined([slide for slide in made if slide.elements])


def _fits(group: Sequence[Element], slide: Slide) -> bool:
    """Return whether a group of elements fits on a slide that already contains other elements."""
    high = sum(element.height for element in group)
    if any(element.picture for element in slide.elements):
        below = sum(element.height for element in slide.below_picture)
        short = not any(element.picture for element in group) and below + high <= _REMARK and slide.level > 1
        return short and not group[0].starts and slide.height + high <= BODY
    exercise = group[0].starts and (slide.height > _REMARK or any(element.starts for element in slide.elements))
    return not exercise and slide.height + high <= BODY


def _joined(made: Sequence[Slide]) -> list[Slide]:
    """Join a nearly empty slide with the previous slide, even if the text must then be slightly smaller."""
    kept: list[Slide] = []
    for slide in made:
        before = kept[-1] if kept else None
        if (
            before is not None
            and before.level > 1
            and (before.heading, before.section) == (slide.heading, slide.section)
            and slide.height <= _REMARK
            and before.height + slide.height <= 1.1 * BODY
            and not any(element.starts for element in slide.elements)
        ):
            before.elements += slide.elements
        else:
            kept.append(slide)
    return kept


def _groups(parts: Sequence[Element]) -> list[list[Element]]:
    """Put each element that introduces the next element into the same group as that element."""
    groups: list[list[Element]] = []
    for element in parts:
        if groups and groups[-1][-1].leads and not element.heading:
            groups[-1].append(element)
        else:
            groups.append([element])
    return groups


def page(notebook: Any, folder: Path, title: str, version: str, links: str = "") -> str:
    """Return the slides of a lesson as an HTML page.

    Args:
        notebook: The lesson, with its outputs.
        folder: The folder of the lesson; the paths of its pictures are relative to it.
        title: The title of the page.
        version: Version of rsl_edu to write into the page.
        links: Prefix of links to other lessons.
    """
    here = Path(__file__).parent
    return _TEMPLATES.get_template("page.html").render(
        slides=slides(notebook, folder, links),
        title=title,
        version=version,
        style=(here / "slides.css").read_text("utf-8"),
        script=(here / "slides.js").read_text("utf-8"),
    )
