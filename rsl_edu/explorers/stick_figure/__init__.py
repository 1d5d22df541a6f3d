"""Explorer *stick figure*: robots as they moved, side by side, drawn from their simulated bodies."""

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
"""Which of x (forwards), y and z (up) runs to the right in a view and which up; which comes nearer, and its sign."""
TRAIL = 4
"""Steps between two poses of a trail."""
MARK = 0.06
"""Length of the floor's marks, in metres."""
THICKNESS = 0.04
"""Radius, in metres, of a learner's own rods."""
OWN = "own"
"""Robot of a motion that is a learner's own rods: whether it fell, its rewards and the time of a step are unknown."""
POLE = 2
"""First part of a robot's pole, after its rail and its cart, in all robots whose name begins with *Inverted*."""
FALLEN = {"InvertedPendulum-v4": 0.2, "InvertedPendulum-v5": 0.2}
"""The angle, in radians, from which a robot's pole counts as fallen."""
FEEDBACK = (0.25, 3.5, 0.6, 0.8)
"""What balances the pendulum: the force for each unit of position, angle and their velocities."""


@dataclasses.dataclass(frozen=True)
class StickFigureState:
    """State of :class:`StickFigure`."""

    step: int = control(0, "step", "How far the recording has run.", range=(0, 200, 1), play=True)
    view: str = control(
        "side", "view", "Where the camera stands.", choices={name: name for name in VIEWS}, group="camera"
    )
    trail: int = control(
        2,
        "trail",
        f"How many earlier poses stay visible, {TRAIL} steps apart.",
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
    """One to three robots as they moved, and what each step earned.

    The camera goes with a robot that can go away, and stands still before one that cannot.

    Args:
        motions: What :func:`rsl_edu.data.motion` recorded, by the names to show; or where the rods' ends were,
            ``[steps + 1, parts, 2, 3]``, metres. None takes two pendulums, one without control and one that
            is balanced.
        state: Values of the controls other than the defaults.

    Raises:
        TypeError: Something else than motions by name.
        ValueError: No motion, more than three, or ends of another shape.
    """

    State = StickFigureState
    lesson = 6
    shows = "robots as they moved, side by side, and what each step earned"
    breaks = "a policy of yours that falls"
    autoplay = "step"
    swept = ({"view": ..., "step": 26},)
    question = Control("steps", "After how many steps the first robot falls.", "steps", range=(1, 1000, 1))

    def __init__(self, motions: Mapping[str, Motion | torch.Tensor] | None = None, **state: Any) -> None:
        if motions is None:
            motions = {"no control": _pendulum((0.0,) * 4), "linear feedback": _pendulum(FEEDBACK)}
        if not isinstance(motions, Mapping):
            raise TypeError(f"motions: expected motions by their names, got {type(motions).__name__}")
        for name in motions:
            if not isinstance(name, str):
                raise TypeError(f"motions: expected words as names, such as 'before', got {name!r}")
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
        self._dt = times.pop() if len(times) == 1 else None  # seconds of a step, if they are known and the same for all
        self._spans = {view: self._span(view) for view in VIEWS}
        self._last = max(len(each.rewards) for each in recorded)
        stride = max(1, round(self._last / 100))  # about a hundred pictures
        last = stride * max(1, self._last // stride)
        super().__init__(ranges={"step": (0, last, stride)}, **state)

    @property
    def size(self) -> tuple[float, float]:  # type: ignore[override]
        """Width and height in inches: there is a row for the angle of the poles, if they have any."""
        return 8.6, sum(picture.HEIGHTS[: 2 if self._angles else 1])

    @property
    def more(self) -> tuple[str, ...]:  # type: ignore[override]
        """The angle of the pole: it is also written next to it."""
        return ("angle",) if self._angles else ()

    @property
    def questions(self) -> tuple[Question, ...]:  # type: ignore[override]
        """The questions of the lesson, if one robot fell before another: the answers are in what was recorded."""
        first, *others = self._motions.values()
        if not first.fell or not others or any(len(each.rewards) <= len(first.rewards) for each in others):
            return ()
        names, positions = [*self._motions], self.controls["step"].positions()
        before, after = (f"{name[:1].upper()}{name[1:]}" for name in (names[0], names[-1]))
        fall, final = len(first.rewards), positions[-1]
        total = self._totals[names[-1]][min(final, len(others[-1].rewards))]
        earned = tuple(points(factor * total) for factor in (0.5, 1, 5))
        takes = "" if self._dt is None else f" (One step takes {rounded(self._dt)} s.)"
        as_always = "1, as for all other steps"
        return (
            Question(
                f"{before}: after how many steps does the robot fall?{takes}",
                answer=f"{fall}",
                show={"step": next(step for step in positions if step >= fall)},
            ),
            Question(f"{after}: what has the robot earned after {_steps(final)}?", earned, earned[1], {"step": final}),
            Question(
                "What reward does a robot get for the step in which it falls?",
                (as_always, "0", "−100"),
                {1.0: as_always, 0.0: "0", -100.0: "−100"}.get(float(first.rewards[-1]), ""),
                {"step": final},
            ),
        )

    def compute(self, state: StickFigureState) -> StickFigureResult:
        """Look each robot's pose up, as it is seen from the side that the state asks for."""
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
                f"fell after {_steps(step)}" if over else f"{status}, the last one" if recorded.robot == OWN else status
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

    @property
    def _histories(self) -> dict[str, dict[str, np.ndarray]]:
        """What is drawn over the steps, by its panel; rods that nobody knows the rewards of have the way they went."""
        histories = {"return": self._totals, "forwards": self._ways, "angle": self._angles}
        return {panel: values for panel, values in histories.items() if values}

    def stage(self, figure: Figure) -> dict[str, Any]:
        """Lay out a panel for each robot, and those over time."""
        limits = {FALLEN.get(each.robot) for each in self._motions.values()}
        fallen = limits.pop() if len(limits) == 1 else None
        degree = None if fallen is None else float(np.degrees(fallen))
        return picture.stage(figure, self._motions, self._histories, degree, self._last)

    def draw(self, artists: dict[str, Any], result: StickFigureResult) -> None:
        """Move rods, floor, trails and curves."""
        picture.draw(artists, result.poses, self._spans[result.state.view], self._motions, self._histories)

    def spots(self, result: StickFigureResult) -> list[Spot]:
        """Return the parts of each robot, and what it has earned."""
        return picture.spots(result.poses, self._motions)

    def grips(self, result: StickFigureResult) -> list[Grip]:
        """Return the time cursor."""
        return picture.grips(self.controls["step"].positions(), [*self._histories])

    def mark(self, result: StickFigureResult, guess: float) -> tuple[Any, Any]:
        """Mark the guess on the axis of steps, at its end if it is beyond."""
        return [min(guess, 1.02 * self._last)], [0.0]

    @classmethod
    def own_data(cls, draw: Draw) -> tuple[Any, ...]:
        """Return where the rods of one robot were."""
        return ({"mine": draw(24, 5, 2, 3)},)

    def title(self, result: StickFigureResult) -> str:
        """Say which robot fell first, or that none has fallen yet."""
        poses, step = result.poses, result.state.step
        quoted = {name: f"“{name_shown}”" for name, name_shown in short_names(poses).items()}
        fallen = sorted((pose.step, name) for name, pose in poses.items() if pose.over)
        if not fallen:
            if any(each.robot == OWN for each in self._motions.values()):  # nobody knows
                shown = " and ".join(quoted.values()) if len(poses) < 3 else "All three"
                return f"{shown} at step {step:,} of {self._last:,}."
            who = {1: f"{next(iter(quoted.values()))} is", 2: "Both robots are", 3: "All three robots are"}[len(poses)]
            if not step:
                return f"{who} up at the start: press play to see for how long."
            return f"{who} still up after {_steps(max(pose.step for pose in poses.values()))}."
        when, first = fallen[0]
        fell = f"{quoted[first]} fell after {_steps(when)}"
        up = [name for name, pose in poses.items() if not pose.over]
        if len(poses) == 1:
            return f"{fell}: from then on it earns nothing."
        if len(up) == 1:
            return f"{fell}; {quoted[up[0]]} is still up."
        return f"{fell}; the other two are still up." if up else f"{fell}, and all others have fallen too."

    def describe(self, result: StickFigureResult) -> str:
        """Say how each robot fares."""
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
        """Return the step or its time, and for each robot what is known: return, angle of its pole, how far it went."""
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
    """Return an inverted pendulum whose cart is pushed in proportion to what is observed."""
    gains = torch.tensor(feedback)[:, None]
    return motion("InvertedPendulum-v5", policy=lambda observation: (observation @ gains).clamp(-3, 3))


def _has_pole(recorded: Motion) -> bool:
    return recorded.robot.startswith("Inverted") and recorded.ends.shape[1] > POLE


def _pole(ends: np.ndarray) -> np.ndarray:
    """Return pivot and tip of the pole, from the first of its links to the last: ``[..., 2, 3]``."""
    return np.stack([ends[..., POLE, 1, :], ends[..., -1, 0, :]], -2)


def _angles(recorded: Motion) -> np.ndarray:
    """Return the angle of the pole from upright before each step and after the last, in degrees: ``[steps + 1]``."""
    across, _, up = np.moveaxis(np.diff(_pole(recorded.ends.double().numpy()), axis=-2)[..., 0, :], -1, 0)
    return np.degrees(np.arctan2(across, up))  # type: ignore[no-any-return]


def _way(recorded: Motion) -> np.ndarray:
    """Return how far the robot has gone forwards before each step and after the last, in metres: ``[steps + 1]``."""
    x = recorded.ends[:, recorded.moves, :, 0].double().mean((1, 2)).numpy()
    return x - x[0]  # type: ignore[no-any-return]


def _part_names(recorded: Motion) -> tuple[str, ...]:
    parts = recorded.ends.shape[1]
    if not _has_pole(recorded):
        return tuple(f"part {part}" for part in range(parts))
    links = ["pole"] if parts == POLE + 1 else [f"link {link}" for link in range(1, parts - POLE)] + ["upper link"]
    return ("rail", "cart", *links)


def _motion_of(ends: Any) -> Motion:
    """Return a motion as it is, on the CPU, and a learner's own rods as a motion whose rewards nobody knows."""
    if isinstance(ends, Motion):
        tensors = ("ends", "radii", "moves", "rewards")
        here: dict[str, Any] = {name: getattr(ends, name).detach().cpu() for name in tensors}
        return dataclasses.replace(ends, **here)
    ends = finite_tensor("motions", ends, "[steps + 1, parts, 2, 3], the ends of rods").float()
    if len(ends) < 2:
        raise ValueError("motions: expected a step or more, got none")
    parts = ends.shape[1]
    alike = torch.ones(parts)
    return Motion(OWN, ends, THICKNESS * alike, alike > 0, torch.zeros(len(ends) - 1), False, 1.0)


def _middle(recorded: Motion, follows: bool) -> np.ndarray:
    """Return where the camera looks at each step, ``[steps + 1, 3]``; never up or down."""
    middle = recorded.ends[:, recorded.moves].mean((1, 2)) * torch.tensor([1.0, 1.0, 0.0]) * follows
    return np.asarray(middle)


def _strokes(lines: np.ndarray) -> np.ndarray:
    """Return lines ``[lines, 2 ends, 2]`` as one line with gaps, ``[3 · lines, 2]``."""
    return np.concatenate([lines, np.full((len(lines), 1, 2), np.nan)], axis=1).reshape(-1, 2)
