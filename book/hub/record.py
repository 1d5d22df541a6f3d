"""Fill the cache that a class shares: ``python record.py`` makes all recordings of the lessons that use no policy.

``RSL_EDU_CACHE`` is the folder for the recordings, and ``MPLCONFIGDIR`` the folder for Matplotlib's list of fonts.
Existing recordings are kept.
"""

import ast
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  # writes the list of fonts
import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from rsl_edu import data
from rsl_edu.lessons import source


def recordings(lesson: Path) -> list[str]:
    """Return the calls of ``data.rollout`` and ``data.motion`` in a lesson whose arguments are all constants."""
    cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "code"]
    python = "\n".join(map(TransformerManager().transform_cell, cells))  # turns lines such as %pip into calls
    found = []
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("data.rollout", "data.motion"):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if all(isinstance(value, ast.Constant) for value in values):
                found.append(ast.unparse(node))
    return found


def main() -> None:
    """Make the recordings that are missing."""
    for lesson in sorted(source().glob("[1-9]_*.ipynb")):
        for call in recordings(lesson):
            eval(call, {"data": data})


if __name__ == "__main__":
    main()
