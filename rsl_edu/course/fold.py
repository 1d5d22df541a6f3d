"""Write the folded hints and solutions into the notebooks; the exercises in ``check`` are their only source.

``python -m rsl_edu.course.fold notebooks`` writes them into every notebook below ``notebooks``. With ``--check`` it
only lists the notebooks that differ. In a lesson, three hints and the solution come after the cell that checks an
answer. In an assignment, two hints come before the cell for the answer, and the solution is in that cell, between its
markers; the cell's ``grade_id`` is the exercise's name followed by ``-answer``. A cell with the tag ``own-hints``
keeps its own hints.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from rsl_edu.atomic_write import atomic_write
from rsl_edu.course import check
from rsl_edu.course.assignment import with_solutions
from rsl_edu.course.check import Exercise
from rsl_edu.course.check.source import bodies, notebook_source
from rsl_edu.course.execute import canonical, notebooks
from rsl_edu.printable import printable

OWN_HINTS = "own-hints"
"""Tag of a cell with its own hints, which are about a fault to find and not about the exercise."""

_CHECKED = re.compile(r"^check\.(\w+)\((\w+)\)", re.MULTILINE)
_HINT = r"<details><summary>Hint \d</summary>.*?</details>"
_HINTS = re.compile(rf"{_HINT}(?:\s*{_HINT})*", re.DOTALL)
_SOLUTION = re.compile(r"(?<=<details><summary>Solution</summary>\n\n```python\n).*?(?=\n```\n)", re.DOTALL)


def folded(text: str) -> str:
    """Return a notebook with the hints and solutions of its exercises.

    Args:
        text: The notebook's JSON, as stored.

    Raises:
        ValueError: If ``text`` is not a notebook, or if its hints or answers belong to no exercise.
    """
    notebook = nbformat.reads(canonical(text), as_version=4)
    cells = notebook.cells
    for before, cell, after in zip([None, *cells], cells, [*cells[1:], None], strict=False):
        if exercise := _answered_in(cell):
            cell.source = with_solutions(cell.source, bodies(exercise.reference))
        elif _HINTS.search(cell.source) and OWN_HINTS not in cell.metadata.get("tags", ()):
            if exercise := _answered_in(after):
                cell.source = _with_hints(cell.source, _two_hints(exercise))
            elif before and (checked := _CHECKED.search(before.source)):
                cell.source = _in_lesson(cell.source, _exercise(checked[1]), answer=checked[2])
            else:
                raise ValueError(f"cell {cell.id} has hints, but no exercise comes before or after it")
    return canonical(nbformat.writes(notebook))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rsl_edu.course.fold", description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="NOTEBOOK", help="a notebook, or a folder of notebooks")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a notebook differs")
    options = parser.parse_args(argv)
    failed = False
    for path in notebooks(options.paths):
        try:
            text = path.read_text(encoding="utf-8")
            if (new := folded(text)) == canonical(text):
                continue
            if options.check:
                failed = True
                print(f"{path}: hints or solutions differ from the exercises; run `make notebooks`", file=sys.stderr)
            else:
                with atomic_write(path) as part:
                    part.write_text(new, encoding="utf-8")
                print(f"{path}: hints and solutions stored")
        except (OSError, ValueError) as error:
            failed = True
            print(printable(f"{path}: {error}", keep="\n\t"), file=sys.stderr)
    return int(failed)


def _answered_in(cell: Any) -> Exercise | None:
    """Return the exercise that a cell of an assignment answers."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "") if cell else ""
    return _exercise(grade_id.removesuffix("-answer")) if grade_id.endswith("-answer") else None


def _exercise(name: str) -> Exercise:
    if name not in check.EXERCISES:
        raise ValueError(f"there is no exercise {name!r}")
    return check.EXERCISES[name]


def _with_hints(source: str, hints: Sequence[str]) -> str:
    blocks = [f"<details><summary>Hint {i}</summary>\n\n{hint}\n\n</details>" for i, hint in enumerate(hints, 1)]
    return _HINTS.sub(lambda _: "\n\n".join(blocks), source)


def _two_hints(exercise: Exercise) -> list[str]:
    """Return the two hints that an assignment shows, with a line that explains how to get the third hint."""
    vague, idea, _ = exercise.hints
    further = f'If you are still stuck, run `check.hint("{exercise.name}", 3)` in a new cell: it is almost the answer.'
    return [vague, f"{idea}\n\n{further}"]


def _in_lesson(source: str, exercise: Exercise, answer: str) -> str:
    """Write hints and solution into a lesson, where the learner's ``answer`` may have a different name."""
    solution = re.sub(rf"\b{exercise.reference.__name__}\b", answer, notebook_source(exercise.reference))
    return _SOLUTION.sub(lambda _: solution, _with_hints(source, exercise.hints))


if __name__ == "__main__":
    sys.exit(main())
