"""Mistakes in a single node of a formula: what can be wrong with a sum, a call, a comparison …"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..edits import Edits, Source
from .words import NOUNS


class Change(NamedTuple):
    """A change of a formula: its kind, its edits, the part that it is about, and a detail for the sentence."""

    kind: str
    edits: Edits
    about: ast.AST
    detail: str = ""


Changes = Iterator[Change]

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
_OTHER_NAME = {
    "sum": (("mean-for-sum", "mean"), ("product-for-sum", "prod")),
    "mean": (("sum-for-mean", "sum"),),
    "max": (("min-for-max", "min"),),
    "min": (("max-for-min", "max"),),
    "amax": (("min-for-max", "amin"),),
    "amin": (("max-for-min", "amax"),),
    "maximum": (("min-for-max", "minimum"),),
    "minimum": (("max-for-min", "maximum"),),
    "all": (("any-for-all", "any"),),
    "any": (("all-for-any", "all"),),
    "exp": (("log-for-exp", "log"),),
    "log": (("exp-for-log", "exp"),),
    "sigmoid": (("other-activation", "tanh"),),
    "tanh": (("other-activation", "sigmoid"),),
}
_ALONG = set(  # their first argument is a dimension
    "sum mean prod all any std var max min amax amin argmax argmin softmax log_softmax logsumexp cumsum cumprod unbind "
    "unsqueeze squeeze unfold select".split()
)
_MODULES = {"torch", "math", "itertools", "functional", "nn", "rnn", "linalg", "utils", "functools"}
_OF_TWO = {"max", "min", "maximum", "minimum"}
_OF_ONE = set("sigmoid tanh exp log sqrt abs relu softmax reversed float int round pad".split())


def of_node(source: Source, node: ast.AST, callables: set[str]) -> Changes:
    """Yield the changes of a node itself, not of what is below it; ``callables`` are arguments that are functions."""
    if isinstance(node, ast.Call):
        yield from _call(source, node, callables)
    elif type(node) in _RULES:
        yield from _RULES[type(node)](source, node)


def loop(source: Source, over: ast.expr) -> Changes:
    """Yield the changes of what a loop runs over."""
    for kind, part in (
        ("first-step-lost", "[1:]"),
        ("last-step-lost", "[:-1]"),
        ("only-first-step", "[:1]"),
        ("loop-backwards", "[::-1]"),
    ):
        yield Change(kind, _around(source, over, "list(", f"){part}"), over)


def condition(source: Source, test: ast.expr) -> Changes:
    """Yield the changes of a condition as a whole."""
    yield Change("condition-turned", _around(source, test, "not (", ")"), test)
    yield Change("always-the-same", (source.at(test, "True"),), test)
    yield Change("always-the-same", (source.at(test, "False"),), test)


def scaled(source: Source, value: ast.expr) -> Changes:
    """Yield the changes of a term or of the value of a step as a whole."""
    yield Change("doubled", _around(source, value, "2 * (", ")"), value)
    yield Change("halved", _around(source, value, "0.5 * (", ")"), value)


def _binary(source: Source, node: ast.BinOp) -> Changes:
    sign = _SIGNS.get(type(node.op), "")
    start, end = source.span(node)
    gap = _gap(source, node.left, node.right, sign)
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
            yield Change("constant-left-out" if _constant(dropped) else kind, (edit,), dropped)
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
    """Yield the changes of one side of a sum, a product …"""
    number = _constant(operand)
    start, end = source.span(operand)
    if number is not None:
        text = source.text[start:end]
        if isinstance(number, int):
            yield Change("one-too-many", ((start, end, str(number + 1)),), operand)
            yield Change("one-too-few", ((start, end, f"({number - 1})"),), operand)
        yield Change("constant-doubled", ((start, end, f"(2 * {text})"),), operand)
        yield Change("constant-halved", ((start, end, f"(0.5 * {text})"),), operand)
        return
    if sign == "@":
        if not (isinstance(operand, ast.Attribute) and operand.attr == "T"):
            yield Change("transpose-too-many", _around(source, operand, "(", ").T"), operand)
        return
    if sign in ("+", "-") and not isinstance(operand, ast.BinOp):
        yield from scaled(source, operand)
    if sign in ("+", "-") and isinstance(operand, ast.BinOp) and not isinstance(operand.op, (ast.Add, ast.Sub)):
        yield from scaled(source, operand)
    if isinstance(operand, (ast.Name, ast.Attribute, ast.Call)) and sign != "**":
        yield Change("square-too-many", _around(source, operand, "(", ") ** 2"), operand)
        yield Change("root-too-many", _around(source, operand, "(", ") ** 0.5"), operand)


def _brackets(source: Source, node: ast.expr) -> Changes:
    """Yield the expression without the brackets around it."""
    start, end = source.span(node)
    text = source.text
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        before = text[start - 2 : start - 1]
        if not (before.isalnum() or before in ("_", ")", "]")):
            yield Change("brackets-lost", ((start - 1, start, ""), (end, end + 1, "")), node)


def _unary(source: Source, node: ast.UnaryOp) -> Changes:
    start, _ = source.span(node)
    if isinstance(node.op, ast.USub):
        yield Change("sign-turned", ((start, start + 1, ""),), node)
    elif isinstance(node.op, (ast.Not, ast.Invert)):
        yield Change("condition-turned", ((start, source.span(node.operand)[0], "("), _end(source, node, ")")), node)


def _compare(source: Source, node: ast.Compare) -> Changes:
    parts = [node.left, *node.comparators]
    start, end = source.span(node)
    for one, other, operator in zip(parts, parts[1:], node.ops, strict=False):
        gap = _gap(source, one, other, _SIGNS.get(type(operator), ""))
        for kind, sign in _OTHER_SIGN.get(_SIGNS.get(type(operator), ""), ()) if gap else ():
            assert gap is not None
            yield Change(kind, ((gap.start, gap.end, f" {sign} "),), node)
    if len(parts) == 3:
        yield Change("condition-left-out", ((start, source.span(parts[1])[0], ""),), node)
        yield Change("condition-left-out", ((source.span(parts[1])[1], end, ""),), node)
    for part in parts:
        number = _constant(part)
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


def _attribute(source: Source, node: ast.Attribute) -> Changes:
    if node.attr == "T":
        yield Change("transpose-left-out", (_without_name(source, node, node),), node)


def _subscript(source: Source, node: ast.Subscript) -> Changes:
    index = node.slice
    is_shape = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
    number = _constant(index)
    if number is not None:
        for other in sorted({0, -1, number + 1, number - 1} - {number}):
            yield Change("another-element", (source.at(index, str(other)),), node)
    elif isinstance(index, ast.Slice):
        for bound, others in ((index.lower, (-1, 0, 1)), (index.upper, (-1, 1))):
            value = _constant(bound)
            for step in others if bound is not None and value is not None else ():
                new = str(value + step) if step and value + step else ""
                assert bound is not None
                yield Change("slice-ends", (source.at(bound, new),), node)
        if index.upper is not None:
            yield Change("slice-ends", (source.at(index.upper, ""),), node)
    elif isinstance(index, ast.Name) and isinstance(node.ctx, ast.Load):
        yield Change("another-element", (source.at(index, f"{index.id} - 1"),), node)
        yield Change(
            "another-element", (source.at(index, f"min({index.id} + 1, len({_text(source, node.value)}) - 1)"),), node
        )
    if is_shape:
        yield from _fixed(source, node)


def _call(source: Source, node: ast.Call, callables: set[str]) -> Changes:
    function, first = node.func, next(iter(node.args), None)
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    of_module = isinstance(function, ast.Attribute) and _last_name(function.value) in _MODULES
    is_method = isinstance(function, ast.Attribute) and not of_module
    end = source.span(function)[1]
    for kind, other in _OTHER_NAME.get(name, ()):
        if not (isinstance(function, ast.Name) and other in ("mean", "prod", "exp")):
            yield Change(kind, ((end - len(name), end, other),), node)
    yield from _dimensions(source, node, name, is_method)
    yield from _options(source, node, name)
    if isinstance(function, ast.Attribute) and is_method:
        kind = "transpose-left-out" if name == "transpose" else "function-left-out"
        yield Change(kind, (_without_name(source, function, node),), node, NOUNS.get(name, "a step"))
        if isinstance(function.value, (ast.Name, ast.BinOp)) and name in ("log", "exp"):
            yield Change("square-too-many", _around(source, function.value, "((", ") ** 2)"), node)
            yield Change("root-too-many", _around(source, function.value, "((", ") ** 0.5)"), node)
    elif name in _OF_ONE | callables and first is not None:
        noun = f"`{name}`" if name in callables else NOUNS.get(name, "a step")
        yield Change("function-left-out", (source.at(node, f"({_text(source, first)})"),), node, noun)
    elif name in _OF_TWO and len(node.args) == 2:
        kind = "limit-left-out" if any(isinstance(each, ast.Constant) for each in node.args) else "one-of-two"
        for each in node.args:
            kept = kind if not isinstance(each, ast.Constant) else "always-the-same"
            yield Change(kept, (source.at(node, f"({_text(source, each)})"),), node)
    if name in ("len", "numel"):
        yield from _fixed(source, node)


def _dimensions(source: Source, node: ast.Call, name: str, is_method: bool) -> Changes:
    """Yield the changes of the dimensions in a call."""
    along = [each.value for each in node.keywords if each.arg in ("dim", "axis")]
    if name in _ALONG:
        along += node.args[0 if is_method else 1 :][:1]
    for each in along:
        dim = _constant(each)
        for other in sorted({0, 1, -1, -2} - {dim}) if dim is not None else ():
            yield Change("wrong-dimension", (source.at(each, str(other)),), node)
    if along and is_method and len(node.args) + len(node.keywords) == 1:
        yield Change("all-dimensions", ((source.span(node.func)[1], source.span(node)[1], "()"),), node)
    if name == "transpose":
        for dims in ("0, 1", "1, 2", "0, 2", "-1, -2"):
            first, last = source.span(node.args[0])[0], source.span(node.args[-1])[1]
            yield Change("wrong-dimension", ((first, last, dims),), node)


def _options(source: Source, node: ast.Call, name: str) -> Changes:
    """Yield the changes of the other arguments of a call."""
    for option in node.keywords:
        if option.arg == "correction" and isinstance(option.value, ast.Constant):
            other = 1 - int(option.value.value)
            yield Change(
                "unbiased-for-biased" if other else "biased-for-unbiased", (source.at(option.value, str(other)),), node
            )
    if name in ("std", "var") and not any(option.arg in ("correction", "unbiased") for option in node.keywords):
        end = source.span(node)[1] - 1
        yield Change("biased-for-unbiased", ((end, end, ", correction=0" if node.args else "correction=0"),), node)
    texts = [_text(source, each) for each in node.args]
    if name == "where" and len(texts) == 3:
        one, other = node.args[1:]
        yield Change("choice-turned", (source.at(one, texts[2]), source.at(other, texts[1])), node)
        yield Change("always-the-same", (source.at(node, f"({texts[1]})"),), node)
        yield Change("always-the-same", (source.at(node, f"({texts[2]})"),), node)
    if name == "clamp" and len(texts) == 2:
        for limit, text in (("min", texts[0]), ("max", texts[1])):
            place = source.span(node.args[0])[0], source.span(node.args[1])[1]
            yield Change("limit-left-out", ((*place, f"{limit}={text}"),), node)
    if name in ("reshape", "view", "unfold", "pad", "clamp", "randn"):
        for one, other in zip(node.args, node.args[1:], strict=False):
            texts = [_text(source, each) for each in (one, other)]
            yield Change("order-of-sizes", (source.at(one, texts[1]), source.at(other, texts[0])), node)
    if name in ("range", "arange"):
        yield from _range(source, node)
    if name == "einsum" and isinstance(node.args[0], ast.Constant):
        yield from _einsum(source, node.args[0])


def _range(source: Source, node: ast.Call) -> Changes:
    if len(node.args) == 1:
        yield Change("first-step-lost", _around(source, node.args[0], "1, ", ""), node)
    end = node.args[min(1, len(node.args) - 1)]
    yield Change("one-too-many", _around(source, end, "(", ") + 1"), node)
    yield Change("one-too-few", _around(source, end, "(", ") - 1"), node)


def _einsum(source: Source, letters: ast.Constant) -> Changes:
    inputs, arrow, output = str(letters.value).partition("->")
    terms = [*inputs.split(","), output]
    for place, term in enumerate(terms):
        turned = [*terms[:place], term[:-2] + term[:-3:-1], *terms[place + 1 :]]
        text = f'"{",".join(turned[:-1])}{arrow}{turned[-1]}"'
        yield Change("wrong-dimension", (source.at(letters, text),), letters)


def _fixed(source: Source, node: ast.expr) -> Changes:
    for number in (1, 2, 3, 4):
        yield Change("fixed-size", (source.at(node, str(number)),), node, str(number))


class _Gap(NamedTuple):
    start: int  # of the white space before the sign
    end: int  # of the white space after it


def _gap(source: Source, left: ast.expr, right: ast.expr, sign: str) -> _Gap | None:
    """Return where the sign between two operands is; brackets of the operands are outside."""
    start, end = source.span(left)[1], source.span(right)[0]
    text = source.text[start:end]
    if not sign or sign not in text or "#" in text:
        return None
    before, after = text.split(sign, 1)
    return _Gap(start + len(before.rstrip()), end - len(after.lstrip()))


def _without_name(source: Source, attribute: ast.Attribute, whole: ast.expr) -> tuple[int, int, str]:
    """Return the edit that cuts off an attribute, and the brackets of a call of it."""
    start, end = source.span(attribute.value)[1], source.span(attribute)[1]
    dot = start + source.text[start:end].rindex(".")
    return dot, source.span(whole)[1], ""


def _around(source: Source, node: ast.AST, before: str, after: str) -> Edits:
    start, end = source.span(node)
    return (start, start, before), (end, end, after)


def _end(source: Source, node: ast.AST, text: str) -> tuple[int, int, str]:
    end = source.span(node)[1]
    return end, end, text


def _text(source: Source, node: ast.AST) -> str:
    return source.text[slice(*source.span(node))]


def _constant(node: ast.AST | None) -> int | float | None:
    """Return the number that a node is, if it is one."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _constant(node.operand)
        return None if number is None else -number
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return node.value if is_number else None  # type: ignore[union-attr, return-value]


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


_RULES: dict[type[ast.AST], Callable[..., Changes]] = {
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _choice,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
}
