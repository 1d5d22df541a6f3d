"""Comparison of two recordings of observations: one from training, one from play or the robot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rsl_edu.number_format import counted
from rsl_edu.run_folder import RunSettings

from .causes import differences
from .comparison import RecordingComparison
from .data import SENT, Recording, Stored, blocks, read, recording
from .evidence import LONG, Evidence, Found
from .pairs import find_pairs, paired_blocks
from .policy import judged_by_policy
from .sizes import compared_features, difference
from .spikes import absurd_values, where_absurd, without
from .values import SHIFT, SURE, kept

FIGURES = 2
"""Largest number of figures to report for one kind of difference if features have no names."""


def compare_recordings(
    first: Any,
    second: Any,
    settings: RunSettings | None = None,
    names: Sequence[str] = (),
    dt: float | None = None,
    checkpoint: str | Path | None = None,
) -> RecordingComparison:
    """Report, for each feature, how the second recording differs from the first, beyond the usual variation.

    The first recording is the reference, from training. The tests use relations that are true in it: vectors of
    constant length, positions and their velocities, and correlations of all features. These do not change when a robot
    merely goes somewhere else.

    Args:
        first: A path to observations, or the result of :func:`rsl_edu.diagnosis.load`: ``[time, envs, features]``, a
            table ``[samples, features]``, or a dictionary of these with ``actions`` and ``dones`` if recorded.
        second: A recording from play or from the robot, in the same form.
        settings: Settings of the run, for the names of the features, as returned by
            :func:`rsl_edu.run_folder.run_settings`.
        names: Names of the features, such as ``joint_vel[3]``, which replace those from the settings.
        dt: Seconds between two steps of the first recording, to report lags and rates in seconds.
        checkpoint: A checkpoint that may have acted in both recordings. The report then shows which recording fits its
            normalizer, and whether the recorded actions are its own.

    Raises:
        TypeError, ValueError: The input is not a recording, or there are too many or too few names; the message states
            what is expected.
        OSError: A file cannot be read.
    """
    if dt is not None and not dt > 0:
        raise ValueError(f"dt: expected seconds above 0, got {dt}")
    given = read(first, "first"), read(second, "second")
    acted = _acted(given)
    named, source = _names(given, settings, names)
    about = {"first": _described(given[0]), "second": _described(given[1]), "names": source}
    sized, (at, other) = compared_features(given, named)
    more, said, unsettled = ([], [], {}) if checkpoint is None else judged_by_policy(checkpoint, given, settings)
    said += _read(given)
    if not len(at):
        missing = {"everything else": "needs the same features in both", **unsettled}
        return RecordingComparison(about, (*sized, *more), tuple(said), unchecked=missing)
    here, there = recording(given[0], acted, at), recording(given[1], acted, other)
    every = tuple(named[column] if named else f"feature {column}" for column in at)
    every += tuple(f"{SENT}[{i}]" for i in range(here.x.shape[2] - len(at)))
    terms = blocks(every) if named else paired_blocks(find_pairs(here), every)
    evidence, notes = _without_spikes(Evidence(here, there, every, bool(named), terms, dt=dt))
    found, absent, unchecked, left = differences(evidence)
    if not named:
        found = _merged(found)
    places = [_of(each, at, given[0].x.shape[2]) for each in found]
    spoken = [left.spoken(each.features) for each in found]
    rows = zip((each.kind for each in found), spoken, (each.figure for each in found), places, strict=True)
    seen = (*sized, *(difference(*row) for row in rows), *more)
    notes += [*_followers(left, found), *_kept(evidence), *_short(given, (here, there))]
    conclusive = min(here.steps, there.steps) >= LONG
    return RecordingComparison(about, seen, (*said, *notes), tuple(absent), {**unchecked, **unsettled}, conclusive)


def _acted(given: tuple[Stored, Stored]) -> bool:
    """Return whether both recordings have the same number of actions, and rows in the order of time."""
    numbers = {None if each.actions is None else each.actions.shape[2] for each in given}
    return len(numbers) == 1 and None not in numbers and all(each.ordered for each in given)


def _names(
    given: tuple[Stored, Stored], settings: RunSettings | None, names: Sequence[str]
) -> tuple[tuple[str, ...], str]:
    """Return the names of the first recording's features, and where the names come from, in words."""
    features = given[0].x.shape[2]
    if names:
        if len(names) != features:
            wanted = f"{features}, one for each feature of the first recording"
            raise ValueError(f"names: expected {wanted}, got {len(names)}")
        return tuple(names), "given"
    if given[0].names:
        return given[0].names, f"from the parts of {given[0].source}"
    acts = next((each.actions.shape[2] for each in given if each.actions is not None), None)
    if settings is None:
        return (), "none (features are counted from 0); for names, give --config agent.yaml with env.yaml next to it"
    found = settings.feature_names(features, acts) if acts is not None else _guess(settings, features)
    if found:
        return found, f"from {settings.names_source}"
    if settings.names_source:
        return (), f"none ({settings.names_source} is ignored, because its terms do not add up to {features} features)"
    return (), "none (there is no env.yaml next to the configuration or in its folder params)"


def _guess(settings: RunSettings, features: int) -> tuple[str, ...]:
    """Return names for a recording without actions, if exactly one number of actions fits."""
    fitting = {found for acts in range(1, features) if (found := settings.feature_names(features, acts))}
    return fitting.pop() if len(fitting) == 1 else ()


def _of(found: Found, at: np.ndarray, features: int) -> tuple[int, ...]:
    """Return the indices of features in the first recording as given, in which actions follow the observations."""
    return tuple(int(at[i]) if i < len(at) else i - len(at) + features for i in found.features)


def _merged(found: Sequence[Found]) -> list[Found]:
    """Join differences of one kind, because without names the features of one term are reported separately.

    Differences that were undone one by one are not joined, because each has its own figure.
    """
    merged: dict[object, list[Found]] = {}
    for number, each in enumerate(found):
        merged.setdefault(each.kind if each.second is None else number, []).append(each)
    return [_joined(group) for group in merged.values()]


def _joined(group: Sequence[Found]) -> Found:
    figures = [each.figure for each in group]
    more = [f"and {counted(len(group) - FIGURES, 'more run')} of features"] if len(group) > FIGURES else []
    features = tuple(sorted(feature for each in group for feature in each.features))
    return dataclasses.replace(group[0], features=features, figure="; ".join([*figures[:FIGURES], *more]))


def _followers(evidence: Evidence, found: Sequence[Found]) -> list[str]:
    """Report how many other features differ after a cause was found."""
    s = evidence.statistics
    away = np.abs(s.shift) > np.maximum(SHIFT, SURE * s.shift_error)
    away |= np.abs(s.spread) > np.maximum(np.log(2), SURE * s.spread_error)
    away &= evidence.unexplained & ~evidence.free
    if not found or not away.any():
        return []
    others, have = counted(int(away.sum()), "other feature"), "has" if away.sum() == 1 else "have"
    return [f"{others} also {have} a different mean or std, because the robot moves differently with a wrong input"]


def _without_spikes(evidence: Evidence) -> tuple[Evidence, list[str]]:
    """Remove absurd values from the first recording, and report where these values were."""
    absurd = absurd_values(evidence.first, evidence.second)
    if not absurd.any():
        return evidence, []
    said = f"left out of the first recording: {where_absurd(evidence, evidence.first, absurd)}"
    return dataclasses.replace(evidence, first=without(evidence.first, absurd)), [said]


def _read(given: tuple[Stored, Stored]) -> list[str]:
    """Return remarks on input that was ignored or reinterpreted."""
    pairs = zip(("first", "second"), given, strict=True)
    return [f"{name}: {remark}" for name, stored in pairs for remark in stored.remarks]


def _kept(evidence: Evidence) -> list[str]:
    """Name constant features that do not count as a difference."""
    said, still, may_rest = [], evidence.statistics.constant, kept(evidence)
    for which, name in enumerate(("first", "second")):
        if (rested := still[which] & may_rest).any():
            said.append(f"{evidence.spoken(np.flatnonzero(rested))} never changed in the {name}")
    reason = "which is normal for a command, a one-hot code or a contact"
    return [f"{', '.join(said)}, {reason}"] if said else []


def _short(given: tuple[Stored, Stored], compared: tuple[Recording, Recording]) -> list[str]:
    """Report recordings that are too short for a verdict."""
    said = []
    for name, stored, each in zip(("first", "second"), given, compared, strict=True):
        if each.steps < LONG:
            time, envs = stored.x.shape[:2]
            short = f"the {name} has only {counted(time, 'step')} of {counted(envs, 'robot')}"
            needs = f"a verdict needs {LONG + 1} steps of one robot, or {LONG + 1} samples of several robots"
            said.append(f"{short}: {needs}; only relations that are true at every step were checked")
    return said


def _described(given: Stored) -> str:
    time, envs, features = given.x.shape
    size = (
        f"{time:,} steps of {counted(envs, 'robot')}"
        if given.ordered
        else f"{time * envs:,} samples, not in the order of time"
    )
    acts = "" if given.actions is None else f", {counted(given.actions.shape[2], 'action')}"
    dones = "" if given.dones is None else f", {counted(int(given.dones.sum()), 'end')} of episodes"
    return f"{given.source}: {size}, {counted(features, 'feature')}{acts}{dones}"
