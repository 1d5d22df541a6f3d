"""Reduction of Matplotlib's SVG to a tenth of its size. This is needed because a page contains hundreds of pictures."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

_NAMED_GROUP = re.compile(r'<g id="[^"]*">')
_TABLE_ROW = re.compile("<text (?=[^>]*>[^<]*  )")  # a row whose columns are separated by spaces
_STYLE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>\s*", re.DOTALL)
_ID = re.compile(r'( id="|="#|url\(#)(?=[a-z][0-9a-f]{10}\b)')
_PNG = re.compile(r"data:image/png;base64,\s*([^\"]*)")
_PLACE = re.compile(r'(?<= [xy]=")[^"]*')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PATH = re.compile(r'(?<= d=")[^"]*')
_OTHER_THAN_LINES = re.compile("[^MLz0-9. \n-]")


def thin(document: str) -> str:
    """Return a shortened SVG document, which starts at its first tag and has no style sheets and no closing tag.

    Images are stored as lossless WebP, positions are rounded to a tenth of a point, and lines have relative
    coordinates.
    """
    svg = _STYLE.sub("", document[document.index("<svg") : document.rindex("</svg>")])
    svg = _ID.sub(r"\1rsl-", svg)  # a prefix, which a page makes unique for each of its pictures
    svg = _TABLE_ROW.sub('<text xml:space="preserve" ', _NAMED_GROUP.sub("<g>", svg))
    svg = _PLACE.sub(_short, _PNG.sub(_webp, svg))
    return _PATH.sub(_relative, svg)


def _webp(png: re.Match[str]) -> str:
    file = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(png[1]))).save(file, "webp", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _relative(path: re.Match[str]) -> str:
    """Return a path of straight lines with relative coordinates. After compression, it takes half as much space."""
    if _OTHER_THAN_LINES.search(path[0]):
        return _short(path)
    lines = []
    for line in path[0].split("M")[1:]:  # each line starts with its first point, in absolute coordinates
        places = np.array(line.replace("L", " ").replace("z", " ").split(), float).reshape(-1, 2)
        steps = np.diff(np.rint(10 * places).astype(int), axis=0, prepend=0)
        (x, y), *others = [(f"{x / 10:g}", f"{y / 10:g}") for x, y in steps.tolist()]
        drawn = "l" + " ".join(f"{x} {y}" for x, y in others) if others else ""
        lines.append(f"M{x} {y}{drawn}{' z' if 'z' in line else ''}")
    return "".join(lines)


def _short(places: re.Match[str]) -> str:
    """Return matched text with its numbers rounded to a tenth."""
    return _LONG_NUMBER.sub(lambda number: f"{round(10 * float(number[0])) / 10:g}", places[0])
