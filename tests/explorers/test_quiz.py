"""A quiz records predictions in the explorer, and answers are optional."""

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


def test_numbers_are_drawn_and_choices_are_written(quiz, explorer):
    before = explorer.live.svg
    quiz.answer(0, 0.7)
    assert explorer.guess == 0.7
    assert explorer.live.svg != before
    drawn = explorer.live.svg
    quiz.answer(1, "new‖old")
    assert explorer.live.svg == drawn
    assert explorer.live.answers == [[NUMBER, "0.7 nats"], [CHOICE, "new‖old"]]
    assert quiz.answers == {NUMBER: "0.7 nats", CHOICE: "new‖old"}


def test_new_answer_replaces_the_previous_one(quiz):
    for choice in ("old‖new", "new‖old"):
        quiz.answer(1, choice)
    assert quiz.answers == {CHOICE: "new‖old"}


def test_answers_are_kept_when_the_explorer_is_reset(quiz, explorer):
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
def test_invalid_answer_raises_an_error_and_the_previous_one_is_kept(quiz, question, answer, message):
    quiz.answer(0, 0.7)
    with pytest.raises(ValueError, match=message):
        quiz.answer(question, answer)
    assert quiz.answers == {NUMBER: "0.7 nats"}
    assert quiz.explorer.guess == 0.7


def test_form_replies_below_each_question(quiz, explorer):
    form = quiz.live
    form.given = {"0": "0,7"}  # a decimal comma is accepted
    assert form.replies == [[RECORDED, False], ["", False]]
    assert explorer.guess == 0.7
    form.given = {"0": "0,7", "1": "new‖old"}
    assert form.replies[1] == [RECORDED, False]
    form.given = {"0": "much", "1": "new‖old"}
    assert form.replies[0] == ["expected a number, got 'much'", True]
    assert explorer.guess == 0.7
    form.given = {"0": "2000", "1": "new‖old"}
    assert form.replies[0] == ["expected a number from 0.0 to 1000.0, got 2000.0", True]


def test_text_as_a_number_raises_an_error(quiz, explorer):
    with pytest.raises(ValueError, match=r"guess: expected a number from 0\.0 to 1000\.0, got 'much'"):
        quiz.answer(0, "much")
    assert explorer.guess is None
    assert not explorer.answers


def test_repr_contains_the_questions_and_the_answers(quiz):
    assert repr(quiz) == f"Quiz\n{NUMBER}\n{CHOICE} (old‖new / new‖old)"
    quiz.answer(1, "old‖new")
    bundle, _ = quiz._repr_mimebundle_()
    assert bundle["text/plain"] == f"Quiz\n{NUMBER}\n{CHOICE} (old‖new / new‖old) old‖new"
    assert "<li>How large is the KL?</li>" in bundle["text/html"]


def test_predicting_a_number_needs_no_question(explorer):
    explorer.predict(0.5)
    assert explorer.answers == {"KL(old‖new) at this setting.": "0.5 nats"}
    with pytest.raises(ValueError, match="guess: expected a number"):
        explorer.predict("much")


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ({}, "questions: expected at least one"),
        ({CHOICE: ("only",)}, "questions: expected at least two choices for 'Which one is larger"),
        ({CHOICE: "ab"}, "questions: expected at least two choices"),
    ],
)
def test_bad_questions_raise_an_error(explorer, questions, message):
    with pytest.raises(ValueError, match=message):
        Quiz(explorer, questions)


def test_question_without_choices_needs_an_explorer_with_a_number():
    class WithoutNumber(Divergence):
        question = None

    with pytest.raises(ValueError, match=r"questions: WithoutNumber has no number to predict"):
        Quiz(WithoutNumber(), {NUMBER: None})


def test_show_sets_the_explorer_to_the_answer(explorer):
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
def test_inconsistent_question_raises_an_error(explorer, question, message):
    with pytest.raises(ValueError, match=message):
        Quiz(explorer, [question])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("Nope",), "explorer: expected an explorer such as Signal\\(\\), got str"),
        ((Divergence, ["Which?"]), "questions: expected Question\\(text, ...\\), got str"),
    ],
)
def test_wrong_types_raise_an_error(given, message):
    explorer, *questions = given
    with pytest.raises(TypeError, match=f"^{message}$"):
        Quiz(explorer() if callable(explorer) else explorer, *questions)


def test_single_question_needs_no_list(explorer):
    assert Quiz(explorer, Question(CHOICE, ("a", "b"))).questions[0].text == CHOICE


def test_kernel_and_page_have_the_same_reply():
    assert f'const RECORDED = "{RECORDED}"' in text("form.js")


def test_answers_from_the_browser_are_added_to_earlier_ones(quiz, explorer):
    form = quiz.live
    for question, answer in ((0, "0.7"), (1, "new‖old")):
        form._handle_custom_msg({"question": question, "answer": answer}, [])
    assert form.given == {"0": "0.7", "1": "new‖old"}
    assert form.replies == [[RECORDED, False], [RECORDED, False]]
    assert explorer.guess == 0.7
