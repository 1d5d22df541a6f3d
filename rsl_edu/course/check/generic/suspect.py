"""The record of a mistake that was made automatically, and the parts that all such mistakes share."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..edits import Edits

Function = ast.FunctionDef


@dataclass(frozen=True)
class Suspect:
    """A mistake that was made automatically.

    Args:
        name: Its kind, short and stable: ``sum-for-mean``.
        headline: A sentence that says what an answer with this mistake returns.
        why: What to check next.
        edits: The changes in the source that make the mistake.
    """

    name: str
    headline: str
    why: str
    edits: Edits


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield the function of a source, or the methods of its class."""
    for node in tree.body:
        for each in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(each, ast.FunctionDef):
                yield each


def body(function: Function) -> list[ast.stmt]:
    """Return the statements of a function after its docstring."""
    return function.body[ast.get_docstring(function) is not None :]


def arguments(function: Function) -> list[ast.arg]:
    """Return the arguments of a function, without ``self``."""
    return [each for each in (*function.args.args, *function.args.kwonlyargs) if each.arg != "self"]


def what_comes_out(outputs: Sequence[str], clause: str, where: str = "") -> str:
    """Write the sentence about all outputs; ``where`` is left out if the sentence would become too long."""
    verb = "are" if len(outputs) > 1 else "is"
    sentence = f"your {listed(outputs) if outputs else 'result'} {verb} what you get when {clause}"
    return f"{sentence}{where if len(sentence + where) < 160 else ''}."


def listed(names: Iterable[str]) -> str:
    """Write names as a list such as ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def quoted(names: Iterable[str]) -> str:
    """Write names as a list, each as code."""
    return listed(f"`{name}`" for name in names)
