"""Mistakes in the returned value, made by changing the right result."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from ..edits import Edit, Edits, Source
from .suspect import Function, Suspect, body, functions, listed

Change = tuple[str, str, str]  # kind, the expression with | for the right result, its description

_NUMBER: tuple[Change, ...] = (
    ("result-negated", "-(|)", "{} with the opposite sign"),
    ("result-doubled", "2 * (|)", "twice {}"),
    ("result-halved", "0.5 * (|)", "half of {}"),
    ("result-plus-one", "1 + (|)", "{} plus 1"),
    ("result-minus-one", "-1 + (|)", "{} minus 1"),
    ("one-minus-result", "1 - (|)", "1 minus {}"),
    ("result-inverted", "1 / (|)", "1 divided by {}"),
    ("result-squared", "(|) ** 2", "the square of {}"),
    ("root-of-result", "(|) ** 0.5", "the square root of {}"),
    ("log-of-result", "torch.as_tensor(|).log()", "the log of {}"),
    ("exp-of-result", "torch.as_tensor(|).exp()", "the exp of {}"),
    ("absolute-result", "abs(|)", "the absolute value of {}"),
    ("result-clamped", "torch.as_tensor(|).clamp(min=0)", "{} with negative values replaced by 0"),
    ("result-rounded", "torch.as_tensor(|).round()", "{} rounded to the nearest whole number"),
    ("result-cut", "torch.as_tensor(|).trunc()", "{} without the digits after the decimal point"),
    ("result-zero", "0 * (|)", "always 0"),
)
_TENSOR: tuple[Change, ...] = (
    *_NUMBER,
    ("result-summed", "(|).sum()", "the sum of all entries of {}"),
    ("result-averaged", "(|).mean()", "the mean of all entries of {}"),
    *(("result-summed", f"(|).sum({dim})", "the sum of {} over " + f"dimension {dim}") for dim in (0, 1, 2)),
    *(("result-averaged", f"(|).mean({dim})", "the mean of {} over " + f"dimension {dim}") for dim in (0, 1, 2)),
    ("result-transposed", "(|).transpose(-1, -2)", "{} with its last two dimensions exchanged"),
    ("result-transposed", "(|).transpose(0, 1)", "{} with its first two dimensions exchanged"),
    ("result-flipped", "(|).flip(0)", "{} with its rows in reverse order"),
    ("result-flipped", "(|).flip(-1)", "{} with its last dimension in reverse order"),
    ("result-shifted", "(|).roll(1, 0)", "{} with each row one place too late, and the last row first"),
    ("result-shifted", "(|).roll(-1, 0)", "{} with each row one place too early, and the first row last"),
    ("result-first-row", "(|)[0]", "only the first row of {}"),
    ("result-last-row", "(|)[-1]", "only the last row of {}"),
    ("result-first-rows", "(|)[:-1]", "{} without its last row"),
    ("result-last-rows", "(|)[1:]", "{} without its first row"),
    ("result-cumulated", "(|).cumsum(0)", "the running sum of {}, in which all previous rows are added to each row"),
    ("result-softmax", "(|).softmax(-1)", "the softmax of {}"),
    ("result-flattened", "(|).flatten()", "{} with all dimensions flattened into one"),
    ("result-unsqueezed", "(|).unsqueeze(0)", "{} with an extra dimension of size 1 in front"),
    ("result-unsqueezed", "(|).unsqueeze(-1)", "{} with an extra dimension of size 1 at the end"),
    ("result-squeezed", "(|).squeeze()", "{} without its dimensions of size 1"),
)
_CHANGES = {"torch.Tensor": _TENSOR, "int": _NUMBER, "float": _NUMBER}
_NEXT = {
    "result-negated": "Check the signs: what is subtracted from what, and is there a minus sign too many?",
    "result-doubled": "Look for a factor of 2 too many, or a missing ½.",
    "result-halved": "Look for a missing factor of 2, or a ½ too many.",
    "result-summed": "Check which dimensions the exercise sums over, and which it keeps.",
    "result-averaged": "Check which dimensions the exercise averages over, and which it keeps.",
    "result-transposed": "Check the order of dimensions that the exercise asks for.",
    "result-flipped": "Check the order in which you put the result together.",
    "result-shifted": "Check which step each row belongs to.",
    "result-rounded": "Look for a call that rounds, or for an integer type where you need floats.",
    "result-cut": "Look for `//`, `int()` or a tensor of integers.",
    "results-exchanged": "Check the order of the values that you return.",
}
_LOOK = "Everything before the last step seems right: check that step, and what the exercise asks you to return."


def result_suspects(source: Source, outputs: Sequence[str]) -> Iterator[Suspect]:
    """Yield the mistakes in which the right result is changed before it is returned."""
    for function in functions(source.tree):
        returns = [_elements(each) for each in _returned(body(function))]
        if not returns or len({len(each) for each in returns}) > 1 or function.name == "__init__":
            continue
        kinds = _kinds(function, len(returns[0]))
        names = outputs if len(outputs) == len(kinds) else [""]
        whose = [f"your {each}" if each else "what you return" for each in names] * len(kinds)
        right = [f"the right {each or 'result'}" for each in names] * len(kinds)
        for place, kind in enumerate(kinds):
            values = [each[place] for each in returns]
            for change in _CHANGES.get(kind, ()):
                yield _suspect(source, change, values, f"{whose[place]} is ", right[place])
                for value in values if len(values) > 1 else ():
                    yield _suspect(source, change, [value], f"for some inputs, {whose[place]} is ", right[place])
        for one, other in itertools.combinations(range(len(kinds)), 2):
            if kinds[one] == kinds[other]:
                two = listed([names[one], names[other]]) if len(names) > 1 else "two of the results"
                edits = [edit for each in returns for edit in _exchange(source, each[one], each[other])]
                headline = f"you return {two} in the wrong order."
                yield Suspect("results-exchanged", headline, _NEXT["results-exchanged"], tuple(edits))


def _suspect(source: Source, change: Change, values: Sequence[ast.expr], whose: str, right: str) -> Suspect:
    kind, around, phrase = change
    edits: list[Edit] = []
    for value in values:
        start, end = source.span(value)
        before, after = around.split("|")
        edits += [(start, start, before), (end, end, after)]
    return Suspect(kind, f"{whose}{phrase.format(right)}.", _NEXT.get(kind, _LOOK), tuple(edits))


def _exchange(source: Source, one: ast.expr, other: ast.expr) -> Edits:
    texts = [source.text[slice(*source.span(each))] for each in (one, other)]
    return source.at(one, texts[1]), source.at(other, texts[0])


def _returned(statements: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    """Yield the values that statements return, including those in branches and loops."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Return) and node.value is not None:
                yield node.value


def _elements(value: ast.expr) -> list[ast.expr]:
    return value.elts if isinstance(value, ast.Tuple) else [value]


def _kinds(function: Function, number: int) -> list[str]:
    """Return the types of the ``number`` results of a function, read from its return annotation."""
    returns = function.returns
    if number > 1 and isinstance(returns, ast.Subscript) and isinstance(returns.slice, ast.Tuple):
        return [ast.unparse(each) for each in returns.slice.elts]
    return [ast.unparse(returns) if returns is not None else ""] * number
