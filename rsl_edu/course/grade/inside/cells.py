"""Runs the cells of a notebook like a kernel, and keeps as much as possible of a cell that fails.

A cell runs statement by statement. If one fails, a kernel skips the rest of the cell. Here, definitions in the rest
still count, unless a cell has already defined the same names. If the statement failed only because something is missing
while grading (a module, a file, the course's robots), the rest runs in full, as it did on the student's machine.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import re
import signal
import time
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from children import children, end_children  # type: ignore[import-not-found,unused-ignore]
from failure import failure  # type: ignore[import-not-found,unused-ignore]
from files import Files  # type: ignore[import-not-found,unused-ignore]
from history import History  # type: ignore[import-not-found,unused-ignore]
from ipython import Shell, plain  # type: ignore[import-not-found,unused-ignore]
from kernel_loop import KernelLoop  # type: ignore[import-not-found,unused-ignore]
from library import (  # type: ignore[import-not-found,unused-ignore]
    Missing,
    MissingModuleError,
    Nothing,
    missing_names,
)
from statements import (  # type: ignore[import-not-found,unused-ignore]
    DEFINES,
    SAVED,
    bound,
    code_of,
    first_line,
    future,
    is_stub,
    line_of,
    only_defines,
    undecorated,
    without_statement,
)

_SOFT = 0.75  # after this share of the CPU time for all cells, only definitions run, so that the answers exist
_AGAIN = 0.2  # seconds of CPU time until the timeout is raised again in a cell that has caught it
_MOST_NOTES = 100
_USUAL = ("matplotlib", "load_ext", "autoreload", "config", "pip", "conda", "time")  # commands skipped without a note
_EVERYWHERE = ("get_ipython", "display", "exit", "quit")
_NOT_THERE = (MissingModuleError, ModuleNotFoundError, OSError, EOFError)  # perhaps not the student's fault


class _TooLongError(BaseException):
    """Raised in a cell that used too much CPU time."""


class Notebook:
    """The namespace of a notebook, and notes on its cells.

    Args:
        answers: Names that the student has to define.
        limits: CPU time in seconds: ``cell`` for one cell, ``load`` for all cells.
        begins: Called with the index of each cell before it runs.
        after: Called after each statement.

    Attributes:
        names: Names that the cells have defined.
        notes: Notes on code that did not run, or that ran differently than in a kernel. Each note consists of the cell,
            the kind, the text and the line.
    """

    def __init__(
        self,
        answers: Iterable[str],
        limits: Mapping[str, float],
        begins: Callable[[int], None] = lambda place: None,
        after: Callable[[], None] = lambda: None,
    ) -> None:
        self._answers, self._limits, self._begins, self._after = [*answers], limits, begins, after
        self.module = types.ModuleType("__main__")
        self.names: dict[str, Any] = self.module.__dict__
        self.notes: list[list[Any]] = []
        self._files = Files(self.names, self._run_file)
        shell = Shell(lambda source: self._run_source(source)[1], self._note_line, self._files, self.names)
        self.names |= {"get_ipython": lambda: shell, "display": lambda *_, **__: None}
        self._history = History(self.names)
        self.names |= {"exit": Nothing(), "quit": Nothing()}
        shell.found_by_import()
        self._handed: dict[str, list[Any]] = {}  # values of answers' names from cells that were handed out
        self._own: set[str] = set()  # names that the student's own cells have defined without an error
        self._lost: set[str] = set()  # answers whose statement failed
        self._absent: set[str] = set()  # names whose statement failed because something is missing
        self._checked: dict[str, dict[str, Any]] = {}  # all names at the check of each exercise
        self._end: dict[str, Any] = {}
        self._right: dict[str, Any] = {}  # names defined by right answers instead of the student's
        self._later: list[tuple[int, ast.stmt, str]] = []  # statements that failed because of a name defined later
        self._trees: list[tuple[int, ast.Module, str]] = []  # syntax trees of the student's own cells
        self._cell, self._file = 0, ""
        self._begin = time.process_time()
        self._loop = KernelLoop()

    def run(self, cells: Sequence[Sequence[Any]], modes: Mapping[int, str]) -> None:
        """Run the cells.

        Args:
            cells: For each cell: the number, the source, whether it was handed out, whether only its names count, and
                the exercise that it checks; cells with checks do not run. Right answers that replace the student's
                answers come last, with the number 0, and do not count as handed out.
            modes: What to run of some cells, by index: ``names`` for only the definitions, ``skip`` for nothing. Other
                cells run in full.
        """
        signal.signal(signal.SIGPROF, self._late)
        for place, (number, source, handed, only_names, check) in enumerate(cells):
            if not (number or handed or check) and not self._end:
                self._finish()
            mode = modes.get(place, "")
            self._history.count(number, source)
            self._let(self._files.before, source)
            if check:
                self._checked[check] = dict(self.names)
            if mode == "skip" or check:
                continue
            self._cell, self._file = number, f"<cell {place}>"
            self._begins(place)
            before = {name: self.names.get(name) for name in self._answers}
            self._run_cell(source, handed, only_names or mode == "names")
            self._let(self._files.after)
            if handed:
                for name in self._answers:
                    if self.names.get(name) is not before[name]:
                        self._handed.setdefault(name, []).append(self.names.get(name))
        if not self._end:
            self._finish()
        self._right = {name: value for name, value in self.names.items() if self._end.get(name, self) is not value}

    def _finish(self) -> None:
        """Search for missing answers after all cells of the student have run."""
        self._let(self._files.before, "")
        self._run_later()
        self._search()
        self._end = dict(self.names)

    def at(self, check: str, keep: Iterable[str]) -> bool:
        """Set all names to the values that they had at a check, because the student ran the check in this state.

        Args:
            check: Name of the check's exercise; empty for the end of the notebook.
            keep: Names that refer to the right answers.

        Returns:
            Whether any name had a different value at the check than at the end.
        """
        then = self._checked.get(check, self._end)
        self.names.clear()
        self.names.update(then)
        self.names.update({name: self._right[name] for name in keep if name in self._right})
        new = self._end.keys() - then.keys()
        hidden = any(hasattr(builtins, name) for name in new)
        return hidden or any(self._end.get(name, self) is not value for name, value in then.items() if name[:1] != "_")

    def answer(self, name: str) -> tuple[str, Any]:
        """Return the kind of an answer, and the answer itself.

        Returns:
            The kind is ``function``, ``class``, ``module`` for a class derived from a torch module, ``error
            ValueError`` for a class derived from that error, ``value``, ``lost`` if its code failed, ``given`` if it
            is a copy of code that was handed out, or ``missing``.
        """
        value = self.names.get(name, self.names)
        handed = self._handed.get(name, ())
        given = any(code_of(value) == code_of(each) for each in handed) and not is_stub(value)
        copied = given and all(value is not each for each in handed)
        if value is self.names or given or isinstance(value, (Nothing, Missing)):
            return ("lost" if name in self._lost else "given" if copied else "missing"), None
        if isinstance(value, type) and issubclass(value, Exception):
            return f"error {next(kind.__name__ for kind in value.__mro__ if kind.__module__ == 'builtins')}", value
        if isinstance(value, type):
            return ("module" if issubclass(value, torch.nn.Module) else "class"), value
        return ("function" if isinstance(value, types.FunctionType) else "value"), value

    # A cell

    def _run_cell(self, source: str, handed: bool, only_names: bool) -> None:
        left = self._limits["load"] * _SOFT - (time.process_time() - self._begin)
        if left <= 0 and not only_names:
            only_names = True
            self._note("stopped", "ran only partly, because the cells before it used up the notebook's CPU time")
        seconds = min(self._limits["cell"], max(left, 0.5))
        before, whole = children(), False
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)  # counts CPU time: a cell may sleep
            self._loop.begin()
            if (tree := self._parsed(source, report=not handed)) is not None:
                if not handed:
                    self._trees.append((self._cell, tree, self._file))
                whole, _ = self._run_tree(tree, own=not handed, only_names=only_names)
                self._loop.go_on()
        except _TooLongError:  # between two statements, or before the first
            signal.setitimer(
                signal.ITIMER_PROF, 0
            )  # immediately, because releasing the cell's objects may also take long
            self._note("stopped", self._too_long(seconds))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if not whole:
            end_children(before)

    def _run_source(self, source: str) -> tuple[bool, Any]:
        """Run code within a cell, as ``%%time`` does; return whether all of the code ran, and its last value."""
        outer, self._file = self._file, f"{self._file}+"
        try:
            tree = self._parsed(source, report=True)
            return (False, None) if tree is None else self._run_tree(tree, own=True, only_names=False)
        finally:
            self._file = outer

    def _run_file(self, source: str, names: dict[str, Any] | None) -> None:
        """Run a file as ``%run`` does. If a namespace is given, run it there and copy the names to the notebook."""
        notebook = self.names
        if names is not None:
            self.names = names | {name: notebook[name] for name in _EVERYWHERE if name in notebook}
        try:
            self._run_source(source)
        finally:
            new, self.names = self.names, notebook
        self.names |= {name: value for name, value in new.items() if not name.startswith("__")}

    def _parsed(self, source: str, report: bool) -> ast.Module | None:
        """Parse a cell; lines that are not Python are left out, together with the statements that contain them."""
        # IPython removes empty lines at the beginning; comments in these lines keep all line numbers unchanged
        source = re.sub(r"\A(?:[ \t]*\r?\n)+", lambda empty: "#\n" * empty[0].count("\n"), source)
        lines: list[str] = []
        for _ in range(20):
            try:
                text: str = plain(source)
            except SyntaxError as error:
                if report and not lines:
                    lines.append(line_of(source, error.lineno))
                    self._note("syntax", f"is not Python: {error.msg}", lines[0])
                shorter = without_statement(source, error.lineno or 1)
                if shorter == source:
                    return None
                source = shorter
            except (ValueError, RecursionError, MemoryError) as error:
                self._note("syntax", f"cannot be read: {type(error).__name__}")
                return None
            else:
                linecache.cache[self._file] = (len(text), None, text.splitlines(keepends=True), self._file)
                return ast.parse(text, self._file)
        return None

    def _run_tree(self, tree: ast.Module, own: bool, only_names: bool) -> tuple[bool, Any]:
        whole, value, failed = True, None, False
        flags = future(tree)
        for statement in tree.body:
            if only_names and not only_defines(statement):
                continue
            if failed and not (isinstance(statement, SAVED) and not bound(statement) & self._own):
                continue
            try:
                value = self._run_statement(statement, flags)
            except BaseException as error:
                whole = False
                self._after()
                if isinstance(error, KeyboardInterrupt):
                    error = RuntimeError("KeyboardInterrupt")
                not_there = self._is_not_there(error, statement)
                if isinstance(error, _TooLongError):
                    signal.setitimer(signal.ITIMER_PROF, 1.0, _AGAIN)  # time for definitions in the rest of the cell
                    self._note("stopped", self._too_long(self._limits["cell"]), first_line(statement))
                elif not (only_names and not own):
                    self._note_error(error, statement)
                names = bound(statement)
                if isinstance(error, NameError) and isinstance(statement, SAVED):
                    self._later.append((self._cell, statement, self._file))
                self._lost |= names & {*self._answers} if own else set()
                self._absent |= (names - {*self.names}) if not_there else set()
                failed = failed or not not_there
            else:
                self._after()
                if own and not failed:
                    self._own |= bound(statement)
        if own and whole:
            self._history.remember(value, self.names)
        return whole, value

    def _run_statement(self, statement: ast.stmt, flags: int) -> Any:
        """Run a statement, and return its value if it is an expression."""
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            self._import(statement, flags)
            return None
        if isinstance(statement, ast.Expr):
            return self._evaluate(ast.Expression(statement.value), "eval", flags)
        try:
            self._evaluate(ast.Module([statement], []), "exec", flags)
        except _TooLongError:
            raise
        except Exception:
            if not isinstance(statement, DEFINES):
                raise
            # only decorators, annotations or defaults may need something that is missing
            self._evaluate(ast.Module([undecorated(statement)], []), "exec", flags)
        return None

    def _evaluate(self, tree: Any, mode: str, flags: int) -> Any:
        ast.fix_missing_locations(tree)
        code = compile(tree, self._file, mode, flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(code, self.names)
        if code.co_flags & 0x80:  # inspect.CO_COROUTINE: the code awaits something
            return self._loop.wait_for(value)
        return value

    def _import(self, statement: ast.Import | ast.ImportFrom, flags: int) -> None:
        """Import each name separately, so that a missing name does not affect the others."""
        for alias in statement.names:
            one = ast.copy_location(type(statement)(**{**vars(statement), "names": [alias]}), statement)
            importlib.invalidate_caches()
            try:
                self._evaluate(ast.Module([one], []), "exec", flags)
            except ImportError as error:
                self._note("module", f"imports something that is missing: {error}", ast.unparse(statement))
                self.names |= missing_names(one) or {}

    # What failed

    def _is_not_there(self, error: BaseException, statement: ast.stmt) -> bool:
        """Return whether a statement failed because something is missing while grading."""
        if isinstance(error, _NOT_THERE):
            return True
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        return bool(used & self._absent) or any(isinstance(self.names.get(name), (Nothing, Missing)) for name in used)

    def _run_later(self) -> None:
        """Retry statements that need a name from a later cell, because the student may have run that cell first."""
        for cell, statement, file in self._later:
            if not bound(statement) & self._own:
                self._cell, self._file = cell, file
                self._try(self._run_statement, statement, 0)

    def _search(self) -> None:
        """Search all code, including the body of an ``if`` that failed, for answers that no cell has defined."""
        for name in self._answers:
            if self.answer(name)[0] in ("lost", "given", "missing"):
                for cell, tree, file in self._trees:
                    for node in ast.walk(tree):
                        if isinstance(node, DEFINES) and node.name == name:
                            self._cell, self._file = cell, file
                            self._try(self._run_statement, node, 0)

    def _let(self, action: Callable[..., Any], *arguments: Any) -> None:
        """Reload modules whose files have changed; the time limit of a cell applies."""
        self._try(action, *arguments, seconds=self._limits["cell"])

    def _try(self, action: Callable[..., Any], *arguments: Any, seconds: float = 1.0) -> None:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
            action(*arguments)
        except BaseException:
            self._after()
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    # Notes

    def _note(self, kind: str, text: str, line: str = "") -> None:
        if self._cell and len(self.notes) < _MOST_NOTES:
            self.notes.append([self._cell, kind, text[:300], line.strip()[:200]])

    def _note_line(self, line: str) -> None:
        if not line.lstrip("%! ").startswith(_USUAL):
            self._note("line", "has a line that was skipped", line.partition("\n")[0])

    def _note_error(self, error: BaseException, statement: ast.stmt) -> None:
        kind = "module" if isinstance(error, MissingModuleError) else "raised"
        account = account_of(error)
        said = account["says"]
        self._note(kind, said if kind == "module" else f"raised {said}", account["line"] or first_line(statement))

    def _too_long(self, seconds: float) -> str:
        return f"was stopped: it used more than {seconds:.3g} s of CPU time"

    def _late(self, *_: Any) -> None:
        raise _TooLongError


def account_of(error: BaseException) -> dict[str, Any]:
    """Describe an error for the grader. The error may contain any text, and converting it to text may fail."""
    try:
        account = failure(error, lambda file: file.startswith("<cell "))
        bases = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"]
        texts = {"says": str(account.says)[:200], "line": str(account.line)[:200]}
        texts |= {"is": bases[0], "class": type(error).__name__[:80]}
        return {**vars(account), **texts}
    except BaseException:
        return {**vars(failure(RuntimeError(), bool)), "says": "an error that cannot be shown", "is": "Exception"}
