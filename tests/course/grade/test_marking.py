"""What a check of an assignment says, and what of a hidden one may be said."""

import pytest

from rsl_edu.course import check as checks
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade import marking


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
    ],
)
def test_a_check_of_ones_own_is_plain_code(check, mistake):
    verdict = marking.judge("task", check, {"f": lambda x: x, "Failure": Failure}, ("f", "g"))
    assert (verdict.passed, verdict.mistake) == (mistake is None, mistake)
    with pytest.raises(NameError):
        marking.judge("task", "h(1)", {}, ("f", "g"))  # that is nobody's answer


RIGHT = Verdict("reset_done", True, None, "right.")


@pytest.mark.parametrize(
    "mistake", ["exception", "stopped", "in-place", "nan", "library-answer", "unknown", "wrong-shape", None]
)
def test_of_a_hidden_check_nothing_is_said_that_it_says(mistake):
    verdict = marking.veiled(Verdict("reset_done", False, mistake, "INPUT 71"), RIGHT)
    assert not verdict.passed
    assert verdict.mistake == (mistake or "unknown")
    assert verdict.message.startswith("right for the cases of its check, wrong for further ones: your ")
    assert "INPUT" not in verdict.message


def test_a_hidden_check_names_a_known_mistake():
    known = checks.reset_done.mistakes[0]
    verdict = marking.veiled(Verdict("reset_done", False, known.name, "INPUT 71"), RIGHT)
    assert known.headline in verdict.message
    assert known.why in verdict.message
    assert marking.veiled(RIGHT, RIGHT) is RIGHT
