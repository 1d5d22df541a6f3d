"""What tests of the grader share: processes that only speak like its worker, and classes in folders and zips."""

import shlex
import sys
import textwrap
from pathlib import Path

import pytest
from course.grade.archives import on_disk, zipped

from rsl_edu.course.grade import usage
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student
from rsl_edu.course.grade.usage import Budget

SPEAKS = f"""
import json, os, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from plain_worker import burn, read, ready, receive, reply, send
receive()
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Starts a process that runs some code in the place of the worker; the grader sees it, as it sees bubblewrap's."""
    monkeypatch.setattr(usage, "known", lambda _: True)

    def start(code, budget=None):
        script = tmp_path / "worker.py"
        script.write_text(SPEAKS + textwrap.dedent(code))
        return Student([], shlex.join([sys.executable, "-S", str(script)]), budget or Budget(Limits()))

    return start


@pytest.fixture(params=["folder", "zip"])
def given(request, tmp_path):
    """Puts files into a folder or a zip."""

    def give(files):
        if request.param == "folder":
            return on_disk(tmp_path / "class", files)
        path = tmp_path / "class.zip"
        path.write_bytes(zipped(files))
        return path

    return give
