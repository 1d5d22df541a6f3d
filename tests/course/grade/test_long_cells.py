"""Long cells are not parsed in the grader's process, and unchanged cells are still recognized."""

import ast

import pytest

from rsl_edu.course.assignment import Handed, Task
from rsl_edu.course.grade.notebook import Cell, answers_in, cells_of

TABLE = "table = [" + "1, " * 100_000 + "]\n"
SETUP, CHECK = "import math\n", "check.f(f)"
TASK = Task("f", 1.0, CHECK, "", answers=("f", "g"))
F, G = "def f():\n    return 1", "g = lambda: 2"


@pytest.fixture
def parsed(monkeypatch):
    """Return a list of the code that was parsed."""
    seen, parse = [], ast.parse
    monkeypatch.setattr(ast, "parse", lambda source, *more: seen.append(source) or parse(source, *more))
    return seen


def test_long_cell_is_not_parsed(parsed):
    handed = [Handed(SETUP, "setup"), Handed(TABLE, "setup"), Handed(CHECK, "check")]
    cells = cells_of(handed, [TASK], [SETUP + "# more", TABLE, TABLE + F, CHECK + "  # mine"])
    assert [(cell.number, cell.handed, cell.check) for cell in cells] == [
        (1, True, ""),
        (2, True, ""),
        (3, False, ""),
        (4, True, "f"),
    ]
    assert answers_in(cells, [TASK])["f"].startswith("table = ")
    assert max(map(len, parsed)) < 1000


def test_each_cell_is_parsed_once_for_all_answers(parsed):
    cells = [Cell(1, "f = 0"), Cell(2, F), Cell(3, "x = 1"), Cell(4, f"{G}\n{F}\n", handed=True), Cell(5, G)]
    other = Task("h", 1.0, "", "", answers=("h",))
    assert answers_in(cells, [TASK, other]) == {"f": f"{F}\n\n{G}", "h": ""}
    assert parsed == ["f = 0", F, G]


def test_answer_is_found_in_invalid_python():
    cells = [Cell(1, "def f():\n    return 1 +"), Cell(2, "fg = = 1")]
    assert answers_in(cells, [TASK]) == {"f": cells[0].source}
