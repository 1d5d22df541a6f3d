"""Which mistake an answer looks like: the one that returns what the answer returns, on all cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .edits import Answer, Edits, Source, disjoint
from .generic import suspects
from .mistake import Mistake
from .trial import Case, Interface, Values

_PAIRS = 4000  # pairs of mistakes that are tried: about a second
Outcome = Values | str  # of a case: what was returned, or the error that was raised


@dataclass(frozen=True)
class Finding:
    """What an answer looks like.

    Attributes:
        name: Name of the mistake; of two, both names, with a plus between them.
        headline: What the answer seems to do.
        advice: Why that is wrong, and what to do instead, line by line.
    """

    name: str
    headline: str
    advice: tuple[str, ...]


@dataclass(frozen=True)
class _Form:
    """A way to make a mistake."""

    name: str
    headline: str
    why: str
    answer: Answer
    edits: Edits | None  # None if it is a function of its own


class Diagnosis:
    """The mistakes of an exercise, ready to be compared with an answer.

    Args:
        interface: How the exercise uses an answer.
        cases: Its cases.
        mistakes: Its known mistakes, by name.
    """

    def __init__(self, interface: Interface, cases: Sequence[Case], mistakes: Mapping[str, Mistake]) -> None:
        self._interface, self._cases, self._mistakes = interface, cases, mistakes
        self._returned: dict[_Form, list[Outcome]] = {}

    def known_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find the known mistake that an answer makes.

        Args:
            outcomes: What came of the answer, on each case.
        """
        found = self._fitting(self.known, outcomes)
        return Finding(found[0].name, found[0].headline, (found[0].why,)) if found else None

    def likely_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find the generic mistake that an answer looks like, or the two mistakes; see :meth:`known_in`."""
        if found := self._fitting(self._generic, outcomes):
            return _looks_like(found)
        outputs = self._first_wrong(outcomes)
        pairs = itertools.islice(self._pairs(), _PAIRS)
        return next((_both(*pair) for *pair, both in pairs if self._same(both, outcomes, outputs)), None)

    def headline(self, name: str) -> str:
        """Headline of a mistake, from its name; empty if there is none of this name."""
        return next((form.headline for form in (*self.known, *self._generic) if form.name == name), "")

    @cached_property
    def known(self) -> list[_Form]:
        """Every form of every known mistake."""
        source, forms = self._source, []
        for name, mistake in self._mistakes.items():
            for form in mistake.forms:
                edits = None if callable(form) else source.find(form)
                answer = form if callable(form) else source.answer(edits or ())
                forms.append(_Form(name, mistake.headline, mistake.why, answer, edits))
        return forms

    @cached_property
    def _generic(self) -> list[_Form]:
        """The mistakes that can be made in any exercise."""
        return [
            _Form(each.name, each.headline, each.why, self._source.answer(each.edits), each.edits)
            for each in suspects(self._source, self._interface.outputs)
        ]

    @cached_property
    def _source(self) -> Source:
        return Source.of(self._interface.reference)

    @cached_property
    def _expected(self) -> list[Values]:
        return [self._interface.run(self._interface.reference, case).values for case in self._cases]

    def _pairs(self) -> Iterator[tuple[_Form, _Form, Answer]]:
        """Two mistakes at once, the likelier pairs first."""
        known = [form for form in self.known if form.edits is not None]
        both = itertools.combinations(range(len(known)), 2)
        mixed = itertools.product(range(len(known)), range(len(self._generic)))
        pairs = itertools.chain(
            ((known[i], known[j]) for i, j in sorted(both, key=sum)),
            ((known[i], self._generic[j]) for i, j in sorted(mixed, key=sum)),
        )
        for one, other in pairs:
            if one.name == other.name:
                continue
            edits = (*(one.edits or ()), *(other.edits or ()))
            if disjoint(edits):
                try:
                    yield one, other, self._source.answer(edits)
                except SyntaxError:
                    continue

    def _first_wrong(self, outcomes: Sequence[Outcome]) -> int:
        """The number of outputs up to the first wrong one; the later ones follow from it."""
        for outputs in range(1, max(map(len, self._expected)) + 1):
            pairs = zip(outcomes, self._expected, self._cases, strict=True)
            if not all(_alike(outcome, expected, case, outputs) for outcome, expected, case in pairs):
                return outputs
        return 0

    def _fitting(self, forms: Sequence[_Form], outcomes: Sequence[Outcome]) -> list[_Form]:
        outputs = self._first_wrong(outcomes)
        return [form for form in forms if outputs and self._fits(form, outcomes, outputs)]

    def _fits(self, form: _Form, outcomes: Sequence[Outcome], outputs: int) -> bool:
        returned = self._returned.setdefault(form, [])
        for place, (case, outcome) in enumerate(zip(self._cases, outcomes, strict=True)):
            if place == len(returned):
                returned.append(outcome_of(self._interface, form.answer, case))
            if not _alike(outcome, returned[place], case, outputs):
                return False
        return True

    def _same(self, answer: Answer, outcomes: Sequence[Outcome], outputs: int) -> bool:
        return outputs > 0 and all(
            _alike(outcome, outcome_of(self._interface, answer, case), case, outputs)
            for case, outcome in zip(self._cases, outcomes, strict=True)
        )


def outcome_of(interface: Interface, answer: Answer, case: Case) -> Outcome:
    """What comes of an answer on a case: what it returns, or its error as text."""
    try:
        return interface.run(answer, case).values
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"


def _alike(a: Outcome, b: Outcome, case: Case, outputs: int) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str)
    a, b = a[:outputs], b[:outputs]  # what follows may be missing: gradients that are cut off
    return len(a) == len(b) and all(map(case.close, a, b))


def _looks_like(forms: list[_Form]) -> Finding:
    """One of several generic mistakes: the likeliest, and a word on the next."""
    first, others = forms[0], [form for form in forms[1:] if form.name != forms[0].name]
    if not others:
        return Finding(first.name, first.headline, (first.why,))
    return Finding(first.name, f"it looks like this: {first.headline}", (first.why, f"Or {others[0].headline}"))


def _both(one: _Form, other: _Form) -> Finding:
    lines = (f"1. {one.headline}", f"   {one.why}", f"2. {other.headline}", f"   {other.why}")
    return Finding(f"{one.name} + {other.name}", "it looks like two mistakes at once, which are told below.", lines)
