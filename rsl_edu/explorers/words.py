"""Numbers as the explorers write them."""

from __future__ import annotations


def short(value: float, decimals: int | None = None) -> str:
    """Return two significant digits, or ``decimals``; never ``-0`` or ``3e+02``."""
    rounded = float(f"{value:.2g}") if decimals is None else round(float(value), decimals)
    return f"{rounded + 0.0:,.10g}"
