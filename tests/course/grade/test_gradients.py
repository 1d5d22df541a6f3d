"""Gradients of a student's function are the same as in the lesson, although it runs in another process."""

import copy

import pytest
import torch

from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade.notebook import Cell
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import StoppedError, Student
from rsl_edu.course.grade.usage import Budget

CELL = """
import copy, torch
def right(x, w): return (x * w).sum(0), {"log": [torch.exp(x), 3]}
def detached(x, w): return (x.detach() * w).sum(0), {"log": [torch.exp(x), 3]}
def same(x): return x
def whole(x): return x.argmax()
def fill(weight):
    with torch.no_grad():
        weight.fill_(2.0)
def fill_with_a_gradient(weight): weight.fill_(2.0)
def deepcopy(x): return copy.deepcopy(x)
def kinds(*given): return [[type(x).__name__, x.requires_grad, x.is_leaf] for x in given]
def loop(x):
    while True: pass
def spent(x):
    y = x.exp()
    y.sum().backward()
    return y
class Scale:
    def __init__(self, w): self.w = w
    def __call__(self, x): return x * self.w
"""
LOCAL = {}
exec(CELL, LOCAL)


@pytest.fixture(scope="module")
def student():
    student = Student([Cell(1, CELL)], "unsafe", Budget(Limits()))
    yield student
    student.close()


@pytest.fixture(scope="module")
def names(student):
    return student.names(name for name in LOCAL if name not in ("copy", "torch", "__builtins__"))


def leaves():
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_(), torch.nn.Parameter(torch.tensor([5.0, 6.0]))


def gradients(names, name, in_another=lambda x: x):
    x, w = leaves()
    result, log = names[name](in_another(x * 1), w)
    loss = (result * torch.tensor([1.0, -2.0])).sum() + log["log"][0].sum()
    return torch.autograd.grad(loss, (x, w), allow_unused=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["right", "detached"])
def test_gradients_equal_those_in_the_lesson(names, name):
    for seen, expected in zip(gradients(names, name), gradients(LOCAL, name), strict=True):
        assert torch.equal(seen, expected)


@pytest.mark.slow
def test_gradients_flow_through_several_calls_and_objects(names):
    def run(names):
        x, w = leaves()
        return torch.autograd.grad(names["Scale"](w)(names["same"](names["same"](x) * 2)).exp().sum(), x)

    assert torch.equal(run(names)[0], run(LOCAL)[0])


@pytest.mark.slow
def test_independent_result_has_no_gradient(names):
    x, w = leaves()
    assert not names["whole"](x).requires_grad
    assert not names["same"](x.detach()).requires_grad
    result, _ = names["detached"](x, w.detach())
    assert not result.requires_grad
    result, _ = names["detached"](x, w)
    assert torch.autograd.grad(result.sum(), x, allow_unused=True) == (None,)


@pytest.mark.slow
def test_arguments_keep_their_kind(names):
    x, w = leaves()
    given = (x, x * 1, w, x.detach())
    assert names["kinds"](*given) == LOCAL["kinds"](*given)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "inner"), [("fill_with_a_gradient", False), ("deepcopy", True), ("deepcopy", False)])
def test_errors_in_the_lesson_are_raised_here_too(names, name, inner):
    x = leaves()[1] * 1 if inner else leaves()[1]
    try:
        LOCAL[name](x)
    except RuntimeError as error:
        with pytest.raises(RuntimeError, match=str(error)[:30]):
            names[name](x)
    else:
        names[name](x)


@pytest.mark.slow
def test_filled_parameter_is_returned(names):
    weight = leaves()[1]
    names["fill"](weight)
    assert weight.tolist() == [2, 2]
    assert weight.requires_grad
    assert weight.is_leaf
    assert isinstance(copy.deepcopy(weight), torch.nn.Parameter)


@pytest.mark.slow
def test_error_in_the_gradient_belongs_to_the_answer(names):
    x, _ = leaves()
    with pytest.raises(Failure, match="backward through the graph a second time"):
        torch.autograd.grad(names["spent"](x).sum(), x)


FORGED = {
    "wrong shape": ({"list": [{"tensor": ["float32", [1]]}]}, bytes(4)),
    "wrong dtype": ({"list": [{"tensor": ["float64", [2]]}]}, bytes(16)),
    "nested": ({"list": [{"list": [{"tensor": ["float32", [2]]}]}]}, bytes(8)),
    "too many": ({"list": [None, None]}, b""),
    "a number": ({"list": [3]}, b""),
    "an array": ({"list": [{"array": ["float32", [2]]}]}, bytes(8)),
    "an object": ({"list": [{"object": [0, "Tensor", False, False]}]}, b""),
    "no list": (None, b""),
    "a gradient of a gradient": ({"list": [{"tracked": ["float32", [2], 0]}]}, bytes(8)),
}
HONEST = {"list": [{"tensor": ["float32", [2]]}]}
RESULT = {"tracked": ["float32", [2], 0]}


@pytest.fixture
def forged(process):
    """Return a process that answers a call with one reply, and a request for gradients with another."""

    def start(result, gradient, body, changed=()):
        student = process(f"""
            ready()
            receive()
            reply(1, {{"dict": [["f", "function"]]}})
            receive()
            send({{"dict": [["number", 2], ["value", {result!r}]]}}, bytes(8))
            receive()
            changed = ["changed", {{"list": {[*changed]!r}}}]
            send({{"dict": [["number", 3], ["value", {gradient!r}], changed]}}, {body!r})
            receive()
        """)
        return student.names(["f"])["f"]

    return start


@pytest.mark.parametrize("name", FORGED)
def test_forged_gradients_are_refused(forged, name):
    x = torch.ones(2, requires_grad=True)
    result = forged(RESULT, *FORGED[name])(x)
    with pytest.raises(StoppedError, match=r"^sent a malformed|^sent a reply"):
        torch.autograd.grad(result.sum(), x)


@pytest.mark.parametrize("result", [{"tracked": ["int32", [2], 0]}, {"tracked": ["float32", [2], {"list": []}]}])
def test_forged_results_are_refused(forged, result):
    with pytest.raises(StoppedError, match=r"^sent a result that cannot have a gradient"):
        forged(result, HONEST, bytes(8))(torch.ones(2, requires_grad=True))


def test_result_of_plain_arguments_has_no_gradient(forged):
    with pytest.raises(StoppedError, match=r"^sent a reply with a value of an unknown kind"):
        forged(RESULT, HONEST, bytes(8))(torch.ones(2))


def test_gradient_cannot_change_the_grader_s_tensors(forged):
    x, given = torch.ones(2, requires_grad=True), torch.ones(2)
    change = {"tuple": [0, {"tensor": ["float32", [2]]}]}
    result = forged(RESULT, HONEST, bytes(16), [change])(x)
    assert torch.autograd.grad(result, x, given)[0].tolist() == [0, 0]
    assert given.tolist() == [1, 1]


def test_random_numbers_drawn_by_a_function_are_noticed():
    """A check of an answer that sets its own seed then gives the same result as in the lesson."""
    cell = """
import torch
def plain(x): return 2 * x
def drawing(x): return x + torch.randn(1)
def seeding(x):
    torch.manual_seed(3)
    return x + torch.randn(1)
"""
    student = Student([Cell(1, cell)], "unsafe", Budget(Limits()))
    names = student.names(("plain", "drawing", "seeding"))
    local = {}
    exec(cell, local)
    for name in ("plain", "drawing", "seeding", "plain", "drawing", "drawing"):
        torch.manual_seed(7)
        begin = torch.get_rng_state()
        there = [names[name](torch.zeros(1)) for _ in range(2)]
        moved = not torch.equal(begin, torch.get_rng_state())
        torch.manual_seed(7)
        here = [local[name](torch.zeros(1)) for _ in range(2)]
        assert moved == (name != "plain")
        assert torch.equal(there[0], here[0])
        assert torch.equal(there[1], here[1])
    student.close()
