"""Files in folders and zips, each read when it is needed; nothing is unpacked to the disk."""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from .cells import LARGEST, ProblemError, without_outputs

_LARGEST_FILE = 100 << 20  # of a notebook with its outputs, or a student's own zip
_MOST_FILES = 100_000
_MOST_NOTEBOOKS = 20  # in a student's own zip
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)|-checkpoint\.ipynb$")


@dataclass(frozen=True)
class File:
    """A file that is read when it is needed.

    Attributes:
        path: Where it is, in its folder or zip; a path that ends with ``/`` is a folder.
        open: Opens it.
        problem: Why it cannot be read; empty if it can.
        modified: When it was changed, in seconds since 1970, if that is known.
    """

    path: str
    open: Callable[[], IO[bytes]]
    problem: str = ""
    modified: float | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is an empty folder."""
        return self.path.endswith("/")

    @property
    def is_notebook(self) -> bool:
        """Whether its name is that of a notebook."""
        return self.path.lower().endswith(".ipynb")

    @property
    def is_zip(self) -> bool:
        """Whether its name is that of a zip."""
        return self.path.lower().endswith(".zip")

    @property
    def is_graded(self) -> bool:
        """Whether it counts as a submission: a notebook, or a zip that may have held one."""
        return self.is_notebook or (self.is_zip and bool(self.problem))

    def read(self) -> bytes:
        """Return the content; of a large notebook what is not output.

        Raises:
            ProblemError: If there is none, or too much.
        """
        if self.problem:
            raise ProblemError(self.problem)
        try:
            with self.open() as file:
                content = file.read(_LARGEST_FILE + 1)  # what the header of a zip says of the size may be a lie
        except OSError as error:
            raise ProblemError(f"a file that cannot be read: {error.strerror or error}") from None
        except Exception:  # zipfile, zlib and struct have many
            raise ProblemError("a damaged file") from None
        if len(content) > _LARGEST_FILE:
            raise ProblemError(f"larger than {_LARGEST_FILE >> 20} MB")
        return without_outputs(content) if self.is_notebook and len(content) > LARGEST else content


def count_works(files: Iterable[File]) -> int:
    """Return how many files are what students hand in: notebooks, and zips of them."""
    return sum(file.is_notebook or file.is_zip for file in files)


def in_folder(folder: Path) -> list[File]:
    """Return the files in a folder and below it."""
    return _kept(_below(folder, path) for path in folder.rglob("*"))


def _below(folder: Path, path: Path) -> File:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return on_disk(path, name, "a symbolic link")
    if path.is_dir():
        return on_disk(path, f"{name}/")
    return on_disk(path, name, "" if path.is_file() else "not a file")


def on_disk(path: Path, name: str, problem: str = "") -> File:
    """Return a file of the disk.

    Args:
        path: Where it is.
        name: What it is called here.
        problem: Why it cannot be read.
    """
    return File(name, lambda: path.open("rb"), problem, path.lstat().st_mtime)


def in_zip(source: Path | io.BytesIO, stack: ExitStack) -> list[File]:
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


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> File:
    name = member.filename
    if not member.flag_bits & 0x800:  # macOS does not say that it is UTF-8
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = name.replace("\\", "/").split("/")  # of some tools for Windows
    path = "/".join(part for part in parts if part not in ("", ".", ".."))
    if path and not parts[-1]:
        path = f"{path}/"
    modified = None
    with suppress(ValueError, OverflowError):  # a date that does not exist
        modified = datetime(*member.date_time).timestamp()  # a zip holds the local time
    return File(path, lambda: archive.open(member), _problem(member), modified)


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


def _kept(files: Iterable[File]) -> list[File]:
    """Leave out what systems put there, and folders that are not empty."""
    kept = {file: PurePosixPath(file.path) for file in files if file.path and not _IGNORED.search(file.path)}
    full = {parent for path in kept.values() for parent in path.parents}
    return [file for file, path in kept.items() if not file.is_folder or path not in full]


def unpacked(files: Iterable[File]) -> Iterator[File]:
    """Yield the files, in place of a student's zip what is in it; never the content of two zips at a time."""
    for file in files:
        if not file.is_zip:
            yield file
            continue
        with ExitStack() as stack:
            try:
                content = file.read()
                if content.count(b"PK\1\2") > _MOST_FILES:  # to list them would take memory
                    raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
                inner = in_zip(io.BytesIO(content), stack)
                if sum(each.is_notebook for each in inner) > _MOST_NOTEBOOKS:
                    raise ProblemError(f"a zip of more than {_MOST_NOTEBOOKS} notebooks")
                if not inner:
                    raise ProblemError("an empty zip")
            except ProblemError as problem:
                yield replace(file, problem=str(problem))
                continue
            yield from (replace(each, path=f"{file.path}/{each.path}") for each in inner)
