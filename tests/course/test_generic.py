"""Generic mistakes: each does what its sentence says, in a small function and in every exercise."""

import ast
import inspect
import math
import re

import pytest
import torch

from rsl_edu.course import check
from rsl_edu.course.check.edits import Source, disjoint
from rsl_edu.course.check.generic import arguments, results, suspects, words

X = torch.tensor([[1.0, 2.0, 4.0], [-3.0, 5.0, 0.25]])
Y = torch.tensor([[0.5, 3.0, -1.0], [2.0, 7.0, 6.0]])
SQUARE = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
POSITIVE = torch.tensor([0.5, 2.0, 4.0])
TENSORS = "x: torch.Tensor, y: torch.Tensor"


def of(body, given="x: torch.Tensor", returns="torch.Tensor"):
    """Return the source of a small right answer."""
    return Source(f"def answer({given}) -> {returns}:\n    {body}\n", "answer", {"torch": torch, "math": math})


def same(a, b):
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    a, b = torch.as_tensor(a).double(), torch.as_tensor(b).double()
    return a.shape == b.shape and torch.allclose(a, b, equal_nan=True)


def fits(source, kind, headline, wrong, inputs, outputs=("y",)):
    """Return whether a suspect of this kind, with this text in its sentence, returns what ``wrong`` returns."""
    right = source.answer(())(*inputs)
    for suspect in suspects(source, outputs):
        if suspect.name == kind and headline in suspect.headline:
            try:
                seen = source.answer(suspect.edits)(*inputs)
            except Exception:
                continue
            if same(seen, wrong(*inputs)) and not same(seen, right):
                return True
    return False


LOOP = "total = 0 * x[0]\n    for row in x:\n        total = 0.5 * total + row\n    return total"
UPDATE = "field, jump = 1.0, 1.0\n    for s in x:\n        field += 2 * jump\n        jump *= s\n    return field"


def looped(rows):
    total = torch.zeros(3)
    for row in rows:
        total = 0.5 * total + row
    return total


def updated(kernels, order=False, left_out=False):
    field = jump = 1.0
    for s in kernels:
        jump = jump * s if order else jump
        field += 2 * jump
        jump = jump if order or left_out else jump * s
    return field


FORMULA = {
    "mean-for-sum": ("return x.sum(-1)", lambda x: x.mean(-1)),
    "sum-for-mean": ("return x.mean(-1)", lambda x: x.sum(-1)),
    "wrong-dimension": ("return x.sum(-1)", lambda x: x.sum(0)),
    "all-dimensions": ("return x.sum(dim=-1)", lambda x: x.sum()),
    "sign-turned": ("return x - y", lambda x, y: x + y),
    "difference-turned": ("return (x - y) * y", lambda x, y: (y - x) * y),
    "fraction-turned": ("return x + x / y", lambda x, y: x + y / x),
    "term-left-out": ("return x + y * y", lambda x, y: x),
    "factor-left-out": ("return x + x / y", lambda x, y: x + 1 / y),
    "constant-left-out": ("return x - 0.5", lambda x: x),
    "transpose-left-out": ("return x @ x.T", lambda x: x @ x),
    "transpose-too-many": ("return x @ x", lambda x: x @ x.T),
    "square-left-out": ("return 1 + x ** 2", lambda x: 1 + x),
    "square-too-many": ("return 1 + x", lambda x: 1 + x**2),
    "root-too-many": ("return 1 + x.abs()", lambda x: 1 + x.abs() ** 0.5),
    "doubled": ("return x + y.exp()", lambda x, y: x + 2 * y.exp()),
    "halved": ("return x + y.exp()", lambda x, y: x + 0.5 * y.exp()),
    "constant-doubled": ("return x + 0.5", lambda x: x + 1),
    "constant-halved": ("return x + 0.5", lambda x: x + 0.25),
    "one-too-many": ("return x + x * 3", lambda x: x + x * 4),
    "one-too-few": ("return x + x * 3", lambda x: x + x * 2),
    "unbiased-for-biased": ("return x.var(correction=0)", lambda x: x.var()),
    "biased-for-unbiased": ("return x.std()", lambda x: x.std(correction=0)),
    "brackets-lost": ("return x / (x.abs() * 2)", lambda x: x / x.abs() * 2),
    "multiplied-for-divided": ("return x / y", lambda x, y: x * y),
    "divided-for-multiplied": ("return x * y", lambda x, y: x / y),
    "plus-for-times": ("return x - x * y", lambda x, y: x - (x + y)),
    "times-for-plus": ("return x - (x + y)", lambda x, y: x - x * y),
    "elementwise-product": ("return x @ x", lambda x: x * x),
    "integer-division": ("return x / y", lambda x, y: x // y),
    "true-division": ("return x // y", lambda x, y: x / y),
    "function-left-out": ("return x.exp().sum(-1)", lambda x: x.sum(-1)),
    "min-for-max": ("return torch.maximum(x, y)", torch.minimum),
    "max-for-min": ("return torch.minimum(x, y)", torch.maximum),
    "any-for-all": ("return (x > 0).all(dim=0)", lambda x: (x > 0).any(dim=0)),
    "all-for-any": ("return (x > 0).any(dim=0)", lambda x: (x > 0).all(dim=0)),
    "product-for-sum": ("return x.sum(-1)", lambda x: x.prod(-1)),
    "exp-for-log": ("return 1 + x.log()", lambda x: 1 + x.exp()),
    "log-for-exp": ("return 1 + x.exp()", lambda x: 1 + x.log()),
    "other-activation": ("return torch.sigmoid(x)", torch.tanh),
    "one-of-two": ("return torch.maximum(x, y)", lambda x, y: y),
    "limit-left-out": ("return x.clamp(0, 1)", lambda x: x.clamp(min=0)),
    "choice-turned": ("return torch.where(x > 0, x, y)", lambda x, y: torch.where(x > 0, y, x)),
    "always-the-same": ("return x if x.sum() > 0 else y", lambda x, y: y),
    "limit-itself": ("return (x > 1).float()", lambda x: (x >= 1).float()),
    "comparison-turned": ("return (x > 1).float()", lambda x: (x < 1).float()),
    "condition-left-out": ("return x.sum() > 0 and x.sum() < 1", lambda x: x.sum() > 0),
    "and-for-or": ("return x.sum() > 0 or x.sum() > 99", lambda x: False),
    "or-for-and": ("return x.sum() > 0 and x.sum() > 99", lambda x: True),
    "condition-turned": ("if x.sum() > 0:\n        return x\n    return y", lambda x, y: y),
    "statement-left-out": (UPDATE, lambda x: updated(x, left_out=True)),
    "order-of-steps": (UPDATE, lambda x: updated(x, order=True)),
    "first-step-lost": (LOOP, lambda x: looped(x[1:])),
    "last-step-lost": (LOOP, lambda x: looped(x[:-1])),
    "only-first-step": (LOOP, lambda x: looped(x[:1])),
    "loop-backwards": (LOOP, lambda x: looped(x.flip(0))),
    "another-element": ("return x[0]", lambda x: x[-1]),
    "slice-ends": ("return x[:, 1:]", lambda x: x[:, 2:]),
    "parts-exchanged": ("a, b = x[0], x[1]\n    return a - 2 * b", lambda x: x[1] - 2 * x[0]),
    "order-of-sizes": ("return x.reshape(3, 2)", lambda x: x.reshape(2, 3)),
    "fixed-size": ("return x.sum(0) / len(x)", lambda x: x.sum(0) / 3),
    "wrong-argument": ("return x * y + x", lambda x, y: x * y + y),
}
# Inputs for kinds whose effect the usual inputs would hide.
INPUTS = {
    **dict.fromkeys(("transpose-left-out", "transpose-too-many", "elementwise-product"), (SQUARE,)),
    **dict.fromkeys(("exp-for-log", "log-for-exp", "statement-left-out", "order-of-steps"), (POSITIVE,)),
}


@pytest.mark.parametrize("kind", words.KINDS)
def test_formula_is_wrong_as_the_sentence_says(kind):
    body, wrong = FORMULA[kind]
    number = len(inspect.signature(wrong).parameters) if inspect.isfunction(wrong) else 1 + (", y" in body)
    inputs = INPUTS.get(kind, (X, Y)[:number])
    clause = words.KINDS[kind][0].partition("{}")[0]
    assert fits(of(body, TENSORS if number == 2 else "x: torch.Tensor"), kind, clause, wrong, inputs)


# Kind, type, what is used instead of x, and a part of the sentence
ARGUMENTS = [
    ("ignored-argument", "torch.Tensor", torch.zeros_like, "every entry of `x` is replaced by 0"),
    ("ignored-argument", "torch.Tensor", torch.ones_like, "every entry of `x` is replaced by 1"),
    ("negated-argument", "torch.Tensor", lambda x: -x, "the sign of `x` is flipped"),
    ("doubled-argument", "torch.Tensor", lambda x: 2 * x, "twice `x` is used instead of `x`"),
    ("halved-argument", "torch.Tensor", lambda x: x / 2, "half of `x` is used instead of `x`"),
    ("squared-argument", "torch.Tensor", lambda x: x * x, "the square of `x`"),
    ("root-of-argument", "torch.Tensor", lambda x: x.sqrt(), "the square root of `x`"),
    ("one-minus-argument", "torch.Tensor", lambda x: 1 - x, "1 minus `x` is used instead of `x`"),
    ("log-of-argument", "torch.Tensor", lambda x: x.log(), "the log of `x`"),
    ("exp-of-argument", "torch.Tensor", lambda x: x.exp(), "the exp of `x`"),
    ("absolute-argument", "torch.Tensor", lambda x: x.abs(), "the absolute value of `x`"),
    ("transposed-argument", "torch.Tensor", lambda x: x.T, "the last two dimensions of `x` are exchanged"),
    ("flipped-argument", "torch.Tensor", lambda x: x[[1, 0]], "the rows of `x` are in reverse order"),
    ("first-row-only", "torch.Tensor", lambda x: x[[0, 0]], "the first row of `x` is used for all"),
    ("last-row-only", "torch.Tensor", lambda x: x[[1, 1]], "the last row of `x` is used for all"),
    ("ignored-argument", "float", lambda x: 0.0, "`x` is replaced by 0"),
    ("ignored-argument", "float", lambda x: 1.0, "`x` is replaced by 1"),
    ("log-of-argument", "float", math.log, "the log of `x`"),
    ("ignored-argument", "int", lambda x: 0, "`x` is replaced by 0"),
    ("argument-off-by-one", "int", lambda x: x - 1, "1 is subtracted from `x`"),
    ("argument-off-by-one", "int", lambda x: x + 1, "1 is added to `x`"),
    ("halved-argument", "int", lambda x: x // 2, "half of `x`, rounded down"),
    ("ignored-argument", "bool", lambda x: not x, "`x` is replaced by"),
    ("negated-argument", "bool", lambda x: not x, "True and False are exchanged in `x`"),
    ("flipped-argument", "list[int]", lambda x: [7, 4, 2], "the elements of `x` are in reverse order"),
    ("shortened-argument", "list[int]", lambda x: [4, 7], "the first element of `x` is left out"),
    ("shortened-argument", "list[int]", lambda x: [2, 4], "the last element of `x` is left out"),
    ("first-row-only", "list[int]", lambda x: [2, 2, 2], "the first element of `x` is used for all"),
    ("last-row-only", "list[int]", lambda x: [7, 7, 7], "the last element of `x` is used for all"),
    ("shifted-argument", "list[int]", lambda x: [7, 2, 4], "one place too late, and the last one comes first"),
    ("shifted-argument", "list[int]", lambda x: [4, 7, 2], "one place too early, and the first one comes last"),
    ("ignored-argument", "list[int]", lambda x: [0, 0, 0], "every element of `x` is replaced by 0"),
    ("ignored-argument", "list[int]", lambda x: [1, 1, 1], "every element of `x` is replaced by 1"),
    ("argument-off-by-one", "list[int]", lambda x: [1, 3, 6], "1 is subtracted from every element of `x`"),
    ("argument-off-by-one", "list[int]", lambda x: [3, 5, 8], "1 is added to every element of `x`"),
]
VALUES = {"torch.Tensor": X, "float": 2.5, "int": 5, "bool": True, "list[int]": [2, 4, 7]}


@pytest.mark.parametrize(("kind", "type_", "instead", "says"), ARGUMENTS)
def test_argument_is_used_as_the_sentence_says(kind, type_, instead, says):
    source = of("return x", f"x: {type_}")
    assert fits(source, kind, says, instead, (VALUES[type_],))


@pytest.mark.parametrize(
    ("kind", "given", "body", "wrong", "inputs", "says"),
    [
        ("exchanged-arguments", TENSORS, "return x - y.exp()", lambda x, y: y - x.exp(), (X, Y), "`x` and `y` are ex"),
        ("default-argument", "x: int, y: int = 3", "return x - y", lambda x, y: x - 3, (8, 5), "`y` is ignored"),
        ("shifted-argument", "x: torch.Tensor", "return x", lambda x: x[[2, 0, 1]], (POSITIVE,), "one place too late"),
        ("shifted-argument", "x: torch.Tensor", "return x", lambda x: x[[1, 2, 0]], (POSITIVE,), "one place too early"),
        (
            "flipped-argument",
            TENSORS,
            "return x - y",
            lambda x, y: (x - y).flip(0),
            (X, Y),
            "the rows of each of `x` and `y`",
        ),
        ("first-row-only", TENSORS, "return x - y", lambda x, y: (x - y)[:1], (X, Y), "first row of each of `x`"),
        ("last-row-only", TENSORS, "return x - y", lambda x, y: (x - y)[-1:], (X, Y), "last row of each of `x`"),
        ("transposed-argument", TENSORS, "return x - y", lambda x, y: (x - y).T, (X, Y), "in each of `x` and `y`"),
    ],
)
def test_arguments_are_used_as_the_sentence_says(kind, given, body, wrong, inputs, says):
    assert fits(of(body, given), kind, says, wrong, inputs)


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        (lambda each: torch.zeros_like(each), "is replaced by zeros"),
        (lambda each: -each, "the sign of every element of `x` is flipped"),
        (lambda each: each.T, "every element of `x` is transposed"),
    ],
)
def test_list_of_tensors_is_used_as_the_sentence_says(instead, says):
    source = of("return tuple(x)", "x: list[torch.Tensor]")
    kinds = {suspect.name for suspect in suspects(source) if says in suspect.headline}
    assert any(fits(source, kind, says, lambda x: tuple(map(instead, x)), ([X, SQUARE],)) for kind in kinds)


RESULTS = [
    ("result-negated", lambda x: -x, "the right y with the opposite sign"),
    ("result-doubled", lambda x: 2 * x, "twice the right y"),
    ("result-halved", lambda x: x / 2, "half of the right y"),
    ("result-plus-one", lambda x: x + 1, "the right y plus 1"),
    ("result-minus-one", lambda x: x - 1, "the right y minus 1"),
    ("one-minus-result", lambda x: 1 - x, "1 minus the right y"),
    ("result-inverted", lambda x: 1 / x, "1 divided by the right y"),
    ("result-squared", lambda x: x * x, "the square of the right y"),
    ("root-of-result", lambda x: x.sqrt(), "the square root of the right y"),
    ("log-of-result", lambda x: x.log(), "the log of the right y"),
    ("exp-of-result", lambda x: x.exp(), "the exp of the right y"),
    ("absolute-result", lambda x: x.abs(), "the absolute value of the right y"),
    ("result-clamped", lambda x: x * (x > 0), "the right y with negative values replaced by 0"),
    ("result-rounded", lambda x: x.round(), "the right y rounded to the nearest whole number"),
    ("result-cut", lambda x: x.int(), "the right y without the digits after the decimal point"),
    ("result-zero", torch.zeros_like, "always 0"),
    ("result-summed", lambda x: x.sum(), "the sum of all entries of the right y"),
    ("result-averaged", lambda x: x.mean(), "the mean of all entries of the right y"),
    ("result-summed", lambda x: x[0] + x[1], "the sum of the right y over dimension 0"),
    ("result-averaged", lambda x: x.mean(1), "the mean of the right y over dimension 1"),
    ("result-transposed", lambda x: x.T, "the right y with its last two dimensions exchanged"),
    ("result-flipped", lambda x: x[[1, 0]], "the right y with its rows in reverse order"),
    ("result-flipped", lambda x: x[:, [2, 1, 0]], "the right y with its last dimension in reverse order"),
    ("result-shifted", lambda x: x[[1, 0]], "the right y with each row one place too late, and the last row first"),
    ("result-first-row", lambda x: x[0], "only the first row of the right y"),
    ("result-last-row", lambda x: x[1], "only the last row of the right y"),
    ("result-first-rows", lambda x: x[:1], "the right y without its last row"),
    ("result-last-rows", lambda x: x[1:], "the right y without its first row"),
    ("result-cumulated", lambda x: torch.stack([x[0], x[0] + x[1]]), "the running sum of the right y"),
    ("result-softmax", lambda x: x.exp() / x.exp().sum(-1, keepdim=True), "the softmax of the right y"),
    ("result-flattened", lambda x: x.reshape(-1), "the right y with all dimensions flattened into one"),
    ("result-unsqueezed", lambda x: x[None], "the right y with an extra dimension of size 1 in front"),
    ("result-unsqueezed", lambda x: x[..., None], "the right y with an extra dimension of size 1 at the end"),
]


@pytest.mark.parametrize(("kind", "instead", "says"), RESULTS)
def test_result_is_as_the_sentence_says(kind, instead, says):
    source = of("return x * y", TENSORS)
    assert fits(source, kind, f"your y is {says}", lambda x, y: instead(x * y), (X, Y))


def test_results_are_squeezed_exchanged_and_shifted_as_the_sentences_say():
    one = of("return x", "x: torch.Tensor")
    assert fits(one, "result-squeezed", "without its dimensions of size 1", lambda x: x[0], (X[:1],))
    assert fits(
        one, "result-shifted", "one place too early, and the first row last", lambda x: x[[1, 2, 0]], (POSITIVE,)
    )
    assert fits(
        one, "result-shifted", "one place too late, and the last row first", lambda x: x[[2, 0, 1]], (POSITIVE,)
    )
    two = of("return x, y", TENSORS, "tuple[torch.Tensor, torch.Tensor]")
    says = "you return mean and var in the wrong order"
    assert fits(two, "results-exchanged", says, lambda x, y: (y, x), (X, Y), ("mean", "var"))
    assert fits(
        two, "result-doubled", "your var is twice the right var", lambda x, y: (x, 2 * y), (X, Y), ("mean", "var")
    )


def test_one_of_several_returns_is_changed():
    source = of("if x > 1:\n        return x\n    return 3 * x", "x: float", "float")
    says = "for some inputs, your y is twice the right y"
    assert fits(source, "result-doubled", says, lambda x: 2 * x, (2.0,))
    assert fits(source, "result-doubled", "your y is twice the right y", lambda x: 6 * x, (0.5,))


def test_every_kind_has_its_own_test():
    assert set(FORMULA) == set(words.KINDS)
    known = {kind for kind, *_ in (*results._TENSOR, *results._NUMBER)}
    assert known - {"result-squeezed"} == {kind for kind, *_ in RESULTS}
    kinds = {kind for kind, *_ in ARGUMENTS} | {"exchanged-arguments", "default-argument"}
    assert kinds == set(arguments._LIKELIEST_FIRST)


# For all exercises ----------------------------------------------------------------------------------------------------

EXERCISES = list(check.EXERCISES.values())
exercises = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)


@exercises
def test_suspects_are_many_different_and_valid_python(exercise):
    source = Source.of(exercise.reference)
    found = suspects(source, exercise.outputs)
    assert 60 <= len(found) <= 350
    assert len({source.edited(suspect.edits) for suspect in found}) == len(found)
    for suspect in found:
        assert callable(source.answer(suspect.edits))
        assert suspect.edits
        assert disjoint(suspect.edits)
        assert all(0 <= start <= end <= len(source.text) for start, end, _ in suspect.edits)
        assert ast.dump(ast.parse(source.edited(suspect.edits))) != ast.dump(source.tree)


@exercises
def test_sentences_are_short_and_name_only_arguments(exercise):
    source = Source.of(exercise.reference)
    named = {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)} - {"self"}
    for suspect in suspects(source, exercise.outputs):
        for sentence in (suspect.headline, suspect.why):
            assert len(sentence) <= 170
            assert set(re.findall(r"`(\w+)`", sentence)) - {"and", "or", "any", "all", "return"} <= named
            assert sentence[-1] in ".?"
            assert not re.search(r"[{}]|  ", sentence)


def test_a_while_loop_is_not_changed():
    source = of("while x > 1:\n        x = x / 2\n    return x", "x: float", "float")
    start = source.text.index("while")
    end = source.text.index("\n    return")
    assert not [each for suspect in suspects(source) for each in suspect.edits if start < each[0] < end]


def test_non_ascii_characters_do_not_shift_edits():
    source = of("σ = x * 2\n    return σ + y", TENSORS)
    assert fits(source, "sign-turned", "a sign is wrong", lambda x, y: 2 * x - y, (X, Y))
