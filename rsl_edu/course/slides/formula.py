r"""Formulas as pictures, because slides have no network and therefore no MathJax.

Matplotlib draws the formulas. It does not support ``\begin{cases}`` and similar environments, so these are assembled
here from the formulas in their cells. MathML would need a mathematical font, which many machines do not have.
"""

from __future__ import annotations

import functools
import html
import re

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path
from matplotlib.textpath import TextPath

_SIZE = 100.0  # units of a path for 1 em
_FONT = FontProperties(size=_SIZE, math_fontfamily="cm")
_TABLE = re.compile(
    r"(?P<before>.*?)(?P<left>\\left\s*(?:\\\{|\.))?\s*\\begin\{(?P<kind>aligned|array|cases)\}(?:\{[lcr]+\})?"
    r"(?P<cells>.*?)\\end\{(?P=kind)\}\s*(?P<right>\\right\s*(?:\\\}|\.))?(?P<after>.*)"
)
_COMMANDS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}
_SPELLINGS = (
    (r"\\tfrac(?![a-zA-Z])", r"\\frac"),
    (r"\\(d?frac)\s*(\w)\s*(\w)", r"\\\1{\2}{\3}"),
    (r"\\(d?frac)\s*(\w)\s*\{", r"\\\1{\2}{"),
    (r"\\sqrt\s*(\w)", r"\\sqrt{\1}"),
    (r"\\[bB]ig+l(?![a-zA-Z])\s*", r"\\left"),
    (r"\\[bB]ig+r(?![a-zA-Z])\s*", r"\\right"),
    (r"\\underbrace\{(.*)\}_\{((?:[^{}]|\{[^{}]*\})*)\}", r"\\underset{\2}{\1}"),
    (r"(?<=[\w}])\s*\\(log|exp)(?![a-zA-Z])", r"\\,\\\1"),
    (r"\\!", ""),
    (r"\\int(?![a-zA-Z])", r"\\int\\;\\;"),  # otherwise the next letter overlaps it
    (r"(?<=\})\s*\\sum(?![a-zA-Z])", r"\\;\\sum"),  # otherwise limits touch
)
"""Replacements for LaTeX that Matplotlib accepts only in a different form."""


def formula(latex: str, block: bool = False) -> str:
    """Return the HTML of a formula.

    Args:
        latex: The formula, without its dollar signs.
        block: Whether it is displayed on its own line; then it is larger, and may have a number.

    Raises:
        ValueError: If Matplotlib cannot draw it.
    """
    line = " ".join(latex.split())
    tag = re.search(r"\\tag\{(.+?)\}", line)
    bare = re.sub(r"\\tag\{.+?\}", "", line).strip(" ,")
    made = _made(bare.replace(r"\frac", r"\dfrac") if block else bare, line)
    if not block:
        return f'<span class="formula">{made}</span>'
    number = f'<span class="number">({html.escape(tag[1])})</span>' if tag else ""
    return f'<div class="formula block">{made}{number}</div>'


def _made(latex: str, label: str = "") -> str:
    table = _TABLE.fullmatch(latex)
    if table is None:
        return _picture(latex, label)
    rows = [row.split("&") for row in re.split(r"\\\\", table["cells"])]
    cells = "".join(f"<tr>{''.join(f'<td>{_made(cell.strip())}</td>' for cell in row)}</tr>" for row in rows)
    brace = f' class="{table["kind"]}"'
    left = _BRACE if table["kind"] == "cases" or "{" in (table["left"] or "") else ""
    right = _BRACE.replace("brace", "brace right") if "}" in (table["right"] or "") else ""
    said = f'<span role="img" aria-label="{html.escape(label)}">' if label else "<span>"
    before, after = (_made(table[part].strip()) for part in ("before", "after"))
    return f"{said}{before}{left}<table{brace}>{cells}</table>{right}{after}</span>"


_BRACE = (
    '<svg class="brace" viewBox="0 0 10 100" preserveAspectRatio="none" aria-hidden="true">'
    '<path d="M9 1Q5 1 5 9V41Q5 50 1 50Q5 50 5 59V91Q5 99 9 99" fill="none" stroke="currentColor" '
    'vector-effect="non-scaling-stroke" stroke-width="1.5"/></svg>'
)


@functools.cache
def _picture(latex: str, label: str = "") -> str:
    if not latex:
        return ""
    for form, wanted in _SPELLINGS:
        latex = re.sub(form, wanted, latex)
    text = f"${latex}$"
    width, height, depth, *_ = MathTextParser("path").parse(text, 72, _FONT)
    outline = TextPath((0, 0), text, size=_SIZE, prop=_FONT)
    drawn = []
    for points, code in outline.iter_segments(simplify=False, curves=True):
        numbers = " ".join(f"{x:.1f} {-y:.1f}" for x, y in points.reshape(-1, 2))
        drawn.append(_COMMANDS[code] + ("" if code == Path.CLOSEPOLY else numbers))
    whole = height  # height of the picture, including the part below the baseline
    style = f"height:{whole / _SIZE:.3f}em;vertical-align:{-depth / _SIZE:.3f}em"
    name = f'role="img" aria-label="{html.escape(label)}"' if label else 'aria-hidden="true"'
    box = f"0 {depth - whole:.1f} {width:.1f} {whole:.1f}"
    return f'<svg {name} style="{style}" viewBox="{box}"><path fill="currentColor" d="{"".join(drawn)}"/></svg>'
