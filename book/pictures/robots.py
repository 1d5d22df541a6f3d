"""The picture of the landing page: four robots with random actions, simulated in MuJoCo, in a loop."""

import contextlib
from collections.abc import Iterator

import gymnasium
import numpy as np

from rsl_edu import data

from .svg import BLUE, FAINT, GREEN, ORANGE, PINK, WIDTH, picture, shade, text

HEIGHT, FLOOR = 250, 196
SCENES = (  # robot, further options of its environment, seed, steps, pixels per metre, colour
    ("Humanoid", {"terminate_when_unhealthy": False}, 2, 80, 92, BLUE),
    ("Walker2d", {"terminate_when_unhealthy": False}, 0, 130, 92, GREEN),
    ("Ant", {"terminate_when_unhealthy": False}, 1, 60, 66, ORANGE),
    ("HalfCheetah", {}, 1, 70, 76, PINK),
)
FRAMES = 44
SECONDS = 6.0
MOVES = 0.8
"""Share of the loop in which the robots move; then they stand still."""
STILL = 0.62
"""The moment that is shown to readers who prefer reduced motion, as a share of the movement."""


def draw() -> str:
    """Return the picture."""
    parts = [f'<path d="M20 {FLOOR}H{WIDTH - 20}" stroke="{FAINT}" stroke-width="2" stroke-linecap="round"/>']
    for place, scene in enumerate(SCENES):
        left = 16 + place * (WIDTH - 32) / len(SCENES)
        parts.append(_scene(left, (WIDTH - 32) / len(SCENES), *scene))
    style = "@media (prefers-reduced-motion: reduce) { .moving { display: none; } .still { display: inline; } }"
    title = "A humanoid, a walker, an ant and a cheetah with random actions: they tumble, kick and fall."
    return picture(HEIGHT, title, *parts, style=f".still {{ display: none; }} {style}")


def _scene(left: float, width: float, robot: str, options: dict, seed: int, steps: int, size: float, hue: str) -> str:
    """Return one robot, moving and still, with its name and marks on the floor."""
    with _registered(robot, options) as name:
        motion = data.motion(name, steps=steps, seed=seed)
    ends = motion.ends.numpy()[:, motion.moves.numpy()].astype(float)  # [steps + 1, parts, 2, 3]
    radii = motion.radii.numpy()[motion.moves.numpy()]
    frames = np.linspace(0, len(ends) - 1, FRAMES).round().astype(int)
    ends = ends[frames]
    camera = ends.mean((1, 2))[:, :1]  # [frames, 1]: it follows the robot smoothly
    camera = np.linspace(camera[0], camera[-1], FRAMES)
    x = left + width / 2 + size * (ends[..., 0] - camera[:, None])
    y = FLOOR - size * ends[..., 2]
    depth = ends[..., 1].mean((0, 2))  # [parts]: y points away from the viewer
    order = np.argsort(-depth)
    near = np.ptp(depth) or 1.0
    moving, still = [], []
    for part in order:
        share = 1.0 - 0.45 * (depth[part] - depth.min()) / near
        paths = [
            f"M{a[0]:.1f} {b[0]:.1f}L{a[1]:.1f} {b[1] + 0.01:.1f}" for a, b in zip(x[:, part], y[:, part], strict=True)
        ]
        look = f'stroke="{shade(hue, share)}" stroke-width="{2 * size * radii[part]:.1f}" stroke-linecap="round"'
        moving.append(f'<path d="{paths[0]}" {look}>{_animated("d", paths)}</path>')
        still.append(f'<path d="{paths[int(STILL * FRAMES)]}" {look}/>')
    marks = _marks(left, width, size, camera[:, 0])
    words = text(left + width / 2, FLOOR + 34, robot, "middle muted")
    return f'{marks}<g class="moving" fill="none">{"".join(moving)}</g><g class="still">{"".join(still)}</g>{words}'


def _marks(left: float, width: float, size: float, camera: np.ndarray) -> str:
    """Return a mark on the floor every half metre; the marks pass by while the robot moves."""
    step = size / 2
    offsets = [f"{-size * (x - camera[0]):.1f} 0" for x in camera]
    reach = size * np.ptp(camera) + width
    places = np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1) * step + left + width / 2
    path = "".join(f"M{x:.1f} {FLOOR}v7" for x in places)
    clip = f"clip{left:.0f}"
    moved = _animated("", offsets)
    return (
        f'<clipPath id="{clip}"><rect x="{left:.1f}" y="{FLOOR}" width="{width:.1f}" height="8"/></clipPath>'
        f'<g clip-path="url(#{clip})" stroke="{FAINT}" stroke-width="2"><path class="still" d="{path}"/>'
        f'<path class="moving" d="{path}">{moved}</path></g>'
    )


def _animated(attribute: str, values: list[str]) -> str:
    """Return the element that animates an attribute and stops at the last value; without an attribute, a shift."""
    times = [*np.linspace(0, MOVES, len(values)), 1.0]
    when = ";".join(f"{time:.3f}".rstrip("0").rstrip(".") for time in times)
    what = ";".join([*values, values[-1]])
    kind = (
        f'<animate attributeName="{attribute}"'
        if attribute
        else ('<animateTransform attributeName="transform" type="translate"')
    )
    return f'{kind} dur="{SECONDS:g}s" repeatCount="indefinite" keyTimes="{when}" values="{what}"/>'


@contextlib.contextmanager
def _registered(robot: str, options: dict) -> Iterator[str]:
    """Temporarily register an environment with further options; Gymnasium's own ends the episode before the fall."""
    base = gymnasium.spec(f"{robot}-v5")
    name = f"Falling{robot}-v5"
    kwargs = {**base.kwargs, **options}
    gymnasium.register(name, entry_point=base.entry_point, kwargs=kwargs, max_episode_steps=1000)
    try:
        yield name
    finally:
        del gymnasium.registry[name]
