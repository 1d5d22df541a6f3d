"""Slides of a lesson: one file of HTML, which needs neither a network nor a kernel.

nbconvert's own slides load reveal.js and MathJax from the internet, and put a whole cell on each slide, which would not
fit. These slides are plain HTML, and the browser's scrolling stops at each of them. nbconvert's filters write the text
and the code, Matplotlib sets the formulas. Of each paragraph the first sentence is shown; the notes have all of it.
What a lesson marks as *Optional*, hints, and solutions are left out.
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
"""Height in px for what stands below the heading, where the slide has 1280 by 720."""
_REMARK = 80.0  # the height in px of what may stand below a picture
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
)


@dataclass
class Slide:
    """A slide.

    Attributes:
        heading: HTML of its heading.
        section: HTML of the heading of its section, if it is another one.
        level: Of its heading; 1 is the title of the lesson.
        elements: What is on it.
    """

    heading: str
    section: str = ""
    level: int = 2
    elements: list[Element] = field(default_factory=list)

    @property
    def notes(self) -> str:
        """HTML of the texts of which the slide shows only some sentences."""
        return "".join(element.notes for element in self.elements)

    @property
    def below_picture(self) -> list[Element]:
        """What stands below its picture; all of it if it has none."""
        pictures = [place for place, element in enumerate(self.elements) if element.picture]
        return self.elements[pictures[-1] + 1 :] if pictures else self.elements

    @property
    def height(self) -> float:
        """The estimated height of what is on it, in px."""
        return sum(element.height for element in self.elements)


def slides(notebook: Any, folder: Path, links: str = "") -> list[Slide]:
    """Return the slides of a lesson.

    Args:
        notebook: The lesson, with its outputs.
        folder: The folder of the lesson, to which its pictures are relative.
        links: What stands before links to other lessons: the way to their folder.
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
    """Whether elements that belong together have room on a slide that has some already."""
    high = sum(element.height for element in group)
    if any(element.picture for element in slide.elements):
        below = sum(element.height for element in slide.below_picture)
        short = not any(element.picture for element in group) and below + high <= _REMARK and slide.level > 1
        return short and not group[0].starts and slide.height + high <= BODY
    exercise = group[0].starts and (slide.height > _REMARK or any(element.starts for element in slide.elements))
    return not exercise and slide.height + high <= BODY


def _joined(made: Sequence[Slide]) -> list[Slide]:
    """Join a slide that has little with the one before, even if the page must make its text a bit smaller then."""
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
    """Put each element that leads to the next together with it."""
    groups: list[list[Element]] = []
    for element in parts:
        if groups and groups[-1][-1].leads and not element.heading:
            groups[-1].append(element)
        else:
            groups.append([element])
    return groups


def page(notebook: Any, folder: Path, title: str, version: str, links: str = "") -> str:
    """Return the slides of a lesson as a page of HTML.

    Args:
        notebook: The lesson, with its outputs.
        folder: The folder of the lesson, to which its pictures are relative.
        title: The title of the page.
        version: Of rsl_edu, as stamped into the page.
        links: What stands before links to other lessons.
    """
    here = Path(__file__).parent
    return _TEMPLATES.get_template("page.html").render(
        slides=slides(notebook, folder, links),
        title=title,
        version=version,
        style=(here / "slides.css").read_text("utf-8"),
        script=(here / "slides.js").read_text("utf-8"),
    )
