"""The form of a quiz in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from .output import still_name
from .scripts import form_module, text
from .static_page import questions_told

if TYPE_CHECKING:
    from .controls import Control
    from .question import Question

RECORDED = "Recorded. Now find the answer with the controls, or click Show me."


class Form(anywidget.AnyWidget):
    """Questions with an input field or choices, and a line of feedback below each.

    Args:
        questions: The questions.
        number: The control that describes the number for which a question without choices asks.
        answer: Function that gets the index of a question and an answer. It raises a ValueError for an invalid answer.
        show: Function that gets the index of a question and lets the explorer show the answer.

    Attributes:
        questions: For each question: its text, its choices or None, the unit of the number, its answer, and whether
            the explorer can show the answer.
        given: The learner's last input for each question, by the index of the question.
        replies: For each question: the line of feedback below it, and whether the answer was rejected.
        still: Name of the still that replaces the form in a notebook without a kernel; the browser hides it.
    """

    _esm = form_module()
    _css = text("form.css")

    questions: Any = traitlets.List().tag(sync=True)
    given: Any = traitlets.Dict().tag(sync=True)
    replies: Any = traitlets.List().tag(sync=True)
    still = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        questions: Sequence[Question],
        number: Control | None,
        answer: Callable[[int, float | str], None],
        show: Callable[[int], None],
    ) -> None:
        self._answer, self._show = answer, show
        told = questions_told(questions, number)
        super().__init__(questions=told, still=still_name(self), replies=[["", False]] * len(told))
        self.on_msg(self._asked)

    @traitlets.observe("given")
    def _record(self, change: Any) -> None:
        before, replies = change["old"] or {}, list(self.replies)
        for place, entered in change["new"].items():
            if before.get(place) != entered:
                replies[int(place)] = self._reply(int(place), entered)
        self.replies = replies

    def _reply(self, question: int, entered: Any) -> list[Any]:
        try:
            self._answer(question, entered if self.questions[question]["choices"] else _number(entered))
        except ValueError as error:
            return [str(error).partition(": ")[2] or str(error), True]
        return [RECORDED, False]

    def _asked(self, widget: Any, content: Any, buffers: Any) -> None:
        match content:
            case {"question": question, "answer": answer}:
                self.given = {**self.given, str(question): answer}
            case {"show": question}:
                self._show(question)


def _number(entered: Any) -> float:
    try:
        return float(str(entered).replace(",", "."))
    except ValueError:
        raise ValueError(f"guess: expected a number, got {entered!r}") from None
