"""Mistakes in an operator: a sum, a product, a comparison or a conditional expression."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable

from ..edits import Source
from .change import Change, Changes, around, gap_between, number_of, scaled, text_of

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.Mod: "%",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_OTHER_SIGN = {  # of the same precedence
    "+": (("sign-turned", "-"),),
    "-": (("sign-turned", "+"),),
    "*": (("divided-for-multiplied", "/"),),
    "/": (("multiplied-for-divided", "*"), ("integer-division", "//")),
    "//": (("true-division", "/"), ("multiplied-for-divided", "*")),
    "@": (("elementwise-product", "*"),),
    "<": (("limit-itself", "<="), ("comparison-turned", ">")),
    "<=": (("limit-itself", "<"), ("comparison-turned", ">=")),
    ">": (("limit-itself", ">="), ("comparison-turned", "<")),
    ">=": (("limit-itself", ">"), ("comparison-turned", "<=")),
    "==": (("comparison-turned", "!="),),
    "!=": (("comparison-turned", "=="),),
}


def _binary(source: Source, node: ast.BinOp) -> Changes:
    sign = _SIGNS.get(type(node.op), "")
    start, end = source.span(node)
    gap = gap_between(source, node.left, node.right, sign)
    if gap is None:
        return
    left_end, right_start = gap.start, gap.end
    left, right = source.text[start:left_end], source.text[right_start:end]
    for kind, other in _OTHER_SIGN.get(sign, ()):
        yield Change(kind, ((left_end, right_start, f" {other} "),), node)
    for operand in (node.left, node.right):
        yield from _operand(source, operand, sign)
    drop_right, drop_left = (left_end, end, ""), (start, right_start, {"-": "-", "/": "1 / "}.get(sign, ""))
    if sign in ("+", "-", "*", "/"):
        kind = "term-left-out" if sign in "+-" else "factor-left-out"
        for dropped, edit in ((node.right, drop_right), (node.left, drop_left)):
            yield Change("constant-left-out" if number_of(dropped) else kind, (edit,), dropped)
    if sign in ("-", "/"):
        kind = "difference-turned" if sign == "-" else "fraction-turned"
        yield Change(kind, (source.at(node, f"({right}) {sign} ({left})"),), node)
    if sign in ("+", "*"):
        kind, other = ("times-for-plus", "*") if sign == "+" else ("plus-for-times", "+")
        yield Change(kind, (source.at(node, f"(({left}) {other} ({right}))"),), node)
    if sign == "@":
        yield Change("order-of-sizes", (source.at(node, f"({right}) @ ({left})"),), node)
    if sign == "**":
        yield Change("square-left-out", (drop_right,), node)
    yield from _brackets(source, node)


def _operand(source: Source, operand: ast.expr, sign: str) -> Changes:
    """Yield the changes of one side of an operator."""
    number = number_of(operand)
    start, end = source.span(operand)
    if number is not None:
        text = source.text[start:end]
        if isinstance(number, int):
            yield Change("one-too-many", ((start, end, str(number + 1)),), operand)
            yield Change("one-too-few", ((start, end, f"({number - 1})"),), operand)
        if number < 0:
            yield Change("sign-turned", ((start, start + 1, ""),), operand)
        yield Change("constant-doubled", ((start, end, f"(2 * {text})"),), operand)
        yield Change("constant-halved", ((start, end, f"(0.5 * {text})"),), operand)
        return
    if sign == "@":
        if not (isinstance(operand, ast.Attribute) and operand.attr == "T"):
            yield Change("transpose-too-many", around(source, operand, "(", ").T"), operand)
        return
    is_term = not (isinstance(operand, ast.BinOp) and isinstance(operand.op, (ast.Add, ast.Sub)))
    if sign in ("+", "-") and is_term:
        yield from scaled(source, operand)
    if isinstance(operand, (ast.Name, ast.Attribute, ast.Call)) and sign != "**":
        yield Change("square-too-many", around(source, operand, "(", ") ** 2"), operand)
        yield Change("root-too-many", around(source, operand, "(", ") ** 0.5"), operand)


def _brackets(source: Source, node: ast.expr) -> Changes:
    """Yield the change that removes the brackets around an expression."""
    start, end = source.span(node)
    text = source.text
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        before = text[start - 2 : start - 1]
        if not (before.isalnum() or before in ("_", ")", "]")):
            yield Change("brackets-lost", ((start - 1, start, ""), (end, end + 1, "")), node)


def _unary(source: Source, node: ast.UnaryOp) -> Changes:
    start, end = source.span(node)
    if isinstance(node.op, ast.USub) and number_of(node) is None:  # a negative number is changed as an operand
        yield Change("sign-turned", ((start, start + 1, ""),), node)
    elif isinstance(node.op, (ast.Not, ast.Invert)):
        yield Change("condition-turned", ((start, end, f"({text_of(source, node.operand)})"),), node)


def _compare(source: Source, node: ast.Compare) -> Changes:
    parts = [node.left, *node.comparators]
    start, end = source.span(node)
    for (one, other), operator in zip(itertools.pairwise(parts), node.ops, strict=True):
        sign = _SIGNS.get(type(operator), "")
        if gap := gap_between(source, one, other, sign):
            for kind, new in _OTHER_SIGN[sign]:
                yield Change(kind, ((*gap, f" {new} "),), node)
    if len(parts) == 3:
        yield Change("condition-left-out", ((start, source.span(parts[1])[0], ""),), node)
        yield Change("condition-left-out", ((source.span(parts[1])[1], end, ""),), node)
    for part in parts:
        number = number_of(part)
        if number is not None and len(parts) == 2:
            yield Change("one-too-many", ((*source.span(part), str(number + 1)),), node)
            yield Change("one-too-few", ((*source.span(part), str(number - 1)),), node)


def _boolean(source: Source, node: ast.BoolOp) -> Changes:
    texts = [source.text[slice(*source.span(each))] for each in node.values]
    kind, word = ("or-for-and", " or ") if isinstance(node.op, ast.And) else ("and-for-or", " and ")
    yield Change(kind, (source.at(node, f"({word.join(f'({text})' for text in texts)})"),), node)
    for place, dropped in enumerate(node.values):
        rest = [f"({text})" for text in texts[:place] + texts[place + 1 :]]
        same = " and " if isinstance(node.op, ast.And) else " or "
        yield Change("condition-left-out", (source.at(node, same.join(rest)),), dropped)


def _choice(source: Source, node: ast.IfExp) -> Changes:
    body, test, other = (source.text[slice(*source.span(each))] for each in (node.body, node.test, node.orelse))
    yield Change("choice-turned", (source.at(node, f"{other} if {test} else {body}"),), node)
    yield Change("always-the-same", (source.at(node, body),), node)
    yield Change("always-the-same", (source.at(node, other),), node)


OPERATORS: dict[type[ast.AST], Callable[..., Changes]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
}
"""For each type of node, a function that takes the source and such a node and yields the changes of the node."""
