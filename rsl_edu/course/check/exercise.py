"""An exercise: a task with its right answer, and the wrong ones that people give."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from .diagnosis import Diagnosis
from .edits import Answer
from .judging import Judge, WrongError
from .mistake import Mistake, Part
from .source import notebook_source
from .trial import Case, Interface
from .verdict import Text, Verdict

__all__ = ["Answer", "Case", "Exercise", "Mistake", "Part"]  # all that an exercise's file needs


@dataclass(frozen=True, repr=False, eq=False)
class Exercise:
    """A task with its right answer, its known mistakes and its hints; call it with an answer to get a verdict.

    The answer runs on the cases from the simplest to the hardest. The first on which it differs from the reference
    is the counterexample. The mistake that returns what the answer returns, on all cases, is the diagnosis: a known
    one, else a generic one, else two at once. Of several outputs only those up to the first wrong one are compared,
    because the later ones follow from it.

    Args:
        reference: The right answer, written as for a learner: a function, or a class.
        outputs: Names of what an answer returns.
        cases: Inputs, from the simplest to the hardest; together they tell all mistakes apart.
        mistakes: The known wrong answers, by names that are short and stable: ``unbiased-variance``. Where two return
            the same, the first is the diagnosis.
        hints: From vague to almost the answer.
        draw: Makes a random case.
        use: Gets the outputs from an answer and the inputs of a case. The default calls the answer with the inputs.
        show: Writes that use as text, from the inputs. The default is the call, with the names of the arguments.
        shortcuts: Functions of torch that do what the exercise asks to write. A right answer that calls one passes, and
            is told so.
    """

    reference: Answer
    outputs: tuple[str, ...]
    cases: tuple[Case, ...]
    mistakes: Mapping[str, Mistake]
    hints: tuple[str, ...]
    draw: Callable[[torch.Generator], Case]
    use: Callable[..., Any] | None = None
    show: Callable[..., str] | None = None
    shortcuts: tuple[Callable[..., Any], ...] = ()

    @property
    def name(self) -> str:
        """The name of the reference; for a class, ``running_norm`` stands for ``RunningNorm``."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "_", self.reference.__name__).lower()

    def __repr__(self) -> str:
        """How to use it."""
        return f"Exercise {self.name}: call it with your {self._kind}; .hint(1) to .hint({len(self.hints)}) help."

    def __call__(self, answer: Answer, cases: Iterable[Case] = ()) -> Verdict:
        """The same as :meth:`check`."""
        return self.check(answer, cases)

    def check(self, answer: Answer, cases: Iterable[Case] = ()) -> Verdict:
        """Judge an answer; what goes wrong in its code becomes a verdict, never an exception.

        Args:
            answer: The learner's function or class.
            cases: Further cases, such as a grader's hidden ones, tried after the exercise's own.
        """
        further = tuple(cases)
        return self._verdict(answer, (*self.cases, *further), further)

    def further(self, answer: Answer, cases: Iterable[Case]) -> Verdict:
        """Judge an answer that has passed :meth:`check` on further cases, such as a grader's hidden ones.

        Args:
            answer: The learner's function or class.
            cases: The further cases.
        """
        further = tuple(cases)
        return self._verdict(answer, further, further)

    def _verdict(self, answer: Answer, cases: Iterable[Case], further: Sequence[Case]) -> Verdict:
        named = frozenset(re.findall(r"\w+", " ".join(re.findall("`(.*?)`", " ".join(self.hints)))))
        hint = f'check.hint("{self.name}")'
        judge = Judge(self._interface, self.cases, self._diagnosis, hint, named, self.shortcuts)
        try:
            self._must_be_of_right_kind(answer)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the verdict says it better
                for case in cases:
                    judge.must_be_right(answer, case)
        except WrongError as wrong:
            return Verdict(self.name, False, wrong.mistake, str(wrong), wrong.advice)
        tried = [case.about for case in self.cases]
        tried += [f"{len(further)} further cases"] if len(further) > 3 else [case.about for case in further]
        message = "\n  ✓ ".join(["right. Tried on", *tried])
        if judge.taken:
            message += f"\n  But it calls torch's {judge.taken[0]}, which does what the exercise asks you to write."
            message += "\n  In the assignment, that counts as no answer."
        return Verdict(self.name, True, None, message)

    def number_right(self, answer: Answer, cases: Iterable[Case]) -> int:
        """Count the cases on which an answer returns what is right; one that raises is wrong there."""
        count = 0
        for case in cases:
            wanted = self._interface.run(self.reference, case).values
            try:
                got = self._interface.run(answer, case).values
                count += len(got) == len(wanted) and all(map(case.close, got, wanted))
            except Exception:  # whatever it raises, or what it returns makes torch raise
                continue
        return count

    def hint(self, stage: int = 1) -> Text:
        """Hint number ``stage``, from 1 (vague) on."""
        if stage not in range(1, len(self.hints) + 1):
            raise ValueError(f"stage: expected 1 to {len(self.hints)}, got {stage!r}")
        return Text(f"Hint {stage} of {len(self.hints)}: {self.hints[stage - 1]}")

    @property
    def solution(self) -> Text:
        """Source of the right answer, as the notebooks show it."""
        return Text(notebook_source(self.reference))

    def sample(self, seed: int | None, number: int) -> list[Case]:
        """Random cases, the same ones for the same seed; with None, others each time."""
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        return [self.draw(generator) for _ in range(number)]

    def working(self, answer: Answer, otherwise: Answer | None = None) -> Answer:
        """Return the answer if it is right, else what works in its place, so that what follows can run.

        Args:
            answer: The learner's function or class.
            otherwise: What to return if it is wrong; the reference by default.
        """
        return answer if self.check(answer).passed else otherwise or self.reference

    @cached_property
    def _interface(self) -> Interface:
        """How it uses an answer."""
        return Interface(self.reference, self.outputs, self.use, self.show)

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        """Its mistakes, ready to be compared with an answer."""
        return Diagnosis(self._interface, self.cases, self.mistakes)

    def _must_be_of_right_kind(self, answer: Any) -> None:
        if not callable(answer) or isinstance(answer, type) != (self._kind == "class"):
            got = "a class" if isinstance(answer, type) else f"an object of type {type(answer).__name__}"
            headline = f"the check takes your {self._kind} itself, without brackets after its name; it got {got}."
            raise WrongError("wrong-type", headline)

    @property
    def _kind(self) -> str:
        return "class" if isinstance(self.reference, type) else "function"
