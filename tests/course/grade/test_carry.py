"""No mistake costs points twice: an answer that needs a wrong or missing one is judged with a right one."""

import nbformat
import pytest
from course.grade import forked
from course.grade.answered import find, handed_in, right_of
from tiers import tiers

from rsl_edu.course import check
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import sandbox


def test_exercise_that_needs_a_wrong_answer_is_judged_with_a_right_one(grade):
    source = find("4_normalization")
    wrong = right_of(source) | {"merge_moments": "def merge_moments(a, b, c, d, e, f):\n    return a + d, b, c"}
    marks = grade(source, handed_in(source, wrong))
    assert (marks["merge_moments"].points, marks["running_norm"].points) == (0, 8)
    assert marks["running_norm"].carried == ("merge_moments",)
    assert marks["running_norm"].mistake is None
    assert "a right merge_moments instead of yours, which is wrong" in marks["running_norm"].message
    assert grade(source, handed_in(source, wrong), carry=False)["running_norm"].points == 0
    both = wrong | {"RunningNorm": wrong["RunningNorm"].replace("self.mean)", "self.mean + 1)")}
    marks = grade(source, handed_in(source, both))
    assert marks["running_norm"].points == 0
    assert not marks["running_norm"].carried


BLANK = {  # replacement of merge_moments, and its description
    "stub": (None, "not answered"),
    "missing": ("", "missing"),
    "renamed": ("def merge(a, b, c, d, e, f):\n    return a + d, b, c", "missing"),
    "lost": ("merge_moments = 1 / 0", "lost"),
}


@pytest.mark.parametrize("kind", tiers(BLANK, ["stub", "lost"]))
def test_exercise_that_needs_a_missing_answer_is_judged_with_a_right_one(grade, kind):
    source, (instead, says) = find("4_normalization"), BLANK[kind]
    answers = right_of(source)
    del answers["merge_moments"]
    cells = handed_in(source, answers | ({} if instead is None else {"merge_moments": instead}))
    marks = grade(source, cells)
    assert (marks["merge_moments"].points, marks["running_norm"].points) == (0, 8)
    found = marks["running_norm"]
    assert (found.mistake, found.carried) == (None, ("merge_moments",))
    assert found.message == f"right, judged with a right merge_moments instead of yours, which is {says}."
    found = grade(source, cells, carry=False)["running_norm"]
    assert (found.points, found.mistake, found.carried) == (0, "needs-another", ())
    assert found.message == f"your code calls merge_moments, which is {says}. The rest of it is right."


HALF = """class RunningNorm:
    def __init__(self, features, eps=1e-2):
        self.count, self.mean, self.var, self.eps = 0, torch.zeros(features), torch.ones(features), eps
    def update(self, x):
        batch = len(x), x.mean(0), x.var(0, correction=0)
        self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, *batch)
    def __call__(self, x):
        raise NotImplementedError"""
WHOLE = HALF.replace("raise NotImplementedError", "return (x - self.mean) / (self.var.sqrt() + self.eps)")


def test_unanswered_exercise_stays_unanswered_if_it_needs_another_one(grade, monkeypatch):
    source, started = find("4_normalization"), []
    monkeypatch.setattr(sandbox, "start", lambda *given: started.append(1) or forked.start(*given))
    answers = {name: text for name, text in right_of(source).items() if name == "discounted_return_scale"}
    marks = grade(source, handed_in(source, answers))
    assert {marks[name].mistake for name in ("merge_moments", "running_norm")} == {"not-answered"}
    assert len(started) == 1
    found = grade(source, handed_in(source, {"RunningNorm": HALF}))["running_norm"]
    assert (found.points, found.mistake) == (0, "not-answered")


def test_mistake_is_not_reported_for_an_answer_that_only_calls_it(grade):
    source = find("4_normalization")
    merge = str(check.solution("merge_moments")).replace("delta**2", "0 * delta**2")
    own = WHOLE.replace("correction=0", "correction=1")
    cells = handed_in(source, right_of(source) | {"merge_moments": merge, "RunningNorm": own})
    marks = grade(source, cells)
    assert "leaves out the distance" in marks["merge_moments"].message
    for found in (marks["running_norm"], grade(source, cells, carry=False)["running_norm"]):
        assert (found.points, found.mistake) == (0, "unbiased-variance")
        begins = (
            "wrong for some cases, judged with a right merge_moments instead of yours, which is wrong: your variance"
        )
        assert found.message.startswith(begins)
        assert "leaves out the distance" not in found.message


def test_message_is_unchanged_for_an_answer_that_does_not_use_the_wrong_one(grade):
    source = find("4_normalization")
    merge = right_of(source)["merge_moments"].replace("def merge_moments", "def merge")
    own = WHOLE.replace("merge_moments(", "merge(").replace("self.eps)", "2 * self.eps + 1)") + "\n\n" + merge
    answers = right_of(source) | {"RunningNorm": own}
    alone = grade(source, handed_in(source, answers))["running_norm"]
    assert "tried:" in alone.message
    del answers["merge_moments"]
    assert grade(source, handed_in(source, answers))["running_norm"].message == alone.message


def test_partial_points_are_given_with_the_right_answer(grade):
    source = find("4_normalization")
    answers = right_of(source) | {"RunningNorm": WHOLE.replace("self.eps)", "0.5)")}
    alone = grade(source, handed_in(source, answers), partial=True)["running_norm"].points
    assert 0 < alone < 8
    del answers["merge_moments"]
    cells = handed_in(source, answers)
    assert grade(source, cells, partial=True)["running_norm"].points == alone
    assert grade(source, cells, partial=True, carry=False)["running_norm"].points == 0


PART = "def helper(x):\n    return 2 * x\n\n\ndef part(x):\n    return helper(x)"
ANSWERS = "def whole(x):\n    return part(x) + 1"


def two_answers(*cells):
    """Return an assignment with two exercises, where the second needs the first."""
    said = [{"grade_id": f"answer{place}", "solution": True, "grade": False} for place, _ in enumerate(cells)]
    said += [{"grade_id": name, "grade": True, "points": 4, "solution": False} for name in ("part", "whole")]
    texts = [*cells, "assert part(2) == 4", "assert whole(2) == 5"]
    nodes = [nbformat.v4.new_code_cell(text, metadata={"nbgrader": its}) for text, its in zip(texts, said, strict=True)]
    return Assignment("own", nbformat.v4.new_notebook(cells=nodes))


CHECKS = ["assert part(2) == 4", "assert whole(2) == 5"]


@pytest.mark.parametrize("cells", [(PART, ANSWERS), (f"{PART}\n\n\n{ANSWERS}",)])
@pytest.mark.parametrize("checks", tiers([[], CHECKS], [CHECKS]))
def test_right_answer_brings_its_helper_but_not_the_judged_answer(grade, cells, checks):
    source = two_answers(*cells)
    for part in ("def part(x):\n    return x", "def part(x):\n    raise NotImplementedError", "x = 1"):
        marks = grade(source, [part, ANSWERS, *checks])
        assert (marks["part"].points, marks["whole"].points) == (0, 4)
        marks = grade(source, [part, ANSWERS.replace("+ 1", "+ 2"), *checks])
        assert (marks["part"].points, marks["whole"].points) == (0, 0)
        assert marks["whole"].mistake == "unknown"


def test_reference_answer_is_not_revealed(grade):
    source = find("4_normalization")
    spy = """class RunningNorm:
    def __init__(self, features, eps=1e-2):
        import inspect
        raise ValueError(inspect.getsource(merge_moments))"""
    answers = {"merge_moments": "def merge_moments(a, b, c, d, e, f):\n    return a + d, b, c", "RunningNorm": spy}
    assert "delta" not in grade(source, handed_in(source, answers))["running_norm"].message
