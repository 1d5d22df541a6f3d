"""Text that others wrote, made fit to be shown: a terminal or a page must not obey what is in it."""

from __future__ import annotations

import unicodedata


def printable(text: str, replacement: str = "?", keep: str = "") -> str:
    """Return ``text`` with every character that cannot be printed replaced, and every kind of space a plain one.

    Args:
        text: What someone else wrote: a file's contents, a name, a message.
        replacement: What stands for such a character.
        keep: Characters that stay although they cannot be printed, such as a line break.
    """
    spaced = (" " if unicodedata.category(letter) == "Zs" else letter for letter in text)
    return "".join(letter if letter.isprintable() or letter in keep else replacement for letter in spaced)
