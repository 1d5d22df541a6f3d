"""Questions to answer before one slides: the answers stay in sight, next to the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .instrument import Instrument
from .question import Question
from .static_page import in_a_page, moved, quiz_html

if TYPE_CHECKING:  # anywidget takes its time: only what shows a form needs it
    from .explorer import Explorer
    from .form import Form


class Quiz:
    """Questions about what an explorer is going to show.

    Each answer is recorded in the explorer: a number is drawn next to the truth, a choice is written under the picture.
    Nothing waits for an answer. In a notebook, a quiz at the end of a cell shows itself.

    Args:
        explorer: What is asked about.
        questions: The questions, or for each question's text the answers to choose from, or None for the number that
            :attr:`.Instrument.question` asks for. By default those of the explorer.

    Attributes:
        explorer: What is asked about.
        questions: The questions.

    Raises:
        TypeError: Something else than an explorer, or than questions.
        ValueError: No question, one with fewer than two choices, a number that the explorer does not ask for, or
            values to show that the controls do not have.
    """

    def __init__(
        self,
        explorer: Explorer[Any, Any],
        questions: Sequence[Question] | Mapping[str, Sequence[str] | None] | None = None,
    ) -> None:
        if not isinstance(explorer, Instrument):
            raise TypeError(f"explorer: expected an explorer such as Signal(), got {type(explorer).__name__}")
        if questions is None:
            questions = explorer.questions
        if isinstance(questions, Question):
            questions = [questions]
        if isinstance(questions, Mapping):
            questions = [_question(text, choices) for text, choices in questions.items()]
        if not questions:
            raise ValueError("questions: expected at least one, got none")
        for question in questions:
            if not isinstance(question, Question):
                raise TypeError(f"questions: expected Question(text, ...), got {type(question).__name__}")
            if not question.choices and explorer.question is None:
                raise ValueError(
                    f"questions: {type(explorer).__name__} asks for no number, got {question.text!r}: None"
                )
            if question.choices and question.answer and question.answer not in question.choices:
                raise ValueError(f"questions: expected an answer among {question.choices}, got {question.answer!r}")
            explorer.at(**question.show)
        self.explorer = explorer
        self.questions = tuple(questions)

    def answer(self, question: int, answer: float | str) -> None:
        """Record an answer.

        Args:
            question: Number of the question, from 0 on.
            answer: A number, or one of the choices.

        Raises:
            ValueError: A question that there is not, or an answer that it does not allow; the one before stays.
        """
        asked = self._asked(question)
        if not asked.choices and self.explorer.question is not None:
            self.explorer.question.check("guess", answer)
        elif not (isinstance(answer, str) and answer in asked.choices):
            raise ValueError(f"answer: expected one of {', '.join(map(repr, asked.choices))}; got {answer!r}")
        self.explorer.predict(answer, asked.text)

    def show(self, question: int) -> None:
        """Set the explorer to where it shows the answer of a question, by its number from 0 on."""
        self.explorer.set(**self._asked(question).show)

    def _asked(self, question: int) -> Question:
        if isinstance(question, bool) or question not in range(len(self.questions)):
            raise ValueError(f"question: expected a number from 0 to {len(self.questions) - 1}, got {question!r}")
        return self.questions[int(question)]

    @property
    def answers(self) -> dict[str, str]:
        """What was answered so far, by the question."""
        texts = {question.text for question in self.questions}
        return {text: given for text, given in self.explorer.answers.items() if text in texts}

    @cached_property
    def live(self) -> Form:
        """The widget, a form with all questions."""
        from .form import Form

        return Form(self.questions, self.explorer.question, self.answer, self.show)

    def __repr__(self) -> str:
        """The questions, their choices and the answers so far: what nbval compares."""
        lines = ["Quiz"]
        for question in self.questions:
            asked = f"{question.text} ({' / '.join(question.choices)})" if question.choices else question.text
            lines.append(f"{asked} {self.answers.get(question.text, '')}".rstrip())
        return "\n".join(lines)

    def html(self) -> str:
        """Return the quiz for a page without a kernel; its answers are written under the explorer that follows."""
        positions = moved(self.explorer, self.explorer.swept_states())
        return quiz_html(self.questions, self.explorer.question, positions)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from .output import quiz_still

        html = self.html() if in_a_page() else quiz_still(self.questions, self.live.still)
        return {"text/plain": repr(self), "text/html": html}, {}

    def _ipython_display_(self) -> None:
        from .output import show_twice

        show_twice(self, lambda: self.live)


def _question(text: str, choices: Sequence[str] | None) -> Question:
    if choices is not None and (isinstance(choices, str) or len(choices) < 2):
        raise ValueError(f"questions: expected two choices or more for {text!r}, got {choices!r}")
    return Question(text, tuple(choices or ()))
