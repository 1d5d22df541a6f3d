"""Mistakes in a formula, made by changing a node or a step of the source."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence

from ..edits import Edits, Source
from .calls import of_node
from .change import Change, Changes, around, exchanged, scaled
from .operators import OPERATORS
from .suspect import Function, Suspect, arguments, body, functions, quoted, what_comes_out
from .words import KINDS

_PLACES = {kind: place for place, kind in enumerate(KINDS)}


def formula_suspects(source: Source, outputs: Sequence[str]) -> list[Suspect]:
    """Return the mistakes in which a node of the tree or a complete step is changed, the likeliest kinds first."""
    made: list[tuple[int, Suspect]] = []
    for function in functions(source.tree):
        names = [each.arg for each in arguments(function)]
        for change in _different(source, function):
            clause, why = KINDS[change.kind]
            about = {node.id for node in ast.walk(change.about) if isinstance(node, ast.Name)}
            used = [name for name in names if name in about and f"`{name}`" not in change.detail]
            where = f" (in a step with {quoted(used)})" if 0 < len(used) < 4 else ""
            sentence = what_comes_out(outputs, clause.format(change.detail), where)
            made.append((_PLACES[change.kind], Suspect(change.kind, sentence, why, change.edits)))
    return [suspect for _, suspect in sorted(made, key=lambda each: each[0])]


def _different(source: Source, function: Function) -> Changes:
    """Yield the changes that are valid Python, change the code and do not repeat an earlier change."""
    for root, changes in _roots(source, function):
        start, end = source.span(root)
        seen = {ast.unparse(ast.parse(source.text[start:end]))}
        for change in changes:
            try:
                text = ast.unparse(ast.parse(_within(source, change.edits, start, end)))
            except SyntaxError:
                continue
            if text not in seen:
                seen.add(text)
                yield change


def _within(source: Source, edits: Edits, start: int, end: int) -> str:
    """Return a part of the source after edits inside that part."""
    text = source.edited(edits)
    return text[start : end + len(text) - len(source.text)]


def _roots(source: Source, function: Function) -> Iterator[tuple[ast.AST, Changes]]:
    """Yield each step of a function with its changes; for a loop or a condition, the step is its head."""
    names = {each.arg: ast.unparse(each.annotation) if each.annotation else "" for each in arguments(function)}
    bound = set(names)
    for statement in _statements(body(function)):
        if isinstance(statement, ast.For):
            yield (
                statement.iter,
                itertools.chain(_below(source, statement.iter, names), _loop(source, statement.iter)),
            )
            yield statement, _swapped(source, statement)
        elif isinstance(statement, ast.If):
            yield (
                statement.test,
                itertools.chain(_below(source, statement.test, names), _condition(source, statement.test)),
            )
        elif isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr, ast.Return)):
            may_go = function.name != "__init__" and _stored(statement) <= bound
            steps = _step(source, statement, may_go)
            yield statement, itertools.chain(_below(source, statement, names), steps)
        bound |= _stored(statement)


def _statements(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those nested in them, but skip while loops, which might never end after a change."""
    for statement in statements:
        if not isinstance(statement, ast.While):
            yield statement
            for part in ("body", "orelse"):
                yield from _statements(getattr(statement, part, ()))


def _below(source: Source, root: ast.AST, names: Mapping[str, str]) -> Changes:
    """Yield the changes of all nodes of a step; ``names`` are the arguments with their types."""
    for node in ast.walk(root):
        yield from of_node(source, node, names)
        if type(node) in OPERATORS:
            yield from OPERATORS[type(node)](source, node)
        if isinstance(node, ast.comprehension):
            yield from _loop(source, node.iter)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and names.get(node.id):
            for other, kind in names.items():
                if other != node.id and kind == names[node.id]:
                    said = f"`{other}` is used in one place instead of `{node.id}`"
                    yield Change("wrong-argument", (source.at(node, other),), node, said)


def _step(source: Source, statement: ast.stmt, may_go: bool) -> Changes:
    """Yield the changes of a complete step; ``may_go`` means that its variables already have values."""
    if may_go and not isinstance(statement, ast.Return):
        yield Change("statement-left-out", (source.at(statement, "pass"),), statement)
    if isinstance(statement, ast.Assign):
        if not isinstance(statement.value, (ast.Constant, ast.Tuple)):
            yield Change("sign-turned", around(source, statement.value, "-(", ")"), statement.value)
            yield from scaled(source, statement.value)
        parts = getattr(statement.targets[0], "elts", [])
        for one, other in itertools.combinations(parts, 2):
            yield Change("parts-exchanged", exchanged(source, one, other), statement.value)
    if isinstance(statement, ast.AugAssign):
        start, end = source.span(statement.target)[1], source.span(statement.value)[0]
        gap = source.text[start:end]
        for kind, old, new in _OTHER_UPDATE:
            if gap.strip(" (") == old:
                yield Change(kind, ((start, end, gap.replace(old, new)),), statement)
        yield from scaled(source, statement.value)


def _loop(source: Source, over: ast.expr) -> Changes:
    """Yield the changes of the sequence that a loop iterates over."""
    for kind, part in (
        ("first-step-lost", "[1:]"),
        ("last-step-lost", "[:-1]"),
        ("only-first-step", "[:1]"),
        ("loop-backwards", "[::-1]"),
    ):
        yield Change(kind, around(source, over, "list(", f"){part}"), over)


def _condition(source: Source, test: ast.expr) -> Changes:
    """Yield the changes of a complete condition."""
    yield Change("condition-turned", around(source, test, "not (", ")"), test)
    yield Change("always-the-same", (source.at(test, "True"),), test)
    yield Change("always-the-same", (source.at(test, "False"),), test)


def _swapped(source: Source, repeat: ast.For) -> Changes:
    """Yield the changes that exchange two neighbouring steps of a loop."""
    for one, other in itertools.pairwise(repeat.body):
        if not isinstance(one, (ast.For, ast.If, ast.With)) and not isinstance(other, (ast.For, ast.If, ast.With)):
            yield Change("order-of-steps", exchanged(source, one, other), one)


def _stored(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


_OTHER_UPDATE = (
    ("sign-turned", "+=", "-="),
    ("sign-turned", "-=", "+="),
    ("divided-for-multiplied", "*=", "/="),
    ("multiplied-for-divided", "/=", "*="),
    ("plus-for-times", "*=", "+="),
    ("times-for-plus", "+=", "*="),
)
