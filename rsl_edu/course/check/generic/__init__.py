"""The generic mistakes: they can occur in any exercise, and are made automatically from its right answer."""

from __future__ import annotations

from collections.abc import Sequence

from ..edits import Source
from .arguments import argument_suspects
from .formula import formula_suspects
from .results import result_suspects
from .suspect import Suspect

__all__ = ["Suspect", "suspects"]


def suspects(source: Source, outputs: Sequence[str] = (), told: Sequence[str] | None = None) -> list[Suspect]:
    """Return the generic mistakes that can be made in a right answer, the likeliest kinds first.

    No two of them have the same source.

    Args:
        source: The right answer.
        outputs: Names of what it returns.
        told: The outputs that are named in the sentences about the answer as a whole; all by default.
    """
    told = outputs if told is None else told
    made = (*result_suspects(source, outputs), *argument_suspects(source, told), *formula_suspects(source, told))
    return list({source.edited(suspect.edits): suspect for suspect in reversed(made)}.values())[::-1]
