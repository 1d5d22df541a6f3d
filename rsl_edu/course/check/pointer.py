"""Find where a mistake is in a learner's code: the line that matches the mistake, or the first step that differs."""

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

_SMALL = 5  # nodes; a smaller part of a tree can match many lines by chance


def line_of(answer: Answer, source: Source, edits: Edits) -> tuple[int, str] | None:
    """Find the line of an answer that matches the edited right answer; None if no line does, or several do.

    The learner's names for local variables do not matter.

    Args:
        answer: The learner's function or class.
        source: Source of the right answer.
        edits: The edits that make the mistake.

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
    """Yield what to look for: the expressions and statements that contain an edited part, the largest first."""
    edited = Source(source.edited(edits), source.name, source.known)
    shift, parts = 0, []
    for start, end, new in sorted(edits):
        inner = new.strip().removeprefix("(").removesuffix(")")  # brackets are not part of the tree
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
    """Write a part of a tree as text, without the names of local variables."""
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
    """Yield the lines of an answer: the number in its cell, the text, and the nodes of the tree."""
    functions = (
        [each for each in vars(answer).values() if inspect.isfunction(each)] if isinstance(answer, type) else [answer]
    )
    for function in functions:
        lines, first, tree = _source_of(function)
        for node in ast.walk(tree):
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)):
                yield first + node.lineno - 1, lines[node.lineno - 1].strip(), [*ast.walk(node)]


def _source_of(function: Answer) -> tuple[list[str], int, ast.Module]:
    """Return the lines of a function, the number of the first line, and the tree; no lines if there is no source."""
    try:
        lines, first = inspect.getsourcelines(function)
        return lines, first, ast.parse(textwrap.dedent("".join(lines)))
    except (
        Exception
    ):  # inspect raises many errors: for code from exec or another process, for a lambda inside a call ...
        return [], 0, ast.Module([], [])


def _in_loops(answer: Answer) -> set[str]:
    """Return the names that are assigned in a loop; all names if there is no source."""
    lines, _, tree = _source_of(answer)
    if not lines:
        return {*answer.__code__.co_varnames} if inspect.isfunction(answer) else set()
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While, ast.comprehension))]
    inside = [node for loop in loops for node in ast.walk(loop)]
    return {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def steps_of(answer: Answer, run: Callable[[], object]) -> dict[str, torch.Tensor]:
    """Return the values of a function's local variables at its end.

    Only numbers and tensors are returned. Variables that are assigned in a loop are left out.

    Args:
        answer: The function.
        run: Runs the function; if it is called several times, only the first call counts.
    """
    code = getattr(answer, "__code__", None)
    seen: dict[str, Any] = {}

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is code and not seen:
            seen.update(frame.f_locals)

    if sys.getprofile() is not None:  # a profiler such as %prun is running
        return {}
    sys.setprofile(look)
    try:
        run()
    finally:
        sys.setprofile(None)
    steps = {}
    for name in seen.keys() - _in_loops(answer):
        value = seen[name]
        with contextlib.suppress(Exception):  # torch raises many kinds of error for values that are not numbers
            steps[name] = as_tensor(value)
    return steps
