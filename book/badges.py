"""Write the links to Binder and Colab into README and lessons, and the cell that installs rsl_edu there.

The repository's address is read from ``pyproject.toml``. ``make notebooks`` runs this script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import nbformat

from rsl_edu.course.execute import canonical

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[1-9]_*.ipynb"))
BRANCH = "main"
INSTALL = "install"
"""Id of the cell that installs rsl_edu if it is missing."""

_BETWEEN = re.compile(r"(<!-- badges:[^\n]*-->\n).*?(<!-- /badges -->)", re.DOTALL)
_RUN = "Run this lesson in your browser: "
_RUN_LINE = re.compile(rf"^{re.escape(_RUN)}.*\n\n", re.MULTILINE)


def address(name: str = "Repository") -> str:
    """Return an address from ``[project.urls]`` in ``pyproject.toml``."""
    found = re.search(rf'^{name} = "(https://[^"]*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert found, f"pyproject.toml: expected {name} in [project.urls]; add it"
    return found[1]


def colab(lesson: Path) -> str:
    """Return the address that opens a lesson in Colab."""
    return f"https://colab.research.google.com/github/{_owner_and_name()}/blob/{BRANCH}/notebooks/{lesson.name}"


def binder(lesson: Path) -> str:
    """Return the address that opens a lesson in Binder, in JupyterLab."""
    path = quote(f"notebooks/{lesson.name}", safe="")
    return f"https://mybinder.org/v2/gh/{_owner_and_name()}/{BRANCH}?labpath={path}"


def readme(text: str) -> str:
    """Return the README with current badges between its two comments."""
    lines = "\n".join(_badges())
    new, count = _BETWEEN.subn(lambda found: f"{found[1]}{lines}\n{found[2]}", text)
    assert count == 1, "README.md: expected one place between <!-- badges: … --> and <!-- /badges -->"
    return new


def lesson(path: Path, text: str) -> str:
    """Return a lesson with current links under its first picture, followed by the cell that installs rsl_edu."""
    notebook = nbformat.reads(text, as_version=4)
    first = notebook.cells[0]
    title, picture, caption, rest = _RUN_LINE.sub("", first.source).split("\n\n", 3)
    run = f"{_RUN}[Open in Colab]({colab(path)}) · [Open in Binder]({binder(path)})"
    first.source = "\n\n".join([title, picture, caption, run, rest])
    notebook.cells[1:] = [_install(), *(cell for cell in notebook.cells[1:] if cell.id != INSTALL)]
    return canonical(nbformat.writes(notebook))


def _owner_and_name() -> str:
    return address().removeprefix("https://github.com/")


def _badges() -> Iterator[str]:
    """Yield the lines between the README's two comments."""
    repository, shields = address(), "https://img.shields.io/badge"
    ci = f"{repository}/actions/workflows/ci.yml"
    yield f"[![CI]({ci}/badge.svg)]({ci})"
    yield f"[![The book]({shields}/book-read_online-blue)]({address('Documentation')})"
    yield f"[![License: BSD-3-Clause]({shields}/license-BSD--3--Clause-blue)](LICENSE)"
    yield f"[![Open lesson 1 in Binder](https://mybinder.org/badge_logo.svg)]({binder(LESSONS[0])})"
    yield f"[![Open lesson 1 in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab(LESSONS[0])})"


def _install() -> nbformat.NotebookNode:
    """Return the first code cell of every lesson: it is hidden, and does nothing if rsl_edu is installed."""
    source = f"""# @title Install rsl_edu where it is missing, as on Colab
import importlib.util

if importlib.util.find_spec("rsl_edu") is None:
    # rsl_edu is not on the package index yet, so install it from its repository
    %pip install -q git+{address()}"""
    metadata = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}
    return nbformat.v4.new_code_cell(source, id=INSTALL, metadata=metadata)


def write() -> None:
    """Update the README and the lessons."""
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text("utf-8")), "utf-8")
    for path in LESSONS:
        path.write_text(lesson(path, path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
