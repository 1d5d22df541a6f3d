"""The page on `rsl-edu compare` lists what the program checks."""

import ast
import re
from pathlib import Path

from test_pages import BOOK, broken, rows

from rsl_edu.compare.exports import repeats, special
from rsl_edu.compare.exports.causes import CAUSES
from rsl_edu.compare.recordings.meanings import MEANINGS
from rsl_edu.diagnosis.findings import FINDINGS

PAGE = (BOOK / "compare.md").read_text("utf-8")


def seen_without_trial():
    """Yield the names of reasons that need no trial: the first arguments of Reason(…)."""
    trees = [ast.parse(Path(part.__file__).read_text("utf-8")) for part in (special, repeats)]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
            yield node.args[0].value


def test_page_has_a_row_for_every_cause_of_a_wrong_export():
    stated = [name for name, *_ in rows("A checkpoint and its export", PAGE)]
    spoken = re.sub(r"\s+", " ", ", ".join(stated))
    for name in [*(cause.name for cause in CAUSES), *seen_without_trial()]:
        words = [name, name.removeprefix("actions "), name.removeprefix("another number ")]
        assert any(word in spoken for word in words), name


def test_links_of_the_page_lead_to_sections():
    targets = dict(re.findall(r"^\[(\d\.\d)\]: (\S+)$", PAGE, re.MULTILINE))
    assert set(re.findall(r"\[(\d\.\d)\](?!:)", PAGE)) == targets.keys()
    assert broken(targets.values()) == []


def test_readme_counts_the_findings():
    readme = (BOOK.parent / "README.md").read_text("utf-8")
    assert f"There are {len(FINDINGS)} findings" in readme


def test_page_has_a_row_for_every_difference_of_recordings():
    assert {name.strip() for name, *_ in rows("Two recordings", PAGE)} == MEANINGS.keys()
