"""Verdicts of checks, messages of hidden checks, and how often a process is started again."""

from types import SimpleNamespace

import pytest

from rsl_edu.course import check as checks
from rsl_edu.course.assignment import AssignmentError
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade import marking, remote
from rsl_edu.course.grade.judging import Names, Verdicts, judge
from rsl_edu.course.grade.notebook import Note
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.student import StoppedError


def judged(check, names):
    return judge(Verdicts("task", ("f", "g")), check, names)


@pytest.mark.parametrize(
    ("check", "mistake"),
    [
        ("assert f(1) == 1, 'f of 1 is 1'", None),
        ("assert f(1) == 2, 'f of 1 is 2'", "unknown"),
        ("f(1) == 2", None),
        ("f('x') + 1", "exception"),
        ("g(1)", "missing"),
        ("%matplotlib inline\nf(1) == 1", None),
        ("raise Failure('exception', 'ValueError: 3')", "exception"),
        ("raise Failure('library-answer', 'torch.sum')", "library-answer"),
        ("raise Failure('stopped', 'ran for more than 5 s', 'while True:', 3)", "stopped"),
        ("raise failure({'says': 'NameError: x', 'is': 'NameError'})", "exception"),
        ("raise failure({'says': 'AssertionError: x', 'is': 'AssertionError'})", "exception"),
        ("try:\n    raise failure({'says': 'KeyError: 3', 'is': 'KeyError'})\nexcept LookupError: pass", None),
    ],
)
def test_own_check_is_plain_code(check, mistake):
    names = Names([], {"f": lambda x: x, "Failure": Failure, "failure": remote.failure})
    points, verdict = judged(check, names)
    assert (points, verdict.passed, verdict.mistake) == (None, mistake is None, mistake)


def test_undefined_name_is_an_error_of_the_source():
    with pytest.raises(AssignmentError, match="the check of task uses h, which nothing defines"):
        judged("h(1)", {})
    with pytest.raises(AssignmentError, match="a cell before the checks raises ZeroDivisionError"):
        Names(["1 / 0"], {})


def test_final_number_means_points_as_in_nbgrader():
    assert judged("f(2) / 4", {"f": lambda x: x})[0] == 0.5
    assert judged("f(2)", {"f": lambda x: x})[0] == 2
    assert judged("f(2) == 2", {"f": lambda x: x})[0] is None


def test_output_of_a_check_is_discarded(capsys):
    check = "import contextlib, io\nprint('INPUT 71')\nwith contextlib.redirect_stdout(io.StringIO()) as out: f()\n"
    assert judged(check + "assert out.getvalue() == '3\\n'", {"f": lambda: print(3)})[1].passed
    assert capsys.readouterr().out == ""


def test_set_up_runs_again_for_every_check():
    first, second = (Names(["x = [1]", "def g():\n    return f()"], {"f": lambda: 3}) for _ in range(2))
    first["x"].append(2)
    assert second["x"] == [1]
    assert second["g"]() == 3  # functions of the set-up can use the answers


def test_deleting_or_replacing_an_answer_affects_the_notebook():
    done = []
    student = SimpleNamespace(put=lambda *what: done.append(what), delete=done.append)
    names = Names(["f = g = 1"], {"f": 2}, ("f", "g"), student)
    assert "g" not in names  # a name defined by the set-up is not an answer
    assert judged("kept = f\ndel f\nf = kept\nx = 1\ndel x", names)[1].passed
    assert done == ["f", ("f", 2)]


RIGHT = Verdict("reset_done", True, None, "right.")


@pytest.mark.parametrize(
    "mistake",
    [
        *("exception", "stopped", "in-place", "nan", "library-answer", "unknown", "wrong-shape", None),
        *("no-gradient", "random", "state-between-calls"),
    ],
)
def test_messages_of_a_hidden_check_are_not_revealed(mistake):
    verdict = marking.veiled(Verdict("reset_done", False, mistake, "INPUT 71"), RIGHT)
    assert not verdict.passed
    assert verdict.mistake == (mistake or "unknown")
    assert verdict.message.startswith("right for the cases of its check, wrong for further ones: your ")
    assert "INPUT" not in verdict.message


def test_hidden_check_names_a_known_mistake():
    hidden = checks.reset_done(lambda hidden, dones: hidden)
    known = checks.reset_done.mistakes["resets-none"]
    assert "[[[1], [2], [3], [4]]]" in hidden.message  # an input
    verdict = marking.veiled(hidden, RIGHT)
    assert known.headline in verdict.message
    assert known.why in verdict.message
    assert "[[[1], [2], [3], [4]]]" not in verdict.message


def test_hidden_check_does_not_reveal_messages_of_the_student_s_code():
    def answer(hidden, dones):
        raise ValueError(hidden.tolist())

    hidden = checks.reset_done(answer)
    assert "[[[1.0]" in hidden.message
    assert "1.0" not in marking.veiled(hidden, RIGHT).message
    assert marking.veiled(RIGHT, RIGHT) is RIGHT


class Fragile:
    """Replacement for :class:`Student`, whose process ends in some cells and in a call of f."""

    started = 0
    lacks = {}  # noqa: RUF012

    def __init__(self, cells, box, budget, answers, forbidden, modes):
        Fragile.started += 1
        self.notes = (Note(1, "raised", "raised ValueError: x"),)
        for place, cell in enumerate(cells):
            if cell.source == "end" and place not in modes:
                raise StoppedError("ended its process", place)

    def at(self, check, keep):
        return False

    def names(self, wanted):
        return {"f": self.end, "g": lambda: 1}

    def end(self):
        raise StoppedError("ended its process")

    def close(self):
        pass


def task(name):
    check = f"assert {name}() == 1"
    return SimpleNamespace(name=name, points=2.0, shown=check, hidden=check, manual=False, whole=False, answers=(name,))


@pytest.mark.parametrize("ends", [0, 1, 3, 4, 9])
def test_notebook_continues_without_cells_that_end_its_process(monkeypatch, ends):
    monkeypatch.setattr(marking, "Student", Fragile)
    monkeypatch.setattr(Fragile, "started", 0)
    assignment = SimpleNamespace(
        tasks=[task("f"), task("g")], setup=(), answers=("f", "g"), forbidden=(), handed=(), depends=lambda name: ()
    )
    marks = marking.mark(assignment, ["x", *["end"] * ends], "bwrap", Limits())
    stopped = [f"code cell {place + 2} was stopped: it ended its process" for place in range(min(ends, 3))]
    assert [(mark.points, mark.mistake) for mark in marks.marks] == [(0, "stopped"), (2, None)]
    assert (*map(str, marks.notes),) == ("code cell 1 raised ValueError: x", *stopped)
    assert Fragile.started == min(ends, 3) + 2  # the call of f ended the process once
