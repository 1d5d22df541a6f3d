"""Lesson 1: how much of the ants' movements remains in each layer of a deep network."""

import numpy as np
import torch

from rsl_edu import data
from rsl_edu.modules import MLP, EmpiricalNormalization

from .body import ant, body
from .svg import BLUE, FAINT, GREEN, MUTED, ORANGE, RED, box, cross, line, picture, text, tick

LAYERS = (0, 2, 4, 6, 8, 10)
ROWS = (("relu", 1.0, "ReLU, gain 1", False), ("selu", 1.0, "SELU, gain 1", True))
UNITS = 5
ANT = 4
"""The ant that is drawn; its episode lasts all 64 steps."""
JOINTS = range(5, 10)
"""The inputs that are drawn: angles of five joints. Contact forces are zero at most time steps."""
LEFT, SIDE, STEP = 262, 74, 79


def draw() -> str:
    """Return the picture."""
    run = data.rollout("Ant-v5", steps=64, envs=16)
    observations = run.observations  # [steps, envs, 105]
    norm = EmpiricalNormalization(105)
    norm.update(observations.flatten(0, 1))
    x = norm(observations)
    parts = [
        line([(22, 151), (110, 151)], FAINT),
        body(ant(run, ANT), 12, 66, 150, 44, BLUE),
        text(66, 173, "an ant,", "middle muted"),
        text(66, 191, "64 steps", "middle muted"),
    ]
    for middle in (77, 177):
        parts.append(line([(112, 127), (122, 127), (122, middle), (132, middle)], MUTED, 1.5))
    for i, layer in enumerate(LAYERS):
        parts.append(text(LEFT + SIDE / 2 + STEP * i, 30, f"layer {layer}" if layer else "input", "middle muted"))
    for row, (activation, gain, name, works) in enumerate(ROWS):
        parts += _row(44 + 100 * row, name, works, _layers(x, activation, gain))
    below = "Lines: five joint angles, then five units of each layer. Numbers: std of all units (1,024 observations)."
    parts.append(text(24, 262, below, "muted"))
    return picture(
        282,
        "A signal in ten layers: with ReLU, almost nothing is left at layer 10; with SELU, it is preserved.",
        *parts,
    )


def _layers(x: torch.Tensor, activation: str, gain: float) -> list[torch.Tensor]:
    """Return the values of the input and of ten hidden layers, each ``[steps, envs, units]``."""
    torch.manual_seed(0)
    mlp = MLP(105, 8, [128] * 10, activation)
    mlp.init_weights(gain)
    values = [x]
    h = x
    for layer in list(mlp)[:-1]:
        h = layer(h).detach()
        if not isinstance(layer, torch.nn.Linear):
            values.append(h)
    return values


def _row(top: float, name: str, works: bool, values: list[torch.Tensor]) -> list[str]:
    mark = tick if works else cross
    parts = [
        text(142, top + 30, name, "head"),
        mark(150, top + 52, 7, GREEN if works else RED),
        text(168, top + 57, "preserved" if works else "fades away", colour=GREEN if works else RED),
    ]
    for i, layer in enumerate(LAYERS):
        h = values[layer]
        left = LEFT + STEP * i
        std = h.std((0, 1), correction=0)
        spread = std.square().mean().sqrt().item()
        parts.append(box(left, top, SIDE, 66, "#0f1821", FAINT, 'rx="5"'))
        middle = std.argsort()[len(std) // 2 :][: len(std) // 4]  # units whose std is slightly above the median
        chosen = middle[:: max(1, len(middle) // UNITS)][:UNITS].tolist() if layer else JOINTS
        for unit, colour in zip(chosen, (BLUE, GREEN, ORANGE, BLUE, GREEN), strict=True):
            trace = h[:, ANT, unit] - h[:, ANT, unit].mean()
            y = top + 33 - 12 * trace.clamp(-2.5, 2.5).numpy()
            parts.append(line(zip(np.linspace(left + 3, left + SIDE - 3, 64), y, strict=True), colour, 1.3))
        parts.append(text(left + SIDE / 2, top + 83, f"{spread:.2g}", "middle"))
    return parts
