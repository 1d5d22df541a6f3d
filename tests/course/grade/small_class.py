"""Shared helpers for tests of complete runs: a class that hands in one small exercise."""

import csv
import functools
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat

from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import run

DOUBLE = "def double(number):\n    {}"
RIGHT = DOUBLE.format("return 2 * number")
CHECK = "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double({}) == {}\n### END HIDDEN TESTS"
THREAD = functools.partial(ThreadPoolExecutor, 1)


def save(path, cells):
    path.parent.mkdir(exist_ok=True)
    for place, cell in enumerate(cells):
        cell.id = str(place)  # not random, so that unchanged notebooks have the same bytes
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def write_source(folder, number=3):
    """Write an assignment with one exercise."""
    answer = RIGHT.replace("return", "### BEGIN SOLUTION\n    return") + "\n    ### END SOLUTION"
    grade = {"grade": True, "grade_id": "double", "points": 2}
    cells = [
        nbformat.v4.new_code_cell(answer, metadata={"nbgrader": {"grade_id": "answer", "solution": True}}),
        nbformat.v4.new_code_cell(CHECK.format(number, 2 * number), metadata={"nbgrader": grade}),
    ]
    save(folder / "sources" / "doubling.ipynb", cells)


def submit(folder, **answers):
    for name, answer in answers.items():
        save(folder / "class" / f"{name}.ipynb", [nbformat.v4.new_code_cell(answer)])


def grade(folder, executor=THREAD, window=1, **options):
    source = Assignment.read(folder / "sources" / "doubling.ipynb")
    return run.grade(source, [folder / "class"], folder / "grades.csv", executor=executor, window=window, **options)


def table(folder):
    with (folder / "grades.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def journal(folder):
    """Return the lines of the journal that are rows."""
    path = folder / "grades.journal.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [line for line in lines if not line.startswith('{"table"')]


def command(folder, *options):
    words = ["grade", "doubling", str(folder / "class"), f"--sources={folder / 'sources'}"]
    return [*words, f"--out={folder / 'grades.csv'}", *options]


def script(path, *lines):
    path.write_text("\n".join(("#!/bin/sh", *lines)))
    path.chmod(0o755)
    return path


WORKER = f'exec {shlex.quote(sys.executable)} -I "$box/worker.py"'
PLAIN = f"exec {shlex.join([sys.executable, '-S', str(Path(__file__).with_name('plain_worker.py'))])}"


def quoted(path):
    """Return a quoted path for a command, because folders may contain spaces."""
    return shlex.quote(str(path))


def run_in_threads(monkeypatch):
    monkeypatch.setattr(run, "processes", ThreadPoolExecutor)
