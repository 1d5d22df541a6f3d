"""Reads the column *Status* in Moodle's grading worksheet.

Its parts are separated by `` - `` (moodle/moodle: ``mod/assign/gradingtable.php``, ``col_status``, with
``format_time`` of ``lib/moodlelib.php``): the state of the submission; how late it is, after the due date or after the
extension if there is one; how long it is overdue if nothing was handed in; and the end of an extension, which is the
only part with a date. So some parts can be understood in any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_SUBMITTED = "Submitted"
_NOTHING = "No submission"
_DRAFT = ("Draft", "Entwurf", "Brouillon", "Borrador")
_LATE = re.compile(r"(?P<time>.*\d.*) late")
_DATE = re.compile(r"(?<!\d)\d{4}(?!\d)")  # the year
_UNITS = {"year": 8760.0, "day": 24.0, "hour": 1.0, "min": 1 / 60, "sec": 1 / 3600}


@dataclass(frozen=True)
class Status:
    """Meaning of a status.

    Attributes:
        late_hours: How many hours late the submission is, counted from the end of the extension if there is one; 0 if
            the extension was met; None if the status does not state it.
        unread: Whether the status states how late the submission is, but in words that cannot be read.
        extended: Whether an extension was granted, so that other due dates do not count.
        nothing: Whether nothing was handed in.
        draft: Whether there is only a draft that was not submitted.
    """

    late_hours: float | None = None
    unread: bool = False
    extended: bool = False
    nothing: bool = False
    draft: bool = False


def read(text: str, time: str) -> Status:
    """Read a status.

    Args:
        text: The status, in any language; the lateness can only be read in English.
        time: The text in the column with the time of the submission; ``-`` if there is none.
    """
    what, *others = text.split(" - ")
    if what.startswith(_NOTHING) or (what and time == "-" and not what.startswith((_SUBMITTED, *_DRAFT))):
        return Status(nothing=True)
    extended = any(_DATE.search(part) for part in others)
    late = [part for part in others if re.search(r"\d", part) and not _DATE.search(part)]
    hours = [sum(_hours(found["time"])) for part in late if (found := _LATE.fullmatch(part))]
    if hours:
        late_hours: float | None = hours[0]
    else:
        late_hours = 0.0 if extended and not late else None
    return Status(late_hours, bool(late) and not hours, extended, draft=what.startswith(_DRAFT))


def _hours(time: str) -> Iterator[float]:
    for count, unit in re.findall(r"(\d+) (year|day|hour|min|sec)", time):
        yield int(count) * _UNITS[unit]
