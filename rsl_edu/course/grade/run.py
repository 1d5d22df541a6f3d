"""Grade a class, on all cores of this machine or on a cluster; a run can be stopped at any time and continued later."""

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
"""Seconds to wait for the answer of a cluster's scheduler."""
_ONE_AT_A_TIME = threading.Lock()  # checks seed torch's global generator


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
    """Grade submissions, except those that were graded before and have not changed.

    Next to ``grades.csv``, this function writes ``grades.journal.jsonl``, the folder ``grades_feedback`` with a page
    for each student, and ``grades_report.html``.

    Args:
        assignment: The source.
        submissions: Notebooks, zips, and folders of them.
        out: The table: ``grades.csv``.
        executor: Function that provides an executor for the grading; called again if an executor breaks.
        window: Largest number of submissions handed to the executor at the same time.
        box: Which sandbox, as for :func:`.sandbox.start`.
        limits: Limits of each submission.
        rules: Rules for marking.
        how: How to make the table from the submissions that were graded in this run and in earlier runs.
        report: Whether to write the report on the class.
        each: Called with the row of each submission, in the order in which they finish.

    Returns:
        The rows of the table, one for each student.

    Raises:
        AssignmentError: If the journal next to ``out`` belongs to another assignment.
        EditedError: If somebody has edited the table, and the edits would be lost.
        FileNotFoundError: If a path in ``submissions`` does not exist.
        HandError: If a manual mark is not allowed, or is for an unknown student; no table is written then.
        SandboxError: If there is no sandbox on a machine where the submissions would run.
        SheetError: If the table of manual marks cannot be read.
    """
    ledger = Ledger(assignment, out, how, rules, limits, box == "unsafe", each)
    job = functools.partial(_grade, assignment, box=box, limits=limits, rules=rules)
    try:
        _run_all(job, ledger.to_grade(submissions), executor, window, ledger.add)
    finally:
        rows = ledger.save(report)
    return rows


class _Processes(ProcessPoolExecutor):
    """Pool of processes that ignore Ctrl+C, even while they import torch before :func:`_begin` runs."""

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Submit a job; this may start a process, which inherits the blocked signals."""
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            return super().submit(fn, *arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """Provide an executor with processes on this machine."""
    context = multiprocessing.get_context("spawn")
    pool = _Processes(jobs, context, _begin)
    try:
        yield pool
    finally:
        try:
            pool.shutdown(cancel_futures=True)
        except KeyboardInterrupt:  # on the second Ctrl+C, do not wait for running jobs
            for process in multiprocessing.active_children():
                process.kill()
            raise


def _begin() -> None:
    """Leave Ctrl+C to the parent process, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # the student's code inherits the usual mask
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Provide an executor on a Dask cluster.

    Args:
        address: Address of the scheduler: ``tcp://10.0.0.1:8786``.

    Raises:
        ImportError: If Dask is not installed.
        OSError: If no scheduler answers at this address.
    """
    from distributed import Client, Security
    from distributed.comm.core import connect

    async def reach() -> None:  # try this first, because a client without a scheduler takes long to end
        comm = await connect(address, timeout=REACH, **Security().get_connection_args("client"))
        await comm.close()

    try:
        with ThreadPoolExecutor(1) as thread:  # a new thread has no event loop, unlike the thread of a notebook
            thread.submit(lambda: asyncio.run(reach())).result()
    except ValueError as error:
        raise OSError(f"expected the address of a Dask scheduler: {error}") from None
    with Client(address) as client:
        yield client.get_executor(pure=False)  # with True, equal jobs would run only once


def _run_all(
    job: Callable[[str, Submission], Row],
    todo: Iterator[tuple[str, Submission]],
    executor: Callable[[], AbstractContextManager[Executor]],
    window: int,
    finish: Callable[[Row], None],
) -> None:
    """Run at most ``window`` jobs at the same time; jobs lost with a broken executor run again, one by one."""
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
                    # The timeout is needed because a Ctrl+C immediately before the wait does not interrupt it.
                    for future in wait(flying, timeout=0.5, return_when=FIRST_COMPLETED).done:
                        row = _result(future, *flying[future])
                        del flying[future]
                        finish(row)
            if not careful:
                return
        except BrokenExecutor:
            if careful:
                for item in flying.values():
                    finish(_tried_again(*item, "the grader's own process ended"))
            else:
                suspects.extend(flying.values())
        except KeyboardInterrupt:  # running jobs have ended in the meantime
            for future in flying:
                if future.done() and not future.cancelled() and future.exception() is None:
                    finish(future.result())
            raise


def _result(future: Future[Row], key: str, submission: Submission) -> Row:
    try:
        return future.result()
    except (BrokenExecutor, SandboxError, AssignmentError):
        raise
    except Exception as error:  # a fault of the grader or the cluster; the other submissions continue
        return _tried_again(key, submission, f"{type(error).__name__}: {error}")


def _tried_again(key: str, submission: Submission, why: str) -> Row:
    return described(Row(submission.name, key, f"{TRIED_AGAIN}: {why}", ()), submission)


def _grade(assignment: Assignment, key: str, submission: Submission, *, box: str, limits: Limits, rules: Rules) -> Row:
    """Grade one submission; this runs in another process, perhaps on another machine."""
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
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
