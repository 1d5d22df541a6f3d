"""Test for single values that no sensor can have measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from rsl_edu.number_format import counted, large, short

from .data import Recording
from .evidence import Evidence, Found

ABSURD = 100.0
"""Smallest distance of an absurd value from the median, relative to the range of all but :data:`FEW` of the samples."""
FEW = 0.02
"""Largest share of the samples that may be absurd, because more of them would not be single values."""
RARE, FURTHER = 0.001, 3.0
"""An absurd value must also be this many times as far from the median as nearly all samples of the other recording."""
SAMPLES = 4000
"""Number of samples from which the usual range is estimated."""


def spikes(evidence: Evidence) -> Iterator[Found]:
    """Find absurd values in the second recording."""
    absurd = absurd_values(evidence.second, evidence.first)
    features = np.flatnonzero(absurd.any((0, 1)))
    if len(features):
        figure = where_absurd(evidence, evidence.second, absurd)
        yield Found("spike", tuple(features.tolist()), figure, without(evidence.second, absurd))


def absurd_values(recording: Recording, other: Recording) -> np.ndarray:
    """Return which values are far outside the range of both recordings, ``[time, envs, features]``, bool.

    Features that are constant in most steps, such as contact forces, are left out, because they jump normally.
    """
    some = [each.flat[np.random.default_rng(0).integers(each.steps, size=SAMPLES)] for each in (recording, other)]
    centre = np.median(some[0], axis=0)
    usual = [np.quantile(np.abs(each - centre), 1 - FEW, axis=0) for each in some]
    rare = np.quantile(np.abs(other.flat - centre), 1 - RARE, axis=0)  # a joint at its limit may leave it occasionally
    limit = np.maximum(ABSURD * np.maximum(*usual), FURTHER * rare)
    jumps = recording.rarely_move() | other.rarely_move() | (limit <= 0)
    return np.asarray((np.abs(recording.x - centre) > limit) & ~jumps)


def without(recording: Recording, absurd: np.ndarray) -> Recording:
    """Return the recording with each absurd value replaced by the feature's median."""
    x = recording.x.copy()
    for feature in np.flatnonzero(absurd.any((0, 1))):
        x[..., feature][absurd[..., feature]] = np.median(x[..., feature])
    return dataclasses.replace(recording, x=x)


def where_absurd(evidence: Evidence, recording: Recording, absurd: np.ndarray) -> str:
    """Describe the first absurd value and where it is, and count the others."""
    step, robot, feature = (int(each) for each in np.argwhere(absurd)[0])
    usual = recording.x[..., feature][~absurd[..., feature]]
    others = int(absurd.sum()) - 1
    more = f" (and {counted(others, 'other value')})" if others else ""
    value = large(float(recording.x[step, robot, feature]))
    said = f"{evidence.names[feature]} is {value} at {recording.place(step, robot)}{more}"
    return f"{said}, otherwise between {short(usual.min())} and {short(usual.max())}"
