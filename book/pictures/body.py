"""A robot's body as MuJoCo posed it, small enough to stand next to what its network does."""

from collections.abc import Mapping

import numpy as np
import torch

from rsl_edu import data

from .svg import shade


def ant(run: data.Rollout, robot: int) -> data.Motion:
    """Return how one ant of a rollout with seed 0 moved in its first episode.

    Gymnasium seeds the robots of a rollout one by one, so the same seed and the same actions move a single robot alike.
    """
    actions = iter(run.actions[:, robot, None])
    seen = []
    motion = data.motion(
        run.robot, len(run.actions), seed=robot, policy=lambda o: (seen.append(o[0]), next(actions))[1]
    )
    assert torch.allclose(torch.stack(seen), run.observations[: len(seen), robot], atol=1e-3), "another ant"
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
        motion: How it moved.
        step: Which pose.
        x: Where the middle of its torso is.
        y: Where its floor is; seen from above: where the middle of its torso is.
        size: Pixels a metre.
        colour: Its colour; parts further back are darker.
        colours: Other colours of some parts, by their numbers.
        above: See it from above, and not from the side.
        edge: Colour of a thin line around it, for a robot on a picture.
    """
    ends, radii = motion.ends[step].numpy().astype(float), motion.radii.numpy()  # [parts, 2, 3]
    ends = ends - ends[0].mean(0) * (1, 1, above)  # part 0 is the torso
    across = x + size * ends[..., 0]
    up = y - size * ends[..., 1 if above else 2]
    depth = -ends[..., 2].mean(1) if above else ends[..., 1].mean(1)  # y points away from whoever looks
    near = np.ptp(depth) or 1.0
    outlines, parts = [], []
    for part in np.argsort(-depth, kind="stable"):
        (x1, x2), (y1, y2), width = across[part], up[part], 2 * size * radii[part]
        share = 1.0 if above else 1.0 - 0.45 * (depth[part] - depth.min()) / near
        hue = (colours or {}).get(int(part)) or shade(colour, share)
        path = f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2 + 0.01:.2f}" stroke-linecap="round"'  # a ball is a line, too
        outlines.append(f'{path} stroke="{edge}" stroke-width="{width + 3:.1f}"/>')
        parts.append(f'{path} stroke="{hue}" stroke-width="{width:.1f}"/>')
    return "".join([*outlines, *parts] if edge else parts)
