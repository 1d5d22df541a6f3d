"""Odd notebooks, as students really hand them in, and what a real kernel says of their answers.

The tables hold edits; :func:`notebooks` makes the files from what is handed out. ``recorded.json`` holds the exercises
whose check passed in a real kernel: ``python -m course.odd.record`` records it anew.
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
        content: The file.
        right: Exercises whose check passes in a real kernel, when it is called after the last cell.
        seen: Exercises to which the checks that stand in the notebook said yes last.
        source: Where such a notebook was met.
        note: What is odd, where the name does not say it.
    """

    name: str
    assignment: str
    content: bytes
    right: frozenset[str]
    seen: frozenset[str]
    source: str
    note: str = ""


def recorded() -> dict[str, dict[str, list[str]]]:
    """What a real kernel said, by the name of the notebook."""
    return json.loads(RECORDED.read_text("utf-8"))


def notebooks() -> Iterator[Odd]:
    """Make the odd notebooks, one after the other: some are large."""
    kernel = recorded()
    for entry in ENTRIES:
        said = kernel[entry.name]
        right, seen = said["right"], said.get("seen", said["right"])
        yield Odd(
            entry.name, entry.assignment, entry.content(), frozenset(right), frozenset(seen), entry.source, entry.note
        )


__all__ = ["ENTRIES", "Entry", "Odd", "notebooks", "recorded"]
