"""Numbers as the arithmetic of a spot writes them: with enough digits to recompute it."""

from __future__ import annotations

from rsl_edu.number_format import power

HALF_LOG_2PI = "½·ln(2·π)"


def exact(value: float) -> str:
    """Return four significant digits, with a true minus sign."""
    rounded = float(f"{value:.4g}") + 0.0
    text = power(rounded) if 0 < abs(rounded) < 1e-4 else f"{rounded:.10g}"
    return text.replace("-", "−")


def term(value: float) -> str:
    """Return :func:`exact`, in brackets where a minus sign would stand next to another."""
    text = exact(value)
    return f"({text})" if text.startswith("−") else text
