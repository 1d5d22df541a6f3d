"""The paper for the Journal of Open Source Education has the required parts, and cites its bibliography."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAPER = (ROOT / "paper.md").read_text("utf-8")


def test_paper_cites_every_entry_of_its_bibliography_and_nothing_else():
    listed = re.findall(r"^@\w+\{(\w+),", (ROOT / "paper.bib").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"@(\w+)", PAPER.split("---", 2)[2])) == set(listed)
    assert len(listed) == len(set(listed))


def test_paper_has_the_parts_that_the_journal_requires():
    parts = re.findall(r"^# (.*)$", PAPER, re.MULTILINE)
    assert parts[:3] == ["Summary", "Statement of need", "Learning objectives"]
    assert {"Content and instructional design", "Experience of use", "References"} < set(parts)
    assert "not been used in a class" in PAPER


def test_paper_and_readme_give_the_same_numbers():
    readme = (ROOT / "README.md").read_text("utf-8")
    for ours, theirs in (
        (r"(\d+) exercises", r"(\d+) exercises"),
        (r"(\d+) kinds of findings", r"(\d+) findings"),
    ):
        assert re.search(ours, PAPER)[1] == re.search(theirs, readme)[1]
