"""Edits that turn the source of a right answer into an answer that has a mistake and can be run."""

from __future__ import annotations

import ast
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Answer = Callable[..., Any]  # a function, or a class
Edit = tuple[
    int, int, str
]  # start and end in the source, in characters, and the text that replaces what is between them
Edits = tuple[Edit, ...]  # edits that do not overlap


@dataclass(frozen=True, eq=False)
class Source:
    """The source of a right answer, which can be edited and run.

    Args:
        text: The source of one function or class.
        name: Name of the function or class.
        known: The names defined in its module, with their values, so that the source can use them.
    """

    text: str
    name: str
    known: Mapping[str, Any]

    @classmethod
    def of(cls, reference: Answer) -> Source:
        """Return the source of a function or class that is defined in a module."""
        return cls(inspect.getsource(reference), reference.__name__, vars(inspect.getmodule(reference)))

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of the source."""
        return ast.parse(self.text)

    def find(self, changes: Mapping[str, str]) -> Edits:
        """Return the edits that replace old texts with new ones.

        Raises:
            ValueError: If an old text does not occur exactly once in the source, or if two old texts overlap.
        """
        edits = []
        for old, new in changes.items():
            if (number := self.text.count(old)) != 1:
                raise ValueError(
                    f"changes: expected {old!r} once in the source of {self.name}, found it {number} times"
                )
            start = self.text.index(old)
            edits.append((start, start + len(old), new))
        if not disjoint(edits):
            raise ValueError(f"changes: expected texts that do not overlap, got {', '.join(map(repr, changes))}")
        return tuple(edits)

    def at(self, node: ast.AST, new: str) -> Edit:
        """Return the edit that replaces a node of the tree with a text."""
        return *self.span(node), new

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return the index of a node's first character, and the index after its last character."""
        lines = self.text.splitlines(keepends=True)
        ends = []
        for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)):  # type: ignore[attr-defined]
            before = lines[line - 1].encode()[:column].decode()  # ast counts columns in bytes
            ends.append(sum(map(len, lines[: line - 1])) + len(before))
        return ends[0], ends[1]

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the source with the edits made."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):  # from the end, so that earlier positions stay valid
            text = text[:start] + new + text[end:]
        return text

    def answer(self, edits: Iterable[Edit]) -> Answer:
        """Return the function or class with the edits made.

        Raises:
            SyntaxError: If the edited source is not valid Python.
        """
        names = dict(self.known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an edit can cause a SyntaxWarning, such as for `1 is 1`
            exec(compile(self.edited(edits), f"<{self.name}, edited>", "exec"), names)
        made: Answer = names[self.name]
        return made


def disjoint(edits: Iterable[Edit]) -> bool:
    """Whether the edits do not overlap, so that all of them can be made."""
    ends = sorted((start, end) for start, end, _ in edits)
    return all(end <= start for (_, end), (start, _) in itertools.pairwise(ends))
