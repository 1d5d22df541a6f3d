"""Own sources in nbgrader's format: right answers of every kind get all points, and wrong answers do not."""

import nbformat
import pytest
from course.grade import forked

from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import marking, sandbox, usage
from rsl_edu.course.grade.rehearsal import rehearse
from rsl_edu.course.grade.sandbox import Limits

SETUP = """import contextlib
import io
from dataclasses import dataclass
from typing import NamedTuple

import pytest
import torch
from torch import nn


def twice(x):
    return 2 * by_way_of_setup(x)"""

# A right answer, what makes it wrong, and a check of 4 points.
EXERCISES = {
    "module": (
        """class Net(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.layer = nn.Linear(inputs, 2)
        self.scale = 2.0

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.scale * self.layer(x)
        ### END SOLUTION""",
        ("self.scale * ", ""),
        """net = Net(3)
assert issubclass(Net, nn.Module)
assert isinstance(net, nn.Module)
assert isinstance(net, Net)
assert sum(p.numel() for p in net.parameters()) == 8
assert [name for name, _ in net.named_parameters()] == ["layer.weight", "layer.bias"]
net.load_state_dict({"layer.weight": torch.ones(2, 3), "layer.bias": torch.zeros(2)})
assert (net(torch.ones(1, 3)) == 6).all()
net.scale = 1.0
assert (net(torch.ones(1, 3)) == 3).all()""",
    ),
    "parameters": (
        """class Tuned(nn.Module):
    def __init__(self):
        super().__init__()
        self.frozen, self.layer = nn.Linear(2, 2), nn.Linear(2, 1)
        ### BEGIN SOLUTION
        self.frozen.requires_grad_(False)
        ### END SOLUTION

    def learn(self, x):
        self.layer(self.frozen(x)).sum().backward()""",
        ("requires_grad_(False)", "train(False)"),
        """tuned = Tuned()
assert all(isinstance(p, nn.Parameter) for p in tuned.parameters())
assert {name for name, p in tuned.named_parameters() if p.requires_grad} == {"layer.weight", "layer.bias"}
assert tuned.layer.bias.grad is None
tuned.learn(torch.ones(3, 2))
assert tuned.layer.bias.grad.tolist() == [3]
assert tuned.frozen.bias.grad is None""",
    ),
    "texts": (
        """class Joint(nn.Module):
    def __init__(self, angle):
        super().__init__()
        self.angle = angle

    def __repr__(self):
        ### BEGIN SOLUTION
        return f"Joint({self.angle})"
        ### END SOLUTION

    def __str__(self):
        return f"at {self.angle}\"""",
        ('f"Joint(', 'f"joint('),
        """joint = Joint(3)
assert repr(joint) == "Joint(3)" == f"{joint!r}"
assert str(joint) == "at 3" == f"{joint}"
assert joint.__class__.__name__ == type(joint).__name__ == Joint.__name__ == "Joint\"""",
    ),
    "names": (
        """import functools


def timed(function):
    ### BEGIN SOLUTION
    @functools.wraps(function)
    def call(*given):
        return function(*given)

    return call
    ### END SOLUTION""",
        ("functools.wraps(function)", "functools.cache"),
        """def square(x):
    return x * x


assert timed(square)(3) == 9
assert timed(square).__name__ == "square\"""",
    ),
    "given-iterators": (
        "def two(items):\n    ### BEGIN SOLUTION\n    return [next(items), next(items)]\n    ### END SOLUTION",
        ("next(items), next(items)", "*items"),
        """numbers = iter(range(4))
assert two(numbers) == [0, 1]
assert two(numbers) == [2, 3]
assert two(n * n for n in range(4)) == [0, 1]
assert two(zip("ab", "cd")) == [("a", "c"), ("b", "d")]""",
    ),
    "exception": (
        """def refuse(x):
    ### BEGIN SOLUTION
    if x < 0:
        raise ValueError("negative")
    return x
    ### END SOLUTION""",
        ("ValueError", "TypeError"),
        """with pytest.raises(ValueError, match="negative"):
    refuse(-1)
try:
    refuse(-2)
except ValueError as error:
    assert str(error) == "negative"
else:
    raise AssertionError("it did not raise")""",
    ),
    "printed": (
        'def greet(name):\n    ### BEGIN SOLUTION\n    print("hello", name)\n    ### END SOLUTION',
        ("hello", "bye"),
        """with contextlib.redirect_stdout(io.StringIO()) as out:
    greet("Ada")
assert out.getvalue() == "hello Ada\\n\"""",
    ),
    "callback": (
        "def again(function, x):\n    ### BEGIN SOLUTION\n    return function(function(x))\n    ### END SOLUTION",
        ("function(function(x))", "function(x)"),
        "seen = []\n\n\ndef double(x):\n    seen.append(x)\n    return 2 * x\n\n\n"
        "assert again(double, 1) == 4\nassert seen == [1, 2]\nassert again(lambda x: x + 1, 1) == 3",
    ),
    "values": (
        "### BEGIN SOLUTION\nsize, names = 5, ['a', {'b': (1, None)}]\nmean: torch.Tensor = torch.arange(4.0).mean()\n"
        "### END SOLUTION",
        ("size, names = 5", "size, names = 6"),
        "assert size == 5\nassert names == ['a', {'b': (1, None)}]\nassert torch.isclose(mean, torch.tensor(1.5))",
    ),
    "large": (
        "def large(x):\n    ### BEGIN SOLUTION\n    return torch.full((512, 1024), x)\n    ### END SOLUTION",
        ("512", "511"),
        "assert large(2.0).shape == (512, 1024)\nassert large(2.0).sum() == 2**20",
    ),
    "records": (
        "class Point(NamedTuple):\n    x: int\n    y: int\n\n\n@dataclass\nclass Robot:\n    at: int\n\n\n"
        "def point(x):\n    ### BEGIN SOLUTION\n    return Point(x, 2), Robot(x)\n    ### END SOLUTION",
        ("Point(x, 2)", "Point(2, x)"),
        "(x, y), robot = point(1)\nassert (x, y) == (1, 2)\nassert point(1)[0].y == 2\nassert robot.at == 1",
    ),
    "iterables": (
        "def count(n):\n    ### BEGIN SOLUTION\n    yield from range(n)\n    ### END SOLUTION",
        ("range(n)", "range(n + 1)"),
        "assert list(count(3)) == [0, 1, 2]\nassert next(count(2)) == 0",
    ),
    "protocols": (
        "class Box:\n    def __init__(self, x):\n        self.x, self.open = x, False\n\n"
        "    def __add__(self, other):\n"
        "        ### BEGIN SOLUTION\n        return Box(self.x + other.x)\n        ### END SOLUTION\n\n"
        "    def __len__(self):\n        return self.x\n\n    def __getitem__(self, i):\n        return i * self.x\n\n"
        "    def __enter__(self):\n        self.open = True\n        return self\n\n    def __exit__(self, *_):\n"
        "        self.open = False",
        ("self.x + other.x", "self.x"),
        "both = Box(1) + Box(2)\nassert both.x == len(both) == 3\nassert both[2] == 6\n"
        "with both as box:\n    assert box.open\nassert not both.open",
    ),
    "used": (  # from nbgrader's quickstart
        "def part(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n\n\n"
        "def whole(x):\n    ### BEGIN SOLUTION\n    return part(x) + 1\n    ### END SOLUTION",
        ("part(x) + 1", "x + 1"),
        "kept = part\ndel part\ntry:\n    whole(1)\nexcept NameError:\n    pass\nelse:\n"
        "    raise AssertionError('it does not use part')\nfinally:\n    part = kept\nassert part(1) == 1",
    ),
    "set-up": (
        "def by_way_of_setup(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        ("return x", "return -x"),
        "assert twice(3) == 6",
    ),
    "hidden-uses-shown": (
        "def same(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        ("return x", "return 3"),
        "x = 3\nassert same(x) == 3\n### BEGIN HIDDEN TESTS\nassert same(x + 1) == 4\n### END HIDDEN TESTS",
    ),
    "hidden-only": (
        "def alone(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        ("return x", "return 3"),
        "### BEGIN HIDDEN TESTS\nassert alone(1) == 1\n### END HIDDEN TESTS",
    ),
    "hidden-inside": (
        "def inside(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
        ("return x", "return abs(x)"),
        "for i in range(3):\n    assert inside(i) == i\n    ### BEGIN HIDDEN TESTS\n    assert inside(-i) == -i\n"
        "    ### END HIDDEN TESTS",
    ),
    "cell-0a1b": (
        "def counted(x):\n    ### BEGIN SOLUTION\n    return x + 0\n    ### END SOLUTION",
        ("x + 0", "max(x, 2)"),  # right for one of two cases
        "score = 0\nif counted(1) == 1:\n    score += 2\n### BEGIN HIDDEN TESTS\nif counted(2) == 2:\n    score += 2\n"
        "### END HIDDEN TESTS\nscore",
    ),
}
PARTIAL = {"cell-0a1b": 2}
BY_HAND = "because"


def cell(source, kind="code", **metadata):
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind]
    return make(source, metadata={"nbgrader": {"schema_version": 3, **metadata}} if metadata else {})


@pytest.fixture(scope="module", autouse=True)
def forks():
    """Run answers in forks of this process, which start faster."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(sandbox, "start", forked.start)
        monkeypatch.setattr(usage, "known", lambda _: True)
        yield


@pytest.fixture(scope="module")
def source():
    cells = [cell(SETUP)]
    for name, (answer, _, check) in EXERCISES.items():
        cells.append(cell(answer, solution=True, grade_id=f"{name}-answer"))
        cells.append(cell(check, grade=True, grade_id=name, points=4))
    cells.append(cell("Because.", "markdown", solution=True, grade=True, grade_id=BY_HAND, points=5))
    return Assignment("own", nbformat.v4.new_notebook(cells=cells))


def marks_of(source, notebook, **options):
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return {mark.task: mark for mark in marking.mark(source, code, "bwrap", Limits(), **options).marks}


def test_right_answers_get_all_points_and_stubs_get_none(source):
    lines = []
    assert rehearse(source, lines.append), "\n".join(lines)
    text, most = "\n".join(lines), 4 * len(EXERCISES)
    assert f"right answers: {most} of {most} points" in text
    assert f"no answers: 0 of {most} points" in text


@pytest.fixture(scope="module")
def wrong(source):
    notebook = source.solution()
    for each in notebook.cells:
        name = each.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("-answer")
        if each.metadata.get("nbgrader", {}).get("solution") and name in EXERCISES:
            old, new = EXERCISES[name][1]
            assert old in each.source
            each.source = each.source.replace(old, new)
    return marks_of(source, notebook, carry=False)


@pytest.mark.parametrize("name", EXERCISES)
def test_wrong_answer_gets_no_points_or_partial_points(name, wrong):
    assert wrong[name].points == PARTIAL.get(name, 0)
    assert wrong[name].mistake not in (None, "missing", "lost", "not-answered")


def test_exercises_marked_by_hand_get_no_points(wrong):
    assert (wrong[BY_HAND].points, wrong[BY_HAND].mistake, wrong[BY_HAND].message) == (None, None, "")
