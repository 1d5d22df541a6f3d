"""The paper for the Journal of Open Source Education has its parts, and cites what its bibliography lists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAPER = (ROOT / "paper.md").read_text("utf-8")


def test_it_cites_all_of_its_bibliography_and_nothing_else():
    listed = re.findall(r"^@\w+\{(\w+),", (ROOT / "paper.bib").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"@(\w+)", PAPER.split("---", 2)[2])) == set(listed)
    assert len(listed) == len(set(listed))


def test_it_has_the_parts_that_the_journal_asks_for():
    parts = re.findall(r"^# (.*)$", PAPER, re.MULTILINE)
    assert parts[:3] == ["Summary", "Statement of need", "Learning objectives"]
    assert {"Content and instructional design", "Experience of use", "References"} < set(parts)
    assert "not been used in a class" in PAPER


def test_its_numbers_are_those_of_the_readme():
    readme = (ROOT / "README.md").read_text("utf-8")
    for ours, theirs in (
        (r"(\d+) exercises", r"\*\*Exercises\*\*: (\d+)"),
        (r"(\d+) kinds of findings", r"(\d+) findings"),
    ):
        assert re.search(ours, PAPER)[1] == re.search(theirs, readme)[1]
