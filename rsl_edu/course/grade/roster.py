"""Who takes part in a course: a table of one's own, Moodle's grading worksheet, or Canvas's gradebook.

Moodle's and Canvas's tables say more than names. The column *Status* of Moodle's worksheet says how late a submission
is, such as ``Submitted for grading - 2 days 3 hours late`` (:mod:`.moodle_status`), and another column has when it was
handed in.
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
"""Names of the columns, in small letters."""
_NO_STUDENT = "points possible"  # a row of Canvas's own
_TEST_STUDENT = ("student, test", "test student")
_PARTICIPANT = re.compile(r"[^\W\d][^\d]* ?\d+")  # in Moodle's worksheet: Participant 101, Teilnehmer/in 101
_NO_TIME = ("", "-", "–", "—")
_TIMES = (  # as Moodle writes them in English, and numbers whose order is certain
    *("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%A, %B %d, %Y, %I:%M %p"),
    *("%d.%m.%Y %H:%M", "%d.%m.%Y, %H:%M", "%d.%m.%Y"),
)


@dataclass(frozen=True)
class Person:
    """Someone who takes part in the course.

    Attributes:
        name: The name; where two have the same, with the identifier or the e-mail address behind it.
        identifier: What the learning platform calls this person; digits only, if there are any: Moodle's
            ``Participant 101`` is ``101``.
        email: The e-mail address.
        login: The name for logging in.
        section: The section of the class.
        late_hours: How many hours late the submission is; None if the table does not say.
        submitted: When it was handed in; None if the table does not say.
        sortable: ``Last, First``, where the table has a column for each; else empty.
        unread: What the table says instead of a time that can be read; empty if there is nothing to read.
        nothing: Whether Moodle's worksheet says that nothing was handed in.
        draft: Whether Moodle's worksheet says that it is a draft, not submitted.
        test: Whether it is Canvas's test student, through whom instructors see a course as students do.
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
    """Everybody who takes part, found by identifier or name; nobody is guessed.

    Args:
        people: Everybody, in the order of the table.
    """

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.people = tuple(people)
        self._by_identifier = _unique((person.identifier, person) for person in self.people)
        self._by_name = _unique(
            (key, person) for person in self.people for key in {*map(normal, _names(person)), _sortable(person)}
        )

    def find(self, name: str, identifier: str = "") -> Person | None:
        """Return who this is; None if nobody is, or if it is not certain.

        Numbers of different tables may mean different people, so a number counts only if the name agrees with it.

        Args:
            name: The name as a submission has it, or an e-mail address, or a name for logging in.
            identifier: The identifier, which is asked for first.
        """
        numbered = self._by_identifier.get(identifier)
        if numbered is not None and _agree(name.removesuffix(f" ({identifier})"), numbered):
            return numbered
        return self._by_name.get(normal(name)) or self._by_name.get(normal(turned(name)))

    def with_test_student(self, gradebook: Roster) -> Roster:
        """Return everybody, and the test student of Canvas's gradebook, whom a roster of one's own does not have."""
        if any(person.test for person in self.people):
            return self
        return Roster([*self.people, *(person for person in gradebook.people if person.test)])

    def has(self, identifier: str) -> bool:
        """Whether somebody has this identifier."""
        return any(person.identifier == identifier for person in self.people)


def read(path: Path) -> Roster:
    """Read a table of everybody who takes part.

    Raises:
        SheetError: If it cannot be read, or has no column of names.
    """
    header, *rows = spreadsheet.read(path)
    places = _places(header, rows)
    if "name" not in places and not {"first", "last"} <= places.keys():
        allowed = ", ".join(_COLUMNS["name"][:3])
        says = f"expected a column called {allowed}, or two for the first and the last name"
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
    """A name without what writing it differently changes: spaces, capitals, and how accents are encoded."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _agree(name: str, person: Person) -> bool:
    """Whether a name in an export can be a person's.

    Canvas puts the last name first and leaves only letters and digits, Moodle may put a group before it.
    """
    known = {letters(order) for its in (person.name, _bare(person)) for order in orders(its)}
    return letters(name) in known or any(name.endswith(f"-{its}") for its in (person.name, _bare(person)))


def _names(person: Person) -> tuple[str, ...]:
    return person.name, turned(person.name), person.email, person.login


def _sortable(person: Person) -> str:
    """The name in file names of Canvas; empty if it is not known where the last name begins."""
    return normal(letters(person.sortable or (person.name if "," in person.name else ""), also="_"))


def _bare(person: Person) -> str:
    """The name without the number: that of ``Wei Li (101)``, and of ``Participant 101`` where names are hidden."""
    return person.name.removesuffix(f" ({person.identifier})").removesuffix(person.identifier).rstrip()


def _unique(found: Iterable[tuple[str, Person]]) -> Mapping[str, Person]:
    """What belongs to one person only."""
    pairs = [(key, person) for key, person in found if key]
    times = Counter(key for key, _ in pairs)
    return {key: person for key, person in pairs if times[key] == 1}


def _places(header: list[str], rows: list[list[str]]) -> dict[str, int]:
    """Where the known columns are; in Moodle's worksheet, whatever its language, the number and the name come first."""
    names = [normal(name) for name in header]
    found = ((kind, names.index(name)) for kind, known in _COLUMNS.items() for name in known if name in names)
    places: dict[str, int] = {}
    for kind, place in found:
        places.setdefault(kind, place)
    is_moodles = bool(rows) and all(_PARTICIPANT.fullmatch(row[0]) for row in rows) and len(header) > 5
    if is_moodles and not places.keys() & {"name", "last"}:
        hidden = places.get("status") == 1  # the names are: each is called by the number
        places |= {"identifier": 0, "name": 0 if hidden else 1}
    return places


def _person(path: Path, name: str, said: Mapping[str, str]) -> Person:
    identifier = said.get("identifier", "")
    digits = re.fullmatch(r".*?(\d+)", identifier)
    hours = said.get("late_hours", "")
    late = spreadsheet.number(hours)
    if hours and late is None:
        raise SheetError(f"{path}, {name}: late hours: expected a number, got {hours!r}")
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
    """A time in ISO's format, or one of ``_TIMES``; None if it is none."""
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
