"""Find the regions of a cell that lie between two marker lines, in the same way as nbgrader does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
MARK_SCHEME = ("### BEGIN MARK SCHEME", "### END MARK SCHEME")


class MarkerError(ValueError):
    """The error for begin and end markers that do not alternate.

    Attributes:
        line: Number of the line, from 1.
    """

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True)
class Region:
    """The text between two markers.

    Attributes:
        begin: Number of the line with the first marker, from 1.
        end: Number of the line with the second marker.
        indent: Indentation of the first marker.
        body: The lines in between, each with its newline.
        function: Name of the function, method or class that contains the region, or an empty string.
    """

    begin: int
    end: int
    indent: str
    body: str
    function: str


def regions(source: str, markers: tuple[str, str]) -> list[Region]:
    """Return the regions of a cell.

    As in nbgrader, any line that contains the words of a marker is a marker.

    Raises:
        MarkerError: If the two markers do not alternate.
    """
    first, last = (marker.lstrip("# ") for marker in markers)
    lines, found, begin = source.split("\n"), [], 0
    for number, line in enumerate(lines, 1):
        if first not in line and last not in line:
            continue
        if (first in line) == bool(begin):
            raise MarkerError(number, f"{markers[0]!r} and {markers[1]!r} must alternate, each on a line of its own")
        if begin:
            indent = lines[begin - 1][: -len(lines[begin - 1].lstrip())]
            body = "".join(f"{inner}\n" for inner in lines[begin : number - 1])
            found.append(Region(begin, number, indent, body, _function_of(lines[: begin - 1], indent)))
        begin = 0 if begin else number
    if begin:
        raise MarkerError(begin, f"{markers[0]!r} without {markers[1]!r}")
    return found


def replaced(source: str, markers: tuple[str, str], change: Callable[[Region], str]) -> str:
    """Return a cell in which each region and its markers are replaced by other lines, or by nothing."""
    lines = source.split("\n")
    for region in reversed(regions(source, markers)):
        new = change(region)
        lines[region.begin - 1 : region.end] = new.removesuffix("\n").split("\n") if new else []
    return "\n".join(lines).rstrip("\n")


def without(source: str, markers: tuple[str, str]) -> str:
    """Return a cell without its regions."""
    return replaced(source, markers, lambda _: "")


def unmarked(source: str, markers: tuple[str, str]) -> str:
    """Return a cell without the markers of its regions."""
    return replaced(source, markers, lambda region: region.body)


def inside(source: str, markers: tuple[str, str]) -> str:
    """Return only the text inside the regions of a cell."""
    return "".join(region.body for region in regions(source, markers))


def _function_of(lines: list[str], indent: str) -> str:
    """Return the name of the function, method or class that a line with ``indent`` after ``lines`` belongs to."""
    for line in reversed(lines):
        heading = re.match(r"([ \t]*)(?:async[ ]+)?(?:def|class)[ ]+(\w+)", line)
        if heading and len(heading[1]) < len(indent):
            return heading[2]
    return ""
