"""The submissions in files, folders and zips, as Moodle and Canvas export them; nothing is unpacked to the disk.

The file names decide whose a notebook is (:mod:`.names`), as far as students did not choose them. :mod:`.files` reads
folders and zips, :mod:`.cells` notebooks.
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
    """A notebook that was handed in, or why there is none.

    Attributes:
        name: Who handed it in, as the export says; students of the same name are told apart by their identifiers.
        content: The bytes of the notebook, of a large one without its outputs; empty if there is a problem.
        problem: Why it cannot be graded; empty if it can.
        file: Its file, as the export names it; no two of a student are the same. Empty if nothing was handed in.
        identifier: What the export calls the student: Moodle's number of the participant, Canvas's ID; or empty.
        late: Whether the export says that it came late; only Canvas does.
        modified: When the file was changed, in seconds since 1970. ``None`` if that is not known: what Moodle and
            Canvas export bears the time of the export.
        hand_in: The same for all files of a student that came together: in a folder, a zip, or an export. Where their
            times are known, these decide which of them are newer.
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
    """What a student handed in by one path.

    Attributes:
        student: Who.
        files: The files, with what the export says of each.
        above: What stands before the names of the files, if there are several paths.
    """

    student: Student
    files: list[tuple[File, Origin]]
    above: str


def find(paths: Iterable[Path]) -> Iterator[Submission]:
    """Yield the submissions, one at a time, so that memory stays small.

    The submissions of a student follow each other, the oldest first, path by path: by Canvas's numbers of the files,
    else by the time of the files, else by their names.

    Args:
        paths: Notebooks, zips, and folders of them. A path alone is a class's: its folders and files are students'. Of
            several, one with a single notebook is a student's. Zips that students made belong in a folder, or among
            several paths: a zip alone can say of each notebook whose it is.

    Raises:
        FileNotFoundError: If a path does not exist, or the only path holds nothing.
    """
    paths = list(paths)
    names = shown(work.student for work in _works(paths))
    used: dict[tuple[str, str], int] = {}
    for work in _works(paths):
        if work.student not in names:  # came after the start: the next run takes it
            continue
        for submission in _of_student(work):
            name, file = names[work.student], one_line(work.above + submission.file) if submission.file else ""
            used[name, file] = times = used.get((name, file), 0) + 1
            if file and times > 1:
                file = f"{file} ({times})"
            yield replace(submission, name=name, file=file, problem=one_line(submission.problem))


def count(paths: Iterable[Path]) -> int:
    """Return how many submissions there are, at least: it reads no file, so a student's own zip counts as one.

    Args:
        paths: Notebooks, zips, and folders of them.

    Raises:
        FileNotFoundError: If a path does not exist, or the only path holds nothing.
    """
    return sum(max(1, sum(file.is_notebook for file, _ in work.files)) for work in _works(list(paths)))


def _works(paths: list[Path]) -> Iterator[_Work]:
    """Yield what each student handed in; what is in a zip can be read until the next is asked for."""
    several = len(paths) > 1
    alike = Counter(path.resolve().name for path in set(paths))
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"SUBMISSIONS: there is no {path}")
        name = path.resolve().name
        label = name if alike[name] == 1 else path.as_posix()
        whole = origin(f"{name}/" if path.is_dir() else name)  # if it is a student's
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
    """Return the files in a folder or zip, or the file itself by its label."""
    if path.is_dir():
        return in_folder(path)
    if path.suffix.lower() != ".zip":
        return [on_disk(path, label)]
    try:
        return in_zip(path, stack)
    except ProblemError as problem:
        return [on_disk(path, label, str(problem))]


def _at_class_level(files: list[File]) -> list[File]:
    """Leave out the folders that hold the whole class: down to where an export's names are, or to several works."""
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
    """Put the files of each student together."""
    pairs = [(file, origin(file.path)) for file in files]

    def student(pair: tuple[File, Origin]) -> tuple[str, str]:
        return pair[1].student.name, pair[1].student.identifier

    for _, own in itertools.groupby(sorted(pairs, key=student), student):
        first, *others = own
        yield _Work(first[1].student, [first, *others], above)


def _of_student(work: _Work) -> Iterator[Submission]:
    """Yield the notebooks of a student, or one submission that says why there is none."""
    left_out: list[tuple[str, str]] = []  # paths and problems; the files would keep the content of zips
    empty = True
    paths = "\n".join(sorted(work.above + file.path for file, _ in work.files))
    hand_in = hashlib.sha256(paths.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    for file, where in sorted(work.files, key=_age):
        modified = None if where.exported else file.modified  # of a zip: the times in it are the student's
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
    """Say why there is no notebook: the first problem of a file, or which files are there instead."""
    for _, problem in files:
        if problem:
            return problem
    names = [PurePosixPath(path).name for path, _ in files if not path.endswith("/")]
    if not names:
        return "nothing handed in"
    more = ", …" if len(names) > 3 else ""
    return f"no notebook: {', '.join(names[:3])}{more}"
