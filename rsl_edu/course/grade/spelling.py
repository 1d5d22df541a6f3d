"""Different spellings of a name in tables and file names."""

from __future__ import annotations

import unicodedata


def turned(name: str) -> str:
    """Convert ``Lovelace, Ada``, as in Canvas, to ``Ada Lovelace``."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def letters(name: str, also: str = "") -> str:
    """Return the letters, digits and diacritics of a name, as Canvas does in file names, but without ``_``.

    Args:
        name: The name.
        also: Further characters to keep.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in text if letter in also or is_word(letter))


def is_word(letter: str) -> bool:
    """Return whether this is a letter, a digit, or a combining mark such as an accent or a vowel sign."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def orders(name: str) -> list[str]:
    """Return all rotations of a name: ``Ada King Lovelace``, ``King Lovelace Ada``, ...

    Canvas puts the last name first, but does not show where it begins.
    """
    words = name.split()
    return [" ".join((*words[at:], *words[:at])) for at in range(len(words))]
