"""A choice says what speaks for or against each answer."""

import pytest

from rsl_edu.course import check
from rsl_edu.course.check import Choice

GAIN = Choice("gain", {"1": "it loses a third per layer.", "5/3": "it keeps the std."}, "5/3")


def test_right_answer_passes_with_its_reason():
    verdict = GAIN(" 5/3 ")
    assert verdict.passed
    assert str(verdict) == "✓ gain: right: it keeps the std."


def test_wrong_answer_is_told_what_speaks_against_it():
    verdict = GAIN(1)
    assert not verdict.passed
    assert verdict.mistake == "1"
    assert "it loses a third per layer" in str(verdict)


@pytest.mark.parametrize("answer", [..., "2", None, 7.5, ["5/3"], object])
def test_what_is_no_answer_is_said_and_never_passes(answer):
    verdict = GAIN(answer)
    assert not verdict.passed
    assert verdict.mistake == ("not-answered" if answer is ... else "no-such-answer")
    assert "Choose one of '1', '5/3'" in str(verdict)


def test_declaration_without_its_right_answer_is_refused():
    with pytest.raises(ValueError, match="right: expected one of '1', '2'; got '3'"):
        Choice("x", {"1": "", "2": ""}, "3")


@pytest.mark.parametrize("choice", check.CHOICES.values(), ids=check.CHOICES)
def test_every_choice_can_be_missed_and_explains_each_answer(choice):
    assert getattr(check, choice.name) is choice
    assert choice.name not in check.EXERCISES
    assert len(choice.answers) >= 3
    for words, why in choice.answers.items():
        assert len(why) > 30, f"{words}: no reason"
        assert choice(words).passed == (words == choice.right)
