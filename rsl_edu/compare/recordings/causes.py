"""Tests for differences, in an order in which no difference hides or imitates a later one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from . import falls, limits, noise, orders, rotations, scales, spikes, values
from .evidence import Evidence, Found, UncheckedError

MOST = 40
"""Largest number of differences that one test may find."""
TESTS: tuple[tuple[str, Callable[[Evidence], Iterator[Found]], bool], ...] = (
    ("spike", spikes.spikes, True),
    ("constant", values.constant, True),
    ("fallen", falls.fallen, True),
    ("held", values.held, True),
    ("normalized", values.normalized, True),
    ("length of vectors", scales.length, True),
    ("order, sign", rotations.rotations, True),
    ("time step", scales.rate, True),
    ("order, sign", orders.moved_copies, True),
    ("lag", orders.late_velocities, True),
    ("order, sign", orders.alignment, True),
    ("order, sign", orders.reordered_copies, True),
    ("order, sign", orders.moved_terms, True),
    ("scale", scales.scale, True),
    ("clipped", limits.clipped, True),
    ("noise", noise.noise, False),
    ("clipped", limits.unclipped, False),
    ("shift", values.shift, False),
    ("scale", scales.scale_of_most, False),
    ("motion", values.motion, False),
)
"""For each test: its name in the report, its function, and True if it finds only causes, never their effects."""


def differences(evidence: Evidence) -> tuple[list[Found], list[str], dict[str, str], Evidence]:
    """Run all tests, each on the second recording as repaired by the tests before it.

    Once a difference has been found that cannot be an effect of another, tests for possible effects are skipped: with
    one wrong input, the robot moves differently, and all other features change with it.

    Returns:
        The differences; the names of tests that found nothing; why other tests could not run; and the remaining
        evidence.
    """
    found: list[Found] = []
    absent: dict[str, bool] = {}
    unchecked: dict[str, str] = {}
    for name, test, first_hand in TESTS:
        before = len(found)
        if any(each.kind == "time step" for each in found):
            unchecked[name] = "needs recordings with the same time step"
            continue
        if found and not first_hand:
            unchecked.setdefault(name, "may be an effect of the difference above: fix that, and compare again")
            continue
        try:
            while len(found) < before + MOST:
                fresh = (each for each in test(evidence) if (each.kind, each.features) not in evidence.undone)
                step = list(_until_repaired(fresh))
                for each in step:
                    evidence = evidence.after(each)
                found += step
                if not step or step[-1].second is None:
                    break
        except UncheckedError as error:
            unchecked[name] = str(error)
            continue
        absent[name] = absent.get(name, True) and len(found) == before
    if "order, sign" in absent and "order, sign" not in unchecked and evidence.loose.any():
        loose = evidence.spoken(np.flatnonzero(evidence.loose))
        unchecked[f"order, sign, lag of {loose}"] = "they correlate with no other feature"
    return found, [name for name, nothing in absent.items() if nothing and name not in unchecked], unchecked, evidence


def _until_repaired(found: Iterator[Found]) -> Iterator[Found]:
    """Yield differences up to the first difference that was undone in the second recording."""
    for each in found:
        yield each
        if each.second is not None:
            return
