"""State of a run of the grader: the journal from which it continues, and the files that it writes."""

from __future__ import annotations

import csv
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment, AssignmentError

from . import by_hand, journal_file, pages, policy, spreadsheet
from .by_hand import Hand, HandError
from .gradebook import COLUMNS, NOTHING, TRIED_AGAIN, Journal, Row, Settled, as_text, table, write
from .journal_file import Written
from .roster import Roster
from .sandbox import Limits
from .settings import Policy, Rules
from .submissions import Submission, find

_COUNTS = {
    "latest": "the latest that could be graded counts (if files were handed in together, the one with the most points)",
    "best": "the one with the most points counts",
}
"""Which of several files counts, by the rule of the course."""


_NOTHING = "nothing"  # digest for a student who has not handed in a notebook


class EditedError(ValueError):
    """The table contains edits that would be lost; the text says what to do."""


@dataclass(frozen=True)
class Table:
    """Settings for the table that is made from all graded submissions.

    Args:
        policy: The rules of the course.
        roster: The roster; None if there is none.
        times: Table with times and lateness; the roster by default.
        only_these: Whether to leave out submissions that are only in earlier runs.
        discard_edits: Whether to overwrite a table that somebody has edited.
        earlier: Rows of an earlier class, with which the report compares this class.
    """

    policy: Policy = field(default_factory=Policy)
    roster: Roster | None = None
    times: Roster | None = None
    only_these: bool = False
    discard_edits: bool = False
    earlier: Sequence[Row] | None = None


class Ledger:
    """The rows of a run, and the files that contain them.

    Args:
        assignment: The source.
        out: The table: ``grades.csv``.
        how: How to make the table.
        rules: Rules for marking submissions.
        limits: Limits of each submission.
        unsafe: Whether the submissions run without a sandbox.
        each: Called with the row of each submission.

    Raises:
        AssignmentError: If the journal next to the table belongs to another assignment.
        EditedError: If somebody has edited the table.
        SheetError: If the table of manual marks cannot be read.
        HandError: If a manual mark is for an unknown exercise, or if its points are not allowed.
    """

    def __init__(
        self,
        assignment: Assignment,
        out: Path,
        how: Table,
        rules: Rules,
        limits: Limits,
        unsafe: bool,
        each: Callable[[Row], None],
    ) -> None:
        self.assignment, self.out, self.how, self.each = assignment, out, how, each
        self.most = {task.name: task.points for task in assignment.tasks}
        if clash := self.most.keys() & {*COLUMNS, "remarks"}:
            raise AssignmentError(f"{assignment.name}: {clash.pop()} is a column of the grades: rename the exercise")
        self.decides = repr((rules, replace(limits, start=0, wall=0), unsafe))
        self.version = hashlib.sha256(f"{assignment.digest} {_checks()}".encode()).hexdigest()[:16]
        self.rows: dict[
            tuple[str, str, str], Row | None
        ] = {}  # None is the placeholder of a submission that is not graded yet
        self.found_all = False
        self.journal = Journal(journal_file.file_of(out))
        written = self.journal.written
        if written is not None and written.assignment != assignment.name:
            says = f"contains the grades of {written.assignment}, not of {assignment.name}: choose another name"
            raise AssignmentError(f"--out: {out} {says}")
        self._must_not_be_edited()
        self.hands = by_hand.read(by_hand.file_of(out), self.most)
        out.parent.mkdir(parents=True, exist_ok=True)
        self.feedback = out.with_name(f"{out.stem}_feedback")
        self.feedback.mkdir(exist_ok=True)

    def to_grade(self, submissions: Iterable[Path]) -> Iterator[tuple[str, Submission]]:
        """Yield the submissions that are new or have changed since an earlier run, with their keys."""
        for submission in find(submissions):
            key = self._key(submission)
            self.rows[submission.name, submission.file, key] = None
            known = self.journal.rows.get((submission.name, key))
            if known is None:
                yield key, submission
            else:
                self.add(described(known, submission))
        self.found_all = True

    def add(self, row: Row) -> None:
        """Store the row of a submission."""
        row = replace(row, version=self.version)
        if not row.tried_again and not self.journal.is_newest(row):
            self.journal.add(row)
        self.rows[row.submission, row.file, row.key] = row
        self.each(row)

    def settled(self) -> list[Row]:
        """Return one row for each student, from this run and from earlier ones.

        Raises:
            HandError: If there are manual marks for unknown students.
        """
        now = [row for row in self.rows.values() if row is not None]
        again = {(name, file) for name, file, _ in self.rows} | {(name, key) for name, _, key in self.rows}
        contents = {(row.submission, row.key): row for row in self.journal.newest}  # a file may have a new name now
        before = [
            row for row in contents.values() if not {(row.submission, row.file), (row.submission, row.key)} & again
        ]
        done = self.found_all and None not in self.rows.values()
        settle = functools.partial(
            policy.settle,
            now if self.how.only_these else [*before, *now],
            self.how.policy,
            self.most,
            roster=self.how.roster,
            times=self.how.times,
            version=self.version,
            missing=NOTHING if done else f"{TRIED_AGAIN}: the run was stopped",
        )
        return settle(hands=self._named(settle()) if done else self.hands)

    def save(self, report: bool) -> list[Row]:
        """Write the table, the pages of the students, and optionally the report.

        Pages from earlier runs are removed if their students are no longer in the table.

        Returns:
            The rows of the table.

        Raises:
            EditedError: If somebody has edited the table in the meantime.
            HandError: If there are manual marks for unknown students; nothing is written then.
        """
        rows = self.settled()
        self._must_not_be_edited()
        text = table(rows, self.most)
        notebooks = {as_text(row.submission): row.notebook or ("" if row.key else _NOTHING) for row in rows}
        written = Written(text, self.assignment.name, self.most, notebooks)
        self.journal.wrote(
            written
        )  # before the table, because a table that the journal does not contain counts as edited
        write(self.out, text)
        for row in rows:
            page = self.feedback / pages.file_name(row.submission)
            html = self._page(row)
            if not page.exists() or page.read_text("utf-8") != html:
                write(page, html)
        for page in pages.left_over(self.feedback, (row.submission for row in rows)):
            page.unlink()
        if report:
            html = pages.report(self.assignment, rows, self.how.earlier, folder=self.feedback.name)
            write(self.out.with_name(f"{self.out.stem}_report.html"), html)
        return rows

    def _named(self, rows: Sequence[Row]) -> list[Hand]:
        """Return the manual marks under the names that the students have in the rows."""
        students = {as_text(row.submission): as_text(row.number) for row in rows}
        left_out = [as_text(row.submission) for row in self.journal.newest]  # known, but perhaps not in this table
        try:
            hands = [replace(hand, student=as_text(hand.student)) for hand in self.hands]
            return by_hand.with_names(hands, students, left_out)
        except HandError as error:
            raise HandError(f"{by_hand.file_of(self.out)}: {error}") from None

    def _page(self, row: Row) -> str:
        """Return a student's page, which shows the checks' results separately from changes by hand and by the rules."""
        settled = row.settled
        decided = {each.hand.exercise: pages.ByHand(each.before, each.hand.comment) for each in settled.by_hand}
        late = f"{settled.late[:1].upper()}{settled.late[1:]}." if settled.late else ""
        if by_hand.LATE in decided:
            late = f"{late} Your instructor changed this. {decided.pop(by_hand.LATE).comment}".strip()
        others = []
        if settled.others:
            others.append(
                f"You handed in {1 + len(settled.others)} files; {_COUNTS[self.how.policy.several]}. "
                f"It is {row.file}. These do not count: {', '.join(settled.others)}."
            )
        if settled.outdated:
            others.append("These points are from an earlier version of the assignment or its checks.")
        checked = replace(row, settled=Settled(empty=settled.empty))  # before anything is taken off
        taken_off = settled.deduction
        return pages.feedback(self.assignment, checked, by_hand=decided, taken_off=taken_off, late=late, others=others)

    def _must_not_be_edited(self) -> None:
        there = self.out.read_bytes() if self.out.exists() else b""
        if self.how.discard_edits or not there.strip():
            return
        written = self.journal.written
        if written is None:
            says = "exists, but the grader did not write it: choose another name, or overwrite it with --discard-edits"
            raise EditedError(f"--out: {self.out} {says}")
        try:
            cells = spreadsheet.cells(there)
            known = [spreadsheet.cells(its.table.encode()) for its in (written, self.journal.before) if its]
            if any(_alike(cells, its) for its in known):
                return
        except (UnicodeError, csv.Error):
            pass  # it was edited and is no longer a table
        raise EditedError(
            f"{self.out} was edited, and this run would overwrite the edits. To keep them, run\n"
            f"  rsl-edu mark --from {self.out}\nand then this command again. To drop them, add --discard-edits"
        )

    def _key(self, submission: Submission) -> str:
        """Return a hash of a submission and of everything that determines its points."""
        said = repr((submission.problem, self.version, self.decides)).encode()
        return hashlib.sha256(said + submission.content).hexdigest()


def described(row: Row, submission: Submission) -> Row:
    """Return a row, with the export's information about the submission added."""
    said = {name: getattr(submission, name) for name in ("file", "identifier", "late", "modified", "hand_in")}
    return replace(row, **said, notebook=f"n{hashlib.sha256(submission.content).hexdigest()[:10]}")


def _alike(one: list[list[str]], other: list[list[str]]) -> bool:
    """Return whether two tables have the same content, even if a spreadsheet has saved one of them again."""
    return len(one) == len(other) and all(
        len(row) == len(its) and all(map(spreadsheet.same, row, its)) for row, its in zip(one, other, strict=True)
    )


@functools.cache
def _checks() -> str:
    """Return a hash of the checks and the grader."""
    folders = (Path(check.__file__).parent, Path(__file__).parent)
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
