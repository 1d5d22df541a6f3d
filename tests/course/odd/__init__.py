"""Odd notebooks, as students really hand them in, and how a real kernel judges their answers.

The tables contain edits, and :func:`notebooks` applies them to the notebooks that are handed out. ``recorded.json``
lists the exercises whose check passed in a real kernel; ``python -m course.odd.record`` records it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .cells import Entry
from .tables import ENTRIES

RECORDED = Path(__file__).with_name("recorded.json")


@dataclass(frozen=True)
class Odd:
    """An odd notebook.

    Attributes:
        name: Its name.
        assignment: Name of its assignment.
        content: Content of the file.
        right: Exercises whose check passes in a real kernel if it is called after the last cell.
        seen: Exercises that passed the last time their check in the notebook ran.
        source: Where such a notebook was found.
        note: What is odd, if the name does not say so.
    """

    name: str
    assignment: str
    content: bytes
    right: frozenset[str]
    seen: frozenset[str]
    source: str
    note: str = ""


def recorded() -> dict[str, dict[str, list[str]]]:
    """Return the recorded results of the real kernel, by the name of the notebook."""
    return json.loads(RECORDED.read_text("utf-8"))


def notebooks() -> Iterator[Odd]:
    """Make the odd notebooks one after another, because some are large."""
    kernel = recorded()
    for entry in ENTRIES:
        said = kernel[entry.name]
        right, seen = said["right"], said.get("seen", said["right"])
        yield Odd(
            entry.name, entry.assignment, entry.content(), frozenset(right), frozenset(seen), entry.source, entry.note
        )


__all__ = ["ENTRIES", "Entry", "Odd", "notebooks", "recorded"]
