"""Find problems in a source without running it, such as a check that uses a name that nothing defines."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from . import names
from .assignment import Assignment
from .regions import HIDDEN, regions
from .source_cells import SourceCell

_ALWAYS = {*dir(builtins), "__name__", "get_ipython", "display"}
_RANDOM = {  # calls that draw random numbers, and calls that seed them
    "torch": (
        r"\btorch\.(rand|normal|bernoulli|multinomial)\w*\(|\.(normal|uniform|random|bernoulli|exponential)_\(",
        r"manual_seed\(|generator=",
    ),
    "numpy": (
        r"\b(np|numpy)\.random\.(?!seed|default_rng|RandomState|Generator)\w+\(|\bdefault_rng\(\s*\)",
        r"\brandom\.seed\(|RandomState\(\s*\w",
    ),
    "random": (r"(?<![\w.])random\.(?!seed|Random)\w+\(", r"(?<![\w.])random\.seed\("),
}
_SOURCE = re.compile(r"\bgetsource\w*\(|\.__code__\b|\bdis\.\w+\(")
_PRINTS = ("print", "display", "pprint")


@dataclass(frozen=True, order=True)
class Finding:
    """A problem in a source.

    Attributes:
        cell: Position of the cell among all cells of the notebook, from 1.
        line: Number of the line in the cell, from 1.
        text: What the problem is, and how to solve it.
        error: Whether right answers may lose points or wrong answers may get points. Otherwise the finding is a
            warning.
    """

    cell: int
    line: int
    text: str
    error: bool = True

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{'error' if self.error else 'warning'}: cell {self.cell}, line {self.line}: {self.text}"


def findings(assignment: Assignment) -> list[Finding]:
    """Return the problems in a source, in the order of its cells."""
    looks: tuple[Callable[[Assignment], Iterator[Finding]], ...] = (
        _undefined,
        _about_nothing,
        _unchecked,
        _stops_run_all,
        _without_points,
        _prints,
        _reads_source,
        _not_seeded,
    )
    return sorted(finding for look in looks for finding in look(assignment))


def _undefined(assignment: Assignment) -> Iterator[Finding]:
    """Find names that nothing defines, or that are not defined in cells that the grader runs before the checks."""
    kinds = assignment.kinds
    bound = {cell.place: {*names.bound(names.python(cell.source))} for cell in assignment.cells if cell.code}
    answers = {*assignment.answers}
    setup = {name for code in assignment.setup for name in names.bound(names.python(code))}
    everywhere = {name for known in bound.values() for name in known}
    for cell in assignment.cells:
        if not cell.code or kinds[cell.place] == "demo":
            continue
        known = everywhere if cell.solution else setup | answers | bound[cell.place]
        code = names.python(cell.source)
        for name in sorted(names.used(code) - known - _ALWAYS):
            yield Finding(cell.place, _line_of(name, cell), _why_undefined(name, kinds, bound))
        if kinds[cell.place] == "setup":
            for name in sorted((names.used_at_once(code) & answers) - setup):
                says = f"this cell uses {name} before the student defines it"
                yield Finding(cell.place, _line_of(name, cell), says)


def _why_undefined(name: str, kinds: Mapping[int, str], bound: dict[int, set[str]]) -> str:
    cells = [place for place, known in bound.items() if name in known]
    if not cells:
        return f"nothing defines {name}"
    by_kind = {kinds[place]: place for place in cells}
    if "demo" in by_kind:
        why = "is a demonstration, or cannot run without an answer"
        return f"only cell {by_kind['demo']} defines {name}, and it {why}: define {name} in a separate cell"
    if "answer" in by_kind:
        return f"only cell {by_kind['answer']}, which is for an answer, defines {name}: define it in a separate cell"
    return f"only the check in cell {by_kind['check']} defines {name}, but each check runs alone: define {name} earlier"


def _about_nothing(assignment: Assignment) -> Iterator[Finding]:
    tasks = {task.name: task for task in assignment.tasks}
    for cell in assignment.cells:
        if cell.points and not cell.manual and not tasks[cell.id].answers:
            yield Finding(cell.place, 1, f"{cell.id} uses no answer, so everybody gets its points")


def _unchecked(assignment: Assignment) -> Iterator[Finding]:
    checked = {name for task in assignment.tasks for name in task.answers}
    checked |= {needed for name in checked for needed in assignment.depends(name)}
    for cell in assignment.cells:
        if cell.code and cell.solution and not cell.grade:
            defined = names.defined(cell.source)
            if not checked & {*defined}:
                what = (
                    f"no check uses {' or '.join(defined)}" if defined else "the cell defines no function or variable"
                )
                yield Finding(cell.place, 1, f"this answer gives no points: {what}", error=False)


def _stops_run_all(assignment: Assignment) -> Iterator[Finding]:
    handed = iter(assignment.handed)
    for cell in assignment.cells:
        if cell.code and (stub := next(handed)).kind == "answer":
            for line in _raises_at_once(names.statements(stub.source)):
                says = "Run All stops here, because the stub raises an error: put the solution into a function"
                yield Finding(cell.place, line, says, error=False)


def _raises_at_once(body: list[ast.stmt]) -> Iterator[int]:
    for part in body:
        if isinstance(part, ast.Raise):
            yield part.lineno
        elif not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for inner in ("body", "orelse", "finalbody"):
                yield from _raises_at_once(getattr(part, inner, []))


def _without_points(assignment: Assignment) -> Iterator[Finding]:
    for cell in assignment.cells:
        if (cell.grade or cell.task) and not cell.points:
            yield Finding(cell.place, 1, f"{cell.id} gives 0 points, so it is not graded", error=False)


def _prints(assignment: Assignment) -> Iterator[Finding]:
    for cell, _ in _checks(assignment):
        hidden = {line for region in regions(cell.source, HIDDEN) for line in range(region.begin, region.end)}
        for node in ast.walk(ast.Module(names.statements(cell.source), [])):
            if isinstance(node, ast.Name) and node.id in _PRINTS and node.lineno in hidden:
                says = (
                    "a hidden test prints text: nobody sees it here, but nbgrader's feedback may show it to the student"
                )
                yield Finding(cell.place, node.lineno, says, error=False)


def _reads_source(assignment: Assignment) -> Iterator[Finding]:
    for cell, lines in _checks(assignment):
        for number, line in enumerate(lines, 1):
            if found := _SOURCE.search(line):
                says = (
                    f"{found[0].rstrip('(')}: the source of an answer is not available while grading; check its result"
                )
                yield Finding(cell.place, number, says)


def _not_seeded(assignment: Assignment) -> Iterator[Finding]:
    """Find checks whose inputs differ between runs, except the course's own checks, which compute the right answers."""
    setup = "\n".join(assignment.setup)
    of_course = {*re.findall(r"^from rsl_edu\.course import (\w+)", setup, re.MULTILINE)}
    for cell, lines in _checks(assignment):
        if of_course & names.used(names.python(cell.source)):
            continue
        for library, (draws, seeds) in _RANDOM.items():
            first = next((number for number, line in enumerate(lines, 1) if re.search(draws, line)), None)
            if first is not None and not re.search(seeds, "\n".join(lines[:first]) + setup):
                says = (
                    f"random numbers of {library} without a seed: each student gets different inputs; set a seed first"
                )
                yield Finding(cell.place, first, says, error=False)


def _checks(assignment: Assignment) -> Iterator[tuple[SourceCell, list[str]]]:
    """Yield the cells with an automatic check, and their lines without comments."""
    for cell in assignment.cells:
        if cell.points and not cell.manual:
            yield cell, [re.sub(r"(^|\s)#.*", "", line) for line in cell.source.split("\n")]


def _line_of(name: str, cell: SourceCell) -> int:
    tree = ast.Module(names.statements(cell.source), [])
    lines = (node.lineno for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)
    return min(lines, default=1)
