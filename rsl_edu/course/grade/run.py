"""Grades a class: on all cores of this machine, or on a cluster; it can be stopped at any time, and goes on later."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsl_edu.course.assignment import Assignment, AssignmentError

from .gradebook import GRADED, TRIED_AGAIN, Row
from .ledger import Ledger, Table, described
from .marking import mark
from .sandbox import Limits, SandboxError
from .settings import Rules
from .student import StalledError
from .submissions import ProblemError, Submission, all_cells
from .written import written

REACH = 30
"""Seconds that a scheduler of a cluster has to answer."""
_ONE_AT_A_TIME = threading.Lock()  # checks seed torch's one generator


def grade(
    assignment: Assignment,
    submissions: Iterable[Path],
    out: Path,
    *,
    executor: Callable[[], AbstractContextManager[Executor]],
    window: int,
    box: str = "bwrap",
    limits: Limits = Limits(),  # noqa: B008  it is frozen
    rules: Rules = Rules(),  # noqa: B008
    how: Table = Table(),  # noqa: B008
    report: bool = False,
    each: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Grade submissions; what was graded before, and has not changed, is not graded again.

    Next to ``grades.csv`` it writes ``grades.journal.jsonl``, the folder ``grades_feedback`` with a page for each
    student, and ``grades_report.html``.

    Args:
        assignment: The source.
        submissions: Notebooks, zips, and folders of them.
        out: The table: ``grades.csv``.
        executor: Gives what the submissions are graded with; asked again after that broke.
        window: How many submissions are on their way at the same time.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: What each submission may use.
        rules: How each is marked.
        how: How the table is made of what was graded in this run and before.
        report: Whether to write the report on the class.
        each: Called with the row of each submission, in the order in which they are done.

    Returns:
        The rows of the table, one for each student.

    Raises:
        AssignmentError: If the journal next to ``out`` is of another assignment.
        EditedError: If somebody has edited the table, and these edits would be lost.
        FileNotFoundError: If a path of ``submissions`` does not exist.
        HandError: If marks by hand are not allowed, or of students whom nobody knows: then no table is written.
        SandboxError: If there is no sandbox where the submissions would run.
        SheetError: If the marks by hand cannot be read.
    """
    ledger = Ledger(assignment, out, how, rules, limits, box == "unsafe", each)
    job = functools.partial(_grade, assignment, box=box, limits=limits, rules=rules)
    try:
        _run_all(job, ledger.to_grade(submissions), executor, window, ledger.add)
    finally:
        rows = ledger.save(report)
    return rows


class _Processes(ProcessPoolExecutor):
    """Processes that no Ctrl+C reaches, not even while they import torch and have not come to :func:`_begin`."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Submit a job; it may start a process, which inherits what is blocked here."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return super().submit(fn, *arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """Give an executor of processes of this machine."""
    context = multiprocessing.get_context("spawn")
    pool = _Processes(jobs, context, _begin)
    try:
        yield pool
    finally:
        try:
            pool.shutdown(cancel_futures=True)
        except KeyboardInterrupt:  # the second: do not wait for what is being graded
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _begin() -> None:
    """Leave Ctrl+C to the parent, and end with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # what the student's code inherits is as usual
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Give an executor of a Dask cluster.

    Args:
        address: Where its scheduler listens: ``tcp://10.0.0.1:8786``.

    Raises:
        ImportError: If Dask is not installed.
        OSError: If no scheduler answers there.
    """
    from distributed import Client, Security
    from distributed.comm.core import connect

    async def reach() -> None:  # first: a client that reaches nobody takes long to end
        comm = await connect(address, timeout=REACH, **Security().get_connection_args("client"))
        await comm.close()

    try:
        with ThreadPoolExecutor(1) as thread:  # which has no event loop yet, as that of a notebook has
            thread.submit(lambda: asyncio.run(reach())).result()
    except ValueError as error:
        raise OSError(f"no address of a Dask scheduler: {error}") from None
    with Client(address) as client:
        yield client.get_executor(pure=False)  # True runs equal jobs once


def _run_all(
    job: Callable[[str, Submission], Row],
    todo: Iterator[tuple[str, Submission]],
    executor: Callable[[], AbstractContextManager[Executor]],
    window: int,
    finish: Callable[[Row], None],
) -> None:
    """Run jobs, never more than ``window`` of them at once; what was lost with a broken executor runs again, alone."""
    suspects: deque[tuple[str, Submission]] = deque()
    while True:
        careful = bool(suspects)
        items = (suspects.popleft() for _ in range(len(suspects))) if careful else todo
        flying: dict[Future[Row], tuple[str, Submission]] = {}
        try:
            with executor() as pool:
                while True:
                    while len(flying) < (1 if careful else window) and (item := next(items, None)) is not None:
                        try:
                            flying[pool.submit(job, *item)] = item
                        except BrokenExecutor:
                            suspects.append(item)
                            raise
                    if not flying:
                        break
                    # Now and then it wakes: a Ctrl+C that comes just before it falls asleep does not wake it.
                    for future in wait(flying, timeout=0.5, return_when=FIRST_COMPLETED).done:
                        row = _result(future, *flying[future])
                        del flying[future]
                        finish(row)
            if not careful:
                return
        except BrokenExecutor:
            if careful:
                for item in flying.values():
                    finish(_tried_again(*item, "it ends the grader's own process"))
            else:
                suspects.extend(flying.values())
        except KeyboardInterrupt:  # what had begun has ended meanwhile
            for future in flying:
                if future.done() and not future.cancelled() and future.exception() is None:
                    finish(future.result())
            raise


def _result(future: Future[Row], key: str, submission: Submission) -> Row:
    try:
        return future.result()
    except (BrokenExecutor, SandboxError, AssignmentError):
        raise
    except Exception as error:  # a fault of the grader, or of the cluster: the others go on
        return _tried_again(key, submission, f"{type(error).__name__}: {error}")


def _tried_again(key: str, submission: Submission, why: str) -> Row:
    return described(Row(submission.name, key, f"{TRIED_AGAIN}: {why}", ()), submission)


def _grade(assignment: Assignment, key: str, submission: Submission, *, box: str, limits: Limits, rules: Rules) -> Row:
    """Grade one submission; runs in another process, perhaps on another machine."""
    row = described(Row(submission.name, key, submission.problem, (), safe=box != "unsafe"), submission)
    if submission.problem:
        return row
    try:
        found = all_cells(submission.content)
    except ProblemError as problem:
        return replace(row, status=str(problem))
    with _ONE_AT_A_TIME:
        begin = time.monotonic()
        try:
            code, texts = [cell.source for cell in found if cell.code], written(assignment, found)
            marks = mark(assignment, code, box, limits, partial=rules.partial, carry=rules.carry, written=texts)
        except StalledError as stalled:
            return replace(row, status=f"{TRIED_AGAIN}: {stalled}")
    seconds = round(time.monotonic() - begin, 2)
    return replace(row, status=GRADED, marks=marks.marks, notes=marks.notes, seconds=seconds)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
