"""Plain HTML pages: feedback for a student, and a report on the class. Students' text is always escaped."""

from __future__ import annotations

from ..page_name import file_name
from .feedback import ByHand, feedback
from .render import left_over
from .report import report

__all__ = ["ByHand", "feedback", "file_name", "left_over", "report"]
