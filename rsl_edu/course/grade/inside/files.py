"""Commands of a notebook that write, move, run and reload files: they do what they say, within the sandbox."""

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
_ALIASES = ("cat", "cp", "ls", "mkdir", "mv", "rm", "rmdir")  # magics that are shell lines
_SECONDS = 10  # on the wall clock, for a shell line
_BETWEEN = ";&|()\n"  # commands of a shell line
_OF_RUN = "nidtN:b:pD:l:rs:T:em:G"  # options, as of IPython's %run


class LeftOutError(Exception):
    """The command is none of these."""


class Files:
    """Does the commands.

    Args:
        names: What the notebook has defined.
        run: Runs the source of a file: with the names given, which the notebook gets then, or else with the notebook's.
    """

    def __init__(self, names: dict[str, Any], run: Callable[[str, dict[str, Any] | None], Any]) -> None:
        self._names, self._run = names, run
        self._before = Path.cwd()  # %cd -
        self._autoreload: Autoreload | None = None

    def line(self, name: str, line: str) -> Any:
        """Do ``%name line``, and return what it does.

        Raises:
            LeftOutError: It is none of these commands, or has failed.
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
        """Do ``%%name line`` with the cell below, and return what it does.

        Raises:
            LeftOutError: It is none of these commands, or has failed.
            OSError: A file cannot be written.
        """
        if name in ("writefile", "file"):
            words = _words(self._expanded(line))
            append = "-a" in words or "--append" in words
            files = [word for word in words if word not in ("-a", "--append")]
            if not files:
                raise LeftOutError
            path = Path(files[-1]).expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)  # it may come from a shell line that was left out
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
        """Run a shell line, if all its programs only look at files, write and move them; return the lines it prints.

        Raises:
            LeftOutError: There is another program in it, or it took too long.
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
        """Let imports see what is in the files now, before a cell with that source runs."""
        importlib.invalidate_caches()  # it looks at times, which are too coarse for a notebook without pauses
        if self._autoreload:
            self._autoreload.before(source)

    def after(self) -> None:
        """Note what a cell has imported."""
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
        """A line with the values of names of the notebook in place of ``$name`` and ``{name}``."""
        if "$" not in line and "{" not in line:
            return line
        from IPython.utils.text import DollarFormatter

        try:
            return str(DollarFormatter().vformat(line, [], self._names))
        except Exception:
            return line


def import_from_current_folder() -> None:
    """Find modules that the notebook writes, where a kernel does: before what is installed; and as they are now."""
    installed = (place for place, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages"))
    sys.path.insert(next(installed, len(sys.path)), "")
    sys.dont_write_bytecode = True  # it would stand for a source that was written again within a second
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # for processes that the notebook starts


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _is_about_files(command: str) -> bool:
    """Whether each program of a shell line is one of those that only look at files, write and move them."""
    rest = re.sub(r"(?ms)<<-?\s*(['\"]?)(\w+)\1(.*?)$.*?^\s*\2\s*?$", r"\3", command.replace("\\\n", " "))
    rest = re.sub(r"(?m)^\s*#.*$", "", rest)
    lexer = shlex.shlex(rest, posix=True, punctuation_chars=f"{_BETWEEN}<>")
    lexer.whitespace, lexer.commenters = " \t\r", ""
    try:
        words = ["\n", *lexer]
    except ValueError:  # a quote without an end
        return False
    first = [word for before, word in pairwise(words) if not {*before} - {*_BETWEEN} and {*word} - {*_BETWEEN, *"<>"}]
    return "`" not in rest and {*first} <= _PROGRAMS
