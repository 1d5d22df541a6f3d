"""The generic mistakes: those that can be made in any right answer, made automatically from its source."""

from __future__ import annotations

from collections.abc import Sequence

from ..edits import Source
from .arguments import argument_suspects
from .formula import formula_suspects
from .results import result_suspects
from .suspect import Suspect

__all__ = ["Suspect", "suspects"]


def suspects(source: Source, outputs: Sequence[str] = ()) -> list[Suspect]:
    """Return mistakes made in a right answer, the likeliest kinds first; each is another source.

    Args:
        source: The right answer.
        outputs: Names of what it returns.
    """
    made = (*result_suspects(source, outputs), *argument_suspects(source, outputs), *formula_suspects(source, outputs))
    return list({source.edited(suspect.edits): suspect for suspect in reversed(made)}.values())[::-1]
