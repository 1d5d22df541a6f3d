"""Pages of plain HTML: feedback for a student, and a report on the class. What students wrote is text in them."""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.check import Verdict

from .gradebook import GRADED, Row, number

_STYLE = Path(__file__).with_name("pages.css").read_text("utf-8")
_UNSAFE = '<p class="unsafe">Graded with --unsafe: the code ran without a sandbox; these points may be forged.</p>'


def file_name(submission: str) -> str:
    """Name of a student's page: safe on every system, and of this submission only."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", submission).strip("-")[:60] or "submission"
    return f"{plain}-{hashlib.sha256(submission.encode('utf-8', 'replace')).hexdigest()[:6]}.html"


def feedback(assignment: Assignment, row: Row) -> str:
    """Return the page for a student.

    Args:
        assignment: What was graded.
        row: What the student got.
    """
    parts = [f"<h1>{_text(assignment.name)}: {number(row.total)} of {number(assignment.maximum)} points</h1>"]
    parts += [f'<p class="soft">{_text(row.submission)}</p>', "" if row.safe else _UNSAFE]
    if row.status != GRADED:
        parts.append(f"<p>Not graded: {_text(row.status)}.</p>")
    points = {task.name: task.points for task in assignment.tasks}
    for mark in row.marks:
        got = f'<span class="points">{number(mark.points)} of {number(points[mark.task])}</span>'
        verdict = Verdict(mark.task, mark.mistake is None, mark.mistake, mark.message)
        parts.append(f"<section><h2>{_text(mark.task)}{got}</h2>{verdict._repr_html_()}</section>")
    if row.notes:
        notes = "".join(f"<li>{_text(note)}</li>" for note in row.notes)
        parts.append(f"<h2>While the notebook ran</h2><ul>{notes}</ul>")
    return _page(f"{assignment.name}: feedback", parts)


def report(assignment: Assignment, rows: Sequence[Row]) -> str:
    """Return the page on the class.

    Args:
        assignment: What was graded.
        rows: All submissions.
    """
    graded = [row for row in rows if row.status == GRADED]
    parts = [f"<h1>{_text(assignment.name)}: the class</h1>", "" if all(row.safe for row in rows) else _UNSAFE]
    parts.append(f"<p>{len(rows)} submissions, {len(graded)} graded; {number(assignment.maximum)} points at most.</p>")
    if graded:
        totals = sorted(row.total for row in graded)
        mean, median = sum(totals) / len(totals), totals[len(totals) // 2]
        parts += ["<h2>Points</h2>", _chart(_histogram(totals, assignment.maximum), "points and submissions")]
        parts.append(f'<p class="soft">Mean {mean:.1f}, median {number(median)}.</p>')
        parts += [
            "<h2>Exercises</h2>",
            _exercises(assignment, graded),
            "<h2>Most frequent mistakes</h2>",
            _mistakes(graded),
        ]
    if others := [row for row in rows if row.status != GRADED]:
        cells = "".join(f"<tr><td>{_text(row.submission)}</td><td>{_text(row.status)}</td></tr>" for row in others)
        parts.append(f"<h2>Not graded</h2><table><tr><th>submission</th><th>why</th></tr>{cells}</table>")
    return _page(f"{assignment.name}: report", parts)


def _histogram(totals: Sequence[float], maximum: float) -> list[tuple[str, int]]:
    """Counts of totals, in at most ten steps."""
    steps = min(10, max(1, round(maximum)))
    counts = Counter(min(int(total / maximum * steps), steps - 1) for total in totals if total < maximum)
    edges = [f"{maximum * step / steps:.3g} to <{maximum * (step + 1) / steps:.3g}" for step in range(steps)]
    full = sum(total >= maximum for total in totals)
    return [*((edge, counts[step]) for step, edge in enumerate(edges)), (f"all {number(maximum)}", full)]


def _exercises(assignment: Assignment, graded: Sequence[Row]) -> str:
    rights = Counter(mark.task for row in graded for mark in row.marks if mark.mistake is None)
    empties = Counter(mark.task for row in graded for mark in row.marks if mark.mistake in ("not-answered", "missing"))
    rows = [
        f"<tr><td>{_text(task.name)}</td>"
        + "".join(f'<td class="number">{count}</td>' for count in (rights[task.name], empties[task.name]))
        + f'<td class="number">{100 * rights[task.name] / len(graded):.0f} %</td></tr>'
        for task in assignment.tasks
    ]
    heads = "".join(f'<th class="number">{head}</th>' for head in ("right", "not answered", "share right"))
    return f'<div class="scroll"><table><tr><th>exercise</th>{heads}</tr>{"".join(rows)}</table></div>'


def _mistakes(graded: Sequence[Row]) -> str:
    counts = Counter((mark.task, mark.mistake) for row in graded for mark in row.marks if mark.mistake)
    if not counts:
        return "<p>None.</p>"
    rows = "".join(
        f'<tr><td class="number">{count}</td><td>{_text(task)}</td><td>{_text(str(mistake))}</td>'
        f"<td>{_text(_headline(task, str(mistake)))}</td></tr>"
        for (task, mistake), count in counts.most_common(20)
    )
    heads = '<th class="number">count</th><th>exercise</th><th>mistake</th><th>what the code does</th>'
    return f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>'


def _headline(task: str, mistake: str) -> str:
    known = check.EXERCISES[task].mistakes if task in check.EXERCISES else ()
    return next((each.headline for each in known if each.name == mistake), "")


def _chart(bars: Sequence[tuple[str, int]], label: str) -> str:
    most = max(count for _, count in bars) or 1
    rows = "".join(
        f'<span class="soft">{_text(name)}</span>'
        f'<span class="bar"><i style="width:{80 * count / most:.1f}%"></i>{count}</span>'
        for name, count in bars
    )
    return f'<div class="chart" role="group" aria-label="{_text(label)}">{rows}</div>'


def _page(title: str, parts: Sequence[str]) -> str:
    head = (
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
        f"<title>{_text(title)}</title>",
        f"<style>\n{_STYLE}</style>",
    )
    lines = ("<!DOCTYPE html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *parts, "</body>", "</html>")
    return "\n".join(line for line in lines if line) + "\n"


def _text(text: str) -> str:
    return html.escape(text)
