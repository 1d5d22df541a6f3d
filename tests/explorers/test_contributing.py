"""The explorer printed in CONTRIBUTING.md works like the others when saved as a file in a checkout."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiers import exhaustive

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__", "_build", ".hypothesis", "build", "dist")
SUITE = ("tests/explorers", "tests/browser", "tests/book/test_reference.py", "tests/test_import.py")
CHOSEN = "Decay or test_lists or test_reference or test_import"


def run(checkout, *command):
    """Run a command in the checkout; return its output and whether it succeeded."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=checkout, env=environment, text=True, capture_output=True, check=False
    )
    return done.stdout + done.stderr, done.returncode == 0


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Return a copy of this checkout with the printed explorer and updated lists."""
    (printed,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    copied = tmp_path_factory.mktemp("contributor") / "rsl_edu"
    shutil.copytree(ROOT, copied, ignore=LEFT_OUT)
    (copied / "rsl_edu/explorers/decay.py").write_text(printed, "utf-8")
    said, succeeded = run(copied, "book.lists")
    assert succeeded, said
    yield copied
    shutil.rmtree(copied)


@exhaustive
@pytest.mark.slow
def test_printed_explorer_passes_the_suite(checkout):
    said, succeeded = run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *SUITE)
    assert succeeded, said
    passed = int(re.search(r"(\d+) passed", said)[1])
    assert passed > 100, said  # tests of every explorer, also in a browser, and of lists and imports


@pytest.mark.slow
def test_printed_explorer_is_in_the_lists(checkout):
    for page in ("book/explorers.md", "book/api/explorers.md"):
        assert "Decay" in (checkout / page).read_text("utf-8")


def test_printed_explorer_passes_the_checks():
    (printed,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)
    for command in (["check"], ["format", "--diff"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", "rsl_edu/explorers/decay.py", "-"]
        done = subprocess.run(ruff, input=printed, text=True, cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout
