"""Numbers as the explorers write them."""

from __future__ import annotations

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float, decimals: int | None = None) -> str:
    """Return two significant digits, or ``decimals``; never ``-0`` or ``3e+02``, and ``2.6·10⁻⁵`` below 0.0001."""
    rounded = float(f"{value:.2g}") if decimals is None else round(float(value), decimals)
    return power(rounded) if 0 < abs(rounded) < 1e-4 else f"{rounded + 0.0:,.10g}"


def power(value: float) -> str:
    """Return two significant digits and a power of ten: ``2.6·10⁻⁵``."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits.removesuffix('.0')}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"
