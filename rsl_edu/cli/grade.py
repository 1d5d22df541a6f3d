"""``rsl-edu grade``: grade submissions."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsl_edu.number_format import counted
from rsl_edu.printable import printable

from .arguments import add_sources, path_argument, refuse, system_error, try_file

if TYPE_CHECKING:
    from rsl_edu.course.grade.gradebook import Row
    from rsl_edu.course.grade.roster import Roster
    from rsl_edu.course.grade.settings import Course


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "grade",
        help="grade submissions",
        description="Grade submissions of the assignment NAME: notebooks, folders, or zip files, including the exports "
        "of Moodle and Canvas. Run the same command again to continue after an interruption or to add late "
        "submissions; what has not changed is not graded again.",
    )
    parser.add_argument("name", metavar="NAME", help="name of the assignment, such as 4_normalization")
    parser.add_argument(
        "submissions", nargs="+", type=path_argument, metavar="SUBMISSIONS", help="notebooks, folders or zip files"
    )
    parser.add_argument(
        "--out", type=path_argument, required=True, metavar="grades.csv", help="CSV file to write the grades into"
    )
    parser.add_argument("--report", action="store_true", help="also write a page about the class")
    parser.add_argument(
        "--compare", type=path_argument, metavar="JOURNAL", help="journal of an earlier class to compare with"
    )
    parser.add_argument("--only-these", action="store_true", help="leave out submissions that earlier runs graded")
    parser.add_argument("--discard-edits", action="store_true", help="overwrite a table that was edited by hand")
    add_sources(parser)

    rules = parser.add_argument_group("rules of the course")
    rules.add_argument(
        "--course", type=path_argument, metavar="course.yml", help="file of rules (default: course.yml next to --out)"
    )
    rules.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="limit for each submission, such as cell=20 or memory=4096; may be repeated",
    )
    rules.add_argument("--roster", type=path_argument, metavar="FILE", help="CSV table of everybody in the course")

    platform = parser.add_argument_group("Moodle and Canvas")
    platform.add_argument(
        "--format",
        action="append",
        default=[],
        choices=("moodle", "canvas"),
        help="also write the files to upload to this platform",
    )
    platform.add_argument("--worksheet", type=path_argument, metavar="FILE", help="Moodle's grading worksheet")
    platform.add_argument("--gradebook", type=path_argument, metavar="FILE", help="gradebook exported from Canvas")
    platform.add_argument("--title", metavar="TEXT", help="title of the assignment in Canvas (default: NAME)")

    where = parser.add_argument_group("where submissions run")
    where.add_argument(
        "--jobs", type=int, metavar="N", help="submissions to grade at a time (default: one per core; with --dask, 64)"
    )
    where.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster, such as tcp://10.0.0.1:8786")
    box = where.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="start of a container command to use instead of bubblewrap")
    box.add_argument("--unsafe", action="store_true", help="run without a sandbox; only for code that you trust")
    parser.set_defaults(command=_grade)


@dataclass(frozen=True)
class _Plan:
    """What to grade, and by which rules.

    Attributes:
        source: The source of the assignment.
        total: Minimum number of submissions: a zip file counts as one until it is read.
        course: The rules.
        roster: The students of the course; None without a roster.
        times: The table that says when students handed in; None without one.
        platforms: The students in the tables of the learning platforms, by format.
    """

    source: Path
    total: int
    course: Course
    roster: Roster | None
    times: Roster | None
    platforms: dict[str, Roster]

    @property
    def tables(self) -> list[Roster]:
        """All tables that may contain times of submission."""
        return [table for table in (self.times, self.roster) if table is not None]


def _grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    plan = _plan(parser, options)

    from rsl_edu.course.assignment import AssignmentError
    from rsl_edu.course.grade.by_hand import HandError
    from rsl_edu.course.grade.ledger import EditedError
    from rsl_edu.course.grade.lms import TemplateError
    from rsl_edu.course.grade.sandbox import SandboxError
    from rsl_edu.course.grade.spreadsheet import SheetError

    try:
        rows, files, problems = _run(options, plan)
    except (
        AssignmentError,
        EditedError,
        FileNotFoundError,
        HandError,
        SheetError,
        TemplateError,
        SandboxError,
    ) as error:
        refuse(parser, str(error))
    except ImportError:
        refuse(parser, "--dask needs Dask: pip install 'rsl_edu[dask]'")
    except KeyboardInterrupt:
        unwritten = f" Nothing was written for {' and '.join(options.format)}." if options.format else ""
        done = f"Stopped. {options.out} has the grades so far; run the same command again to continue.{unwritten}"
        print(printable(done), file=sys.stderr)
        return 130
    except OSError as error:
        refuse(parser, system_error(error))
    for line in (*_summary(options, plan, rows), *map(str, files), *(f"  {problem}" for problem in problems)):
        print(printable(line))
    return 0


def _run(options: argparse.Namespace, plan: _Plan) -> tuple[list[Row], Sequence[Path], Sequence[str]]:
    """Grade, and return the rows, the files for the learning platforms, and the problems with these files."""
    from tqdm import tqdm

    from rsl_edu.course.assignment import Assignment
    from rsl_edu.course.grade import run
    from rsl_edu.course.grade.exports import Exports
    from rsl_edu.course.grade.gradebook import Journal
    from rsl_edu.course.grade.ledger import Table
    from rsl_edu.course.grade.sandbox import Limits

    if options.dask:
        executor, at_a_time = functools.partial(run.cluster, options.dask), options.jobs or 64
    else:
        at_a_time = options.jobs or run.cores()
        executor = functools.partial(run.processes, at_a_time)
    how = Table(
        plan.course.policy,
        plan.roster,
        plan.times,
        only_these=options.only_these,
        discard_edits=options.discard_edits,
        earlier=Journal(options.compare).newest if options.compare else None,
    )
    assignment = Assignment.read(plan.source)
    most = {task.name: task.points for task in assignment.tasks}
    title = options.title or assignment.name
    exports = Exports(options.format, title, options.worksheet, options.gradebook, plan.platforms)
    exports.check(most)
    with tqdm(total=plan.total, unit=" submissions", desc=assignment.name) as bar:

        def tick(_: Row) -> None:
            if bar.n == bar.total:  # a student's zip contained several notebooks
                bar.total += 1
            bar.update()

        rows = run.grade(
            assignment,
            options.submissions,
            options.out,
            executor=executor,
            window=2 * at_a_time,
            box="unsafe" if options.unsafe else options.sandbox or "bwrap",
            limits=Limits(**plan.course.limits),
            rules=plan.course.rules,
            how=how,
            report=options.report or options.compare is not None,
            each=tick,
        )
    files, problems = exports.write(options.out, rows, most)
    return rows, files, problems


def _summary(options: argparse.Namespace, plan: _Plan, rows: Sequence[Row]) -> list[str]:
    """Return the lines that summarize a run."""
    from rsl_edu.course.grade import policy
    from rsl_edu.course.grade.by_hand import AGAIN
    from rsl_edu.course.grade.gradebook import DRAFT, GRADED, NOTHING
    from rsl_edu.course.grade.listing import listed, named

    others = [row for row in rows if row.status != GRADED]
    unsafe = " WITHOUT A SANDBOX" if options.unsafe else ""
    said = [f"{options.out}: {counted(len(rows), 'student')}, {len(rows) - len(others)} graded{unsafe}"]
    each = [(row.submission, row.status) for row in others]
    if plan.roster is not None:
        strangers = policy.unmatched(rows, plan.roster)
        each += [(row.submission, "no certain match in the roster") for row in strangers]
    each += [(row.submission, row.settled.late) for row in rows if row.settled.late == policy.UNKNOWN]
    said += [f"  {line}" for line in listed(each)]
    said += _unknown_times(plan, rows)
    drafts = [row.submission for row in rows if row.settled.draft]
    if drafts:
        said.append(f"{counted(len(drafts), 'student')} with {DRAFT}: {named(drafts)}")
    outdated = sum(row.settled.outdated for row in rows)
    if outdated:
        said.append(
            f"{counted(outdated, 'row')} graded with an earlier version of the assignment or the checks: see remarks"
        )
    broken = sum(bool(row.broken_cells) for row in rows)
    if broken:
        said.append(f"{counted(broken, 'notebook')} with cells that did not run completely: see remarks and the pages")
    several = sum(bool(row.settled.others) for row in rows)
    if several:
        said.append(
            f"{counted(several, 'student')} with files that do not count, because another file does: see remarks"
        )
    again = sum(each.outlived for row in rows for each in row.settled.by_hand)
    if again:
        said.append(f"{counted(again, 'mark')} by hand {AGAIN} (see remarks)")
    waiting = sum(row.to_mark for row in rows)
    if waiting:
        said.append(f"{counted(waiting, 'answer')} to mark by hand: rsl-edu mark {options.out}")
    handed_in = any(row.status != NOTHING for row in rows)
    if plan.course.policy.due and handed_in and not _knows_times(plan, rows):
        why = (
            "the worksheet has no times that can be read: download it in English"
            if "moodle" in plan.platforms
            else "no times of submission are known: give --worksheet"
        )
        said.append(f"Nobody is late, because {why}, or give a roster with a column submitted.")
    return said


def _unknown_times(plan: _Plan, rows: Sequence[Row]) -> list[str]:
    """Return lines that name the students whose time of submission is unknown, and explain how to fix this."""
    from rsl_edu.course.grade import policy
    from rsl_edu.course.grade.listing import named

    said = []
    unread = [row for row in rows if row.settled.late == policy.UNREAD]
    if unread:
        person = policy.who_knows_when(unread[0], plan.tables)
        such = f" (such as {person.unread!r} of {unread[0].submission})" if person else ""
        said.append(f"{counted(len(unread), 'student')} {policy.UNREAD}{such}")
        said.append(
            "  Write times as 2026-12-01 18:00 in a column submitted of --roster, or download --worksheet in English."
        )
    unseen = [row.submission for row in rows if row.settled.late == policy.UNSEEN]
    if unseen:
        said.append(f"{counted(len(unseen), 'student')} {policy.UNSEEN}: {named(unseen)}")
        said.append(
            "  According to the worksheet, they handed in nothing: download a new one and give it as --worksheet."
        )
    return said


def _knows_times(plan: _Plan, rows: Sequence[Row]) -> bool:
    people = [person for table in plan.tables for person in table.people]
    told = any(person.submitted is not None or person.late_hours is not None or person.unread for person in people)
    return told or any(row.late or row.settled.hours_late is None for row in rows)


def _plan(parser: argparse.ArgumentParser, options: argparse.Namespace) -> _Plan:
    """Return what to grade. Errors in the arguments are reported here, before torch is imported."""
    from rsl_edu.course.assignment import AssignmentError, locate
    from rsl_edu.course.grade import roster, settings, spreadsheet, submissions

    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs: expected 1 or more, got {options.jobs}")
    if options.out.suffix != ".csv":
        parser.error(f"--out: expected a file that ends in .csv, got {options.out}")
    if options.sources is not None and not any(options.sources.glob("*.ipynb")):
        parser.error(f"--sources: expected a folder with notebooks, got {options.sources}")
    for option in ("worksheet", "gradebook", "compare"):
        path = getattr(options, option)
        if path is not None and not path.is_file():
            parser.error(f"--{option}: expected a file, got {path}")
    try:
        source = locate(options.name, options.sources)
        course = _course(options, source.stem)
        listed = options.roster or course.roster
        tables = {"moodle": options.worksheet, "canvas": options.gradebook}
        platforms = {form: roster.read(table) for form, table in tables.items() if table is not None}
        everybody = roster.read(listed) if listed else next(iter(platforms.values()), None)
        if everybody is not None and "canvas" in platforms:
            everybody = everybody.with_test_student(platforms["canvas"])
        times = platforms.get("moodle", everybody)
        total = submissions.count(options.submissions)
        made = not options.out.parent.exists()
        options.out.parent.mkdir(parents=True, exist_ok=True)
        try_file(options.out)
    except (AssignmentError, FileNotFoundError, settings.CourseError, spreadsheet.SheetError) as error:
        refuse(parser, str(error))
    except OSError as error:
        refuse(parser, system_error(error))
    if made:
        print(printable(f"Made the folder {options.out.parent}"))
    return _Plan(source, total, course, everybody, times, platforms)


def _course(options: argparse.Namespace, assignment: str) -> Course:
    """Return the rules from the file, with the limits given by ``--limit``.

    Raises:
        CourseError: If a rule or a limit is not allowed.
    """
    from dataclasses import replace

    from rsl_edu.course.grade import settings

    path = options.course or options.out.parent / "course.yml"
    course = settings.read(path, assignment) if options.course or path.exists() else settings.Course()
    try:
        limits = dict(map(settings.limit, options.limit))
    except ValueError as error:
        raise settings.CourseError(f"--limit: {error}") from None
    return replace(course, limits={**course.limits, **limits})
