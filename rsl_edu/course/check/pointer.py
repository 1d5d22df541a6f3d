"""Where in a learner's code a mistake is: the line that reads as the mistake does, or the first step that differs."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

from .edits import Answer, Edits, Source
from .trial import as_tensor

_SMALL = 5  # nodes of a tree: what is smaller stands in many lines by chance


def line_of(answer: Answer, source: Source, edits: Edits) -> tuple[int, str] | None:
    """Find the line of an answer that reads as the right answer does after edits; None if there is none, or several.

    The learner's own names for what is in between do not matter.

    Args:
        answer: The learner's function or class.
        source: Source of the right answer.
        edits: The mistake.

    Returns:
        The number of the line in its cell, and the line.
    """
    theirs = [*_statements(answer)] if edits else []
    arguments = {node.arg for node in ast.walk(source.tree) if isinstance(node, ast.arg)}
    for shape in _shapes(source, edits, arguments):
        found = {
            (number, line) for number, line, tree in theirs if any(shape == _shape(node, arguments) for node in tree)
        }
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _shapes(source: Source, edits: Edits, arguments: set[str]) -> Iterator[str]:
    """What to look for: the edited parts with what is around them, the largest first."""
    edited = Source(source.edited(edits), source.name, source.known)
    shift, parts = 0, []
    for start, end, new in sorted(edits):
        inner = new.strip().removeprefix("(").removesuffix(")")  # brackets are no part of the tree
        begin = start + shift + new.find(inner)
        parts.append((begin, begin + len(inner)))
        shift += len(new) - (end - start)
    around = []
    for node in ast.walk(edited.tree):
        if isinstance(node, (ast.expr, ast.Assign, ast.AugAssign, ast.Return)):
            start, end = edited.span(node)
            if any(start <= begin and stop <= end for begin, stop in parts):
                around.append((len([*ast.walk(node)]), _shape(node, arguments)))
    return (shape for size, shape in sorted(around, reverse=True) if size >= _SMALL)


def _shape(node: ast.AST, arguments: set[str]) -> str:
    """A part of a tree as text, whatever the names that are no argument."""
    if isinstance(node, ast.Name):
        return f"name {node.id if node.id in arguments or node.id in ('torch', 'math') else ''}"
    if isinstance(node, ast.AST):
        fields = (value for name, value in ast.iter_fields(node) if name not in ("ctx", "type_comment", "kind"))
        return f"{type(node).__name__}({', '.join(_shape_of(value, arguments) for value in fields)})"
    return repr(node)


def _shape_of(value: Any, arguments: set[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_shape(item, arguments) for item in value)}]"
    return _shape(value, arguments)


def _statements(answer: Answer) -> Iterator[tuple[int, str, list[ast.AST]]]:
    """The lines of an answer with what is in each: the number in its cell, the text, and the parts of the tree."""
    functions = (
        [each for each in vars(answer).values() if inspect.isfunction(each)] if isinstance(answer, type) else [answer]
    )
    for function in functions:
        lines, first, tree = _source_of(function)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)):
                yield first + node.lineno - 1, lines[node.lineno - 1].strip(), [*ast.walk(node)]


def _source_of(function: Answer) -> tuple[list[str], int, ast.Module]:
    """The lines of a function, the number of the first, and their tree; without lines if there is no source."""
    try:
        lines, first = inspect.getsourcelines(function)
        return lines, first, ast.parse(textwrap.dedent("".join(lines)))
    except Exception:  # made by exec or in another process, a lambda in the middle of a call ...: inspect raises many
        return [], 0, ast.Module([], [])


def _in_loops(answer: Answer) -> set[str]:
    """Names that get their values in a loop; without a source, all."""
    lines, _, tree = _source_of(answer)
    if not lines:
        return {*answer.__code__.co_varnames} if inspect.isfunction(answer) else set()
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.comprehension))]
    inside = [node for loop in loops for node in ast.walk(loop)]
    return {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def steps_of(answer: Answer, run: Callable[[], object]) -> dict[str, torch.Tensor]:
    """What the names in a function stand for at its end; only numbers and tensors, and none that a loop changes.

    Args:
        answer: The function.
        run: Runs it; of several calls the first counts.
    """
    code = getattr(answer, "__code__", None)
    seen: dict[str, Any] = {}

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code and not seen:
            seen.update(frame.f_locals)

    if sys.getprofile() is not None:  # somebody measures time, such as %prun
        return {}
    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(None)
    steps = {}
    for name in seen.keys() - _in_loops(answer):
        value = seen[name]
        with contextlib.suppress(Exception):  # torch has many for what is no number
            steps[name] = as_tensor(value)
    return steps
