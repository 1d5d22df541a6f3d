"""Recordings in the form that the comparison uses: steps, robots, features and ends of episodes."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rsl_edu.data.learner_input import episode_ends, learner_tensor
from rsl_edu.diagnosis import load

VECTORS = ("policy", "actor", "obs", "observations")
"""Usual names of an actor's vector observations in a file, the most likely first."""
ACTIONS, DONES = ("actions", "action"), ("dones", "done")
BESIDE = (*ACTIONS, *DONES, "rewards", "reward")
MANY = 0.5
"""If more than this share of the steps end an episode, the ends are ignored."""
FEW = 16
"""Number of robots, or steps, from which the time axis is determined."""
NUMBERS = 6_000_000
"""Largest number of values to compare in a recording; if there are more, some robots are left out."""
SPAN = 40
"""Fewest steps in a part of a recording."""
ORDERED = 0.3
"""If consecutive rows of a table correlate by more than this, the table shows one robot over time."""
SENT = "recorded action"
"""Name of the actions that were recorded next to the observations."""


@dataclasses.dataclass(frozen=True)
class Block:
    """Consecutive features of one term.

    Attributes:
        name: Name of the term, such as ``joint_vel``, or ``joint_vel (t-2)`` in a history.
        columns: Indices of its features.
    """

    name: str
    columns: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Recording:
    """Observations of several robots, each with the action of the step before.

    Attributes:
        x: Values ``[time, envs, features]``, float64; the recorded actions, if any, follow the observations.
        episode: Number of the episode of each step, ``[time, envs]``.
        ordered: Whether the rows are in the order of time.
        observed: Number of features that are observations.
        source: Where the recording comes from, in words.
        begin: Index of the first step in the recording as given.
        robots: Indices of the robots in the recording as given; empty for all.
    """

    x: np.ndarray
    episode: np.ndarray
    ordered: bool
    observed: int
    source: str
    begin: int = 0
    robots: tuple[int, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of all robots together."""
        return int(self.x.shape[0] * self.x.shape[1])

    @property
    def flat(self) -> np.ndarray:
        """All samples, ``[samples, features]``."""
        return self.x.reshape(-1, self.x.shape[2])

    def of(self, features: Sequence[int] | np.ndarray) -> Recording:
        """Return the recording with only the given features, in the given order."""
        return dataclasses.replace(self, x=self.x[..., features])

    def rarely_move(self) -> np.ndarray:
        """Return which features keep their value in most steps, such as commands, ``[features]``."""
        if not self.ordered or len(self.x) < 2:
            return np.zeros(self.x.shape[2], bool)
        return np.asarray((self.x[1:] == self.x[:-1]).mean((0, 1)) > 0.5)

    def place(self, step: int, robot: int) -> str:
        """Describe where a sample is in the recording as given."""
        return f"step {step + self.begin} of robot {self.robots[robot] if self.robots else robot}"

    def changes(self) -> np.ndarray:
        """Return the share of steps within an episode that change a feature, ``[features]``; 1 if not ordered."""
        whole = self.episode[1:] == self.episode[:-1]
        if not self.ordered or not whole.any():
            return np.ones(self.x.shape[2])
        return np.asarray((self.x[1:] != self.x[:-1])[whole].mean(0))

    def repeats(self) -> np.ndarray:
        """Return the share of steps in which a feature repeats a value that is not an extreme, ``[features]``."""
        x = self.x
        inside = (x[1:] > x.min((0, 1))) & (x[1:] < x.max((0, 1)))
        return np.asarray(((x[1:] == x[:-1]) & inside).mean((0, 1)))

    def parts(self, number: int) -> list[Recording]:
        """Split the recording by robots, and also by time if there are fewer robots than parts."""
        time, envs = self.episode.shape
        spans = max(1, min(-(-number // envs), time // SPAN))
        bounds = [time * span // spans for span in range(spans + 1)]
        step = max(1, number // spans)
        return [
            dataclasses.replace(self, x=self.x[low:high, robot::step], episode=self.episode[low:high, robot::step])
            for robot in range(min(step, envs))
            for low, high in itertools.pairwise(bounds)
        ]


@dataclasses.dataclass(frozen=True)
class Stored:
    """A recording as it was given, before it is converted for the comparison.

    Attributes:
        x: Observations ``[time, envs, features]``; a table has one robot.
        actions: Actions ``[time, envs, actions]``, or None.
        dones: Whether the episode ended in each step, ``[time, envs]``, or None.
        ordered: Whether the rows are in the order of time.
        source: Where the recording comes from, in words.
        names: Names of the features, if parts of the observations were stored under separate names.
        remarks: Remarks on input that was ignored or reinterpreted.
    """

    x: np.ndarray
    actions: np.ndarray | None
    dones: np.ndarray | None
    ordered: bool
    source: str
    names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read(value: Any, argument: str) -> Stored:
    """Check a recording and convert it to a standard form.

    Args:
        value: A path, or the result of :func:`rsl_edu.diagnosis.load`.
        argument: Name of the argument, for messages.

    Raises:
        TypeError, ValueError: The value is not a recording; the message states what is expected.
        OSError: The file cannot be read.
    """
    source = argument
    if isinstance(value, (str, Path)):
        source = argument = Path(value).name
        value = load(value)
    named = dict(value) if isinstance(value, Mapping) else {"observations": value}
    names, used, x = _vectors(argument, {name: each for name, each in named.items() if name not in BESIDE})
    dones, actions = (next((named[name] for name in keys if name in named), None) for keys in (DONES, ACTIONS))
    if actions is not None:
        actions = learner_tensor(f"{argument}: actions", actions).double().numpy()
        if actions.ndim != x.ndim or actions.shape[:-1] != x.shape[:-1]:
            expected = [*x.shape[:-1], "actions"]
            raise ValueError(f"{argument}: expected actions of shape {expected}, got {list(actions.shape)}")
        _require_finite(argument, "actions", actions)
    if dones is not None:
        dones = episode_ends(f"{argument}: dones", dones, torch.Size(x.shape[:-1])).numpy()
    _require_finite(argument, "observations", x)
    remarks = [f"{name} is not used" for name in named if name not in (*BESIDE, *used)]
    if dones is not None and dones.mean() > MANY:
        remarks.append(f"dones are not used, because they end an episode in {100 * dones.mean():.0f} % of the steps")
        dones = None
    ordered = x.ndim == 3 and len(x) > 1
    if x.ndim == 2:
        ordered = dones is not None or _consecutive(x)
        x = x[:, None]
        actions, dones = (None if each is None else each[:, None] for each in (actions, dones))
    elif _turned(x):
        remarks.append(
            "read as [envs, time, features], because consecutive values follow each other on the second axis"
        )
        x, ordered = x.swapaxes(0, 1), True
        actions, dones = (None if each is None else each.swapaxes(0, 1) for each in (actions, dones))
    return Stored(x, actions, dones, ordered, source, names, tuple(remarks))


def recording(stored: Stored, with_actions: bool, features: np.ndarray | None = None) -> Recording:
    """Return the part of a recording to compare, at most :data:`NUMBERS` values.

    Args:
        stored: The recording as given.
        with_actions: Whether to append the recorded actions to the observations.
        features: Observations to compare; None takes all.
    """
    x = stored.x if features is None else stored.x[..., features]
    time, envs, observed = x.shape
    time = min(time, NUMBERS // observed)
    keep = max(1, min(envs, NUMBERS // (time * observed)))
    robots = np.arange(keep) * envs // keep
    x = x[:time, robots]
    ends = np.zeros((time, keep), bool) if stored.dones is None else stored.dones[:time, robots]
    episode = np.concatenate([np.zeros((1, keep), int), np.cumsum(ends[:-1], 0)])
    if with_actions and stored.actions is not None and stored.ordered:
        sent = stored.actions[:time, robots]
        before = np.where(ends[:-1, :, None], 0.0, sent[:-1])  # an episode begins without a previous action
        x, episode = np.concatenate([x[1:], before], -1), episode[1:]
    begin = len(stored.x[:time]) - len(x)
    return Recording(x, episode, stored.ordered, observed, stored.source, begin, tuple(robots.tolist()))


def _vectors(argument: str, named: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Select the observations, or concatenate their parts as a policy does; return names, keys and observations."""
    tensors = {name: learner_tensor(f"{argument}: {name}", each).double().numpy() for name, each in named.items()}
    fitting = {name: each for name, each in tensors.items() if each.ndim in (2, 3) and each.size}
    first = next((name for name in VECTORS if name in fitting), None)
    if first is None and len(fitting) == 1:
        first = next(iter(fitting))
    if first is not None:
        return (), (first,), fitting[first]
    if fitting and len({each.shape[:-1] for each in fitting.values()}) == 1:
        names = tuple(f"{name}[{i}]" for name, each in fitting.items() for i in range(each.shape[-1]))
        return names, tuple(fitting), np.concatenate(list(fitting.values()), -1)
    got = ", ".join(f"{name} {list(each.shape)}" for name, each in tensors.items()) or "none"
    raise ValueError(f"{argument}: expected observations [samples, features] or [time, envs, features], got {got}")


def _require_finite(argument: str, kind: str, x: np.ndarray) -> None:
    bad = ~np.isfinite(x)
    if not bad.any():
        return
    *place, feature = (int(each) for each in np.argwhere(bad)[0])
    at = f"step {place[0]} of robot {place[1]}" if len(place) == 2 else f"row {place[0]}"
    each = bad.reshape(-1, x.shape[-1])
    raise ValueError(
        f"{argument}: expected finite values, got NaN or infinity in {int(each.any(1).sum())} of {len(each)} samples "
        f"of {kind}, first at {at}, feature {feature}: find out where they come from. To compare the rest, replace "
        "each with the previous value; leaving out rows would break the order of time"
    )


def _turned(x: np.ndarray) -> bool:
    """Return whether the second axis is time: values are continuous along it, but not along the first axis."""
    if x.shape[1] < 10:
        return False
    return _goes_on(x[:FEW].swapaxes(0, 1)) > 2 * ORDERED and (len(x) == 1 or _goes_on(x[:, :FEW]) < ORDERED)


def _consecutive(x: np.ndarray) -> bool:
    """Return whether the rows of a table are consecutive steps."""
    return len(x) >= 10 and _goes_on(x) > ORDERED


def _goes_on(x: np.ndarray) -> float:
    """Return the correlation of consecutive values along the first axis, the median over all features."""
    flat = x.reshape(-1, x.shape[-1])
    centred, power = x - flat.mean(0), flat.var(0)
    moving = power > 1e-12 * np.maximum(1, (flat**2).mean(0))
    if not moving.any():
        return 0.0
    together = (centred[1:] * centred[:-1]).reshape(-1, x.shape[-1]).mean(0)
    return float(np.median(together[moving] / power[moving]))


def blocks(names: Sequence[str]) -> tuple[Block, ...]:
    """Group features named like ``joint_vel[3]`` or ``joint_vel[3] (t-2)`` into terms; every other is its own term."""
    found: list[tuple[str, list[int]]] = []
    for column, name in enumerate(names):
        term = re.sub(r"\[\d+\]", "", name)
        if found and found[-1][0] == term:
            found[-1][1].append(column)
        else:
            found.append((term, [column]))
    return tuple(Block(term, tuple(columns)) for term, columns in found)


def single(names: Sequence[str]) -> tuple[Block, ...]:
    """Return one term per feature, for features without names."""
    return tuple(Block(name, (column,)) for column, name in enumerate(names))
