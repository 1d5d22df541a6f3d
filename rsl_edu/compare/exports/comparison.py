"""Result of comparing a checkpoint with an export, as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rsl_edu.report import lesson_title, line, page, sentence


@dataclasses.dataclass(frozen=True)
class Reason:
    """A reason why an export differs from its checkpoint.

    Attributes:
        name: Name of the cause.
        found: How the cause was found, with the numbers.
        change: What to change.
        lesson: Number of the lesson that explains the cause.
    """

    name: str
    found: str
    change: str
    lesson: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Whether an export does the same as its checkpoint, as text and, in a notebook, as a table.

    Attributes:
        same: Whether the export does the same as the checkpoint; None if this cannot be decided, for example because
            the export was not run.
        about: What was compared, in words.
        verdict: The answer, in a sentence.
        reasons: Why the export differs: one cause, or two causes together.
        notes: Other observations.
        ruled_out: Causes that were tried and do not explain the difference.
        unchecked: Causes that could not be tried, and what was missing.
        never_tried: Changes that an export may contain, but that are not among the causes.
    """

    same: bool | None
    about: Mapping[str, str]
    verdict: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    unchecked: Mapping[str, str] = dataclasses.field(default_factory=dict)
    never_tried: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """Exit status of the command, which is 0 if the export does the same, 1 if not, and 2 if this is undecided."""
        return {True: 0, False: 1, None: 2}[self.same]

    def __str__(self) -> str:
        """The comparison as lines of at most 100 characters, for a terminal."""
        lines = [line(name, words) for name, words in self.about.items()]
        lines += ["", sentence(self.verdict)]
        for number, reason in enumerate(self.reasons, 1):
            lines += ["", f"{number}. {reason.name}", *(line(name, words, 3) for name, words in _rows(reason).items())]
        if below := self._below():
            lines += ["", *(line(name, words) for name, words in below.items())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [{"cause": reason.name} | _rows(reason) for reason in self.reasons]
        return page(self.about, self.verdict, rows, self._below())

    def _below(self) -> dict[str, str]:
        """Return the lines that the text shows below the causes."""
        words = {"note": "; ".join(self.notes), "ruled out": ", ".join(self.ruled_out)}
        words["not checked"] = "; ".join(f"{name}: {missing}" for name, missing in self.unchecked.items())
        words["never tried"] = "; ".join(self.never_tried)
        return {name: said for name, said in words.items() if said}


def _rows(reason: Reason) -> dict[str, str]:
    return {"found": reason.found, "change": reason.change, "lesson": lesson_title(reason.lesson)}
