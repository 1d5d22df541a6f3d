"""A multiple-choice question that explains why each answer is right or wrong."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .verdict import Verdict


@dataclass(frozen=True, repr=False)
class Choice:
    """A decision to make, or a fault to find; call it with your answer to get a verdict.

    Args:
        name: Name of the choice, as in ``check.name``.
        answers: The possible answers, each with the reason that the verdict gives: why it is right or wrong.
        right: The right answer.
    """

    name: str
    answers: Mapping[str, str]
    right: str

    def __post_init__(self) -> None:
        """Check that the right answer is one of the answers."""
        if self.right not in self.answers:
            raise ValueError(f"right: expected one of {self._allowed()}; got {self.right!r}")

    def __repr__(self) -> str:
        """A text that explains how to use the choice."""
        return f"Choice {self.name}: call it with one of {self._allowed()}."

    def __call__(self, answer: Any) -> Verdict:
        """Judge an answer.

        Args:
            answer: One of the answers, in upper or lower case; ``...`` if nothing has been chosen yet.
        """
        if answer is ...:
            return Verdict(self.name, False, "not-answered", f"not answered yet.\n  Choose one of {self._allowed()}.")
        found = next((words for words in self.answers if _same(words, answer)), None)
        if found is None:
            short = type(answer) in (str, float) or (type(answer) is int and abs(answer) < 10**15)
            shown = reprlib.repr(answer) if short else f"an answer of type {type(answer).__name__}"
            message = f"{shown} is not one of the answers.\n  Choose one of {self._allowed()}."
            return Verdict(self.name, False, "no-such-answer", message)
        passed, why = found == self.right, self.answers[found]
        return Verdict(self.name, passed, None if passed else found, f"{'right' if passed else 'no'}: {why}", why)

    def _allowed(self) -> str:
        return ", ".join(map(repr, self.answers))


def _same(words: str, answer: Any) -> bool:
    """Whether an answer equals a text, ignoring case, or equals the number that the text represents."""
    if isinstance(answer, str) and answer.strip().lower() == words.lower():
        return True
    try:
        return answer is not None and abs(float(words) - float(answer)) <= 1e-6 * abs(float(words))
    except Exception:  # not a number, or an object that can raise anything
        return False
