"""Single values that no sensor can have measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from rsl_edu.number_format import counted, large, short

from .data import Recording
from .evidence import Evidence, Found

ABSURD = 100.0
"""How far from the median a value is absurd, in units of what all but :data:`FEW` of the samples stay within."""
FEW = 0.02
"""Share of the samples that may be absurd; more of them are no single values."""
RARE, FURTHER = 0.001, 3.0
"""How many times further than all but a rare sample of the other recording a value must be, too."""
SAMPLES = 4000
"""How many samples tell what is usual."""


def spikes(evidence: Evidence) -> Iterator[Found]:
    """Look for absurd values in the second recording."""
    absurd = absurd_values(evidence.second, evidence.first)
    features = np.flatnonzero(absurd.any((0, 1)))
    if len(features):
        figure = where_absurd(evidence, evidence.second, absurd)
        yield Found("spike", tuple(features.tolist()), figure, without(evidence.second, absurd))


def absurd_values(recording: Recording, other: Recording) -> np.ndarray:
    """Return which values are far beyond what this recording and the other have, ``[time, envs, features]``, bool.

    Not of features that rest in most steps, such as the force of a contact: these jump.
    """
    some = [each.flat[np.random.default_rng(0).integers(each.steps, size=SAMPLES)] for each in (recording, other)]
    centre = np.median(some[0], axis=0)
    usual = [np.quantile(np.abs(each - centre), 1 - FEW, axis=0) for each in some]
    rare = np.quantile(np.abs(other.flat - centre), 1 - RARE, axis=0)  # a joint at its stop may leave it now and then
    limit = np.maximum(ABSURD * np.maximum(*usual), FURTHER * rare)
    jumps = recording.rarely_move() | other.rarely_move() | (limit <= 0)
    return np.asarray((np.abs(recording.x - centre) > limit) & ~jumps)


def without(recording: Recording, absurd: np.ndarray) -> Recording:
    """Return the recording with the median in place of the absurd values."""
    x = recording.x.copy()
    for feature in np.flatnonzero(absurd.any((0, 1))):
        x[..., feature][absurd[..., feature]] = np.median(x[..., feature])
    return dataclasses.replace(recording, x=x)


def where_absurd(evidence: Evidence, recording: Recording, absurd: np.ndarray) -> str:
    """Say which value is absurd, of which feature, at which step of which robot, and how many others are."""
    step, robot, feature = (int(each) for each in np.argwhere(absurd)[0])
    usual = recording.x[..., feature][~absurd[..., feature]]
    others = int(absurd.sum()) - 1
    more = f" (and {counted(others, 'other value')})" if others else ""
    value = large(float(recording.x[step, robot, feature]))
    said = f"{evidence.names[feature]} is {value} at {recording.place(step, robot)}{more}"
    return f"{said}, else from {short(usual.min())} to {short(usual.max())}"
