"""What the column *Status* of Moodle's grading worksheet says of a submission.

Its parts stand one behind the other with `` - `` between them (moodle/moodle: ``mod/assign/gradingtable.php``,
``col_status``, with ``format_time`` of ``lib/moodlelib.php``): what was handed in; how late it is, past the due date or
past the extension if there is one; how long it is overdue if nothing was handed in; and until when an extension was
granted, the only part with a date. So some of it can be told in any language.
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
    """What a status says.

    Attributes:
        late_hours: How many hours late, past an extension if there is one; 0 if an extension was kept; None if it does
            not say.
        unread: Whether it says so in words that cannot be read.
        extended: Whether an extension was granted, so that another due date does not count.
        nothing: Whether nothing was handed in.
        draft: Whether it is a draft that was not submitted.
    """

    late_hours: float | None = None
    unread: bool = False
    extended: bool = False
    nothing: bool = False
    draft: bool = False


def read(text: str, time: str) -> Status:
    """Read a status.

    Args:
        text: The status, in any language; how late a submission is can only be read in English.
        time: What the column of the time of the submission says: ``-`` if there is none.
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
