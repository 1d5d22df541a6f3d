"""Which row of a table is whose: by identifier, else by exact name; nobody is guessed."""

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
    """What a row of a table says of its student.

    Attributes:
        row: Its place in the table.
        identifier: The number of the participant, or the ID of the user.
        names: The name, in all forms that there are, and what else is the student's only, such as an e-mail address.
        group: The group that hands in together; empty if there is none.
    """

    row: int
    identifier: str
    names: tuple[str, ...]
    group: str = ""


def match(entries: Iterable[Entry], lines: Sequence[Line]) -> tuple[dict[int, Entry], list[Said]]:
    """Return what goes into which row, and what is to be said of each entry that goes nowhere.

    The name of a group counts first: Moodle numbers groups and participants apart, so the number of a group may be
    somebody's, too. For the same reason an identifier counts only if the name does not speak against it. A row that
    two entries claim gets neither; an entry with neither points nor comment claims none, as that of somebody whose
    group handed in.
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
    problems += [(" and ".join(entry.name for entry in claimed), "they claim the same row") for claimed in twice]
    return {row: claimed[0] for row, claimed in claims.items() if len(claimed) == 1}, problems


class _Index:
    """The rows of a table by all that they can be found by."""

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
        """Return the rows of an entry, several for a group, or why there is none."""
        if group := self.by_group.get(normal(_bare(entry))):
            return group
        if entry.identifier:
            found = self.by_identifier.get(entry.identifier, [])
            if len(found) != 1:
                return f"{len(found) or 'no'} rows there have the number {entry.identifier}"
            if not _agree(entry, found[0]):
                return f"the number {entry.identifier} is that of {found[0].names[0]} there"
            return found
        for key in (entry.login, entry.email, entry.name):
            if key and (found := self.by_name.get(normal(key), [])):
                return found if len(found) == 1 else f"{len(found)} rows there have this name"
        return "nobody there has this name"


def normal(name: str) -> str:
    """A name without what writing it differently changes: spaces, capitals, and how accents are encoded."""
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _bare(entry: Entry) -> str:
    """The name without what tells students of the same name apart: ``Wei Li (101)``."""
    return entry.name.removesuffix(f" ({entry.identifier})")


def _agree(entry: Entry, line: Line) -> bool:
    """Whether a name in a file name can be that in a row.

    Moodle takes special letters out of it (``clean_filename``), and up to 4.0 writes the group before it; Canvas
    puts the last name first and leaves letters and digits only.
    """
    name = letters(_bare(entry), also="-")
    known = {its for name in line.names for order in orders(name) if (its := letters(order, also="-"))}
    without_group = any(name.endswith(f"-{its}") for its in known)
    return not known or without_group or name.replace("-", "") in {its.replace("-", "") for its in known}
