"""Draw a robot's body in poses that MuJoCo computed, small enough for a picture of its network."""

from collections.abc import Mapping

import numpy as np
import torch

from rsl_edu import data

from .svg import shade


def ant(run: data.Rollout, robot: int) -> data.Motion:
    """Return the motion of one ant from a rollout with seed 0 in its first episode.

    Gymnasium seeds the robots of a rollout separately, so the same seed and actions move a single robot the same way.
    """
    actions = iter(run.actions[:, robot, None])
    seen = []
    motion = data.motion(
        run.robot, len(run.actions), seed=robot, policy=lambda o: (seen.append(o[0]), next(actions))[1]
    )
    assert torch.allclose(torch.stack(seen), run.observations[: len(seen), robot], atol=1e-3), (
        "the motion differs from the rollout"
    )
    return motion


def body(
    motion: data.Motion,
    step: int,
    x: float,
    y: float,
    size: float,
    colour: str,
    colours: Mapping[int, str] | None = None,
    above: bool = False,
    edge: str = "",
) -> str:
    """Return a robot in one pose.

    Args:
        motion: The motion of the robot.
        step: Index of the pose.
        x: Position of the middle of its torso.
        y: Position of its floor; seen from above, of the middle of its torso.
        size: Pixels per metre.
        colour: Colour of the robot; parts further back are darker.
        colours: Other colours for some parts, by their index.
        above: Whether to draw it from above instead of from the side.
        edge: Colour of a thin line around the robot, if it is drawn on a picture.
    """
    ends, radii = motion.ends[step].numpy().astype(float), motion.radii.numpy()  # [parts, 2, 3]
    ends = ends - ends[0].mean(0) * (1, 1, above)  # part 0 is the torso
    across = x + size * ends[..., 0]
    up = y - size * ends[..., 1 if above else 2]
    depth = -ends[..., 2].mean(1) if above else ends[..., 1].mean(1)  # y points away from the viewer
    near = np.ptp(depth) or 1.0
    outlines, parts = [], []
    for part in np.argsort(-depth, kind="stable"):
        (x1, x2), (y1, y2), width = across[part], up[part], 2 * size * radii[part]
        share = 1.0 if above else 1.0 - 0.45 * (depth[part] - depth.min()) / near
        hue = (colours or {}).get(int(part)) or shade(colour, share)
        path = f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2 + 0.01:.2f}" stroke-linecap="round"'  # a ball: a short line
        outlines.append(f'{path} stroke="{edge}" stroke-width="{width + 3:.1f}"/>')
        parts.append(f'{path} stroke="{hue}" stroke-width="{width:.1f}"/>')
    return "".join([*outlines, *parts] if edge else parts)
