"""Numbers as the arithmetic under *Look closer* writes them: to four digits, with true minus signs."""

from __future__ import annotations


def exact(value: float) -> str:
    """Return a number to four significant digits, as a power of ten where it is very large or small."""
    rounded = float(f"{value:.4g}")
    if rounded == 0 or 1e-4 <= abs(rounded) < 1e7:
        text = f"{rounded + 0.0:,.10g}"
    else:
        digits, exponent = f"{rounded:.3e}".split("e")
        text = f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", "−")


def signed(value: float) -> str:
    """Return :func:`exact` of a number, in brackets if it is negative."""
    return f"({exact(value)})" if value < 0 else exact(value)
