"""Roster of a course: a table of your own, Moodle's grading worksheet, or Canvas's gradebook.

The column *Status* of Moodle's worksheet also states how late a submission is, such as
``Submitted for grading - 2 days 3 hours late`` (:mod:`.moodle_status`), and another column contains the time of the
submission.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from . import moodle_status, spreadsheet
from .spelling import letters, orders, turned
from .spreadsheet import SheetError

_COLUMNS = {
    "name": ("name", "full name", "student", "student name", "vollständiger name", "nombre completo", "nom complet"),
    "first": ("first name", "firstname", "given name", "vorname", "nombre", "prénom"),
    "last": ("last name", "lastname", "surname", "family name", "nachname", "apellido(s)", "nom de famille"),
    "identifier": ("identifier", "id", "student id", "user id", "canvas id", "participant", "teilnehmer/in"),
    "email": ("email", "email address", "e-mail", "mail", "e-mail-adresse", "e-mail address"),
    "login": ("login", "username", "user name", "login id", "sis login id", "anmeldename"),
    "section": ("section", "group", "class", "gruppe"),
    "late_hours": ("late_hours", "late hours", "hours late"),
    "submitted": (
        *("submitted", "submitted at", "submission time", "handed in", "last modified (submission)"),
        *("zuletzt geändert (abgabe)", "dernière modification (travail remis)", "última modificación (entrega)"),
    ),
    "status": ("status", "statut", "estado"),
}
"""Names of the columns, in lower case."""
_NO_STUDENT = "points possible"  # a row in Canvas's gradebook that is not a student
_TEST_STUDENT = ("student, test", "test student")
_PARTICIPANT = re.compile(r"[^\W\d][^\d]* ?\d+")  # in Moodle's worksheet: Participant 101, Teilnehmer/in 101
_NO_TIME = ("", "-", "–", "—")
_TIMES = (  # Moodle's English formats, and numeric formats whose order is unambiguous
    *("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%A, %B %d, %Y, %I:%M %p"),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M", "%d.%m.%Y"),
)


@dataclass(frozen=True)
class Person:
    """Someone who takes part in the course.

    Attributes:
        name: The name, followed by the identifier or the e-mail address if two people have the same name.
        identifier: Identifier on the learning platform; only its digits if it has any, so Moodle's ``Participant 101``
            becomes ``101``.
        email: The e-mail address.
        login: The login name.
        section: The section of the class.
        late_hours: How many hours late the submission is; None if the table does not state it.
        submitted: Time of the submission; None if the table does not state it.
        sortable: ``Last, First`` if the table has a column for each; otherwise empty.
        unread: Text in the table that should be a time but cannot be read; empty if there is none.
        nothing: Whether nothing was handed in according to Moodle's worksheet.
        draft: Whether the submission is only a draft according to Moodle's worksheet.
        test: Whether this is Canvas's test student, an account in which instructors see a course as students do.
    """

    name: str
    identifier: str = ""
    email: str = ""
    login: str = ""
    section: str = ""
    late_hours: float | None = None
    submitted: datetime.datetime | None = None
    sortable: str = ""
    unread: str = ""
    nothing: bool = False
    draft: bool = False
    test: bool = False


class Roster:
    """People in a course, who are found by identifier or name, without guessing.

    Args:
        people: The people, in the order of the table.
    """

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.people = tuple(people)
        self._by_identifier = _unique((person.identifier, person) for person in self.people)
        self._by_name = _unique(
            (key, person) for person in self.people for key in {*map(normal, _names(person)), _sortable(person)}
        )

    def find(self, name: str, identifier: str = "") -> Person | None:
        """Return the person who handed in a submission; None if there is no certain match.

        Identifiers from different tables may mean different people, so an identifier counts only if the name fits.

        Args:
            name: The name in the submission; it may be an e-mail address or a login name instead.
            identifier: The identifier, which is tried first.
        """
        numbered = self._by_identifier.get(identifier)
        if numbered is not None and _agree(name.removesuffix(f" ({identifier})"), numbered):
            return numbered
        return self._by_name.get(normal(name)) or self._by_name.get(normal(turned(name)))

    def with_test_student(self, gradebook: Roster) -> Roster:
        """Return the roster with the test student from Canvas's gradebook, whom your own roster does not contain."""
        if any(person.test for person in self.people):
            return self
        return Roster([*self.people, *(person for person in gradebook.people if person.test)])

    def has(self, identifier: str) -> bool:
        """Return whether somebody has this identifier."""
        return any(person.identifier == identifier for person in self.people)


def read(path: Path) -> Roster:
    """Read a roster.

    Raises:
        SheetError: If the table cannot be read, or has no column of names.
    """
    header, *rows = spreadsheet.read(path)
    places = _places(header, rows)
    if "name" not in places and not {"first", "last"} <= places.keys():
        allowed = ", ".join(_COLUMNS["name"][:3])
        says = f"expected a column called {allowed}, or one column each for first and last names"
        raise SheetError(f"{path}: {says}; got {', '.join(header)}")
    people = []
    for row in rows:
        said = {kind: row[place] for kind, place in places.items()}
        name = said.get("name") or f"{said.get('first', '')} {said.get('last', '')}".strip()
        if name and normal(name) != _NO_STUDENT:
            people.append(_person(path, name, said))
    names = Counter(normal(person.name) for person in people)
    return Roster(_told_apart(person) if names[normal(person.name)] > 1 else person for person in people)


def normal(name: str) -> str:
    """Return a name in a form that does not depend on spaces, capitals and the encoding of accents."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _agree(name: str, person: Person) -> bool:
    """Return whether a name in an export can be the name of this person.

    Canvas puts the last name first and keeps only letters and digits; Moodle may put a group in front.
    """
    known = {letters(order) for its in (person.name, _bare(person)) for order in orders(its)}
    return letters(name) in known or any(name.endswith(f"-{its}") for its in (person.name, _bare(person)))


def _names(person: Person) -> tuple[str, ...]:
    return person.name, turned(person.name), person.email, person.login


def _sortable(person: Person) -> str:
    """Return the name as in Canvas's file names; empty if it is unknown where the last name begins."""
    return normal(letters(person.sortable or (person.name if "," in person.name else ""), also="_"))


def _bare(person: Person) -> str:
    """Return a name without the number in ``Wei Li (101)`` or, if names are hidden, in ``Participant 101``."""
    return person.name.removesuffix(f" ({person.identifier})").removesuffix(person.identifier).rstrip()


def _unique(found: Iterable[tuple[str, Person]]) -> Mapping[str, Person]:
    """Return the keys that belong to only one person."""
    pairs = [(key, person) for key, person in found if key]
    times = Counter(key for key, _ in pairs)
    return {key: person for key, person in pairs if times[key] == 1}


def _places(header: list[str], rows: list[list[str]]) -> dict[str, int]:
    """Return the indices of known columns; Moodle's worksheet begins with the number and the name in every language."""
    names = [normal(name) for name in header]
    found = ((kind, names.index(name)) for kind, known in _COLUMNS.items() for name in known if name in names)
    places: dict[str, int] = {}
    for kind, place in found:
        places.setdefault(kind, place)
    is_moodles = bool(rows) and all(_PARTICIPANT.fullmatch(row[0]) for row in rows) and len(header) > 5
    if is_moodles and not places.keys() & {"name", "last"}:
        hidden = places.get("status") == 1  # names are hidden, so the number serves as the name
        places |= {"identifier": 0, "name": 0 if hidden else 1}
    return places


def _person(path: Path, name: str, said: Mapping[str, str]) -> Person:
    identifier = said.get("identifier", "")
    digits = re.fullmatch(r".*?(\d+)", identifier)
    hours = said.get("late_hours", "")
    late = spreadsheet.number(hours)
    if hours and late is None:
        raise SheetError(f"{path}, {name}: expected a number of late hours, got {hours!r}")
    time, text = said.get("submitted", ""), said.get("status", "")
    status = moodle_status.read(text, time)
    of_another_due_date = status.extended and status.unread
    submitted = None if of_another_due_date else _time(time)
    unread = text if status.unread else time if time not in _NO_TIME else ""
    return Person(
        name,
        digits[1] if digits else identifier,
        said.get("email", ""),
        said.get("login", ""),
        said.get("section", ""),
        status.late_hours if late is None else max(0.0, late),
        submitted,
        f"{said['last']}, {said['first']}" if said.get("last") and said.get("first") else "",
        unread if submitted is None else "",
        status.nothing,
        status.draft,
        normal(name) in _TEST_STUDENT,
    )


def _told_apart(person: Person) -> Person:
    other = person.identifier or person.email or person.login
    return replace(person, name=f"{person.name} ({other})") if other else person


def _time(text: str) -> datetime.datetime | None:
    """Parse a time in ISO format, or in one of ``_TIMES``; return None if it is in a different format."""
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except ValueError:
        pass
    for form in _TIMES:
        try:
            return datetime.datetime.strptime(text, form).astimezone()
        except ValueError:
            pass
    return None
