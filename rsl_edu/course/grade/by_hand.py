"""Points given by hand, for exercises that no check can judge or to replace points from the checks.

These points are in the table ``grades_marks.csv`` next to the grades. :mod:`rsl_edu.cli.mark` writes the table, and
anybody can edit it. Each run of the grader applies the points again, so grading again does not lose them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from . import spreadsheet
from .spelling import letters, orders
from .spreadsheet import SheetError, same

LATE = "late"
"""Value of the column ``exercise`` if the points are the deduction for lateness."""
AGAIN = "given for an earlier notebook: look again"
"""Remark about points by hand if another notebook of the student counts now."""
_COLUMNS = ["student", "exercise", "points", "comment"]
_MORE = ["identifier", "notebook"]  # optional columns, which older files do not have


class HandError(ValueError):
    """Raised for a manual mark that is not allowed; the text names the student and states what is allowed."""


@dataclass(frozen=True)
class Hand:
    """A mark given by hand.

    Attributes:
        student: The student, as in the column ``submission`` of the grades.
        exercise: Name of the exercise, or ``late`` for the deduction for lateness.
        points: The points; None if there is only a comment.
        comment: The reason, which the student can read.
        identifier: The student's identifier on the learning platform; may be empty.
        notebook: Digest of the notebook that the mark was given for; may be empty.
    """

    student: str
    exercise: str
    points: float | None
    comment: str = ""
    identifier: str = ""
    notebook: str = ""

    def outlived(self, notebook: str) -> bool:
        """Return whether the mark is known to be for a different notebook from the one that counts now.

        Args:
            notebook: Digest of the notebook that counts now; empty if unknown.
        """
        return bool(self.notebook and notebook) and self.notebook != notebook


def file_of(out: Path) -> Path:
    """Return the path of the table of manual marks for a table of grades."""
    return out.with_name(f"{out.stem}_marks.csv")


def read(path: Path, most: Mapping[str, float]) -> list[Hand]:
    """Read the manual marks; return an empty list if the file does not exist.

    Args:
        path: The table.
        most: Points of each exercise.

    Raises:
        SheetError: If the file is not a table of manual marks.
        HandError: If an exercise or its points are not allowed, or if a student has two marks for an exercise.
    """
    if not path.exists() or not path.read_bytes().strip():
        return []
    header, *rows = spreadsheet.read(path)
    if [name.lower() for name in header] not in (_COLUMNS, [*_COLUMNS, *_MORE]):
        raise SheetError(f"{path}: expected the columns {', '.join(_COLUMNS)}; got {', '.join(header)}")
    hands: dict[tuple[str, str], Hand] = {}
    for row in rows:
        student, exercise, points, comment, identifier, notebook = (*row[: len(header)], "", "")[:6]
        try:
            hand = replace(checked(student, exercise, points, comment, most), identifier=identifier, notebook=notebook)
        except HandError as error:
            raise HandError(f"{path}, {student}: {error}") from None
        if (student, exercise) in hands:
            raise HandError(f"{path}, {student}: {exercise} is marked twice; keep one of the two lines")
        hands[student, exercise] = hand
    return list(hands.values())


def write(hands: Iterable[Hand]) -> str:
    """Return the table of marks as CSV."""
    rows = []
    for each in hands:
        points = "" if each.points is None else f"{each.points:g}"
        rows.append([each.student, each.exercise, points, each.comment, each.identifier, each.notebook])
    return spreadsheet.as_csv([[*_COLUMNS, *_MORE], *rows])


def with_new(hands: Iterable[Hand], new: Iterable[Hand]) -> list[Hand]:
    """Return the marks, updated with newer marks; if a newer mark lacks points or a comment, the older ones stay.

    Args:
        hands: The marks.
        new: The newer marks.
    """
    kept = {(hand.student, hand.exercise): hand for hand in hands}
    for hand in new:
        old = kept.get((hand.student, hand.exercise), hand)
        points = old.points if hand.points is None else hand.points
        kept[hand.student, hand.exercise] = replace(hand, points=points, comment=hand.comment or old.comment)
    return list(kept.values())


def checked(student: str, exercise: str, points: str, comment: str, most: Mapping[str, float]) -> Hand:
    """Return a mark after checking that its exercise and points are allowed.

    Args:
        student: The student.
        exercise: The exercise.
        points: The points as text; empty if there is only a comment.
        comment: The reason.
        most: Points of each exercise.

    Raises:
        HandError: If the exercise does not exist, or if its points are not allowed.
    """
    allowed = {**most, LATE: sum(most.values())}
    if exercise not in allowed:
        raise HandError(f"there is no exercise {exercise!r}{_near(exercise, allowed)}")
    value = spreadsheet.number(points)
    if points.strip() and (value is None or not 0 <= value <= allowed[exercise]):
        raise HandError(f"{exercise}: expected points from 0 to {allowed[exercise]:g}, got {points!r}")
    if value is None and not comment:
        raise HandError(f"{exercise}: expected points or a comment, got neither")
    return Hand(student, exercise, value, comment)


def known(student: str, students: Iterable[str]) -> str:
    """Return the name of a student after checking that it is in the grades.

    Args:
        student: The name as given.
        students: All names.

    Raises:
        HandError: If nobody has this name; the text suggests similar names.
    """
    students = list(students)
    if student not in students:
        raise HandError(f"there is no student {student!r} in the grades{_near(student, students)}")
    return student


def with_names(hands: Iterable[Hand], students: Mapping[str, str], others: Iterable[str] = ()) -> list[Hand]:
    """Return the marks under the students' current names in the grades; a different roster may have changed the names.

    Args:
        hands: The marks.
        students: The identifier of each student in the grades, by the student's name; an identifier may be empty.
        others: Names of known students who are left out of the grades.

    Raises:
        HandError: If there are marks for unknown students, or if a student has two marks for the same exercise; the
            text lists all of these marks.
    """
    others = [*others]
    found: dict[tuple[str, str], Hand] = {}
    wrong = []
    for hand in hands:
        name = whose(hand, students) or (hand.student if hand.student in others else None)
        if name is None:
            wrong.append(
                f"there is no student {hand.student!r} in the grades{_near(hand.student, [*students, *others])}"
            )
        elif (name, hand.exercise) in found:
            both = f"{found[name, hand.exercise].student!r} and {hand.student!r}"
            wrong.append(f"{both} are the same student: {hand.exercise} is marked twice; keep one of the two lines")
        else:
            found[name, hand.exercise] = hand
    if wrong:
        raise HandError("\n".join(dict.fromkeys(wrong)))
    return [replace(hand, student=name) for (name, _), hand in found.items()]


def whose(hand: Hand, students: Mapping[str, str]) -> str | None:
    """Return a marked student's name in the grades; None if there is no certain match.

    A mark belongs to the student with the same name. Otherwise, a student matches if the identifier is the same
    and the two names have a word in common. Otherwise, a student matches whose name consists of the same words in a
    different order, if no other student has these words and the identifiers do not contradict the match.

    Args:
        hand: The mark.
        students: The identifier of each student in the grades, by name.
    """
    if hand.student in students:
        return hand.student
    numbered = [name for name, identifier in students.items() if identifier and identifier == hand.student]
    number = hand.identifier or hand.student.removeprefix(_bare(hand.student)).strip(" ()")
    alike = {name: students[name] for name in students if _spellings(name) & _spellings(hand.student)}
    same = [name for name, identifier in students.items() if number and identifier == number]
    same = [name for name in same if name in alike or _words(name) & _words(hand.student)]
    others = [name for name, identifier in alike.items() if not (number and identifier)]
    found = numbered or same or others
    return found[0] if len(found) == 1 else None


def _spellings(name: str) -> set[str]:
    return {letters(order) for order in orders(_bare(name))}


def _words(name: str) -> set[str]:
    return {letters(word) for word in _bare(name).split()} - {""}


def _near(name: str, names: Iterable[str]) -> str:
    """Return text for the end of an error: similar names as suggestions, or all names if there are few."""
    names = list(names)
    wanted = set(map(letters, orders(name)))
    near = [other for other in names if letters(_bare(other)) in wanted]  # these differ only by an identifier
    alike = {other.casefold(): other for other in names}
    near = near or [alike[other] for other in difflib.get_close_matches(name.casefold(), alike, n=3, cutoff=0.5)]
    near = near or [other for other in names if name.casefold() in other.casefold()][:3]
    shown = near or names[:8]
    return f"; did you mean {' or '.join(map(repr, shown))}?" if near else f"; there are {', '.join(map(repr, shown))}"


def _bare(name: str) -> str:
    """Return ``Wei Li`` from ``Wei Li (101)``: names that two students share are followed by an identifier."""
    return re.sub(r" \([^()]*\)$", "", name)


def edits(written: Sequence[Sequence[str]], edited: Sequence[Sequence[str]], most: Mapping[str, float]) -> list[Hand]:
    """Return the edits that somebody made in a table of grades, as manual marks.

    The rows may be in a different order. A changed total that matches the changed points does not count as an edit.

    Args:
        written: The table as the grader wrote it, with its header.
        edited: The table as it is now.
        most: Points of each exercise.

    Raises:
        HandError: If anything was changed except the points of exercises and the column ``deduction``, or if a row or
            column was added or removed; the text lists all these edits.
    """
    header, *rows = written
    before = {row[0]: row for row in rows}
    hands, wrong = [], []
    if not edited or list(edited[0]) != list(header):
        raise HandError(f"the columns were changed; the grader wrote {', '.join(header)}")
    names = [row[0] for row in edited[1:]]
    wrong += [f"{name}: the row is new" for name in names if name not in before]
    wrong += [f"{name}: the row exists twice" for name in {*names} if names.count(name) > 1]
    wrong += [f"{name}: the row is missing" for name in before if name not in names]
    for row in edited[1:]:
        old = dict(zip(header, before.get(row[0], row), strict=False))
        new = dict(zip(header, row, strict=False))
        for column in header:
            if same(old[column], new[column]) or (column == "total" and _adds_up(new, most)):
                continue
            exercise = LATE if column == "deduction" else column
            if exercise not in (*most, LATE) or column == LATE:
                wrong.append(f"{row[0]}: {column} was {old[column]!r} and is {new[column]!r}; {_INSTEAD}")
                continue
            try:
                hands.append(checked(row[0], exercise, new[column], "", most))
            except HandError as error:
                wrong.append(f"{row[0]}: {error}")
    if wrong:
        raise HandError("these edits cannot be applied:\n" + "\n".join(f"  {line}" for line in wrong))
    return hands


_INSTEAD = "change the points of an exercise or the deduction instead"


def _adds_up(row: Mapping[str, str], most: Mapping[str, float]) -> bool:
    points = sum(spreadsheet.number(row[name]) or 0.0 for name in most)
    return same(row["total"], f"{max(0.0, points - (spreadsheet.number(row['deduction']) or 0.0)):g}")
