"""The book, built as `make book` builds it."""

import contextlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(request, tmp_path_factory, executed, lessons_of_book):
    """The folder of the built book, for one file of tests alone: two workers would build it twice, in one place.

    A build that warns fails here. Where the checkout cannot be written, the book is built elsewhere. Without a test
    that is marked as exhaustive, the book has one lesson only, and is built in a folder of its own.
    """
    if find_spec("myst_nb") is None and os.environ.get("CI") != "true":
        pytest.skip("nothing to build the book with; to get it: pip install -e .[book]")
    build = ROOT / "book" / "_build"
    with contextlib.suppress(OSError):
        build.mkdir(exist_ok=True)
    folder = build if os.access(build, os.W_OK) else tmp_path_factory.mktemp("book")
    environment = os.environ | {"RSL_EDU_BOOK_EXECUTED": str(executed)}  # those that nbval has not run yet are executed
    asking = (item for item in request.session.items if "site" in getattr(item, "fixturenames", ()))
    if not any(item.get_closest_marker("exhaustive") for item in asking):
        folder /= "few"
        environment["RSL_EDU_BOOK_LESSONS"] = " ".join(lessons_of_book)
    folder /= "html"
    command = [sys.executable, ROOT / "book" / "build.py", folder]
    built = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder
