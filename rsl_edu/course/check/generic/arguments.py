"""Mistakes in an argument, made by a line at the beginning of the function that changes what was passed."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from ..edits import Edit, Source
from .suspect import Function, Suspect, arguments, body, functions, quoted, what_comes_out

Change = tuple[str, str, str]  # kind, expression of the argument's new value, clause

_LOOK = "Check every place where {} is used."
_ROWS = "Check how you select rows of {}, and whether each row is used where it belongs."
_UNIT = "Check what {} represents: is a square, a root, a log or an exp missing, or is there one too many?"
_DEFAULT = "Do you use {} at all? Look for a fixed value in your code where {} belongs."

_NUMBER: tuple[Change, ...] = (
    ("negated-argument", "-{0}", "the sign of {} is flipped"),
    ("doubled-argument", "2 * {0}", "twice {} is used instead of {}"),
    ("halved-argument", "0.5 * {0}", "half of {} is used instead of {}"),
    ("squared-argument", "{0} ** 2", "the square of {} is used instead of {}"),
    ("root-of-argument", "{0} ** 0.5", "the square root of {} is used instead of {}"),
    ("one-minus-argument", "1 - {0}", "1 minus {} is used instead of {}"),
    ("log-of-argument", "torch.as_tensor({0}).log()", "the log of {} is used instead of {}"),
    ("exp-of-argument", "torch.as_tensor({0}).exp()", "the exp of {} is used instead of {}"),
    ("absolute-argument", "abs({0})", "the absolute value of {} is used instead of {}"),
)
_TENSOR: tuple[Change, ...] = (
    ("ignored-argument", "torch.zeros_like({0})", "every entry of {} is replaced by 0"),
    ("ignored-argument", "torch.ones_like({0})", "every entry of {} is replaced by 1"),
    *_NUMBER,
    ("transposed-argument", "{0}.transpose(-1, -2)", "the last two dimensions of {} are exchanged"),
    ("flipped-argument", "{0}.flip(0)", "the rows of {} are in reverse order"),
    ("shifted-argument", "{0}.roll(1, 0)", "each row of {} is one place too late, and the last row comes first"),
    ("shifted-argument", "{0}.roll(-1, 0)", "each row of {} is one place too early, and the first row comes last"),
    ("first-row-only", "{0}[:1].expand_as({0})", "the first row of {} is used for all of its rows"),
    ("last-row-only", "{0}[-1:].expand_as({0})", "the last row of {} is used for all of its rows"),
)
_FLOAT: tuple[Change, ...] = (
    ("ignored-argument", "0.0", "{} is replaced by 0"),
    ("ignored-argument", "1.0", "{} is replaced by 1"),
    *_NUMBER,
)
_INT: tuple[Change, ...] = (
    ("ignored-argument", "0", "{} is replaced by 0"),
    ("ignored-argument", "1", "{} is replaced by 1"),
    ("argument-off-by-one", "{0} - 1", "1 is subtracted from {}"),
    ("argument-off-by-one", "{0} + 1", "1 is added to {}"),
    ("negated-argument", "-{0}", "the sign of {} is flipped"),
    ("doubled-argument", "2 * {0}", "twice {} is used instead of {}"),
    ("halved-argument", "{0} // 2", "half of {}, rounded down, is used instead of {}"),
    ("squared-argument", "{0} ** 2", "the square of {} is used instead of {}"),
)
_LIST: tuple[Change, ...] = (
    ("flipped-argument", "{0}[::-1]", "the elements of {} are in reverse order"),
    ("shortened-argument", "{0}[1:]", "the first element of {} is left out"),
    ("shortened-argument", "{0}[:-1]", "the last element of {} is left out"),
    ("first-row-only", "{0}[:1] * len({0})", "the first element of {} is used for all of its elements"),
    ("last-row-only", "{0}[-1:] * len({0})", "the last element of {} is used for all of its elements"),
    (
        "shifted-argument",
        "{0}[-1:] + {0}[:-1]",
        "each element of {} is one place too late, and the last one comes first",
    ),
    (
        "shifted-argument",
        "{0}[1:] + {0}[:1]",
        "each element of {} is one place too early, and the first one comes last",
    ),
)
_ELEMENTS: dict[str, tuple[Change, ...]] = {
    "int": (
        ("ignored-argument", "[0] * len({0})", "every element of {} is replaced by 0"),
        ("ignored-argument", "[1] * len({0})", "every element of {} is replaced by 1"),
        ("argument-off-by-one", "[each - 1 for each in {0}]", "1 is subtracted from every element of {}"),
        ("argument-off-by-one", "[each + 1 for each in {0}]", "1 is added to every element of {}"),
    ),
    "torch.Tensor": (
        ("ignored-argument", "[torch.zeros_like(each) for each in {0}]", "every element of {} is replaced by zeros"),
        ("negated-argument", "[-each for each in {0}]", "the sign of every element of {} is flipped"),
        ("transposed-argument", "[each.T for each in {0}]", "every element of {} is transposed"),
    ),
}
_BOOL: tuple[Change, ...] = (
    ("ignored-argument", "True", "{} is replaced by True"),
    ("ignored-argument", "False", "{} is replaced by False"),
    ("negated-argument", "not {0}", "True and False are exchanged in {}"),
)
_CHANGES: dict[str, tuple[Change, ...]] = {
    "torch.Tensor": _TENSOR,
    "float": _FLOAT,
    "int": _INT,
    "bool": _BOOL,
    **{f"list[{kind}]": _LIST + changes for kind, changes in _ELEMENTS.items()},
}
_OF_ALL: tuple[Change, ...] = (
    ("transposed-argument", "{0}.transpose(-1, -2)", "the last two dimensions are exchanged in each of {}"),
    ("flipped-argument", "{0}.flip(0)", "the rows of each of {} are in reverse order"),
    ("first-row-only", "{0}[:1]", "only the first row of each of {} is used"),
    ("last-row-only", "{0}[-1:]", "only the last row of each of {} is used"),
)
_LIKELIEST_FIRST = (
    "exchanged-arguments",
    "default-argument",
    "ignored-argument",
    "negated-argument",
    "doubled-argument",
    "halved-argument",
    "argument-off-by-one",
    "transposed-argument",
    "flipped-argument",
    "shifted-argument",
    "first-row-only",
    "last-row-only",
    "shortened-argument",
    "squared-argument",
    "root-of-argument",
    "one-minus-argument",
    "log-of-argument",
    "exp-of-argument",
    "absolute-argument",
)
_NEXT = {
    "ignored-argument": _DEFAULT,
    "default-argument": _DEFAULT,
    "squared-argument": _UNIT,
    "root-of-argument": _UNIT,
    "log-of-argument": _UNIT,
    "exp-of-argument": _UNIT,
    "one-minus-argument": "In each place, check whether 1 minus {} or {} itself belongs there.",
    "transposed-argument": "Check the dimensions of {}, and each transpose.",
    "flipped-argument": _ROWS,
    "shifted-argument": "Check which step each element of {} belongs to: the current, the previous or the next one.",
    "first-row-only": _ROWS,
    "last-row-only": _ROWS,
    "shortened-argument": "Check where a loop or a slice over {} starts and ends.",
}


def argument_suspects(source: Source, outputs: Sequence[str]) -> list[Suspect]:
    """Return the mistakes that change, ignore or exchange arguments, the likeliest first."""
    return sorted(_changed(source, outputs), key=lambda suspect: _LIKELIEST_FIRST.index(suspect.name))


def _changed(source: Source, outputs: Sequence[str]) -> Iterator[Suspect]:
    for function in functions(source.tree):
        if body(function):
            yield from _exchanged(source, function, outputs)
            yield from _defaults(source, function, outputs)
            for argument in arguments(function):
                for change in _CHANGES.get(_kind(argument), ()):
                    yield _suspect(source, function, outputs, change, [argument.arg])
            tensors = [each.arg for each in arguments(function) if _kind(each) == "torch.Tensor"]
            for change in _OF_ALL if len(tensors) > 1 else ():
                yield _suspect(source, function, outputs, change, tensors)


def _suspect(
    source: Source, function: Function, outputs: Sequence[str], change: Change, names: Sequence[str]
) -> Suspect:
    kind, value, clause = change
    line = "; ".join(f"{name} = {value.format(name)}" for name in names)
    who = quoted(names) if len(names) < 4 else "the tensors that are passed"
    why = _NEXT.get(kind, _LOOK).format(who, who)
    return Suspect(kind, what_comes_out(outputs, clause.format(who, who)), why, (_first(source, function, line),))


def _exchanged(source: Source, function: Function, outputs: Sequence[str]) -> Iterator[Suspect]:
    for one, other in itertools.combinations(arguments(function), 2):
        if one.annotation is not None and _kind(one) == _kind(other):
            a, b = one.arg, other.arg
            yield Suspect(
                "exchanged-arguments",
                what_comes_out(outputs, f"`{a}` and `{b}` are exchanged"),
                f"In every place where you use `{a}` or `{b}`, check which of the two belongs there.",
                (_first(source, function, f"{a}, {b} = {b}, {a}"),),
            )


def _defaults(source: Source, function: Function, outputs: Sequence[str]) -> Iterator[Suspect]:
    arguments, defaults = function.args.args, function.args.defaults
    for argument, default in zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True):
        value = source.text[slice(*source.span(default))]
        clause = "{} is ignored, and its default is always used"
        yield _suspect(source, function, outputs, ("default-argument", value, clause), [argument.arg])


def _first(source: Source, function: Function, line: str) -> Edit:
    """Return the edit that inserts a line at the beginning of a function."""
    statement = body(function)[0]
    start, _ = source.span(statement)
    return start, start, f"{line}\n{' ' * statement.col_offset}"


def _kind(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation) if argument.annotation is not None else ""
