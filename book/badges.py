"""Write the links with one click into README and lessons: Binder, Colab, and what installs rsl_edu there.

The repository's address is read from ``pyproject.toml``. ``make notebooks`` runs it.
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
"""Id of the cell that installs rsl_edu where it is missing."""

_BETWEEN = re.compile(r"(<!-- badges:[^\n]*-->\n).*?(<!-- /badges -->)", re.DOTALL)
_RUN = "Run this lesson in your browser: "
_RUN_LINE = re.compile(rf"^{re.escape(_RUN)}.*\n\n", re.MULTILINE)


def address(name: str = "Repository") -> str:
    """Return one of the addresses in ``pyproject.toml``."""
    found = re.search(rf'^{name} = "(https://[^"]*)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert found, f"pyproject.toml: expected {name} in [project.urls]"
    return found[1]


def colab(lesson: Path) -> str:
    """Return where Colab opens a lesson."""
    return f"https://colab.research.google.com/github/{_owner_and_name()}/blob/{BRANCH}/notebooks/{lesson.name}"


def binder(lesson: Path) -> str:
    """Return where Binder opens a lesson, in JupyterLab."""
    path = quote(f"notebooks/{lesson.name}", safe="")
    return f"https://mybinder.org/v2/gh/{_owner_and_name()}/{BRANCH}?labpath={path}"


def readme(text: str) -> str:
    """Return the README with its badges as they should be, between its two comments."""
    lines = "\n".join(_badges())
    new, count = _BETWEEN.subn(lambda found: f"{found[1]}{lines}\n{found[2]}", text)
    assert count == 1, "README.md: expected one place between <!-- badges: … --> and <!-- /badges -->"
    return new


def lesson(path: Path, text: str) -> str:
    """Return a lesson with its links under the first picture, and the cell that installs rsl_edu below them."""
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
    yield ""
    others = ", ".join(f"[{path.name[0]}]({colab(path)})" for path in LESSONS[1:])
    yield "Binder and Colab open lesson 1 in your browser; nothing needs to be installed. Neither was opened with this"
    yield "course yet: *Where the lessons run*, below, says what was tried instead."
    yield f"The other lessons on Colab: {others}."


def _install() -> nbformat.NotebookNode:
    """Make the first code cell of every lesson: nobody sees it, and it does nothing where rsl_edu is installed."""
    source = f"""# @title Install rsl_edu where it is missing, as on Colab
import importlib.util

if importlib.util.find_spec("rsl_edu") is None:
    # rsl_edu is not on the package index yet, so install it from its repository
    %pip install -q git+{address()}"""
    metadata = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["remove-cell"]}
    return nbformat.v4.new_code_cell(source, id=INSTALL, metadata=metadata)


def write() -> None:
    """Write README and lessons anew."""
    page = ROOT / "README.md"
    page.write_text(readme(page.read_text("utf-8")), "utf-8")
    for path in LESSONS:
        path.write_text(lesson(path, path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
