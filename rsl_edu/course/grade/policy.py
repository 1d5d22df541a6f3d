"""A student's final points, from lateness, several submissions and manual marks. This module reads no files.

First, the deduction for lateness is taken off each submission. Then, the submission that counts is chosen. Finally, the
manual marks are applied.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rsl_edu.number_format import counted

from .by_hand import LATE, Hand
from .gradebook import GRADED, NOTHING, Decided, Row, Settled, as_text, number
from .marking import Mark
from .roster import Person, Roster, normal
from .settings import Late, Policy

UNREAD = "handed in at a time that cannot be read: nothing is taken off"
"""Remark if a table has a time in an unknown format."""
UNSEEN = "handed in at an unknown time: nothing is taken off"
"""Remark if Moodle's worksheet is older than the submission, and states that nothing was handed in."""
_AT_ONCE = 60.0  # largest difference in seconds between files that were handed in together and copied one by one
UNKNOWN = "handed in late, but it is unknown how late: nothing is taken off, decide by hand"
"""Remark if the export marks a submission as late, but nothing shows how late it is."""


def settle(
    rows: Iterable[Row],
    policy: Policy,
    most: Mapping[str, float],
    *,
    roster: Roster | None = None,
    times: Roster | None = None,
    hands: Sequence[Hand] = (),
    version: str = "",
    missing: str = NOTHING,
) -> list[Row]:
    """Return one row for each student: first the students in the roster in its order, then the others by name.

    Canvas's test student has a row only if something was handed in.

    Args:
        rows: The submissions. If the times of a student's submissions are unknown, the older ones come first.
        policy: The rules of the course.
        most: Names of the exercises and their points.
        roster: The roster; None if there is none.
        times: Table with times and lateness. For students about whom this table states nothing, the roster is used.
        hands: Manual marks.
        version: Version of the assignment and the checks; submissions graded with a different version are outdated.
        missing: Status of students in the roster who have no submission.
    """
    tables = [table for table in (times, roster) if table]
    people = roster.people if roster else ()
    known = {person.name: person for person in people}
    groups: dict[str, list[Row]] = {name: [] for name in known}
    for row in rows:
        person = roster.find(row.submission, row.identifier) if roster else None
        name = person.name if person else row.submission
        if person is None and name in known:  # this name is also somebody's login name
            name = f"{name} (uncertain)"
        groups.setdefault(name, []).append(row)
    settled = []
    others = sorted(groups.keys() - known.keys(), key=normal)
    for name in [*known, *others]:
        group, person = groups[name], known.get(name)
        if person and person.test and not group:
            continue
        own = [hand for hand in hands if as_text(hand.student) == as_text(name)]
        row = Row(name, "", missing, (), settled=Settled(empty=policy.nothing == "empty"))
        if group:
            row = _one(name, group, tables, policy, most, version)
        if person:
            row = replace(row, settled=replace(row.settled, person=person))
        settled.append(_capped(marked_by_hand(row, own, most) if own else row))
    return settled


def unmatched(rows: Iterable[Row], roster: Roster) -> list[Row]:
    """Return the rows that belong to nobody in the roster."""
    names = {person.name for person in roster.people}
    return [row for row in rows if row.submission not in names]


def who_knows_when(row: Row, tables: Iterable[Roster]) -> Person | None:
    """Return the entry of a table that states when a submission was handed in; None if no table has such an entry.

    Args:
        row: The submission.
        tables: The tables, in order of preference. If no entry has a readable time, an entry counts that has an
            unreadable time or states that nothing was handed in.
    """
    people = _found(row, tables)
    told = [person for person in people if person.late_hours is not None or person.submitted is not None]
    return next(iter([*told, *(person for person in people if person.unread or person.nothing)]), None)


def _found(row: Row, tables: Iterable[Roster]) -> list[Person]:
    """Return the student's entries from all tables that contain the student."""
    return [person for table in tables if (person := table.find(row.submission, row.identifier))]


def _one(
    name: str, rows: Sequence[Row], tables: Sequence[Roster], policy: Policy, most: Mapping[str, float], version: str
) -> Row:
    """Return the row that counts, with its deduction for lateness."""
    rows = sorted(rows, key=lambda row: row.modified or 0.0) if all(row.modified for row in rows) else rows
    person = who_knows_when(rows[-1], tables)
    draft = any(found.draft for found in _found(rows[-1], tables))
    judged = []
    for row in rows:  # the lateness in a table refers to the newest submission
        hours = hours_late(row, policy.due, person if _came_with(rows[-1], row) else None)
        points, says = deduction(policy.late, hours, sum(most.values()))
        if hours is None and not row.late:
            says = UNSEEN if person is not None and person.nothing else UNREAD
        took = Settled(hours, points, says, outdated=bool(version) and row.version != version, draft=draft)
        marks = {mark.task: mark for mark in row.marks}  # another version may have other exercises
        judged.append(replace(row, settled=took, marks=tuple(marks[task] for task in most if task in marks)))
    row = choose(judged, policy.several)
    others = tuple(other.file for other in judged if other is not row and other.file)
    return replace(row, submission=name, settled=replace(row.settled, others=others))


def hours_late(row: Row, due: datetime.datetime | None, person: Person | None) -> float | None:
    """Return how many hours late a submission is; None if unknown.

    Args:
        row: The submission. Its file time is used only if the export marks it as late, because copying a file may
            change that time.
        due: The due date, or None.
        person: The student's entry in a table, or None.
    """
    if person is not None and person.late_hours is not None:
        return person.late_hours
    if person is not None and person.submitted is not None and due is not None:
        return max(0.0, (person.submitted - due).total_seconds() / 3600)
    if not row.late:
        unread = person is not None and bool(person.unread) and due is not None
        unseen = person is not None and person.nothing and row.status != NOTHING
        return None if unread or unseen else 0.0
    hours = (row.modified - due.timestamp()) / 3600 if due is not None and row.modified is not None else 0.0
    return hours if hours > 0 else None


def deduction(late: Late, hours: float | None, maximum: float) -> tuple[float, str]:
    """Return the deduction for lateness in points, and a remark about it.

    Args:
        late: Rules for lateness.
        hours: How many hours late; None if unknown.
        maximum: Points of the assignment; percentages refer to these, as in Canvas's late policy.
    """
    if hours is None:
        return 0.0, UNKNOWN
    if not hours:
        return 0.0, ""
    says = f"handed in {_time(hours)} late"
    after = hours - late.grace
    if after <= 0:
        return 0.0, f"{says}, within the grace period"
    if late.grace:
        says = f"{says}, with {_time(late.grace)} of grace"
    if late.none_after is not None and after > 24 * late.none_after:
        return maximum, f"{says}: no points after {counted(late.none_after, 'day')}"
    percent = min(late.most, late.per_day * math.ceil(round(after / 24, 9)))  # the last digits are rounding errors
    points = maximum * percent / 100
    return points, f"{says}: {number(percent)} % of {counted(maximum, 'point')}" if points else says


def choose(rows: Sequence[Row], several: str) -> Row:
    """Return the submission that counts, preferably one that could be graded.

    Args:
        rows: The files of a student, the newest last.
        several: ``latest`` or ``best``. If files were handed in together, the best of them counts; of equally good
            files, the latest counts.
    """
    graded = [row for row in rows if row.status == GRADED or row.tried_again] or list(rows)
    may_count = graded if several == "best" else [row for row in graded if _came_with(graded[-1], row)]
    return max(reversed(may_count), key=lambda row: row.total)


def _came_with(newest: Row, row: Row) -> bool:
    """Return whether a file was handed in together with the newest file."""
    if row is newest:
        return True
    if not row.hand_in or row.hand_in != newest.hand_in or (row.modified is None) != (newest.modified is None):
        return False
    return row.modified is None or newest.modified is None or abs(newest.modified - row.modified) < _AT_ONCE


def marked_by_hand(row: Row, hands: Sequence[Hand], most: Mapping[str, float]) -> Row:
    """Return a row after applying the manual marks, which replace points from the checks.

    Args:
        row: The row of a student.
        hands: Manual marks for this student.
        most: Names of the exercises and their points.
    """
    points = {hand.exercise: hand.points for hand in hands if hand.points is not None}
    marks = row.marks
    if not marks and points.keys() & {*most}:  # somebody has marked a submission that could not be graded
        marks = tuple(Mark(task, None if row.tried_again else 0.0, None, "") for task in most)
    before = {mark.task: mark.points for mark in marks} | {LATE: row.settled.deduction}
    marks = tuple(replace(mark, points=points.get(mark.task, mark.points)) for mark in marks)
    by_hand = tuple(Decided(hand, before.get(hand.exercise), hand.outlived(row.notebook)) for hand in hands)
    settled = replace(row.settled, by_hand=by_hand, empty=row.settled.empty and not marks)
    if LATE in points:
        settled = replace(settled, deduction=points[LATE], late=settled.late.partition(":")[0])
    return replace(row, marks=marks, settled=settled)


def _capped(row: Row) -> Row:
    """Return a row whose deduction is at most its points."""
    return replace(row, settled=replace(row.settled, deduction=min(row.settled.deduction, row.reached)))


def _time(hours: float) -> str:
    """Format a duration: ``51 hours``, ``1 minute``, ``less than a minute``."""
    if round(60 * hours, 6) < 1:
        return "less than a minute"
    minutes = round(60 * hours)
    return counted(minutes, "minute") if minutes < 60 else counted(round(hours, 1), "hour")
