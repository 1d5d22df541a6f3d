"""The parts of rsl_edu and their imports. They are read from the source code, which is not imported."""

import ast
import functools
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rsl_edu"
_ROW = re.compile(r"^\| `([\w/]+)` \| (.+) \| (.+) \|$", re.MULTILINE)


class Part(NamedTuple):
    """A row of the map in CONTRIBUTING.md: a file or a folder of rsl_edu.

    Attributes:
        words: A description of the part.
        imports: The other parts that it imports.
    """

    words: str
    imports: set[str]


@functools.cache
def stated() -> dict[str, Part]:
    """Return the map in CONTRIBUTING.md; its keys are paths in rsl_edu without ``.py``."""
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Map\n")[2].partition("\n## ")[0]
    return {
        name: Part(words, set(re.findall(r"`([\w/]+)`", imports))) for name, words, imports in _ROW.findall(section)
    }


@functools.cache
def arrows() -> dict[str, set[str]]:
    """Return, for each part of the map, the other parts that its code imports.

    Imports inside functions and under ``if TYPE_CHECKING:`` count too.
    """
    found: dict[str, set[str]] = {part: set() for part in stated()}
    for file in files():
        part = part_of(file)
        found[part] |= {part_of(other) for other in imports(file)} - {part}
    return found


def is_folder(part: str) -> bool:
    """Return whether a part is a folder; otherwise it is a file."""
    return (PACKAGE / part).is_dir()


def files() -> list[Path]:
    """Return every module of rsl_edu."""
    return sorted(PACKAGE.rglob("*.py"))


def part_of(file: Path) -> str:
    """Return the part that a module belongs to: the innermost folder that is in the map.

    Raises:
        LookupError: If the map in CONTRIBUTING.md contains neither the module nor a folder around it.
    """
    path = file.relative_to(PACKAGE).with_suffix("")
    if path == Path("__main__"):  # this file only runs the command
        path = Path("cli", "__main__")
    for place in (path, *path.parents):
        if place.as_posix() in stated():
            return place.as_posix()
    raise LookupError(f"the map in CONTRIBUTING.md has no part for {file.relative_to(ROOT)}; add a row")


@functools.cache
def imports(file: Path) -> set[Path]:
    """Return the modules of rsl_edu that a module imports, also inside functions and under ``if TYPE_CHECKING:``."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {_file(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, file)
            found |= {_file(f"{source}.{alias.name}") or _file(source) for alias in node.names}
    return {other for other in found if other}


def _source(node: ast.ImportFrom, file: Path) -> str:
    """Return the full name of the module in ``from … import``."""
    if not node.level:
        return node.module or ""
    folder = file.parents[node.level - 1].relative_to(ROOT)
    return ".".join([*folder.parts, *([node.module] if node.module else [])])


def _file(name: str) -> Path | None:
    """Return the file of a module, given its full name; None if it is not part of rsl_edu."""
    path = ROOT.joinpath(*name.split("."))
    candidates = (path.with_suffix(".py"), path / "__init__.py")
    return next((it for it in candidates if it.is_relative_to(PACKAGE) and it.is_file()), None)
