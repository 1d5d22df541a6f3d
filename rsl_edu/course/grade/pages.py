"""Pages of plain HTML: feedback for a student, and a report on the class. What students wrote is text in them."""

from __future__ import annotations

import hashlib
import math
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.check import Verdict
from rsl_edu.number_format import counted
from rsl_edu.printable import printable

from .gradebook import GRADED, Row, number

_NOT_ANSWERED = ("not-answered", "missing")
_KINDS = {  # mistakes of all exercises
    "no-return": "it returns None.",
    "wrong-type": "it returns something of another kind.",
    "wrong-shape": "it returns another shape.",
    "in-place": "it changes its input.",
    "nan": "it returns NaN.",
    "no-gradient": "no gradient comes back from it.",
    "integer-result": "it cuts off what is after the point.",
    "constant-result": "it returns the same whatever the inputs are.",
    "random": "it depends on random numbers.",
    "state-between-calls": "it keeps something from call to call.",
    "exception": "it raises an error.",
    "stopped": "it uses too much CPU time or memory, or ends its process.",
    "library-answer": "it calls what the exercise asks to write.",
    "unknown": "it is wrong in a way that has no name yet.",
}


def file_name(submission: str) -> str:
    """Name of a student's page: safe on every system, and of this submission only."""
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", submission))[:40].strip("-") or "submission"
    return f"{plain}-{hashlib.sha256(submission.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}.html"


def feedback(assignment: Assignment, row: Row) -> str:
    """Return the page for a student.

    Args:
        assignment: What was graded.
        row: What the student got.
    """
    most = {task.name: task.points for task in assignment.tasks}
    marks = []
    for mark in row.marks:
        verdict = Verdict(mark.task, mark.mistake is None, mark.mistake, _harmless(mark.message))
        marks.append((mark, most[mark.task], verdict._repr_html_()))
    return _render(
        "feedback.html.j2",
        assignment=assignment,
        row=row,
        why_not_graded="" if row.status == GRADED else row.status.removeprefix("not graded, and "),
        marks=marks,
    )


def report(assignment: Assignment, rows: Sequence[Row]) -> str:
    """Return the page on the class.

    Args:
        assignment: What was graded.
        rows: All submissions.
    """
    graded = [row for row in rows if row.status == GRADED]
    totals = [row.total for row in graded]
    return _render(
        "report.html.j2",
        assignment=assignment,
        safe=all(row.safe for row in rows),
        totals=totals,
        mean=round(statistics.mean(totals), 1) if totals else None,
        median=statistics.median(totals) if totals else None,
        columns=_histogram(totals, assignment.maximum) if totals else [],
        exercises=_exercises(assignment, graded),
        mistakes=_mistakes(graded),
        headline=_headline,
        others=[row for row in rows if row.status != GRADED],
    )


@dataclass(frozen=True)
class _Column:
    """A column of the histogram: the points it stands for, how many submissions have them, and its height in rem."""

    name: str
    count: int
    height: float


def _histogram(totals: Sequence[float], maximum: float) -> list[_Column]:
    """Columns of the same width, at most ten, and one for all points."""
    width = math.ceil(maximum / 10)
    columns = math.ceil(maximum / width)
    counts = Counter(int(total // width) if total < maximum else columns for total in totals)
    whole = all(total == int(total) for total in totals)
    names = [_range(step * width, min((step + 1) * width, math.ceil(maximum)), whole) for step in range(columns)]
    names.append(number(maximum))
    highest = max(counts.values())
    return [_Column(name, counts[step], 9 * counts[step] / highest) for step, name in enumerate(names)]


def _range(low: int, end: int, whole: bool) -> str:
    """Name the points from ``low`` up to ``end``, without it: ``4–5`` if all are whole numbers, else ``4–<6``."""
    if not whole:
        return f"{low}–<{end}"
    return str(low) if end == low + 1 else f"{low}–{end - 1}"


def _exercises(assignment: Assignment, graded: Sequence[Row]) -> list[tuple[str, int, int, int]]:
    """Count for each exercise the right, wrong and missing answers."""
    marks = [mark for row in graded for mark in row.marks]
    right = Counter(mark.task for mark in marks if mark.mistake is None)
    empty = Counter(mark.task for mark in marks if mark.mistake in _NOT_ANSWERED)
    names = [task.name for task in assignment.tasks]
    return [(name, right[name], len(graded) - right[name] - empty[name], empty[name]) for name in names]


def _mistakes(graded: Sequence[Row]) -> list[tuple[tuple[str, str], int]]:
    """Count each mistake of each exercise, the most frequent first; an answer can make two."""
    marks = [mark for row in graded for mark in row.marks if mark.mistake and mark.mistake not in _NOT_ANSWERED]
    return Counter((mark.task, name) for mark in marks for name in str(mark.mistake).split(" + ")).most_common()


def _headline(task: str, mistake: str) -> str:
    known = check.EXERCISES[task].mistakes if task in check.EXERCISES else {}
    return known[mistake].headline if mistake in known else _KINDS.get(mistake, "")


def _harmless(value: Any) -> Any:
    """A value as a page may show it: a text without what a terminal obeys, or what turns the direction of reading."""
    return printable(value, "\ufffd", keep="\n") if type(value) is str else value


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    finalize=_harmless,  # applied to every value that a template writes
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"points": number, "counted": counted}


def _render(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(values)
