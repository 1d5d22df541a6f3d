import json
import os
import re
from pathlib import Path

import nbformat
import pytest

from rsl_edu.course import execute as module
from rsl_edu.course.execute import PICTURE, SCRUB, ExecutionError, canonical, execute, main, notebooks

WIDGET = "application/vnd.jupyter.widget-view+json"


def code(source, outputs=(), **fields):
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": list(outputs),
        "source": source,
        **fields,
    }


def notebook(*cells, minor=5, **metadata):
    return json.dumps({"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": minor})


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def display(**data):
    kinds = {"text": "text/plain", "png": "image/png", "widget": WIDGET}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[key]: value for key, value in data.items()}}


def cells_of(text):
    return json.loads(text)["cells"]


def outputs_of(*outputs):
    return cells_of(canonical(notebook(code("1", outputs, id="a"))))[0]["outputs"]


def test_canonical_form_of_a_canonical_notebook_is_the_same():
    text = notebook(
        code(
            "print(1)\n1",
            [stream("a"), {"output_type": "execute_result", "execution_count": 9, "metadata": {}, "data": {}}],
        ),
        code("1", [display(text=["<A at 0x7f00aa>\n", "b"], png="aGk=")], execution_count=7),
        {"cell_type": "markdown", "metadata": {}, "source": ["# a\n", "b"]},
        minor=4,
    )
    assert canonical(canonical(text)) == canonical(text) != text


def test_an_error_prints_no_control_characters(tmp_path, capsys):
    (tmp_path / "a\x1b[31m.ipynb").write_text("{")
    (tmp_path / "b.ipynb").write_text(notebook(code("raise ValueError('\x1b[31m')", id="a")))
    assert main([str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "a?[31m.ipynb: " in said
    assert "ValueError: ?[31m" in said
    assert "\x1b" not in said


def test_execution_counts_start_at_one_and_skip_empty_cells():
    text = notebook(code("1", id="a", execution_count=5), code("  ", id="b", execution_count=6), code("2", id="c"))
    assert [cell["execution_count"] for cell in cells_of(canonical(text))] == [1, None, 2]


def test_missing_and_duplicate_ids_are_derived_from_the_text():
    text = notebook(code("1", id="kept"), code("same"), code("same"), code("2", id="kept"), minor=4)
    first, second = cells_of(canonical(text)), cells_of(canonical(text))
    assert first == second
    ids = [cell["id"] for cell in first]
    assert ids[0] == "kept"
    assert len(set(ids)) == 4


def test_metadata_written_by_programs_is_removed():
    cell = code(
        "1", id="a", metadata={"execution": {"iopub.execute_input": "now"}, "collapsed": True, "tags": ["hide"]}
    )
    text = notebook(cell, widgets={"state": {}}, language_info={"name": "python", "version": "3.11.7"}, minutes=45)
    stored = json.loads(canonical(text))
    assert stored["cells"][0]["metadata"] == {"tags": ["hide"]}
    assert stored["metadata"].keys() == {"kernelspec", "language_info", "minutes"}
    assert "version" not in stored["metadata"]["language_info"]


def test_consecutive_streams_become_one_stdout_and_one_stderr():
    merged = outputs_of(stream("a"), stream("w", "stderr"), stream("b\n"), display(text="x"), stream("c"))
    assert [(output.get("name"), output.get("text")) for output in merged] == [
        ("stdout", ["ab\n"]),
        ("stderr", ["w"]),
        (None, None),
        ("stdout", ["c"]),
    ]


def test_progress_bar_keeps_only_its_last_line():
    assert outputs_of(stream("10%\r50"), stream("%\r100%\n"))[0]["text"] == ["100%\n"]


def test_only_text_and_picture_of_a_widget_are_kept():
    stored = outputs_of(display(widget={"model_id": "1"}, text="Stream", png="aGk="), display(widget={"model_id": "2"}))
    assert [output["data"] for output in stored] == [{"text/plain": ["Stream"], "image/png": "aGk="}]


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("<A object at 0x7f3a2b4c5d6e>", "<A object at 0x…>"),
        ("/tmp/ipykernel_12/345.py:3: UserWarning", "<cell>:3: UserWarning"),
        ("File '/home/me/rsl_edu/modules/mlp.py', line 3", "File '…/mlp.py', line 3"),
        ("0xff m/s at 1/2, https://example.org/a/b", "0xff m/s at 1/2, https://example.org/a/b"),
        ("data:image/png;base64,/9j/4AAQ+/Sk/Zj/a", "data:image/png;base64,/9j/4AAQ+/Sk/Zj/a"),
    ],
)
def test_addresses_and_paths_of_the_machine_are_scrubbed(text, scrubbed):
    assert outputs_of(display(text=text))[0]["data"]["text/plain"] == [scrubbed]


def test_nbval_has_the_same_patterns():
    config = (Path(__file__).parents[1] / "nbval_sanitize.cfg").read_text("utf-8")
    assert tuple(re.findall(r"^regex: (.*)\nreplace: (.*)$", config, re.MULTILINE)) == (*SCRUB, PICTURE)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{"cell_type": "odd", "source": ""}]}'])
def test_a_file_that_is_not_a_notebook_is_refused(text):
    with pytest.raises(ValueError, match="not a notebook"):
        canonical(text)


@pytest.fixture
def lesson(tmp_path):
    path = tmp_path / "1_lesson.ipynb"
    path.write_text(
        notebook(code("import sys\nprint(1)\nprint('w', file=sys.stderr)\nobject()"), code(""), code("6 * 7"))
    )
    return path


def test_executing_twice_changes_nothing(lesson):
    assert execute(lesson)
    stored = lesson.read_bytes()
    outputs = [cell["outputs"] for cell in cells_of(stored)]
    assert [output["output_type"] for output in outputs[0]] == ["stream", "stream", "execute_result"]
    assert outputs[0][2]["data"]["text/plain"] == ["<object at 0x…>"]
    assert outputs[2][0]["data"]["text/plain"] == ["42"]
    assert canonical(stored.decode()) == stored.decode()
    assert not execute(lesson)
    assert lesson.read_bytes() == stored
    assert [path.name for path in lesson.parent.iterdir()] == [lesson.name]


def test_progress_bars_are_off_only_while_a_notebook_is_executed(lesson, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    lesson.write_text(notebook(code("import os; print(os.environ.get('TQDM_DISABLE'))")))
    execute(lesson)
    assert cells_of(lesson.read_text())[0]["outputs"][0]["text"] == ["1\n"]
    assert "TQDM_DISABLE" not in os.environ


def test_failing_cell_is_named_and_the_file_is_unchanged(lesson, capsys):
    before = notebook(code("1", id="good"), code("1 / 0", id="bad"))
    lesson.write_text(before)
    assert main([str(lesson)]) == 1
    assert f"{lesson}: cell 1 (id bad) failed: ZeroDivisionError: division by zero" in capsys.readouterr().err
    assert lesson.read_text() == before


@pytest.mark.parametrize(
    ("source", "timeout", "reason"),
    [("import time; time.sleep(9999)", 1, "timed out"), ("import os; os._exit(1)", 600, "died")],
)
def test_error_for_a_stuck_cell_or_dead_kernel_names_the_cell(lesson, source, timeout, reason):
    lesson.write_text(notebook(code(source, id="bad")))
    with pytest.raises(ExecutionError, match=rf"cell 0 \(id bad\) failed: .*{reason}"):
        execute(lesson, timeout=timeout)


def test_check_lists_files_that_are_not_canonical_and_executes_nothing(lesson, capsys, monkeypatch):
    monkeypatch.setattr(module, "execute", None)
    assert main(["--check", str(lesson.parent)]) == 1
    assert capsys.readouterr().err == f"{lesson}: not in canonical form; run `make notebooks`\n"
    lesson.write_text(canonical(lesson.read_text()))
    assert main(["--check", str(lesson.parent)]) == 0
    assert nbformat.read(lesson, as_version=4).cells[2].execution_count == 2


def test_notebooks_in_folders_are_found_except_checkpoints(tmp_path):
    for name in ("b.ipynb", "a.ipynb", "assignments/c.ipynb", ".ipynb_checkpoints/a.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in notebooks([tmp_path])]
    assert found == ["a.ipynb", "assignments/c.ipynb", "b.ipynb"]
