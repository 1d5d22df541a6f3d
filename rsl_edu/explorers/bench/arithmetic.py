"""Numbers as the arithmetic of a spot writes them: with enough digits to work with, and true minus signs."""

from __future__ import annotations

HALF_LOG_2PI = "½·ln(2·π)"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def exact(value: float, digits: int = 4) -> str:
    """Return a number to some significant digits, as a power of ten where it is very large or small."""
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e7:
        text = f"{rounded + 0.0:,.10g}"
    else:
        first, exponent = f"{rounded:.{digits - 1}e}".split("e")
        text = f"{float(first):.10g}·10{str(int(exponent)).translate(_SUPERSCRIPT)}"
        text = text.replace("1·10", "10") if abs(float(first)) == 1 else text
    return text.replace("-", "−")


def signed(value: float, digits: int = 4) -> str:
    """Return :func:`exact` of a number, in brackets if it is negative."""
    text = exact(value, digits)
    return f"({text})" if text.startswith("−") else text
