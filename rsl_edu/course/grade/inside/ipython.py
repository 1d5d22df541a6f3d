"""What IPython adds to Python: its syntax is rewritten by its own transformer, its commands are mostly left out."""

from __future__ import annotations

import ast
import contextlib
import os
from collections.abc import Callable
from typing import Any

from files import Files, LeftOutError  # type: ignore[import-not-found,unused-ignore]
from library import Nothing  # type: ignore[import-not-found,unused-ignore]

_RUNS_A_LINE = ("time", "prun", "memit", "mprun", "lprun")
_WITHOUT_PERCENT = {"autoreload", "cat", "cd", "conda", "cp", "load_ext", "ls", "mkdir", "mv", "pip", "rm", "run"}
_RUNS_A_CELL = ("time", "capture", "prun", "memit")


def plain(source: str) -> str:
    """Return the code of a cell as Python: ``!ls`` becomes ``get_ipython().system('ls')``.

    Args:
        source: The code of a cell.

    Raises:
        SyntaxError: If it is no Python even then.
    """
    with contextlib.suppress(SyntaxError, ValueError):
        ast.parse(source)
        return source  # nothing of IPython's syntax is Python: it need not be imported
    from IPython.core.inputtransformer2 import TransformerManager

    lines = source.strip().splitlines()
    if len(lines) == 1 and lines[0].split()[0] in _WITHOUT_PERCENT:  # as IPython does in a cell of one line
        source = f"%{lines[0]}"
    source = TransformerManager().transform_cell(source.removeprefix("\ufeff"))  # type: ignore[no-untyped-call]
    ast.parse(source)
    return source


class Shell(Nothing):  # type: ignore[misc,unused-ignore]
    """What ``get_ipython()`` gives: a command runs only the Python that it is given, and returns nothing else.

    Args:
        run: Runs the code of a cell, and returns its last value.
        note: Takes each command that was left out, as the learner wrote it.
        files: Does the commands that are about files.
    """

    def __init__(self, run: Callable[[str], Any], note: Callable[[str], None], files: Files) -> None:
        self._run, self._note, self._files = run, note, files

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """``%name line``."""
        words = line.split()
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
        """``%%name line``, and the cell below."""
        if name in _RUNS_A_CELL:
            return self._run(cell)
        with contextlib.suppress(LeftOutError):
            return self._files.cell(name, line, cell)
        self._note(f"%%{name} {line}".strip())
        return None

    def magic(self, line: str) -> Any:
        """The old way to call a line magic."""
        name, _, rest = line.partition(" ")
        return self.run_line_magic(name.lstrip("%"), rest)

    def getoutput(self, command: str, *_: Any, **__: Any) -> list[str]:
        """``!command`` with a result."""
        with contextlib.suppress(LeftOutError):
            printed: list[str] = self._files.shell(command)
            return printed
        self._note(f"!{command}")
        return []

    def system(self, command: str) -> None:
        """``!command``."""
        try:
            self._files.shell(command)
        except LeftOutError:
            self._note(f"!{command}")

    def run_cell(self, source: str, *_: Any, **__: Any) -> Any:
        """Run code as a cell."""
        return self._run(source)


def _without_options(line: str) -> str:
    words = line.split(" ")
    while words and words[0].startswith("-"):
        del words[0]
    return " ".join(words)
