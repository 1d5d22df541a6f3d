"""Lines in notebooks that did not run, with the students whose notebooks contain them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..gradebook import Row
from .render import Link, links
from .words import NOTES, topic


@dataclass(frozen=True)
class LeftOut:
    """Lines that did not run, all of one kind.

    Attributes:
        heading: Heading for this kind.
        about: What happens to such lines.
        topics: Modules, magics or kinds of errors, each with its students; the most frequent first.
    """

    heading: str
    about: str
    topics: tuple[tuple[str, tuple[Link, ...]], ...]


def left_out(rows: Sequence[Row], folder: str) -> list[LeftOut]:
    """Group the lines that were left out by kind and by topic.

    Args:
        rows: The submissions.
        folder: Name of the folder with the students' pages.
    """
    found: dict[str, dict[str, list[Row]]] = {kind: defaultdict(list) for kind in NOTES}
    for row in rows:
        for note in row.notes:
            found.setdefault(note.kind, defaultdict(list))[topic(note)].append(row)
    kinds = []
    for kind, topics in found.items():
        whom = [(name, links(of, folder)) for name, of in topics.items()]
        whom.sort(key=lambda each: (-len(each[1]), each[0]))
        if whom:
            kinds.append(LeftOut(*NOTES.get(kind, (kind, "")), tuple(whom)))
    return kinds
