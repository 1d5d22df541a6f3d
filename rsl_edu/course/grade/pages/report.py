"""Report on the class, a page for the instructor."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rsl_edu.course.assignment import Assignment

from ..gradebook import GRADED, NOTHING, Row, number
from .comparison import changes
from .counts import PARTS, exercise, to_say
from .left_out import left_out
from .render import Link, links, render


def report(
    assignment: Assignment,
    rows: Sequence[Row],
    earlier: Sequence[Row] | None = None,
    *,
    folder: str = "grades_feedback",
) -> str:
    """Return the report on the class.

    Args:
        assignment: The assignment.
        rows: One row for each student.
        earlier: Rows of an earlier class with the same assignment, to compare with.
        folder: Name of the folder with the students' pages, which is next to the report.
    """
    graded = [row for row in rows if row.status == GRADED]
    rescued = [row for row in rows if row.status != GRADED and row.marks and row.settled.by_hand]
    with_points = [*graded, *rescued]
    totals = [row.total for row in with_points]
    exercises = [exercise(task, assignment.tasks, graded, folder) for task in assignment.tasks]
    before = None if earlier is None else [row for row in earlier if row.status == GRADED]
    return render(
        "report.html.j2",
        assignment=assignment,
        safe=all(row.safe for row in rows),
        submissions=sum(bool(row.key) for row in rows),  # rows without a key come only from the roster
        missing=sum(row.status == NOTHING for row in rows),
        graded=len(graded),
        rescued=len(rescued),
        without=len(rows) - len(totals),
        totals=totals,
        columns=_histogram(totals, assignment.maximum) if totals else [],
        unmarked=sum(any(mark.points is None for mark in row.marks) for row in with_points),
        late=sum(row.settled.deduction > 0 for row in with_points),
        mean=statistics.mean(totals) if totals else None,
        median=statistics.median(totals) if totals else None,
        exercises=exercises,
        kinds=PARTS,
        to_say=to_say(exercises),
        left_out=left_out(graded, folder),
        earlier=None if before is None else [row.total for row in before],
        changes=changes(assignment.tasks, graded, before or ()),
        again=links([row for row in rows if any(each.outlived for each in row.settled.by_hand)], folder),
        outdated=sum(row.settled.outdated for row in graded),
        others=_not_graded(rows, folder),
    )


def _not_graded(rows: Sequence[Row], folder: str) -> list[tuple[str, tuple[Link, ...]]]:
    """Return the reasons why students were not graded, each with its students, the most frequent reason first."""
    reasons: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.status != GRADED:
            why = row.status.removeprefix("not graded, and ")
            reasons[f"{why}; has points by hand" if row.marks and row.settled.by_hand else why].append(row)
    return sorted(((why, links(of, folder)) for why, of in reasons.items()), key=lambda each: -len(each[1]))


@dataclass(frozen=True)
class _Column:
    """A column of the histogram: its range of points, the number of submissions in it, and its height in rem."""

    name: str
    count: int
    height: float


def _histogram(totals: Sequence[float], maximum: float) -> list[_Column]:
    """Return the columns: at most ten of equal width, and one for the maximum."""
    width = math.ceil(maximum / 10)
    columns = math.ceil(maximum / width)
    counts = Counter(int(total // width) if total < maximum else columns for total in totals)
    whole = all(total == int(total) for total in totals)
    names = [_range(step * width, min((step + 1) * width, math.ceil(maximum)), whole) for step in range(columns)]
    names.append(number(maximum))
    highest = max(counts.values())
    return [_Column(name, counts[step], 9 * counts[step] / highest) for step, name in enumerate(names)]


def _range(low: int, end: int, whole: bool) -> str:
    """Name the points from ``low`` up to, but not including, ``end``: ``4–5`` for integers, otherwise ``4–<6``."""
    if not whole:
        return f"{low}–<{end}"
    return str(low) if end == low + 1 else f"{low}–{end - 1}"
