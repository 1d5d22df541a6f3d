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
        edits: The same as edits of the right answer, for each mistake; empty if it is none.
    """

    name: str
    headline: str
    advice: tuple[str, ...]
    edits: tuple[Edits, ...]


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
        self._generic_of: dict[int, list[_Form]] = {}  # by the number of outputs that their sentences are about

    def known_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find the known mistake that an answer makes.

        Args:
            outcomes: What came of the answer, on each case.
        """
        outputs = self._first_wrong(outcomes)
        found = next((form for form in self.known if self._fits(form, outcomes, outputs)), None)
        return _one(found) if found else None

    def likely_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find the generic mistake that an answer looks like, or the two mistakes; see :meth:`known_in`."""
        outputs = self._first_wrong(outcomes)
        if found := [form for form in self._generic(outputs) if self._fits(form, outcomes, outputs)]:
            return _looks_like(found)
        pairs = itertools.islice(self._pairs(self._generic(outputs)), _PAIRS)
        return next((_both(*pair) for *pair, both in pairs if self._same(both, outcomes, outputs)), None)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all mistakes that it can find, known and generic."""
        return frozenset(form.name for form in (*self.known, *self._generic(len(self._interface.outputs))))

    @cached_property
    def known(self) -> list[_Form]:
        """Every form of every known mistake."""
        forms = []
        for name, mistake in self._mistakes.items():
            for form in mistake.forms:
                edits = None if callable(form) else self.source.find(form)
                answer = form if callable(form) else self.source.answer(edits or ())
                forms.append(_Form(name, mistake.headline, mistake.why, answer, edits))
        return forms

    def _generic(self, outputs: int) -> list[_Form]:
        """The mistakes that can be made in any exercise, with sentences on the first outputs."""
        if outputs not in self._generic_of:
            names = self._interface.outputs
            self._generic_of[outputs] = [
                _Form(each.name, each.headline, each.why, self.source.answer(each.edits), each.edits)
                for each in suspects(self.source, names, names[:outputs])
            ]
        return self._generic_of[outputs]

    @cached_property
    def source(self) -> Source:
        """Source of the right answer."""
        return Source.of(self._interface.reference)

    @cached_property
    def _expected(self) -> list[Values]:
        return [self._interface.run(self._interface.reference, case).values for case in self._cases]

    def _pairs(self, generic: Sequence[_Form]) -> Iterator[tuple[_Form, _Form, Answer]]:
        """Two mistakes at once, the likelier pairs first."""
        known = [form for form in self.known if form.edits is not None]
        both = itertools.combinations(range(len(known)), 2)
        mixed = itertools.product(range(len(known)), range(len(generic)))
        pairs = itertools.chain(
            ((known[i], known[j]) for i, j in sorted(both, key=sum)),
            ((known[i], generic[j]) for i, j in sorted(mixed, key=sum)),
        )
        for one, other in pairs:
            if one.name == other.name:
                continue
            edits = (*(one.edits or ()), *(other.edits or ()))
            if disjoint(edits):
                try:
                    yield one, other, self.source.answer(edits)
                except SyntaxError:
                    continue

    def _first_wrong(self, outcomes: Sequence[Outcome]) -> int:
        """The number of outputs up to the first wrong one, as the later ones follow from it; 0 if none is wrong."""
        for outputs in range(1, max(map(len, self._expected)) + 1):
            pairs = zip(outcomes, self._expected, self._cases, strict=True)
            if not all(_alike(outcome, expected, case, outputs) for outcome, expected, case in pairs):
                return outputs
        return 0

    def _fits(self, form: _Form, outcomes: Sequence[Outcome], outputs: int) -> bool:
        if not outputs:
            return False  # only a further case shows what is wrong
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
    return len(a) == len(b) and all(case.close(*pair) for pair in zip(a[:outputs], b[:outputs], strict=True))


def _one(form: _Form) -> Finding:
    return Finding(form.name, form.headline, (form.why,), (form.edits or (),))


def _looks_like(forms: list[_Form]) -> Finding:
    """One of several generic mistakes: the likeliest, and a word on the next."""
    first, others = forms[0], [form for form in forms[1:] if form.name != forms[0].name]
    if not others:
        return _one(first)
    advice = (first.why, f"Or {others[0].headline}")
    return Finding(first.name, f"it looks like this: {first.headline}", advice, (first.edits or (),))


def _both(one: _Form, other: _Form) -> Finding:
    lines = (f"1. {one.headline}", f"   {one.why}", f"2. {other.headline}", f"   {other.why}")
    edits = (one.edits or (), other.edits or ())
    return Finding(f"{one.name} + {other.name}", "it looks like two mistakes at once:", lines, edits)
