"""Code of notebooks in all formats, and descriptions of invalid files."""

import json
import tracemalloc

import pytest
from course.grade.archives import NOTEBOOK, zipped

from rsl_edu.course.grade.submissions import ProblemError, cells, code, find

CELLS = [
    {"cell_type": "markdown", "source": "# text"},
    {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
    {"cell_type": "code", "source": "c = 'é'"},
]
EXPECTED = ["a = 1\nb = 2", "c = 'é'"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_code_in_any_encoding(encoding, newline):
    text = json.dumps({"cells": CELLS}, ensure_ascii=False, indent=1).replace("\n", newline)
    assert code(text.encode(encoding)) == EXPECTED


def test_windows_line_ends_in_code():
    cell = {"cell_type": "code", "source": ["a = 1\r\n", "b = 2\r\n"]}
    assert code(json.dumps({"cells": [cell]}).encode()) == ["a = 1\nb = 2\n"]


@pytest.mark.parametrize("version", [2, 3])
def test_code_before_version_4(version):
    """In nbformat 2 and 3 the cells are in worksheets, and the code is their input: nbformat/v3/nbbase.py."""
    sheets = [
        {"cells": [{"cell_type": "heading", "source": "x", "level": 1}, {"cell_type": "code", "input": "a = 1"}]},
        {"cells": [{"cell_type": "code", "input": ["b = 2\n", "c = 3"], "outputs": [], "language": "python"}]},
        {"cells": []},
    ]
    notebook = {"metadata": {"name": ""}, "nbformat": version, "nbformat_minor": 0, "worksheets": sheets}
    assert code(json.dumps(notebook).encode()) == ["a = 1", "b = 2\nc = 3"]


def test_notebook_needs_only_cells():
    assert code(b'{"cells": [{"cell_type": "code", "source": ""}]}') == [""]
    assert code(b'{"cells": []}') == []
    assert code(b'{"worksheets": []}') == []


BAD = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "text": (b"print('hello')", "not a notebook"),
    "a web page": (b"<!DOCTYPE html><html></html>", "a web page, not a notebook"),
    "a web page with BOM": (b"\xef\xbb\xbf\r\n<html></html>", "a web page, not a notebook"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "a PDF, not a notebook"),
    "an office document": (zipped({"word/document.xml": b"x"}), "a zip or an office document, not a notebook"),
    "conflicts": (
        NOTEBOOK[:20] + b"\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> main\n" + NOTEBOOK[20:],
        r"a notebook with unsolved conflicts of git \(<<<<<<<\)",
    ),
    "conflicts from the start": (
        b"<<<<<<< HEAD\n" + NOTEBOOK,
        r"a notebook with unsolved conflicts of git \(<<<<<<<\)",
    ),
    "cut off": (NOTEBOOK[:-5], "a notebook whose end is missing"),
    "cut off in a string": (NOTEBOOK[:-7], "a notebook whose end is missing"),
    "zeros": (bytes(100), "only zeros: the file was damaged when it was saved or handed in"),
    "another encoding": (NOTEBOOK.replace(b"x", b"\xe9"), "a notebook that is not in UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "not a notebook"),
    "no cells": (b'{"nbformat": 4, "metadata": {}}', "not a notebook"),
    "cells of another kind": (b'{"cells": [1, 2]}', "not a notebook"),
    "cells that are none": (b'{"cells": 3}', "not a notebook"),
    "a source of another kind": (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "not a notebook"),
    "no source": (b'{"cells": [{"cell_type": "code"}]}', "not a notebook"),
    "worksheets of another kind": (b'{"worksheets": [3], "nbformat": 3}', "not a notebook"),
    "a number": (b"3", "not a notebook"),
    "a list": (b"[]", "not a notebook"),
    "a huge number": (b"9" * 10_000, "not a notebook"),
    "deep": (b"[" * 200_000, "not a notebook"),
    "deep cells": (b'{"cells": ' + b'[{"cells": ' * 50_000, "not a notebook"),
    "much code": (NOTEBOOK.replace(b"x", b"x" * (1 << 20)), "more than 1 MB of code"),
}


@pytest.mark.parametrize("name", BAD)
def test_invalid_notebook_is_described(name):
    content, why = BAD[name]
    with pytest.raises(ProblemError, match=f"^{why}$"):
        code(content)


# Large outputs ------------------------------------------------------------------------------------------------------

TRICKY = {
    "text": "x" * (11 << 20),
    "quotes": '\\"' * (3 << 20),
    "brackets": "]}[{" * (3 << 20),
    "what looks like cells": '"cells": [{"outputs": [' * (1 << 19),
}


@pytest.mark.parametrize(
    ("kind", "encoding"), [*((kind, "utf-8") for kind in TRICKY), ("text", "utf-8-sig"), ("text", "utf-16")]
)
def test_large_outputs_are_left_out(tmp_path, kind, encoding):
    output = {"output_type": "display_data", "data": {"text/plain": TRICKY[kind], "a/b": {"outputs": [[{}], "]"]}}}
    source = 'print("outputs", {"outputs": [1]}, "\\\\")  # "metadata": [\n'
    cell = {"cell_type": "code", "outputs": [output], "source": [source], "metadata": {"x": ["y" * 4000]}}
    picture = {"cell_type": "markdown", "source": "![](attachment:a.png)", "attachments": {"a.png": {"x": "z" * 4000}}}
    notebook = {"metadata": {"widgets": {"y": "é" * 4000}}, "cells": [picture, cell, *CELLS], "nbformat": 4}
    path = tmp_path / "ada.ipynb"
    path.write_bytes(json.dumps(notebook).encode(encoding))
    (found,) = find([path])
    assert len(found.content) < 2000
    assert code(found.content) == [source, *EXPECTED]


def test_large_notebook_before_version_4(tmp_path):
    cell = {"cell_type": "code", "input": "a = 1", "outputs": [{"text": "x" * (11 << 20)}]}
    (tmp_path / "ada.ipynb").write_bytes(json.dumps({"worksheets": [{"cells": [cell]}], "nbformat": 3}).encode())
    (found,) = find([tmp_path / "ada.ipynb"])
    assert code(found.content) == ["a = 1"]


@pytest.mark.parametrize(
    ("content", "why"),
    {
        b'{"cells": [{"cell_type": "markdown", "source": "%s"}]}': "larger than 10 MB without its outputs",
        b'{"cells": [], "outputs": ["%s': "a notebook whose end is missing",
        b"%s": "larger than 10 MB without its outputs",
    }.items(),
)
def test_notebook_that_is_large_without_outputs_is_refused(tmp_path, content, why):
    (tmp_path / "ada.ipynb").write_bytes(content % (b"x" * (11 << 20)))
    (found,) = find([tmp_path / "ada.ipynb"])
    assert why == (found.problem or problem_of(found.content))


def problem_of(content):
    with pytest.raises(ProblemError) as caught:
        code(content)
    return str(caught.value)


def test_outputs_full_of_brackets_are_read_quickly(tmp_path, monkeypatch):
    monkeypatch.setattr(cells, "_MOST_MARKS", 1000)
    (tmp_path / "ada.ipynb").write_bytes(b'{"cells": [], "outputs": [' + b"[]," * (4 << 20))
    (found,) = find([tmp_path / "ada.ipynb"])
    assert found.problem == "outputs that are too large: clear the outputs and hand in the notebook again"


def test_large_outputs_need_little_memory(tmp_path):
    """Ten million numbers, as a plot may contain, would take 400 MB as Python objects."""
    outputs = b"[" + b"0.5, " * 10_000_000 + b"1]"
    (tmp_path / "ada.ipynb").write_bytes(b'{"cells": [{"cell_type": "code", "source": "a", "outputs": %s}]}' % outputs)
    tracemalloc.start()
    try:
        (found,) = find([tmp_path / "ada.ipynb"])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert code(found.content) == ["a"]
    assert peak < 3 * len(outputs)
