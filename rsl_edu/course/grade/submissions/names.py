"""Identification of a file's student, by the names that Moodle and Canvas give to exported files.

A name counts only at the level of the class, where the export puts it; below that level, students choose the names.

Moodle (``mod/assign/locallib.php``, ``download_submissions``; since 4.1 ``mod/assign/classes/downloader.php``) writes
``Full Name_ID_assignsubmission_file`` and removes each ``_`` from the full name. Since 4.1 this is the name of the
folder; from 3.1 to 4.0 the folder has an additional ``_`` at its end. Without folders, the student's file name follows.
If groups hand in, the name is ``Group-Full Name_ID``, or since 4.1 ``Group_ID`` with the number of the *group*, or the
name of the default group without a number. If names are hidden, the name is a word in the language of the course, such
as ``Participant``.

Canvas (``lib/content_zipper.rb``, ``get_filename`` and ``add_upload_submission``) writes
``lastfirst_LATE_USER_ATTACHMENT_file``: the sortable name, or the group's name, in lower case with only letters,
diacritics, digits and ``_`` (``[[:word:]]``). Canvas removes ``_12_`` from names, but not ``_12`` at the end: it
mistakes a student called ``ada_12`` for ``ada`` with the ID 12, even when graded files are uploaded; the gradebook then
reports that the name does not fit the ID. Hidden names are ``anon_xxxxx``, where the five characters are not a user's
ID. Submitted texts and links are ``lastfirst_USER_text.html`` and ``lastfirst_USER_link.html``.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from rsl_edu.printable import printable

from ..spelling import is_word

_LONGEST = 120
_MOODLE = re.compile(r"(?s)(?P<name>[^_]*)(?:_(?P<id>\d+))?_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
_CANVAS = re.compile(
    r"(?s)(?:(?P<late>LATE_)?(?P<anonymous>anon_[^\W_]+)|(?P<name>.+?)(?P<LATE>_LATE)?_(?P<id>\d+))"
    r"_(?:(?P<attachment>\d+)_(?P<file>.+)|(?:text|link)\.html)"
)


@dataclass(frozen=True)
class Student:
    """A student, or a group, who handed in a file.

    Attributes:
        name: The name in the export.
        identifier: Moodle's number of the participant or group, or Canvas's user ID; may be empty.
    """

    name: str
    identifier: str = ""


@dataclass(frozen=True)
class Origin:
    """Information about a file in its path.

    Attributes:
        student: The student who handed it in.
        exported: Whether Moodle or Canvas gave the name.
        late: Whether the file is late; only Canvas reports this.
        attachment: Canvas's number of the file, which grows with each upload; 0 elsewhere.
    """

    student: Student
    exported: bool = False
    late: bool = False
    attachment: int = 0


def origin(path: str) -> Origin:
    """Return the information in the first part of a path: a Moodle folder, a Canvas file name, or any name.

    Args:
        path: The path below the level of the class; it ends with ``/`` for a folder.
    """
    first, slash, _ = path.partition("/")
    if found := _MOODLE.fullmatch(first):
        return Origin(Student(found["name"], found["id"] or ""), exported=True)
    if not slash and (found := _CANVAS.fullmatch(first)) and (found["anonymous"] or _is_canvass(found["name"])):
        student = Student(found["anonymous"] or found["name"], found["id"] or "")
        late = bool(found["late"] or found["LATE"])
        return Origin(student, exported=True, late=late, attachment=int(found["attachment"] or 0))
    return Origin(Student(first if slash else PurePosixPath(first).stem))


def _is_canvass(name: str) -> bool:
    return name == name.lower() and all(letter == "_" or is_word(letter) for letter in name)


def shown(students: Iterable[Student]) -> dict[Student, str]:
    """Return a unique name for each student, in one line of plain text.

    If students have the same name, their identifiers are added: ``Ada Lovelace (101)``.
    """
    everyone = sorted(set(students), key=lambda student: (not student.identifier, student.name, student.identifier))
    texts = {student: _shortened(student.name) for student in everyone}
    shared = {text for text, times in Counter(texts.values()).items() if times > 1}
    names: dict[str, Student] = {}
    for student, text in texts.items():
        if text in shared and student.identifier:
            text = f"{text} ({student.identifier})"
        name, number = text, 1
        while name in names:  # names without identifiers that differ only in characters that cannot be shown
            number += 1
            name = f"{text} ({number})"
        names[name] = student
    return {student: name for name, student in names.items()}


def _shortened(name: str) -> str:
    return one_line(name)[:_LONGEST].strip() or "no name"


def one_line(text: str) -> str:
    """Return text in one line, without control characters."""
    return " ".join(printable(unicodedata.normalize("NFC", text), " ").split())
