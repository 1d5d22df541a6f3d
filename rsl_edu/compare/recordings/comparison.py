"""What a comparison of two recordings found, as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rsl_edu.report import lesson_title, line, page, sentence

LISTED = 6
"""The most features whose places are told one by one in a terminal."""


@dataclasses.dataclass(frozen=True)
class Difference:
    """One way in which the second recording differs from the first.

    Attributes:
        kind: What it is: ``constant``, ``scale``, ``order``, ... (the keys of ``MEANINGS``).
        features: Names of the features that differ, in words.
        figure: What was seen, with its numbers.
        threshold: How large it must be to count.
        meaning: What it usually means.
        change: What to change.
        lesson: Number of the lesson that explains it.
        columns: Places of these features in the first recording; recorded actions follow the observations.
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
        differences: What differs, the cause before what may follow from it.
        notes: What else was seen.
        absent: What was looked for and not found.
        unchecked: What could not be looked for, and what is missing for it.
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
        """Exit status of the command, which is 0 if they are the same, 1 if not, and 2 if too little was recorded."""
        return 1 if self.differences else 0 if self.conclusive else 2

    @property
    def verdict(self) -> str:
        """The answer, in a sentence."""
        if self.same and not self.conclusive:
            return "Too little was recorded for a verdict. In what could be checked, no difference was found."
        if self.same:
            return "No difference was found that two recordings of the same policy would not have."
        several = len(self.differences) > 1
        return f"The recordings differ in {len(self.differences)} ways." if several else "The recordings differ."

    def __str__(self) -> str:
        """Lines of at most 100 characters, for a terminal."""
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
        """Return what follows the differences, in words."""
        by_missing: dict[str, list[str]] = {}
        for name, missing in self.unchecked.items():
            by_missing.setdefault(missing, []).append(name)
        unchecked = "; ".join(f"{', '.join(names)}: {missing}" for missing, names in by_missing.items())
        words = {"note": "; ".join(self.notes), "not found": ", ".join(self.absent), "not checked": unchecked}
        return {name: said for name, said in words.items() if said}


def _shortened(words: str) -> str:
    """Leave out of a list of places all but the first; a page has them all."""
    parts = [part.split(", ") for part in words.split("; ")]
    for places in parts:
        if len(places) > LISTED + 1 and all(" is at " in place for place in places):
            places[LISTED:] = [f"and {len(places) - LISTED} more (--html FILE has all)"]
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
