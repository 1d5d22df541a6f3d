"""Complete submissions of course assignments: nobody loses points for another's mistake, or twice for their own."""

import nbformat
import pytest
from course.grade.answered import find, handed_in, right_of

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import student, usage
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import Student


def own(solution, shown, hidden="", setup="import torch", **metadata):
    """Return an own assignment, and the answer to hand in."""
    tests = f"{shown}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS" if hidden else shown
    parts = [
        (setup, {}),
        (solution, {"grade_id": "answer", "solution": True, "grade": False}),
        (tests, {"grade_id": "task", "grade": True, "points": 4, "solution": False}),
    ]
    cells = [nbformat.v4.new_code_cell(text, metadata={"nbgrader": said} if said else {}) for text, said in parts]
    return Assignment("own", nbformat.v4.new_notebook(cells=cells, metadata={"rsl_edu": metadata}))


F = "def f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION"


# One student and the next ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "writes", ["x -= 1\n    return x", "x.fill_(torch.nan)\n    return x", "x.resize_(0)\n    return x", "x.zero_()"]
)
def test_changes_to_arguments_do_not_affect_the_next_student(grade, writes):
    source = own(
        F, "assert torch.equal(f(x), y)", "assert torch.equal(f(x), y)", "import torch\nx = torch.ones(3)\ny = x + 1"
    )
    for answer, points in ((writes, 0), ("return x", 0), (writes, 0), ("return x + 1", 4)):
        assert grade(source, ["import torch", f"def f(x):\n    {answer}"])["task"].points == points


def test_changes_by_a_check_do_not_affect_other_checks(grade):
    source = own(F, "x.append(1)\nassert f(len(x)) == 2", setup="x = []")
    for _ in range(2):
        assert grade(source, ["def f(x):\n    return x + 1"])["task"].points == 4


# What was handed out ------------------------------------------------------------------------------------------------


def test_lost_answer_is_not_mistaken_for_the_faulty_code_handed_out(grade):
    source = find("6_policy")
    answers = right_of(source)
    lost = {**answers, "merge_moments": "1 / 0 +\n" + answers["merge_moments"] + "\n)"}
    cells = handed_in(source, lost)
    place = next(place for place, cell in enumerate(cells) if cell.startswith("1 / 0 +"))
    marks = grade(source, cells)
    assert marks["merge_moments"].mistake in ("lost", "missing")
    assert {mark.points for name, mark in marks.items() if name != "merge_moments"} == {4}
    del cells[place]
    marks = grade(source, ["# changed\nx = 1\n" + cells[0], *cells[1:]])
    assert marks["merge_moments"].mistake == "missing"


def test_copy_of_a_faulty_function_counts_as_unchanged(grade):
    source = find("6_policy")
    faulty = next(cell.source for cell in source.handed if "lesson 4, as found" in cell.source)
    start = faulty.index("def merge_moments")
    copy = faulty[start : faulty.index("\n\n\n", start)].replace("  # lesson 4, as found", "")
    mark = grade(source, handed_in(source, right_of(source) | {"merge_moments": copy}))["merge_moments"]
    assert (mark.points, mark.mistake) == (0, "as-handed-out")
    assert mark.message == "merge_moments is unchanged, with the mistake that it was handed out with."
    touched = copy.replace("delta / count\n", "delta / (count)\n    x = 3\n")
    assert touched != copy
    mark = grade(source, handed_in(source, right_of(source) | {"merge_moments": touched}))["merge_moments"]
    assert mark.mistake not in (None, "as-handed-out")


def test_stubs_are_not_answered_and_right_answers_get_all_points(grade):
    for name in ("1_mlp", "4_normalization"):
        source = find(name)
        marks = grade(source, handed_in(source, {}))
        assert {mark.mistake for mark in marks.values()} == {"not-answered"}
        marks = grade(source, handed_in(source, right_of(source)))
        assert sum(mark.points for mark in marks.values()) == source.maximum
        assert all("def " in mark.answer for mark in marks.values())


def test_names_from_deleted_assignment_cells_exist(grade):
    source, right = find("4_normalization"), right_of(find("4_normalization"))
    uses = right["RunningNorm"].replace("merge_moments(", "merge_moments(*moments(x)[:0], ")
    cells = [right["merge_moments"], uses, right["discounted_return_scale"]]
    assert {mark.points for mark in grade(source, cells).values()} == {6, 8}
    source = find("2_cnn")
    answers = right_of(source)
    answers["output_size"] = """def output_size(size, kernel, stride=1, padding=0, dilation=1):
    return int(np.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1))"""
    assert grade(source, [*answers.values()])["output_size"].mistake is None


# What is asked for, and what is given -------------------------------------------------------------------------------


def test_gradients_are_graded_if_the_exercise_needs_them(grade):
    source = find("6_policy")
    detached = {}
    for name in ("conv2d", "gaussian_log_prob"):
        solution = str(check.solution(name)).replace(name, f"right_{name}")
        call = f"right_{name}(*(x.detach() if torch.is_tensor(x) else x for x in given), **more)"
        detached[name] = f"{solution}\n\ndef {name}(*given, **more):\n    return torch.tensor({call}.numpy())"
    marks = grade(source, handed_in(source, right_of(source) | detached))
    assert {name: marks[name].mistake for name in detached} == dict.fromkeys(detached, "no-gradient")


def test_named_tuple_counts_as_a_tuple(grade):
    source = find("4_normalization")
    named = """from collections import namedtuple
Moments = namedtuple("Moments", "count mean var")
def merge_moments(*arguments):
    return Moments(*merged(*arguments))
""" + str(check.solution("merge_moments")).replace("def merge_moments", "def merged")
    assert grade(source, handed_in(source, right_of(source) | {"merge_moments": named}))["merge_moments"].points == 6


def test_partial_points_for_cases(grade):
    source = find("4_normalization")
    merged = str(check.solution("merge_moments")).replace("def merge_moments", "def merged")
    empty = merged + "\n\ndef merge_moments(*given):\n    return merged(*given) if given[0] else given[:3]"
    mark = grade(source, handed_in(source, right_of(source) | {"merge_moments": empty}), partial=True)["merge_moments"]
    assert 0 < mark.points < 6
    assert (2 * mark.points).is_integer()
    assert mark.mistake
    assert grade(source, handed_in(source, {}), partial=True)["merge_moments"].points == 0


def test_partial_points_as_in_nbgrader(grade):
    partial = own(F, "right = sum(f(x) == x + 1 for x in (1, 2))\nright + f(0) - 1")
    answer = "def f(x):\n    return x + (x == 1) + (x == 0)"
    mark = grade(partial, [answer])["task"]
    assert (mark.points, mark.mistake, mark.message) == (1, "partial", "partly right: 1 of 4 points.")
    assert grade(own(F, "f(3)"), ["def f(x):\n    return x + 1"])["task"].points == 4
    assert grade(own(F, "f(3) == 4"), ["def f(x):\n    return x + 1"])["task"].points == 4
    assert grade(own(F, "0.0"), ["def f(x):\n    return x + 1"])["task"].points == 0


def test_hidden_part_continues_after_the_shown_part(grade):
    source = own(F, "x = 3\nassert f(1) == 2", "assert f(x) == 4")
    assert grade(source, ["def f(x):\n    return x + 1"])["task"].points == 4
    assert grade(source, ["def f(x):\n    return 2"])["task"].points == 0


# What an instructor's own check is told by a wrong answer -------------------------------------------------------------

ALWAYS = """class Always:
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __sub__(self, other): return 0.0
    def __rsub__(self, other): return 0.0
    def __add__(self, other): return self
    def __radd__(self, other): return 4
    def __contains__(self, other): return True
    def __abs__(self): return 0.0
    def __hash__(self): return hash(2)
"""
CHECKS = (
    "assert f(1) == 2",
    "assert 2 == f(1)",
    "assert abs(f(1) - 2) < 1e-6",
    "assert 2 - f(1) == 0",
    "assert f(1) < 3",
    "assert f(1) + 2 == 4",
    "assert 2 + f(1) == 4",
    "assert 2 in f(1)",
    "assert f(1) in (2, 3)",
    "assert [f(1)] == [2]",
    "import math\nassert math.isclose(f(1), 2)",
    "assert all(map(g, [1, 2]))\ndef g(x): return f(x) == x + 1",
)


@pytest.mark.parametrize("check", CHECKS)
def test_object_that_equals_everything_gets_no_points(grade, check):
    check = "\n".join(sorted(check.split("\n"), key=lambda line: line.startswith("assert")))
    source = own(F, check)
    assert grade(source, ["def f(x):\n    return x + 1"])["task"].points == (0 if "2 in" in check else 4)
    for answer in ("Always()", "[Always()]", "next(iter(()))"):
        assert grade(source, [f"{ALWAYS}\ndef f(x):\n    return {answer}"])["task"].points == 0


def test_results_that_would_be_slow_for_the_grader_are_refused(grade):
    source = own(F, "list(f(1))")
    for answer in ("range(10**12)", "{(2**61 - 1) * i for i in range(100_000)}", "dict.fromkeys(range(100_000))"):
        assert grade(source, [f"def f(x):\n    return {answer}"])["task"].mistake == "stopped"


def test_many_results_do_not_fill_the_grader_s_memory(grade, monkeypatch):
    monkeypatch.setattr(student, "_MOST_RECEIVED", 1 << 22)
    source = own(F, "list(f(1))")
    stream = "def f(x):\n    while True:\n        yield torch.zeros(100_000)"
    mark = grade(source, ["import torch", stream])["task"]
    assert (mark.mistake, "sent more than 4 MB of results" in mark.message) == ("stopped", True)
    source = own(F, "seen = []\nf(seen.append)")
    stream = "def f(keep):\n    while True:\n        keep(torch.zeros(100_000))"
    assert grade(source, ["import torch", stream])["task"].mistake == "stopped"


def test_answer_cannot_set_the_random_numbers_of_a_check(grade):
    hidden = "torch.manual_seed(7)\nfor _ in range(9):\n    x = torch.randn(5)\n    assert torch.allclose(f(x), x + 1)"
    source = own(F, "assert f(1) == 2", hidden)
    forged = """import torch
calls = []
def f(x):
    calls.append(x)
    torch.set_rng_state(torch.zeros(5056, dtype=torch.uint8))
    return x + 1 if len(calls) < 3 else torch.ones(5)"""
    assert grade(source, [forged])["task"].points == 0
    assert grade(source, ["import torch\ndef f(x):\n    torch.rand(3)\n    return x + 1"])["task"].points == 4


@pytest.mark.parametrize("answer", ["float('nan')", "torch.tensor([torch.nan])", "torch.tensor([])", "torch.ones(3)"])
def test_points_are_always_a_number(grade, answer):
    for shown in ("4 * (f(1) / 2)", "min(f(1) / 2, 4)", "4 * (f(1) == 2)"):
        source = own(F, shown)
        assert grade(source, ["import torch", f"def f(x):\n    return {answer}"])["task"].points == 0


def test_answer_that_does_not_raise_an_expected_error_is_wrong(grade):
    answer = "def f(x):\n    ### BEGIN SOLUTION\n    raise ValueError(x)\n    ### END SOLUTION"
    source = own(answer, "import pytest\nwith pytest.raises(ValueError, match='3'):\n    f(3)")
    assert grade(source, ["def f(x):\n    raise ValueError(x)"])["task"].points == 4
    for wrong in ("return x", "raise ValueError('4')", "raise KeyError(3)", "raise StopIteration"):
        assert grade(source, [f"def f(x):\n    {wrong}"])["task"].points == 0


LAZY = """import torch
from torch.utils.data import DataLoader, TensorDataset
generator = torch.Generator().manual_seed(0)
weight = torch.nn.Parameter(torch.zeros(3))
optimizer = torch.optim.Adam([weight])
(weight - 1).square().sum().backward()
optimizer.step()
batches = [*DataLoader(TensorDataset(torch.arange(4)), batch_size=2, shuffle=True, generator=generator)]
def f(x):
    torch.optim.SGD([weight], 0.1).step()
    y = torch.vmap(lambda v: v + 1)(torch.full((2,), float(x)))
    y = y + 0 * torch.func.grad(lambda v: v**2)(y[0])
    return int(torch.jit.trace(lambda v: v, y)(y)[0])
"""


def test_lazily_imported_parts_of_torch_work():
    """Modules that torch imports lazily work in the unmodified worker."""
    process = Student([Cell(1, LAZY)], "unsafe", usage.Budget(Limits()))
    try:
        assert process.notes == ()
        assert process.names(["f"])["f"](3) == 4
    finally:
        process.close()
