"""IPython's additions to Python: IPython's own transformer rewrites the syntax, and most commands are skipped."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from files import Files, LeftOutError  # type: ignore[import-not-found,unused-ignore]
from library import Nothing  # type: ignore[import-not-found,unused-ignore]

_RUNS_A_LINE = ("time", "prun", "memit", "mprun", "lprun")
_RUNS_A_CELL = ("time", "prun", "memit")
_WITHOUT_PERCENT = {"autoreload", "cat", "cd", "conda", "cp", "load_ext", "ls", "mkdir", "mv", "pip", "rm", "run"}


def plain(source: str) -> str:
    """Return the code of a cell as Python: ``!ls`` becomes ``get_ipython().system('ls')``.

    Args:
        source: The code of a cell.

    Raises:
        SyntaxError: If the result is not Python.
    """
    with contextlib.suppress(SyntaxError, ValueError):
        ast.parse(source)
        return source  # valid Python contains no IPython syntax, so IPython need not be imported
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.strip().splitlines()
    if len(lines) == 1 and lines[0].split()[0] in _WITHOUT_PERCENT:  # like IPython in a cell of one line
        source = f"%{lines[0]}"
    source = TransformerManager().transform_cell(source.removeprefix("\ufeff"))  # type: ignore[no-untyped-call]
    ast.parse(source)
    return source


class Shell(Nothing):  # type: ignore[misc,unused-ignore]
    """The object that ``get_ipython()`` returns; its commands only run the Python code that is passed to them.

    Args:
        run: Runs the code of a cell, and returns its last value.
        note: Called with each skipped command, as the student wrote it.
        files: Runs commands that deal with files.
        names: Namespace of the notebook.
    """

    def __init__(
        self, run: Callable[[str], Any], note: Callable[[str], None], files: Files, names: dict[str, Any]
    ) -> None:
        self._run, self._note, self._files = run, note, files
        self._own: dict[tuple[str, str], Callable[..., Any]] = {}  # the student's own magics
        self.user_ns = self.user_global_ns = names

    def __getattr__(self, name: str) -> Any:
        """Return a stand-in for any other attribute."""
        return getattr(Nothing(), name)

    def found_by_import(self) -> None:
        """Let ``from IPython import get_ipython`` find this shell, by replacing the module that defines it."""
        module: Any = types.ModuleType("IPython.core.getipython")
        module.get_ipython = self.user_ns["get_ipython"]
        sys.modules[module.__name__] = module
        for name in ("IPython", "IPython.core.interactiveshell"):  # if it has been imported
            if name in sys.modules:
                vars(sys.modules[name])["get_ipython"] = module.get_ipython

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """Run ``%name line``."""
        words = line.split()
        if ("line", name) in self._own:
            return self._own["line", name](line)
        if name == "timeit" and "-o" in words:
            return _measured()
        if name in _RUNS_A_LINE and words:
            return self._run(_without_options(line))
        if name == "pylab":
            return self._run("import numpy as np\nfrom numpy import *\nfrom matplotlib import pyplot as plt")
        if name in ("env", "set_env") and "=" in line:
            key, value = line.split("=", 1)
            os.environ[key.strip()] = value.strip()
            return None
        with contextlib.suppress(LeftOutError):
            return self._files.line(name, line)
        if name not in ("pinfo", "pinfo2"):
            self._note(f"%{name} {line}".strip())
        return [] if name in ("sx", "system", "who_ls") else None

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """Run ``%%name line`` with the cell below it."""
        if ("cell", name) in self._own:
            return self._own["cell", name](line, cell)
        if name == "timeit" and "-o" in line.split():
            return _measured()
        if name == "capture":
            return self._capture(line, cell)
        if name in _RUNS_A_CELL:
            return self._run(cell)
        with contextlib.suppress(LeftOutError):
            return self._files.cell(name, line, cell)
        self._note(f"%%{name} {line}".strip())
        return None

    def magic(self, line: str) -> Any:
        """Run a line magic through IPython's old interface."""
        name, _, rest = line.partition(" ")
        return self.run_line_magic(name.lstrip("%"), rest)

    def getoutput(self, command: str, *_: Any, **__: Any) -> list[str]:
        """Run ``!command`` and return its output."""
        with contextlib.suppress(LeftOutError):
            printed: list[str] = self._files.shell(command)
            return printed
        self._note(f"!{command}")
        return []

    def system(self, command: str) -> None:
        """Run ``!command``."""
        try:
            self._files.shell(command)
        except LeftOutError:
            self._note(f"!{command}")

    def run_cell(self, source: str, *_: Any, **__: Any) -> Any:
        """Run code as a cell."""
        done = Nothing()
        done.result = self._run(source)
        return done

    def ex(self, source: str) -> None:
        """Run code."""
        exec(source, self.user_ns)

    def ev(self, source: str) -> Any:
        """Return the value of an expression."""
        return eval(source, self.user_ns)

    def push(self, variables: Any, *_: Any, **__: Any) -> None:
        """Set names to values."""
        if isinstance(variables, Mapping):
            self.user_ns.update(variables)

    def register_magic_function(self, function: Any, magic_kind: str = "line", magic_name: str = "") -> None:
        """Register a magic, for ``@register_line_magic`` and similar decorators."""
        for kind in magic_kind.split("_"):  # line_cell
            self._own[kind, magic_name or function.__name__] = function

    def _capture(self, line: str, cell: str) -> None:
        from IPython.utils.capture import CapturedIO

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            self._run(cell)
        for name in [word for word in line.split() if word[0] != "-"][:1]:
            self.user_ns[name] = CapturedIO(out, err, [])


def _measured() -> Any:
    """Return a result for ``%timeit -o``, which measures nothing while grading."""
    result = Nothing()
    vars(result).update(loops=1, repeat=1, best=1e-6, worst=1e-6, average=1e-6, stdev=0.0, compile_time=0.0)
    vars(result).update(timings=[1e-6], all_runs=[1e-6])
    return result


def _without_options(line: str) -> str:
    words = line.split(" ")
    while words and words[0].startswith("-"):
        del words[0]
    return " ".join(words)
