"""Pages of plain HTML: feedback for a student, and a report on the class. What students wrote is text in them."""

from __future__ import annotations

import hashlib
import html
import math
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.check import Verdict

from .gradebook import GRADED, Row, number

_STYLE = Path(__file__).with_name("pages.css").read_text("utf-8")
_UNSAFE = '<p class="unsafe">Graded with --unsafe: the code ran without a sandbox; these points may be forged.</p>'
_EMPTY = ("not-answered", "missing")
_KINDS = {  # mistakes of all exercises
    "no-return": "it returns None.",
    "wrong-type": "it returns something of another kind.",
    "wrong-shape": "it returns another shape.",
    "in-place": "it changes its input.",
    "nan": "it returns NaN.",
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
    points = "no points yet" if row.lost else f"{number(row.total)} of {number(assignment.maximum)} points"
    parts = [f"<h1>{_text(assignment.name)}: {points}</h1>"]
    parts += [f'<p class="soft">{_text(row.submission)}</p>', "" if row.safe else _UNSAFE]
    if row.status == GRADED:
        parts.append(_bar(row.total, assignment.maximum))
    else:
        parts.append(f"<p>Not graded: {_text(row.status.removeprefix('not graded, and '))}.</p>")
    most = {task.name: task.points for task in assignment.tasks}
    for mark in row.marks:
        got = f'<span class="number">{number(mark.points)} of {number(most[mark.task])}</span>'
        verdict = Verdict(mark.task, mark.mistake is None, mark.mistake, _plain(mark.message))
        parts.append(f"<section><h2>{_text(mark.task)}{got}</h2>{verdict._repr_html_()}</section>")
    if row.notes:
        notes = "".join(f"<li>{_text(note)}</li>" for note in row.notes)
        parts.append(f"<section><h2>While the notebook ran</h2><ul>{notes}</ul></section>")
    return _page(f"{assignment.name}: feedback", parts)


def report(assignment: Assignment, rows: Sequence[Row]) -> str:
    """Return the page on the class.

    Args:
        assignment: What was graded.
        rows: All submissions.
    """
    graded = [row for row in rows if row.status == GRADED]
    parts = [f"<h1>{_text(assignment.name)}: the class</h1>", "" if all(row.safe for row in rows) else _UNSAFE]
    parts.append(f"<p>{_count(len(rows), 'submission')}, {len(graded)} graded.</p>")
    if graded:
        totals = [row.total for row in graded]
        middle = f"mean {number(round(statistics.mean(totals), 1))}, median {number(statistics.median(totals))}"
        parts += [
            "<h2>Points</h2>",
            f"<p>{number(assignment.maximum)} at most; {middle}. The number above a bar is that of submissions.</p>",
            _histogram(totals, assignment.maximum),
            "<h2>Exercises</h2>",
            "<p>Blue is right, orange wrong, grey not answered.</p>",
            *_exercises(assignment, graded),
            "<h2>Most frequent mistakes</h2>",
            "<p>In the words of the feedback. What is not answered counts above only.</p>",
            *_mistakes(graded),
        ]
    if others := [row for row in rows if row.status != GRADED]:
        cells = "".join(f"<tr><td>{_text(row.submission)}</td><td>{_text(row.status)}</td></tr>" for row in others)
        heads = '<th scope="col">submission</th><th scope="col">why</th>'
        parts.append(f"<h2>Not graded</h2>\n<table><tr>{heads}</tr>{cells}</table>")
    return _page(f"{assignment.name}: report", parts)


def _histogram(totals: Sequence[float], maximum: float) -> str:
    """Columns of the same width, at most ten, and one for all points."""
    width = math.ceil(maximum / 10)
    counts = Counter(int(total // width) if total < maximum else -1 for total in totals)
    whole = all(total == int(total) for total in totals)
    columns = []
    for step in [*range(math.ceil(maximum / width)), -1]:
        low, high = step * width, min((step + 1) * width, math.ceil(maximum))
        name = f"{low}–{high - 1}" if whole else f"{low}–&lt;{high}"
        name = number(maximum) if step < 0 else str(low) if whole and high - low == 1 else name
        height = 9 * counts[step] / max(counts.values())
        columns.append(f'<li><b>{counts[step]}</b><i style="height:{height:.2f}rem"></i><span>{name}</span></li>')
    return f'<ol class="columns" aria-label="points, and how many submissions have them">{"".join(columns)}</ol>'


def _exercises(assignment: Assignment, graded: Sequence[Row]) -> list[str]:
    marks = [mark for row in graded for mark in row.marks]
    right = Counter(mark.task for mark in marks if mark.mistake is None)
    empty = Counter(mark.task for mark in marks if mark.mistake in _EMPTY)
    parts = []
    for task in assignment.tasks:
        wrong = len(graded) - right[task.name] - empty[task.name]
        counts = f"{right[task.name]} right, {wrong} wrong, {empty[task.name]} not answered"
        bar = _bar(right[task.name], len(graded), wrong)
        parts.append(f'<li><code>{_text(task.name)}</code><span class="number">{counts}</span>{bar}</li>')
    return ['<ul class="bars">', *parts, "</ul>"]


def _mistakes(graded: Sequence[Row]) -> list[str]:
    marks = [mark for row in graded for mark in row.marks]
    counts = Counter((mark.task, mark.mistake) for mark in marks if mark.mistake and mark.mistake not in _EMPTY)
    most = counts.most_common(20)
    parts = [
        f'<li><code>{_text(str(mistake))}</code> in <code>{_text(task)}</code><span class="number">{count}</span>'
        f"{_bar(0, most[0][1], count)}{_text(_headline(task, str(mistake)))}</li>"
        for (task, mistake), count in most
    ]
    more = f"<p>{_count(len(counts) - len(most), 'further kind')}, none more frequent.</p>" if len(counts) > 20 else ""
    return ['<ol class="bars">', *parts, "</ol>", more] if parts else ["<p>None.</p>"]


def _headline(task: str, mistake: str) -> str:
    known = check.EXERCISES[task].mistakes if task in check.EXERCISES else {}
    return known[mistake].headline if mistake in known else _KINDS.get(mistake, "")


def _bar(right: float, of: float, wrong: float = 0) -> str:
    shares = {"right": right, "wrong": wrong}
    parts = (f'<i class="{name}" style="width:{100 * share / of:.1f}%"></i>' for name, share in shares.items())
    return f'<div class="bar">{"".join(parts)}</div>'


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _page(title: str, parts: Sequence[str]) -> str:
    head = (
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">""",
        f"<title>{_text(title)}</title>",
        f"<style>\n{_STYLE}</style>",
    )
    body = ("<body>", "<main>", *parts, "</main>", "</body>")
    lines = ("<!DOCTYPE html>", '<html lang="en">', "<head>", *head, "</head>", *body, "</html>")
    return "\n".join(line for line in lines if line) + "\n"


def _text(text: str) -> str:
    return html.escape(_plain(text))


def _plain(text: str) -> str:
    """Text without what a terminal obeys, and without what turns the direction of reading."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
