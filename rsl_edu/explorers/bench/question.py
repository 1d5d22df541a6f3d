"""What a quiz asks about an explorer."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Question:
    """A question about what an explorer shows.

    Attributes:
        text: The question.
        choices: The answers to choose from; empty: the number that :attr:`.Instrument.question` asks for.
        answer: The right answer: one of the choices, or the number in words; empty if nothing is to be told.
        show: Values of controls at which the picture shows the answer; empty if it cannot be shown.
    """

    text: str
    choices: tuple[str, ...] = ()
    answer: str = ""
    show: Mapping[str, Any] = dataclasses.field(default_factory=dict)
