"""The code of a notebook, as the grader sees it: which cells it runs, and what it has to say of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        number: Its place among the code cells of the notebook, from 1; 0 for a cell of the assignment that it lacks.
        source: Its code.
        handed: Whether it stands in the assignment as it is here: what it defines is no answer.
        only_names: Whether only its definitions, imports and plain assignments run: it shows something else.
    """

    number: int
    source: str
    handed: bool = False
    only_names: bool = False


@dataclass(frozen=True)
class Note:
    """Something of a cell that did not run, or not as in a notebook.

    Attributes:
        cell: Number of the cell, from 1.
        kind: ``raised``, ``stopped``, ``syntax``, ``module`` for a missing module, ``line`` for a magic or shell line.
        text: What happened, to be read after "code cell 3": ``raised ValueError: 3``.
        line: The line of the notebook, if there is one.
    """

    cell: int
    kind: str
    text: str
    line: str = ""

    def __str__(self) -> str:
        """The whole, in a line."""
        return f"code cell {self.cell} {self.text}" + (f": {self.line}" if self.line else "")
