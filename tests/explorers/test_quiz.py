"""A quiz records what was predicted, in the explorer, and never stands in the way."""

import pytest

from rsl_edu.explorers import Divergence, Quiz

NUMBER, CHOICE = "How large is the KL?", "Which one is larger?"


@pytest.fixture
def explorer():
    return Divergence()


@pytest.fixture
def quiz(explorer):
    return Quiz(explorer, {NUMBER: None, CHOICE: ("old‖new", "new‖old")})


def test_number_is_drawn_and_choice_is_written(quiz, explorer):
    before = explorer.live.picture.data
    quiz.answer(0, 0.7)
    assert explorer.guess == 0.7
    assert explorer.live.picture.data != before
    drawn = explorer.live.picture.data
    quiz.answer(1, "new‖old")
    assert explorer.live.picture.data == drawn
    assert explorer.live.picture.answers == [[NUMBER, "0.7 nats"], [CHOICE, "new‖old"]]
    assert quiz.answers == {NUMBER: "0.7 nats", CHOICE: "new‖old"}


def test_another_answer_takes_the_place_of_the_first(quiz):
    for choice in ("old‖new", "new‖old"):
        quiz.answer(1, choice)
    assert quiz.answers == {CHOICE: "new‖old"}


def test_answers_stay_when_the_explorer_is_reset(quiz, explorer):
    quiz.answer(0, 0.7)
    explorer.reset()
    assert explorer.guess == 0.7
    assert quiz.answers == {NUMBER: "0.7 nats"}


@pytest.mark.parametrize(
    ("question", "answer", "message"),
    [
        (0, -1.0, "guess: expected a number from 0.0 to 1000.0, got -1.0"),
        (1, "both", "answer: expected one of 'old‖new', 'new‖old'; got 'both'"),
    ],
)
def test_answer_that_is_not_allowed_is_refused_and_the_one_before_stays(quiz, question, answer, message):
    quiz.answer(0, 0.7)
    with pytest.raises(ValueError, match=message):
        quiz.answer(question, answer)
    assert quiz.answers == {NUMBER: "0.7 nats"}
    assert quiz.explorer.guess == 0.7


def test_form_replies_to_each_answer_in_place(quiz, explorer):
    form = quiz.live
    form.given = {"0": "0,7"}  # as many write it
    assert form.replies == [["Recorded, and drawn in the picture.", False], ["", False]]
    assert explorer.guess == 0.7
    form.given = {"0": "0,7", "1": "new‖old"}
    assert form.replies[1] == ["Recorded, and written under the picture.", False]
    form.given = {"0": "much", "1": "new‖old"}
    assert form.replies[0] == ["expected a number, got 'much'", True]
    assert explorer.guess == 0.7
    form.given = {"0": "2000", "1": "new‖old"}
    assert form.replies[0] == ["expected a number from 0.0 to 1000.0, got 2000.0", True]


def test_number_is_not_answered_by_words(quiz, explorer):
    with pytest.raises(ValueError, match=r"guess: expected a number from 0\.0 to 1000\.0, got 'much'"):
        quiz.answer(0, "much")
    assert explorer.guess is None
    assert not explorer.answers


def test_notebook_compares_the_questions_and_the_answers(quiz):
    assert repr(quiz) == f"Quiz\n{NUMBER}\n{CHOICE} (old‖new / new‖old)"
    quiz.answer(1, "old‖new")
    bundle, _ = quiz._repr_mimebundle_()
    assert bundle["text/plain"] == f"Quiz\n{NUMBER}\n{CHOICE} (old‖new / new‖old) old‖new"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_words_answer_a_question_and_numbers_need_none(explorer):
    explorer.predict(0.5)
    assert explorer.answers == {"KL(old‖new) at this setting.": "0.5 nats"}
    with pytest.raises(ValueError, match="guess: expected a number"):
        explorer.predict("much")


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ({}, "questions: expected at least one"),
        ({CHOICE: ("only",)}, "questions: expected two choices or more for 'Which one is larger"),
        ({CHOICE: "ab"}, "questions: expected two choices or more"),
    ],
)
def test_bad_questions_are_named(explorer, questions, message):
    with pytest.raises(ValueError, match=message):
        Quiz(explorer, questions)


def test_number_needs_an_explorer_that_asks_for_one():
    class Silent(Divergence):
        question = None

    with pytest.raises(ValueError, match=r"questions: Silent asks for no number"):
        Quiz(Silent(), {NUMBER: None})
