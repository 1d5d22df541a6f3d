"""Reads and writes a table in which some cells change and everything else stays the same."""

from __future__ import annotations

import codecs
import csv
import io
import math
from dataclasses import dataclass

from . import TemplateError

_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass
class Sheet:
    """The cells of a table, and the format of its file.

    Attributes:
        rows: The cells with all their spaces; the first row is the header.
        separator: Text between cells.
        newline: Text between rows.
        encoding: Encoding of the text.
        bom: Byte order mark before the text, or empty.
    """

    rows: list[list[str]]
    separator: str = ","
    newline: str = "\r\n"
    encoding: str = "utf-8"
    bom: bytes = b""

    @classmethod
    def read(cls, content: bytes) -> Sheet:
        """Return the table in a file.

        Args:
            content: Text in UTF-8, in UTF-16 with a BOM, or in cp1252 (spreadsheets on Windows); other encodings are
                kept byte for byte as Latin-1. The separator is whichever of ``,``, ``;`` and tab gives the header the
                most columns.

        Raises:
            TemplateError: If the content is not a table.
        """
        bom = next((bom for bom in _BOMS if content.startswith(bom)), b"")
        encodings = [_BOMS[bom]] if bom else ["utf-8", "cp1252", "latin-1"]
        encoding = next((each for each in encodings if _is_text(content[len(bom) :], each)), "")
        if not encoding:
            raise TemplateError(f"expected a table in CSV, got a file that is not valid {encodings[0].upper()}")
        text = content[len(bom) :].decode(encoding)
        newline = "\r\n" if "\r\n" in text else "\n"
        separator = max(",;\t", key=lambda each: len(_rows(text.partition("\n")[0], each)[0]))
        rows = _rows(text, separator)
        if not any(rows[0]):
            raise TemplateError("expected a table with a header, got an empty file")
        return cls(rows, separator, newline, encoding, bom)

    def write(self) -> bytes:
        """Return the content of the file."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator, lineterminator=self.newline).writerows(self.rows)
        return self.bom + text.getvalue().encode(self.encoding, "replace")

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        return [name.strip() for name in self.rows[0]]

    def cell(self, row: int, column: int) -> str:
        """Return a cell without the spaces around it; empty if the row is too short."""
        cells = self.rows[row]
        return cells[column].strip() if column < len(cells) else ""

    def fill(self, row: int, column: int, text: str) -> None:
        """Set a cell; characters that the encoding may lack are written as HTML entities: ``&#233;``."""
        if not self.encoding.startswith("utf"):
            text = text.encode("ascii", "xmlcharrefreplace").decode()
        cells = self.rows[row]
        cells += [""] * (column + 1 - len(cells))
        cells[column] = text


def _is_text(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: str, separator: str) -> list[list[str]]:
    limit = csv.field_size_limit(len(text) + 1)  # a cell may contain an entire text submission
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise TemplateError(f"expected a table in CSV ({error})") from None
    finally:
        csv.field_size_limit(limit)
    return rows or [[]]


def number(text: str) -> float | None:
    """Return the number in a cell, with a decimal point or comma; None if there is none."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def points(value: float, like: str = "") -> str:
    """Format points with two decimals, as Moodle and Canvas do.

    Args:
        value: The points.
        like: A number from the table; if it has a decimal comma, the points get one, too.
    """
    text = f"{value:.2f}"
    return text.replace(".", ",") if "," in like else text


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet treats as a formula."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠") else text
