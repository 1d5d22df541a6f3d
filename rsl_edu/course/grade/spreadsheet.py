"""Reading of tables from spreadsheets and learning platforms, with any separator and in any of the usual encodings."""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path


class SheetError(ValueError):
    """A table that cannot be used; the text names the file and states what is allowed."""


def read(path: Path) -> list[list[str]]:
    """Return the cells of a table, without empty lines; each row has at least as many cells as the first.

    Raises:
        SheetError: If the table cannot be read, or is empty.
    """
    try:
        rows = cells(path.read_bytes())
    except OSError as error:
        raise SheetError(f"{path}: {error.strerror or error}") from None
    except (UnicodeError, csv.Error) as error:
        raise SheetError(f"{path}: expected a table in CSV ({error})") from None
    if not rows:
        raise SheetError(f"{path}: expected a table in CSV, got an empty file")
    return [row + [""] * (len(rows[0]) - len(row)) for row in rows]


def cells(content: bytes) -> list[list[str]]:
    """Return the cells of a table, without the spaces around them.

    The separator is whichever of ``,``, ``;`` and tab is most frequent in the first line: spreadsheets use ``;`` in
    countries where numbers have a decimal comma.

    Raises:
        UnicodeError: If the content is not text.
        csv.Error: If the content is not a table.
    """
    text = _decoded(content)
    first = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    return [row for row in ([cell.strip() for cell in row] for row in reader) if any(row)]


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """Return a table in CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")  # encoding of spreadsheets on Windows if not UTF-8


def number(text: str) -> float | None:
    """Return the number in a cell, with a decimal point or comma; None if there is none."""
    try:
        value = float(text.replace(",", ".", 1))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def same(one: str, other: str) -> bool:
    """Return whether two cells contain the same value: a spreadsheet may write ``2.5`` as ``2,50``."""
    numbers = number(one), number(other)
    return one == other or (None not in numbers and numbers[0] == numbers[1])
