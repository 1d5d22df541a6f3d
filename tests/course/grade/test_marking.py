"""What a check says, what may be said of a hidden one, and how often a process is started again."""

from types import SimpleNamespace

import pytest

from rsl_edu.course import check as checks
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade import marking
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import StoppedError


@pytest.mark.parametrize(
    ("check", "mistake"),
    [
        ("assert f(1) == 1, 'f of 1 is 1'", None),
        ("assert f(1) == 2, 'f of 1 is 2'", "unknown"),
        ("f(1)", None),
        ("f('x') + 1", "exception"),
        ("g(1)", "missing"),
        ("raise Failure('exception', 'ValueError: 3')", "exception"),
        ("raise Failure('library-answer', 'torch.sum')", "library-answer"),
        ("raise Failure('stopped', 'ran for more than 5 s', 'while True:', 3)", "stopped"),
    ],
)
def test_a_check_of_ones_own_is_plain_code(check, mistake):
    verdict = marking.judge("task", check, {"f": lambda x: x, "Failure": Failure}, ("f", "g"))
    assert (verdict.passed, verdict.mistake) == (mistake is None, mistake)
    with pytest.raises(NameError):
        marking.judge("task", "h(1)", {}, ("f", "g"))  # that is nobody's answer


RIGHT = Verdict("reset_done", True, None, "right.")


@pytest.mark.parametrize(
    "mistake",
    [
        *("exception", "stopped", "in-place", "nan", "library-answer", "unknown", "wrong-shape", None),
        *("no-gradient", "random", "state-between-calls"),
    ],
)
def test_of_a_hidden_check_nothing_is_said_that_it_says(mistake):
    verdict = marking.veiled(Verdict("reset_done", False, mistake, "INPUT 71"), RIGHT)
    assert not verdict.passed
    assert verdict.mistake == (mistake or "unknown")
    assert verdict.message.startswith("right for the cases of its check, wrong for further ones: your ")
    assert "INPUT" not in verdict.message


def test_a_hidden_check_names_a_known_mistake():
    hidden = checks.reset_done(lambda hidden, dones: hidden)
    known = checks.reset_done.mistakes["resets-none"]
    assert "[[[1], [2], [3], [4]]]" in hidden.message  # an input
    verdict = marking.veiled(hidden, RIGHT)
    assert known.headline in verdict.message
    assert known.why in verdict.message
    assert "[[[1], [2], [3], [4]]]" not in verdict.message


def test_a_hidden_check_says_nothing_of_what_the_learners_code_says():
    def answer(hidden, dones):
        raise ValueError(hidden.tolist())

    hidden = checks.reset_done(answer)
    assert "[[[1.0]" in hidden.message
    assert "1.0" not in marking.veiled(hidden, RIGHT).message
    assert marking.veiled(RIGHT, RIGHT) is RIGHT


class Fragile:
    """A process that some cells and the call of f end; it stands for :class:`Student`."""

    started = 0

    def __init__(self, cells, box, budget, forbidden, skipped):
        Fragile.started += 1
        self.failed = {0: "ValueError: x"}
        for place, cell in enumerate(cells):
            if cell == "end" and place not in skipped:
                raise StoppedError("ended its process", place)

    def names(self, wanted):
        return {"f": self.end, "g": lambda: 1}

    def end(self):
        raise StoppedError("ended its process")

    def close(self):
        pass


@pytest.mark.parametrize("ends", [0, 1, 3, 4, 9])
def test_a_notebook_that_ends_its_process_goes_on_without_these_cells_but_not_for_ever(monkeypatch, ends):
    monkeypatch.setattr(marking, "Student", Fragile)
    monkeypatch.setattr(Fragile, "started", 0)
    tasks = [
        SimpleNamespace(name=name, points=2.0, shown=f"assert {name}() == 1", hidden=f"assert {name}() == 1")
        for name in "fg"
    ]
    assignment = SimpleNamespace(tasks=tasks, setup=(), answers=("f", "g"), forbidden=(), left_out=())
    marks = marking.mark(assignment, ["x", *["end"] * ends], "bwrap", Limits())
    stopped = [f"code cell {place + 2} was stopped: it ended its process" for place in range(min(ends, 3))]
    if ends <= 3:
        assert [(mark.points, mark.mistake) for mark in marks.marks] == [(0, "stopped"), (2, None)]
        assert (*map(str, marks.notes),) == ("code cell 1 raised ValueError: x", *stopped)
        assert Fragile.started == ends + 2  # the call of f ended it once
    else:
        assert [(mark.points, mark.mistake) for mark in marks.marks] == [(0, "stopped"), (0, "stopped")]
        assert [mark.message for mark in marks.marks] == ["your code was stopped: it ended its process."] * 2
        assert (*map(str, marks.notes),) == (*stopped,)
        assert Fragile.started == 4
