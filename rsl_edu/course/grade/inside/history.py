"""The history of a kernel: ``In``, ``Out`` and ``_``, by execution count."""

from __future__ import annotations

from typing import Any


class History:
    """The history of a notebook that is run from top to bottom.

    Args:
        names: Namespace of the notebook, to which the history is added.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self._in, self._out = [""], dict[int, Any]()
        self._empty = 0  # cells without code
        names |= {"In": self._in, "_ih": self._in, "Out": self._out, "_oh": self._out}

    def count(self, number: int, source: str) -> None:
        """Store the source of a cell under its execution count; empty cells do not count.

        Args:
            number: Number of the cell, from 1; 0 for a cell that is not in the notebook.
            source: Its code.
        """
        if number and source.strip():
            place = number - self._empty
            self._in += [""] * (place - len(self._in)) + [source]
        elif number:
            self._empty += 1

    def remember(self, value: Any, names: dict[str, Any]) -> None:
        """Store the last value of the newest cell.

        Args:
            value: The value; None is not stored.
            names: Namespace in which the code ran: the notebook's, or the namespace of a file, which has no history.
        """
        if value is not None and "Out" in names:
            names |= {"___": names.get("__"), "__": names.get("_"), "_": value}
            self._out[len(self._in) - 1] = names[f"_{len(self._in) - 1}"] = value
