"""Checks: right answers pass however they are written, and wrong answers get a verdict that names the mistake."""

import dataclasses
import functools
import sys
import types

import pytest
import torch
from course.banks import OF_THE_MACHINERY, RIGHT, WRONG, mistake_of, wrong_answers_in
from course.banks.normalization import discounted_return_scale, merge_moments, running_norm
from tiers import exhaustive

from rsl_edu.course import check

EXERCISES = list(check.EXERCISES.values())
exercises = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
right_answers = pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        pytest.param(check.EXERCISES[exercise], answer, id=f"{exercise}-{name}")
        for exercise, answers in RIGHT.items()
        for name, answer in answers.items()
    ],
)
wrong_answers = pytest.mark.parametrize(
    ("exercise", "answer", "mistake"),
    [
        pytest.param(check.EXERCISES[exercise], answer, mistake_of(name), id=f"{exercise}-{name}")
        for exercise, answers in WRONG.items()
        for name, answer in answers.items()
    ],
)


def merged(**wrong):
    """Make an answer that returns the right (count, mean, var), with some outputs computed from the right ones."""

    def answer(*inputs):
        right = dict(zip(("count", "mean", "var"), check.merge_moments.reference(*inputs), strict=True))
        return tuple(wrong[key](right) if key in wrong else value for key, value in right.items())

    return answer


CASES = {exercise.name: str([case.inputs for case in exercise.cases]) for exercise in EXERCISES}


@functools.cache
def judged(name, answer):
    """Return the verdict on an answer; cached, because several tests use it."""
    return check.EXERCISES[name].check(answer)


# The bank -------------------------------------------------------------------------------------------------------------


@right_answers
def test_right_answer_passes_on_own_and_random_cases(exercise, answer):
    verdict = exercise.check(answer, exercise.sample(seed=0, number=50))
    assert verdict.passed, verdict
    assert verdict.mistake is None


@wrong_answers
def test_verdict_on_wrong_answer_names_its_mistake(exercise, answer, mistake):
    verdict = judged(exercise.name, answer)
    assert not verdict.passed
    assert set(verdict.mistake.split(" + ")) == set(mistake.split(" + ")), verdict
    known = exercise.mistakes
    if mistake in known:
        assert verdict.message.startswith(known[mistake].headline)
        assert verdict.message.endswith(known[mistake].why)
        assert "\n  tried:    " in verdict.message
        seen = "\n  seen:     " in verdict.message and "\n  expected: " in verdict.message
        assert seen or "\n  raised:   " in verdict.message


@exercises
def test_bank_is_large_enough_and_contains_every_known_mistake(exercise):
    wrong = {mistake for name in WRONG[exercise.name] for mistake in mistake_of(name).split(" + ")}
    assert set(exercise.mistakes) <= wrong
    assert len(wrong - OF_THE_MACHINERY) >= 6
    assert len(RIGHT[exercise.name]) >= 3


def test_bank_refuses_wrong_answer_whose_name_is_not_a_mistake():
    class Wrong:
        def no_shift(*_): ...
        def no_shfit__loop(*_): ...

    with pytest.raises(ValueError, match="bank of merge_moments: no_shfit__loop: no mistake of the exercise"):
        wrong_answers_in(Wrong, check.merge_moments)


@exercises
def test_mistakes_have_different_headlines(exercise):
    assert len({mistake.headline for mistake in exercise.mistakes.values()}) == len(exercise.mistakes)


@exhaustive
@exercises
def test_cases_distinguish_all_mistakes(exercise):
    for form in exercise._diagnosis.known:
        assert exercise.check(form.answer).mistake == form.name, form


@exercises
def test_reference_passes_and_is_short_enough_for_a_notebook(exercise):
    assert exercise.check(exercise.reference, exercise.sample(seed=1, number=50)).passed
    assert len(str(exercise.solution).splitlines()) <= 20


def test_solutions_pass_in_the_form_shown_in_notebooks():
    notebook: dict = {"torch": torch}
    for name in check.EXERCISES:
        exec(str(check.solution(name)), notebook)
    for exercise in EXERCISES:
        assert exercise(notebook[exercise.reference.__name__]).passed


# Every answer gets a verdict, whatever it does ------------------------------------------------------------------------


def raises_system_exit(*_):
    sys.exit("enough")


def raises_address(*_):
    raise ValueError(f"no good: {object()}\nand a second line")


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raises_unprintable(*_):
    raise UnprintableError


def recurses(*inputs):
    return recurses(*inputs)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (raises_system_exit, "your code raises SystemExit: enough"),
        (raises_address, "your code raises ValueError: no good: <object object>"),
        (raises_unprintable, "UnprintableError: <exception str() failed>"),
        (recurses, "your code raises RecursionError: maximum recursion depth exceeded"),
        (lambda: None, "takes 0 positional arguments but 6 were given"),
        (lambda *_: torch.zeros(2) + torch.zeros(3), "your code raises RuntimeError: The size of tensor a (2)"),
    ],
)
def test_exception_is_shown_with_the_call(answer, says):
    verdict = check.merge_moments(answer)
    assert verdict.mistake == "exception"
    headline, call, *_ = verdict.message.splitlines()
    assert says in headline
    assert call.startswith("  tried:    merge_moments(count_a=1, mean_a=[0]")


def test_error_of_chunk_along_the_wrong_dimension_explains_dim():
    def answer(x, h, w_ih, w_hh, b_ih, b_hh):
        reset, update, new = (x @ w_ih.T + b_ih).chunk(3)
        return reset + update + new

    message = check.gru_step(answer).message
    assert "your code raises ValueError: not enough values to unpack (expected 3, got 1)" in message
    assert ".chunk(3, dim=-1)" in message


def test_exception_inside_torch_is_shown_with_the_learners_line():
    class Norm(torch.nn.Module):
        def __init__(self, features, eps=0.01):
            super().__init__()

        def update(self, x):
            torch.nn.functional.linear(x, torch.zeros(3, 7))  # the learner's line

        def forward(self, x):
            return x

    message = check.running_norm(Norm).message
    assert "torch.nn.functional.linear(x, torch.zeros(3, 7))  # the learner's line" in message


def test_exception_without_source_is_shown_without_line():
    cell: dict = {}
    exec("def answer(*_):\n    return 1 / 0", cell)
    verdict = check.merge_moments(cell["answer"])
    assert verdict.mistake == "exception"
    assert "line" not in verdict.message


def test_verdict_on_unanswered_exercise_names_the_open_function():
    verdict = check.running_norm(running_norm.Wrong.not_answered__stub)
    assert repr(verdict) == (
        "○ running_norm: not answered yet: update raises NotImplementedError.\n"
        '  Replace this line with your code; check.hint("running_norm") shows a hint.'
    )
    assert not verdict.passed


def test_answer_that_calls_an_unanswered_exercise_is_not_answered():
    class Norm(running_norm.Right.baselines):
        def update(self, x):
            WRONG["merge_moments"]["not_answered"](*[None] * 6)

    assert "not answered yet: not_answered raises NotImplementedError." in check.running_norm(Norm).message


def test_not_implemented_error_from_torch_is_an_exception():
    def answer(*_):
        return torch.nn.Module()(torch.zeros(1))

    assert check.merge_moments(answer).mistake == "exception"


@pytest.mark.parametrize(
    "answer", [None, 3, (2, torch.zeros(1), torch.zeros(1)), running_norm.Wrong.not_answered__stub]
)
def test_answer_that_is_not_a_function_is_refused(answer):
    verdict = check.merge_moments(answer)
    assert verdict.mistake == "wrong-type"
    assert "pass your function itself" in verdict.message


def test_object_instead_of_its_class_is_refused():
    assert "pass your class itself" in check.running_norm(running_norm.Right.baselines(2)).message


@pytest.mark.parametrize(
    ("result", "mistake"),
    [
        (None, "no-return"),
        ("three", "wrong-type"),
        ((1, torch.zeros(1)), "wrong-type"),
        ({"count": 2}, "wrong-type"),
        ((2, None, torch.ones(1)), "no-return"),
        ((10**40, torch.ones(1), torch.ones(1)), "wrong-type"),
        ((2, torch.ones(1, device="meta"), torch.ones(1)), "wrong-type"),
        ((2, "mean", torch.ones(1)), "wrong-type"),
        ((2, [1.0], torch.ones(1)), "wrong-type"),
        (merged(mean=lambda right: 1.0), "constant-result"),
        (merged(mean=lambda right: right["mean"].expand(3, -1)), "wrong-shape"),
        (merged(var=lambda right: torch.nan * right["var"]), "nan"),
        (merged(var=lambda right: torch.inf + right["var"]), "unknown"),
    ],
)
def test_result_of_wrong_kind_is_recognized(result, mistake):
    answer = result if callable(result) else lambda *_: result
    assert check.merge_moments(answer).mistake == mistake


def test_changed_input_is_named():
    verdict = check.merge_moments(merge_moments.Wrong.in_place__mean)
    assert "changes its input mean_a" in verdict.message
    assert "seen:     mean_a = [1] after the call" in verdict.message


def test_resized_input_is_a_changed_input():
    def answer(count_a, mean_a, *rest):
        right = check.merge_moments.reference(count_a, mean_a.clone(), *rest)
        mean_a.unsqueeze_(0)
        return right

    assert check.merge_moments(answer).mistake == "in-place"


def test_warnings_from_the_learners_code_are_not_shown(recwarn):
    assert check.running_norm(running_norm.Wrong.unbiased_variance).mistake == "unbiased-variance"
    assert not recwarn.list


def test_diagnosis_does_not_print_the_learners_output_again(capsys):
    def answer(*inputs):
        print("hello")
        return merge_moments.Wrong.returns_std(*inputs)

    check.merge_moments(answer)
    assert capsys.readouterr().out == "hello\n" * 2  # the first case passes, the second does not


# The text -------------------------------------------------------------------------------------------------------------


def test_unknown_mistake_gets_the_smallest_counterexample():
    verdict = check.merge_moments(merge_moments.Wrong.unknown__oddly)
    assert repr(verdict) == (
        "✗ merge_moments: your var is wrong in this case: two groups of one sample each.\n"
        "  tried:    merge_moments(count_a=1, mean_a=[0], var_a=[0], count_b=1, mean_b=[2], var_b=[0])\n"
        "  seen:     var = [8]\n"
        "  expected: var = [1]"
    )


def test_text_of_known_mistake_is_as_documented():
    assert repr(check.merge_moments(merge_moments.Wrong.unbiased_variance__bessel)) == (
        "✗ merge_moments: your variance is the unbiased one (n−1).\n"
        "  tried:    merge_moments(count_a=1, mean_a=[0], var_a=[0], count_b=1, mean_b=[2], var_b=[0])\n"
        "  seen:     var = [2]\n"
        "  expected: var = [1]\n"
        "  The inputs are population variances (divided by n), and the output must be a population variance too."
    )


def test_text_of_right_answer_is_as_documented():
    assert repr(check.discounted_return_scale(discounted_return_scale.Right.by_loops)) == (
        "✓ discounted_return_scale: right. It passes these cases:\n"
        "  ✓ one environment, no episode end\n"
        "  ✓ an episode end\n"
        "  ✓ two environments whose episodes end at different steps\n"
        "  ✓ three environments, negative rewards, two episode ends in a row and one at the last step\n"
        "  ✓ large rewards that hardly differ, and a gamma of 0\n"
        "  ✓ a single step"
    )


def test_small_difference_is_shown_with_more_digits():
    message = check.merge_moments(merged(var=lambda right: right["var"] + 0.0004)).message
    assert "seen:     var = [1.0004]" in message


@wrong_answers
def test_text_has_short_lines(exercise, answer, mistake):
    text = repr(judged(exercise.name, answer))
    assert "0x" not in text
    assert "tensor([" not in text
    assert max(map(len, text.splitlines())) < 170


@exhaustive
@wrong_answers
def test_text_is_the_same_every_time(exercise, answer, mistake):
    assert repr(exercise.check(answer)) == repr(judged(exercise.name, answer))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (torch.tensor([[1.0, -0.0], [2.9999998, 1e-9]]), "[[1, 0], [3, 0]]"),
        (2 / 3, "0.667"),
        (4096.5, "4096"),
        (1.5e9, "1.5e+09"),
        (torch.nan, "nan"),
        (-torch.inf, "-inf"),
        (torch.zeros(5, 6), "<tensor [5, 6]>"),
        (True, "1"),
        (torch.float32, "torch.float32"),
    ],
)
def test_numbers_are_rounded_in_text(value, written):
    from rsl_edu.course.check.verdict import text

    assert text(value) == written


def test_notebook_shows_a_block_with_the_same_text():
    formatters = pytest.importorskip("IPython.core.formatters")
    shown, _ = formatters.DisplayFormatter().format(check.merge_moments(merge_moments.Wrong.unbiased_variance__bessel))
    assert shown["text/plain"].startswith("✗ merge_moments: your variance is the unbiased one (n−1).")
    assert "<b>✗ merge_moments: your variance is the unbiased one (n−1).</b>" in shown["text/html"]
    assert "seen:     var = [2]\nexpected: var = [1]" in shown["text/html"]
    assert "border-left" in shown["text/html"]
    assert "color:" not in shown["text/html"]  # the text has the colour of the theme, light or dark


def test_block_escapes_html_in_the_learners_text():
    def answer(*_):
        raise ValueError("<script>alert(1)</script>")

    block = check.merge_moments(answer)._repr_html_()
    assert "<script>" not in block
    assert "&lt;script&gt;" in block


def test_verdicts_are_equal_by_value_and_frozen():
    verdict = check.merge_moments(merge_moments.Wrong.unbiased_variance__bessel)
    assert verdict == check.merge_moments(merge_moments.Wrong.unbiased_variance__bessel)
    with pytest.raises(dataclasses.FrozenInstanceError):
        verdict.passed = True


# Further cases, hints -------------------------------------------------------------------------------------------------


def test_answer_with_hard_coded_cases_fails_on_random_cases():
    known = {str(case.inputs): check.merge_moments.reference(*case.inputs) for case in check.merge_moments.cases}

    def answer(*inputs):
        return known.get(str(inputs), (0, torch.zeros(3), torch.zeros(3)))

    assert check.merge_moments(answer).passed
    verdict = check.merge_moments.check(answer, check.merge_moments.sample(seed=2, number=3))
    assert verdict.mistake == "unknown"
    assert "random groups" in verdict.message


@exercises
def test_random_cases_depend_only_on_the_seed(exercise):
    def flat(seed):
        return str([case.inputs for case in exercise.sample(seed, 3)])

    assert flat(5) == flat(5) != flat(6)


@exercises
def test_check_does_not_change_its_own_cases(exercise):
    for answer in WRONG[exercise.name].values():
        judged(exercise.name, answer)
    assert str([case.inputs for case in exercise.cases]) == CASES[exercise.name]


@exercises
def test_hints_have_three_stages(exercise):
    hints = [exercise.hint(stage) for stage in (1, 2, 3)]
    assert len(set(hints)) == 3
    assert repr(check.hint(exercise.name)) == str(hints[0])
    assert hints[0].startswith("Hint 1 of 3: ")
    assert len(hints[0]) < len(hints[2])
    for stage in (0, 4):
        with pytest.raises(ValueError, match="stage: expected 1 to 3"):
            exercise.hint(stage)


def test_error_for_unknown_exercise_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of orthogonal_, .*, merge_moments, "):
        check.hint("merge")


def test_error_for_unknown_check_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"has no exercise 'merge'; it has orthogonal_, "):
        check.merge  # noqa: B018


def test_module_has_its_exercises_as_attributes():
    assert all(getattr(check, name) is exercise for name, exercise in check.EXERCISES.items())
    assert isinstance(check, types.ModuleType)
    assert repr(check.merge_moments).startswith("Exercise merge_moments: call it with your function")
