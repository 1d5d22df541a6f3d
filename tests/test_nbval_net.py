"""If a lesson breaks, strict nbval fails and names the cell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import patience
import pytest
from tiers import exhaustive, tiers

REPOSITORY = Path(__file__).parents[1]
LESSON = REPOSITORY / "notebooks" / "4_normalization.ipynb"
EXPLORER = "Stream"
BREAKS_WITH_BATCHES_OF_ONE = f"""
draw = explorers.{EXPLORER}.draw


def draw_larger_batches(self, artists, result):
    if result.state.batch == 1:
        raise RuntimeError("no picture of batches of one")
    draw(self, artists, result)


explorers.{EXPLORER}.draw = draw_larger_batches
""".strip()
COLOUR = re.compile(r"\x1b\[[\d;]*m")

pytestmark = pytest.mark.slow


def excerpt():
    """Return a lesson's imports, data and one explorer with stored outputs, and a cell that sweeps the explorer."""
    notebook = nbformat.read(LESSON, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != "install"]
    made, name = next(
        (place, found[1])
        for place, cell in enumerate(code)
        if (found := re.search(rf"^(\w+) = explorers\.{EXPLORER}\(", cell.source, re.MULTILINE))
    )
    printed = "".join(output.get("text", "") for cell in code for output in cell.outputs)
    drawn = re.search(rf"^{EXPLORER}: \d+ pictures drawn.*\n", printed, re.MULTILINE)[0]
    swept = nbformat.v4.new_code_cell(f"print({name}.sweep())", id="sweep", execution_count=1)
    swept.outputs = [nbformat.v4.new_output("stream", name="stdout", text=drawn)]
    notebook.cells = [*code[:2], *code[made : made + 2], swept]
    return notebook


def break_explorer_where_only_the_sweep_goes(cells):
    cells.insert(2, nbformat.v4.new_code_cell(BREAKS_WITH_BATCHES_OF_ONE, id="breaks"))
    return cells[-1], "RuntimeError: no picture of batches of one"


def change_a_digit_of_a_stored_output(cells):
    printed = next(output for output in cells[1].outputs if output.output_type == "stream")
    right = printed.text
    printed.text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), right, count=1)
    del cells[-1]  # the sweep, which is the slowest cell
    return cells[1], f"- {right.splitlines()[0]}"


def delete_an_import(cells):
    before = cells[0].source
    cells[0].source = before.replace("import matplotlib.pyplot as plt\n", "")
    assert cells[0].source != before
    del cells[1], cells[-1]  # the data, which the figure needs too, and the sweep, which is the slowest cell
    return cells[0], "NameError: name 'plt' is not defined"


def run_nbval(path):
    """Run strict nbval; the only file from this repository is the list of allowed differences.

    Returns its exit status, the names of the cells that passed and of those that failed, and its report.
    """
    command = [sys.executable, "-m", "pytest", "-v", "-rA", "-c", os.devnull, "--rootdir", path.parent]
    command += ["-p", "no:cacheprovider", "-p", "nbval.plugin", "--nbval", "--nbval-current-env"]
    command += [f"--nbval-sanitize-with={REPOSITORY / 'tests' / 'nbval_sanitize.cfg'}", path]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    alone |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    done = subprocess.run(command, cwd=path.parent, env=alone, capture_output=True, text=True, timeout=patience.SECONDS)
    report = COLOUR.sub("", done.stdout + done.stderr)
    passed, failed = (
        re.findall(rf"^{verdict} \S+::(Cell \d+(?: again)?)", report, re.MULTILINE) for verdict in ("PASSED", "FAILED")
    )
    return done.returncode, passed, failed, report


@pytest.fixture
def path(tmp_path):
    return tmp_path / "excerpt.ipynb"


@exhaustive  # the tests below also check that all other cells pass
def test_nbval_passes_on_an_unchanged_excerpt(path):
    notebook = excerpt()
    nbformat.write(notebook, path)
    status, passed, failed, report = run_nbval(path)
    assert (status, failed) == (pytest.ExitCode.OK, []), report
    assert passed == [f"Cell {place}" for place in range(len(notebook.cells))]


@pytest.mark.parametrize(
    "damage",
    tiers(
        [break_explorer_where_only_the_sweep_goes, change_a_digit_of_a_stored_output, delete_an_import],
        [break_explorer_where_only_the_sweep_goes, change_a_digit_of_a_stored_output],
    ),
)
def test_nbval_fails_on_a_damaged_excerpt_and_names_the_cell(damage, path):
    notebook = excerpt()
    cell, reason = damage(notebook.cells)
    nbformat.write(notebook, path)
    status, passed, failed, report = run_nbval(path)
    place = notebook.cells.index(cell)
    assert (status, failed) == (pytest.ExitCode.TESTS_FAILED, [f"Cell {place}"]), report
    assert len(passed) == len(notebook.cells) - 1
    assert f"Input:\n{cell.source}\n" in report
    assert reason in report


@exhaustive
def test_lesson_with_other_outputs_in_a_second_run_fails(tmp_path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(REPOSITORY / "conftest.py", tmp_path)
    counts = nbformat.v4.new_code_cell("runs = globals().get('runs', 0) + 1\nprint(runs)", execution_count=1)
    counts.outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=[counts]), folder / "1_counts.ipynb")
    status, passed, failed, report = run_nbval(folder / "1_counts.ipynb")
    assert (status, passed, failed) == (pytest.ExitCode.TESTS_FAILED, ["Cell 0"], ["Cell 0 again"]), report
