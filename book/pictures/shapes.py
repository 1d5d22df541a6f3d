"""Lesson 2: a network for one scan size gets a scan of another size."""

import base64
import io

import matplotlib.image
import numpy as np
import torch
from torch import nn

from rsl_edu import data

from .body import ant, body
from .svg import EDGE, GREEN, GROUND, INK, MUTED, ORANGE, RED, box, cross, picture, text, tick

ROWS = ((64, "as designed"), (48, "a smaller scan"))
SIDE = 11
"""Side of a map with one number; it grows with the root of the numbers in a row, so that all maps are visible."""


def draw() -> str:
    """Return the picture."""
    robot = ant(data.rollout("Ant-v5", steps=64, envs=16), 9)
    parts = []
    for words, x in zip(
        ("ant's height scan", "conv", "conv", "conv", "numbers", "linear layer"), _MIDDLES, strict=True
    ):
        parts.append(text(x, 30, words, "middle muted"))
    failed = ""
    for row, (size, name) in enumerate(ROWS):
        drawn, failed = _row(92 + 122 * row, size, name, robot)
        parts += drawn
    parts.append(text(24, 296, f"RuntimeError: {failed}", "code", RED))
    title = "A scan of 64 by 64 points fits the network. With 48 by 48, the linear layer gets 72 numbers, not 200."
    return picture(316, title, *parts)


_MIDDLES = (204, 322, 422, 508, 580, 674)


def _row(middle: float, size: int, name: str, robot: data.Motion) -> tuple[list[str], str]:
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Conv2d(c, 8, 5, stride=2), nn.ELU()) for c in (1, 8, 8)]
    maps = [data.height_scans(16, size)[8:9]]
    with torch.no_grad():
        for layer in layers:
            maps.append(layer(maps[-1]))
        flat = maps[-1].flatten(1)
        try:
            nn.Linear(200, 64)(flat)
            error = ""
        except RuntimeError as raised:
            error = str(raised)
    parts = [text(24, middle - 4, name, "head"), text(24, middle + 16, f"{size} × {size} points", "muted")]
    for x, each in zip(_MIDDLES[:4], maps, strict=True):
        side = SIDE * each.shape[-1] ** 0.5
        for copy in range(min(3, each.shape[1]) - 1, 0, -1):  # further channels, drawn behind
            parts.append(box(x - side / 2 + 4 * copy, middle - side / 2 - 4 * copy, side, side, EDGE, MUTED))
        parts.append(_image(x - side / 2, middle - side / 2, side, each[0, 0].numpy()))
        if x == _MIDDLES[0]:
            metre = side / (size * 0.05)  # a point every 5 cm
            parts.append(body(robot, 24, x, middle, metre, ORANGE, above=True, edge=GROUND))
        else:
            channels, rows, columns = each.shape[1:]
            parts.append(text(x, middle + 56, f"{channels}×{rows}×{columns}", "middle"))
    good = not error
    colour = GREEN if good else RED
    parts.append(text(_MIDDLES[4], middle + 5, str(flat.shape[1]), "middle large", colour))
    mark = tick if good else cross
    parts.append(box(_MIDDLES[5] - 60, middle - 20, 120, 40, "#0f1821", colour, 'rx="6" stroke-width="2"'))
    parts.append(text(_MIDDLES[5] - 14, middle + 5, "takes 200", "middle", INK))
    parts.append(mark(_MIDDLES[5] + 40, middle, 7, colour))
    for a, b in ((256, 276), (366, 386), (452, 482), (532, 550), (600, 612)):
        parts.append(f'<path d="M{a} {middle}H{b}" stroke="{MUTED}" stroke-width="1.5"/>')
    return parts, error


def _image(x: float, y: float, side: float, values: np.ndarray) -> str:
    """Return a map as an image with one pixel for each number."""
    low, high = np.quantile(values, (0.02, 0.98))
    file = io.BytesIO()
    matplotlib.image.imsave(file, values, vmin=low, vmax=high, cmap="viridis", format="png", metadata={"Software": ""})
    data_url = base64.b64encode(file.getvalue()).decode()
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{side:.1f}" height="{side:.1f}" preserveAspectRatio="none" '
        f'style="image-rendering: pixelated" href="data:image/png;base64,{data_url}"/>'
    )
