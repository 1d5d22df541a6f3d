"""Files to upload to learning platforms: :mod:`.moodle` and :mod:`.canvas` fill in tables that the platforms exported.

:mod:`.matching` finds the row of each student, and :mod:`.sheet` keeps everything else in a table unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """Points and comment for a student or a group.

    Attributes:
        name: Name of the student in the export or the roster.
        points: The points; None if there are none yet, so the cell stays unchanged.
        comment: Plain text for the student; empty if there is none, so the cell stays unchanged.
        identifier: Moodle's participant number, or Canvas's user ID; empty if unknown.
        email: The e-mail address; empty if unknown.
        login: The login name; empty if unknown.
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
        content: Content of the file; with the template's encoding and separators if there was a template.
        filled: Number of rows that got points or a comment.
        problems: Sentences about students for whom something is missing, such as a certain match in the template.
    """

    content: bytes
    filled: int
    problems: tuple[str, ...] = ()


class TemplateError(ValueError):
    """A template that cannot be filled in; the text says what to do."""
