"""Problems in a source are found without running it, each with its cell and line."""

import nbformat
import pytest

from rsl_edu.course import assignment
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.source_check import findings

NAMES = sorted(path.stem for path in assignment.folder().glob("*.ipynb"))
F = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"

STUB = "Run All stops here, because the stub raises an error: put the solution into a function"
SEED = "without a seed: each student gets different inputs; set a seed first"
SOURCE = "the source of an answer is not available while grading; check its result"


def plain(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": [*tags]})


def answer(source=F, **more):
    return _marked(source, {"solution": True, "grade_id": f"answer-{len(source)}", **more})


def check(source="assert f(1) == 1", points=1, **more):
    return _marked(source, {"grade": True, "grade_id": f"check-{len(source)}", "points": points, **more})


def _marked(source, metadata):
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": {"schema_version": 3, **metadata}})


def of(*cells):
    return [str(found) for found in findings(Assignment("made", nbformat.v4.new_notebook(cells=[*cells])))]


@pytest.mark.parametrize("name", NAMES)
def test_assignments_of_the_course_have_no_findings(name):
    assert findings(assignment.find(name)) == []


def test_a_correct_source_has_no_findings():
    setup = "import math\nimport torch\n%matplotlib inline\n\n\ndef twice(x):\n    return 2 * f(x)"
    body = "for i, x in enumerate(range(3)):\n    assert f(x) == x, f'{i}'\ntry:\n    f()\nexcept TypeError as error:\n"
    body += "    print(error)\nassert [twice(y) for y in (1, math.pi)]\ntorch.manual_seed(0)\nf(torch.rand(3))\n"
    body += "### BEGIN HIDDEN TESTS\nassert all(f(z) == z for z in (7, 8))\n### END HIDDEN TESTS"
    assert of(plain(setup), answer(), plain("f(3)"), check(body)) == []


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (
            [answer(), check("assert f(1)\nassert f(size)")],
            "error: cell 2, line 2: nothing defines size",
        ),
        (
            [answer(), check("assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(1) == math.pi\n### END HIDDEN TESTS")],
            "error: cell 2, line 3: nothing defines math",
        ),
        (
            [plain("size = 3", "demo"), answer(), check("assert f(size)")],
            "error: cell 3, line 1: only cell 1 defines size, and it is a demonstration, or cannot run without an "
            "answer: define size in a separate cell",
        ),
        (
            [answer(), plain("size = 3\nseen = f(3)"), check("assert f(size)")],
            "error: cell 3, line 1: only cell 2 defines size, and it is a demonstration, or cannot run without an "
            "answer: define size in a separate cell",
        ),
        (
            [answer(), check("a = f(1)"), check("assert f(a)")],
            "error: cell 3, line 1: only the check in cell 2 defines a, but each check runs alone: define a earlier",
        ),
        (
            [answer(f"import math\n\n\n{F}"), check("assert f(math.pi)")],
            "error: cell 2, line 1: only cell 1, which is for an answer, defines math: define it in a separate cell",
        ),
        ([plain("f(1)"), answer(), check()], "error: cell 1, line 1: this cell uses f before the student defines it"),
        ([plain("def g():\n    return sized"), answer(), check()], "error: cell 1, line 2: nothing defines sized"),
        ([answer(F.replace("return x", "return y")), check()], "error: cell 1, line 3: nothing defines y"),
        (
            [answer(), check(), check("assert 1 + 1 == 2", grade_id="sum")],
            "error: cell 3, line 1: sum uses no answer, so everybody gets its points",
        ),
        (
            [answer(), answer("x = 5\ny = 6"), check()],
            [
                "warning: cell 2, line 1: this answer gives no points: no check uses x or y",
                f"warning: cell 2, line 2: {STUB}",
            ],
        ),
        (
            [answer(), answer("f(3)\n"), check()],
            [
                "warning: cell 2, line 1: this answer gives no points: the cell defines no function or variable",
                f"warning: cell 2, line 2: {STUB}",
            ],
        ),
        (
            [answer("a = 1\n### BEGIN SOLUTION\nx = 5\n### END SOLUTION"), check("assert x == 5")],
            f"warning: cell 1, line 3: {STUB}",
        ),
        (
            [answer("class A:\n    ### BEGIN SOLUTION\n    x = 5\n    ### END SOLUTION"), check("assert A.x == 5")],
            f"warning: cell 1, line 3: {STUB}",
        ),
        (
            [answer(), check(), check("assert f(2)", points=0, grade_id="free")],
            "warning: cell 3, line 1: free gives 0 points, so it is not graded",
        ),
        (
            [answer(), check("print(f(1))\n### BEGIN HIDDEN TESTS\nprint(f(2))\n### END HIDDEN TESTS")],
            "warning: cell 2, line 3: a hidden test prints text: nobody sees it here, but nbgrader's feedback "
            "may show it to the student",
        ),
        (
            [plain("import inspect"), answer(), check("# inspect.getsource(f)\nassert 'for' in inspect.getsource(f)")],
            f"error: cell 3, line 2: getsource: {SOURCE}",
        ),
        (
            [answer(), check("assert f.__code__")],
            f"error: cell 2, line 1: .__code__: {SOURCE}",
        ),
        (
            [plain("import torch"), answer(), check("x = 1\nassert f(torch.randn(3)).any()\ntorch.manual_seed(0)")],
            f"warning: cell 3, line 2: random numbers of torch {SEED}",
        ),
        (
            [plain("import numpy as np"), answer(), check("x = np.random.default_rng()\nassert f(x)")],
            f"warning: cell 3, line 1: random numbers of numpy {SEED}",
        ),
        (
            [plain("import random"), answer(), check("assert f(random.random())")],
            f"warning: cell 3, line 1: random numbers of random {SEED}",
        ),
    ],
)
def test_each_finding_names_the_cell_and_the_line(cells, found):
    assert of(*cells) == ([found] if isinstance(found, str) else found)


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "\n%%time"])
def test_names_of_a_cell_below_a_magic_that_runs_it_are_defined(magic):
    setup = plain(f"{magic}\nimport math\nsize = 3")
    assert of(setup, answer(f"{magic}\n{F}"), check(f"{magic}\nassert f(size * math.pi)")) == []
    assert of(answer(f"{magic}\n{F}"), check(f"{magic}\nassert f(1)\nassert f(size)")) == [
        f"error: cell 2, line {magic.count(chr(10)) + 3}: nothing defines size"
    ]


def test_imports_of_one_check_are_available_to_the_next():
    assert of(answer(), check("from math import pi\nassert f(pi) == pi"), check("assert f(-pi) == -pi")) == []


@pytest.mark.parametrize(
    "code",
    [
        "random.seed(0)\nassert f(random.random())",
        "rng = np.random.default_rng(0)\nassert f(rng.random())",
        "np.random.seed(0)\nassert f(np.random.rand())",
        "g = torch.Generator().manual_seed(0)\nassert f(torch.rand(1, generator=g))",
    ],
)
def test_seeded_random_numbers_give_no_finding(code):
    assert of(plain("import random\nimport numpy as np\nimport torch"), answer(), check(code)) == []
