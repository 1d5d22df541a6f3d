"""Finds each student's row in a table, by identifier or else by exact name, without guessing."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..listing import Said
from ..spelling import letters, orders
from . import Entry


@dataclass(frozen=True)
class Line:
    """The student in a row of a table.

    Attributes:
        row: Index of the row in the table.
        identifier: The participant number or user ID.
        names: All forms of the name, and other unique data of the student, such as an e-mail address.
        group: The group that hands in together; empty if there is none.
    """

    row: int
    identifier: str
    names: tuple[str, ...]
    group: str = ""


def match(entries: Iterable[Entry], lines: Sequence[Line]) -> tuple[dict[int, Entry], list[Said]]:
    """Return the entry for each row, and messages about entries that match no row.

    Group names are matched first: Moodle numbers groups and participants independently, so a group's number may also be
    a participant's. For the same reason, an identifier counts only if the name does not contradict it. If two entries
    match the same row, it gets neither. An entry with neither points nor a comment is ignored, such as the entry of a
    student whose group handed in a submission.
    """
    index = _Index(lines)
    claims: dict[int, list[Entry]] = defaultdict(list)
    problems: list[Said] = []
    for entry in entries:
        found = index.find(entry)
        if isinstance(found, str):
            problems.append((entry.name, found))
            continue
        for line in found if entry.points is not None or entry.comment else ():
            claims[line.row].append(entry)
    twice = dict.fromkeys(tuple(claimed) for claimed in claims.values() if len(claimed) > 1)
    problems += [(" and ".join(entry.name for entry in claimed), "they match the same row") for claimed in twice]
    return {row: claimed[0] for row, claimed in claims.items() if len(claimed) == 1}, problems


class _Index:
    """Index of a table's rows by identifier, name and group."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.by_identifier: dict[str, list[Line]] = defaultdict(list)
        self.by_name: dict[str, list[Line]] = defaultdict(list)
        self.by_group: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            self.by_identifier[line.identifier].append(line)
            for name in {normal(name) for name in line.names}:
                self.by_name[name].append(line)
            if line.group:
                self.by_group[normal(line.group)].append(line)

    def find(self, entry: Entry) -> list[Line] | str:
        """Return the row of an entry, or all rows of a group. If there is none, return a message that explains why."""
        if group := self.by_group.get(normal(_bare(entry))):
            return group
        if entry.identifier:
            found = self.by_identifier.get(entry.identifier, [])
            if len(found) != 1:
                return f"{len(found) or 'no'} rows of the table have the number {entry.identifier}"
            if not _agree(entry, found[0]):
                return f"in the table, the number {entry.identifier} belongs to {found[0].names[0]}"
            return found
        for key in (entry.login, entry.email, entry.name):
            if key and (found := self.by_name.get(normal(key), [])):
                return found if len(found) == 1 else f"{len(found)} rows of the table have this name"
        return "nobody in the table has this name"


def normal(name: str) -> str:
    """Return a name in a form that does not depend on spaces, capitals and the encoding of accents."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _bare(entry: Entry) -> str:
    """Return ``Wei Li`` from ``Wei Li (101)``: names that two students share are followed by an identifier."""
    return entry.name.removesuffix(f" ({entry.identifier})")


def _agree(entry: Entry, line: Line) -> bool:
    """Return whether a name from a file name can belong to the student whose name is in a row.

    Moodle removes special characters (``clean_filename``), and up to version 4.0 puts the group in front; Canvas puts
    the last name first and keeps only letters and digits.
    """
    name = letters(_bare(entry), also="-")
    known = {its for name in line.names for order in orders(name) if (its := letters(order, also="-"))}
    without_group = any(name.endswith(f"-{its}") for its in known)
    return not known or without_group or name.replace("-", "") in {its.replace("-", "") for its in known}
