"""Points that people give: exercises that no check can judge, and changes of what the checks gave.

They stand in a table beside the grades, ``grades_marks.csv``, which :mod:`rsl_edu.cli.mark` writes and anybody can
edit. Each run of the grader applies them anew, so they survive everything.
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
"""What stands in the place of an exercise where the points are those that lateness takes off."""
AGAIN = "given for an earlier notebook: look again"
"""What is said of points by hand where another notebook of the student counts now."""
_COLUMNS = ["student", "exercise", "points", "comment"]
_MORE = ["identifier", "notebook"]  # what older files do not have, and people need not write


class HandError(ValueError):
    """Points that cannot be given; the text names whose, and what is allowed."""


@dataclass(frozen=True)
class Hand:
    """What somebody decided.

    Attributes:
        student: Whose points, as the column ``submission`` of the grades has it.
        exercise: Which exercise, or ``late``.
        points: The points; None for a comment only.
        comment: Why; the student reads it.
        identifier: What the learning platform calls the student; empty if nobody wrote it down.
        notebook: Digest of the notebook that it was given for; empty if nobody wrote it down.
    """

    student: str
    exercise: str
    points: float | None
    comment: str = ""
    identifier: str = ""
    notebook: str = ""

    def outlived(self, notebook: str) -> bool:
        """Whether it was given for another notebook than this one, as far as that is known.

        Args:
            notebook: Digest of the notebook that counts now; empty if nobody knows it.
        """
        return bool(self.notebook and notebook) and self.notebook != notebook


def file_of(out: Path) -> Path:
    """Return the table of the marks that belong to a table of grades."""
    return out.with_name(f"{out.stem}_marks.csv")


def read(path: Path, most: Mapping[str, float]) -> list[Hand]:
    """Read the marks; a file that does not exist holds none.

    Args:
        path: The table.
        most: Points of each exercise.

    Raises:
        SheetError: If it is no such table.
        HandError: If an exercise or points in it are not allowed, or something is marked twice.
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
    """Return the table of marks."""
    rows = []
    for each in hands:
        points = "" if each.points is None else f"{each.points:g}"
        rows.append([each.student, each.exercise, points, each.comment, each.identifier, each.notebook])
    return spreadsheet.as_csv([[*_COLUMNS, *_MORE], *rows])


def with_new(hands: Iterable[Hand], new: Iterable[Hand]) -> list[Hand]:
    """Return the marks with newer ones; what these leave open, points or the comment, stays as it was.

    Args:
        hands: The marks.
        new: The newer ones.
    """
    kept = {(hand.student, hand.exercise): hand for hand in hands}
    for hand in new:
        old = kept.get((hand.student, hand.exercise), hand)
        points = old.points if hand.points is None else hand.points
        kept[hand.student, hand.exercise] = replace(hand, points=points, comment=hand.comment or old.comment)
    return list(kept.values())


def checked(student: str, exercise: str, points: str, comment: str, most: Mapping[str, float]) -> Hand:
    """Return a mark whose exercise and points are allowed.

    Args:
        student: Whose points.
        exercise: Which exercise.
        points: The points as they were written; empty for a comment only.
        comment: Why.
        most: Points of each exercise.

    Raises:
        HandError: If there is no such exercise, or it cannot have so many points.
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
    """Return the name of a student as the grades have it.

    Args:
        student: The name as somebody wrote it.
        students: All names.

    Raises:
        HandError: If nobody is called so; the text has names that are near.
    """
    students = list(students)
    if student not in students:
        raise HandError(f"there is no student {student!r} in the grades{_near(student, students)}")
    return student


def with_names(hands: Iterable[Hand], students: Mapping[str, str], others: Iterable[str] = ()) -> list[Hand]:
    """Return the marks with the names that the students have in the grades now, as another roster may write them.

    Args:
        hands: The marks.
        students: The identifier of each student in the grades, by the name; empty where there is none.
        others: Names that are known, but left out of the grades.

    Raises:
        HandError: If there are marks of students whom nobody knows, or two for the same; the text names all of these.
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
            wrong.append(f"{both} are the same: {hand.exercise} is marked twice; keep one of the two lines")
        else:
            found[name, hand.exercise] = hand
    if wrong:
        raise HandError("\n".join(dict.fromkeys(wrong)))
    return [replace(hand, student=name) for (name, _), hand in found.items()]


def whose(hand: Hand, students: Mapping[str, str]) -> str | None:
    """Return the name that the student of a mark has in the grades; None if there is none, or it is not certain.

    It is found by the same name; or by the identifier, if the names have a word in common; or by the same words in
    another order, if nobody else has them and no identifier speaks against it.

    Args:
        hand: The mark.
        students: The identifier of each student in the grades, by the name.
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
    """Names that may be meant: near ones, or all if they are few."""
    names = list(names)
    wanted = set(map(letters, orders(name)))
    near = [other for other in names if letters(_bare(other)) in wanted]  # what tells two of the same name apart
    alike = {other.casefold(): other for other in names}
    near = near or [alike[other] for other in difflib.get_close_matches(name.casefold(), alike, n=3, cutoff=0.5)]
    near = near or [other for other in names if name.casefold() in other.casefold()][:3]
    shown = near or names[:8]
    return f"; did you mean {' or '.join(map(repr, shown))}?" if near else f"; there are {', '.join(map(repr, shown))}"


def _bare(name: str) -> str:
    """A name without what tells two of the same name apart: ``Wei Li (101)``."""
    return re.sub(r" \([^()]*\)$", "", name)


def edits(written: Sequence[Sequence[str]], edited: Sequence[Sequence[str]], most: Mapping[str, float]) -> list[Hand]:
    """Return what somebody changed in a table of grades, as marks by hand.

    Rows may stand in another order. A total that agrees with the changed points is no change of its own.

    Args:
        written: The table as the grader wrote it, its header first.
        edited: The table as it is now.
        most: Points of each exercise.

    Raises:
        HandError: If something was changed that is not points of an exercise or ``deduction``, or a row or a column was
            added or taken away; the text lists all of these.
    """
    header, *rows = written
    before = {row[0]: row for row in rows}
    hands, wrong = [], []
    if not edited or list(edited[0]) != list(header):
        raise HandError(f"the columns are not those that were written: {', '.join(header)}")
    names = [row[0] for row in edited[1:]]
    wrong += [f"{name}: the row is new" for name in names if name not in before]
    wrong += [f"{name}: the row is there twice" for name in {*names} if names.count(name) > 1]
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
        raise HandError("these edits cannot be taken over:\n" + "\n".join(f"  {line}" for line in wrong))
    return hands


_INSTEAD = "change the points of an exercise, or the deduction"


def _adds_up(row: Mapping[str, str], most: Mapping[str, float]) -> bool:
    points = sum(spreadsheet.number(row[name]) or 0.0 for name in most)
    return same(row["total"], f"{max(0.0, points - (spreadsheet.number(row['deduction']) or 0.0)):g}")
