"""Find the names that a piece of code defines, and the names that it uses."""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator, Mapping

_RUN_AT_ONCE = ("listcomp", "setcomp", "dictcomp", "genexpr")
_RUNS_THE_CELL = re.compile(r"\A(\s*)(?=%%(time|capture|prun|memit)\b)")


def python(code: str) -> str:
    """Return the code of a cell as plain Python: IPython lines such as ``%matplotlib inline`` become calls.

    A magic such as ``%%time``, which runs the rest of its cell, becomes a comment.

    Raises:
        SyntaxError: If the result is not valid Python either.
    """
    code = _RUNS_THE_CELL.sub(r"\1# ", code)
    try:
        ast.parse(code)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # rarely needed, and slow to import

        code = str(TransformerManager().transform_cell(code))  # type: ignore[no-untyped-call]
        ast.parse(code)
    return code


def statements(code: str) -> list[ast.stmt]:
    """Return the statements of the code of a cell.

    Raises:
        SyntaxError: If the code is not valid Python.
    """
    return ast.parse(python(code)).body


def bound(code: str | ast.stmt) -> tuple[str, ...]:
    """Return all names that a piece of code binds, including imported names."""
    return tuple(
        symbol.get_name() for symbol in _table(code).get_symbols() if symbol.is_assigned() or symbol.is_imported()
    )


def used(code: str | ast.stmt) -> frozenset[str]:
    """Return the global names that a piece of code uses, also inside its functions."""
    return frozenset(_global(_table(code), all_functions=True))


def used_at_once(code: str | ast.stmt) -> frozenset[str]:
    """Return the global names that a piece of code uses when it runs, before any of its functions is called."""
    return frozenset(_global(_table(code), all_functions=False))


def defined(code: str) -> tuple[str, ...]:
    """Return the functions, classes and variables that a piece of code defines, without imports and loop variables."""
    return tuple(dict.fromkeys(_defined(statements(code))))


def imports(code: str) -> list[str]:
    """Return the import statements of a piece of code as lines, except the imports inside a ``try`` or a function."""
    return [ast.unparse(part) for part in statements(code) if isinstance(part, (ast.Import, ast.ImportFrom))]


def need(code: Iterable[ast.stmt], missing: set[str]) -> bool:
    """Return whether statements, when they run, use one of the given names before they define it."""
    missing = set(missing)
    for part in code:
        if used_at_once(part) & missing:
            return True
        missing -= {*bound(part)}
    return False


def definitions(cells: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the dependencies of each name: the names used by the statements that define it."""
    made: dict[str, frozenset[str]] = {}
    for cell in cells:
        for part in ast.parse(cell).body:
            for name in bound(part):
                made[name] = made.get(name, frozenset()) | used(part)
    return made


def reached(wanted: Iterable[str], *definitions: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the given names and all names that these depend on."""
    found, to_do = set[str](), [*wanted]
    while to_do:
        if (name := to_do.pop()) not in found:
            found.add(name)
            to_do += [part for known in definitions for part in known.get(name, ())]
    return found


def _defined(body: list[ast.stmt]) -> Iterator[str]:
    for part in body:
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield part.name
        elif isinstance(part, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            for target in targets:
                for node in ast.walk(target):
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        yield node.id
        else:
            for inner in ("body", "orelse", "finalbody"):
                yield from _defined(getattr(part, inner, []))
            for handler in getattr(part, "handlers", []):
                yield from _defined(handler.body)


def _table(code: str | ast.stmt) -> symtable.SymbolTable:
    return symtable.symtable(code if isinstance(code, str) else ast.unparse(code), "<cell>", "exec")


def _global(table: symtable.SymbolTable, all_functions: bool) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (table.get_type() == "module" or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        if all_functions or inner.get_type() == "class" or inner.get_name() in _RUN_AT_ONCE:
            yield from _global(inner, all_functions)
