"""Explorer *stick figure*: recorded motions of simulated robots, drawn side by side as stick figures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rsl_edu.data import Motion, motion
from rsl_edu.data.learner_input import finite_tensor

from ..bench.arithmetic import rounded
from ..bench.controls import Control, control
from ..bench.explorer import Explorer
from ..bench.instrument import Draw
from ..bench.question import Question
from ..bench.touch import Grip, Spot
from . import picture
from .picture import Pose, degrees, metres, points, short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIEWS = {"side": ((0, 2), (1, -1)), "front": ((1, 2), (0, 1)), "above": ((0, 1), (2, 1))}
"""For each view: the axes that are shown to the right and upwards, and the axis towards the viewer with its sign. Axis
0 is x (forwards), axis 1 is y, and axis 2 is z (up)."""
TRAIL = 4
"""Number of steps between two poses of a trail."""
MARK = 0.06
"""Length of each mark on the floor, in metres."""
THICKNESS = 0.04
"""Radius of the rods that a learner passes, in metres."""
OWN = "own"
"""Robot name for rods that a learner passes. For these rods, falls, rewards and the time step are unknown."""
POLE = 2
"""Index of the pole's first part, which follows rail and cart in all robots with a name that begins with *Inverted*."""
FALLEN = {"InvertedPendulum-v4": 0.2, "InvertedPendulum-v5": 0.2}
"""For each robot with such a limit: the angle in radians beyond which the pole counts as fallen."""
FEEDBACK = (0.25, 3.5, 0.6, 0.8)
"""Feedback gains that balance the pendulum: force per unit of position, angle, velocity and angular velocity."""


@dataclasses.dataclass(frozen=True)
class StickFigureState:
    """State of :class:`StickFigure`."""

    step: int = control(0, "step", "Step of the recording that is shown.", range=(0, 200, 1), play=True)
    view: str = control("side", "view", "The camera position.", choices={name: name for name in VIEWS}, group="camera")
    trail: int = control(
        2,
        "trail",
        f"How many earlier poses are shown. They are {TRAIL} steps apart.",
        unit="poses",
        range=(0, 12, 1),
        group="camera",
    )


@dataclasses.dataclass(frozen=True)
class StickFigureResult:
    """What the picture shows."""

    state: StickFigureState
    poses: dict[str, Pose]


class StickFigure(Explorer[StickFigureState, StickFigureResult]):
    """Recorded motions of one to three robots, with each robot's return after every step.

    The camera follows robots that can move freely. For all other robots, the camera is fixed.

    Args:
        motions: A mapping from names to recordings of :func:`rsl_edu.data.motion`, or to the positions of the ends of
            rods, ``[steps + 1, parts, 2, 3]`` in metres. By default, there are two pendulums, one without control and
            one that is balanced.
        state: Initial values of controls, by name; all other controls start at their defaults.

    Raises:
        TypeError: ``motions`` is not a mapping from names to motions.
        ValueError: There is no motion, there are more than three motions, or the rods have the wrong shape.
    """

    State = StickFigureState
    lesson = 6
    shows = "recorded robots side by side, with the return after each step"
    breaks = "none; you can watch your own policy fall"
    autoplay = "step"
    swept = ({"view": ..., "step": 26},)
    question = Control("steps", "Number of steps after which the first robot falls.", "steps", range=(1, 1000, 1))

    def __init__(self, motions: Mapping[str, Motion | torch.Tensor] | None = None, **state: Any) -> None:
        if motions is None:
            motions = {"no control": _pendulum((0.0,) * 4), "linear feedback": _pendulum(FEEDBACK)}
        if not isinstance(motions, Mapping):
            raise TypeError(f"motions: expected a dictionary of motions by name, got {type(motions).__name__}")
        for name in motions:
            if not isinstance(name, str):
                raise TypeError(f"motions: expected strings as names, such as 'before', got {name!r}")
        if not 1 <= len(motions) <= len(picture.COLOURS):
            raise ValueError(f"motions: expected one to {len(picture.COLOURS)}, got {len(motions)}")
        self._motions = {name: _motion_of(each) for name, each in motions.items()}
        recorded = list(self._motions.values())
        self._follows = all(bool(each.moves.all()) for each in recorded)
        self._middles = {name: _middle(each, self._follows) for name, each in self._motions.items()}
        self._totals = {
            name: np.append(0, each.rewards.double().cumsum(0).numpy())
            for name, each in self._motions.items()
            if each.robot != OWN
        }
        self._ways = {} if self._totals else {name: _way(each) for name, each in self._motions.items()}
        self._angles = {name: _angles(each) for name, each in self._motions.items() if _has_pole(each)}
        times = {each.dt if each.robot != OWN else None for each in recorded}
        self._dt = times.pop() if len(times) == 1 else None  # s per step, if known and the same for all
        self._spans = {view: self._span(view) for view in VIEWS}
        self._last = max(len(each.rewards) for each in recorded)
        stride = max(1, round(self._last / 100))  # the slider has about a hundred positions
        last = stride * max(1, self._last // stride)
        super().__init__(ranges={"step": (0, last, stride)}, **state)

    @property
    def size(self) -> tuple[float, float]:  # type: ignore[override]
        """Width and height in inches. For robots with poles, there is a second row with the angle."""
        return 8.6, sum(picture.HEIGHTS[: 2 if self._angles else 1])

    @property
    def more(self) -> tuple[str, ...]:  # type: ignore[override]
        """The panel of the pole's angle. It is hidden at first, because the angle is also written next to the pole."""
        return ("angle",) if self._angles else ()

    @property
    def questions(self) -> tuple[Question, ...]:  # type: ignore[override]
        """The lesson's questions, with answers from the recordings; empty unless the first robot fell first."""
        first, *others = self._motions.values()
        if not first.fell or not others or any(len(each.rewards) <= len(first.rewards) for each in others):
            return ()
        names, positions = [*self._motions], self.controls["step"].positions()
        before, after = (f"{name[:1].upper()}{name[1:]}" for name in (names[0], names[-1]))
        fall, final = len(first.rewards), positions[-1]
        total = self._totals[names[-1]][min(final, len(others[-1].rewards))]
        earned = tuple(points(factor * total) for factor in (0.5, 1, 5))
        takes = "" if self._dt is None else f" (One step takes {rounded(self._dt)} s.)"
        as_always = "1, as for every other step"
        return (
            Question(
                f"{before}: after how many steps does the robot fall?{takes}",
                answer=f"{fall}",
                show={"step": next(step for step in positions if step >= fall)},
            ),
            Question(f"{after}: what is the return after {_steps(final)}?", earned, earned[1], {"step": final}),
            Question(
                "What reward does a robot get for the step in which it falls?",
                (as_always, "0", "−100"),
                {1.0: as_always, 0.0: "0", -100.0: "−100"}.get(float(first.rewards[-1]), ""),
                {"step": final},
            ),
        )

    def compute(self, state: StickFigureState) -> StickFigureResult:
        """Return the pose of each robot at the current step and in the chosen view."""
        poses = {name: self._pose(name, state) for name in self._motions}
        return StickFigureResult(state, poses)

    def _pose(self, name: str, state: StickFigureState) -> Pose:
        recorded = self._motions[name]
        step = min(state.step, len(recorded.rewards))
        here = self._middles[name][step]  # [3]
        plane, (towards, sign) = VIEWS[state.view]
        ends = recorded.ends.numpy()[: step + 1] - here  # [steps, parts, 2, 3]
        first = max(step % TRAIL, step - TRAIL * state.trail)
        earlier = ends[first:step:TRAIL, recorded.moves.numpy()][..., plane]  # [poses, parts, 2, 2]
        over, status = False, f"step {step:,}" if recorded.robot == OWN else "up"
        if step == len(recorded.rewards):
            over = recorded.fell
            status = (
                f"fell after {_steps(step)}" if over else f"{status}, the last" if recorded.robot == OWN else status
            )
        angle = float(self._angles[name][step]) if name in self._angles else None
        return Pose(
            rods=ends[step][..., plane],
            places=recorded.ends[step].numpy()[..., plane],
            names=_part_names(recorded),
            nearness=sign * ends[step][..., towards].mean(1),
            trail=_strokes(earlier.reshape(-1, 2, 2)),
            earlier=len(earlier),
            floor=self._floor(here, plane),
            pole=None if angle is None or state.view != "side" else _pole(ends[step])[:, plane],
            angle=angle,
            step=step,
            total=float(self._totals[name][step]) if name in self._totals else None,
            status=status,
            over=over,
            distance=float(_way(recorded)[step]),
        )

    def _floor(self, here: np.ndarray, plane: tuple[int, int]) -> np.ndarray:
        """Return the floor relative to the camera, as a line at height 0 with a mark every metre."""
        if not self._follows or 2 not in plane:
            return np.full((1, 2), np.nan)
        marks = np.arange(-6, 7) + np.round(here[plane[0]]) - here[plane[0]]
        return _strokes(np.array([[(marks[0], 0), (marks[-1], 0)], *([(x, 0), (x, -MARK)] for x in marks)]))

    def _span(self, view: str) -> tuple[float, float, float, float]:
        """Return limits (left, right, bottom, top) that fit every pose of every robot."""
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

    @property
    def _histories(self) -> dict[str, dict[str, np.ndarray]]:
        """The curves over the steps, by panel. Rods have unknown rewards, so their curves show the distance."""
        histories = {"return": self._totals, "forwards": self._ways, "angle": self._angles}
        return {panel: values for panel, values in histories.items() if values}

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out a panel for each robot and the panels over time."""
        limits = {FALLEN.get(each.robot) for each in self._motions.values()}
        fallen = limits.pop() if len(limits) == 1 else None
        degree = None if fallen is None else float(np.degrees(fallen))
        return picture.stage(figure, self._motions, self._histories, degree, self._last)

    def draw(self, artists: dict[str, Any], result: StickFigureResult) -> None:
        """Update the rods, the floor, the trails and the curves."""
        picture.draw(artists, result.poses, self._spans[result.state.view], self._motions, self._histories)

    def spots(self, result: StickFigureResult) -> list[Spot]:
        """Return the hover targets: the parts and the return of each robot."""
        return picture.spots(result.poses, self._motions)

    def grips(self, result: StickFigureResult) -> list[Grip]:
        """Return the handles that select the time step."""
        return picture.grips(self.controls["step"].positions(), [*self._histories])

    def mark(self, result: StickFigureResult, guess: float) -> tuple[Any, Any]:
        """Return the position of the guess on the step axis; for a guess beyond the axis, the end of the axis."""
        return [min(guess, 1.02 * self._last)], [0.0]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return the rods of one robot for tests."""
        return ({"mine": draw(24, 5, 2, 3)},)

    def title(self, result: StickFigureResult) -> str:
        """State which robot fell first, or that no robot has fallen yet."""
        poses, step = result.poses, result.state.step
        quoted = {name: f"“{name_shown}”" for name, name_shown in short_names(poses).items()}
        fallen = sorted((pose.step, name) for name, pose in poses.items() if pose.over)
        if not fallen:
            if any(each.robot == OWN for each in self._motions.values()):  # it is unknown whether these robots fell
                shown = " and ".join(quoted.values()) if len(poses) < 3 else "All three"
                return f"{shown} at step {step:,} of {self._last:,}."
            who = {1: f"{next(iter(quoted.values()))} is", 2: "Both robots are", 3: "All three robots are"}[len(poses)]
            if not step:
                return f"{who} upright at the start: press play to see for how long."
            return f"{who} still up after {_steps(max(pose.step for pose in poses.values()))}."
        when, first = fallen[0]
        fell = f"{quoted[first]} fell after {_steps(when)}"
        up = [name for name, pose in poses.items() if not pose.over]
        if len(poses) == 1:
            return f"{fell} and earns no more reward."
        if len(up) == 1:
            return f"{fell}; {quoted[up[0]]} is still up."
        return f"{fell}; the other two are still up." if up else f"{fell}, and the others have fallen too."

    def describe(self, result: StickFigureResult) -> str:
        """Describe the state of each robot."""
        step = result.state.step
        seconds = "" if self._dt is None else f", {rounded(step * self._dt)} s"
        side = {"side": "from the side", "front": "from the front", "above": "from above"}[result.state.view]
        short = short_names(result.poses)
        robots = "; ".join(
            f"{short[name]}: {pose.status}"
            + ("" if pose.total is None else f", return {points(pose.total)}")
            + ("" if pose.angle is None else f", pole at {degrees(pose.angle)} from upright")
            for name, pose in result.poses.items()
        )
        earlier = max(pose.earlier for pose in result.poses.values())
        trail = {0: "", 1: ", with one earlier pose"}.get(earlier, f", with {earlier} earlier poses")
        return f"Step {step:,}{seconds}, seen {side}{trail}. {robots[0].upper()}{robots[1:]}."

    def numbers(self, result: StickFigureResult) -> dict[str, str]:
        """Return the step or its time and, if known, each robot's return, pole angle and distance forwards."""
        step = result.state.step
        numbers = {"step": f"{step:,}"} if self._dt is None else {"time": f"{rounded(step * self._dt)} s"}
        for name, pose in result.poses.items():
            if pose.total is not None:
                numbers[f"{name}: return"] = points(pose.total)
            if pose.angle is None:
                numbers[f"{name}: forwards"] = f"{metres(pose.distance)} m"
            else:
                numbers[f"{name}: pole"] = degrees(pose.angle)
        return numbers


def _steps(number: int) -> str:
    return f"{number:,} step" if number == 1 else f"{number:,} steps"


def _pendulum(feedback: tuple[float, ...]) -> Motion:
    """Return a motion of an inverted pendulum. Linear feedback from the observations sets the force on the cart."""
    gains = torch.tensor(feedback)[:, None]
    return motion("InvertedPendulum-v5", policy=lambda observation: (observation @ gains).clamp(-3, 3))


def _has_pole(recorded: Motion) -> bool:
    return recorded.robot.startswith("Inverted") and recorded.ends.shape[1] > POLE


def _pole(ends: np.ndarray) -> np.ndarray:
    """Return the pivot of the pole's first link and the tip of its last link, ``[..., 2, 3]``."""
    return np.stack([ends[..., POLE, 1, :], ends[..., -1, 0, :]], -2)


def _angles(recorded: Motion) -> np.ndarray:
    """Return the pole's angle from upright in degrees, before each step and after the last step, ``[steps + 1]``."""
    across, _, up = np.moveaxis(np.diff(_pole(recorded.ends.double().numpy()), axis=-2)[..., 0, :], -1, 0)
    return np.degrees(np.arctan2(across, up))  # type: ignore[no-any-return]


def _way(recorded: Motion) -> np.ndarray:
    """Return the distance forwards in metres, before each step and after the last step, ``[steps + 1]``."""
    x = recorded.ends[:, recorded.moves, :, 0].double().mean((1, 2)).numpy()
    return x - x[0]  # type: ignore[no-any-return]


def _part_names(recorded: Motion) -> tuple[str, ...]:
    parts = recorded.ends.shape[1]
    if not _has_pole(recorded):
        return tuple(f"part {part}" for part in range(parts))
    links = ["pole"] if parts == POLE + 1 else [f"link {link}" for link in range(1, parts - POLE)] + ["upper link"]
    return ("rail", "cart", *links)


def _motion_of(ends: Any) -> Motion:
    """Return a motion on the CPU. Rods that a learner passes become a motion with unknown rewards."""
    if isinstance(ends, Motion):
        tensors = ("ends", "radii", "moves", "rewards")
        here: dict[str, Any] = {name: getattr(ends, name).detach().cpu() for name in tensors}
        return dataclasses.replace(ends, **here)
    ends = finite_tensor("motions", ends, "[steps + 1, parts, 2, 3], the ends of rods").float()
    if len(ends) < 2:
        raise ValueError("motions: expected at least one step, got none")
    parts = ends.shape[1]
    ones = torch.ones(parts)
    return Motion(OWN, ends, THICKNESS * ones, ones > 0, torch.zeros(len(ends) - 1), False, 1.0)


def _middle(recorded: Motion, follows: bool) -> np.ndarray:
    """Return the point at which the camera is aimed in each step, ``[steps + 1, 3]``. The height of the point is 0."""
    middle = recorded.ends[:, recorded.moves].mean((1, 2)) * torch.tensor([1.0, 1.0, 0.0]) * follows
    return np.asarray(middle)


def _strokes(lines: np.ndarray) -> np.ndarray:
    """Return lines ``[lines, 2 ends, 2]`` as one line with gaps, ``[3 · lines, 2]``."""
    return np.concatenate([lines, np.full((len(lines), 1, 2), np.nan)], axis=1).reshape(-1, 2)
