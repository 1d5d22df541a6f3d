"""A quiz records what was predicted, in the explorer, and never stands in the way."""

import pytest

from rsl_edu.explorers import Divergence, Question, Quiz
from rsl_edu.explorers.bench.form import RECORDED
from rsl_edu.explorers.bench.scripts import text

NUMBER, CHOICE = "How large is the KL?", "Which one is larger?"


@pytest.fixture
def explorer():
    return Divergence()


@pytest.fixture
def quiz(explorer):
    return Quiz(explorer, {NUMBER: None, CHOICE: ("old‖new", "new‖old")})


def test_number_is_drawn_and_choice_is_written(quiz, explorer):
    before = explorer.live.svg
    quiz.answer(0, 0.7)
    assert explorer.guess == 0.7
    assert explorer.live.svg != before
    drawn = explorer.live.svg
    quiz.answer(1, "new‖old")
    assert explorer.live.svg == drawn
    assert explorer.live.answers == [[NUMBER, "0.7 nats"], [CHOICE, "new‖old"]]
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
        (2, "both", "question: expected a number from 0 to 1, got 2"),
        (-1, 0.5, "question: expected a number from 0 to 1, got -1"),
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
    assert form.replies == [[RECORDED, False], ["", False]]
    assert explorer.guess == 0.7
    form.given = {"0": "0,7", "1": "new‖old"}
    assert form.replies[1] == [RECORDED, False]
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
    assert "<li>How large is the KL?</li>" in bundle["text/html"]


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


def test_answer_is_shown_in_the_explorer(explorer):
    shown = Question(CHOICE, ("old‖new", "new‖old"), "old‖new", {"new_std": 0.1})
    quiz = Quiz(explorer, [Question(NUMBER), shown])
    assert [told["shows"] for told in quiz.live.questions] == [False, True]
    quiz.live._handle_custom_msg({"show": 1}, [])  # what the button sends
    assert explorer.at().new_std == 0.1
    explorer.reset()
    quiz.show(1)
    assert explorer.at().new_std == 0.1


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(CHOICE, ("a", "b"), "c"), r"questions: expected an answer among \('a', 'b'\), got 'c'"),
        (Question(CHOICE, ("a", "b"), "a", {"new_std": 0.123}), "new_std: expected one of"),
        (Question(CHOICE, ("a", "b"), "a", {"slope": 1}), "slope: expected one of the controls"),
    ],
)
def test_question_that_cannot_be_right_is_refused(explorer, question, message):
    with pytest.raises(ValueError, match=message):
        Quiz(explorer, [question])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("Nope",), "explorer: expected an explorer such as Signal\\(\\), got str"),
        ((Divergence, ["Which?"]), "questions: expected Question\\(text, ...\\), got str"),
    ],
)
def test_what_is_no_explorer_and_no_question_is_named(given, message):
    explorer, *questions = given
    with pytest.raises(TypeError, match=f"^{message}$"):
        Quiz(explorer() if callable(explorer) else explorer, *questions)


def test_single_question_needs_no_list(explorer):
    assert Quiz(explorer, Question(CHOICE, ("a", "b"))).questions[0].text == CHOICE


def test_kernel_and_page_reply_in_the_same_words():
    assert f'const RECORDED = "{RECORDED}"' in text("form.js")


def test_answer_from_the_browser_is_recorded_next_to_those_before(quiz, explorer):
    form = quiz.live
    for question, answer in ((0, "0.7"), (1, "new‖old")):
        form._handle_custom_msg({"question": question, "answer": answer}, [])
    assert form.given == {"0": "0.7", "1": "new‖old"}
    assert form.replies == [[RECORDED, False], [RECORDED, False]]
    assert explorer.guess == 0.7
