"""Make text from others safe to display, so that it cannot control a terminal or a page."""

from __future__ import annotations

import unicodedata


def printable(text: str, replacement: str = "?", keep: str = "") -> str:
    """Replace all unprintable characters of a text, and turn every kind of space into a plain space.

    Args:
        text: Text from someone else: the contents of a file, a name, a message.
        replacement: Replacement for each such character.
        keep: Characters to keep although they cannot be printed, such as a line break.
    """
    spaced = (" " if unicodedata.category(letter) == "Zs" else letter for letter in text)
    return "".join(letter if letter.isprintable() or letter in keep else replacement for letter in spaced)
