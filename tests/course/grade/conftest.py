"""Fixtures for tests of the grader: processes that reply like its worker, cells, classes in folders and zips."""

import asyncio
import copy
import shlex
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from course.grade import forked
from course.grade.archives import on_disk, zipped
from course.grade.small_class import RIGHT, run_in_threads, submit, write_source

from rsl_edu import cli
from rsl_edu.course.check import failure, limit
from rsl_edu.course.grade import run, sandbox, usage, wire
from rsl_edu.course.grade.marking import Mark, Marks, mark
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

SPEAKS = f"""
import json, os, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from plain_worker import burn, read, ready, receive, reply, send
receive()
"""
INSIDE = Path(wire.__file__).parent / "inside"
INSIDERS = [path.stem for path in INSIDE.glob("*.py") if path.stem != "worker"]
LIMITS = {"cell": 10.0, "load": 40.0}


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Return a function that starts a process with other code instead of the worker, visible for the grader."""
    monkeypatch.setattr(usage, "known", lambda _: True)

    def start(code, budget=None):
        script = tmp_path / "worker.py"
        script.write_text(SPEAKS + textwrap.dedent(code))
        return Student([], shlex.join([sys.executable, "-S", str(script)]), budget or Budget(Limits()))

    return start


@pytest.fixture
def four(tmp_path):
    """Return a folder with the assignment and four submissions, each with one cell that contains its name."""
    write_source(tmp_path)
    submit(tmp_path, **{name: f"'{name}'" for name in "abcd"})
    return tmp_path


@pytest.fixture
def marked(monkeypatch):
    """Mark new submissions immediately and without a sandbox; return a list of the submissions that were marked."""
    names = []

    def mark(assignment, cells, box, limits, **rules):
        names.append(cells[0].strip("'"))
        return Marks((Mark("double", 2.0, None, "right."),), ())

    monkeypatch.setattr(run, "mark", mark)
    return names


@pytest.fixture
def week(four, marked, monkeypatch, capsys):
    """Return a function that runs `rsl-edu` in a folder with four submissions and returns its status and output."""
    run_in_threads(monkeypatch)
    monkeypatch.chdir(four)

    def rsl_edu(*words):
        try:
            status = cli.main([str(word) for word in words])
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        return status, said.out + said.err.partition("error: ")[2]

    return rsl_edu


@pytest.fixture
def one(tmp_path, monkeypatch):
    """Return a folder with the assignment, a submission, and a folder ``bin`` for commands."""
    run_in_threads(monkeypatch)
    write_source(tmp_path)
    submit(tmp_path, ada=RIGHT)
    (tmp_path / "bin").mkdir()
    return tmp_path


@pytest.fixture(params=["folder", "zip"])
def given(request, tmp_path):
    """Return a function that puts files into a folder or a zip."""

    def give(files):
        if request.param == "folder":
            return on_disk(tmp_path / "class", files)
        path = tmp_path / "class.zip"
        path.write_bytes(zipped(files))
        return path

    return give


@pytest.fixture(name="run")
def run_cells(monkeypatch, tmp_path):
    """Return a function that runs cells and returns the notebook; the answer is called f."""
    monkeypatch.syspath_prepend(str(INSIDE))
    monkeypatch.chdir(tmp_path)
    for name, module in {"wire": wire, "failure": failure, "limit": limit}.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in INSIDERS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import cells
    import files
    import library

    for place, name in [(sys, "path"), (sys, "argv"), (sys, "dont_write_bytecode")]:
        monkeypatch.setattr(place, name, copy.copy(getattr(place, name)))  # restored after the test
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
    files.import_from_current_folder()
    monkeypatch.setattr(
        cells, "end_children", lambda but: None
    )  # a browser from an earlier test is also a child process
    monkeypatch.setattr(sys, "meta_path", [library.Shells(), *sys.meta_path])
    handler = signal.getsignal(signal.SIGPROF)
    running = asyncio._get_running_loop()  # loop of a browser that an earlier test has left open
    asyncio._set_running_loop(None)
    for place in (asyncio, asyncio.events):
        monkeypatch.setattr(place, "get_running_loop", asyncio.get_running_loop)
    shown = {name for name in sys.modules if name.partition(".")[0] in ("matplotlib", "gymnasium", "rsl_edu")}
    for name in shown:
        monkeypatch.delitem(sys.modules, name)
    for name in ("IPython.core.getipython", "IPython"):
        monkeypatch.setitem(sys.modules, name, None)
        del sys.modules[name]

    def run(*sources, answers=("f",), limits=LIMITS, modes=None, handed=(), right=()):
        notebook = cells.Notebook(answers, limits)
        code = [
            [n, source or "check.f(f)", n in handed, False, "" if source else "f"]
            for n, source in enumerate(sources, 1)
        ]
        code += [[0, source, False, False, ""] for source in right]
        notebook.run(code, modes or {})
        return notebook

    yield run
    for name, module in [*sys.modules.items()]:
        if str(tmp_path) in repr(module):  # written by a notebook
            del sys.modules[name]
    asyncio.set_event_loop(None)
    asyncio._set_running_loop(running)
    signal.signal(signal.SIGPROF, handler)
    for name in INSIDERS:
        sys.modules.pop(name, None)


@pytest.fixture
def grade(monkeypatch):
    """Return a function that marks cells of an assignment without a sandbox and returns the marks by exercise."""
    monkeypatch.setattr(sandbox, "start", forked.start)
    monkeypatch.setattr(usage, "known", lambda _: True)

    def grade(source, cells, **rules):
        return {each.task: each for each in mark(source, cells, "unsafe", Limits(), **rules).marks}

    return grade
