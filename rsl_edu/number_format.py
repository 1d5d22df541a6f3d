"""Format and round numbers for explorers, and count things in sentences."""

from __future__ import annotations

import math

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def short(value: float, decimals: int | None = None) -> str:
    """Return a number with two significant digits, or with ``decimals``.

    The result is never ``-0`` or ``3e+02``; below 0.0001, it has the form ``2.6·10⁻⁵``.
    """
    rounded = float(f"{value:.2g}") if decimals is None else round(float(value), decimals)
    return power(rounded) if 0 < abs(rounded) < 1e-4 else f"{rounded + 0.0:,.10g}"


def large(value: float) -> str:
    """Return :func:`short` of a number, or a power of ten from a million upwards: ``2.6·10¹²``."""
    if math.isinf(value):
        return "infinity"
    return power(value) if abs(value) >= 1e6 else short(value)


def power(value: float) -> str:
    """Return a number as two significant digits and a power of ten: ``2.6·10⁻⁵``."""
    digits, exponent = f"{value:.1e}".split("e")
    ten = "10" + str(int(exponent)).translate(SUPERSCRIPTS)
    return {"1.0": ten, "-1.0": f"-{ten}"}.get(digits, f"{digits.removesuffix('.0')}·{ten}")


def small(value: float) -> str:
    """Return :func:`short` of a number, or ``under 0.001`` for smaller numbers, which machines round differently."""
    return "under 0.001" if 0 < value < 1e-3 else short(value)


def round_up(value: float, digits: tuple[int, ...] = (1, 2, 5)) -> float:
    """Round a positive number up to one of ``digits`` times a power of ten.

    Use it for axis limits: if they change in coarse steps, the background of a picture rarely changes.
    """
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in (*digits, 10, 20) if power * digit >= value * (1 - 1e-9))


def counted(number: float, noun: str) -> str:
    """Return a number with a noun: ``1 submission``, ``1,024 submissions``, ``0.5 points``."""
    text = f"{number:g}" if isinstance(number, float) else f"{number:,}"
    return f"{text} {noun}" if number == 1 else f"{text} {noun}s"
