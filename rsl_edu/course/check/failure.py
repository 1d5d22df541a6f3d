"""What a check says of an answer that raised; the same for an answer that runs in another process.

It imports nothing of rsl_edu: the grader's sandbox has this file, and no other of this folder.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable


class Failure(Exception):  # noqa: N818  it is the account of an error
    """An answer has raised.

    Args:
        kind: ``exception``, ``not-answered``, ``stopped`` if it reached its time limit, or ``library-answer`` if it
            called what the exercise asks to write.
        says: The error in a line: ``ValueError: 3 is not a size``; for ``library-answer`` the name of what was called,
            for ``stopped`` what it did: ``ran for more than 10 s``.
        line: The line of the learner's code, if any.
        number: The number of the line in its cell.
        function: The learner's function.
    """

    def __init__(self, kind: str, says: str, line: str = "", number: int = 0, function: str = "") -> None:
        super().__init__(says)
        self.kind, self.says, self.line, self.number, self.function = kind, says, line, number, function


def failure(error: BaseException, is_learners: Callable[[str], bool]) -> Failure:
    """Give an account of an error.

    Args:
        error: What an answer has raised.
        is_learners: Whether code of a file, by its name, is the learner's.
    """
    if isinstance(error, Failure):
        return error
    too_long = "TooLongError" in [kind.__name__ for kind in type(error).__mro__]  # the sandbox has another limit.py
    before = error.__context__ if too_long else None  # it was raised once more while the learner's code ended
    traces = [traceback.extract_tb(each.__traceback__) for each in (before, error) if each is not None]
    frames = [frame for trace in traces for frame in trace if is_learners(frame.filename)]
    line, number, function = (frames[-1].line or "", frames[-1].lineno or 0, frames[-1].name) if frames else ("", 0, "")
    if too_long:
        return Failure("stopped", str(error), line, number, function)
    stub = frames and isinstance(error, NotImplementedError) and (not error.args or "NotImplementedError" in line)
    says = traceback.format_exception_only(error)[-1].partition("\n")[0]  # ValueError: its first line
    return Failure("not-answered" if stub else "exception", says[:200], line, number, function)
