"""Run All works from any working directory, without a browser, and a second time in the same kernel."""

import copy
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[1-9]_*.ipynb"))
VARIES = "nbval-ignore-output"  # the tag of a live plot

pytestmark = pytest.mark.slow


def said(cell):
    """What a cell printed, however it was cut into pieces, and what it showed, as text."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return [printed, *(output.data.get("text/plain") for output in cell.outputs if output.output_type != "stream")]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_second_run_in_the_same_kernel_says_the_same(lesson, no_sweeps, tmp_path):
    copied = shutil.copy(lesson, tmp_path)
    notebook = nbformat.read(copied, as_version=4)
    first = [cell for cell in notebook.cells if cell.cell_type == "code"]
    second = copy.deepcopy(first)
    notebook.cells = [nbformat.v4.new_code_cell(no_sweeps), *first, *second]
    for place, cell in enumerate(notebook.cells):
        cell.id = f"cell-{place}"
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, kernel_name="python3", resources=resources, timeout=1200, startup_timeout=600).execute()
    for one, other in zip(first, second, strict=True):
        assert not [output for output in (*one.outputs, *other.outputs) if output.get("name") == "stderr"], one.source
        if VARIES not in one.metadata.get("tags", []):
            assert said(other) == said(one), one.source
    assert list(tmp_path.iterdir()) == [tmp_path / lesson.name], "a lesson leaves no files behind"
