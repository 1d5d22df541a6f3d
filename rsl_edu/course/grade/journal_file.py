"""The journal's file: lines of JSON that survive a power failure and include all tables that were written.

This module does not import torch, so that ``rsl-edu mark`` starts quickly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class JournalError(ValueError):
    """Raised for a file that is not a journal of the grader."""


@dataclass(frozen=True)
class Written:
    """A table of grades that was written.

    Attributes:
        table: The complete table, as CSV.
        assignment: Name of the assignment.
        most: Points of each exercise.
        notebooks: Digest of the notebook that counts, by the name of the student; empty if unknown.
    """

    table: str
    assignment: str
    most: dict[str, float]
    notebooks: dict[str, str] = field(default_factory=dict)


def file_of(out: Path) -> Path:
    """Return the journal that belongs to a table of grades."""
    return out.with_suffix(".journal.jsonl")


def lines(path: Path) -> Iterator[Any]:
    """Yield the contents of a journal's lines; incomplete lines are left out."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                continue


def append(path: Path, fields: dict[str, Any]) -> None:
    """Append a line, and wait until it is on the disk."""
    with path.open("a", encoding="utf-8") as file:
        if file.tell() and not _ends_a_line(path):
            file.write("\n")
        file.write(json.dumps(fields) + "\n")
        file.flush()
        os.fsync(file.fileno())


def as_written(line: Any) -> Written | None:
    """Return the table in a line of the journal; None if the line contains no table."""
    try:
        most = {str(name): float(points) for name, points in line["most"].items()}
        notebooks = {str(name): str(digest) for name, digest in line.get("notebooks", {}).items()}
        return Written(str(line["table"]), str(line["assignment"]), most, notebooks)
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def last_written(path: Path) -> Written:
    """Return the table that was written last according to a journal.

    Raises:
        JournalError: If the journal contains no table.
    """
    found = None
    for line in lines(path):
        found = as_written(line) or found
    if found is None:
        raise JournalError(f"{path}: expected the journal of `rsl-edu grade`, which is next to its table")
    return found


def keep(path: Path, written: Written) -> None:
    """Store in a journal the table that is being written, so that later edits of the table can be detected."""
    append(path, asdict(written))


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
