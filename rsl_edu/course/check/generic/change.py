"""The record of a change in a formula, and functions that make the edits for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from ..edits import Edits, Source


class Change(NamedTuple):
    """A change in a formula: its kind, its edits, the node that it changes, and a detail for the headline."""

    kind: str
    edits: Edits
    about: ast.AST
    detail: str = ""


Changes = Iterator[Change]


class Gap(NamedTuple):
    """Where an operator is: from the end of its left operand to the start of its right operand."""

    start: int
    end: int


def scaled(source: Source, value: ast.expr) -> Changes:
    """Yield the changes that double or halve a term or the value of a step."""
    yield Change("doubled", around(source, value, "2 * (", ")"), value)
    yield Change("halved", around(source, value, "0.5 * (", ")"), value)


def exchanged(source: Source, one: ast.AST, other: ast.AST) -> Edits:
    """Return the edits that exchange two nodes."""
    return source.at(one, text_of(source, other)), source.at(other, text_of(source, one))


def around(source: Source, node: ast.AST, before: str, after: str) -> Edits:
    """Return the edits that put texts before and after a node."""
    start, end = source.span(node)
    return (start, start, before), (end, end, after)


def text_of(source: Source, node: ast.AST) -> str:
    """Return the source of a node, without the brackets around it."""
    return source.text[slice(*source.span(node))]


def number_of(node: ast.AST | None) -> int | float | None:
    """Return the value of a node if the node is a number, else None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = number_of(node.operand)
        return None if number is None else -number
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    return None


def gap_between(source: Source, left: ast.expr, right: ast.expr, sign: str) -> Gap | None:
    """Return where the sign between two operands is, or None; the gap can include brackets of the operands."""
    start, end = source.span(left)[1], source.span(right)[0]
    text = source.text[start:end]
    if not sign or sign not in text or "#" in text:
        return None
    before, after = text.split(sign, 1)
    return Gap(start + len(before.rstrip()), end - len(after.lstrip()))
