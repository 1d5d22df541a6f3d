"""Result of comparing two recordings, as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rsl_edu.report import lesson_title, line, page, sentence

LISTED = 6
"""Largest number of features whose positions are listed one by one in a terminal."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """One way in which the second recording differs from the first.

    Attributes:
        kind: Kind of difference, such as ``constant``, ``scale`` or ``order`` (a key of ``MEANINGS``).
        features: Names of the features that differ, in words.
        figure: What was observed, with numbers.
        threshold: How large the effect must be to count.
        meaning: What the difference usually means.
        change: What to change.
        lesson: Number of the lesson that explains the difference.
        columns: Indices of these features in the first recording; recorded actions follow the observations.
    """

    kind: str
    features: str
    figure: str
    threshold: str
    meaning: str
    change: str
    lesson: int
    columns: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class RecordingComparison:
    """How two recordings differ, as text and, in a notebook, as a table.

    Attributes:
        about: What was compared, in words.
        differences: The differences, causes before their possible effects.
        notes: Other observations.
        absent: Tests that found nothing.
        unchecked: Tests that could not run, and what was missing.
        conclusive: Whether both recordings are long enough for a verdict.
    """

    about: Mapping[str, str]
    differences: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    unchecked: Mapping[str, str] = dataclasses.field(default_factory=dict)
    conclusive: bool = True

    @property
    def same(self) -> bool:
        """Whether no difference was found."""
        return not self.differences

    @property
    def status(self) -> int:
        """Exit status of the command, which is 0 without a difference, 1 with one, and 2 if too little was recorded."""
        return 1 if self.differences else 0 if self.conclusive else 2

    @property
    def verdict(self) -> str:
        """The answer, in a sentence."""
        if self.same and not self.conclusive:
            return "The recordings are too short for a verdict. The tests that could run found no difference."
        if self.same:
            return "No difference was found beyond the usual variation between two recordings of the same policy."
        several = len(self.differences) > 1
        return f"The recordings differ in {len(self.differences)} ways." if several else "The recordings differ."

    def __str__(self) -> str:
        """The comparison as lines of at most 100 characters, for a terminal."""
        lines = [line(name, words) for name, words in self.about.items()]
        lines += ["", sentence(self.verdict)]
        for number, each in enumerate(self.differences, 1):
            lines += ["", sentence(f"{number}. {_title(each)}")]
            lines += [line(name, _shortened(words), 3) for name, words in _rows(each).items()]
        if below := self._below():
            lines += ["", *(line(name, words) for name, words in below.items())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [{"difference": _title(each)} | _rows(each) for each in self.differences]
        return page(self.about, self.verdict, rows, self._below())

    def _below(self) -> dict[str, str]:
        """Return the lines that the text shows below the differences."""
        by_missing: dict[str, list[str]] = {}
        for name, missing in self.unchecked.items():
            by_missing.setdefault(missing, []).append(name)
        unchecked = "; ".join(f"{', '.join(names)}: {missing}" for missing, names in by_missing.items())
        words = {"note": "; ".join(self.notes), "not found": ", ".join(self.absent), "not checked": unchecked}
        return {name: said for name, said in words.items() if said}


def _shortened(words: str) -> str:
    """Shorten a long list of positions to its first entries; the HTML page lists all of them."""
    parts = [part.split(", ") for part in words.split("; ")]
    for places in parts:
        if len(places) > LISTED + 1 and all(" is at " in place for place in places):
            places[LISTED:] = [f"and {len(places) - LISTED} more (--html FILE lists all)"]
    return "; ".join(map(", ".join, parts))


def _title(difference: Difference) -> str:
    return f"{difference.kind}: {difference.features}"


def _rows(difference: Difference) -> dict[str, str]:
    return {
        "seen": f"{difference.figure} (threshold: {difference.threshold})",
        "means": difference.meaning,
        "change": difference.change,
        "lesson": lesson_title(difference.lesson),
    }
