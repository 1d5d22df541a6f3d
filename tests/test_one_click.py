"""The links that open a lesson in Colab or Binder, Colab's installation cell, and Binder's image."""

import ast
import importlib.util
import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import badges
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parents[1]
PAGES = {path.name: (path, lambda text, path=path: badges.lesson(path, text)) for path in badges.LESSONS}
PAGES["README.md"] = (ROOT / "README.md", badges.readme)


def cells(lesson):
    return nbformat.read(lesson, as_version=4).cells


def test_all_addresses_of_the_project_contain_owner_and_name_of_the_repository():
    repository = badges.address()
    owner, name = re.fullmatch(r"https://github\.com/([\w-]+)/([\w-]+)", repository).groups()
    assert badges.address("Documentation") == f"https://{owner}.github.io/{name}/"
    assert badges.address("Issues") == f"{repository}/issues"
    assert badges.address("Changelog") == f"{repository}/blob/{badges.BRANCH}/CHANGELOG.md"


def test_no_other_file_contains_the_address():
    owner_and_name = "/".join(badges.address().split("/")[-2:])
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, text=True, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a clone")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    naming = {file for file in files if file.is_file() and owner_and_name.encode() in file.read_bytes()}
    assert naming == {ROOT / "pyproject.toml", ROOT / "CITATION.cff", *(path for path, _ in PAGES.values())}
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f'repository-code: "{badges.address()}"\n' in citation


@pytest.mark.parametrize("page", PAGES)
def test_page_has_links_for_the_current_address(page):
    path, written = PAGES[page]
    text = path.read_text("utf-8")
    assert written(text) == text, "run python book/badges.py"


@pytest.mark.parametrize("page", PAGES)
def test_another_address_changes_every_link_of_a_page(page, monkeypatch):
    path, written = PAGES[page]
    text = path.read_text("utf-8")
    owner, name = badges.address().split("/")[-2:]
    addresses = {"Repository": "https://github.com/ada/robots", "Documentation": "https://ada.github.io/robots/"}
    monkeypatch.setattr(badges, "address", lambda name="Repository": addresses[name])
    new = written(text)
    assert new.count("ada/robots") >= 3
    assert f"{owner}/{name}" not in new
    assert f"{owner}.github.io" not in new


@pytest.mark.parametrize("lesson", badges.LESSONS, ids=lambda path: path.stem)
def test_links_in_a_lesson_open_that_lesson(lesson):
    first = cells(lesson)[0].source
    colab, binder = re.findall(r"\[Open in \w+\]\((\S+)\)", first)
    for link in (colab.partition(f"/blob/{badges.BRANCH}/")[2], unquote(binder.partition("?labpath=")[2])):
        assert ROOT / link == lesson
    assert "![" not in first.partition("Run this lesson")[2], "lessons and book must not load pictures from a network"


@pytest.mark.parametrize("lesson", badges.LESSONS, ids=lambda path: path.stem)
def test_first_code_cell_installs_rsl_edu_and_is_hidden_everywhere(lesson):
    first = next(cell for cell in cells(lesson) if cell.cell_type == "code")
    assert first == cells(lesson)[1]
    assert first.id == badges.INSTALL
    assert first.source == cells(badges.LESSONS[0])[1].source
    assert first.outputs == []
    assert first.metadata["cellView"] == "form"
    assert first.source.startswith("# @title ")
    assert first.metadata["jupyter"]["source_hidden"]
    assert first.metadata["tags"] == ["remove-cell"]


@pytest.mark.parametrize("missing", [True, False])
def test_install_cell_calls_pip_only_if_rsl_edu_is_missing(missing, monkeypatch):
    find, ran = importlib.util.find_spec, []
    if missing:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "rsl_edu" else find(name))
    shell = SimpleNamespace(run_line_magic=lambda magic, line: ran.append((magic, line)))
    code = TransformerManager().transform_cell(cells(badges.LESSONS[0])[1].source)
    exec(code, {"get_ipython": lambda: shell})
    assert ran == ([("pip", f"install -q git+{badges.address()}")] if missing else [])


def test_binder_records_the_rollouts_that_the_lessons_use():
    assert "\npython book/hub/record.py\n" in (ROOT / ".binder" / "postBuild").read_text("utf-8")
    spec = importlib.util.spec_from_file_location("record", ROOT / "book" / "hub" / "record.py")
    record = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(record)
    recorded = [call for lesson in badges.LESSONS for call in record.recordings(lesson) if "rollout" in call]
    asked = []
    for lesson in badges.LESSONS:
        code = "\n".join(
            cell.source for cell in cells(lesson) if cell.cell_type == "code" and cell.id != badges.INSTALL
        )
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        rollouts = [call for call in calls if ast.unparse(call.func) == "data.rollout"]
        asked += [call for call in rollouts if "policy" not in {keyword.arg for keyword in call.keywords}]
    assert asked
    assert set(recorded) == {ast.unparse(call) for call in asked}


@pytest.mark.skipif(os.name == "nt", reason="Binder's images are Linux")
def test_script_for_binder_has_no_syntax_errors():
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
