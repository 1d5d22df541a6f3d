"""Lists of students that stay short, however large the class is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

Said = tuple[str, str]
"""A name, and what is said of it."""
MOST = 8
"""How many lines of one kind, or names in a line, are shown."""
_FEW = 3  # names in the line that stands for many


def listed(said: Iterable[Said]) -> list[str]:
    """Return a line for each student, and one for all where the same, or nearly the same, is said of more than MOST.

    Args:
        said: Names, and what is said of each. Texts are of one kind if they begin alike, up to a colon or a number.

    Returns:
        The lines: those on one student first.
    """
    kinds: dict[str, list[Said]] = defaultdict(list)
    for name, text in said:
        kinds[_kind(text)].append((name, text))
    alone = [f"{name}: {text}" for its in kinds.values() if len(its) <= MOST for name, text in its]
    return [*alone, *(_for_all(its) for its in kinds.values() if len(its) > MOST)]


def named(names: Sequence[str], most: int = MOST) -> str:
    """Return names in a line, and how many more there are.

    Args:
        names: All names.
        most: How many are shown.
    """
    more = len(names) - most
    return "; ".join([*names[:most], *([f"and {more} more"] if more > 0 else [])])


def _kind(text: str) -> str:
    """The words of a text that do not differ from student to student."""
    return re.split(r"[:\d]", text.lstrip("0123456789. "))[0]


def _for_all(its: Sequence[Said]) -> str:
    texts = {text for _, text in its}
    names = [name for name, _ in its]
    if len(texts) == 1:
        return f"{len(its)} students: {its[0][1]}: {named(names, _FEW)}"
    return f"{len(its)} students, such as {names[0]}: {its[0][1]}. The others: {named(names[1:], _FEW)}"
