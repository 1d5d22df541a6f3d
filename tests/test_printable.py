"""What others wrote cannot command a terminal or a page."""

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
        ("\xab\xa0non\u202f\xbb\u3000x\u2028y", "« non » x?y"),  # spaces of French and Chinese; a line separator
    ],
)
def test_what_cannot_be_printed_is_replaced(text, shown):
    assert printable(text) == shown


def test_replacement_and_what_is_kept_can_be_chosen():
    assert printable("a\nb\x00", replacement=" ", keep="\n") == "a\nb "
