"""Questions of a quiz about an explorer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Question:
    """A question about what an explorer shows.

    Attributes:
        text: The question.
        choices: The answers to choose from. If empty, the answer is the number that :attr:`.Instrument.question`
            describes.
        answer: The right answer: one of the choices, or the number as text. Empty if the quiz must not reveal it.
        show: Values of controls for which the picture shows the answer; empty if the picture cannot show the answer.
    """

    text: str
    choices: tuple[str, ...] = ()
    answer: str = ""
    show: Mapping[str, Any] = dataclasses.field(default_factory=dict)
