"""The submissions in files, folders and zips, as Moodle and Canvas export them; nothing is unpacked to the disk."""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

LARGEST = 10 << 20
"""Bytes of a notebook, at most."""

_LARGEST_ZIP = 100 << 20  # of a student's own, within the class's
_MOST_FILES = 20_000
_MOST_CODE = 1 << 20
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)|-checkpoint\.ipynb$")
_MOODLE = re.compile(r"(?P<student>.+_\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?$")
_CANVAS = re.compile(r"(?P<student>[^_]+)_(?:LATE_)?(?P<id>\d+)_\d+_(?P<file>.+)$")


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
    path: str  # within the folder or zip, with /
    content: bytes = b""
    problem: str = ""


def find(paths: Iterable[Path]) -> Iterator[Submission]:
    """Yield the submissions, one at a time, so that memory stays small.

    Args:
        paths: Notebooks, zips, and folders of them.

    Raises:
        FileNotFoundError: If a path does not exist.
    """
    used: dict[str, int] = {}
    for path in paths:
        for submission in _in(path):
            used[submission.name] = count = used.get(submission.name, 0) + 1
            name = f"{submission.name} ({count})" if count > 1 else submission.name
            yield Submission(name, submission.content, submission.problem)


def code(content: bytes) -> list[str]:
    """Return the code cells of a notebook.

    Raises:
        ProblemError: If it is not a notebook, or one that cannot be graded.
    """
    if not content.strip():
        raise ProblemError("the file is empty")
    try:
        notebook = json.loads(content)
        cells = notebook["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        code = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        old = b'"worksheets"' in content[: 1 << 16]
        raise ProblemError("a notebook of a format before version 4" if old else "not a notebook") from None
    if sum(map(len, code)) > _MOST_CODE:
        raise ProblemError(f"more than {_MOST_CODE >> 20} MB of code")
    return code


def _in(path: Path) -> Iterator[Submission]:
    """Yield the submissions of a path: the files of one student follow each other."""
    if path.is_dir():
        yield from _of_students(_in_folder(path))
    elif not path.exists():
        raise FileNotFoundError(f"SUBMISSIONS: there is no {path}")
    elif path.suffix.lower() == ".zip":
        yield from _of_students(_in_zip(path))
    else:
        yield from _of_students([_read(path, path.name)])


def _in_folder(folder: Path) -> Iterator[_File]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _IGNORED.search(name):
            continue
        if path.is_symlink():
            yield _File(name, problem="a symbolic link")
        elif path.is_file():
            yield _read(path, name)


def _read(path: Path, name: str) -> _File:
    with path.open("rb") as file:
        return _unpacked(name, file.read(LARGEST + 1))


def _in_zip(source: Path | io.BytesIO) -> Iterator[_File]:
    try:
        with zipfile.ZipFile(source) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            if len(members) > _MOST_FILES:
                raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
            for member in members:
                if not member.is_dir() and not _IGNORED.search(member.filename):
                    yield _member(archive, member)
    except (zipfile.BadZipFile, ProblemError) as error:
        yield _File("", problem=str(error) if isinstance(error, ProblemError) else "a damaged zip")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _File:
    name = member.filename
    if stat.S_ISLNK(member.external_attr >> 16):
        return _File(name, problem="a symbolic link")
    if name.startswith("/") or "\\" in name or ".." in PurePosixPath(name).parts:
        return _File(name, problem="a path that leads out of the archive")
    most = _LARGEST_ZIP if name.lower().endswith(".zip") else LARGEST
    try:
        with archive.open(member) as file:  # what the header says of the size may be a lie
            return _unpacked(name, file.read(most + 1), most)
    except RuntimeError:
        return _File(name, problem="a file with a password")
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
        return _File(name, problem="a damaged file")


def _unpacked(name: str, content: bytes, most: int = LARGEST) -> _File:
    if len(content) > most:
        return _File(name, problem=f"larger than {most >> 20} MB")
    return _File(name, content)


def _of_students(files: Iterable[_File]) -> Iterator[Submission]:
    """Put the files of each student together: its notebooks, or one row that says why there is none."""
    files = iter(files)
    group: list[_File] = []
    for file in files:
        if group and _student(file.path) != _student(group[0].path):
            yield from _of_student(group)
            group = []
        group.append(file)
    if group:
        yield from _of_student(group)


def _of_student(files: list[_File]) -> Iterator[Submission]:
    name = _student(files[0].path)
    unpacked: list[_File] = []
    for file in files:
        if file.path.lower().endswith(".zip") and not file.problem:
            unpacked += _in_zip(io.BytesIO(file.content))
        else:
            unpacked.append(file)
    notebooks = [file for file in unpacked if file.path.lower().endswith(".ipynb")]
    for file in notebooks:
        yield Submission(_row(name, file.path, len(notebooks)), b"" if file.problem else file.content, file.problem)
    if not notebooks:
        problems = [file.problem for file in unpacked if file.problem]
        others = ", ".join(PurePosixPath(file.path).name for file in unpacked[:3])
        yield Submission(name, problem=(problems or [f"no notebook: {others}" if others else "nothing handed in"])[0])


def _row(student: str, path: str, notebooks: int) -> str:
    return student if notebooks == 1 else f"{student}/{PurePosixPath(path).stem}"


def _student(path: str) -> str:
    """Who handed a file in: the folder of Moodle, the begin of Canvas's file name, else the first part of the path."""
    parts = path.split("/")
    for part in parts:
        if found := _MOODLE.match(part):
            return found["student"]
    if found := _CANVAS.match(parts[-1]):
        return f"{found['student']}_{found['id']}"
    return parts[0] if len(parts) > 1 else PurePosixPath(path).stem
