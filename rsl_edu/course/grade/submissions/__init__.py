"""Submissions in files, folders and zips, as exported by Moodle and Canvas; nothing is unpacked to the disk.

The student is identified by parts of the file name that the platform wrote (:mod:`.names`). :mod:`.files` reads folders
and zips, :mod:`.cells` notebooks.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from .cells import Cell, ProblemError, all_cells, code
from .files import File, count_works, in_folder, in_zip, on_disk, unpacked
from .names import Origin, Student, one_line, origin, shown

__all__ = ["Cell", "ProblemError", "Submission", "all_cells", "code", "count", "find"]


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in, or the reason why there is none.

    Attributes:
        name: Name of the student in the export; students with the same name also have their identifiers in it.
        content: Content of the notebook, without outputs if it is large; empty if there is a problem.
        problem: Why the submission cannot be graded; empty if it can be graded.
        file: Name of the file in the export, unique for a student; empty if nothing was handed in.
        identifier: The student's identifier in the export: Moodle's participant number, or Canvas's ID; may be empty.
        late: Whether the submission is late according to the export; only Canvas reports this.
        modified: Time of the file's last change, in seconds since 1970. ``None`` if unknown: files exported by Moodle
            and Canvas have the time of the export.
        hand_in: Text that is equal for all files that a student handed in together, in a folder, a zip or an export. If
            the times of these files are known, the times decide which file is newer.
    """

    name: str
    content: bytes = b""
    problem: str = ""
    file: str = ""
    identifier: str = ""
    late: bool = False
    modified: float | None = None
    hand_in: str = ""


@dataclass(frozen=True)
class _Work:
    """Files of a student in one path.

    Attributes:
        student: The student.
        files: The files, each with the information in its path.
        above: Prefix of the file names if there are several paths.
    """

    student: Student
    files: list[tuple[File, Origin]]
    above: str


def find(paths: Iterable[Path]) -> Iterator[Submission]:
    """Yield the submissions one at a time, to limit memory.

    In each path, the submissions of a student come together, the oldest first. They are sorted by Canvas's numbers of
    the files, else by the time of the files, else by their names.

    Args:
        paths: Notebooks, zips, and folders of them. A single path belongs to a class: its folders and files belong to
            students. If there are several paths, a path with a single notebook belongs to a student. Zips made by
            students must be in a folder, or among several paths, because a single zip is read as the class's export.

    Raises:
        FileNotFoundError: If a path does not exist, or the only path is empty.
    """
    paths = list(paths)
    names = shown(work.student for work in _works(paths))
    used: dict[tuple[str, str], int] = {}
    for work in _works(paths):
        if work.student not in names:  # it arrived after the start; the next run will find it
            continue
        for submission in _of_student(work):
            name, file = names[work.student], one_line(work.above + submission.file) if submission.file else ""
            used[name, file] = times = used.get((name, file), 0) + 1
            if file and times > 1:
                file = f"{file} ({times})"
            yield replace(submission, name=name, file=file, problem=one_line(submission.problem))


def count(paths: Iterable[Path]) -> int:
    """Return the smallest possible number of submissions; a student's own zip counts as one, because it is not opened.

    Args:
        paths: Notebooks, zips, and folders of them.

    Raises:
        FileNotFoundError: If a path does not exist, or the only path is empty.
    """
    return sum(max(1, sum(file.is_notebook for file, _ in work.files)) for work in _works(list(paths)))


def _works(paths: list[Path]) -> Iterator[_Work]:
    """Yield the files of each student; files in a zip can be read until the next student is requested."""
    several = len(paths) > 1
    alike = Counter(path.resolve().name for path in set(paths))
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"SUBMISSIONS: there is no {path}")
        name = path.resolve().name
        label = name if alike[name] == 1 else path.as_posix()
        whole = origin(f"{name}/" if path.is_dir() else name)  # for the case that the path belongs to one student
        if not whole.exported:
            whole = replace(whole, student=Student(label if path.is_dir() else label.removesuffix(path.suffix)))
        with ExitStack() as stack:
            files = _files(path, label, stack)
            if not files and not several:
                raise FileNotFoundError(f"SUBMISSIONS: there is nothing in {path}")
            above = f"{label}/" if several and [file.path for file in files] != [label] else ""
            if whole.exported or (several and count_works(files) <= 1):
                yield _Work(whole.student, [(file, whole) for file in files], above)
            else:
                yield from _by_student(_at_class_level(files), above)


def _files(path: Path, label: str, stack: ExitStack) -> list[File]:
    """Return the files in a folder or zip, or the file itself under its label."""
    if path.is_dir():
        return in_folder(path)
    if path.suffix.lower() != ".zip":
        return [on_disk(path, label)]
    try:
        return in_zip(path, stack)
    except ProblemError as problem:
        return [on_disk(path, label, str(problem))]


def _at_class_level(files: list[File]) -> list[File]:
    """Remove outer folders that contain the entire class; stop at several submissions, or at names from an export."""
    level = files
    while True:
        if any(origin(file.path).exported for file in level):
            return level
        top, slash, _ = level[0].path.partition("/")
        inner = [replace(file, path=file.path[len(top) + 1 :]) for file in level if file.path.startswith(f"{top}/")]
        if not slash or len(inner) < len(level) or not inner[0].path:
            return level if count_works(files) > 1 else files
        level = inner


def _by_student(files: Iterable[File], above: str = "") -> Iterator[_Work]:
    """Group the files by student."""
    pairs = [(file, origin(file.path)) for file in files]

    def student(pair: tuple[File, Origin]) -> tuple[str, str]:
        return pair[1].student.name, pair[1].student.identifier

    for _, own in itertools.groupby(sorted(pairs, key=student), student):
        first, *others = own
        yield _Work(first[1].student, [first, *others], above)


def _of_student(work: _Work) -> Iterator[Submission]:
    """Yield the notebooks of a student, or one submission with the reason why there are none."""
    left_out: list[tuple[str, str]] = []  # paths and problems only, because files would keep zips in memory
    empty = True
    paths = "\n".join(sorted(work.above + file.path for file, _ in work.files))
    hand_in = hashlib.sha256(paths.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    for file, where in sorted(work.files, key=_age):
        modified = None if where.exported else file.modified  # the times inside a zip are the student's own
        identifier = work.student.identifier
        of_file = Submission("", identifier=identifier, late=where.late, modified=modified, hand_in=hand_in)
        for each in unpacked([file]):
            if each.is_graded:
                empty = False
                yield _read(each, of_file)
            else:
                left_out.append((each.path, each.problem))
    if empty:
        late = any(where.late for _, where in work.files)
        yield Submission("", problem=_why_none(left_out), identifier=work.student.identifier, late=late)


def _age(pair: tuple[File, Origin]) -> tuple[int, float, str]:
    file, where = pair
    return where.attachment, 0.0 if where.exported else file.modified or 0.0, file.path


def _read(file: File, submission: Submission) -> Submission:
    try:
        return replace(submission, file=file.path, content=file.read())
    except ProblemError as problem:
        return replace(submission, file=file.path, problem=str(problem))


def _why_none(files: list[tuple[str, str]]) -> str:
    """Return why there is no notebook: the first problem of a file, or the names of other files."""
    for _, problem in files:
        if problem:
            return problem
    names = [PurePosixPath(path).name for path, _ in files if not path.endswith("/")]
    if not names:
        return "nothing handed in"
    more = ", …" if len(names) > 3 else ""
    return f"no notebook: {', '.join(names[:3])}{more}"
