"""The net under the lessons holds: strict nbval is red wherever a lesson breaks, and names the cell."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

REPOSITORY = Path(__file__).parents[1]
LESSON = REPOSITORY / "notebooks" / "4_normalization.ipynb"
EXPLORER = "Stream"
BREAKS_AT_ONE_END = f"""
draw = explorers.{EXPLORER}.draw


def draws_all_but_batches_of_one(self, artists, result):
    if result.state.batch == 1:
        raise RuntimeError("no picture of batches of one")
    draw(self, artists, result)


explorers.{EXPLORER}.draw = draws_all_but_batches_of_one
""".strip()

pytestmark = pytest.mark.slow


def excerpt():
    """The lesson's imports and one explorer, from where it is made to its sweep, with their stored outputs."""
    notebook = nbformat.read(LESSON, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    made, name = next(
        (place, found[1])
        for place, cell in enumerate(code)
        if (found := re.search(rf"^(\w+) = explorers\.{EXPLORER}\(", cell.source, re.MULTILINE))
    )
    swept = next(place for place, cell in enumerate(code) if f"print({name}.sweep())" in cell.source)
    notebook.cells = [code[0], *code[made : swept + 1]]
    return notebook


def untouched(cells):
    return None


def explorer_breaks_at_one_end(cells):
    cells.insert(1, nbformat.v4.new_code_cell(BREAKS_AT_ONE_END, id="breaks"))
    return cells[-1], "RuntimeError: no picture of batches of one"


def digit_of_an_output_changes(cells):
    printed = next(output for output in cells[0].outputs if output.output_type == "stream")
    stored = printed.text
    printed.text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), stored, count=1)
    return cells[0], stored.strip()


def import_is_missing(cells):
    lines = cells[0].source.splitlines()
    cells[0].source = "\n".join(line for line in lines if line != "from rsl_edu import data, explorers")
    assert len(cells[0].source.splitlines()) == len(lines) - 1
    return cells[0], "NameError: name 'data' is not defined"


def run_nbval(notebook):
    """What strict nbval says, alone with the notebook; and the cells that passed and failed, by their numbers."""
    command = [sys.executable, "-m", "pytest", "-v", "-rA", "--color=no", "-c", os.devnull, "--rootdir", notebook.parent]
    command += ["--nbval", "--nbval-current-env", f"--nbval-sanitize-with={REPOSITORY / 'tests' / 'nbval_sanitize.cfg'}"]
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    alone |= {"TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", notebook],
        cwd=notebook.parent,
        env=alone,
        capture_output=True,
        text=True,
        timeout=120,
    )
    verdicts = re.findall(rf"^(PASSED|FAILED) \S*{re.escape(notebook.name)}::Cell (\d+)", done.stdout, re.MULTILINE)
    cells = {verdict: [int(cell) for one, cell in verdicts if one == verdict] for verdict in ("PASSED", "FAILED")}
    return done.returncode, cells, done.stdout + done.stderr


@pytest.mark.parametrize(
    "change", [untouched, explorer_breaks_at_one_end, digit_of_an_output_changes, import_is_missing]
)
def test_nbval_is_red_where_a_lesson_breaks_and_names_the_cell(change, tmp_path):
    notebook = copy.deepcopy(excerpt())
    broken = change(notebook.cells)
    nbformat.write(notebook, tmp_path / "lesson.ipynb")
    status, cells, said = run_nbval(tmp_path / "lesson.ipynb")
    print(said)
    print(status, cells, broken and broken[1])
