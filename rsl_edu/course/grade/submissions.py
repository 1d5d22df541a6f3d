"""The submissions in files, folders and zips, as Moodle and Canvas export them; nothing is unpacked to the disk."""

from __future__ import annotations

import functools
import io
import itertools
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

LARGEST = 10 << 20
"""Bytes of a notebook, at most."""

_LARGEST_ZIP = 100 << 20  # of a student's own, within the class's
_MOST_FILES = 100_000
_MOST_NOTEBOOKS = 20  # in a student's own zip
_MOST_CODE = 1 << 20
_LONGEST_NAME = 120
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.(?!\.?(/|$))[^/]*|Thumbs\.db|desktop\.ini)(/|$)|-checkpoint\.ipynb$")
_MOODLE = re.compile(r"(?:.*/)?(?P<student>[^/]+_\d+)_assignsubmission_(?:file|onlinetext)(?:_?/|_|$)(?P<file>.*)")
_CANVAS = re.compile(r"(?P<name>[^_/]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<file>[^/]+)$")


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in, or why there is none.

    Attributes:
        name: Who handed it in, as the export says; with the file where there are several.
        content: The bytes of the notebook; empty if there is a problem.
        problem: Why it cannot be graded; empty if it can.
    """

    name: str
    content: bytes = b""
    problem: str = ""


class ProblemError(ValueError):
    """Why a submission cannot be graded, for its row."""


@dataclass(frozen=True)
class _File:
    """A file that is read when it is needed; a path that ends with ``/`` is a folder."""

    path: str
    open: Callable[[], IO[bytes]]
    problem: str = ""

    @property
    def is_notebook(self) -> bool:
        return self.path.lower().endswith(".ipynb")

    @property
    def is_zip(self) -> bool:
        return self.path.lower().endswith(".zip")

    def read(self) -> bytes:
        """Return the content.

        Raises:
            ProblemError: If there is none, or too much.
        """
        if self.problem:
            raise ProblemError(self.problem)
        most = _LARGEST_ZIP if self.is_zip else LARGEST
        try:
            with self.open() as file:
                content = file.read(most + 1)  # what the header of a zip says of the size may be a lie
        except OSError as error:
            raise ProblemError(f"a file that cannot be read: {error.strerror or error}") from None
        except Exception:  # zipfile, zlib and struct have many
            raise ProblemError("a damaged file") from None
        if len(content) > most:
            raise ProblemError(f"larger than {most >> 20} MB")
        return content


def find(paths: Iterable[Path]) -> Iterator[Submission]:
    """Yield the submissions, one at a time, so that memory stays small.

    Args:
        paths: Notebooks, zips, and folders of them: each a class, or, where there are several paths, a student's.

    Raises:
        FileNotFoundError: If a path does not exist.
    """
    paths = list(paths)
    used: dict[str, int] = {}
    for path in paths:
        for submission in _in(path, len(paths) > 1):
            name = plain = _plain(submission.name)[:_LONGEST_NAME].strip() or "no name"
            while name in used:
                used[plain] += 1
                name = f"{plain} ({used[plain]})"
            used[name] = 1
            yield Submission(name, submission.content, _plain(submission.problem))


def code(content: bytes) -> list[str]:
    """Return the code cells of a notebook.

    Raises:
        ProblemError: If it is not a notebook, or one that cannot be graded.
    """
    if not content.strip():
        raise ProblemError("the file is empty")
    old = False
    try:
        notebook = json.loads(content)
        old = "worksheets" in notebook
        sources = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        code = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ProblemError("a notebook of a format before version 4" if old else "not a notebook") from None
    if sum(map(len, code)) > _MOST_CODE:
        raise ProblemError(f"more than {_MOST_CODE >> 20} MB of code")
    return code


def _in(path: Path, several: bool) -> Iterator[Submission]:
    """Yield the submissions of one of the paths, or of one of several."""
    if not path.exists():
        raise FileNotFoundError(f"SUBMISSIONS: there is no {path}")
    name = path.resolve().name if path.is_dir() else path.stem
    try:
        with ExitStack() as stack:
            if path.is_dir():
                files = _in_folder(path)
            elif path.suffix.lower() == ".zip":
                files = _in_zip(path, stack)
            else:
                yield from _of_class([_File(path.name, functools.partial(path.open, "rb"))])
                return
            if not files:
                raise ProblemError("nothing handed in")
            if several and sum(file.is_notebook or file.is_zip for file in files) <= 1:
                yield from _of_student(_split(f"{name}/")[0], files)
            elif several:
                yield from _of_class(_below_one_folder(files), f"{name}/")
            else:
                yield from _of_class(_below_one_folder(files))
    except ProblemError as problem:
        yield Submission(name, problem=str(problem))


def _in_folder(folder: Path) -> list[_File]:
    files = []
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if _IGNORED.search(name):
            continue
        link, is_folder = path.is_symlink(), path.is_dir()
        problem = "a symbolic link" if link else "" if is_folder or path.is_file() else "not a file"
        name += "/" if is_folder and not link else ""
        files.append(_File(name, functools.partial(path.open, "rb"), problem))
    return files


def _in_zip(source: Path | io.BytesIO, stack: ExitStack) -> list[_File]:
    """Return the files of a zip, which stays open as long as the stack."""
    try:
        archive = stack.enter_context(zipfile.ZipFile(source))
    except Exception:  # as above
        raise ProblemError("a damaged zip") from None
    if len(members := archive.infolist()) > _MOST_FILES:
        raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
    files = (
        _File(_name(member), functools.partial(archive.open, member), _problem(member))
        for member in members
    )
    return [file for file in files if not _IGNORED.search(file.path)]


def _name(member: zipfile.ZipInfo) -> str:
    """Return the path, as UTF-8 too if it does not say so, as those of macOS, and with ``/`` where Windows left ``\\``."""
    name = member.filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name.replace("\\", "/")


def _problem(member: zipfile.ZipInfo) -> str:
    path = PureWindowsPath(member.filename)
    if path.root or ".." in path.parts:
        return "a path that leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & 1:
        return "a file with a password"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # only these are unpacked bit by bit
        return "a file packed in an unusual way"
    return ""


def _below_one_folder(files: list[_File]) -> list[_File]:
    """Return the files without the folder that all are in, if it is a class's: it holds several notebooks."""
    ...


def _of_class(files: Sequence[_File], above: str = "") -> Iterator[Submission]:
    """Put the files of each student together."""

    def student(file: _File) -> str:
        return _split(file.path)[0]

    for name, group in itertools.groupby(sorted(files, key=lambda file: (student(file), file.path)), student):
        yield from _of_student(f"{above}{name}", list(group))
