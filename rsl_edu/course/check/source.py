"""Source of an answer as a notebook shows it, where the text says what docstrings and annotations say."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def notebook_source(answer: Callable[..., Any]) -> str:
    """Return the source of a function or class without type annotations and docstrings.

    Comments stay, and the modules that the source needs besides torch are imported first.

    Args:
        answer: An annotated function or class.
    """
    source = inspect.getsource(answer)
    lines, tree = source.splitlines(), ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in reversed([node for node in ast.walk(tree) if isinstance(node, kinds)]):  # from the bottom to the top
        begin = end = node.lineno - 1
        head = lines[begin]
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            head = " " * node.col_offset + f"def {node.name}({_parameters(node.args, source)}):"
            end = (node.returns.end_lineno or end) - 1
        if ast.get_docstring(node) is not None:
            end = (node.body[0].end_lineno or end) - 1
            while not lines[end + 1].strip():
                end += 1
        lines[begin : end + 1] = [head]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"torch"}
    known = vars(inspect.getmodule(answer))
    imports = [f"import {name}" for name in sorted(names) if inspect.ismodule(known.get(name))]
    return "\n".join([*imports, *["", ""] * bool(imports), *lines])


def bodies(answer: Callable[..., Any]) -> dict[str, str]:
    """Return what is below each ``def`` of an answer, not indented, by the name of the function or method."""
    source = notebook_source(answer)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    lines = source.splitlines()
    return {node.name: textwrap.dedent("\n".join(lines[node.lineno : node.end_lineno])) for node in functions}


def _parameters(arguments: ast.arguments, source: str) -> str:
    """The parameters with their defaults as they were written: ast would make 0.01 of 1e-2."""
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    pairs = zip(arguments.args, defaults, strict=True)
    return ", ".join(
        name.arg + (f"={ast.get_source_segment(source, default)}" if default else "") for name, default in pairs
    )
