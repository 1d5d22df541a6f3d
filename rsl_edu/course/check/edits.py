"""A mistake is an edit of the right answer: its source with something changed, ready to run."""

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
Edit = tuple[int, int, str]  # from this character of the source to that one stands this text instead
Edits = tuple[Edit, ...]  # none overlaps another


@dataclass(frozen=True, eq=False)
class Source:
    """The source of a right answer, which can be changed and run.

    Args:
        text: The source: one function or class.
        name: Its name.
        known: What the names in it mean: those of its module.
    """

    text: str
    name: str
    known: Mapping[str, Any]

    @classmethod
    def of(cls, reference: Answer) -> Source:
        """The source of a function or class that is defined in a module."""
        return cls(inspect.getsource(reference), reference.__name__, vars(inspect.getmodule(reference)))

    @cached_property
    def tree(self) -> ast.Module:
        """The source as a tree."""
        return ast.parse(self.text)

    def find(self, changes: Mapping[str, str]) -> Edits:
        """Return the edits for old texts and what stands in their place.

        Raises:
            ValueError: If an old text is not in the source exactly once, or two of them overlap.
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
        """Return the edit that puts a text in the place of a node of the tree."""
        return *self.span(node), new

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return the first character of a node, and the one after its last."""
        lines = self.text.splitlines(keepends=True)
        ends = []
        for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)):  # type: ignore[attr-defined]
            before = lines[line - 1].encode()[:column].decode()  # the columns of a tree count bytes
            ends.append(sum(map(len, lines[: line - 1])) + len(before))
        return ends[0], ends[1]

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the source after edits."""
        text = self.text
        for start, end, new in sorted(edits, reverse=True):  # from the end on: places before it stay
            text = text[:start] + new + text[end:]
        return text

    def answer(self, edits: Iterable[Edit]) -> Answer:
        """Return the function or class after edits.

        Raises:
            SyntaxError: If it is no Python any more.
        """
        names = dict(self.known)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an edit may look odd to Python, such as `1 is 1`
            exec(compile(self.edited(edits), f"<{self.name}, edited>", "exec"), names)
        made: Answer = names[self.name]
        return made


def disjoint(edits: Iterable[Edit]) -> bool:
    """Whether no edit overlaps another, so that all can be made at once."""
    ends = sorted((start, end) for start, end, _ in edits)
    return all(end <= start for (_, end), (start, _) in itertools.pairwise(ends))
