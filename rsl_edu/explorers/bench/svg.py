"""SVG as Matplotlib writes it, in a tenth of the bytes: a page holds hundreds of pictures."""

from __future__ import annotations

import base64
import io
import re

from PIL import Image

_NAMED_GROUP = re.compile(r'<g id="[^"]*">')
_TABLE_ROW = re.compile("<text (?=[^>]*>[^<]*  )")  # its columns are kept apart by spaces
_ID = re.compile(r'( id="|="#|url\(#)(?=[a-z][0-9a-f]{10}\b)')
_PNG = re.compile(r"data:image/png;base64,\s*([^\"]*)")
_PLACE = re.compile(r'(?<= [dxy]=")[^"]*')
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_PATH = re.compile(r'(?<= d=")[^"]*')
_LINES = re.compile(r"(?:M \S+ \S+\s*(?:L \S+ \S+\s*)*(?:z\s*)?)+")


def thin(document: str) -> str:
    """Return what is drawn in an SVG document, from its first tag up to the last one, which is left out.

    Images are stored without loss as WebP, places to a tenth of a point, and lines from point to point.
    """
    svg = document[document.index("<svg") : document.rindex("</svg>")]
    svg = _ID.sub(r"\1rsl-", svg)  # a page that shows several pictures names each one's apart
    svg = _TABLE_ROW.sub('<text xml:space="preserve" ', _NAMED_GROUP.sub("<g>", svg))
    svg = _PLACE.sub(lambda place: _LONG_NUMBER.sub(_rounded, place[0]), _PNG.sub(_webp, svg))
    return _PATH.sub(_relative, svg)


def _webp(png: re.Match[str]) -> str:
    file = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(png[1]))).save(file, "webp", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _relative(path: re.Match[str]) -> str:
    """Return a path of straight lines with each point relative to the one before: half of the bytes when packed."""
    if not _LINES.fullmatch(path[0]):
        return path[0]
    words, x, y = [], 0, 0
    for command, here, there in re.findall(r"([MLz])(?: (\S+) (\S+))?", path[0]):
        if command == "z":  # back to where it began: the next point is given as it is
            words.append("z")
            continue
        to_x, to_y = round(10 * float(here)), round(10 * float(there))
        if command == "M":
            words.append(f"M{_tenth(to_x)} {_tenth(to_y)}l")
        else:
            words.append(f"{_tenth(to_x - x)} {_tenth(to_y - y)} ")
        x, y = to_x, to_y
    return "".join(words).replace("lM", "M").replace("lz", "z").removesuffix("l").rstrip()


def _rounded(number: re.Match[str]) -> str:
    return _tenth(round(10 * float(number[0])))


def _tenth(count: int) -> str:
    return f"{count / 10:g}"
