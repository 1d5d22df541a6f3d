"""Untrusted text cannot control a terminal or a page."""

import pytest

from rsl_edu.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, é 中", "plain, é 中"),
        ("\x1b[2Jx", "?[2Jx"),
        ("a\u202eb", "a?b"),
        ("a\nb", "a?b"),
        ("", ""),
        ("\xab\xa0non\u202f\xbb\u3000x\u2028y", "« non » x?y"),  # French and Chinese spaces; a line separator
    ],
)
def test_unprintable_characters_are_replaced(text, shown):
    assert printable(text) == shown


def test_replacement_and_kept_characters_can_be_chosen():
    assert printable("a\nb\x00", replacement=" ", keep="\n") == "a\nb "
