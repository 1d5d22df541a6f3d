"""Find the mistake that an answer seems to make: a mistake that returns the same values as the answer on all cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

import torch

from .edits import Answer, Edits, Source, disjoint
from .generic import suspects
from .mistake import Mistake
from .trial import Case, Interface, Values

_PAIRS = 1000  # how many pairs of mistakes are tried, for each kind of pair
Outcome = Values | str  # on one case: the returned values, or the name of the error that was raised


@dataclass(frozen=True)
class Finding:
    """The mistake, or the two mistakes, that an answer seems to make.

    Attributes:
        name: Name of the mistake; for two mistakes, both names with a plus between them.
        headline: What the answer seems to do.
        advice: Why this is wrong, and what to do instead, line by line.
        edits: For each mistake, the edits that make it in the right answer; empty if no edits make it.
    """

    name: str
    headline: str
    advice: tuple[str, ...]
    edits: tuple[Edits, ...]


@dataclass(frozen=True, eq=False)
class _Form:
    """One form of a mistake, ready to be run."""

    name: str
    headline: str
    why: str
    answer: Answer
    edits: Edits | None  # None if the mistake is a function and not an edit


@dataclass(frozen=True)
class _Seen:
    """What an answer returned, compared with the right answer.

    Attributes:
        outcomes: The outcome on each case.
        outputs: Indices of the outputs that count; empty if only a further case shows that the answer is wrong.
        wrong: Indices of the cases on which the answer was wrong.
        places: Indices of all cases that count, with the most informative first.
    """

    outcomes: Sequence[Outcome]
    outputs: range
    wrong: Sequence[int]
    places: Sequence[int]

    @property
    def without_errors(self) -> _Seen:
        """The same comparison, limited to the cases on which the answer raised no error."""
        returned = [place for place in self.places if not isinstance(self.outcomes[place], str)]
        return _Seen(self.outcomes, self.outputs, [place for place in self.wrong if place in returned], returned)

    @property
    def tells(self) -> bool:
        """Whether a finite number was wrong. A result that is NaN everywhere can have any cause."""
        returned = (outcome for place in self.wrong if not isinstance(outcome := self.outcomes[place], str))
        return any(value.isfinite().any() for values in returned for value in values[self.outputs[-1] :][:1])


@dataclass(frozen=True)
class _Signs:
    """The effect of a single mistake, as integers with one bit for each case.

    Attributes:
        wrong: The cases on which the mistake gives a wrong result.
        fits: The cases on which the mistake returns the same as the learner's answer.
        seen_wrong: The cases on which the learner's answer is wrong.
    """

    wrong: int
    fits: int
    seen_wrong: int

    def against(self, other: _Signs) -> int:
        """Count the cases that suggest that the answer does not combine two given mistakes.

        If one mistake has no effect on a case, the result usually shows only the other mistake, and two mistakes
        rarely cancel each other out.
        """
        one_alone, other_alone = self.wrong & ~other.wrong, other.wrong & ~self.wrong
        neither = self.seen_wrong & ~(self.wrong | other.wrong)
        made_good = self.wrong & other.wrong & ~self.seen_wrong
        return (neither | made_good | one_alone & ~self.fits | other_alone & ~other.fits).bit_count()


class Diagnosis:
    """The mistakes of an exercise, ready to be compared with an answer.

    Args:
        interface: How the exercise runs an answer.
        cases: The cases of the exercise.
        mistakes: The known mistakes of the exercise, by name.
    """

    def __init__(self, interface: Interface, cases: Sequence[Case], mistakes: Mapping[str, Mistake]) -> None:
        self._interface, self._cases, self._mistakes = interface, cases, mistakes
        self._returned: dict[Hashable, dict[int, Outcome]] = {}  # by mistake, then by index of the case
        self._generic_of: dict[int, list[_Form]] = {}  # by the number of outputs that their sentences name

    def known_in(self, outcomes: Sequence[Outcome], but_for_errors: bool = False) -> Finding | None:
        """Find the known mistake that an answer makes.

        Args:
            outcomes: The outcome of the answer on each case.
            but_for_errors: Whether the answer may also raise an unrelated error on a few of the cases.
        """
        seen = self._seen(outcomes)
        returned = seen.without_errors
        few = len(returned.places) >= 0.7 * len(seen.places)
        for each in [seen, returned] if but_for_errors and few else [seen]:
            if found := next((form for form in self.known if self._fits(form, each)), None):
                return _one(found)
        return None

    def likely_in(self, outcomes: Sequence[Outcome]) -> Finding | None:
        """Find a generic mistake, or two mistakes, that explain an answer; see :meth:`known_in`."""
        seen = self._seen(outcomes)
        if not seen.tells:
            return None
        generic = self._generic(len(seen.outputs))
        if found := [form for form in generic if self._fits(form, seen)]:
            return _looks_like(found)
        both = next((pair for pair in self._pairs(generic, seen) if self._fits_pair(pair, seen)), None)
        return self._both(*both, seen) if both else self._known_in_later_output(outcomes, seen)

    def _known_in_later_output(self, outcomes: Sequence[Outcome], seen: _Seen) -> Finding | None:
        """Find a known mistake in a later output, if no mistake explains the first wrong output."""
        later = [
            self._seen_in(outcomes, range(place, place + 1)) for place in range(seen.outputs[-1] + 1, self._number)
        ]
        form = next((form for each in later for form in self.known if self._fits(form, each)), None)
        if form is None:
            return None
        first = self._interface.outputs[seen.outputs[-1]]
        advice = (form.why, f"Your {first} is wrong for a different reason: compare it with the expected value.")
        return Finding(form.name, form.headline, advice, (form.edits or (),))

    def _both(self, one: _Form, other: _Form, seen: _Seen) -> Finding:
        lines: list[str] = []
        for number, form in enumerate((one, other), start=1):
            lines += f"{number}. {form.headline}", f"   {form.why}"
            wrong = self._signs(form, seen).wrong
            shows = [place for place in sorted(seen.wrong) if wrong >> place & 1]
            if shows and not wrong >> min(seen.wrong) & 1:  # not in the case that the learner is shown
                lines.append(f"   Its effect is visible in another case: {self._cases[shows[0]].about}.")
        edits = (one.edits or (), other.edits or ())
        return Finding(f"{one.name} + {other.name}", "your answer seems to make two mistakes:", tuple(lines), edits)

    def is_constant(self, outcomes: Sequence[Outcome], place: int) -> bool:
        """Whether an output is the same on all cases, although the right output is not."""
        mine = [outcome[place] for outcome in outcomes if len(outcome) > place and not isinstance(outcome, str)]
        right = [outcome[place] for outcome in self._expected if len(outcome) > place]
        return len(mine) == len(outcomes) and all(map(mine[0].equal, mine)) and not all(map(right[0].equal, right))

    def shown(self, outcomes: Sequence[Outcome]) -> tuple[Case, int, torch.Tensor, torch.Tensor] | None:
        """Return the simplest case that shows a finding, with the output's index and its actual and expected value."""
        seen = self._seen(outcomes)
        for place in sorted(seen.without_errors.wrong):
            case, outcome, output = self._cases[place], outcomes[place], seen.outputs[-1]
            if len(outcome) > output and not isinstance(outcome, str):
                return case, output, outcome[output], self._expected[place][output]
        return None

    def any_wrong(self, outcomes: Sequence[Outcome]) -> bool:
        """Whether an answer returned anything wrong, not counting the cases on which it raised."""
        return bool(self._seen(outcomes).without_errors.wrong)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all mistakes that the diagnosis can find, known and generic."""
        return frozenset(form.name for form in (*self.known, *self._generic(len(self._interface.outputs))))

    @cached_property
    def known(self) -> list[_Form]:
        """All forms of all known mistakes."""
        forms = []
        for name, mistake in self._mistakes.items():
            for form in mistake.forms:
                try:
                    edits = None if callable(form) else self.source.find(form)
                    answer = form if callable(form) else self.source.answer(edits or ())
                except (ValueError, SyntaxError) as error:
                    raise ValueError(f"mistakes: {name!r}, {form}: {error}") from None
                forms.append(_Form(name, mistake.headline, mistake.why, answer, edits))
        return forms

    def _generic(self, outputs: int) -> list[_Form]:
        """Return the generic mistakes, with sentences that name the first ``outputs`` outputs."""
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

    @cached_property
    def _number(self) -> int:
        """The number of outputs, including gradients."""
        return max(map(len, self._expected))

    def _pairs(self, generic: Sequence[_Form], seen: _Seen) -> Iterable[tuple[_Form, _Form]]:
        """Yield pairs of mistakes that together may explain the answer, the likelier pairs first."""
        known = [form for form in self.known if form.edits]
        signs = {form: self._signs(form, seen) for form in (*known, *generic)}
        at_all = [form for form in signs if signs[form].wrong]
        ours = sum(form in at_all for form in known)  # the known mistakes come first
        both: list[tuple[int, int, _Form, _Form]] = []  # two known mistakes
        mixed: list[tuple[int, int, _Form, _Form]] = []  # a known and a generic mistake
        for (place, one), (other_place, other) in itertools.combinations(enumerate(at_all), 2):
            if place < ours and one.name != other.name and disjoint((*(one.edits or ()), *(other.edits or ()))):
                pair = signs[one].against(signs[other]), place + other_place, one, other
                (both if other_place < ours else mixed).append(pair)
        tried = (
            *sorted(both, key=itemgetter(0, 1))[:_PAIRS],
            *sorted(both, key=itemgetter(1))[
                :_PAIRS
            ],  # the effect of two mistakes is not always the sum of their effects
            *sorted(mixed, key=itemgetter(0, 1))[:_PAIRS],
        )
        return dict.fromkeys((one, other) for *_, one, other in tried)

    def _signs(self, form: _Form, seen: _Seen) -> _Signs:
        """Compare a single form with the right answer and with the learner's answer, case by case."""
        wrong, seen_wrong, fits = 0, 0, 0
        for place, case in enumerate(self._cases):
            alone, bit = self._outcome(form, place, lambda: form.answer), 1 << place
            wrong |= 0 if _alike(alone, self._expected[place], case, seen.outputs) else bit
            fits |= bit if _alike(alone, seen.outcomes[place], case, seen.outputs) else 0
            seen_wrong |= bit if place in seen.wrong else 0
        return _Signs(wrong, fits, seen_wrong)

    def _seen(self, outcomes: Sequence[Outcome]) -> _Seen:
        """Compare an answer with the right answer up to the first wrong output, because later outputs depend on it."""
        prefixes = (self._seen_in(outcomes, range(number)) for number in range(1, self._number + 1))
        return next((seen for seen in prefixes if seen.wrong), _Seen(outcomes, range(0), [], []))

    def _seen_in(self, outcomes: Sequence[Outcome], outputs: range) -> _Seen:
        pairs = zip(outcomes, self._expected, self._cases, strict=True)
        alike = [_alike(outcome, expected, case, outputs) for outcome, expected, case in pairs]
        places = sorted(range(len(alike)), key=lambda place: alike[place])
        return _Seen(outcomes, outputs, [place for place in places if not alike[place]], places)

    def _fits(self, form: _Form, seen: _Seen) -> bool:
        """Whether a form of a mistake returns the same values as the answer."""
        return self._agrees(form, lambda: form.answer, seen)

    def _fits_pair(self, pair: tuple[_Form, _Form], seen: _Seen) -> bool:
        """Whether two forms of mistakes together return the same values as the answer."""
        one, other = pair
        return self._agrees(pair, lambda: self.source.answer((*(one.edits or ()), *(other.edits or ()))), seen)

    def _agrees(self, mistake: Hashable, made: Callable[[], Answer], seen: _Seen) -> bool:
        """On each case, compare an answer with what a mistake returns, which is kept for the next answer."""
        for place in seen.places:
            outcome = self._outcome(mistake, place, made)
            if not _alike(seen.outcomes[place], outcome, self._cases[place], seen.outputs):
                return False
        return bool(seen.wrong)

    def _outcome(self, mistake: Hashable, place: int, made: Callable[[], Answer]) -> Outcome:
        returned = self._returned.setdefault(mistake, {})
        if place not in returned:
            try:
                returned[place] = outcome_of(self._interface, made(), self._cases[place])
            except SyntaxError as error:
                returned[place] = str(error)
        return returned[place]


def outcome_of(interface: Interface, answer: Answer, case: Case) -> Outcome:
    """Run one of our own answers on a case."""
    try:
        return interface.run_own(answer, case).values
    except (Exception, SystemExit) as error:
        return type(error).__name__


def _alike(a: Outcome, b: Outcome, case: Case, outputs: range) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return isinstance(a, str) and isinstance(b, str)
    chosen = slice(outputs.start, outputs.stop)
    return len(a[chosen]) == len(b[chosen]) and all(map(case.close, a[chosen], b[chosen]))


def _one(form: _Form) -> Finding:
    return Finding(form.name, form.headline, (form.why,), (form.edits or (),))


def _looks_like(forms: list[_Form]) -> Finding:
    """Report the likeliest of several generic mistakes, and mention the second likeliest."""
    first, others = forms[0], [form for form in forms[1:] if form.name != forms[0].name]
    if not others:
        return _one(first)
    advice = (first.why, f"Another possibility: {others[0].headline}")
    return Finding(first.name, f"a likely mistake: {first.headline}", advice, (first.edits or (),))
