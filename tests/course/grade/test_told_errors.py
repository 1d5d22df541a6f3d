"""Errors of a student's code are reported unchanged, whatever arguments their constructors take."""

import builtins

import pytest

from rsl_edu.course.check.failure import Failure
from rsl_edu.course.grade import remote

KINDS = [name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)]
NOT_EXPECTED = ("Exception", "StopIteration", "StopAsyncIteration", "ExceptionGroup")


@pytest.mark.parametrize("kind", KINDS)
def test_any_error_keeps_its_name_text_and_line(kind):
    account = {"is": kind, "says": f"{kind}: a text", "line": "return f(1)", "number": 2, "function": "g"}
    error = remote.failure(account)
    assert (error.says, error.line, error.number, error.function) == (f"{kind}: a text", "return f(1)", 2, "g")
    if kind not in NOT_EXPECTED:
        assert isinstance(error, getattr(builtins, kind))
        assert str(error) == "a text"


@pytest.mark.parametrize("base", ["UnicodeDecodeError", "OSError", "ExceptionGroup"])
def test_error_of_an_own_class_keeps_them_too(base):
    known = {"Mine": remote.an_error("Mine", base)}
    error = remote.failure({"is": base, "class": "Mine", "says": "Mine: a text"}, known)
    assert isinstance(error, known["Mine"])
    assert isinstance(error, Failure)
    assert error.says == "Mine: a text"
