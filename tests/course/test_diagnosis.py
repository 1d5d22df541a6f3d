"""Diagnosis of answers: known mistakes, generic ones, two mistakes, and faults that only a second run shows."""

import linecache
import time
from pathlib import Path

import pytest
import torch

from rsl_edu.course import check
from rsl_edu.course.check import Case, Exercise, Mistake, judging
from rsl_edu.course.check.edits import Source
from rsl_edu.course.check.failure import PassThroughError


def weighted(x: torch.Tensor, y: torch.Tensor, scale: float) -> torch.Tensor:
    """A small exercise with inputs [batch, n] and [batch, n], and a number."""
    both = x + 2 * y
    total = both.square().sum(-1)
    return scale * total - 1


CASES = (
    Case.of("one row", [[1.0, 2.0]], [[3.0, -1.0]], 0.5),
    Case.of("two rows of three", [[1.0, 2.5, -3.0], [0.0, 4.0, 0.5]], [[2.0, -1.0, 0.3], [1.5, -2.0, 7.0]], 3.0),
)
MISTAKES = {
    "twice-missing": Mistake("y counts once.", "Double it.", {"2 * y": "y"}),
    "sum-of-all": Mistake("you sum over all rows.", "Sum over the last dimension.", {".sum(-1)": ".sum()"}),
    "no-square": Mistake("you forget the square.", "Square first.", {".square()": ""}, {"both.square()": "both.abs()"}),
    "zero": Mistake("you return zeros.", "Return the result.", lambda x, y, scale: torch.zeros(len(x))),
}
EXERCISE = Exercise(weighted, ("result",), CASES, MISTAKES, ("one", "two", "three"), lambda generator: CASES[1])


def verdict_on(answer, exercise=EXERCISE):
    verdict = exercise.check(answer)
    assert not verdict.passed
    assert verdict.message
    return verdict


# Mistakes as edits ----------------------------------------------------------------------------------------------------


def test_a_mistake_is_recognized_in_code_written_differently():
    verdict = verdict_on(lambda x, y, scale: scale * (x + y).pow(2).sum(1) - 1)
    assert verdict.mistake == "twice-missing"
    assert verdict.message.startswith("y counts once.\n  tried:    weighted(x=[[1, 2]], y=[[3, -1]], scale=0.5)\n")
    assert verdict.message.endswith("Double it.")


def test_a_mistake_has_several_forms():
    assert verdict_on(lambda x, y, scale: scale * (x + 2 * y).sum(1) - 1).mistake == "no-square"
    assert verdict_on(lambda x, y, scale: scale * (x + 2 * y).abs().sum(1) - 1).mistake == "no-square"


def test_a_function_is_a_form_too():
    assert verdict_on(lambda x, y, scale: 0 * x[:, 0]).mistake == "zero"


def test_two_mistakes_are_both_reported():
    verdict = verdict_on(lambda x, y, scale: scale * (x + y).pow(2).sum() - 1)
    assert verdict.mistake == "twice-missing + sum-of-all"
    assert verdict.message.startswith("your answer seems to make two mistakes:\n")
    told = ["1. y counts once.", "   Double it.", "2. you sum over all rows.", "   Sum over the last dimension."]
    assert verdict.message.endswith("\n  ".join(told))


def test_a_known_mistake_and_a_generic_one_are_both_reported():
    verdict = verdict_on(lambda x, y, scale: 2 * (scale * (x + y).pow(2).sum(-1) - 1))
    assert verdict.mistake.startswith("twice-missing + ")


def test_a_generic_mistake_is_reported():
    assert verdict_on(lambda x, y, scale: 1 - scale * (x + 2 * y).pow(2).sum(-1)).mistake not in ("unknown", *MISTAKES)


def test_an_answer_that_no_mistake_explains_is_unknown_within_seconds():
    def answer(x, y, scale):
        return scale * (x.sin() + y.cos()).sum(-1) + 0.123

    verdict_on(answer)  # the first run builds the mistakes
    begin = time.process_time()
    verdict = verdict_on(answer)
    assert verdict.mistake == "unknown"
    assert verdict.message.startswith("your result is wrong in this case: one row.\n")
    assert time.process_time() - begin < 10  # generous, for slow machines


def test_every_edit_must_be_found_exactly_once():
    source = Source.of(weighted)
    with pytest.raises(ValueError, match="expected '3 \\* y' once in the source of weighted, found it 0 times"):
        source.find({"3 * y": "y"})
    with pytest.raises(ValueError, match="expected 'both' once in the source of weighted, found it 2 times"):
        source.find({"both": "x"})
    with pytest.raises(ValueError, match="texts that do not overlap"):
        source.find({"2 * y": "y", "x + 2": "x"})


def test_edits_count_characters_not_bytes():
    source = Source("def f(x):\n    größe = x  # ½ · x²\n    return größe + 1\n", "f", {})
    (node,) = [
        node
        for node in source.tree.body[0].body
        if hasattr(node, "value") and source.text[slice(*source.span(node))].startswith("return")
    ]
    assert source.answer([source.at(node.value, "größe - 1")])(5) == 4


def test_the_shown_case_fits_the_headline():
    """In the first case only the variance is wrong, but over all cases the mean is the first wrong output."""

    def answer(count_a, mean_a, var_a, count_b, mean_b, var_b):
        count = count_a + count_b
        return count, (mean_a + mean_b) / 2, (count_a * var_a + count_b * var_b) / count

    message = check.merge_moments(answer).message
    assert message.startswith("your mean is the plain average of the two means")
    assert "seen:     mean = [2]\n  expected: mean = [3]" in message


def test_the_error_for_an_impossible_edit_names_its_mistake():
    for edit in ({"3 * y": "y"}, {"2 * y": "2 *"}):
        exercise = Exercise(weighted, ("result",), CASES, {"bad": Mistake("a", "b", edit)}, ("",), lambda _: None)
        with pytest.raises(ValueError, match=r"mistakes: 'bad', \{'. "):
            exercise.check(lambda x, y, scale: x[:, 0])


# The line of the mistake ----------------------------------------------------------------------------------------------


def test_the_line_of_the_mistake_is_shown_whatever_names_the_learner_uses():
    def answer(x, y, scale):
        a = x + 2 * y
        b = a.square().sum()
        return scale * b - 1

    number = answer.__code__.co_firstlineno + 2
    assert f"\n  line {number}:".ljust(13) + "b = a.square().sum()\n" in verdict_on(answer).message


def test_the_text_of_two_mistakes_is_the_one_in_the_book():
    cell = """def gaussian_kl(old_mean, old_std, mean, std):
    ratio = (old_std / std).log()
    each = ratio + (old_std**2 + (mean - old_mean) ** 2) / (2 * std**2) - 0.5
    return each.mean(-1)
"""
    linecache.cache["<cell>"] = len(cell), None, cell.splitlines(keepends=True), "<cell>"
    names: dict = {}
    exec(compile(cell, "<cell>", "exec"), names)
    page = Path(__file__).parents[2] / "book" / "instructors.md"
    assert f"```text\n{check.gaussian_kl(names['gaussian_kl'])}\n```" in page.read_text(encoding="utf-8")


def test_a_lambda_whose_source_cannot_be_extracted_gets_its_verdict():
    cell = 'text, answer = """\n""", lambda x, y, scale: scale * (x + y).pow(2).sum(1) - 1\n'  # its line ends a string
    linecache.cache["<cell 2>"] = len(cell), None, cell.splitlines(keepends=True), "<cell 2>"
    names: dict = {}
    exec(compile(cell, "<cell 2>", "exec"), names)
    assert verdict_on(names["answer"]).mistake == "twice-missing"


def test_no_line_is_shown_if_none_matches_the_mistake():
    def answer(x, y, scale):
        return scale * torch.einsum("bn,bn->", x + 2 * y, x + 2 * y) - 1

    verdict = verdict_on(answer)
    assert verdict.mistake == "sum-of-all"
    assert "line " not in verdict.message


class Counter:
    """Counts in steps of a given size."""

    def __init__(self, step: int) -> None:
        self.step, self.total = step, 0

    def add(self, number: int) -> None:
        """Add a number of steps to the total."""
        self.total = self.total + number * self.step


def counted(answer, step, numbers):
    counter = answer(step)
    for number in numbers:
        counter.add(number)
    return counter.total


def test_the_line_of_a_method_is_shown():
    mistakes = {"step-added": Mistake("you add.", "Multiply.", {"number * self.step": "(number + self.step)"})}
    cases = (Case("one", (2, [3])), Case("two", (3, [1, 5])))
    exercise = Exercise(Counter, ("total",), cases, mistakes, ("",), lambda _: None, counted)

    class Mine:
        def __init__(self, step):
            self.step, self.total = step, 0

        def add(self, number):
            self.total += number + self.step

    verdict = verdict_on(Mine, exercise)
    assert verdict.mistake == "step-added"
    assert "self.total += number + self.step\n" in verdict.message


def test_for_an_unknown_mistake_the_first_variable_that_differs_from_the_hints_is_shown():
    hints = ("Think.", "First `both = x + 2 * y`.", "Then `total = both.square().sum(-1)`.")
    exercise = Exercise(weighted, ("result",), CASES, {}, hints, lambda _: None)

    def answer(x, y, scale):
        both = x + 2 * y
        total = both.sin().exp().sum(-1)
        return scale * total - 1

    verdict = verdict_on(answer, exercise)
    assert verdict.mistake == "unknown"
    assert verdict.message.splitlines()[-1] == "  look at:  your total = [2.93]; following the hints, it would be [49]"


# What a second run shows ----------------------------------------------------------------------------------------------


def test_state_between_calls_is_reported_even_if_the_first_call_is_right():
    kept = []

    def answer(x, y, scale):
        kept.append(0)
        return weighted(x, y, scale) + len(kept) - 1

    verdict = verdict_on(answer)
    assert verdict.mistake == "state-between-calls"
    assert "called again with the same inputs" in verdict.message


@pytest.mark.parametrize("result", [None, torch.zeros(1), torch.ones(3, 3)])
def test_an_answer_that_raises_only_when_it_is_called_again_gets_a_verdict(result):
    calls = []

    def answer(x, y, scale):
        calls.append(0)
        torch.manual_seed(0)
        torch.rand(1)
        if len(calls) > 1:
            raise GeneratorExit
        return result

    assert verdict_on(answer).mistake in ("no-return", "state-between-calls")


def test_random_results_are_reported_and_the_global_random_state_is_kept():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    verdict = verdict_on(lambda x, y, scale: weighted(x, y, scale) + 0.01 * torch.randn(len(x)))
    assert verdict.mistake == "random"
    assert "depends on random numbers" in verdict.message
    assert torch.equal(torch.rand(3), expected)


def test_a_seed_set_inside_the_answer_is_reported():
    def answer(x, y, scale):
        torch.manual_seed(0)
        return weighted(x, y, scale) + 0.01 * torch.randn(len(x))

    verdict = verdict_on(answer)
    assert verdict.mistake == "random"
    assert "a seed is set in your code" in verdict.message


def test_a_result_that_is_nan_everywhere_gets_no_other_diagnosis():
    assert verdict_on(lambda x, y, scale: torch.nan * x[:, 0]).mistake == "nan"


def test_an_integer_result_is_reported():
    def answer(x, y, scale):
        result = torch.zeros(len(x), dtype=torch.long)
        for i, value in enumerate(weighted(x, y, scale)):
            result[i] = value
        return result

    verdict = verdict_on(answer)
    assert verdict.mistake == "integer-result"
    assert "the digits after the decimal point are cut off" in verdict.message


def test_printing_instead_of_returning_is_reported(capsys):
    verdict = verdict_on(lambda x, y, scale: print(weighted(x, y, scale)))
    assert verdict.mistake == "no-return"
    assert "your code prints, and returns None" in verdict.message
    assert capsys.readouterr().out == "tensor([23.5000])\n"  # once, for the learner


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ((1.0, 2.0), "your result is a tuple of 2 values, expected a tensor of shape [1]."),
        (
            [1.0],
            "your result is a list of 1 values, expected a tensor of shape [1]; torch.tensor or torch.stack converts",
        ),
        (torch.ones(1).numpy(), "your result is a numpy array, expected a tensor of shape [1]"),
        ("one", "your result is of type str, expected a tensor of shape [1]."),
        (torch.ones(1, device="meta"), "your result is not a plain tensor of numbers (torch.strided, on meta)"),
    ],
)
def test_a_result_of_the_wrong_kind_is_described(result, says):
    assert verdict_on(lambda *_: result).message.startswith(says)


def test_a_wrong_shape_is_reported():
    says = "your result is a tensor of shape [1, 3], expected a tensor of shape [1], in this case: one row."
    assert verdict_on(lambda x, y, scale: x.sum().exp() * torch.ones(len(x), 3)).message.startswith(says)


@pytest.mark.parametrize(
    "odd",
    [
        lambda x: x.to_sparse(),
        lambda x: torch.quantize_per_tensor(x, 0.5, 0, torch.qint32),
        lambda x: x.as_subclass(type("Mine", (torch.Tensor,), {})),
        lambda x: torch.nn.Parameter(x),
        lambda x: torch.nested.nested_tensor([x, x]),
        lambda x: x.to(torch.complex64),
    ],
)
def test_an_odd_kind_of_tensor_gets_a_verdict(odd):
    assert EXERCISE.check(lambda x, y, scale: odd(weighted(x, y, scale) + 100)).passed is False


@pytest.mark.parametrize("error", [GeneratorExit, type("Own", (BaseException,), {})])
def test_an_error_that_is_no_exception_gets_a_verdict_too(error):
    def answer(x, y, scale):
        raise error("enough")

    assert verdict_on(answer).mistake == "exception"


def test_keyboard_interrupt_is_not_caught():
    def answer(x, y, scale):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        EXERCISE.check(answer)


def test_pass_through_error_of_the_grader_is_not_caught():
    def answer(x, y, scale):
        raise PassThroughError("the process has ended")

    with pytest.raises(PassThroughError):
        EXERCISE.check(answer)


def test_settings_that_an_answer_changes_are_restored():
    def answer(x, y, scale):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return weighted(x, y, scale)

    assert EXERCISE.check(answer).passed
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def sorting(values: list[int], k: int) -> int:
    """Return the k-th smallest value of a list."""
    return sorted(values)[k]


def test_the_advice_for_a_changed_list_does_not_mention_clone():
    exercise = Exercise(sorting, ("value",), (Case("two", ([3, 1], 0)),), {}, ("",), lambda _: None)

    def answer(values, k):
        values.sort()
        return values[k]

    message = verdict_on(answer, exercise).message
    assert "work on a copy, `list(values)`" in message
    assert "clone" not in message


# Gradients ------------------------------------------------------------------------------------------------------------

IN_GRAPH = Exercise(
    weighted,
    ("result",),
    (Case.of("x is part of a graph", [[1.0, 2.0]], [[3.0, -1.0]], 0.5, tracked=("x",)),),
    {},
    ("",),
    lambda _: None,
)


def test_a_missing_gradient_is_reported():
    assert IN_GRAPH.check(weighted).passed
    verdict = verdict_on(lambda x, y, scale: weighted(x.detach(), y, scale), IN_GRAPH)
    assert verdict.mistake == "no-gradient"
    assert verdict.message.startswith("your result is right, but no gradient flows back to x.")


def test_a_wrong_gradient_is_shown_as_the_counterexample():
    verdict = verdict_on(lambda x, y, scale: weighted(x / 2 + x.detach() / 2, y, scale), IN_GRAPH)
    assert "seen:     gradient of x = [[" in verdict.message


def test_writing_into_an_input_that_is_part_of_a_graph_is_a_mistake_too():
    def answer(x, y, scale):
        result = weighted(x, y, scale)
        x.zero_()
        return result

    assert verdict_on(answer, IN_GRAPH).mistake == "in-place"


def test_an_error_of_torch_is_explained():
    import copy

    verdict = verdict_on(lambda x, y, scale: weighted(copy.deepcopy(x), y, scale), IN_GRAPH)
    assert verdict.mistake == "exception"
    assert "`.clone()` can, and it keeps the gradient." in verdict.message


# Time, numbers --------------------------------------------------------------------------------------------------------


def test_an_answer_that_never_ends_is_stopped_and_its_line_is_named(monkeypatch):
    monkeypatch.setattr(judging, "_SECONDS", 0.2)

    def answer(x, y, scale):
        t = 3
        while t >= 0:
            scale = scale + 1
        return scale

    verdict = verdict_on(answer)
    assert verdict.mistake == "stopped"
    assert verdict.message.startswith("your code was stopped: it ran for more than 0.2 s.\n")
    number = answer.__code__.co_firstlineno + 2
    assert f"line {number}:" in verdict.message or f"line {number + 1}:" in verdict.message


@pytest.mark.parametrize(
    ("seen", "expected", "written"),
    [
        (1.4037, 1.4189, ("1.404", "1.419")),
        (2.0, 1.0, ("2", "1")),
        (1.00001, 1.0, ("1.00001", "1")),
        (0.5, 0.25, ("0.5", "0.25")),
    ],
)
def test_numbers_are_written_with_enough_digits_to_differ(seen, expected, written):
    from rsl_edu.course.check.verdict import clearly

    assert clearly(torch.tensor(seen, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64)) == written


def test_for_large_tensors_the_largest_difference_is_shown():
    from rsl_edu.course.check.verdict import clearly

    seen, expected = torch.zeros(5, 6).double(), torch.zeros(5, 6).double()
    seen[3, 4], seen[0, 0] = 2.5, 0.1
    assert clearly(seen, expected) == ("2.5 at [3, 4] of [5, 6]", "0 at [3, 4] of [5, 6]")
    assert clearly(seen, torch.zeros(31).double()) == ("<tensor [5, 6]>", "<tensor [31]>")
