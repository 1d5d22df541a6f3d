"""Files in folders and zips, which are read only when needed; nothing is unpacked to the disk."""

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

_LARGEST_FILE = 100 << 20  # bytes of a notebook with its outputs, or of a student's own zip
_MOST_FILES = 100_000
_MOST_NOTEBOOKS = 20  # largest number in a student's own zip
_IGNORED = re.compile(r"(^|/)(__MACOSX|\.[^/]*|Thumbs\.db|desktop\.ini)(/|$)|-checkpoint\.ipynb$")


@dataclass(frozen=True)
class File:
    """A file that is read only when needed.

    Attributes:
        path: Path in its folder or zip; ends with ``/`` for a folder.
        open: Function that opens the file.
        problem: Why the file cannot be read; empty if it can be read.
        modified: Time of the last change, in seconds since 1970, or None.
    """

    path: str
    open: Callable[[], IO[bytes]]
    problem: str = ""
    modified: float | None = None

    @property
    def is_folder(self) -> bool:
        """Whether this is an empty folder instead of a file."""
        return self.path.endswith("/")

    @property
    def is_notebook(self) -> bool:
        """Whether the file has the name of a notebook."""
        return self.path.lower().endswith(".ipynb")

    @property
    def is_zip(self) -> bool:
        """Whether the file has the name of a zip."""
        return self.path.lower().endswith(".zip")

    @property
    def is_graded(self) -> bool:
        """Whether the file counts as a submission: a notebook, or an unreadable zip that may contain a notebook."""
        return self.is_notebook or (self.is_zip and bool(self.problem))

    def read(self) -> bytes:
        """Return the content of the file; a large notebook is returned without its outputs.

        Raises:
            ProblemError: If the file cannot be read or is too large.
        """
        if self.problem:
            raise ProblemError(self.problem)
        try:
            with self.open() as file:
                content = file.read(_LARGEST_FILE + 1)  # the size in the header of a zip may be forged
        except OSError as error:
            raise ProblemError(f"a file that cannot be read: {error.strerror or error}") from None
        except Exception:  # zipfile, zlib and struct raise many types
            raise ProblemError("a damaged file") from None
        if len(content) > _LARGEST_FILE:
            raise ProblemError(f"larger than {_LARGEST_FILE >> 20} MB")
        return without_outputs(content) if self.is_notebook and len(content) > LARGEST else content


def count_works(files: Iterable[File]) -> int:
    """Return the number of notebooks and zips, which are the files that students hand in."""
    return sum(file.is_notebook or file.is_zip for file in files)


def in_folder(folder: Path) -> list[File]:
    """Return the files in a folder and in its subfolders."""
    return _kept(_below(folder, path) for path in folder.rglob("*"))


def _below(folder: Path, path: Path) -> File:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return on_disk(path, name, "a symbolic link")
    if path.is_dir():
        return on_disk(path, f"{name}/")
    return on_disk(path, name, "" if path.is_file() else "not a file")


def on_disk(path: Path, name: str, problem: str = "") -> File:
    """Return a file on the disk.

    Args:
        path: Path of the file.
        name: Its path in the returned file.
        problem: Why it cannot be read; empty if it can.
    """
    return File(name, lambda: path.open("rb"), problem, path.lstat().st_mtime)


def in_zip(source: Path | io.BytesIO, stack: ExitStack) -> list[File]:
    """Return the files in a zip; the zip stays open as long as the stack.

    Raises:
        ProblemError: If the zip is damaged or contains too many files.
    """
    try:
        archive = stack.enter_context(zipfile.ZipFile(source))
    except Exception:  # zipfile and struct raise many types
        raise ProblemError("a damaged zip") from None
    members = archive.infolist()
    if len(members) > _MOST_FILES:
        raise ProblemError(f"a zip of more than {_MOST_FILES:,} files")
    return _kept(_member(archive, member) for member in members)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> File:
    name = member.filename
    if not member.flag_bits & 0x800:  # macOS writes UTF-8 without setting the flag
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    parts = name.replace("\\", "/").split("/")  # some tools for Windows write backslashes
    path = "/".join(part for part in parts if part not in ("", ".", ".."))
    if path and not parts[-1]:
        path = f"{path}/"
    modified = None
    with suppress(ValueError, OverflowError):  # a date that does not exist
        modified = datetime(*member.date_time).timestamp()  # times in a zip are local
    return File(path, lambda: archive.open(member), _problem(member), modified)


def _problem(member: zipfile.ZipInfo) -> str:
    path = PureWindowsPath(member.filename)  # both / and \ separate parts, and drives count as roots
    if path.root or ".." in path.parts:
        return "a path that leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a symbolic link"
    if member.flag_bits & 1:
        return "a file with a password"
    if member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):  # only these can be unpacked incrementally
        return "a file with an unsupported compression"
    return ""


def _kept(files: Iterable[File]) -> list[File]:
    """Leave out system files, and folders that are not empty."""
    kept = {file: PurePosixPath(file.path) for file in files if file.path and not _IGNORED.search(file.path)}
    full = {parent for path in kept.values() for parent in path.parents}
    return [file for file, path in kept.items() if not file.is_folder or path not in full]


def unpacked(files: Iterable[File]) -> Iterator[File]:
    """Yield the files; instead of a student's zip, yield the files in the zip. Only one zip is in memory at a time."""
    for file in files:
        if not file.is_zip:
            yield file
            continue
        with ExitStack() as stack:
            try:
                content = file.read()
                if content.count(b"PK\1\2") > _MOST_FILES:  # listing them would take too much memory
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
