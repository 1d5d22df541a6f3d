"""The result of a check, and functions that write numbers in the same way on every machine."""

from __future__ import annotations

import html
import math
import textwrap
from dataclasses import dataclass
from typing import Any

import torch

_SHOWN = 24  # the largest number of entries for which a tensor is shown in full


@dataclass(frozen=True, repr=False)
class Verdict:
    """The result of a check, shown as a coloured block in a notebook and as text everywhere else.

    Args:
        exercise: Name of the exercise.
        passed: Whether the answer is right.
        mistake: Name of the mistake, as stable as an error code (``unbiased-variance``); None if the answer is right.
        message: The explanation: a headline, then the counterexample, line by line.
        advice: The explanation of the mistake, without any input; empty if the mistake has no text of its own.
    """

    exercise: str
    passed: bool
    mistake: str | None
    message: str
    advice: str = ""

    def __repr__(self) -> str:
        """The explanation as text, with a sign before it: ✓ right, ✗ wrong, ○ not answered yet."""
        sign = "✓" if self.passed else "○" if self.mistake == "not-answered" else "✗"
        return f"{sign} {self.exercise}: {self.message}"

    def _repr_html_(self) -> str:
        headline, _, rest = html.escape(repr(self), quote=False).partition("\n")
        colour = {"✓": "#009E73", "○": "#888888", "✗": "#D55E00"}[
            headline[0]
        ]  # the sign conveys the same as the colour
        style = "background:none;margin:.3em 0 0;padding:0;border:0;white-space:pre-wrap"
        details = f'<pre style="{style}">{textwrap.dedent(rest)}</pre>' if rest else ""
        return f'<div style="border-left:4px solid {colour};padding:.2em .8em"><b>{headline}</b>{details}</div>'


class Text(str):
    """Text that a notebook shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        """The text itself."""
        return str(self)


def text(value: Any, digits: int = 3) -> str:
    """Write a number, a tensor or a list of them, rounded to ``digits``; for a large tensor, write only its shape."""
    if isinstance(value, torch.Tensor):
        if value.numel() > _SHOWN:
            return f"<tensor {list(value.shape)}>"
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        items = ", ".join(text(item, digits) for item in value)
        return f"[{items}]" if isinstance(value, list) else f"({items})"
    if not isinstance(value, (int, float)):
        return str(value)
    number = round(float(value), max(6, digits)) + 0.0  # + 0.0: no -0
    whole = number.is_integer() or abs(number) >= 10**digits
    return f"{number:.0f}" if whole and abs(number) < 1e6 else f"{number:.{digits}g}"


def clearly(seen: torch.Tensor, expected: torch.Tensor) -> tuple[str, str]:
    """Write two tensors with enough digits to see where they differ; for large tensors, only the largest difference."""
    if seen.shape != expected.shape:
        return text(seen), text(expected)
    distance = (seen - expected).abs().nan_to_num(math.inf, math.inf)
    relative = distance / torch.maximum(seen.abs(), expected.abs()).nan_to_num(1.0, 1.0)
    parts = relative[(relative > 0) & relative.isfinite()]
    digits = 3
    if parts.numel():  # a relative difference of 0.01 is shown with four digits
        digits = min(max(digits, 2 + math.ceil(-math.log10(parts.max().item()))), 9)
    if seen.numel() <= _SHOWN:
        return text(seen, digits), text(expected, digits)
    place = [int(index) for index in torch.unravel_index(distance.argmax(), distance.shape)]
    one, other = (f"{text(x[tuple(place)].item(), digits)} at {place} of {list(x.shape)}" for x in (seen, expected))
    return one, other
