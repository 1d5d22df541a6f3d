"""The format of all reports."""

from rsl_edu.report import page


def test_text_is_escaped_and_option_names_are_not_broken():
    made = page({"run": "<b>a</b>; settle it with --config"}, "--obs", [{"seen": "-- 1 < 2"}], {"note": "a --b-c d"})
    assert "&lt;b&gt;a&lt;/b&gt;" in made
    assert "-- 1 &lt; 2" in made
    for option in ("--config", "--obs", "--b-c"):
        assert f'<span style="white-space: nowrap">{option}</span>' in made
