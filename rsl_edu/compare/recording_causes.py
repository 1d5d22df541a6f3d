"""Which differences are looked for, in the order in which no one hides or feigns another, and what they mean."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from rsl_edu.number_format import short

from . import recording_values as values
from .recording_alignment import Repair, none
from .recording_kinds import Evidence, Found, UncheckedError
from .recording_terms import swapped

MOST = 40
"""The most differences that a test may find."""
TOGETHER = 0.6
"""Share of a term's features that must be late for all of it to be late."""


@dataclasses.dataclass(frozen=True)
class Meaning:
    """A row of the table of differences.

    Attributes:
        title: Name of the difference.
        threshold: From where on it is one.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change.
    """

    title: str
    threshold: str
    meaning: str
    lesson: int
    change: str


def late_velocities(evidence: Evidence) -> Iterator[Found]:
    """Look for velocities that fit the change of their positions some steps later, or the other way round."""
    evidence.require_time()
    by_term: dict[tuple[str, int], list[int]] = {}
    known: dict[str, set[int]] = {}
    for change in evidence.changes:
        for feature, late in ((change.pair.velocity, change.late), (change.pair.position, -change.late)):
            term = evidence.block_of(feature).name
            known.setdefault(term, set()).add(feature)
            if late > 0:
                by_term.setdefault((term, late), []).append(feature)
    for (term, late), features in by_term.items():
        if len(features) >= TOGETHER * len(known[term]):
            block = next(block for block in evidence.blocks if block.name == term)
            order, lates, sign = none(len(evidence.names))
            lates[[column for column in block.columns if column not in evidence.closed]] = late
            repair = Repair("lag", order, lates, sign)
            figure = f"{_steps(late)} late: they fit the change of their positions (or velocities) {_steps(late)} earlier"
            yield Found("lag", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def alignment(evidence: Evidence) -> Iterator[Found]:
    """Look for signs, lags and places of features with which they go together as in the first recording."""
    repair = evidence.repair
    if repair is None:
        return
    at = tuple(repair.features.tolist())
    if (repair.kind, at) in evidence.undone:
        return
    figure = {"sign": _signs, "lag": _lags, "order": _places}[repair.kind](evidence, repair)
    agreement = f"; agreement with the other features {short(repair.before, 2)}, and {short(repair.after, 2)} when undone"
    yield Found(repair.kind, at, figure + agreement, repair.of(evidence.second))


def moved_terms(evidence: Evidence) -> Iterator[Found]:
    """Look for two terms that look as if they had changed places, however the robot moves."""
    if not evidence.named or evidence.explained:
        return
    order = swapped(evidence.first, evidence.second, evidence.blocks)
    if order is not None:
        _, late, sign = none(len(order))
        repair = Repair("order", order, late, sign)
        figure = f"{_places(evidence, repair)}; told by mean, size and speed"
        yield Found("order", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def _signs(evidence: Evidence, repair: Repair) -> str:
    return "they go with the other features as in the first, but with the opposite sign"


def _lags(evidence: Evidence, repair: Repair) -> str:
    return f"{_steps(int(repair.late.max()))} late against the other features"


def _places(evidence: Evidence, repair: Repair) -> str:
    """Say where the features of the first are in the second."""
    block_of = {column: block for block in evidence.blocks for column in block.columns}
    said, order = [], repair.order
    for block in evidence.blocks if evidence.named else ():
        columns = list(block.columns)
        moved = [column for column in columns if order[column] != column]
        if not moved:
            continue
        goals = [block_of[int(order[column])] for column in columns]
        if all(goal is block for goal in goals):
            inside = [columns.index(int(order[column])) for column in columns]
            said.append(f"{block.name} [{', '.join(map(str, range(len(columns))))}] of the first is {inside} of the second")
        elif len({id(goal) for goal in goals}) == 1:
            said.append(f"{block.name} of the first is where {goals[0].name} should be")
        else:
            said.append(_one_by_one(evidence, repair, moved))
    return "; ".join(said) if said else _one_by_one(evidence, repair, repair.features.tolist())


def _one_by_one(evidence: Evidence, repair: Repair, moved: list[int]) -> str:
    pairs = [f"{evidence.names[column]} is at {evidence.names[int(repair.order[column])]}" for column in moved]
    return ", ".join([*pairs[:6], *([f"and {len(pairs) - 6} more"] if len(pairs) > 6 else [])])


def _steps(number: int) -> str:
    return f"{number} step{'s' if number > 1 else ''}"


TESTS: tuple[tuple[str, Callable[[Evidence], Iterator[Found]], bool], ...] = (
    ("constant", values.constant, True),
    ("held", values.held, True),
    ("normalised", values.normalised, True),
    ("length of vectors", values.length, True),
    ("lag", late_velocities, True),
    ("order, sign, lag", alignment, True),
    ("order, sign, lag", moved_terms, True),
    ("scale", values.scale, True),
    ("time step", values.rate, True),
    ("clipped", values.clipped, True),
    ("noise", values.noise, False),
    ("clipped", values.unclipped, False),
    ("shift", values.shift, False),
    ("motion", values.motion, False),
)
"""What the report calls each test, the test, and whether what it finds cannot follow from another difference."""


def differences(evidence: Evidence) -> tuple[list[Found], list[str], dict[str, str], Evidence]:
    """Make all tests, each on the second recording as the ones before it repaired it.

    Where something has been found that cannot be a consequence, what can be one is not looked for: with one wrong
    input, the robot goes elsewhere, and all others follow.

    Returns:
        What was found; the tests that found nothing; why others could not be made; and what is left.
    """
    found: list[Found] = []
    absent: list[str] = []
    unchecked: dict[str, str] = {}
    for name, test, first_hand in TESTS:
        before = len(found)
        if found and not first_hand:
            unchecked[name] = "undo the difference above, and compare again"
            continue
        try:
            while len(found) < before + MOST:
                step = list(_until_repaired(test(evidence)))
                for each in step:
                    evidence = evidence.after(each)
                found += step
                if not step or step[-1].second is None:
                    break
        except UncheckedError as error:
            unchecked[name] = str(error)
            continue
        if len(found) == before and name not in absent:
            absent.append(name)
    return found, absent, unchecked, evidence


def _until_repaired(found: Iterator[Found]) -> Iterator[Found]:
    """Yield up to the first that changes what is looked at."""
    for each in found:
        yield each
        if each.second is not None:
            return
