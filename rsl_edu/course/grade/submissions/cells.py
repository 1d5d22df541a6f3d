"""Cells of a notebook in any format since version 2; outputs are never read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

LARGEST = 10 << 20
"""Largest size of a notebook without its outputs, in bytes."""

_MOST_CODE = 1 << 20
_LEFT_OUT = (b"outputs", b"metadata", b"attachments")
_MARK = re.compile(rb'["\[\]{}]')
_MOST_MARKS = 20_000_000  # these take a few seconds
_IN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*){0,1000}', re.DOTALL)  # longer matches need too much memory


class ProblemError(ValueError):
    """Raised if a submission cannot be graded; the text becomes the status of the submission."""


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook.

    Attributes:
        code: Whether it is a code cell.
        source: Its source.
        id: nbgrader's ``grade_id``; empty if it has none.
    """

    code: bool
    source: str
    id: str = ""

    def same(self, other: Cell) -> bool:
        """Return whether another cell has the same source, except for surrounding empty lines and spaces."""
        return self.source.strip() == other.source.strip()


def code(content: bytes) -> list[str]:
    """Return the code cells of a notebook, as for :func:`all_cells`."""
    return [cell.source for cell in all_cells(content) if cell.code]


def all_cells(content: bytes) -> list[Cell]:
    """Return the cells of a notebook.

    Raises:
        ProblemError: If the content is not a notebook, or a notebook that cannot be graded.
    """
    if not content.strip():
        raise ProblemError("the file is empty")
    try:
        notebook = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProblemError(_why_none(content, error)) from None
    try:
        cells = [_cell(cell) for cell in _cells(notebook)]
    except (KeyError, TypeError):
        raise ProblemError("not a notebook") from None
    if sum(len(cell.source) for cell in cells if cell.code) > _MOST_CODE:
        raise ProblemError(f"more than {_MOST_CODE >> 20} MB of code")
    return cells


def _cells(notebook: Any) -> list[Any]:
    if "worksheets" in notebook:  # before version 4
        return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
    cells: list[Any] = notebook["cells"]
    return cells


def _cell(cell: Any) -> Cell:
    code, metadata = cell["cell_type"] == "code", cell.get("metadata")
    says = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    identity = says.get("grade_id") if isinstance(says, dict) else None
    try:
        source = cell["input"] if "input" in cell else cell["source"]  # before version 4: input
        text = source if isinstance(source, str) else "".join(source or [])  # null for an empty cell
    except (KeyError, TypeError):
        if code:
            raise
        text = ""  # text is not run, so a malformed text cell does not prevent grading
    return Cell(code, text.replace("\r\n", "\n"), identity if isinstance(identity, str) else "")


def _why_none(content: bytes, error: Exception) -> str:
    """Describe a file that cannot be read as JSON."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not content.strip(b"\0"):
        return "only zeros: the file was damaged when it was saved or handed in"
    if start[:1] == b"<" and start[:7] != b"<<<<<<<":
        return "a web page, not a notebook"
    if start[:4] == b"%PDF":
        return "a PDF, not a notebook"
    if start[:2] == b"PK":
        return "a zip or an office document, not a notebook"
    if re.search(rb"(?m)^<{7} ", content):
        return "a notebook with unsolved conflicts of git (<<<<<<<)"
    if isinstance(error, UnicodeDecodeError) and start[:1] == b"{":
        return "a notebook that is not in UTF-8"
    if isinstance(error, json.JSONDecodeError) and start[:1] == b"{" and _is_cut_off(error):
        return "a notebook whose end is missing"
    return "not a notebook"


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc.rstrip())


def without_outputs(content: bytes) -> bytes:
    """Return a notebook without its outputs, pictures and metadata, which are not parsed because they may be large.

    Raises:
        ProblemError: If the rest is still too large, or has too many brackets.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        content = content.decode("utf-16", "replace").encode()
    kept: list[bytes] = []
    since = depth = at = 0  # start of the part to keep; number of open brackets; current position
    key, key_end = b"", 0  # the previous string
    outside: int | None = None  # depth at which the part to leave out ends
    for _ in range(_MOST_MARKS):
        mark = _MARK.search(content, at)
        if mark is None:
            break
        begin, at = mark.span()
        if mark[0] == b'"':
            at = _end_of_string(content, at)
            key, key_end = content[begin + 1 : min(at, begin + 20)], at + 1
            at = key_end
        elif mark[0] in b"[{":
            if outside is None and key in _LEFT_OUT and content[key_end:begin].strip() == b":":
                kept.append(content[since:begin])
                outside = depth
            depth += 1
        else:
            depth -= 1
            if outside == depth:
                kept.append(b"null")
                since, outside = at, None
    else:
        raise ProblemError("outputs that are too large: clear the outputs and hand in the notebook again")
    if outside is None:
        kept.append(content[since:])
    if sum(map(len, kept)) > LARGEST:
        raise ProblemError(f"larger than {LARGEST >> 20} MB without its outputs")
    return b"".join(kept)


def _end_of_string(content: bytes, start: int) -> int:
    """Return the position of the quote that ends a string, or the end of the content."""
    end = start
    while True:
        match = _IN_STRING.match(content, end)
        assert match is not None  # the pattern also matches an empty string
        if match.end() == end or content[match.end() : match.end() + 1] != b"\\":
            return match.end()
        end = match.end()
