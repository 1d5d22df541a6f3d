"""Write the lists of explorers in the book, from what each explorer declares. ``make notebooks`` runs this script."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsl_edu.explorers import EXPLORERS, Explorer

ROOT = Path(__file__).parents[1]


def table() -> Iterator[str]:
    """Yield the lines of the table on the page *The explorers*."""
    yield "| explorer | shows | mistakes that you can try |"
    yield "|---|---|---|"
    for name, explorer in EXPLORERS.items():
        yield f"| `{name}` | {explorer.shows} | {explorer.breaks} |"


def reference() -> Iterator[str]:
    """Yield the lines of the reference: each explorer with the methods that only it has."""
    yield "```{eval-rst}"
    for name, explorer in EXPLORERS.items():
        yield f".. autoclass:: rsl_edu.explorers.{name}"
        yield "   :no-members:"
        yield ""
        for method in _own_methods(explorer):
            yield f"   .. automethod:: rsl_edu.explorers.{name}.{method}"
            yield ""
    yield "```"


def _own_methods(explorer: type[Explorer[Any, Any]]) -> list[str]:
    public = [name for name, it in vars(explorer).items() if inspect.isfunction(it) and not name.startswith("_")]
    return [name for name in public if not hasattr(Explorer, name)]


LISTS = {"book/explorers.md": table, "book/api/explorers.md": reference}


def written(page: str, text: str) -> str:
    """Return the text of a page with a current list between the page's two comments."""
    lines = "\n".join(LISTS[page]())
    between = re.compile(r"(<!-- explorers:[^\n]*-->\n).*?(<!-- /explorers -->)", re.DOTALL)
    new, count = between.subn(lambda found: f"{found[1]}{lines}\n{found[2]}", text)
    assert count == 1, f"{page}: expected one list between <!-- explorers: … --> and <!-- /explorers -->"
    return new


if __name__ == "__main__":
    for name in LISTS:
        path = ROOT / name
        path.write_text(written(name, path.read_text("utf-8")), "utf-8")
