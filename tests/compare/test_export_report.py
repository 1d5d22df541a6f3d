"""The report of a comparison is complete, its lines fit, and text from files is escaped."""

import pytest

from rsl_edu.compare import Comparison, Reason

REASON = Reason("normalizer left out", "found " * 30, "change <b>it</b>", 4)
COMPARISON = Comparison(
    same=False,
    about={"checkpoint": "model_\x1b[31m.pt", "export": "<script>policy</script>"},
    verdict="Not the same: normalizer left out.",
    reasons=(REASON,),
    notes=("a note " * 20,),
    ruled_out=("actions clipped", "actions squashed"),
    unchecked={"another checkpoint": "there is none"},
    never_tried=("three causes together",),
)


def test_text_is_complete_in_lines_of_at_most_100_characters():
    text = str(COMPARISON)
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("checkpoint  model_?[31m.pt\n")
    for words in (
        "\n1. normalizer left out\n",
        "   lesson      4 · Normalization",
        "\nruled out   actions clipped, actions",
    ):
        assert words in text
    assert "\nnot checked another checkpoint: there is none" in text
    assert "\nnever tried three causes together" in text
    assert text.count("\nnote        a note") == 1


def test_html_is_complete_and_escapes_text_from_files():
    page = COMPARISON._repr_html_()
    assert "<strong>Not the same: normalizer left out.</strong>" in page
    assert "&lt;script&gt;policy&lt;/script&gt;" in page
    assert "\x1b" not in page
    for cell in ("normalizer left out", "change &lt;b&gt;it&lt;/b&gt;", "4 · Normalization"):
        assert f'">{cell}</td>' in page
    for words in ("<dt>ruled out</dt><dd>actions clipped, actions squashed</dd>", "<dt>not checked</dt>"):
        assert words in page


@pytest.mark.parametrize("form", [str, Comparison._repr_html_])
def test_report_has_no_table_if_both_are_the_same(form):
    said = form(Comparison(True, {"export": "policy.pt"}, "Same actions."))
    assert "Same actions." in said
    assert "cause" not in said
    assert "ruled out" not in said
