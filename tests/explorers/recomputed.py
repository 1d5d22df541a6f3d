"""Recompute the arithmetic of a spot."""

import math
import re

import pytest

_WRITTEN = {"−": "-", "·": "*", "½": "0.5", "²": "**2", "√": "sqrt", "π": "pi", "e^": "e**", ",": ""}
_POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_POWER = re.compile(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_ROOT = re.compile(r"√([\d.,]+)")
_NUMERIC = re.compile(r"(?:[-\d.+*/() ]|sqrt|pi|ln|exp|e(?=\*\*))+")


def equalities(lines):
    """Check and count the equations between numbers, including those continued on a line that starts with "="."""
    count, last = 0, None
    for line in lines:
        if not line.startswith("= "):
            last = None
        for side in re.split(r"(?:^|(?<=\s))= ", line.rpartition(": ")[2]):
            value = evaluated(side)
            if value is None:
                last = None if side.strip() else last
                continue
            if last is not None:
                assert value == pytest.approx(last, rel=3e-3, abs=3e-3 * min(1.0, abs(last) + 0.1)), lines
                count += 1
            last = value
    return count


def number(text):
    """Return a number written with a true minus sign, commas, brackets or a power of ten."""
    value = evaluated(text.strip("()"))
    assert value is not None, text
    return value


def evaluated(words):
    """Return the value of a formula of numbers, or None if the text is something else."""
    words = _POWER.sub(lambda found: f"10**{found[1].translate(_POWERS)}", words.strip())
    words = _ROOT.sub(r"√(\1)", words)
    for sign, meaning in _WRITTEN.items():
        words = words.replace(sign, meaning)
    if not words or not _NUMERIC.fullmatch(words) or not re.search(r"\d", words):
        return None
    names = {"__builtins__": {}, "sqrt": math.sqrt, "pi": math.pi, "ln": math.log, "e": math.e}
    try:
        return float(eval(words, names))
    except OverflowError:
        return math.inf
