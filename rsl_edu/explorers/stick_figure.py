"""Explorer *stick figure*: robots as they moved, side by side, drawn from their simulated bodies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import Motion, motion
from rsl_edu.data.learner_input import finite_tensor
from rsl_edu.number_format import round_up, short

from .bench.controls import Control, control
from .bench.explorer import Explorer
from .bench.instrument import Draw
from .bench.theme import BLUE, FAINT, GREEN, GREY, ORANGE, RED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = (GREY, BLUE, GREEN)
VIEWS = {"side": ((0, 2), (1, -1)), "front": ((1, 2), (0, 1)), "above": ((0, 1), (2, 1))}
"""Which of x (forwards), y and z (up) runs to the right in a view and which up; which comes nearer, and its sign."""
TRAIL = 4
"""Steps between two poses of a trail."""
MARK = 0.06
"""Length of the floor's marks, in metres."""
THICKNESS = 0.04
"""Radius, in metres, of a learner's own rods."""


@dataclasses.dataclass(frozen=True)
class StickFigureState:
    """State of :class:`StickFigure`."""

    step: int = control(0, "step", "How far the recording has run.", range=(0, 200, 1), play=True)
    view: str = control("side", "view", "From where one looks.", choices={name: name for name in VIEWS})
    trail: int = control(
        2, "trail", f"How many earlier poses stay visible, {TRAIL} steps apart.", unit="poses", range=(0, 12, 1)
    )


@dataclasses.dataclass(frozen=True)
class Pose:
    """One robot at one step, in metres from the middle of its panel."""

    rods: np.ndarray  # [parts, 2 ends, 2]: right, up
    nearness: np.ndarray  # [parts]
    trail: np.ndarray  # [poses · parts · 3, 2], ends and a gap in turn
    floor: np.ndarray  # [marks · 3, 2], the same: a mark each metre
    step: int  # of the recording: it stands still after its end
    total: float  # what it earned until then
    status: str
    over: bool  # whether it fell
    distance: float  # metres forwards


@dataclasses.dataclass(frozen=True)
class StickFigureResult:
    """What the picture shows."""

    state: StickFigureState
    poses: dict[str, Pose]


class StickFigure(Explorer[StickFigureState, StickFigureResult]):
    """One to three robots as they moved, and what each step earned.

    The camera goes with a robot that can go away, and stands still before one that cannot.

    Args:
        motions: What :func:`rsl_edu.data.motion` recorded, by the names to show; or where the rods' ends were,
            ``[steps + 1, parts, 2, 3]``, metres. None takes an Ant that acts at random.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError: Something else than motions by name.
        ValueError: No motion, more than three, or ends of another shape.
    """

    State = StickFigureState
    lesson = 6
    shows = "robots as they moved, side by side, and what each step earned"
    breaks = "a policy of yours that falls"
    size = (9.0, 5.0)
    swept = ({"view": ..., "step": 26},)
    question = Control("steps", "After how many steps the first robot falls.", "steps", range=(1, 1000, 1))

    def __init__(self, motions: Mapping[str, Motion | torch.Tensor] | None = None, **state: Any) -> None:
        if motions is None:
            motions = {"random actions": motion("Ant-v5")}
        if not isinstance(motions, Mapping):
            raise TypeError(f"motions: expected motions by their names, got {type(motions).__name__}")
        if not 1 <= len(motions) <= len(COLOURS):
            raise ValueError(f"motions: expected one to {len(COLOURS)}, got {len(motions)}")
        self._motions = {name: _motion_of(each) for name, each in motions.items()}
        recorded = list(self._motions.values())
        self._follows = all(bool(each.moves.all()) for each in recorded)
        self._middles = {name: _middle(each, self._follows) for name, each in self._motions.items()}
        self._totals = {
            name: np.append(0, each.rewards.double().cumsum(0).numpy()) for name, each in self._motions.items()
        }
        self._dt = recorded[0].dt
        self._spans = {view: self._span(view) for view in VIEWS}
        self._last = max(len(each.rewards) for each in recorded)
        stride = max(1, round(self._last / 100))  # about a hundred pictures
        last = stride * max(1, self._last // stride)
        start = stride * round(0.4 * last / stride)
        super().__init__(ranges={"step": (0, last, stride)}, defaults={"step": start}, **state)

    def compute(self, state: StickFigureState) -> StickFigureResult:
        """Look each robot's pose up, as it is seen from the side that the state asks for."""
        poses = {name: self._pose(name, state) for name in self._motions}
        return StickFigureResult(state, poses)

    def _pose(self, name: str, state: StickFigureState) -> Pose:
        recorded, totals = self._motions[name], self._totals[name]
        step = min(state.step, len(recorded.rewards))
        here = self._middles[name][step]  # [3]
        plane, (towards, sign) = VIEWS[state.view]
        ends = recorded.ends.numpy()[: step + 1] - here  # [steps, parts, 2, 3]
        first = max(step % TRAIL, step - TRAIL * state.trail)
        earlier = ends[first:step:TRAIL, recorded.moves.numpy()][..., plane]
        over, status = False, "up"
        if step == len(recorded.rewards):
            over = recorded.fell
            status = f"{'fell' if over else 'ended'} after {step:,} steps"
        return Pose(
            rods=ends[step][..., plane],
            nearness=sign * ends[step][..., towards].mean(1),
            trail=_strokes(earlier.reshape(-1, 2, 2)),
            floor=self._floor(here, plane),
            step=step,
            total=float(totals[step]),
            status=status,
            over=over,
            distance=float((recorded.ends[step] - recorded.ends[0])[recorded.moves].mean((0, 1))[0]),
        )

    def _floor(self, here: np.ndarray, plane: tuple[int, int]) -> np.ndarray:
        """Return the floor as it passes by: a line at height 0 with a mark each metre."""
        if not self._follows or 2 not in plane:
            return np.full((1, 2), np.nan)
        marks = np.arange(-6, 7) + np.round(here[plane[0]]) - here[plane[0]]
        return _strokes(np.array([[(marks[0], 0), (marks[-1], 0)], *([(x, 0), (x, -MARK)] for x in marks)]))

    def _span(self, view: str) -> tuple[float, float, float, float]:
        """Return limits that hold every pose of every robot: left, right, bottom, top."""
        plane, _ = VIEWS[view]
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        for name, recorded in self._motions.items():
            middle = self._middles[name][:, None, None]
            seen = (recorded.ends.numpy() - middle)[..., plane]
            thick = recorded.radii.numpy()[:, None, None]
            low = np.minimum(low, (seen - thick).min((0, 1, 2)))
            high = np.maximum(high, (seen + thick).max((0, 1, 2)))
        margin = 0.06 * float((high - low).max())
        side = max(-low[0], high[0]) + margin
        return -side, side, low[1] - margin - MARK, high[1] + margin

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out a panel for each robot, and one for what they earn."""
        number = len(self._motions)
        grid = figure.add_gridspec(2, number, height_ratios=(2.2, 1))
        earned = figure.add_subplot(grid[1, :])
        lowest, highest = (f(f(totals) for totals in self._totals.values()) for f in (min, max))
        top = round_up(max(highest, 1e-3), (1, 2, 3, 5))
        bottom = -round_up(-lowest, (1, 2, 3, 5)) if lowest < 0 else -0.04 * top
        earned.set(xlim=(0, 1.02 * self._last), ylim=(bottom, 1.08 * top), xlabel="step", ylabel="return so far")
        robots: dict[str, Any] = {}
        for i, (name, recorded) in enumerate(self._motions.items()):
            axes = figure.add_subplot(grid[0, i])
            axes.set(title=name, xticks=[], yticks=[], aspect="equal", anchor="S")
            for spine in axes.spines.values():
                spine.set_visible(False)
            (floor,) = axes.plot([], [], color=FAINT, linewidth=1.5)
            (trail,) = axes.plot([], [], color=FAINT, linewidth=2, solid_capstyle="round")
            rods = [
                axes.plot([], [], color=COLOURS[i] if moves else FAINT, solid_capstyle="round")[0]
                for moves in recorded.moves
            ]
            rims = [axes.plot([], [], color=axes.get_facecolor(), solid_capstyle="round")[0] for _ in rods]
            status = axes.annotate("", (1, 1), (0, 6), "axes fraction", "offset points", ha="right")
            (curve,) = earned.plot([], [], color=COLOURS[i], linewidth=2, label=name)
            (end,) = earned.plot([], [], "o", color=COLOURS[i], markersize=7)
            robots[name] = {"axes": axes, "floor": floor, "trail": trail, "rods": rods, "status": status}
            robots[name] |= {"rims": rims, "curve": curve, "end": end}
        (guess,) = earned.plot([], [], "X", color=ORANGE, markersize=10, label="your guess")
        earned.legend(ncols=4, loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0)
        return {"robots": robots, "guess": guess, "bodies": [rod for each in robots.values() for rod in each["rods"]]}

    def draw(self, artists: dict[str, Any], result: StickFigureResult) -> None:
        """Move rods, floor, trails and curves."""
        left, right, bottom, top = self._spans[result.state.view]
        for name, pose in result.poses.items():
            robot = artists["robots"][name]
            axes = robot["axes"]
            axes.set(xlim=(left, right), ylim=(bottom, top))
            box = axes.get_position(original=True)
            width, height = axes.figure.get_size_inches() * (box.width, box.height)
            points = 72 * min(width / (right - left), height / (top - bottom))  # in a metre
            order = np.argsort(np.argsort(pose.nearness, kind="stable"), kind="stable") / len(pose.rods)
            thick = np.maximum(1.5, 2 * points * self._motions[name].radii.numpy())
            for rod, rim, (one, other), place, width in zip(
                robot["rods"], robot["rims"], pose.rods, order.tolist(), thick.tolist(), strict=True
            ):
                for line, more in ((rim, 2.0), (rod, 0.0)):  # a rim in the colour of the ground parts it from others
                    line.set_data([one[0], other[0] + 0.01], [one[1], other[1]])  # a line of no length is not drawn
                    line.set(linewidth=width + more, zorder=3 + place - more / 999)
            robot["floor"].set_data(*pose.floor.T)
            robot["trail"].set_data(*pose.trail.T)
            robot["status"].set_text(pose.status)
            robot["status"].set_color(RED if pose.over else GREY)
            totals = self._totals[name][: pose.step + 1]
            robot["curve"].set_data(np.arange(len(totals)), totals)
            robot["end"].set_data([pose.step], [pose.total])
            robot["end"].set_marker("v" if pose.over else "o")

    def mark(self, result: StickFigureResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess on the axis of steps, at its end if it is beyond."""
        return [min(guess, 1.02 * self._last)], [0.0]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return where the rods of one robot were."""
        return ({"mine": draw(24, 5, 2, 3)},)

    def describe(self, result: StickFigureResult) -> str:
        """Say how each robot fares."""
        step, seconds = result.state.step, short(result.state.step * self._dt)
        side = {"side": "from the side", "front": "from the front", "above": "from above"}[result.state.view]
        robots = "; ".join(f"{name}: {pose.status}, return {short(pose.total)}" for name, pose in result.poses.items())
        return f"Step {step:,}, {seconds} s, seen {side}. {robots[0].upper()}{robots[1:]}."

    def numbers(self, result: StickFigureResult) -> dict[str, str]:
        """Return time, return and distance of each robot."""
        numbers = {"time": f"{short(result.state.step * self._dt)} s"}
        for name, pose in result.poses.items():
            numbers[f"{name}: return"] = short(pose.total)
            numbers[f"{name}: forwards"] = f"{short(pose.distance, 2)} m"
        return numbers


def _motion_of(ends: Any) -> Motion:
    """Return a motion as it is, on the CPU, and a learner's own rods as a motion that earns nothing."""
    if isinstance(ends, Motion):
        tensors = ("ends", "radii", "moves", "rewards")
        here: dict[str, Any] = {name: getattr(ends, name).detach().cpu() for name in tensors}
        return dataclasses.replace(ends, **here)
    ends = finite_tensor("motions", ends, "[steps + 1, parts, 2, 3], the ends of rods").float()
    if len(ends) < 2:
        raise ValueError("motions: expected a step or more, got none")
    parts = ends.shape[1]
    alike = torch.ones(parts)
    return Motion("own", ends, THICKNESS * alike, alike > 0, torch.zeros(len(ends) - 1), False, 1.0)


def _middle(recorded: Motion, follows: bool) -> np.ndarray:
    """Return where the camera looks at each step, ``[steps + 1, 3]``; never up or down."""
    middle = recorded.ends[:, recorded.moves].mean((1, 2)) * torch.tensor([1.0, 1.0, 0.0]) * follows
    return np.asarray(middle)


def _strokes(lines: np.ndarray) -> np.ndarray:
    """Return lines ``[lines, 2 ends, 2]`` as one line with gaps, ``[3 · lines, 2]``."""
    return np.concatenate([lines, np.full((len(lines), 1, 2), np.nan)], axis=1).reshape(-1, 2)
