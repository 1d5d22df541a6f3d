"""The numbers in the report, compared with examples calculated by hand, and the sentences about mistakes."""

import pytest
from course.banks import OF_THE_MACHINERY
from course.grade.page_reader import POINTS, row, wrong

from rsl_edu.course import check
from rsl_edu.course.assignment import Task
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.notebook import KINDS, Note
from rsl_edu.course.grade.pages.counts import exercise, part, to_say
from rsl_edu.course.grade.pages.separation import Separation
from rsl_edu.course.grade.pages.typical import bare, typical
from rsl_edu.course.grade.pages.words import NOTES, UNANSWERED, advice, headline, topic

TASKS = [Task(name, points, "x", "") for name, points in POINTS.items()]
UNPAD = TASKS[1]

# How well an exercise separates ---------------------------------------------------------------------------------------

OWN = [1.0] * 5 + [0.0] * 5
REST = [10.0, 8, 9, 10, 8, 5, 3, 4, 5, 3]  # means 9 and 4; squares around 6.5: 10 · 2.5² + 8


def of(points, rest):
    return Separation.of(points, rest, [each >= 1 for each in points])


def test_point_biserial_correlation():
    found = of(OWN, REST)
    assert found.ahead == pytest.approx(5)
    assert found.correlation == pytest.approx(12.5 / (2.5 * 70.5) ** 0.5)
    assert found.verdict == "separates strong submissions from weak ones well"
    turned = of(OWN, REST[::-1])
    assert (turned.ahead, turned.correlation) == (pytest.approx(-5), pytest.approx(-found.correlation))
    assert turned.verdict.endswith("in the wrong direction")


def test_partly_right_answers_count_with_their_points():
    found = of([1.0] * 5 + [0.5] * 4 + [0.0] * 3, [3.0] * 5 + [2.0] * 4 + [1.0] * 3)
    assert (found.right, found.others) == (5, 7)
    assert found.correlation == pytest.approx(1)
    assert found.ahead == pytest.approx(3 - 11 / 7)


@pytest.mark.parametrize(
    ("correlation", "says"),
    [(0.31, "well"), (0.25, "a little"), (0.1, "hardly"), (-0.1, "hardly"), (-0.3, "wrong direction")],
)
def test_separation_in_words(correlation, says):
    assert says in Separation(5, 5, 1.0, correlation).verdict


@pytest.mark.parametrize(
    ("points", "rest"),
    [
        (OWN[1:], REST[1:]),  # nine submissions
        ([1.0] * 10, REST),
        (OWN, [3.0] * 10),
        ([1.0] * 4 + [0.0] * 6, REST),
        ([1.0] * 6 + [0.0] * 4, REST),
        ([], []),
    ],
)
def test_no_separation_for_few_or_equal_results(points, rest):
    assert of(points, rest) is None


def test_rest_excludes_the_exercise_itself_and_unmarked_exercises():
    rows = [row()] * 5 + [row(wrong("unpad", 0), wrong("reset_done", 0))] * 5
    found = exercise(UNPAD, TASKS, rows, "x").separation
    assert found.ahead == pytest.approx(3)
    unmarked = [*rows[:-1], row(wrong("unpad", 0), wrong("reset_done", 0), Mark("split_and_pad", None, None, ""))]
    assert exercise(UNPAD, TASKS, unmarked, "x").separation.ahead == pytest.approx(3)
    assert exercise(TASKS[2], TASKS, unmarked, "x").separation is None


@pytest.mark.parametrize("nothing", ["not-answered", "as-handed-out", "missing", "lost"])
def test_students_without_an_answer_do_not_affect_the_separation(nothing):
    silent = [row(*(Mark(name, 0.0, nothing, "") for name in POINTS))] * 5
    assert exercise(UNPAD, TASKS, [row()] * 10 + silent, "x").separation is None
    half = [row(), row(wrong("reset_done", 0)), row(wrong("unpad", 0)), row(wrong("unpad", 0), wrong("reset_done", 0))]
    found = exercise(UNPAD, TASKS, half * 5 + silent, "x").separation
    assert (found.right, found.others, found.ahead, found.correlation) == (10, 10, 0, pytest.approx(0))


# What an answer is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "mistake", "expected"),
    [
        (4.0, None, "right"),
        (4.0, "nan", "right"),  # points by hand
        (5.0, None, "right"),
        (1.0, "nan", "partly right"),
        (1.0, None, "partly right"),
        (0.0, "nan", "wrong"),
        (0.0, None, "wrong"),
        (0.0, "not-answered", "not answered"),
        (0.0, "as-handed-out", "not answered"),
        (0.0, "missing", "not answered"),
        (0.0, "lost", "lost"),
        (None, None, "to be marked"),
    ],
)
def test_parts(points, mistake, expected):
    assert part(UNPAD, Mark("unpad", points, mistake, "")) == expected


def counted(*marks):
    return exercise(UNPAD, TASKS, [row(mark, name=f"student {place}") for place, mark in enumerate(marks)], "x")


def test_two_mistakes_in_an_answer_are_both_counted():
    names = ["one + other", "other", "one + third"]
    found = counted(*(Mark("unpad", 0.0, name, f"headline of {name}\nmore") for name in names))
    assert [(mistake.name, len(mistake.students)) for mistake in found.mistakes] == [
        ("one", 2),
        ("other", 2),
        ("third", 1),
    ]
    assert [mistake.said for mistake in found.mistakes] == ["one", "headline of other", "third"]


def test_full_points_by_hand_are_not_a_mistake():
    assert counted(Mark("unpad", 4.0, "nan", "x"), Mark("unpad", 4.0, "lost", "x")).mistakes == ()
    assert counted(Mark("unpad", 4.0, "lost", "x")).unanswered == ()


def test_mean_only_where_there_is_partial_credit():
    assert counted(Mark("unpad", 4.0, None, ""), Mark("unpad", 0.0, "nan", "")).mean is None
    assert counted(Mark("unpad", 4.0, None, ""), Mark("unpad", 1.0, "nan", "")).mean == 2.5


def test_generic_and_vague_mistakes_quote_the_feedback():
    veil = "right for the cases of its check, wrong for further ones: "
    says = ["a likely mistake: your result is doubled.\nmore", f"{veil}your result is doubled.\n  x", "else.\nmore"]
    generic = counted(*(Mark("unpad", 0.0, "result-doubled", text) for text in says)).mistakes[0]
    assert (generic.headline, generic.why, generic.said) == ("", "", "your result is doubled.")
    raised = ["your code raises E: 1\nx", "your code raises E: 1\ny", "your code raises E: 2"]
    vague = counted(*(Mark("unpad", 0.0, "exception", text) for text in raised)).mistakes[0]
    assert (vague.headline, vague.said) == ("your code raises an error.", "your code raises E: 1")
    alone = counted(
        Mark("unpad", 0.0, "exception", "x"), Mark("unpad", 0.0, "nan", "x"), Mark("unpad", 0.0, "nan", "x")
    )
    assert [mistake.said for mistake in alone.mistakes] == ["", ""]


def test_mistakes_of_a_tenth_of_the_class_are_discussed():
    thirty = [Mark("unpad", 4.0, None, "")] * 21
    frequent = [*[Mark("unpad", 0.0, "nan", "")] * 3, *[Mark("unpad", 0.0, "exception", "")] * 4]
    found = counted(*thirty, *frequent, *[Mark("unpad", 0.0, "random", "")] * 2)
    assert [(each.name, mistake.name) for each, mistake in to_say([found])] == [("unpad", "nan")]
    many = counted(*(Mark("unpad", 0.0, f"m{place // 2}", "") for place in range(14)))
    assert len(to_say([many])) == 5
    assert to_say([counted(Mark("unpad", 0.0, "nan", ""))]) == []


# Sentences ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OF_THE_MACHINERY - set(UNANSWERED) | {"library-answer", "partial"}))
def test_mistakes_of_any_exercise_have_sentences_for_the_class(name):
    for task in ("unpad", "an_exercise_of_ones_own"):
        says, why = advice(task, name)
        assert says.startswith("your ")
        assert says.endswith(".")
        assert why


def test_each_kind_of_note_has_a_heading():
    assert {*NOTES} == {*KINDS}


def test_mistakes_of_an_exercise_have_its_own_sentences():
    name, mistake = next(iter(check.unpad.mistakes.items()))
    assert advice("unpad", name) == (mistake.headline, mistake.why)
    assert advice("another", name) == ("", "")
    assert headline(f"{mistake.headline}\n  tried: x") == mistake.headline


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (Note(1, "module", "x", "import seaborn.objects as so"), "seaborn"),
        (Note(1, "module", "x", "from google.colab import drive"), "google"),
        (Note(1, "module", "MissingModuleError: needs pandas.DataFrame, which is not there", "f(1)"), "pandas"),
        (Note(1, "module", "x"), "others"),
        (Note(1, "line", "x", "%%time"), "%%time"),
        (Note(1, "line", "x", "t = %timeit -o f()"), "%timeit"),
        (Note(1, "line", "x", "!pip install x"), "!pip"),
        (Note(1, "line", "x", "torch.lerp??"), "?"),
        (Note(1, "raised", "raised KeyError: 'raised IndexError'"), "KeyError"),
        (Note(1, "stopped", "was stopped"), ""),
        (Note(1, "syntax", "is no Python"), ""),
    ],
)
def test_topics_of_notes(note, expected):
    assert topic(note) == expected


# A typical answer -----------------------------------------------------------------------------------------------------


def test_comments_and_docstrings_are_removed_from_answers():
    source = '''"""By Ada."""
import torch  # all of it
def f(x):
    """Return
    x."""  # Ada

    # nothing
    y = "# no comment"
    call(
        "an argument",
    )
    return y, """kept
    # too"""
'''
    assert bare(source) == (
        'import torch\ndef f(x):\n    y = "# no comment"\n    call(\n        "an argument",\n    )\n'
        '    return y, """kept\n    # too"""'
    )


@pytest.mark.parametrize(
    "source", ["", "# only this", "def f(:\n (", "x = '''", "\tx\n  y", "x = 1\n" * 1000, "(" * 10**6]
)
def test_invalid_or_long_code_is_not_shown(source):
    assert bare(source) == ""


def test_typical_answer_is_the_most_frequent_then_the_shortest():
    assert typical([("A", "x = 10"), ("B", "x = 10  # mine"), ("C", "x = 1")]) == "x = 10"
    assert typical([("A", "x = 10"), ("B", "x = 1"), ("C", "(")]) == "x = 1"
    assert typical([("A", "("), ("B", "")]) == ""


def test_answer_containing_the_student_s_name_is_not_shown():
    assert typical([("Max Born_104", 'by = "Max"'), ("Eve_1", "x = 'twice as long'")]) == "x = 'twice as long'"
    assert typical([("Max Born_104", "max(maximum, born_in)")]) == "max(maximum, born_in)"
    assert typical([("Max Born_104", "max_Born = 1")]) == ""
