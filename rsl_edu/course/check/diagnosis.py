"""Which mistake an answer looks like: the one that returns what the answer returns, on all cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .edits import Answer, Edits, Source, disjoint
from .generic import suspects
from .mistake import Mistake
from .trial import Case, Interface, Values

_PAIRS = 4000  # pairs of mistakes that are tried: a second or two, at the first time
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


@dataclass(frozen=True, eq=False)
class _Form:
    """A way to make a mistake."""

    name: str
    headline: str
    why: str
    answer: Answer
    edits: Edits | None  # None if it is a function of its own


@dataclass(frozen=True)
class _Seen:
    """What an answer showed.

    Attributes:
        outcomes: What came of it, on each case.
        outputs: The number of outputs that count; 0 if only a further case shows what is wrong.
        wrong: Places of the cases on which it was wrong.
        places: Places of all cases that count, those first that tell most.
    """

    outcomes: Sequence[Outcome]
    outputs: int
    wrong: Sequence[int]
    places: Sequence[int]

    @property
    def without_errors(self) -> _Seen:
        """What it showed where it raised nothing."""
        returned = [place for place in self.places if not isinstance(self.outcomes[place], str)]
        return _Seen(self.outcomes, self.outputs, [place for place in self.wrong if place in returned], returned)


class Diagnosis:
    """The mistakes of an exercise, ready to be compared with an answer.

    Args:
        interface: How the exercise uses an answer.
        cases: Its cases.
        mistakes: Its known mistakes, by name.
    """

    def __init__(self, interface: Interface, cases: Sequence[Case], mistakes: Mapping[str, Mistake]) -> None:
        self._interface, self._cases, self._mistakes = interface, cases, mistakes
        self._returned: dict[Hashable, dict[int, Outcome]] = {}  # by the mistake, and the place of the case
        self._generic_of: dict[int, list[_Form]] = {}  # by the number of outputs that their sentences are about

    def known_in(self, outcomes: Sequence[Outcome], but_for_errors: bool = False) -> Finding | None:
        """Find the known mistake that an answer makes.

        Args:
            outcomes: What came of the answer, on each case.
            but_for_errors: Whether it may also raise in some case, few of them, for a reason of its own.
        """
        seen = self._seen(outcomes)
        returned = seen.without_errors
        few = len(returned.places) >= 0.7 * len(seen.places)
        for each in [seen, returned] if but_for_errors and few else [seen]:
            if found := next((form for form in self.known if self._fits(form, each)), None):
                return _one(found)
        return None

    def likely_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find the generic mistake that an answer looks like, or the two mistakes; see :meth:`known_in`."""
        seen = self._seen(outcomes)
        generic = self._generic(seen.outputs)
        if found := [form for form in generic if self._fits(form, seen)]:
            return _looks_like(found)
        return next((_both(*pair) for pair in self._pairs(generic) if self._fits_pair(pair, seen)), None)

    def any_wrong(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether an answer returned something wrong, besides what it raised."""
        return bool(self._seen(outcomes).without_errors.wrong)

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
        return [self._interface.run_own(self._interface.reference, case).values for case in self._cases]

    def _pairs(self, generic: Sequence[_Form]) -> Iterator[tuple[_Form, _Form]]:
        """Two mistakes at once, the likelier pairs first."""
        known = [form for form in self.known if form.edits]
        both = itertools.combinations(range(len(known)), 2)
        mixed = itertools.product(range(len(known)), range(len(generic)))
        pairs = itertools.chain(
            ((known[i], known[j]) for i, j in sorted(both, key=sum)),
            ((known[i], generic[j]) for i, j in sorted(mixed, key=sum)),
        )
        possible = (
            (one, other)
            for one, other in pairs
            if one.name != other.name and disjoint((*(one.edits or ()), *(other.edits or ())))
        )
        return itertools.islice(possible, _PAIRS)

    def _seen(self, outcomes: Sequence[Outcome]) -> _Seen:
        """What an answer showed, in the outputs up to the first wrong one: the later ones follow from it."""
        for outputs in range(1, max(map(len, self._expected)) + 1):
            pairs = zip(outcomes, self._expected, self._cases, strict=True)
            alike = [_alike(outcome, expected, case, outputs) for outcome, expected, case in pairs]
            if not all(alike):
                places = sorted(range(len(alike)), key=lambda place: alike[place])
                return _Seen(outcomes, outputs, [place for place in places if not alike[place]], places)
        return _Seen(outcomes, 0, [], [])

    def _fits(self, form: _Form, seen: _Seen) -> bool:
        """Whether a form returns what was seen."""
        return self._agrees(form, lambda: form.answer, seen)

    def _fits_pair(self, pair: tuple[_Form, _Form], seen: _Seen) -> bool:
        """Whether two forms at once return what was seen."""
        one, other = pair
        return self._agrees(pair, lambda: self.source.answer((*(one.edits or ()), *(other.edits or ()))), seen)

    def _agrees(self, mistake: Hashable, made: Callable[[], Answer], seen: _Seen) -> bool:
        """Compare what was seen with what a mistake returns, which is kept: the next answer need not wait for it."""
        returned = self._returned.setdefault(mistake, {})
        answer: Answer | None = None
        for place in seen.places:
            if place not in returned:
                try:
                    answer = answer or made()
                except SyntaxError as error:
                    returned[place] = str(error)
                    return False
                returned[place] = outcome_of(self._interface, answer, self._cases[place])
            if not _alike(seen.outcomes[place], returned[place], self._cases[place], seen.outputs):
                return False
        return bool(seen.wrong)


def outcome_of(interface: Interface, answer: Answer, case: Case) -> Outcome:
    """What comes of an answer of ours on a case: what it returns, or its error as text."""
    try:
        return interface.run_own(answer, case).values
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"


def _alike(a: Outcome, b: Outcome, case: Case, outputs: int) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str)
    a, b = a[:outputs], b[:outputs]  # what follows may be missing: gradients that are cut off
    return len(a) == len(b) and all(map(case.close, a, b))


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
