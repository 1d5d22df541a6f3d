"""Features that are late, have another sign, or are in another place."""

from __future__ import annotations

from collections.abc import Iterator

from rsl_edu.number_format import counted, short

from .alignment import none
from .evidence import Evidence, Found
from .pairs import COPIED, copies
from .repairs import Repair
from .terms import swapped

TOGETHER = 0.6
"""Share of a term's features that must be late for all of it to be late."""


def late_velocities(evidence: Evidence) -> Iterator[Found]:
    """Look for velocities that fit the change of their positions some steps later, or the other way round."""
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
            figure = f"{_steps(evidence, late)} late against their positions, velocities or copies"
            yield Found("lag", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def moved_copies(evidence: Evidence) -> Iterator[Found]:
    """Look for recorded actions whose copies are in the place of another term."""
    return _copies(evidence, False)


def reordered_copies(evidence: Evidence) -> Iterator[Found]:
    """Look for recorded actions whose copies are in another order, where the order of no other term shows it."""
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
    figure = f"{_places(evidence, repair)}; told by the copies of recorded actions"
    yield Found("order", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def alignment(evidence: Evidence) -> Iterator[Found]:
    """Look for signs, lags and places of features with which they go together as in the first recording."""
    evidence.require_length()
    repair = evidence.repair
    if repair is None:
        return
    figure = _said(evidence, repair)
    agreement = f"agreement with the other features {short(repair.before)}, {short(repair.after)} when undone"
    yield Found(repair.kind, tuple(repair.features.tolist()), f"{figure}; {agreement}", repair.of(evidence.second))


def _said(evidence: Evidence, repair: Repair) -> str:
    """Say what a repair undoes; where another does as well, both, and no map that might be the wrong one."""
    if repair.rival is None:
        return {
            "sign": "they go with the other features as in the first, but with the opposite sign",
            "lag": f"{_steps(evidence, int(repair.late.max()))} late against the other features",
            "order": _settled_places(evidence, repair) if repair.kind == "order" else "",
        }[repair.kind]
    kinds = {repair.kind, repair.rival.kind}
    if kinds == {"order"}:
        return "in other places; more than one order does as well, so no map is given"
    sign = repair if repair.kind == "sign" else repair.rival
    flipped = f"or {evidence.spoken(sign.features.tolist())} have the opposite sign"
    return f"legs or sides have changed places, {flipped}: in a regular gait, both explain it equally well"


def moved_terms(evidence: Evidence) -> Iterator[Found]:
    """Look for two terms that look as if they had changed places, however the robot moves."""
    evidence.require_length()
    if not evidence.named or evidence.explained:
        return
    order = swapped(evidence.first, evidence.second, evidence.blocks)
    if order is not None:
        _, late, sign = none(len(order))
        repair = Repair("order", order, late, sign)
        figure = f"{_places(evidence, repair)}; told by mean, size and speed"
        yield Found("order", tuple(repair.features.tolist()), figure, repair.of(evidence.second))


def _settled_places(evidence: Evidence, repair: Repair) -> str:
    """Say where the features are, as far as more than a regular gait tells it."""
    moved = repair.features.tolist()
    if repair.sure is None or repair.sure >= set(moved):
        return _places(evidence, repair)
    said = _one_by_one(evidence, repair, [i for i in moved if i in repair.sure])
    return f"{said + '; ' if said else ''}a regular gait does not tell the places of the others"


def _places(evidence: Evidence, repair: Repair) -> str:
    """Say where the features of the first are in the second."""
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
