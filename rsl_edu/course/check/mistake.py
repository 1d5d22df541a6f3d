"""A common mistake in an exercise, and how it is explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .edits import Answer

Part = Callable[..., Any]  # a function that a mistake uses as a part of its answer
Form = Mapping[str, str] | Answer  # texts of the right answer with their replacements; or a complete answer


class Mistake:
    """A mistake that people make in an exercise.

    ::

        Mistake("you take the sum.", "Take the mean.", {"x.mean()": "x.sum()"})

    Args:
        headline: What the answer seems to do.
        why: Why this is wrong, and what to do instead.
        forms: The ways in which people make the mistake. A form maps texts in the source of the right answer to their
            replacements; each text must occur in the source exactly once. If no such change can express the mistake, a
            form can be a function or class, written as a learner would write it.
    """

    def __init__(self, headline: str, why: str, *forms: Form) -> None:
        self.headline, self.why, self.forms = headline, why, forms
