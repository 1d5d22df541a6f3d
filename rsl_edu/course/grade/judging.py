"""Runs a check of an assignment, and says what came of it."""

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

_FURTHER = "right for the cases of its check, wrong for further ones"


class Names(dict[str, Any]):
    """What the names of a check mean: the set-up of the assignment, made anew, and the learner's answers.

    No check sees what another one, or a student, has done to the set-up. An answer that the check deletes or replaces
    is deleted or replaced in the notebook too.

    Args:
        cells: The set-up.
        answers: What the notebook has defined.
        wanted: Names of all answers: one that the set-up defines too is no answer.
        student: The process that has it; None if there is none.

    Raises:
        AssignmentError: If a cell of the set-up raises.
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
        """Give a name a value."""
        super().__setitem__(name, value)
        if name in self._answers and self._student is not None:
            self._student.put(name, value)

    def __delitem__(self, name: str) -> None:
        """Take a name away."""
        super().__delitem__(name)
        if name in self._answers and self._student is not None:
            self._student.delete(name)


@dataclass(frozen=True)
class Verdicts:
    """What is said of an exercise.

    Args:
        name: Its name.
        answers: Names of what the learner writes.
        lacks: Says why there is no answer of a name: the mistake, and the words.
    """

    name: str
    answers: Sequence[str]
    lacks: Callable[[str], tuple[str, str]] = lambda name: ("missing", f"the notebook has no {name} of yours.")

    def of_failure(self, failure: Failure) -> Verdict:
        """The verdict on an answer that has raised."""
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
    """Run a check: it passes if it raises nothing, and its last value is no verdict that fails.

    Args:
        said: What is said of the exercise.
        code: The check.
        names: What its names mean, the learner's functions among them.

    Returns:
        The points, if its last value is a number, as for nbgrader; else None. And the verdict.

    Raises:
        AssignmentError: If it uses a name that nothing defines, and that is no answer's.
    """
    value: Any = None
    try:
        dict.pop(names, "_", None)
        # the student's process has its own limits, and what is printed may hold hidden inputs
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
    except BaseException as error:  # a check that calculates with what an answer returns; pytest.raises, which is none
        why = f"the check cannot use what your code returns: {type(error).__name__}: {_text(error)}"
        return None, Verdict(said.name, False, "exception", why)
    if isinstance(value, Verdict):
        return None, value
    right = Verdict(said.name, True, None, "right.")
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.dtype not in (torch.bool, np.bool_):
        if math.prod(value.shape) != 1:
            return None, Verdict(
                said.name, False, "exception", "the check gives no number with what your code returns."
            )
        value = value.item()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 0.0 if math.isnan(value) else float(value), right
    return None, right


def _text(value: Any) -> str:
    """Return a text of what a check has raised: it may hold an object of the student's process, which is asked then."""
    try:
        return str(value)
    except Exception as error:
        return f"({type(error).__name__}: it cannot be shown as a text)"


def veiled(hidden: Verdict, shown: Verdict, begins: str = _FURTHER) -> Verdict:
    """Say of a hidden check only what is written in this package: all else may hold its inputs.

    Args:
        hidden: What it says.
        shown: What the shown part of the check says.
        begins: How the words begin.
    """
    if hidden.passed:
        return shown if shown.passed else hidden
    if hidden.mistake == "partial":  # only its points are in it
        return hidden
    kinds = {
        "not-answered": "your code raises NotImplementedError for some of them.",
        "exception": "your code raises an error for some of them.",
        "stopped": "your code uses too much CPU time or memory for some of them, or ends its process.",
        "in-place": "your code changes its input for some of them.",
        "nan": "your code returns NaN for some of them.",
        "no-gradient": "your code returns what no gradient comes back from.",
        "integer-result": "your code returns whole numbers, where what is after the point counts.",
        "constant-result": "your code returns the same whatever the inputs are.",
        "random": "your code returns something else when it is called again.",
        "state-between-calls": "your code returns something else when it is called again.",
        "library-answer": "your code calls what the exercise asks you to write.",
    }
    text = hidden.advice or kinds.get(str(hidden.mistake), "your answer is wrong for some of them.")
    return Verdict(shown.exercise, False, hidden.mistake or "unknown", f"{begins}: {text}", hidden.advice)


class _Quiet:
    """Stands for what a notebook has and the grader has not: it does nothing."""

    def __getattr__(self, name: str) -> Any:
        return _Quiet()

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


@functools.lru_cache(maxsize=256)
def _compiled(source: str, file: str) -> CodeType:
    """Compile a cell of the source, which may hold lines for IPython; as in a notebook, its last value is ``_``."""
    tree = ast.parse(python(source))
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        tree.body[-1] = ast.copy_location(ast.Assign([ast.Name("_", ast.Store())], last.value), last)
    return compile(ast.fix_missing_locations(tree), file, "exec")
