"""Questions to answer before one slides: a number or a choice, recorded in the explorer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Quiz:
    """Questions beside an explorer (placeholder while the widget is written)."""

    def __init__(self, explorer: Any, questions: Mapping[str, Sequence[str] | None]) -> None:
        self._number = len(questions)

    def __repr__(self) -> str:
        return f"Quiz: {self._number} questions, none answered yet"
