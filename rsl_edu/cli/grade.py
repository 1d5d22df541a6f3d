"""``rsl-edu grade``: grades submissions."""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

from rsl_edu.number_format import counted

from .arguments import add_sources, path_argument, system_error, try_file


def add(commands: Any) -> None:
    """Add this command and its arguments."""
    parser = commands.add_parser(
        "grade",
        help="grade submissions",
        description="Grade submissions of the assignment NAME: notebooks, folders or zips of them, as Moodle and "
        "Canvas export them too. Run it again to go on after a stop: what was graded and has not changed is kept.",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("submissions", nargs="+", type=path_argument, metavar="SUBMISSIONS")
    parser.add_argument(
        "--out", type=path_argument, required=True, metavar="grades.csv", help="the table of the grades"
    )
    parser.add_argument("--report", action="store_true", help="write a page on the class too")
    parser.add_argument("--jobs", type=int, metavar="N", help="submissions at a time (default: one a core)")
    parser.add_argument("--dask", metavar="ADDRESS", help="grade on a Dask cluster: tcp://10.0.0.1:8786, 64 at a time")
    box = parser.add_mutually_exclusive_group()
    box.add_argument("--sandbox", metavar="COMMAND", help="beginning of a command that runs a container")
    box.add_argument("--unsafe", action="store_true", help="without a sandbox: for code that you trust")
    add_sources(parser)
    parser.set_defaults(command=_grade)


def _grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    source, total = _to_grade(parser, options)

    from tqdm import tqdm

    from rsl_edu.course.assignment import Assignment, AssignmentError
    from rsl_edu.course.grade import run, sandbox
    from rsl_edu.course.grade.gradebook import GRADED, Row

    if options.dask:
        executor, at_a_time = functools.partial(run.cluster, options.dask), options.jobs or 64
    else:
        at_a_time = options.jobs or run.cores()
        executor = functools.partial(run.processes, at_a_time)
    try:
        assignment = Assignment.read(source)
        with tqdm(total=total, unit=" submissions", desc=assignment.name) as bar:

            def tick(_: Row) -> None:
                if bar.n == bar.total:  # a student's zip held several notebooks
                    bar.total += 1
                bar.update()

            rows = run.grade(
                assignment,
                options.submissions,
                options.out,
                executor=executor,
                window=2 * at_a_time,
                box="unsafe" if options.unsafe else options.sandbox or "bwrap",
                report=options.report,
                each=tick,
            )
    except (AssignmentError, FileNotFoundError, sandbox.SandboxError) as error:
        parser.error(str(error))
    except ImportError:
        parser.error("--dask needs Dask: pip install 'rsl_edu[dask]'")
    except KeyboardInterrupt:
        print(f"Stopped; {options.out} has what is done, and the same command goes on.", file=sys.stderr)
        return 130
    except OSError as error:
        parser.error(system_error(error))
    others = [row for row in rows if row.status != GRADED]
    unsafe = " WITHOUT A SANDBOX" if options.unsafe else ""
    print(f"{options.out}: {counted(len(rows), 'submission')}, {len(rows) - len(others)} graded{unsafe}")
    for row in others:
        print(f"  {row.submission}: {row.status}")
    return 0


def _to_grade(parser: argparse.ArgumentParser, options: argparse.Namespace) -> tuple[Path, int]:
    """Return the source of the assignment and how many submissions there are at least.

    What is wrong is reported here, before torch is imported.
    """
    from rsl_edu.course.assignment import AssignmentError, locate
    from rsl_edu.course.grade import submissions

    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs: expected 1 or more, got {options.jobs}")
    if options.out.suffix != ".csv":
        parser.error(f"--out: expected a file that ends in .csv, got {options.out}")
    try:
        source = locate(options.name, options.sources)
        total = submissions.count(options.submissions)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        try_file(options.out)
    except (AssignmentError, FileNotFoundError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(system_error(error))
    return source, total
