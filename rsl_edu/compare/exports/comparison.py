"""What a comparison of a checkpoint and an export found, as text for a terminal and as a table for a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rsl_edu.report import lesson_title, line, page, sentence


@dataclasses.dataclass(frozen=True)
class Reason:
    """Why an export does something else.

    Attributes:
        name: Name of the cause.
        found: How it was found, with its figures.
        change: What to change.
        lesson: Number of the lesson that explains it.
    """

    name: str
    found: str
    change: str
    lesson: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Whether an export does what its checkpoint does, as text and, in a notebook, as a table.

    Attributes:
        same: Whether it does; None if that cannot be told, as the code of the export was not run.
        about: What was compared, in words.
        verdict: The answer, in a sentence.
        reasons: Why not: one cause, or two together.
        notes: What else was seen.
        ruled_out: Causes that were tried and explain nothing.
        unchecked: What could not be tried, and what is missing for it.
        never_tried: What an export may do, too, and is not among the causes.
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
        """Exit status of the command, which is 0 if both do the same, 1 if not, and 2 if that cannot be told."""
        return {True: 0, False: 1, None: 2}[self.same]

    def __str__(self) -> str:
        """Lines of at most 100 characters, for a terminal."""
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
        """Return what follows the causes, in words."""
        words = {"note": "; ".join(self.notes), "ruled out": ", ".join(self.ruled_out)}
        words["not checked"] = "; ".join(f"{name}: {missing}" for name, missing in self.unchecked.items())
        words["never tried"] = "; ".join(self.never_tried)
        return {name: said for name, said in words.items() if said}


def _rows(reason: Reason) -> dict[str, str]:
    return {"found": reason.found, "change": reason.change, "lesson": lesson_title(reason.lesson)}
