"""What learning platforms take back: :mod:`.moodle` and :mod:`.canvas` write it, into tables that they exported.

:mod:`.matching` finds the row of each student, :mod:`.sheet` leaves everything else in a table as it was.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """What a student, or a group, gets.

    Attributes:
        name: The student, as the export or the roster says.
        points: The points; None if there are none yet, and then the cell stays as it is.
        comment: Plain text for the student; empty if there is none, and then the cell stays as it is.
        identifier: Moodle's number of the participant, Canvas's ID of the user; empty if unknown.
        email: The e-mail address; empty if unknown.
        login: The name for logging in; empty if unknown.
        section: The section of the class; empty if unknown.
    """

    name: str
    points: float | None = None
    comment: str = ""
    identifier: str = ""
    email: str = ""
    login: str = ""
    section: str = ""


@dataclass(frozen=True)
class Filled:
    """A table to upload.

    Attributes:
        content: The file; if there was a template, in its encoding and with its separators.
        filled: How many rows got points or a comment.
        problems: What is not in it, a sentence for each student, or for many: those who are not in the template, or not
            for certain.
    """

    content: bytes
    filled: int
    problems: tuple[str, ...] = ()


class TemplateError(ValueError):
    """A template that cannot be filled in; the text says what to do."""
