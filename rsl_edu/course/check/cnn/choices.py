"""Decisions and faults to find in this lesson."""

from __future__ import annotations

from ..choice import Choice

CHOICES: tuple[Choice, ...] = ()
