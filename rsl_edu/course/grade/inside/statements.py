"""Analysis of a cell's statements: the names that they define, and which statements can be left out."""

from __future__ import annotations

import ast
import copy
import types
from typing import Any

DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
SAVED = (*DEFINES, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
"""Statements that still run in the rest of a cell after an error, because they define names."""


def is_stub(value: Any) -> bool:
    """Return whether a function or class is an unanswered stub."""
    parts = [value, *vars(value).values()] if isinstance(value, type) else [value]
    codes = [part.__code__ for part in parts if isinstance(part, types.FunctionType)]
    return any("NotImplementedError" in code.co_names for code in codes)


def code_of(value: Any) -> Any:
    """Return a value that is equal for functions or classes with the same code, even at different positions."""
    if isinstance(value, types.FunctionType):
        return code_of(value.__code__)
    if isinstance(value, types.CodeType):
        return value.co_code, value.co_names, value.co_varnames, [code_of(part) for part in value.co_consts]
    if isinstance(value, type):
        return {
            name: code_of(part) for name, part in vars(value).items() if not name.startswith("__") or callable(part)
        }
    return value


def future(tree: ast.Module) -> int:
    """Return the flags of ``from __future__`` imports, which apply to all statements of a cell."""
    import __future__

    lines = (part for part in tree.body if isinstance(part, ast.ImportFrom) and part.module == "__future__")
    names = (alias.name for part in lines for alias in part.names)
    return sum({getattr(__future__, name).compiler_flag for name in names if hasattr(__future__, name)})


def bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    if isinstance(statement, DEFINES):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, DEFINES):
            found.add(node.name)
    return found


def only_defines(statement: ast.stmt) -> bool:
    """Return whether a statement only defines names, and calls nothing."""
    if not isinstance(statement, SAVED):
        return False
    calls = not isinstance(statement, DEFINES) and any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not calls


def undecorated(statement: Any) -> Any:
    """Return a definition without decorators and annotations, which may need missing modules."""
    bare = copy.deepcopy(statement)
    bare.decorator_list = []
    for node in ast.walk(bare):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
    return bare


def first_line(statement: ast.stmt) -> str:
    """Return the first line of a statement, in normalized layout."""
    return ast.unparse(statement).partition("\n")[0]


def line_of(source: str, number: int | None) -> str:
    """Return a line, counted from 1; empty if there is none."""
    lines = source.splitlines()
    return lines[number - 1] if number and number <= len(lines) else ""


def without_statement(source: str, number: int) -> str:
    """Comment out the statement that contains a line; a statement ends before the next line without indentation."""
    lines = source.split("\n")

    def begins(place: int) -> bool:
        return bool(lines[place]) and lines[place][0] not in " \t)]}#"

    places = [place for place in range(len(lines)) if begins(place)]
    first = max((place for place in places if place < number), default=None)
    if first is None:
        return source
    end = min((place for place in places if place > first), default=len(lines))
    return "\n".join([*lines[:first], *["#"] * (end - first), *lines[end:]])
