"""The diagnosis as text and as a table: lines fit a terminal, and names from files are escaped."""

import re

import torch
from faults import ROBOT, actor, names, nan_weight, no_normalizer, std_of

from rsl_edu.diagnosis import Diagnosis, Finding, examine

HOSTILE = "<img src=x onerror=alert(1)>&\"'"


def test_hostile_names_are_escaped_in_the_table(trained, edited):
    def fault(stored, last):
        actor(stored)[HOSTILE] = torch.zeros(1)

    run = edited(trained(), fault)
    hostile = run.rename(run.parent / "<script>alert(2)<script>")
    (hostile / "model_7.pt").write_bytes(b"no checkpoint")
    html = examine(hostile, robot=ROBOT).diagnosis()._repr_html_()
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&amp;&#34;&#39;" in html
    assert "&lt;script&gt;" in html
    tags = re.sub(r' (?:class|scope|style|data-head)="[^"<>]*"', "", html)
    assert set(re.findall(r"<[^>]*>", tags)) <= {
        f"<{slash}{tag}>"
        for tag in ["div", "dl", "dt", "dd", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "span"]
        for slash in ("", "/")
    }


def test_control_characters_of_names_do_not_reach_the_terminal(trained, edited):
    def fault(stored, last):
        actor(stored)["estimator\x1b[2J\x07\x9b31m\u202e"] = torch.zeros(1)

    run = edited(trained(), fault)
    hostile = run.rename(run.parent / "run\x1b]0;title\x07")
    diagnosis = examine(hostile, robot=ROBOT).diagnosis()
    assert "estimator" in str(diagnosis)
    assert all(line.isprintable() for line in str(diagnosis).split("\n"))
    html = diagnosis._repr_html_()
    assert all(line.isprintable() for line in html.split("\n"))


def test_lines_of_the_text_fit_a_terminal(trained, edited):
    def fault(stored, last):
        nan_weight(stored, last)
        no_normalizer(stored, last)
        std_of(1.0)(stored, last)
        for i in range(5):
            actor(stored)[f"estimator.{'of_the_height_' * 3}{i}"] = torch.zeros(1)

    run = edited(trained(), fault)
    (run / "model_7.pt").write_bytes(b"no checkpoint")
    text = str(examine(run).diagnosis())
    assert text.count("\n   lesson  ") == len(names(examine(run).diagnosis())) >= 3
    assert "not read" in text
    for line in text.split("\n"):
        assert len(line) <= 100 or " " not in line.strip()
        assert line == line.rstrip()


def test_diagnosis_counts_its_findings():
    finding = Finding("name", "figure", "threshold", "meaning", 1, "change")
    counts = [Diagnosis({}, (finding,) * count, (), {}).summary for count in range(3)]
    assert counts == ["No findings", "1 finding", "2 findings"]
