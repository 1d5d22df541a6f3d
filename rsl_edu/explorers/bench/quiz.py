"""Questions to answer before one slides: the answers stay in sight, beside the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .static_page import in_a_page, quiz_html

if TYPE_CHECKING:  # anywidget takes its time: only what shows a form needs it
    from .form import Form
    from .instrument import Instrument


class Quiz:
    """Questions about what an explorer is going to show.

    Each answer is recorded in the explorer: a number is drawn beside the truth, a choice is written under the picture.
    Nothing waits for an answer. In a notebook, a quiz at the end of a cell shows itself.

    Args:
        explorer: What is asked about.
        questions: The questions; beside each the answers to choose from, or None for the number that
            :attr:`.Instrument.question` asks for.

    Raises:
        ValueError: No question, one with fewer than two choices, or a number that the explorer does not ask for.
    """

    def __init__(self, explorer: Instrument[Any, Any], questions: Mapping[str, Sequence[str] | None]) -> None:
        if not questions:
            raise ValueError("questions: expected at least one, got none")
        for question, choices in questions.items():
            if choices is None and explorer.question is None:
                raise ValueError(f"questions: {type(explorer).__name__} asks for no number, got {question!r}: None")
            if choices is not None and (isinstance(choices, str) or len(choices) < 2):
                raise ValueError(f"questions: expected two choices or more for {question!r}, got {choices!r}")
        self.explorer = explorer
        self.questions = dict(questions)

    def answer(self, question: int, answer: float | str) -> None:
        """Record an answer.

        Args:
            question: Number of the question, from 0 on.
            answer: A number, or one of the choices.

        Raises:
            ValueError: No such question, or an answer that it does not allow; the one before stays.
        """
        last = len(self.questions) - 1
        if isinstance(question, bool) or question not in range(last + 1):
            raise ValueError(f"question: expected its number, from 0 to {last}, got {question!r}")
        text, choices = list(self.questions.items())[int(question)]
        if choices is None and self.explorer.question is not None:
            self.explorer.question.check("guess", answer)
        elif choices is not None and not (isinstance(answer, str) and answer in choices):
            raise ValueError(f"answer: expected one of {', '.join(map(repr, choices))}; got {answer!r}")
        self.explorer.predict(answer, text)

    @property
    def answers(self) -> dict[str, str]:
        """What was answered so far, by the question."""
        return {text: given for text, given in self.explorer.answers.items() if text in self.questions}

    @cached_property
    def live(self) -> Form:
        """The widget, a form with all questions."""
        from .form import Form

        number = self.explorer.question
        return Form(self.questions, "" if number is None else number.unit, self.answer)

    def __repr__(self) -> str:
        """The questions, their choices and the answers so far: what nbval compares."""
        lines = ["Quiz"]
        for text, choices in self.questions.items():
            asked = text if choices is None else f"{text} ({' / '.join(choices)})"
            lines.append(f"{asked} {self.answers.get(text, '')}".rstrip())
        return "\n".join(lines)

    def html(self) -> str:
        """Return the quiz for a page without a kernel; its answers are written under the explorer that follows."""
        return quiz_html(self.questions, self.explorer.question)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if in_a_page():
            return {"text/plain": repr(self), "text/html": self.html()}, {}
        data, metadata = self.live._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        return {**data, "text/plain": repr(self)}, metadata
