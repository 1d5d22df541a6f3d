"""A choice explains what speaks for or against each answer."""

import numpy as np
import pytest
import torch

from rsl_edu.course import check
from rsl_edu.course.check import Choice

GAIN = Choice("gain", {"1": "it loses a third per layer.", "5/3": "it keeps the std."}, "5/3")


def test_right_answer_passes_with_its_reason():
    verdict = GAIN(" 5/3 ")
    assert verdict.passed
    assert str(verdict) == "✓ gain: right: it keeps the std."


def test_wrong_answer_gets_what_speaks_against_it():
    verdict = GAIN(1)
    assert not verdict.passed
    assert verdict.mistake == "1"
    assert "it loses a third per layer" in str(verdict)


@pytest.mark.parametrize("answer", [..., "2", None, 7.5, ["5/3"], object])
def test_something_that_is_not_an_answer_never_passes(answer):
    verdict = GAIN(answer)
    assert not verdict.passed
    assert verdict.mistake == ("not-answered" if answer is ... else "no-such-answer")
    assert "Choose one of '1', '5/3'" in str(verdict)


class Bad:
    def __str__(self):
        raise RuntimeError

    __float__ = __repr__ = __str__


@pytest.mark.parametrize("answer", [Bad(), 10**5000, "x" * 10**6, {}, b"x"], ids=range(5))
def test_unusual_answer_gets_a_short_message(answer):
    verdict = GAIN(answer)
    assert verdict.mistake == "no-such-answer"
    assert len(str(verdict)) < 300


@pytest.mark.parametrize("answer", [1.0, "1.0", " 1 ", torch.tensor(1.0), np.float32(1), True])
def test_number_may_have_any_form(answer):
    assert GAIN(answer).mistake == "1"


def test_none_is_not_the_answer_none():
    assert Choice("padding", {"none": "", "zeros": ""}, "zeros")(None).mistake == "no-such-answer"


def test_choice_has_no_hint():
    for ask in (check.hint, check.solution):
        with pytest.raises(ValueError, match="is a choice, which has no hint"):
            ask(next(iter(check.CHOICES)))
        with pytest.raises(ValueError, match="exercise: expected one of"):
            ask({})


def test_declaration_without_its_right_answer_is_refused():
    with pytest.raises(ValueError, match="right: expected one of '1', '2'; got '3'"):
        Choice("x", {"1": "", "2": ""}, "3")


@pytest.mark.parametrize("choice", check.CHOICES.values(), ids=check.CHOICES)
def test_every_choice_has_wrong_answers_and_explains_each_answer(choice):
    assert getattr(check, choice.name) is choice
    assert choice.name not in check.EXERCISES
    assert len(choice.answers) >= 3
    for words, why in choice.answers.items():
        assert len(why) > 30, f"{words}: no reason"
        assert choice(words).passed == (words == choice.right)
