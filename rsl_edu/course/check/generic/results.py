"""Mistakes in what is returned: the right result with something done to it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

from ..edits import Edit, Edits, Source
from .suspect import Function, Suspect, body, functions, listed

Change = tuple[str, str, str]  # kind, the expression around the result |, what it is then

_NUMBER: tuple[Change, ...] = (
    ("result-negated", "-(|)", "{} with its sign turned round"),
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
    ("absolute-result", "abs(|)", "{} without its sign, so that it is never negative"),
    ("result-clamped", "torch.as_tensor(|).clamp(min=0)", "{} with 0 wherever that is negative"),
    ("result-rounded", "torch.as_tensor(|).round()", "{} rounded to the nearest whole number"),
    ("result-cut", "torch.as_tensor(|).trunc()", "{} without the digits after the point"),
    ("result-zero", "0 * (|)", "always 0"),
)
_TENSOR: tuple[Change, ...] = (
    *_NUMBER,
    ("result-summed", "(|).sum()", "the sum of all numbers of {}"),
    ("result-averaged", "(|).mean()", "the mean of all numbers of {}"),
    *(("result-summed", f"(|).sum({dim})", "the sum of {} over " + f"dimension {dim}") for dim in (0, 1, 2)),
    *(("result-averaged", f"(|).mean({dim})", "the mean of {} over " + f"dimension {dim}") for dim in (0, 1, 2)),
    ("result-transposed", "(|).transpose(-1, -2)", "{} with its last two dimensions exchanged"),
    ("result-transposed", "(|).transpose(0, 1)", "{} with its first two dimensions exchanged"),
    ("result-flipped", "(|).flip(0)", "{} with its rows in reverse order"),
    ("result-flipped", "(|).flip(-1)", "{} with its last dimension in reverse order"),
    ("result-shifted", "(|).roll(1, 0)", "{} with each row one place too late, and the last row first"),
    ("result-shifted", "(|).roll(-1, 0)", "{} with each row one place too early, and the first row last"),
    ("result-first-row", "(|)[0]", "the first row of {}, without the others"),
    ("result-last-row", "(|)[-1]", "the last row of {}, without the others"),
    ("result-first-rows", "(|)[:-1]", "{} without its last row"),
    ("result-last-rows", "(|)[1:]", "{} without its first row"),
    ("result-cumulated", "(|).cumsum(0)", "the running sum of {}: to each row, all rows before it are added"),
    ("result-softmax", "(|).softmax(-1)", "the softmax of {}"),
    ("result-flattened", "(|).flatten()", "{} with all of its dimensions joined into one"),
    ("result-unsqueezed", "(|).unsqueeze(0)", "{} with a further dimension of size 1 in front"),
    ("result-unsqueezed", "(|).unsqueeze(-1)", "{} with a further dimension of size 1 at the end"),
    ("result-squeezed", "(|).squeeze()", "{} without its dimensions of size 1"),
)
_CHANGES = {"torch.Tensor": _TENSOR, "int": _NUMBER, "float": _NUMBER}
_NEXT = {
    "result-negated": "Look at the signs: which of two things is subtracted from which, and is there a minus too many?",
    "result-doubled": "Look for a factor of 2 too many, or a ½ that is missing.",
    "result-halved": "Look for a factor of 2 that is missing, or a ½ too many.",
    "result-summed": "Look at which dimensions the task adds up, and which it keeps.",
    "result-averaged": "Look at which dimensions the task averages over, and which it keeps.",
    "result-transposed": "Look at the order of the dimensions that the task asks for.",
    "result-flipped": "Look at the order in which you put the result together.",
    "result-shifted": "Look at which step each row belongs to.",
    "result-rounded": "Look for a rounding, or for whole numbers that hold what is no whole number.",
    "result-cut": "Look for //, int() or a tensor of integers.",
    "results-exchanged": "Look at the order of what you return.",
}
_LOOK = "Everything before seems right: look at the last step, and at what the task wants returned."


def result_suspects(source: Source, outputs: Sequence[str]) -> Iterator[Suspect]:
    """Yield what is returned when something is done to the right result."""
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
                    yield _suspect(source, change, [value], f"in one of the cases {whose[place]} is ", right[place])
        for one, other in itertools.combinations(range(len(kinds)), 2):
            if kinds[one] == kinds[other]:
                two = listed([names[one], names[other]]) if len(names) > 1 else "two of the results"
                edits = [edit for each in returns for edit in _exchange(source, each[one], each[other])]
                headline = f"{two} are returned in each other's place."
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
    """Yield what statements return, with those in branches and loops."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Return) and node.value is not None:
                yield node.value


def _elements(value: ast.expr) -> list[ast.expr]:
    return value.elts if isinstance(value, ast.Tuple) else [value]


def _kinds(function: Function, number: int) -> list[str]:
    """Return the type of each of a number of results, from the annotation."""
    returns = function.returns
    if number > 1 and isinstance(returns, ast.Subscript) and isinstance(returns.slice, ast.Tuple):
        return [ast.unparse(each) for each in returns.slice.elts]
    return [ast.unparse(returns) if returns is not None else ""] * number
