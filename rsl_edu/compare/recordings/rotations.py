"""Tests for quaternions with the opposite sign or with the scalar at the other end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .alignment import none
from .data import Recording
from .evidence import Evidence, Found
from .pairs import smoothed
from .repairs import Repair
from .scales import LENGTH

ALWAYS = 0.98
"""If this share of the first recording's quaternions is in one hemisphere, the other one means the opposite sign."""
TURNS, MORE = 0.5, 0.3
"""Smallest correlation of a quaternion's rotation with body rates, and how much better a different order must fit."""
ROLLS = (1, 3)
"""Shifts of the columns that turn xyzw into wxyz, and wxyz into xyzw."""


def rotations(evidence: Evidence) -> Iterator[Found]:
    """Find quaternions with the opposite sign, or with the scalar at the other end."""
    for columns in _quaternions(evidence):
        order, late, sign = none(len(evidence.names))
        for roll in ROLLS if evidence.first.ordered and evidence.second.ordered else ():
            if _rolled(evidence, columns, roll):
                order[columns] = np.roll(columns, roll)
                ends = (
                    "wxyz, in the first recording xyzw"
                    if _last(evidence, columns)
                    else "xyzw, in the first recording wxyz"
                )
                said = f"a quaternion with its scalar at the other end: {ends}"
                yield Found("order", tuple(columns), said, Repair("order", order, late, sign).of(evidence.second))
                return
        first, second = (each.flat[:, columns] for each in (evidence.first, evidence.second))
        usual = first.mean(0)
        if ((first @ usual) > 0).mean() > ALWAYS and ((second @ usual) < 0).mean() > ALWAYS:
            sign[columns] = -1
            said = "a quaternion with the opposite sign: the same rotation, but numbers that did not occur in training"
            yield Found("sign", tuple(columns), said, Repair("sign", order, late, sign).of(evidence.second))
            return


def _quaternions(evidence: Evidence) -> Iterator[list[int]]:
    """Yield groups of four neighbouring features that all vary and form a vector of unit length in both recordings."""
    for start in range(evidence.first.observed - 3):
        columns = list(range(start, start + 4))
        parts = [each.flat[:, columns] ** 2 for each in (evidence.first, evidence.second)]
        unit = all(abs(np.sqrt(x.sum(1)) - 1).max() < LENGTH for x in parts)
        if unit and not set(columns) & evidence.explained and (parts[0].std(0) > 0).all():
            yield columns


def _rates(recording: Recording, columns: list[int], last: bool) -> np.ndarray:
    """Return the body's rotation in each step, ``[samples, 3]``, from a quaternion with its scalar last or first."""
    q = recording.x[..., np.roll(columns, 1) if last else columns]
    w, v = q[..., :1], q[..., 1:]
    turn = w[:-1] * v[1:] - w[1:] * v[:-1] - np.cross(v[:-1], v[1:])
    turn *= np.sign((q[1:] * q[:-1]).sum(-1, keepdims=True))
    return np.asarray(2 * turn[recording.episode[1:] == recording.episode[:-1]])


def _fits(recording: Recording, columns: list[int], last: bool) -> np.ndarray:
    """Correlate the three rates with all features, ``[3, features]``, after smoothing."""
    recording = smoothed(recording)
    whole = recording.episode[1:] == recording.episode[:-1]
    x = ((recording.x[1:] + recording.x[:-1]) / 2)[whole]
    turn, x = ((each - each.mean(0)) / each.std(0).clip(1e-12) for each in (_rates(recording, columns, last), x))
    return np.asarray(turn.T @ x / len(x))


def _body(evidence: Evidence, columns: list[int], last: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the features that correlate best with the rates of the first recording, and their correlations."""
    fits = _fits(evidence.first, columns, last)
    fits[:, columns] = 0
    at = np.abs(fits).argmax(1)
    return at, fits[range(3), at]


def _last(evidence: Evidence, columns: list[int]) -> bool:
    """Return whether the scalar comes last in the first recording."""
    fits = [np.sort(np.abs(_body(evidence, columns, last)[1]))[1] for last in (False, True)]
    return bool(fits[1] > fits[0])


def _rolled(evidence: Evidence, columns: list[int], roll: int) -> bool:
    """Return whether the second recording's quaternion fits the body's rates only after a shift of its columns."""
    last = _last(evidence, columns)
    at, fits = _body(evidence, columns, last)
    axes = np.flatnonzero(np.abs(fits) > TURNS)
    if len(axes) < 2 or len(set(at[axes].tolist())) < len(axes) or (roll == ROLLS[0]) == last:
        return False
    now, turned = (
        float((_fits(evidence.second, list(where), last)[axes, at[axes]] * np.sign(fits[axes])).mean())
        for where in (columns, np.roll(columns, roll))
    )
    return turned > TURNS and turned > now + MORE
