"""The Makefile runs the right commands, in an environment whose programs only print their arguments."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TO_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PORT"}
"""Variables through which an outer `make` would affect this one, such as the `make` that runs the tests."""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="needs make")


@pytest.fixture
def make(tmp_path):
    """Return a function that runs ``make`` with the given words."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "rsl-edu"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (programs / name).chmod(0o755)
    for stamp in ("lab.stamp", "test.stamp"):
        (tmp_path / stamp).touch()  # so that nothing is installed

    def run(*words):
        command = ["make", "--silent", *words, f"VENV={tmp_path}", f"PYTHON={sys.executable}"]
        environment = {name: value for name, value in os.environ.items() if name not in TO_MAKE}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], ""),
        (["PORT=8890"], " --port=8890"),
        (["LAB_ARGS=--no-browser --port 8890"], " --no-browser --port 8890"),
        (["PORT=8890", "LAB_ARGS=--no-browser"], " --port=8890 --no-browser"),
    ],
)
def test_lab_passes_its_port_and_arguments_to_the_command(make, words, arguments):
    assert make("lab", *words).stdout == f"rsl-edu lab notebooks --{arguments}\n"


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "80.5"])
def test_book_serve_rejects_a_wrong_port_before_building_the_book(make, port):
    done = make("book-serve", f"PORT={port}")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"PORT: expected a free port from 1 to 65535, got '{port}'; choose another: ")


def test_book_serve_accepts_only_a_free_port(make):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = make("book-serve", f"PORT={port}")
        assert done.stdout == ""
        assert f"got '{port}'" in done.stderr
    assert make("book-serve", f"PORT={port}").stdout.splitlines() == [
        "python book/build.py",
        f"The book: http://localhost:{port}",
        f"python -m http.server {port} --bind 127.0.0.1 --directory book/_build/html",
    ]
