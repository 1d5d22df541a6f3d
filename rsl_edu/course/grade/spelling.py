"""One name, as different tables and file names write it."""

from __future__ import annotations

import unicodedata


def turned(name: str) -> str:
    """``Lovelace, Ada``, as Canvas writes it, as ``Ada Lovelace``."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def letters(name: str, also: str = "") -> str:
    """Letters, digits and their marks in a name: what Canvas writes into file names, but without ``_``.

    Args:
        name: The name.
        also: What else is kept.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in text if letter in also or is_word(letter))


def is_word(letter: str) -> bool:
    """Whether this is a letter, a digit, or a mark that belongs to one, such as an accent or a vowel sign."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def orders(name: str) -> list[str]:
    """``Ada King Lovelace``, and the same with each of the other words first: ``King Lovelace Ada``.

    Canvas puts the last name first, and where it begins nobody can tell.
    """
    words = name.split()
    return [" ".join((*words[at:], *words[:at])) for at in range(len(words))]
