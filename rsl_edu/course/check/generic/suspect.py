"""What the automatic changes have in common: the record of one, and how its sentence begins."""

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
        headline: What the answer returns if it returns what the suspect returns.
        why: What to look at next.
        edits: The changes of the source that make it.
    """

    name: str
    headline: str
    why: str
    edits: Edits


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield the function of a source, or the methods of its class."""
    for node in tree.body:
        yield from (each for each in getattr(node, "body", ()) if isinstance(node, ast.ClassDef) and _is_function(each))
        if isinstance(node, ast.FunctionDef):
            yield node


def body(function: Function) -> list[ast.stmt]:
    """Return the statements of a function after its docstring."""
    return function.body[ast.get_docstring(function) is not None :]


def arguments(function: Function) -> list[ast.arg]:
    """Return the arguments of a function, without ``self``."""
    return [each for each in (*function.args.args, *function.args.kwonlyargs) if each.arg != "self"]


def what_comes_out(outputs: Sequence[str], clause: str) -> str:
    """Write the sentence about all outputs."""
    verb = "are" if len(outputs) > 1 else "is"
    return f"your {listed(outputs) if outputs else 'result'} {verb} what comes out when {clause}."


def listed(names: Iterable[str]) -> str:
    """Write names as a list: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def quoted(names: Iterable[str]) -> str:
    """Write names as a list, each as code."""
    return listed(f"`{name}`" for name in names)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef)
