"""A wrong answer that people give, with what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .edits import Answer

Part = Callable[..., Any]  # a part of an answer: what a mistake does in its own way
Form = Mapping[str, str] | Answer  # old texts of the right answer with what stands in their place; or a whole answer


class Mistake:
    """A wrong answer that people give.

    ::

        Mistake("you take the sum.", "Take the mean.", {"x.mean()": "x.sum()"})

    Args:
        headline: What the answer seems to do.
        why: Why that is wrong, and what to do instead.
        forms: What it changes in the source of the right answer: each old text, which must be there exactly once, with
            what stands in its place. Several forms where people do it in several ways. Where no change of the source
            can say it, a form may be a function (or class) like the learner's.
    """

    def __init__(self, headline: str, why: str, *forms: Form) -> None:
        self.headline, self.why, self.forms = headline, why, forms
