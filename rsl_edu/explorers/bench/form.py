"""The form of a quiz in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets


class Form(anywidget.AnyWidget):
    """Questions with a field or with choices, and a line under each that says what became of the answer.

    Args:
        questions: The questions; for each the answers to choose from, or None for a number.
        unit: Unit of the number.
        answer: Takes the number of a question and an answer; raises a ValueError if that is not allowed.

    Attributes:
        questions: For each question its text, its choices or None, and the unit of the number.
        given: What was entered last, by the number of the question.
        replies: For each question the line under it, and whether the answer was refused.
    """

    _esm = Path(__file__).with_name("form.js")
    _css = Path(__file__).with_name("form.css")

    questions: Any = traitlets.List().tag(sync=True)
    given: Any = traitlets.Dict().tag(sync=True)
    replies: Any = traitlets.List().tag(sync=True)

    def __init__(
        self,
        questions: Mapping[str, Sequence[str] | None],
        unit: str,
        answer: Callable[[int, float | str], None],
    ) -> None:
        self._answer = answer
        asked = [[text, None if choices is None else list(choices), unit] for text, choices in questions.items()]
        super().__init__(questions=asked, replies=[["", False]] * len(asked))

    @traitlets.observe("given")
    def _record(self, change: Any) -> None:
        before, replies = change["old"] or {}, list(self.replies)
        for place, entered in change["new"].items():
            if before.get(place) != entered:
                replies[int(place)] = self._reply(int(place), entered)
        self.replies = replies

    def _reply(self, question: int, entered: Any) -> list[Any]:
        choices = self.questions[question][1]
        try:
            self._answer(question, entered if choices else _number(entered))
        except ValueError as error:
            return [str(error).partition(": ")[2] or str(error), True]
        return ["Recorded, and written under the picture." if choices else "Recorded, and drawn in the picture.", False]


def _number(entered: Any) -> float:
    try:
        return float(str(entered).replace(",", "."))
    except ValueError:
        raise ValueError(f"guess: expected a number, got {entered!r}") from None
