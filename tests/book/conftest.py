"""Build the book as `make book` does."""

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
    """Return the folder of the built book. Only one file may use it: two workers would build twice in one place.

    A warning fails the build. If the checkout is not writable, the book is built elsewhere. If no test is marked as
    exhaustive, the book has only one lesson, and is built in a separate folder.
    """
    if find_spec("myst_nb") is None and os.environ.get("CI") != "true":
        pytest.skip("the packages that build the book are missing; to get them: pip install -e .[book]")
    build = ROOT / "book" / "_build"
    with contextlib.suppress(OSError):
        build.mkdir(exist_ok=True)
    folder = build if os.access(build, os.W_OK) else tmp_path_factory.mktemp("book")
    environment = os.environ | {
        "RSL_EDU_BOOK_EXECUTED": str(executed)
    }  # lessons that nbval has not run yet are executed
    asking = (item for item in request.session.items if "site" in getattr(item, "fixturenames", ()))
    if not any(item.get_closest_marker("exhaustive") for item in asking):
        folder /= "few"
        environment["RSL_EDU_BOOK_LESSONS"] = " ".join(lessons_of_book)
    folder /= "html"
    command = [sys.executable, ROOT / "book" / "build.py", folder]
    built = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder
