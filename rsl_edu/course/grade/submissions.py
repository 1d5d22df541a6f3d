"""The submissions in files, folders and zips, as Moodle and Canvas export them; nothing is unpacked to the disk."""

from __future__ import annotations

import io
import itertools
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from rsl_edu.printable import printable

LARGEST = 10 << 20
"""Bytes of a notebook, at most."""

_LARGEST_ZIP = 100 << 20  # of a student's own, within the class's
_MOST_FILES = 100_000
_MOST_NOTEBOOKS = 20  # in a student's own zip
_MOST_CODE = 1 << 20
_LONGEST_NAME = 120
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)|-checkpoint\.ipynb$")
_MOODLE = re.compile(r"(?s)(?:.*?/)??(?P<student>[^/]+?_\d+)_assignsubmission_(?:file|onlinetext)(?:_?/|_)(?P<file>.*)")
_CANVAS = re.compile(r"(?P<student>[^_/]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<file>[^/]+)$")


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in, or why there is none.

    Attributes:
        name: Who handed it in, as the export says; with the file where there are several.
        content: The bytes of the notebook; empty if there is a problem.
        problem: Why it cannot be graded; empty if it can.
        file: Its file, as the export names it.
        identifier: What the export calls the student: Moodle's number of the participant, Canvas's ID; or empty.
        late: Whether the export says that it came late.
    """

    name: str
    content: bytes = b""
    problem: str = ""
    file: str = ""
    identifier: str = ""
    late: bool = False


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

    @property
    def is_graded(self) -> bool:
        """Whether it gets a row of its own: a notebook, or a zip that may have held one."""
        return self.is_notebook or (self.is_zip and bool(self.problem))

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
        paths: Notebooks, zips, and folders of them.

    Raises:
        FileNotFoundError: If a path does not exist.
    """
    used: dict[str, int] = {}
    for student, files in _students(paths):
        for submission in _of_student(student, files):
            line = _one_line(submission.name)[:_LONGEST_NAME].strip() or "no name"
            name = line
            while name in used:
                used[line] += 1
                name = f"{line} ({used[line]})"
            used[name] = 1
            yield Submission(name, submission.content, _one_line(submission.problem))


def count(paths: Iterable[Path]) -> int:
    """Return how many submissions there are, at least: it reads no file, so a student's own zip counts as one.

    Args:
        paths: Notebooks, zips, and folders of them.

    Raises:
        FileNotFoundError: If a path does not exist.
    """
    return sum(max(1, sum(file.is_notebook for file in files)) for _, files in _students(paths))


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


def _students(paths: Iterable[Path]) -> Iterator[tuple[str, list[_File]]]:
    """Yield the name of each student and the files; what is in a zip can be read until the next is asked for.

    Of several paths, one with a single notebook is a student's, not a class's.
    """
    paths = list(paths)
    several = len(paths) > 1
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"SUBMISSIONS: there is no {path}")
        is_zip = path.suffix.lower() == ".zip"
        if not path.is_dir() and not is_zip:
            yield from _by_student([_on_disk(path, path.name)])
            continue
        name = path.stem if is_zip else path.resolve().name
        with ExitStack() as stack:
            try:
                files = _in_zip(path, stack) if is_zip else _in_folder(path)
            except ProblemError as problem:
                yield name, [_on_disk(path, path.name, str(problem))]
                continue
            if not files or (several and _works(files) <= 1):
                yield _split(f"{name}/")[0], files
            else:
                yield from _by_student(_below_one_folder(files), f"{name}/" if several else "")


def _in_folder(folder: Path) -> list[_File]:
    return _kept(_below(folder, path) for path in folder.rglob("*"))


def _below(folder: Path, path: Path) -> _File:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return _on_disk(path, name, "a symbolic link")
    if path.is_dir():
        return _on_disk(path, f"{name}/")
    return _on_disk(path, name, "" if path.is_file() else "not a file")


def _on_disk(path: Path, name: str, problem: str = "") -> _File:
    return _File(name, lambda: path.open("rb"), problem)


def _in_zip(source: Path | io.BytesIO, stack: ExitStack) -> list[_File]:
    """Return the files of a zip, which stays open as long as the stack.

    Raises:
        ProblemError: If it is damaged, or holds too many.
    """
    try:
        archive = stack.enter_context(zipfile.ZipFile(source))
    except Exception:  # zipfile and struct have many
        raise ProblemError("a damaged zip") from None
    members = archive.infolist()
    if len(members) > _MOST_FILES:
        raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
    return _kept(_member(archive, member) for member in members)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _File:
    name = member.filename
    if not member.flag_bits & 0x800:  # macOS does not say that it is UTF-8
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = name.replace("\\", "/").split("/")  # of some tools for Windows
    path = "/".join(part for part in parts if part not in ("", ".", ".."))
    if path and not parts[-1]:
        path = f"{path}/"
    return _File(path, lambda: archive.open(member), _problem(member))


def _problem(member: zipfile.ZipInfo) -> str:
    path = PureWindowsPath(member.filename)  # its / and \ separate, and its drives are roots
    if path.root or ".." in path.parts:
        return "a path that leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & 1:
        return "a file with a password"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # only these are unpacked bit by bit
        return "a file packed in a way that is not supported"
    return ""


def _kept(files: Iterable[_File]) -> list[_File]:
    """Leave out what systems put there, and folders that are not empty."""
    kept = {file: PurePosixPath(file.path) for file in files if file.path and not _IGNORED.search(file.path)}
    full = {parent for path in kept.values() for parent in path.parents}
    return [file for file, path in kept.items() if not file.path.endswith("/") or path not in full]


def _below_one_folder(files: list[_File]) -> list[_File]:
    """Leave out the folder that holds all files, if it is that of a class: with several notebooks, or as of Canvas."""
    while True:
        top, slash, _ = files[0].path.partition("/")
        is_class = _works(files) > 1 or any(_CANVAS.search(file.path) for file in files)
        if not slash or not is_class or not all(file.path.startswith(f"{top}/") for file in files):
            return files
        if any(_MOODLE.match(file.path) for file in files):
            return files
        inner = (replace(file, path=file.path[len(top) + 1 :]) for file in files)
        files = [file for file in inner if file.path]


def _by_student(files: Iterable[_File], above: str = "") -> Iterator[tuple[str, list[_File]]]:
    """Put the files of each student together."""

    def student(file: _File) -> str:
        return _split(file.path, above)[0]

    for name, group in itertools.groupby(sorted(files, key=lambda file: (student(file), file.path)), student):
        yield name, list(group)


def _of_student(name: str, files: list[_File]) -> Iterator[Submission]:
    """Yield the notebooks of a student, or one row that says why there is none."""
    left_out: list[tuple[str, str]] = []  # paths and problems; the files would keep the content of zips

    def graded() -> Iterator[Submission]:
        for file in _unpacked(files):
            if file.is_graded:
                yield _submission(name, file)
            else:
                left_out.append((file.path, file.problem))

    submissions = graded()
    first, second = next(submissions, None), next(submissions, None)  # no zip is unpacked twice to count them
    if first is None:
        yield Submission(name, problem=_why_none(left_out))
    elif second is None:
        yield replace(first, name=name)
    else:
        yield first
        yield second
        yield from submissions


def _submission(student: str, file: _File) -> Submission:
    which = re.sub(r"\.(ipynb|zip)$", "", _split(file.path)[1], flags=re.IGNORECASE)
    name = f"{student}/{which}"
    try:
        return Submission(name, file.read())
    except ProblemError as problem:
        return Submission(name, problem=str(problem))


def _why_none(files: list[tuple[str, str]]) -> str:
    """Say why there is no notebook: the first problem of a file, or which files are there instead."""
    for _, problem in files:
        if problem:
            return problem
    names = [PurePosixPath(path).name for path, _ in files if not path.endswith("/")]
    if not names:
        return "nothing handed in"
    more = ", …" if len(names) > 3 else ""
    return f"no notebook: {', '.join(names[:3])}{more}"


def _unpacked(files: list[_File]) -> Iterator[_File]:
    """Yield the files, in the place of a student's zip what is in it; never the content of two zips at a time."""
    for file in files:
        if not file.is_zip:
            yield file
            continue
        with ExitStack() as stack:
            try:
                content = file.read()
                if content.count(b"PK\1\2") > _MOST_FILES:  # to list them would take memory
                    raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
                inner = _in_zip(io.BytesIO(content), stack)
                if sum(each.is_notebook for each in inner) > _MOST_NOTEBOOKS:
                    raise ProblemError(f"a zip of more than {_MOST_NOTEBOOKS} notebooks")
                if not inner:
                    raise ProblemError("an empty zip")
            except ProblemError as problem:
                yield replace(file, problem=str(problem))
                continue
            yield from (replace(each, path=f"{file.path[:-4]}/{each.path}") for each in inner)


def _works(files: list[_File]) -> int:
    """Count the files that students hand in: notebooks, and zips of them."""
    return sum(file.is_notebook or file.is_zip for file in files)


def _split(path: str, above: str = "") -> tuple[str, str]:
    """Who handed a file in, by Moodle's folder, Canvas's file name or the first folder, and what the file is called."""
    if found := _MOODLE.match(path):
        return found["student"], found["file"]
    if found := _CANVAS.match(path):
        return f"{found['student']}_{found['id']}", found["file"]
    first, slash, rest = path.partition("/")
    return above + (first if slash else PurePosixPath(first).stem), rest or first


def _one_line(text: str) -> str:
    """Text in one line, without what a terminal or a table would obey."""
    return " ".join(printable(unicodedata.normalize("NFC", text), " ").split())
