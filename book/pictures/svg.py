"""Elements of SVG in the style that all opening pictures share.

A notebook shows these pictures as images, which cannot find out whether the page around them is light or dark, because
JupyterLab's theme is not the browser's. So each picture has its own background, and its text is legible on any page.
"""

import html
import re
from collections.abc import Iterable, Sequence

import numpy as np

WIDTH = 760
GROUND, EDGE, INK, MUTED, FAINT = "#15202b", "#2c3b4a", "#eef3f7", "#a9b8c6", "#3d4f60"
BLUE, ORANGE, GREEN, RED, PINK = "#5db7f0", "#ffa552", "#35cfa0", "#ff7a6e", "#e6a3cc"
_STYLE = f"""
text {{ font: 14px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: {INK}; }}
.muted {{ fill: {MUTED}; }} .head {{ font-weight: 600; font-size: 15px; }}
.large {{ font-weight: 600; font-size: 18px; }}
.code {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 13px; }}
.middle {{ text-anchor: middle; }} .end {{ text-anchor: end; }}
"""


def picture(height: float, title: str, *parts: str, style: str = "") -> str:
    """Return a complete picture, ``WIDTH`` wide.

    Args:
        height: Height of the picture.
        title: Description for readers who open the file itself; the alt text is in the notebook.
        parts: Elements of the picture, from back to front.
        style: Additional CSS.
    """
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}" role="img">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE}{style}</style>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="12" fill="{GROUND}" '
            f'stroke="{EDGE}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, kind: str = "", colour: str = "") -> str:
    """Return a line of text; ``kind`` lists classes of the style: muted, head, large, code, middle, end."""
    look = (f' class="{kind}"' if kind else "") + (f' style="fill: {colour}"' if colour else "")
    return f'<text x="{x:g}" y="{y:g}"{look}>{html.escape(words)}</text>'


def line(points: Iterable[Sequence[float]], colour: str, width: float = 2, dashes: str = "", fill: str = "none") -> str:
    """Return a line through points."""
    where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<polyline points="{where}" fill="{fill}" stroke="{colour}" stroke-width="{width:g}"{dashed} '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none", more: str = "") -> str:
    """Return a rectangle; ``more`` contains additional attributes."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}" stroke="{stroke}" '
        f"{more}/>"
    )


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """Return a filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}"/>'


def cross(x: float, y: float, size: float, colour: str) -> str:
    """Return a cross, the mark for a failure."""
    side = f"{2 * size:g}"
    return (
        f'<path d="M{x - size:.1f} {y - size:.1f}l{side} {side}m0 -{side}l-{side} {side}" '
        f'stroke="{colour}" stroke-width="3.5" stroke-linecap="round" fill="none"/>'
    )


def tick(x: float, y: float, size: float, colour: str) -> str:
    """Return a check mark, the mark for a success."""
    return (
        f'<path d="M{x - size:.1f} {y:.1f}l{0.8 * size:.1f} {0.8 * size:.1f}l{1.3 * size:.1f} {-1.7 * size:.1f}" '
        f'stroke="{colour}" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round" fill="none"/>'
    )


def shade(colour: str, share: float, towards: str = GROUND) -> str:
    """Return a mix of two colours: ``share`` 1 gives ``colour``, 0 gives ``towards``."""
    mixed = [round(share * a + (1 - share) * b) for a, b in zip(_channels(colour), _channels(towards), strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def scale(values: Sequence[float], start: float, end: float, low: float, high: float) -> np.ndarray:
    """Map values from the range ``low`` to ``high`` to the range ``start`` to ``end``."""
    return start + (np.asarray(values, float) - low) / (high - low) * (end - start)


def words(drawn: str) -> list[str]:
    """Return all texts of a picture, starting with its title."""
    return [html.unescape(found) for found in re.findall(r"<(?:title|text)\b[^>]*>([^<]*)<", drawn)]
