"""The diagnosis of a run, as text for a terminal and as a table for a notebook or a page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from rsl_edu.number_format import counted
from rsl_edu.report import lesson_title, line, page

from .findings import Finding

RECORD = "see the section “Record them” of the page “Open your own policy” in the book"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What was found in a run, as text and, in a notebook, as a table.

    Attributes:
        about: What was examined (run, policy, observations), in words.
        findings: What is likely wrong.
        absent: Names of the findings that were looked for and not found.
        unchecked: Names of the findings that could not be checked, each with what is missing for the check.
    """

    about: Mapping[str, str]
    findings: tuple[Finding, ...]
    absent: tuple[str, ...]
    unchecked: Mapping[str, str]

    @property
    def summary(self) -> str:
        """The number of findings, in words."""
        if self.findings:
            return counted(len(self.findings), "finding")
        return f"No findings in the {len(self.absent)} checks that could be made" if self.unchecked else "No findings"

    def __str__(self) -> str:
        """Return the diagnosis as text for a terminal, in lines of at most 100 characters."""
        lines = [line(name, words) for name, words in self.about.items()]
        lines += ["", f"{self.summary}."]
        for number, finding in enumerate(self.findings, 1):
            rows = {
                "seen": f"{finding.figure} (threshold: {finding.threshold})",
                "means": finding.meaning,
                "change": finding.change,
                "lesson": lesson_title(finding.lesson),
            }
            lines += ["", f"{number}. {finding.name}", *(line(name, words, 3) for name, words in rows.items())]
        lines += ["", *(line(name, words) for name, words in self._not_found().items())]
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        rows = [
            {
                "finding": finding.name,
                "seen": finding.figure,
                "threshold": finding.threshold,
                "what it usually means": finding.meaning,
                "lesson": lesson_title(finding.lesson),
                "change": finding.change,
            }
            for finding in self.findings
        ]
        return page(self.about, f"{self.summary}.", rows, self._not_found())

    def _not_found(self) -> dict[str, str]:
        """Return what was not found and what was not checked, in words."""
        words = {}
        if self.absent:
            words["not found"] = ", ".join(self.absent)
        if self.unchecked:
            by_missing: dict[str, list[str]] = {}
            for name, missing in self.unchecked.items():
                by_missing.setdefault(missing, []).append(name)
            words["not checked"] = "; ".join(f"{', '.join(names)}: {missing}" for missing, names in by_missing.items())
        if any(missing.startswith("needs observations") for missing in self.unchecked.values()):
            words["to record"] = RECORD
        return words
