"""A run over a class can be stopped at any time and continued, and loses nothing in a failure."""

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from course.grade.small_class import grade, journal, submit, table, write_source
from tiers import exhaustive

from rsl_edu.course.grade import pages, run


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_next_run_grades_the_rest_after_a_stop(four, marked, error):
    seen = []

    def stop(row):
        seen.append(row.submission)
        if len(seen) == 2:
            raise error

    with pytest.raises(error):
        grade(four, each=stop, report=True)
    assert [*table(four)] == seen == marked == ["a", "b"]
    assert (four / "grades_report.html").exists()
    rows = grade(four, each=lambda row: seen.append(row.submission))
    assert marked == [row.submission for row in rows] == [*table(four)] == ["a", "b", "c", "d"]
    assert seen[2:] == ["a", "b", "c", "d"]
    assert len(journal(four)) == 4


def test_submissions_in_progress_at_a_stop_are_kept(four, marked, monkeypatch, until):
    waited_for, stopped = set(), threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, *arguments, **options):
            stopped.set()
            super().shutdown(*arguments, **options)

    def wait(futures, wait=run.wait, **options):
        waited_for.update(futures)
        return wait(futures, **options)

    def mark(*arguments, mark=run.mark, **rules):
        if len(marked) == 1:
            until(lambda: len(waited_for) == 2)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            until(stopped.is_set)
        return mark(*arguments, **rules)

    monkeypatch.setattr(run, "wait", wait)
    monkeypatch.setattr(run, "mark", mark)
    with pytest.raises(KeyboardInterrupt):
        grade(four, functools.partial(Pool, 1))
    assert [*table(four)] == ["a", "b"]
    grade(four)
    assert marked == ["a", "b", "c", "d"]


def test_only_changed_submissions_are_graded_again(four, marked):
    done, pages_of = [], four / "grades_feedback"
    grade(four)
    submit(four, a="'new'")
    assert [row.submission for row in grade(four, window=4, each=lambda row: done.append(row.submission))] == [*"abcd"]
    assert done == [*"bcda"]
    assert marked == [*"abcd", "new"]
    page = pages_of / pages.file_name("b")
    page.unlink()
    grade(four)
    assert page.exists()
    assert len(marked) == 5
    submit(four, a="'a'")  # as in the first run
    grade(four)
    assert len(marked) == 5
    write_source(four, number=5)
    grade(four)
    assert sorted(marked[5:]) == [*"abcd"]


def test_submission_that_breaks_the_grader_is_retried_and_others_are_graded(four, marked, monkeypatch):
    trap = four / "trap"
    trap.touch()

    def mark(assignment, cells, *others, mark=run.mark, **rules):
        if trap.exists() and cells == ["'b'"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if trap.exists() and cells == ["'c'"]:
            raise OverflowError("too much")
        return mark(assignment, cells, *others, **rules)

    monkeypatch.setattr(run, "mark", mark)
    fork = functools.partial(
        ProcessPoolExecutor, 2, multiprocessing.get_context("fork")
    )  # forked processes use the patched mark
    grade(four, fork, window=3)
    again = "not graded, and tried again next time"
    assert {name: row["status"] for name, row in table(four).items()} == {
        "a": "graded",
        "b": f"{again}: the grader's own process ended",
        "c": f"{again}: OverflowError: too much",
        "d": "graded",
    }
    assert "tried again next time" in (four / "grades_feedback" / pages.file_name("b")).read_text("utf-8")
    trap.unlink()
    grade(four)
    assert sorted(marked) == ["b", "c"]
    assert {row["status"] for row in table(four).values()} == {"graded"}
    assert "Not graded" not in (four / "grades_feedback" / pages.file_name("b")).read_text("utf-8")


def test_unsafe_results_are_graded_again_in_a_sandbox(four, marked):
    assert not any(row.safe for row in grade(four, box="unsafe"))
    assert all(row.safe for row in grade(four))
    assert len(marked) == 8


MEASURE = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from course.grade.small_class import RIGHT, grade, write_source
from rsl_edu.course.grade import run
from rsl_edu.course.grade.ledger import Table
from rsl_edu.course.grade.marking import Mark, Marks
from rsl_edu.course.grade.roster import Person, Roster

run.mark = lambda *_, **__: Marks((Mark("double", 2.0, None, "right."),), ())
for students in (20, 50, 500):  # the first run allocates memory that every run needs
    folder = Path(sys.argv[1]) / str(students)
    (folder / "class").mkdir(parents=True)
    write_source(folder)
    output = '{"output_type": "stream", "name": "stdout", "text": "' + 200_000 * "x" + '"}'
    cell = '{"cell_type": "code", "source": "1", "metadata": {}, "execution_count": 1, "outputs": [' + output + ']}'
    for number in range(students):
        (folder / "class" / f"s{number:03}.ipynb").write_text('{"cells": [' + cell + '], "nbformat": 4}')
    everybody = Roster(Person(f"s{number:03}") for number in range(students))
    rows = grade(folder, window=4, how=Table(roster=everybody), report=True)
    assert [row.total for row in rows] == [2.0] * students
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
"""


@exhaustive
def test_memory_does_not_grow_with_the_number_of_submissions(tmp_path):
    paths = os.pathsep.join(path for path in sys.path if path)
    words = [sys.executable, "-c", MEASURE, str(tmp_path)]
    said = subprocess.run(words, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    _, few, many = map(int, said.stdout.split())
    assert many - few < 20  # MB; the notebooks alone have 100
