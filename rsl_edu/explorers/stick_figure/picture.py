"""The picture of the explorer *stick figure*: a panel for each robot, the returns, and the angles of the poles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rsl_edu.number_format import counted, round_up

from ..bench.arithmetic import rounded
from ..bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, RED
from ..bench.touch import Grip, Mark, Spot, grip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rsl_edu.data import Motion

COLOURS = (GREY, BLUE, GREEN)
HEIGHTS = (4.0, 2.4)
"""Heights in inches: first the height of the robots and returns, then the height of the angles below them."""
MOST_PARTS = 24
"""Maximum number of parts to point at, in all robots together."""
Histories = Mapping[str, np.ndarray]
"""For each robot, by name: the values before the first step and after every step, ``[steps + 1]``."""
Limits = tuple[float, float, float, float]
"""Limits of axes: left, right, bottom, top."""


@dataclasses.dataclass(frozen=True)
class Pose:
    """The pose of a robot at one step, in metres from the centre of its panel."""

    rods: np.ndarray  # [parts, 2 ends, 2]: right, up
    places: np.ndarray  # the same rods in world coordinates
    names: tuple[str, ...]  # [parts]
    nearness: np.ndarray  # [parts], coordinate towards the viewer
    trail: np.ndarray  # [poses · parts · 3, 2], two ends and a gap for each rod
    earlier: int  # number of poses in the trail
    floor: np.ndarray  # [marks · 3, 2], two ends and a gap for each mark, one mark per metre
    pole: np.ndarray | None  # [2, 2]: pivot and tip; None without a pole or in a view other than the side
    angle: float | None  # angle of the pole from upright, in degrees; None without a pole
    step: int  # step of the recording; the last step after its end
    total: float | None  # return so far; None if the rewards are unknown
    status: str
    over: bool  # whether the robot has fallen
    distance: float  # metres forwards


def stage(
    figure: Figure, motions: Mapping[str, Motion], histories: Mapping[str, Histories], fallen: float | None, last: int
) -> dict[str, Any]:
    """Lay out the robots on the left, their returns or distances on the right, and the pole angles in the row below.

    Args:
        figure: An empty figure.
        motions: The recorded motions.
        histories: Returns or, if they are unknown, distances forwards in metres; for poles, also the angles in degrees.
        fallen: Angle beyond which a pole counts as fallen; None if there is no such limit.
        last: The last step of the longest recording.
    """
    angles = histories.get("angle", {})
    grid = figure.add_gridspec(2 if angles else 1, 2, width_ratios=(1.1, 1), height_ratios=HEIGHTS[: 1 + bool(angles)])
    left = grid[0, 0].subgridspec(len(motions), 1)
    robots: dict[str, Any] = {}
    short = short_names(motions)
    for place, (name, recorded) in enumerate(motions.items()):
        axes = figure.add_subplot(left[place], label=f"robot {place}")
        robots[name] = _stage_robot(axes, short[name], recorded, COLOURS[place])
    above = "return" if "return" in histories else "forwards"
    earned = figure.add_subplot(grid[0, 1], label=above)
    if angles:  # below the returns, so that the step axes line up
        tilt = figure.add_subplot(grid[1, 1], label="angle")
        _stage_angles(tilt, angles, fallen, last)
        _add_curves(tilt, robots, "angle")
    _stage_above(earned, above, histories[above])
    earned.set(xlim=(0, 1.02 * last), xlabel="step")
    _add_curves(earned, {name: robots[name] for name in histories[above]}, above)
    (guess,) = earned.plot([], [], "X", color=ORANGE, markersize=10)
    return {"robots": robots, "guess": guess, "bodies": [rod for each in robots.values() for rod in each["rods"]]}


def _stage_above(axes: Any, panel: str, values: Histories) -> None:
    """Label the panel of the returns or distances, and set limits that fit all its values."""
    lowest, highest = (float(f(f(each) for each in values.values())) for f in (min, max))
    if panel == "forwards":
        axes.set(title="distance forwards", ylabel="metres")
        lowest, highest = min(lowest, 0.0), max(highest, 0.1)
    else:
        axes.set(title="return so far", ylabel="return")
        highest = max(highest, 1e-3) if lowest or highest else 1.0
    top = round_up(highest, (1, 2, 3, 5))
    axes.set_ylim(-round_up(-lowest, (1, 2, 3, 5)) if lowest < 0 else -0.04 * top, 1.08 * top)


def _stage_robot(axes: Any, name: str, recorded: Motion, colour: str) -> dict[str, Any]:
    axes.set(title=name, xticks=[], yticks=[])
    axes.title.set_color(colour)
    for spine in axes.spines.values():
        spine.set_visible(False)
    (floor,) = axes.plot([], [], color=FAINT, linewidth=1.5)
    (trail,) = axes.plot([], [], color=FAINT, linewidth=2, solid_capstyle="round")
    rods = [axes.plot([], [], color=colour if moves else FAINT, solid_capstyle="round")[0] for moves in recorded.moves]
    rims = [axes.plot([], [], color=axes.get_facecolor(), solid_capstyle="round")[0] for _ in rods]
    (upright,) = axes.plot([], [], "--", color=GREY, linewidth=1, zorder=2)
    tilt = axes.annotate("", (0, 0), (8, 4), textcoords="offset points", size=10, annotation_clip=False)
    status = axes.annotate("", (1, 1), (0, 6), "axes fraction", "offset points", ha="right")
    made = {"axes": axes, "floor": floor, "trail": trail, "rods": rods, "rims": rims}
    return made | {"upright": upright, "tilt": tilt, "status": status}


def _stage_angles(axes: Any, angles: Histories, fallen: float | None, last: int) -> None:
    top = round_up(max(float(np.abs(each).max()) for each in angles.values()) + 0.1, (1, 2, 3, 5))
    axes.set(
        xlim=(0, 1.02 * last),
        ylim=(-1.08 * top, 1.08 * top),
        title="angle of the pole",
        xlabel="step",
        ylabel="degrees",
    )
    axes.axhline(0, color=FAINT, linewidth=1)
    if fallen is not None and fallen < top:  # a label outside the axes would shrink them
        for side in (-fallen, fallen):
            axes.axhline(side, color=RED, linestyle=":", linewidth=1)
        axes.text(1.02 * last, fallen, "counts as fallen", size=9, ha="right", va="bottom", color=RED, gid="ground")


def _add_curves(axes: Any, robots: dict[str, Any], panel: str) -> None:
    for place, (name, robot) in enumerate(robots.items()):
        (curve,) = axes.plot([], [], color=COLOURS[place], linewidth=2, label=name)
        (end,) = axes.plot([], [], "o", color=COLOURS[place], markersize=7)
        (fall,) = axes.plot([], [], "v", color=RED, markersize=9, zorder=3)
        words = axes.annotate("", (0, 0), (8, 0), textcoords="offset points", size=9, va="center", color=RED)
        robot[panel] = {"curve": curve, "end": end, "fall": fall, "words": words, "worded": panel != "angle"}


def draw(
    artists: dict[str, Any],
    poses: Mapping[str, Pose],
    limits: Limits,
    motions: Mapping[str, Motion],
    histories: Mapping[str, Histories],
) -> None:
    """Update the rods, the floor, the trails and the curves.

    Args:
        artists: The result of :func:`stage`.
        poses: The current poses of the robots.
        limits: Limits of the robots' panels.
        motions: The recorded motions.
        histories: Returns and angles, by panel.
    """
    for name, pose in poses.items():
        robot = artists["robots"][name]
        axes = robot["axes"]
        points = _points(axes, limits)
        _fit(axes, limits, points)
        _draw_rods(robot, pose, motions[name], points)
        robot["floor"].set_data(*pose.floor.T)
        robot["trail"].set_data(*pose.trail.T)
        robot["status"].set(text=pose.status, color=RED if pose.over else GREY)
        _draw_tilt(robot, pose)
        for panel, values in histories.items():
            if name in values:
                _draw_curve(robot[panel], pose, values[name])


def _size(axes: Any) -> tuple[float, float]:
    """Return the width and height of the axes, in points."""
    box = axes.get_position()
    width, height = 72 * axes.figure.get_size_inches() * (box.width, box.height)
    return float(width), float(height)


def _points(axes: Any, limits: Limits) -> float:
    """Return the scale of the axes, in points per metre."""
    (left, right, bottom, top), (width, height) = limits, _size(axes)
    return min(width / (right - left), height / (top - bottom))


def _fit(axes: Any, limits: Limits, points: float) -> None:
    """Widen the limits to the sides or upwards, so that x and y have the same scale. The axes keep their size."""
    (left, right, bottom, _), (width, height) = limits, _size(axes)
    middle, half = (left + right) / 2, width / points / 2
    axes.set(xlim=(middle - half, middle + half), ylim=(bottom, bottom + height / points))


def _draw_rods(robot: dict[str, Any], pose: Pose, recorded: Motion, points: float) -> None:
    order = np.argsort(np.argsort(pose.nearness, kind="stable"), kind="stable") / len(pose.rods)
    thick = np.maximum(1.5, 2 * points * recorded.radii.numpy())
    for rod, rim, (one, other), place, width in zip(
        robot["rods"], robot["rims"], pose.rods, order.tolist(), thick.tolist(), strict=True
    ):
        for line, more in ((rim, 2.0), (rod, 0.0)):  # a rim in the background colour separates overlapping rods
            line.set_data([one[0], other[0] + 0.01], [one[1], other[1]])  # a line of length 0 is not drawn
            line.set(linewidth=width + more, zorder=3 + place - more / 999)


def _draw_tilt(robot: dict[str, Any], pose: Pose) -> None:
    """Write the angle next to the tip of the pole, and draw the upright line from which it is measured."""
    if pose.angle is None or pose.pole is None:
        robot["upright"].set_data([], [])
        robot["tilt"].set_text("")
        return
    (x, y), (tip_x, tip_y) = pose.pole
    robot["upright"].set_data([x, x], [y, y + np.hypot(tip_x - x, tip_y - y)])
    robot["tilt"].set(text=degrees(pose.angle), ha="left" if tip_x >= x else "right")
    robot["tilt"].xy = tip_x, tip_y
    robot["tilt"].set_position((12 if tip_x >= x else -12, 4))


def _draw_curve(drawn: dict[str, Any], pose: Pose, values: np.ndarray) -> None:
    steps = np.arange(pose.step + 1)
    drawn["curve"].set_data(steps, values[: pose.step + 1])
    end = ([pose.step], [values[pose.step]])
    drawn["end"].set_data(*(([], []) if pose.over else end))
    drawn["fall"].set_data(*(end if pose.over else ([], [])))
    drawn["words"].set_text(f"fell at step {pose.step:,}" if pose.over and drawn["worded"] else "")
    drawn["words"].xy = pose.step, values[pose.step]
    beyond = pose.step > 0.6 * drawn["curve"].axes.get_xlim()[1]
    drawn["words"].set(position=(-8, -14) if beyond else (8, 0), ha="right" if beyond else "left")


def spots(poses: Mapping[str, Pose], motions: Mapping[str, Motion]) -> list[Spot]:
    """Return the hover targets: the parts and the return of each robot."""
    found, short = [], short_names(poses)
    for place, (name, pose) in enumerate(poses.items()):
        of = f" of “{short[name]}”" if len(poses) > 1 else ""
        parts = np.flatnonzero(motions[name].moves.numpy())[: MOST_PARTS // len(poses)]
        for part in parts.tolist():
            one, other = pose.rods[part]
            marks = [Mark(f"robot {place}", *map(float, point)) for point in (one, (one + other) / 2, other)]
            if np.allclose(one, other):
                marks = marks[:1]
            tilted = pose.angle is not None and part == len(pose.rods) - 1
            if tilted:
                marks.append(Mark("angle", pose.step, pose.angle))
            lines = _rod_arithmetic(pose, part, tilted)
            found.append(Spot(f"{pose.names[part]}{of}", _rod_numbers(pose, part, tilted), tuple(marks), lines))
        found += _earned(pose, of, motions[name])
    return found


def _earned(pose: Pose, of: str, recorded: Motion) -> list[Spot]:
    """Return the hover target for a robot's return; an empty list if the rewards are unknown."""
    if pose.total is None:
        return []
    line = _sum(recorded.rewards.numpy()[: pose.step], pose.total)
    words = f"{points(pose.total)} after {counted(pose.step, 'step')}"
    return [Spot(f"return{of}", words, (Mark("return", pose.step, pose.total),), (line,))]


def grips(steps: Sequence[int], panels: Sequence[str]) -> list[Grip]:
    """Return the handles that select the time step, one in each panel with a time axis."""
    return [grip("step", panel, {step: (step, -1e9) for step in steps}, "x") for panel in panels]


def points(total: float) -> str:
    """Return a return as text. The text shows changes of 1, because a return may grow by 1 per step."""
    return f"{total:,.0f}".replace("-", "−") if 100 <= abs(total) < 1e6 else rounded(total)


def degrees(angle: float) -> str:
    """Return an angle as text, in degrees."""
    return f"{angle:.1f}°".replace("-", "−").replace("−0.0°", "0.0°")


def short_name(name: str) -> str:
    """Return the name of a robot, shortened so that it fits into a title."""
    return name if len(name) <= 22 else f"{name[:12].rstrip()}…{name[-9:].lstrip()}"  # names often differ at the end


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the :func:`short_name` of each robot. Short names that are equal get a number in front."""
    short = {name: short_name(name) for name in names}
    equal = [name for name in short if [*short.values()].count(short[name]) > 1]
    places = {name: place for place, name in enumerate(short, 1)}
    return short | {name: f"{places[name]}: {name[:9].rstrip()}…{name[-9:].lstrip()}" for name in equal}


def metres(value: float) -> str:
    """Return a length or a coordinate as text, to the centimetre, with a true minus sign."""
    return f"{value:.2f}".replace("-", "−").replace("−0.00", "0.00")


def _rod_numbers(pose: Pose, part: int, tilted: bool) -> str:
    one, other = ("({}, {})".format(*map(metres, point)) for point in pose.places[part])
    if tilted and pose.angle is not None:
        return f"{degrees(pose.angle)} from upright, tip at {one} m"
    return f"at {one} m" if one == other else f"from {one} to {other} m"


def _rod_arithmetic(pose: Pose, part: int, tilted: bool) -> tuple[str, ...]:
    """Write out the calculation of a part's angle, or of its length in the current view."""
    if tilted and pose.pole is not None and pose.angle is not None:
        across, up = (pose.pole[1] - pose.pole[0]).tolist()
        lines = [f"from pivot to tip: {metres(across)} m to the right, {metres(up)} m up"]
        return (*lines, f"angle from upright = atan2({across:.3f}, {up:.3f}) = {degrees(pose.angle)}".replace("-", "−"))
    across, up = np.abs(pose.places[part][1] - pose.places[part][0]).tolist()
    if not across + up:
        return ()
    return (f"length in this view = √({across:.3f}² + {up:.3f}²) = {np.hypot(across, up):.3f} m",)


def _sum(rewards: np.ndarray, total: float) -> str:
    """Write out a return as the sum of rewards, with the first rewards and the last one."""
    written = [rounded(each) for each in rewards.tolist()]
    shown = written if len(written) <= 4 else [*written[:2], "…", written[-1]]
    terms = " + ".join(f"({each})" if each.startswith("−") else each for each in shown) or "0"
    return f"return = sum of the rewards = {terms} = {points(total)}"
