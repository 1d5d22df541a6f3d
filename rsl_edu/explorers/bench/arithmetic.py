"""Numbers with true minus signs: with enough digits to work with, as arithmetic needs them, or rounded, for words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rsl_edu.number_format import SUPERSCRIPTS, large

HALF_LOG_2PI = "½·ln(2·π)"
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
"""What a power of ten ends with."""
MOST_DIGITS = 9999
"""Greatest exponent of ten that :func:`exponential` writes."""


def exact(value: float, digits: int = 4) -> str:
    """Return a number to some significant digits, as a power of ten where it is very large or small."""
    if not math.isfinite(value):
        return _words(value)
    near = float(f"{value:.{digits}g}")
    if near == 0 or 1e-4 <= abs(near) < 1e7:
        text = f"{near + 0.0:,.10g}"
    else:
        first, exponent = f"{near:.{digits - 1}e}".split("e")
        text = f"{float(first):.10g}·10{str(int(exponent)).translate(SUPERSCRIPTS)}"
        text = text.replace("1·10", "10") if abs(float(first)) == 1 else text
    return text.replace("-", "−")


def signed(value: float, digits: int = 4) -> str:
    """Return :func:`exact` of a number as a part of an expression: in brackets if it is negative or a power of ten."""
    text = exact(value, digits)
    return f"({text})" if text.startswith("−") or text[-1] in RAISED else text


def digits_for(result: float, *parts: float, digits: int = 4, most: int = 10) -> int:
    """Return how many digits ``parts`` need so that their sum has as many right ones as are written of ``result``."""
    largest = max(map(abs, parts), default=0.0)
    if not result or not largest or not math.isfinite(largest / result):
        return digits
    return int(min(most, digits + max(0, math.ceil(math.log10(largest / abs(result))))))


def difference(left: float, right: float) -> str:
    """Return two numbers, the second subtracted, with the digits that their difference needs."""
    digits = digits_for(left - right, left, right)
    return f"{exact(left, digits)} − {signed(right, digits)}"


def written(value: float, decimals: int = 3) -> str:
    """Return a number for arithmetic, always with so many decimals, with a real minus and never ``-0``."""
    text = f"{round(float(value), decimals) + 0.0:,.{decimals}f}"
    return text.replace("-", "−")


def added(terms: Sequence[str]) -> str:
    """Join terms of a sum: one that begins with a minus is subtracted."""
    joined = " + ".join(terms)
    return joined.replace("+ −", "− ")


def products(left: np.ndarray, right: np.ndarray, most: int = 4) -> str:
    """Return a sum of products in words: ``0.310·0.520 − 1.200·0.100 + … + 0.440·0.200``.

    Args:
        left: First factors, ``[n]``.
        right: Second factors, ``[n]``.
        most: Products at most that are written out: the first ones and the last one.
    """
    places = [*range(len(left))]
    dots = len(places) > most
    if dots:
        places = [*places[: most - 1], places[-1]]
    terms = [f"{written(left[i])}·{_factor(right[i])}" for i in places]
    return added([*terms[:-1], "…", terms[-1]] if dots else terms)


def _factor(value: float) -> str:
    text = written(value)
    return f"({text})" if text.startswith("−") else text


def rounded(value: float) -> str:
    """Return a number to two significant digits, from a million on as a power of ten, with a true minus sign."""
    return large(value).replace("-", "−") if math.isfinite(value) else _words(value)


def exponential(nats: float) -> str:
    """Return ``e`` to a power, rounded; also where floating-point numbers no longer hold it: ``5.7·10⁻¹⁰⁶⁰``."""
    if abs(nats) < 9:
        return rounded(math.exp(nats))
    exponent, rest = divmod(nats / math.log(10), 1)
    first = f"{10**rest:.1f}".removesuffix(".0")
    if first == "10":
        first, exponent = "1", exponent + 1
    if abs(exponent) > MOST_DIGITS:
        return f"{'more' if exponent > 0 else 'less'} than {_ten(math.copysign(MOST_DIGITS, exponent))}"
    return _ten(exponent) if first == "1" else f"{first}·{_ten(exponent)}"


def _ten(exponent: float) -> str:
    return f"10{str(int(exponent)).translate(SUPERSCRIPTS)}"


def _words(value: float) -> str:
    return {math.inf: "infinity", -math.inf: "−infinity"}.get(value, "undefined")
