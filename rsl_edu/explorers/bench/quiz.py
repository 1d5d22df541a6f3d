"""Questions to answer before using an explorer. The answers remain visible next to the true values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .instrument import Instrument
from .question import Question
from .static_page import in_a_page, moved, quiz_html

if TYPE_CHECKING:  # anywidget is slow to import and only needed for forms
    from .explorer import Explorer
    from .form import Form


class Quiz:
    """Questions about what an explorer will show.

    The explorer records each answer. It draws a number in the picture, and writes a choice below the picture.
    Answers are optional. In a notebook, a quiz at the end of a cell is displayed.

    Args:
        explorer: The explorer.
        questions: The questions, by default the explorer's own; or a mapping from the text of each question to its
            choices, or to None if the answer is the number that :attr:`.Instrument.question` describes.

    Attributes:
        explorer: The explorer.
        questions: The questions.

    Raises:
        TypeError: ``explorer`` or ``questions`` has the wrong type.
        ValueError: There is no question, or a question is invalid: it has fewer than two choices, it asks for a number
            although the explorer has no number to predict, or the controls cannot show its answer.
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
                    f"questions: {type(explorer).__name__} has no number to predict; add choices to {question.text!r}"
                )
            if question.choices and question.answer and question.answer not in question.choices:
                raise ValueError(f"questions: expected an answer among {question.choices}, got {question.answer!r}")
            explorer.at(**question.show)
        self.explorer = explorer
        self.questions = tuple(questions)

    def answer(self, question: int, answer: float | str) -> None:
        """Record an answer.

        Args:
            question: Index of the question.
            answer: A number, or one of the choices.

        Raises:
            ValueError: The question does not exist, or the answer is not allowed. The previous answer is kept.
        """
        asked = self._asked(question)
        if not asked.choices and self.explorer.question is not None:
            self.explorer.question.check("guess", answer)
        elif not (isinstance(answer, str) and answer in asked.choices):
            raise ValueError(f"answer: expected one of {', '.join(map(repr, asked.choices))}; got {answer!r}")
        self.explorer.predict(answer, asked.text)

    def show(self, question: int) -> None:
        """Set the explorer to the state that shows the answer to the question with this index."""
        self.explorer.set(**self._asked(question).show)

    def _asked(self, question: int) -> Question:
        if isinstance(question, bool) or question not in range(len(self.questions)):
            raise ValueError(f"question: expected a number from 0 to {len(self.questions) - 1}, got {question!r}")
        return self.questions[int(question)]

    @property
    def answers(self) -> dict[str, str]:
        """The learner's answers so far, by the text of the question."""
        texts = {question.text for question in self.questions}
        return {text: given for text, given in self.explorer.answers.items() if text in texts}

    @cached_property
    def live(self) -> Form:
        """The widget, a form with all questions."""
        from .form import Form

        return Form(self.questions, self.explorer.question, self.answer, self.show)

    def __repr__(self) -> str:
        """Return the questions, their choices and the answers so far. nbval compares this text."""
        lines = ["Quiz"]
        for question in self.questions:
            asked = f"{question.text} ({' / '.join(question.choices)})" if question.choices else question.text
            lines.append(f"{asked} {self.answers.get(question.text, '')}".rstrip())
        return "\n".join(lines)

    def html(self) -> str:
        """Return the quiz for a page without a kernel. The page writes the answers below the next explorer."""
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
        raise ValueError(f"questions: expected at least two choices for {text!r}, got {choices!r}")
    return Question(text, tuple(choices or ()))
