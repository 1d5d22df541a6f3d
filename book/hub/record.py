"""Fill the cache that a class shares: ``python record.py`` records every robot of the lessons that no policy moves.

``RSL_EDU_CACHE`` names the folder, and ``MPLCONFIGDIR`` that of Matplotlib's list of fonts. What is there is kept.
"""

import ast
from pathlib import Path

import matplotlib.font_manager  # noqa: F401  # writes the list of fonts
import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from rsl_edu import data
from rsl_edu.lessons import source


def recordings(lesson: Path) -> list[str]:
    """Return the calls of ``data.rollout`` and ``data.motion`` in a lesson that need nothing but numbers and names."""
    cells = [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "code"]
    python = "\n".join(map(TransformerManager().transform_cell, cells))  # lines such as %pip are calls then
    found = []
    for node in ast.walk(ast.parse(python)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("data.rollout", "data.motion"):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if all(isinstance(value, ast.Constant) for value in values):
                found.append(ast.unparse(node))
    return found


def main() -> None:
    """Record what is missing."""
    for lesson in sorted(source().glob("[1-9]_*.ipynb")):
        for call in recordings(lesson):
            eval(call, {"data": data})


if __name__ == "__main__":
    main()
