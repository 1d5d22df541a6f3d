"""The source of an answer as shown in a notebook, without the docstrings and type annotations."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def notebook_source(answer: Callable[..., Any]) -> str:
    """Return the source of a function or class without type annotations and docstrings.

    Comments stay, and the source starts with the imports that it needs besides torch.

    Args:
        answer: An annotated function or class.
    """
    source = inspect.getsource(answer)
    lines = source.splitlines()
    definitions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    for node in sorted(
        definitions, key=lambda node: node.lineno, reverse=True
    ):  # upwards, so that earlier line numbers stay valid
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
    shown = "\n".join(lines)
    return _imports(shown, vars(inspect.getmodule(answer))) + shown


def bodies(answer: Callable[..., Any]) -> dict[str, str]:
    """Return the body of each function or method of an answer, without indentation, by name."""
    source = notebook_source(answer)
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    lines = source.splitlines()
    return {node.name: textwrap.dedent("\n".join(lines[node.lineno : node.end_lineno])) for node in functions}


def _imports(shown: str, known: dict[str, Any]) -> str:
    names = {node.id for node in ast.walk(ast.parse(shown)) if isinstance(node, ast.Name)} - {"torch"}
    lines = [f"import {name}\n" for name in sorted(names) if inspect.ismodule(known.get(name))]
    return "".join([*lines, "\n\n"]) if lines else ""


def _parameters(arguments: ast.arguments, source: str) -> str:
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    # Keep defaults as they were written: ast would turn 1e-2 into 0.01.
    arguments.defaults = [ast.Name(ast.get_source_segment(source, value) or "") for value in arguments.defaults]
    return ast.unparse(arguments)
