"""Mistakes in a call, an attribute or an index."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterator

from ..edits import Edit, Source
from .change import Change, Changes, around, exchanged, number_of, text_of
from .words import NOUNS

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
_ALONG = {"sum", "mean", "prod", "all", "any", "std", "var", "max", "min", "amax", "amin", "argmax", "argmin"}
_ALONG |= {"log_softmax", "softmax", "logsumexp", "cumsum", "cumprod", "unbind", "unsqueeze", "squeeze", "unfold"}
"""Calls whose first argument is a dimension."""
_MODULES = {"torch", "math", "itertools", "functional", "nn", "rnn", "linalg", "utils", "functools"}
_OF_TWO = {"max", "min", "maximum", "minimum"}
_OF_ONE = {"sigmoid", "tanh", "exp", "log", "sqrt", "abs", "relu", "softmax", "reversed", "float", "int", "pad"}


def of_node(source: Source, node: ast.AST, functions: Collection[str]) -> Changes:
    """Yield the changes of a node itself, not of the nodes below it.

    Args:
        source: The source that contains the node.
        node: Any node.
        functions: Names of the arguments that are functions, so that a call of one is recognized as such.
    """
    if isinstance(node, ast.Call):
        yield from _call(source, node, functions)
    elif isinstance(node, ast.Subscript):
        yield from _subscript(source, node)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield Change("transpose-left-out", (_without(source, node, node),), node)


def _subscript(source: Source, node: ast.Subscript) -> Changes:
    for index in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
        for kind, place, new in _other_index(source, node, index):
            yield Change(kind, (source.at(place, new),), node)
    if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        yield from _fixed(source, node)


def _other_index(source: Source, node: ast.Subscript, index: ast.expr) -> Iterator[tuple[str, ast.expr, str]]:
    """Yield possible replacements of an index: a kind, the node that is replaced, and the new text."""
    number = number_of(index)
    if number is not None:
        for other in sorted({0, -1, number + 1, number - 1} - {number}):
            yield "another-element", index, str(other)
    elif isinstance(index, ast.Slice):
        for bound in (index.lower, index.upper):
            value = number_of(bound)
            if bound is not None:
                yield "slice-ends", bound, ""
            if bound is not None and value is not None:
                yield from (("slice-ends", bound, str(value + step)) for step in (-1, 1) if value + step)
    elif isinstance(index, ast.Name) and isinstance(node.ctx, ast.Load):
        yield "another-element", index, f"{index.id} - 1"
        yield "another-element", index, f"min({index.id} + 1, len({text_of(source, node.value)}) - 1)"


def _call(source: Source, node: ast.Call, functions: Collection[str]) -> Changes:
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
        yield Change(kind, (_without(source, function, node),), node, NOUNS.get(name, "a step"))
        if isinstance(function.value, (ast.Name, ast.BinOp)) and name in ("log", "exp"):
            yield Change("square-too-many", around(source, function.value, "((", ") ** 2)"), node)
            yield Change("root-too-many", around(source, function.value, "((", ") ** 0.5)"), node)
    elif (name in _OF_ONE or name in functions) and first is not None:
        noun = f"`{name}`" if name in functions else NOUNS.get(name, "a step")
        yield Change("function-left-out", (source.at(node, f"({text_of(source, first)})"),), node, noun)
    elif name in _OF_TWO and len(node.args) == 2:
        kind = "limit-left-out" if any(isinstance(each, ast.Constant) for each in node.args) else "one-of-two"
        for each in node.args:
            kept = kind if not isinstance(each, ast.Constant) else "always-the-same"
            yield Change(kept, (source.at(node, f"({text_of(source, each)})"),), node)
    if name in ("len", "numel"):
        yield from _fixed(source, node)


def _dimensions(source: Source, node: ast.Call, name: str, is_method: bool) -> Changes:
    """Yield the changes of the dimensions in a call."""
    along = [each.value for each in node.keywords if each.arg in ("dim", "axis")]
    if name in _ALONG:
        along += node.args[0 if is_method else 1 :][:1]
    for each in along:
        dim = number_of(each)
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
            kind, new = ("unbiased-for-biased", "1") if not option.value.value else ("biased-for-unbiased", "0")
            yield Change(kind, (source.at(option.value, new),), node)
    if name in ("std", "var") and not any(option.arg in ("correction", "unbiased") for option in node.keywords):
        end = source.span(node)[1] - 1
        yield Change("biased-for-unbiased", ((end, end, ", correction=0" if node.args else "correction=0"),), node)
    texts = [text_of(source, each) for each in node.args]
    if name == "where" and len(texts) == 3:
        yield Change("choice-turned", exchanged(source, *node.args[1:]), node)
        yield Change("always-the-same", (source.at(node, f"({texts[1]})"),), node)
        yield Change("always-the-same", (source.at(node, f"({texts[2]})"),), node)
    if name == "clamp" and len(texts) == 2:
        for limit, text in (("min", texts[0]), ("max", texts[1])):
            place = source.span(node.args[0])[0], source.span(node.args[1])[1]
            yield Change("limit-left-out", ((*place, f"{limit}={text}"),), node)
    if name in ("reshape", "view", "unfold", "pad", "clamp", "randn"):
        for two in itertools.pairwise(node.args):
            yield Change("order-of-sizes", exchanged(source, *two), node)
    if name in ("range", "arange"):
        yield from _range(source, node)
    if name == "einsum" and isinstance(node.args[0], ast.Constant):
        yield from _einsum(source, node.args[0])


def _range(source: Source, node: ast.Call) -> Changes:
    if len(node.args) == 1:
        yield Change("first-step-lost", around(source, node.args[0], "1, ", ""), node)
    end = node.args[min(1, len(node.args) - 1)]
    yield Change("one-too-many", around(source, end, "(", ") + 1"), node)
    yield Change("one-too-few", around(source, end, "(", ") - 1"), node)


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


def _without(source: Source, attribute: ast.Attribute, whole: ast.expr) -> Edit:
    """Return the edit that removes an attribute, with its brackets if it is called."""
    start, end = source.span(attribute.value)[1], source.span(attribute)[1]
    dot = start + source.text[start:end].rindex(".")
    return dot, source.span(whole)[1], ""


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
