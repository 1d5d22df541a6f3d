"""Fixtures that several folders share: the browser, the sandbox, and the scripts of the book."""

import os
import shutil
import sys
from pathlib import Path

import patience
import pytest
from playwright.sync_api import Error, expect, sync_playwright

from rsl_edu.course.grade import sandbox

sys.path.append(str(Path(__file__).parents[1] / "book"))  # badges.py, house.py, house_picture.py, lists.py
MUST_BE_THERE = os.environ.get("CI") == "true" and sys.platform == "linux"
"""Whether `.ci/run` has installed everything that tests need besides Python. Then no test is skipped."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INSTALL = "playwright install chromium (or your system's package: apt-get install chromium)"


@pytest.fixture(scope="session")
def browser():
    """Return Chromium. If neither the system nor Playwright has it, skip with instructions, or fail in CI on Linux."""
    expect.set_options(timeout=patience.MILLISECONDS)
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            if MUST_BE_THERE:
                raise
            pytest.skip(f"no Chromium; to get one: {INSTALL} ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def bwrap():
    """Return the name of a working sandbox. If it is missing, skip with instructions, or fail in CI on Linux."""
    try:
        sandbox.probe("bwrap", sandbox.Limits())
    except sandbox.SandboxError as error:
        if MUST_BE_THERE:
            raise
        pytest.skip(str(error))
    return "bwrap"
