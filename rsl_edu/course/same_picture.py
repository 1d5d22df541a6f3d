"""Keep the stored pictures of a notebook if the new pictures differ only by rounding, so that reruns change nothing."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

LEVELS = 8
"""Two pixels count as equal if they differ by fewer levels than this, out of 255."""
SHARE = 1e-3
"""Maximum share of the pixels that may differ by more levels."""


def keep_pictures(notebook: Any, stored: Any) -> None:
    """Replace each new picture of a notebook with the stored picture if the two differ only by rounding.

    Args:
        notebook: The notebook that was just executed; its outputs are changed.
        stored: The stored version of the same notebook.
    """
    before = {cell.id: cell.get("outputs", []) for cell in stored.cells}
    for cell in notebook.cells:
        for output, old in zip(cell.get("outputs", []), before.get(cell.id, []), strict=False):
            new, known = (each.get("data", {}).get("image/png", "").strip() for each in (output, old))
            if new and known and new != known and show_the_same(new, known):
                for kind, value in output.data.items():
                    if isinstance(value, str):  # the HTML of a still picture contains the picture too
                        output.data[kind] = value.replace(new, known)


def show_the_same(one: str, other: str) -> bool:
    """Return whether two PNG images in base64 have the same size and, apart from rounding, the same pixels."""
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")).astype(int) for png in (one, other)
    )
    if first.shape != second.shape:
        return False
    return bool((np.abs(first - second).max(-1) >= LEVELS).mean() <= SHARE)
