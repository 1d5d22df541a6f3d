"""Selection of the features to compare: features that both recordings have, in the newest frame of a history."""

from __future__ import annotations

import numpy as np

from .comparison import Difference
from .data import Stored, blocks, recording, single
from .evidence import Evidence
from .history import chains, frames, holds, pasts, stride
from .meanings import MEANINGS
from .terms import FITS, kept

Columns = tuple[np.ndarray, np.ndarray]
_NONE: Columns = (np.arange(0), np.arange(0))


def difference(kind: str, features: str, figure: str, columns: tuple[int, ...] = ()) -> Difference:
    """Return a difference, with the meaning of its kind."""
    row = MEANINGS[kind]
    return Difference(kind, features, figure, row.threshold, row.meaning, row.change, row.lesson, columns)


def compared_features(given: tuple[Stored, Stored], named: tuple[str, ...]) -> tuple[list[Difference], Columns]:
    """Return differences in layout, and the features to compare in each recording; no features if these are unknown.

    Args:
        given: The recordings.
        named: Names of the first recording's features, or an empty tuple.
    """
    sizes = [each.x.shape[2] for each in given]
    shares = [pasts(recording(each, False)) for each in given]
    found = [chains(share) for share in shares]
    if sizes[0] == sizes[1] and holds(found[0], shares[1]):
        newest = np.array([chain[0] for chain in found[0]])
        return [], (newest, newest)
    if len(found[0]) != len(found[1]):
        if sizes[0] != sizes[1]:
            return _different_size(given, named)
        figure = (
            f"{_frames(found[0])} in the first recording; in the second, the previous values are at different positions"
        )
        return [difference("history", "all features with a history", figure)], _NONE
    newest, other = (np.array([chain[0] for chain in each]) for each in found)
    if sizes[0] != sizes[1]:
        figure = (
            f"{sizes[1]} features with {_frames(found[1])}; in the first recording, {sizes[0]} with {_frames(found[0])}"
        )
        return [difference("size", "the history", figure)], (newest, other)
    where = [_places(stride(each)) for each in found]
    figure = (
        f"the previous value is {where[1]} the newest value, in the first recording {where[0]}; {_frames(found[0])}"
    )
    return [difference("history", "all features with a history", figure)], (newest, other)


def _different_size(given: tuple[Stored, Stored], named: tuple[str, ...]) -> tuple[list[Difference], Columns]:
    """Find the features that the shorter recording lacks."""
    sizes = [each.x.shape[2] for each in given]
    longer = int(sizes[1] > sizes[0])
    long, short = (recording(given[which], False) for which in (longer, 1 - longer))
    is_named = bool(named) and not longer
    names = named if is_named else tuple(f"feature {i}" for i in range(sizes[longer]))
    terms = blocks(names) if is_named else single(names)
    misfit, columns = min(kept(long, short, terms), key=lambda each: each[0])
    gone = np.setdiff1d(np.arange(sizes[longer]), columns)
    figure = f"{sizes[1]} features, {sizes[0]} in the first recording"
    if misfit > FITS:
        figure += "; no part of the longer recording resembles the shorter one, so what is missing is unknown"
        return [difference("size", "the recordings", figure)], _NONE
    words = Evidence(long, long, names, is_named, terms).spoken(gone)
    figure += f"; apart from {words} of the {('first', 'second')[longer]}, the features have similar statistics"
    every = np.arange(sizes[1 - longer])
    missing = difference("size", words, figure, () if longer else tuple(gone.tolist()))
    return [missing], (every, columns) if longer else (columns, every)


def _places(places: int) -> str:
    return f"{abs(places)} columns {'after' if places > 0 else 'before'}" if places else "not found near"


def _frames(found: list[list[int]]) -> str:
    many = frames(found)
    return f"a history of {many} frames" if many > 1 else "no history"
