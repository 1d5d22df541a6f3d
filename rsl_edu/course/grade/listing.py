"""Lists of students that stay short even for a large class."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

Said = tuple[str, str]
"""A name and a message about it."""
MOST = 8
"""Largest number of lines of one kind, or of names in a line."""
_FEW = 3  # number of names in a line that summarizes many


def listed(said: Iterable[Said]) -> list[str]:
    """Return one line for each student; if more than MOST students have messages of the same kind, they share a line.

    Args:
        said: Names and messages. Messages are of the same kind if they are equal before their first colon or number.

    Returns:
        The lines; lines about a single student come first.
    """
    kinds: dict[str, list[Said]] = defaultdict(list)
    for name, text in said:
        kinds[_kind(text)].append((name, text))
    alone = [f"{name}: {text}" for its in kinds.values() if len(its) <= MOST for name, text in its]
    return [*alone, *(_for_all(its) for its in kinds.values() if len(its) > MOST)]


def named(names: Sequence[str], most: int = MOST) -> str:
    """Return names in one line, followed by the number of names that are not shown.

    Args:
        names: All names.
        most: Largest number of names to show.
    """
    more = len(names) - most
    return "; ".join([*names[:most], *([f"and {more} more"] if more > 0 else [])])


def _kind(text: str) -> str:
    """Return the part of a message that is the same for all students."""
    return re.split(r"[:\d]", text.lstrip("0123456789. "))[0]


def _for_all(its: Sequence[Said]) -> str:
    texts = {text for _, text in its}
    names = [name for name, _ in its]
    if len(texts) == 1:
        return f"{len(its)} students: {its[0][1]}: {named(names, _FEW)}"
    return f"{len(its)} students, such as {names[0]}: {its[0][1]}. The others: {named(names[1:], _FEW)}"
