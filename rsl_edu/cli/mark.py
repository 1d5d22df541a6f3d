"""``rsl-edu mark``: give points by hand."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsl_edu.atomic_write import atomic_write
from rsl_edu.course.grade import by_hand, journal_file, spreadsheet
from rsl_edu.course.grade.page_name import file_name
from rsl_edu.number_format import counted
from rsl_edu.printable import printable

from .arguments import path_argument, refuse, system_error

_SHOWN = 60  # characters to show of an answer that is to be marked


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "mark",
        help="give points by hand",
        description="Give points by hand, either for an exercise that no check can judge or instead of the points that "
        "a check gave. If EXERCISE is the word late, POINTS are the deduction for lateness. Marks are kept in "
        "grades_marks.csv, which you may also edit. The next `rsl-edu grade` adds them to the table and the pages, "
        "without grading anything again. Given only grades.csv, list the answers to mark and the marks given so far.",
    )
    parser.add_argument("table", nargs="?", type=path_argument, metavar="grades.csv", help="table of the grades")
    parser.add_argument("student", nargs="?", metavar="STUDENT", help="name as in the table, or identifier")
    parser.add_argument("exercise", nargs="?", metavar="EXERCISE", help="name of the exercise, or late")
    parser.add_argument("points", nargs="?", metavar="POINTS", help="points to give; for late, points to take off")
    parser.add_argument("--comment", default="", metavar="TEXT", help="reason; the student sees it")
    parser.add_argument("--remove", action="store_true", help="remove the points and the comment given by hand")
    parser.add_argument(
        "--from", dest="edited", type=path_argument, metavar="FILE", help="turn points edited in this table into marks"
    )
    parser.set_defaults(command=_mark)


def _mark(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    out = options.table or options.edited
    if out is None:
        parser.error("give grades.csv, or --from with an edited table")
    if options.edited is not None and options.student is not None:
        parser.error("--from takes over all edits of a table, so leave out STUDENT")
    try:
        book = _Book(out)
        if options.edited is not None:
            book.take_over(options.edited)
        elif options.student is None:
            book.show()
            return 0
        elif options.exercise is not None and (options.points is not None or options.comment or options.remove):
            book.mark(options.student, options.exercise, options.points or "", options.comment, options.remove)
        else:
            parser.error(
                "expected STUDENT EXERCISE and then POINTS, --comment TEXT, or both; or STUDENT EXERCISE --remove"
            )
    except (by_hand.HandError, spreadsheet.SheetError, journal_file.JournalError) as error:
        refuse(parser, str(error))
    except OSError as error:
        refuse(parser, system_error(error))
    print(printable(f"Run `rsl-edu grade` again, with --out {out}, to update the table and the pages."))
    return 0


class _Book:
    """A table of grades as it was last written, and the marks given by hand.

    Args:
        out: The table.

    Raises:
        JournalError: If the table has no journal.
        SheetError: If the file of marks cannot be read.
        HandError: If a mark is not allowed.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.journal = out, journal_file.file_of(out)
        self.written = journal_file.last_written(self.journal)
        self.rows = spreadsheet.cells(self.written.table.encode())
        self.marks = by_hand.file_of(out)
        self.students = {row[0]: row[1] for row in self.rows[1:]}
        hands = by_hand.read(self.marks, self.written.most)
        self.hands = [replace(hand, student=by_hand.whose(hand, self.students) or hand.student) for hand in hands]

    def mark(self, student: str, exercise: str, points: str, comment: str, remove: bool) -> None:
        """Give points or a comment for an answer, or remove the points and the comment given by hand."""
        identifiers = {identifier: name for name, identifier in self.students.items()}
        student = by_hand.known(identifiers.get(student, student), self.students)
        if remove:
            left = [hand for hand in self.hands if (hand.student, hand.exercise) != (student, exercise)]
            if left == self.hands:
                raise by_hand.HandError(f"{student}, {exercise}: nothing was given by hand")
            self._save(left)
            print(printable(f"{student}, {exercise}: removed"))
            return
        hand = by_hand.checked(student, exercise, points, comment, self.written.most)
        self._add([hand])
        print(printable(f"{student}, {exercise}: {_told(hand.points, hand.comment)}"))

    def take_over(self, edited: Path) -> None:
        """Turn the points that were edited in a table into marks."""
        rows = spreadsheet.read(edited)
        new = by_hand.edits(self.rows, rows, self.written.most)
        self._add(new)
        if edited.samefile(self.out):  # the next run may overwrite it: its edits are now kept as marks
            journal_file.keep(self.journal, replace(self.written, table=spreadsheet.as_csv(rows)))
        for hand in new:
            print(printable(f"{hand.student}, {hand.exercise}: {_told(hand.points, hand.comment)}"))
        print(printable(f"{self.marks}: {counted(len(new), 'edit')} taken over"))

    def show(self) -> None:
        """List the answers to mark, each with its first words and its page. Also list the marks given so far."""
        header, *rows = self.rows
        tasks = [(name, header.index(name)) for name in self.written.most]
        to_mark = header.index("to_mark")
        waiting = {row[0]: [name for name, at in tasks if not row[at]] for row in rows if row[to_mark]}
        answers = counted(sum(map(len, waiting.values())), "answer")
        print(printable(f"{self.out}: {answers} to mark, {len(self.hands)} marked by hand"))
        texts = self._texts() if waiting else {}
        pages = self.out.with_name(f"{self.out.stem}_feedback")
        for student, names in waiting.items():
            for name in names:
                text = texts.get((self.written.notebooks.get(student, ""), name), "")
                begins = f": {_beginning(text)}" if text else ""
                print(printable(f"  {student}, {name}: to mark, out of {self.written.most[name]:g}{begins}"))
            print(printable(f"    {pages / file_name(student)}"))
        for hand in self.hands:
            again = f"; {by_hand.AGAIN}" if self._outlived(hand) else ""
            print(printable(f"  {hand.student}, {hand.exercise}: {_told(hand.points, hand.comment)}{again}"))
        if outlived := sum(map(self._outlived, self.hands)):
            print(f"{counted(outlived, 'mark')} by hand {by_hand.AGAIN}")

    def _outlived(self, hand: by_hand.Hand) -> bool:
        return hand.outlived(self.written.notebooks.get(hand.student, ""))

    def _texts(self) -> dict[tuple[str, str], str]:
        """Return the students' answers, by notebook and exercise."""
        found = {}
        for line in journal_file.lines(self.journal):
            if isinstance(line, dict):
                for mark in line.get("marks", ()):
                    found[line.get("notebook", ""), mark["task"]] = mark.get("answer", "")
        return found

    def _add(self, new: Sequence[by_hand.Hand]) -> None:
        """Save new marks, each with the student's identifier and the notebook that was marked."""
        notebooks = self.written.notebooks
        known = [
            replace(hand, identifier=self.students[hand.student], notebook=notebooks.get(hand.student, ""))
            for hand in new
        ]
        self._save(by_hand.with_new(self.hands, known))

    def _save(self, hands: Sequence[by_hand.Hand]) -> None:
        with atomic_write(self.marks) as part:
            part.write_text(by_hand.write(hands), "utf-8")


def _told(points: float | None, comment: str) -> str:
    given = "" if points is None else counted(points, "point")
    return ", ".join(filter(None, (given, comment and f"comment: {comment}")))


def _beginning(text: str) -> str:
    """Return the beginning of a text as one line."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN].rstrip()} …"
