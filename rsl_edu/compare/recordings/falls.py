"""Test for robots that fall during a recording and stay on the ground."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from rsl_edu.number_format import short

from .data import Recording
from .evidence import Evidence, Found

PART = 0.1
"""Smallest share of samples on the ground, and of upright samples: a robot that is never upright did not fall."""
TILT = 25.0
"""Degrees beyond the first recording's largest tilt at which a robot counts as lying on the ground."""
RARE = 0.001
"""Share of extreme samples that are ignored in the first recording's largest tilt."""
UNIT, UPRIGHT = 0.05, 0.8
"""Largest std of a gravity vector's length, and smallest length of its mean, both relative to its length."""
TUMBLE = 25
"""Number of steps that a fall takes before the robot lies on the ground."""


def fallen(evidence: Evidence) -> Iterator[Found]:
    """Find robots that lie on the ground in a part of the second recording, but never in the first."""
    for columns in _gravity(evidence):
        first, second = (each.x[..., columns] for each in (evidence.first, evidence.second))
        up = first.mean((0, 1))
        usual = float(np.quantile(_tilt(first, up), 1 - RARE))
        length = np.linalg.norm(second, axis=-1) / np.median(np.linalg.norm(first, axis=-1))
        lies = _tilt(second, up) > usual + TILT
        if _falls(lies) and (np.abs(length - 1) < 4 * UNIT).mean() > 1 - PART:
            figure = (
                f"tilted by more than {usual + TILT:.0f}° in {_when(evidence, lies)}; "
                f"at most {usual:.0f}° in the first recording"
            )
            yield Found("fallen", tuple(columns), figure, _before(evidence.second, lies))
            return
    for column in _heights(evidence):
        height, low = evidence.second.x[..., column], evidence.first.flat[:, column].min()
        lies = height < low - (evidence.first.flat[:, column].max() - low) / 2
        if _falls(lies):
            highest = f"below {short(height[lies].max())} in {_when(evidence, lies)}"
            figure = f"{highest}; at least {short(low)} in the first recording"
            yield Found("fallen", (column,), figure, _before(evidence.second, lies))
            return


def _gravity(evidence: Evidence) -> Iterator[list[int]]:
    """Yield gravity vectors, found by name, or by a constant length and an almost constant direction."""
    look, x = evidence.open, evidence.first.flat
    if evidence.named:
        places = [list(block.columns) for block in evidence.blocks if "gravity" in block.name]
    else:
        places = [[start, start + 1, start + 2] for start in range(evidence.first.observed - 2)]
    for columns in places:
        length = np.linalg.norm(x[:, columns], axis=1)
        usual = float(length.mean())
        if len(columns) != 3 or look[columns].sum() < 2 or length.std() > UNIT * usual:
            continue
        known = evidence.named or min(abs(usual / size - 1) for size in (1, 9.81)) < UNIT / 2
        if known and np.linalg.norm(x[:, columns].mean(0)) > UPRIGHT * usual:
            yield columns


def _heights(evidence: Evidence) -> list[int]:
    """Return the features that are named as heights of the robot, except height scans, which have many features."""
    single = [block.columns[0] for block in evidence.blocks if len(block.columns) == 1 and evidence.named]
    names = [evidence.names[column] for column in single]
    tall = [("height" in name or "pos_z" in name) and "command" not in name for name in names]
    return [column for column, is_height in zip(single, tall, strict=True) if is_height and evidence.open[column]]


def _falls(lies: np.ndarray) -> bool:
    """Return whether robots lie on the ground in some of the steps, and in consecutive ones."""
    return bool(PART < lies.mean() < 1 - PART and (lies[1:] != lies[:-1]).mean() < PART / 5)


def _tilt(x: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the angle between vectors and a direction, in degrees."""
    size = np.linalg.norm(x, axis=-1) * np.linalg.norm(up)
    return np.asarray(np.degrees(np.arccos(np.clip(x @ up / np.maximum(size, 1e-12), -1, 1))))


def _when(evidence: Evidence, lies: np.ndarray) -> str:
    step, robot = (int(each) for each in np.argwhere(lies)[0])
    return f"{100 * lies.mean():.0f} % of the samples, from {evidence.second.place(step, robot)} on"


def _before(recording: Recording, lies: np.ndarray) -> Recording | None:
    """Return the robots that never fall, or all robots until the first fall, whichever has more samples; else None."""
    stands = ~lies.any(0)
    time = int(np.argwhere(lies)[0][0]) - TUMBLE
    if stands.sum() * len(lies) >= max(1, time * lies.shape[1]):
        x, episode = recording.x[:, stands], recording.episode[:, stands]
        return dataclasses.replace(recording, x=x, episode=episode, robots=())
    return dataclasses.replace(recording, x=recording.x[:time], episode=recording.episode[:time]) if time > 1 else None
