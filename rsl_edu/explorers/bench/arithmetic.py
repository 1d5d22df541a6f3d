"""Numbers as text, with true minus signs. They have enough digits for a calculation, or are rounded for a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rsl_edu.number_format import SUPERSCRIPTS, large

HALF_LOG_2PI = "½·ln(2·π)"
RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
"""Superscript digits, for the exponents of powers of ten."""
MOST_DIGITS = 9999
"""Largest exponent of ten that :func:`exponential` writes."""


def exact(value: float, digits: int = 4) -> str:
    """Return a number with ``digits`` significant digits, and with a power of ten if it is very large or small."""
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
    """Return a number as :func:`exact` does, but in brackets if it is negative or ends with a power of ten."""
    text = exact(value, digits)
    return f"({text})" if text.startswith("−") or text[-1] in RAISED else text


def digits_for(result: float, *parts: float, digits: int = 4, most: int = 10) -> int:
    """Return the number of digits that ``parts`` need so that their sum has ``digits`` correct digits."""
    largest = max(map(abs, parts), default=0.0)
    if not result or not largest or not math.isfinite(largest / result):
        return digits
    return int(min(most, digits + max(0, math.ceil(math.log10(largest / abs(result))))))


def difference(left: float, right: float) -> str:
    """Return the difference of two numbers as text, with as many digits as needed."""
    digits = digits_for(left - right, left, right)
    return f"{exact(left, digits)} − {signed(right, digits)}"


def written(value: float, decimals: int = 3) -> str:
    """Return a number with a fixed number of decimals, with a true minus sign and never ``-0``."""
    text = f"{round(float(value), decimals) + 0.0:,.{decimals}f}"
    return text.replace("-", "−")


def added(terms: Sequence[str]) -> str:
    """Join the terms of a sum; a term that starts with a minus sign is subtracted."""
    joined = " + ".join(terms)
    return joined.replace("+ −", "− ")


def products(left: np.ndarray, right: np.ndarray, most: int = 4) -> str:
    """Return a sum of products as text: ``0.310·0.520 − 1.200·0.100 + … + 0.440·0.200``.

    Args:
        left: First factors, ``[n]``.
        right: Second factors, ``[n]``.
        most: Maximum number of products that are written out. If there are more, some before the last are omitted.
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
    """Return a number with two significant digits and a true minus sign. From a million on, use a power of ten."""
    return large(value).replace("-", "−") if math.isfinite(value) else _words(value)


def exponential(nats: float) -> str:
    """Return ``e`` to a power, rounded, even beyond the range of floating-point numbers: ``5.7·10⁻¹⁰⁶⁰``."""
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
