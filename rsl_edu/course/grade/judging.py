"""Run a check of an assignment, and turn its outcome into a verdict."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any

import numpy as np
import torch

from rsl_edu.course.assignment import AssignmentError
from rsl_edu.course.check import Verdict
from rsl_edu.course.check.failure import Failure, PassThroughError
from rsl_edu.course.check.limit import unlimited
from rsl_edu.course.names import python

from .student import Student

_FURTHER = "right for the cases of its check, wrong for further ones"  # also in pages.words


class Names(dict[str, Any]):
    """Namespace of a check: a new run of the assignment's set-up, and the student's answers.

    No check sees changes to the set-up by another check or by a student. If a check deletes or replaces an answer, this
    also happens in the notebook.

    Args:
        cells: The cells of the set-up.
        answers: The answers that the notebook defines.
        wanted: Names of all answers; the set-up's own definitions of these names are removed.
        student: The process with the notebook, or None.

    Raises:
        AssignmentError: If a cell of the set-up raises an error.
    """

    def __init__(
        self,
        cells: Sequence[str],
        answers: Mapping[str, Any],
        wanted: Iterable[str] = (),
        student: Student | None = None,
    ) -> None:
        super().__init__({"__name__": "__main__", "get_ipython": _Quiet, "display": _Quiet()})
        self._answers: frozenset[str] = frozenset()
        for cell in cells:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(_compiled(cell, "<setup>"), self)
            except Exception as error:
                raise AssignmentError(f"a cell before the checks raises {type(error).__name__}: {error}") from error
        for name in wanted:
            self.pop(name, None)
        self.update(answers)
        self._answers, self._student = frozenset(answers), student

    def __setitem__(self, name: str, value: Any) -> None:
        """Set the value of a name."""
        super().__setitem__(name, value)
        if name in self._answers and self._student is not None:
            self._student.put(name, value)

    def __delitem__(self, name: str) -> None:
        """Delete a name."""
        super().__delitem__(name)
        if name in self._answers and self._student is not None:
            self._student.delete(name)


@dataclass(frozen=True)
class Verdicts:
    """Verdicts on an exercise.

    Args:
        name: Name of the exercise.
        answers: Names that the student has to define.
        lacks: Function that takes the name of a missing answer, and returns the mistake and its message.
    """

    name: str
    answers: Sequence[str]
    lacks: Callable[[str], tuple[str, str]] = lambda name: ("missing", f"your notebook does not define {name}.")

    def of_failure(self, failure: Failure) -> Verdict:
        """Return the verdict on an answer that raised an error."""
        where = f"line {failure.number}:".ljust(10)
        kinds = {
            "not-answered": f"not answered yet: {failure.function} raises NotImplementedError.",
            "library-answer": f"your code calls {failure.says}, which the exercise asks you to write.",
            "stopped": f"your code was stopped: it {failure.says}."
            + (f"\n  {where}{failure.line}" if failure.line else ""),
        }
        says = kinds.get(failure.kind, f"your code raises {failure.says}")
        return Verdict(self.name, False, failure.kind, says)


def judge(said: Verdicts, code: str, names: dict[str, Any]) -> tuple[float | None, Verdict]:
    """Run a check; it passes if it raises no error and its last value is not a failed verdict.

    Args:
        said: Verdicts on the exercise.
        code: The check.
        names: Namespace of the check, including the student's functions.

    Returns:
        The points and the verdict. As in nbgrader, the points are the last value if it is a number; otherwise they are
        None.

    Raises:
        AssignmentError: If the check uses an undefined name that is not an answer.
    """
    value: Any = None
    try:
        dict.pop(names, "_", None)
        # the student's process has its own limits, and printed output may contain hidden inputs
        with unlimited(), contextlib.redirect_stdout(io.StringIO()):
            exec(_compiled(code, f"<check of {said.name}>"), names)
        value = names.get("_")
    except Failure as failure:
        return None, said.of_failure(failure)
    except NameError as error:
        if error.name is None or error.name not in said.answers:
            raise AssignmentError(f"the check of {said.name} uses {error.name}, which nothing defines") from error
        return None, Verdict(said.name, False, *said.lacks(error.name))
    except AssertionError as error:
        says = error.args[0] if error.args else ""
        wrong = Verdict(said.name, False, "unknown", f"your answer is wrong. {_text(says)}".rstrip())
        return None, says if isinstance(says, Verdict) else wrong
    except (PassThroughError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a check fails on a returned value, or pytest.raises does
        why = f"the check cannot use the value that your code returns: {type(error).__name__}: {_text(error)}"
        return None, Verdict(said.name, False, "exception", why)
    if isinstance(value, Verdict):
        return None, value
    right = Verdict(said.name, True, None, "right.")
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.dtype not in (torch.bool, np.bool_):
        if math.prod(value.shape) != 1:
            return None, Verdict(
                said.name,
                False,
                "exception",
                "the check cannot calculate a number from the value that your code returns.",
            )
        value = value.item()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0.0 if math.isnan(value) else float(value), right
    return None, right


def _text(value: Any) -> str:
    """Return the text of an error from a check; it may contain an object whose text the student's process provides."""
    try:
        return str(value)
    except Exception as error:
        return f"({type(error).__name__}: cannot be converted to text)"


def veiled(hidden: Verdict, shown: Verdict, begins: str = _FURTHER) -> Verdict:
    """Return a verdict on a hidden check with only this package's words; other messages may contain hidden inputs.

    Args:
        hidden: Verdict of the hidden check.
        shown: Verdict of the shown part of the check.
        begins: Beginning of the message.
    """
    if hidden.passed:
        return shown if shown.passed else hidden
    if hidden.mistake == "partial":  # its message contains only the points
        return hidden
    kinds = {
        "not-answered": "your code raises NotImplementedError for some of them.",
        "exception": "your code raises an error for some of them.",
        "stopped": "your code uses too much CPU time or memory for some of them, or ends its process.",
        "in-place": "your code changes its input for some of them.",
        "nan": "your code returns NaN for some of them.",
        "no-gradient": "your code returns a result through which no gradient flows back.",
        "integer-result": "your code returns integers, but the digits after the decimal point matter.",
        "constant-result": "your code returns the same result for all inputs.",
        "random": "your code returns a different result when it is called again.",
        "state-between-calls": "your code returns a different result when it is called again.",
        "library-answer": "your code calls the function that the exercise asks you to write.",
    }
    text = hidden.advice or kinds.get(str(hidden.mistake), "your answer is wrong for some of them.")
    return Verdict(shown.exercise, False, hidden.mistake or "unknown", f"{begins}: {text}", hidden.advice)


class _Quiet:
    """Placeholder for notebook features that the grader lacks; it does nothing."""

    def __getattr__(self, name: str) -> Any:
        return _Quiet()

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


@functools.lru_cache(maxsize=256)
def _compiled(source: str, file: str) -> CodeType:
    """Compile a cell of the source, which may contain IPython lines; as in a notebook, ``_`` gets its last value."""
    tree = ast.parse(python(source))
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
    return compile(ast.fix_missing_locations(tree), file, "exec")
