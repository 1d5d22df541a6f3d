"""Tests for features that are late, have the opposite sign, or are at a different position."""

from __future__ import annotations

from collections.abc import Iterator

from rsl_edu.number_format import counted, short

from .alignment import none
from .evidence import Evidence, Found
from .pairs import COPIED, copies
from .repairs import Repair
from .terms import swapped

TOGETHER = 0.6
"""If at least this share of a term's features is late, the entire term counts as late."""


def late_velocities(evidence: Evidence) -> Iterator[Found]:
    """Find velocities that match the change of their positions some steps later, or positions that are late."""
    evidence.require_time()
    late_by: dict[tuple[str, int], list[int]] = {}
    known: dict[str, set[int]] = {}
    for change in evidence.changes:
        for feature, late in ((change.pair.velocity, change.late), (change.pair.position, -change.late)):
            term = evidence.block_of(feature).name
            known.setdefault(term, set()).add(feature)
            if late > 0:
                late_by.setdefault((term, late), []).append(feature)
    for (term, late), features in late_by.items():
        if len(features) >= TOGETHER * len(known[term]):
            block = next(block for block in evidence.blocks if block.name == term)
            order, lates, sign = none(len(evidence.names))
            lates[[column for column in block.columns if column not in evidence.closed]] = late
            repair = Repair("lag", order, lates, sign)
            figure = f"{_steps(evidence, late)} late relative to the matching positions, velocities or copies"
            yield Found("lag", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def moved_copies(evidence: Evidence) -> Iterator[Found]:
    """Find recorded actions whose copies have swapped positions with another term."""
    return _copies(evidence, False)


def reordered_copies(evidence: Evidence) -> Iterator[Found]:
    """Find recorded actions whose copies are in a different order, if no other term shows this order."""
    return _copies(evidence, True)


def _copies(evidence: Evidence, inside: bool) -> Iterator[Found]:
    evidence.require_time()
    at = copies(evidence.second)
    gone = [each.pair for each in evidence.changes if each.pair.copied and each.fits.max() < COPIED]
    there = {p.position: int(at[p.velocity]) for p in gone if at[p.velocity] in range(evidence.first.observed)}
    if len(there) < 2 or len(set(there.values())) < len(there):
        return
    order, late, sign = none(len(evidence.names))
    displaced, free = sorted(set(there.values()) - set(there)), sorted(set(there) - set(there.values()))
    if bool(displaced) == inside:
        return
    order[[*there, *displaced]] = [*there.values(), *free]
    repair = Repair("order", order, late, sign)
    figure = f"{_places(evidence, repair)}; found from the copies of recorded actions"
    yield Found("order", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def alignment(evidence: Evidence) -> Iterator[Found]:
    """Find signs, lags and positions with which the features correlate as in the first recording."""
    evidence.require_length()
    repair = evidence.repair
    if repair is None:
        return
    figure = _said(evidence, repair)
    match = f"their correlations match the first with a score of {short(repair.before)} (1 = fully)"
    match += f", or {short(repair.after)} when this is undone"
    yield Found(repair.kind, tuple(repair.features.tolist()), f"{figure}; {match}", repair.of(evidence.second))


def _said(evidence: Evidence, repair: Repair) -> str:
    """Describe a repair. If a second repair is equally good, describe both, but give no order that might be wrong."""
    if repair.rival is None:
        return {
            "sign": "correlated with the other features as in the first recording, but with the opposite sign",
            "lag": f"{_steps(evidence, int(repair.late.max()))} late relative to the other features",
            "order": _settled_places(evidence, repair) if repair.kind == "order" else "",
        }[repair.kind]
    kinds = {repair.kind, repair.rival.kind}
    if kinds == {"order"}:
        return "at different positions; several orders fit equally well, so none is given"
    sign = repair if repair.kind == "sign" else repair.rival
    flipped = f"or {evidence.spoken(sign.features.tolist())} have the opposite sign"
    return f"either legs or sides are swapped, {flipped}: in a regular gait, both fit equally well"


def moved_terms(evidence: Evidence) -> Iterator[Found]:
    """Find two terms whose statistics show that they are swapped, however the robot moves."""
    evidence.require_length()
    if not evidence.named or evidence.explained:
        return
    order = swapped(evidence.first, evidence.second, evidence.blocks)
    if order is not None:
        _, late, sign = none(len(order))
        repair = Repair("order", order, late, sign)
        figure = f"{_places(evidence, repair)}; found from mean, size and speed"
        yield Found("order", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def _settled_places(evidence: Evidence, repair: Repair) -> str:
    """Describe where the features are, leaving out positions that only a regular gait suggests."""
    moved = repair.features.tolist()
    if repair.sure is None or repair.sure >= set(moved):
        return _places(evidence, repair)
    said = _one_by_one(evidence, repair, [i for i in moved if i in repair.sure])
    return f"{said + '; ' if said else ''}in a regular gait, the positions of the others cannot be determined"


def _places(evidence: Evidence, repair: Repair) -> str:
    """Describe where the features of the first recording are in the second."""
    order, said = repair.order, []
    for block in evidence.blocks if evidence.named else ():
        columns = list(block.columns)
        moved = [column for column in columns if order[column] != column]
        goals = {evidence.block_of(int(order[column])) for column in columns}
        if not moved:
            continue
        if goals == {block}:
            inside = ", ".join(str(columns.index(int(order[column]))) for column in columns)
            said.append(f"{block.name} 0 to {len(columns) - 1} of the first are {inside} of the second")
        elif len(goals) == 1:
            said.append(f"{block.name} is where {goals.pop().name} should be")
        else:
            said.append(_one_by_one(evidence, repair, moved))
    return "; ".join(said) if said else _one_by_one(evidence, repair, repair.features.tolist())


def _one_by_one(evidence: Evidence, repair: Repair, moved: list[int]) -> str:
    return ", ".join(f"{evidence.names[i]} is at {evidence.names[int(repair.order[i])]}" for i in moved)


def _steps(evidence: Evidence, number: int) -> str:
    lasting = f" ({short(1000 * number * evidence.dt)} ms)" if evidence.dt else ""
    return counted(number, "step") + lasting
