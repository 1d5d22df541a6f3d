"""A notebook's commands that write, move, run and reload files. They run in the sandbox; most others are skipped."""

from __future__ import annotations

import contextlib
import getopt
import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from autoreload import Autoreload  # type: ignore[import-not-found,unused-ignore]

_PROGRAMS = {
    *(":", "cat", "cd", "cp", "echo", "export", "head", "ln", "ls", "mkdir", "mv", "printf", "pwd", "rm", "rmdir"),
    *("sed", "set", "tail", "tee", "test", "touch", "true", "wc"),
}
_ALIASES = ("cat", "cp", "ls", "mkdir", "mv", "rm", "rmdir")  # magics that run shell commands
_SECONDS = 10  # wall-clock limit for a shell line
_BETWEEN = ";&|()\n"  # separators of commands in a shell line
_OF_RUN = "nidtN:b:pD:l:rs:T:em:G"  # options of IPython's %run


class LeftOutError(Exception):
    """Raised for a command that is not supported, or that failed."""


class Files:
    """Runs a notebook's commands that deal with files.

    Args:
        names: Namespace of the notebook.
        run: Function that runs the source of a file. If a namespace is given, the file runs there, and its names are
            then copied to the notebook. Otherwise, the file runs in the notebook's namespace.
    """

    def __init__(self, names: dict[str, Any], run: Callable[[str, dict[str, Any] | None], Any]) -> None:
        self._names, self._run = names, run
        self._before = Path.cwd()  # for %cd -
        self._autoreload: Autoreload | None = None

    def line(self, name: str, line: str) -> Any:
        """Run ``%name line``, and return its result.

        Raises:
            LeftOutError: If the command is not supported, or if it failed.
        """
        if name in ("load_ext", "reload_ext") and line.strip() == "autoreload":
            self._autoreload = self._autoreload or Autoreload(self._names)
            return None
        if name in ("autoreload", "aimport") and self._autoreload:
            return self._autoreload.do(name, line)
        if name == "pwd":
            return str(Path.cwd())
        line = self._expanded(line)
        if name == "cd":
            return self._go(next((word for word in _words(line) if not re.match("-.", word)), "~"))
        if name == "run":
            return self._run_file(_words(line))
        if name in ("sx", "system"):
            return self.shell(line)
        if name in _ALIASES:
            self.shell(f"{name} {line}")
            return None
        raise LeftOutError

    def cell(self, name: str, line: str, cell: str) -> Any:
        """Run ``%%name line`` with the cell below it, and return its result.

        Raises:
            LeftOutError: If the command is not supported, or if it failed.
            OSError: If a file cannot be written.
        """
        if name in ("writefile", "file"):
            words = _words(self._expanded(line))
            append = "-a" in words or "--append" in words
            files = [word for word in words if word not in ("-a", "--append")]
            if not files:
                raise LeftOutError
            path = Path(files[-1]).expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)  # a skipped shell line may have created it
            with path.open("a" if append else "w", encoding="utf-8") as written:
                written.write(cell)
            importlib.invalidate_caches()
            return None
        if name in ("sx", "system", "!"):
            return self.shell(cell)
        if name in ("bash", "sh"):
            self.shell(cell)
            return None
        raise LeftOutError

    def shell(self, command: str) -> list[str]:
        """Run a shell line if all its programs only read, write and move files; return the lines that it prints.

        Raises:
            LeftOutError: If the line contains any other program, or took too long.
        """
        if not _is_about_files(command):
            raise LeftOutError
        from IPython.utils.text import SList

        line = [shutil.which("bash") or "sh", "-c", self._expanded(command)]
        options: Any = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "timeout": _SECONDS}
        try:
            printed = subprocess.run(line, stdout=subprocess.PIPE, check=False, **options).stdout
        except (OSError, ValueError, subprocess.SubprocessError):
            raise LeftOutError from None
        importlib.invalidate_caches()
        return SList(printed.decode(errors="replace").splitlines())

    def before(self, source: str) -> None:
        """Before a cell with this source runs, make sure that imports find the current files."""
        importlib.invalidate_caches()  # caches compare file times, which are too coarse for a notebook without pauses
        if self._autoreload:
            self._autoreload.before(source)

    def after(self) -> None:
        """Register the modules that a cell has imported."""
        if self._autoreload:
            self._autoreload.after()

    def _go(self, folder: str) -> None:
        try:
            here = Path.cwd()
            os.chdir(self._before if folder == "-" else Path(folder).expanduser())
        except OSError:
            raise LeftOutError from None
        self._before = here

    def _run_file(self, words: list[str]) -> None:
        try:
            found, rest = getopt.getopt(words, _OF_RUN)
            options = dict(found)
            spec = importlib.util.find_spec(options["-m"]) if "-m" in options else None
            file, *arguments = [spec.origin or "", *rest] if spec else rest
        except (getopt.GetoptError, ImportError, ValueError):
            raise LeftOutError from None
        path = Path(file).expanduser()
        path = path if path.is_file() else path.with_name(f"{path.name}.py")
        if not path.is_file() or path.suffix == ".ipynb":
            raise LeftOutError
        names = {"__name__": path.stem if "-n" in options else "__main__", "__file__": str(path)}
        names |= {"__package__": options["-m"].rpartition(".")[0]} if "-m" in options else {}
        folder = "" if spec else str(path.resolve().parent)
        before, own = sys.argv, self._names.get("__name__")
        sys.argv = [str(path), *arguments]
        sys.path.insert(0, folder)
        try:
            if "-i" in options:
                self._names |= names
            self._run(path.read_text(encoding="utf-8"), None if "-i" in options else names)
        finally:
            sys.argv, self._names["__name__"] = before, own
            with contextlib.suppress(ValueError):
                sys.path.remove(folder)

    def _expanded(self, line: str) -> str:
        """Replace ``$name`` and ``{name}`` in a line with the values of the notebook's names."""
        if "$" not in line and "{" not in line:
            return line
        from IPython.utils.text import DollarFormatter

        try:
            return str(DollarFormatter().vformat(line, [], self._names))
        except Exception:
            return line


def import_from_current_folder() -> None:
    """Let imports find the newest versions of modules in the current folder, before installed ones, as in a kernel."""
    installed = (place for place, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    sys.path.insert(next(installed, len(sys.path)), "")
    sys.dont_write_bytecode = True  # bytecode would hide changes to a source within the same second
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for processes that the notebook starts


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _is_about_files(command: str) -> bool:
    """Return whether all programs of a shell line only read, write and move files."""
    rest = re.sub(r"(?ms)<<-?\s*(['\"]?)(\w+)\1(.*?)$.*?^\s*\2\s*?$", r"\3", command.replace("\\\n", " "))
    rest = re.sub(r"(?m)^\s*#.*$", "", rest)
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=f"{_BETWEEN}<>")
    lexer.whitespace, lexer.commenters = " \t\r", ""
    try:
        words = ["\n", *lexer]
    except ValueError:  # an unclosed quote
        return False
    first = [word for before, word in pairwise(words) if not {*before} - {*_BETWEEN} and {*word} - {*_BETWEEN, *"<>"}]
    return "`" not in rest and {*first} <= _PROGRAMS
