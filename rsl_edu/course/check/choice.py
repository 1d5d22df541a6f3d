"""A question with answers to choose from, where each wrong answer is told what speaks against it."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .verdict import Verdict


@dataclass(frozen=True, repr=False)
class Choice:
    """A decision to make, or a fault to find; call it with the answer that you choose to get a verdict.

    Args:
        name: What it is called, as in ``check.name``.
        answers: What can be chosen, each with what the verdict says of it: why it is right, or what speaks against it.
        right: The right one of these.
    """

    name: str
    answers: Mapping[str, str]
    right: str

    def __post_init__(self) -> None:
        """Check the declaration."""
        if self.right not in self.answers:
            raise ValueError(f"right: expected one of {self._allowed()}; got {self.right!r}")

    def __repr__(self) -> str:
        """How to use it."""
        return f"Choice {self.name}: call it with one of {self._allowed()}."

    def __call__(self, answer: Any) -> Verdict:
        """Judge an answer.

        Args:
            answer: The words of one of the answers, in any case; ``...`` if nothing has been chosen yet.
        """
        if answer is ...:
            return Verdict(self.name, False, "not-answered", f"not answered yet.\n  Choose one of {self._allowed()}.")
        found = next((words for words in self.answers if _same(words, answer)), None)
        if found is None:
            short = type(answer) in (str, float) or (type(answer) is int and abs(answer) < 10**15)
            shown = reprlib.repr(answer) if short else f"an answer of type {type(answer).__name__}"
            message = f"{shown} is none of the answers.\n  Choose one of {self._allowed()}."
            return Verdict(self.name, False, "no-such-answer", message)
        passed, why = found == self.right, self.answers[found]
        return Verdict(self.name, passed, None if passed else found, f"{'right' if passed else 'no'}: {why}", why)

    def _allowed(self) -> str:
        return ", ".join(map(repr, self.answers))


def _same(words: str, answer: Any) -> bool:
    """Whether an answer is these words, in any case, or the number that they are."""
    if isinstance(answer, str) and answer.strip().lower() == words.lower():
        return True
    try:
        return answer is not None and abs(float(words) - float(answer)) <= 1e-6 * abs(float(words))
    except Exception:  # no number; or an object that raises whatever it likes
        return False
