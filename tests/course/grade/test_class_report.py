"""The report shows the results of each exercise, the mistakes with their students, and lines that did not run."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from course.grade.page_reader import ASSIGNMENT, NOT_ANSWERED, POINTS, Page, assignment, row, wrong

from rsl_edu.course import check
from rsl_edu.course.grade import pages
from rsl_edu.course.grade.by_hand import Hand
from rsl_edu.course.grade.gradebook import GRADED, NOTHING, TRIED_AGAIN, Decided, Row, Settled
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.notebook import Note

STOPPED, MISSING, LOST = (Mark("split_and_pad", 0.0, mistake, "x") for mistake in ("stopped", "missing", "lost"))
TITLES = [f"{points:g} points" for points in POINTS.values()]  # next to the headings of the exercises


def said_of(page, number):
    """Return the report's text about an exercise, in one line."""
    return page.line(TITLES[number], [*POINTS, *TITLES])


@pytest.fixture
def mixed():
    """Return a class with most kinds of results."""
    first, second = wrong("reset_done", 0), wrong("reset_done", 1)
    rows = [row()] * 3 + [row(second)] * 2 + [row(first, NOT_ANSWERED)] * 4 + [row(first, NOT_ANSWERED, STOPPED)]
    rows += [row(NOT_ANSWERED, MISSING), row(LOST)]
    rows = [replace(each, submission=f"student {place}") for place, each in enumerate(rows)]
    return [
        *rows,
        Row("Bo", "key", "a damaged zip", ()),
        Row("Cy", "key", "no notebook: x", ()),
        Row("Di", "", NOTHING, ()),
    ]


def test_points_and_shares(mixed):
    page = Page(pages.report(ASSIGNMENT, mixed))
    assert "14 submissions, 12 graded. 1 student did not hand in anything." in page.texts
    says, *bars = page.after("Points")
    assert says.startswith(f"Maximum 20, mean {(3 * 20 + 2 * 17 + 4 * 13 + 0 + 3 + 7) / 12:g}, median 13. These")
    assert "include 12 graded submissions, but not the 3 other students. The number above" in says
    assert dict(zip(bars[1::2], map(int, bars[::2]), strict=True)) == {
        **{"0–1": 1, "2–3": 1, "4–5": 0, "6–7": 1, "8–9": 0, "10–11": 0, "12–13": 4, "14–15": 0, "16–17": 2},
        **{"18–19": 0, "20": 3},
    }
    legend = ["right", "partly right", "wrong", "not answered", "lost", "to be marked"]
    assert page.after("Exercises", TITLES) == [
        *legend,
        *("reset_done", "5 of 12 right, 42 %", "unpad", "6 of 12 right, 50 %", "split_and_pad", "9 of 12 right, 75 %"),
        "Sentences in quotation marks are addressed to the students who made the mistake.",
        "reset_done",
    ]
    assert page.after("Not graded") == ["a damaged zip", "1", "Bo", "no notebook: x", "1", "Cy", NOTHING, "1", "Di"]


def test_each_exercise_lists_mistakes_and_their_students(mixed):
    page = Page(pages.report(ASSIGNMENT, mixed))
    first, second = wrong("reset_done", 0).mistake, wrong("reset_done", 1).mistake
    known = check.reset_done.mistakes
    assert said_of(page, 0).endswith(
        f"{first} 5 of 12 “{known[first].headline} {known[first].why}” "
        "Made by student 5 , student 6 , student 7 , student 8 , student 9 "
        f"{second} 2 of 12 “{known[second].headline} {known[second].why}” Made by student 3 , student 4"
    )
    assert said_of(page, 1) == (
        "6 right, 6 not answered. No answer "
        "6 not answered: the placeholder that was handed out is still there. "
        "student 5 , student 6 , student 7 , student 8 , student 9 , student 10"
    )
    assert said_of(page, 2).startswith("9 right, 1 wrong, 1 not answered, 1 lost. stopped 1 of 12 ")
    assert said_of(page, 2).endswith(
        "stopped 1 of 12 “your code was stopped: it takes too much time or memory, or it ends its process. "
        "Is there a loop that never ends?” Made by student 9 No answer "
        "1 missing: the notebook has no answer with this name. student 10 "
        "1 lost: there was an answer, but its cell failed. student 11"
    )


def test_separation_is_reported_with_its_numbers():
    rows = [row()] * 6 + [row(wrong("unpad", 0), wrong("reset_done", 0))] * 5 + [row(wrong("reset_done", 0))]
    assert said_of(Page(pages.report(ASSIGNMENT, rows)), 1).startswith(
        "7 right, 5 wrong. This exercise separates strong submissions from weak ones well: on the rest of the "
        "assignment, the 7 students with a right answer scored 2.6 points more than the 5 others who answered it "
        "(r = 0.85)."
    )


def test_text_in_backticks_is_code():
    rows = [row(Mark("unpad", 0.0, "no-return", "x"), name="Ada"), row(Mark("unpad", 0.0, "no-return", "x"), name="Bo")]
    page = Page(pages.report(ASSIGNMENT, rows))
    assert page.texts.count("return") == 2  # to discuss in class, and with its exercise
    assert "`" not in page.text


def test_equal_reasons_are_listed_once_the_most_frequent_first():
    stopped = [Row(f"student {place}", "", f"{TRIED_AGAIN}: the run was stopped", ()) for place in range(3)]
    rows = [Row("Bo", "key", "a damaged zip", ()), *stopped, row()]
    page = Page(pages.report(ASSIGNMENT, rows))
    assert page.line("Not graded") == (
        "tried again next time: the run was stopped 3 student 0 , student 1 , student 2 a damaged zip 1 Bo"
    )
    assert "2 submissions, 1 graded." in page.texts  # the other submissions are not graded yet


def test_points_by_hand_count_for_an_ungraded_submission():
    marks = (Mark("reset_done", 2.0, None, ""), Mark("unpad", 0.0, None, ""), Mark("split_and_pad", 0.0, None, ""))
    by_hand = Settled(by_hand=(Decided(Hand("Bo", "reset_done", 2.0)),))
    rescued = Row("Bo", "key", "a damaged zip", marks, settled=by_hand)
    rows = [rescued, Row("Cy", "key", "a damaged zip", ())]
    page = Page(pages.report(ASSIGNMENT, [*rows, row()]))
    says, *bars = page.after("Points")
    assert (
        "mean 11, median 11. These numbers include 1 graded submission and 1 with points by hand, "
        "but not the 1 other student." in says
    )
    assert sum(map(int, bars[::2])) == 2
    assert page.line("Not graded") == "a damaged zip; has points by hand 1 Bo a damaged zip 1 Cy"
    assert "1 of 1 right, 100 %" in page.after("Exercises", TITLES)  # it does not count as an answer
    assert "mean 2, median 2." in Page(pages.report(ASSIGNMENT, rows)).text


def test_frequent_mistakes_are_listed_for_the_class(mixed):
    page = Page(pages.report(ASSIGNMENT, mixed))
    first, second = (check.reset_done.mistakes[wrong("reset_done", place).mistake] for place in (0, 1))
    assert page.line("To discuss in class", ["Points"]) == (
        f"5 of 12 of you made this mistake in reset_done : {first.headline} {first.why} "
        f"2 of 12 of you made this mistake in reset_done : {second.headline} {second.why}"
    )
    assert "To discuss in class" not in Page(pages.report(ASSIGNMENT, [row(wrong("unpad", 0)), row()])).texts


def test_links_lead_to_the_students_pages(tmp_path, mixed):
    names = ["Ada Lovelace_1", "李小龙", "a/../b", "#1 ? x.html", "é%41", "\udcff"]
    rows = [row(wrong("unpad", 0), name=name, notes=(Note(1, "raised", "raised E"),)) for name in names]
    (tmp_path / "my grades_feedback").mkdir()
    for each in rows:
        page = pages.feedback(ASSIGNMENT, each)
        (tmp_path / "my grades_feedback" / pages.file_name(each.submission)).write_text(page, "utf-8")
    page = Page(pages.report(ASSIGNMENT, rows, folder="my grades_feedback"))
    addresses = [address for address in page.all("href") if not address.startswith("#")]
    assert len(addresses) == 2 * len(names)  # for the mistake and for the line
    assert all((tmp_path / unquote(address)).is_file() and address.isascii() for address in addresses)
    assert {address[1:] for address in page.all("href") if address.startswith("#")} == set(page.all("id"))
    assert "grades_feedback/" in pages.report(ASSIGNMENT, rows)


def test_typical_answer_is_anonymous():
    answers = [
        "def unpad(x):  # Bo wrote it\n    return x",
        "def unpad(x):\n    return x",
        "def unpad(x): return x + 1",
    ]
    rows = [row(wrong("unpad", 0, answer=answer), name=f"Bo_{place}") for place, answer in enumerate(answers)]
    page = Page(pages.report(ASSIGNMENT, rows))
    assert page.texts[page.texts.index("A typical answer") :][2] == "def unpad(x):\n    return x"
    assert (
        "A typical answer" not in Page(pages.report(ASSIGNMENT, rows[:1])).texts
    )  # a single answer would not be anonymous


def test_partly_right_and_marked_by_hand():
    by_hand = assignment(POINTS, manual=["split_and_pad"])
    marks = [Mark("split_and_pad", points, None, "") for points in (None, 4.0, 13.0)]
    rows = [row(wrong("unpad", 0, points=1.0), marks[0]), row(wrong("unpad", 0), marks[1]), row(marks[2])]
    page = Page(pages.report(by_hand, rows))
    assert "1 submission may get more points, because an exercise is still to be marked." in page.line("Points")
    assert said_of(page, 1).startswith("1 right, 1 partly right, 1 wrong. Mean 1.7 points.")
    assert said_of(page, 2).startswith("1 right, 1 partly right, 1 to be marked. Mean 8.5 points.")
    assert "Still to be marked (the answers are on the students' pages): Ada Lovelace_1" in page.text
    assert page.texts.count("mean 8.5 of 13 points") == 1
    later = Page(pages.report(ASSIGNMENT, [row(), row(marks[0])]))
    assert later.after("Exercises", TITLES)[-2] == "1 of 1 right, 100 %"
    nobody = Page(pages.report(by_hand, rows[:1]))
    assert nobody.line("Exercises", TITLES).partition("split_and_pad ")[2].startswith("to be marked Sentences")


def test_lines_left_out_by_kind():
    notes = [
        Note(1, "module", "needs a module that is missing", "import seaborn as sns"),
        Note(1, "module", "needs pandas.DataFrame, which is not there while grading"),
        Note(2, "line", "has a line left out", "%matplotlib inline"),
        Note(2, "line", "has a line left out", "files = !ls -l"),
        Note(3, "raised", "raised ValueError: 3", "f(3)"),
        Note(4, "raised", "raised ValueError: 4", "f(4)"),
        Note(5, "stopped", "was stopped: it used more than 10 s"),
        Note(6, "syntax", "is no Python", "prnt x"),
        Note(7, "another", "did something"),
    ]
    rows = [row(name="Ada", notes=tuple(notes)), row(name="Bo", notes=tuple(notes[3:6])), row(name="Cy")]
    says = Page(pages.report(ASSIGNMENT, rows)).line("Lines left out")
    for part in (
        "These modules are not installed where the notebooks are graded. pandas , 1 student: Ada seaborn",
        "These have no effect when a notebook is graded. !ls , 2 students: Ada , Bo %matplotlib",
        "missing. ValueError , 2 students: Ada , Bo Not Python",
        "Not Python A statement with such a line is skipped. 1 student: Ada Stopped",
        "or it ended its process. 1 student: Ada another 1 student: Ada",
    ):
        assert part in says
    assert "Lines left out" not in Page(pages.report(ASSIGNMENT, rows[2:])).texts


def test_comparison_with_an_earlier_class():
    first, second = wrong("unpad", 0), wrong("unpad", 1)
    earlier = [row(), row(first), row(first), row(NOT_ANSWERED), Row("Cy", "key", "a damaged zip", ())]
    now = [row(), row(), row(second), row(wrong("reset_done", 0))]
    page = Page(pages.report(ASSIGNMENT, now, earlier))
    says = page.line("Compared with the earlier class")
    assert says.startswith(
        f"4 submissions then, 4 now. Mean {(20 + 3 * 16) / 4:g} points then, {(3 * 20 - 3 + 16) / 4:.1f} now."
    )
    assert "unpad 1 of 4 right then, 25 %; 3 of 4 right now, 75 %" in says
    assert f"New: {second.mistake} (1)" in says
    assert f"Gone: {first.mistake} (2)" in says
    assert "split_and_pad 4 of 4 right then, 100 %; 4 of 4 right now, 100 %" in says
    assert "Compared with the earlier class" not in Page(pages.report(ASSIGNMENT, now)).texts
    for nothing in (
        [],
        [Row("Cy", "key", "a damaged zip", ())],
        [Row("Cy", "key", GRADED, (Mark("x", 1.0, None, ""),))],
    ):
        page = Page(pages.report(ASSIGNMENT, now, nothing))
        assert page.after("Compared with the earlier class") == ["No exercise was graded in both classes."]


def test_bars_are_as_long_as_their_numbers():
    rows = [row()] * 6 + [row(wrong("unpad", 0))] * 3 + [row(wrong("unpad", 1, points=1.0))] * 1
    page = Page(pages.report(ASSIGNMENT, rows))
    sizes = [value.partition(":") for value in page.all("style")]
    heights = [float(size.removesuffix("rem")) for name, _, size in sizes if name == "height"]
    assert heights == [0] * 8 + [9 * 4 / 6, 0, 9.0]
    widths = [float(size.removesuffix("%")) for name, _, size in sizes if name == "width"]
    assert widths == [100, 60, 10, 30, 100]


@pytest.mark.parametrize(
    ("maximum", "totals", "names"),
    [
        (5, [0, 4, 5], ["0", "1", "2", "3", "4", "5"]),
        (25, [0, 24, 25], ["0–2", "3–5", "6–8", "9–11", "12–14", "15–17", "18–20", "21–23", "24", "25"]),
        (2.5, [0.5, 2.5], ["0–<1", "1–<2", "2–<3", "2.5"]),
        (0.5, [0, 0.5], ["0–<1", "0.5"]),
    ],
)
def test_columns_fit_the_points(maximum, totals, names):
    rows = [Row(str(place), "key", GRADED, (Mark("all", total, "x", "x"),)) for place, total in enumerate(totals)]
    bars = Page(pages.report(assignment({"all": maximum}), rows)).after("Points")[1:]
    assert bars[1::2] == names
    assert sum(map(int, bars[::2])) == len(totals)


def test_deductions_for_lateness_and_outdated_results_are_reported():
    late = replace(row(), settled=Settled(deduction=2.0))
    outdated = replace(row(), settled=Settled(outdated=True))
    page = Page(pages.report(ASSIGNMENT, [row(), late, outdated]))
    assert "3 graded, 1 of them with an earlier version of the assignment or its checks." in page.text
    assert page.after("Points")[0].endswith("1 submission lost points for lateness.")
    assert not re.search("Lateness|earlier", Page(pages.report(ASSIGNMENT, [row()])).text)


def test_report_on_an_empty_class_a_perfect_class_and_many_mistakes():
    assert "0 submissions, 0 graded." in Page(pages.report(ASSIGNMENT, [])).texts
    best = Page(pages.report(ASSIGNMENT, [row()]))
    assert "1 submission, 1 graded." in best.texts
    assert said_of(best, 1) == "1 right."
    many = [row(Mark("unpad", 0.0, f"m{number}", "x")) for number in range(14)]
    assert "2 further mistakes, not more frequent than these." in Page(pages.report(ASSIGNMENT, many)).texts
    notes = tuple(Note(1, "raised", f"raised E{number}") for number in range(14))
    assert "2 further kinds, not more frequent than these." in Page(pages.report(ASSIGNMENT, [row(notes=notes)])).texts
