"""An exercise: a task with its right answer and the mistakes that people make in it."""

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

__all__ = ["Answer", "Case", "Exercise", "Mistake", "Part"]  # everything that the file of an exercise needs


@dataclass(frozen=True, repr=False, eq=False)
class Exercise:
    """A task with its right answer, its known mistakes and its hints; call it with an answer to get a verdict.

    The answer runs on all cases, from the simplest to the hardest. The first case on which it differs from the
    reference is the counterexample. The diagnosis is the mistake that returns the same as the answer on every case: a
    known mistake if there is one, otherwise a generic mistake, otherwise two mistakes together. If there are several
    outputs, they are compared only up to the first wrong output, because the later outputs depend on it.

    Args:
        reference: The right answer, a function or a class, written as learners will read it.
        outputs: Names of the values that an answer returns.
        cases: Inputs, from the simplest to the hardest; together they distinguish all mistakes.
        mistakes: The known mistakes, by short and stable names such as ``unbiased-variance``. If two mistakes return
            the same, the first is the diagnosis.
        hints: Hints, from a vague one to one that almost gives the answer.
        draw: Makes a random case.
        use: Computes the outputs from an answer and the inputs of a case. By default, it calls the answer with the
            inputs.
        show: Writes this computation as text, from the inputs. By default, it writes the call with argument names.
        shortcuts: Functions of torch that do what the exercise asks learners to write. A right answer that calls one
            of them passes, but the verdict mentions it.
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
        """The name of the reference, which for a class ``RunningNorm`` becomes ``running_norm``."""
        return re.sub("(?<=[a-z])(?=[A-Z])", "_", self.reference.__name__).lower()

    def __repr__(self) -> str:
        """A text that explains how to use the exercise."""
        return f"Exercise {self.name}: call it with your {self._kind}; .hint(1) to .hint({len(self.hints)}) show hints."

    def __call__(self, answer: Answer, cases: Iterable[Case] = ()) -> Verdict:
        """Judge an answer; the same as :meth:`check`."""
        return self.check(answer, cases)

    def check(self, answer: Answer, cases: Iterable[Case] = ()) -> Verdict:
        """Judge an answer. Errors in its code become part of the verdict and are never raised.

        Args:
            answer: The learner's function or class.
            cases: Further cases, such as the hidden cases of a grader, which are tried after the exercise's own.
        """
        further = tuple(cases)
        return self._verdict(answer, (*self.cases, *further), further)

    def further(self, answer: Answer, cases: Iterable[Case]) -> Verdict:
        """Judge an answer that has passed :meth:`check` on further cases, such as the hidden cases of a grader.

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
                warnings.simplefilter("ignore")  # the verdict explains it better
                for case in cases:
                    judge.must_be_right(answer, case)
        except WrongError as wrong:
            return Verdict(self.name, False, wrong.mistake, str(wrong), wrong.advice)
        tried = [case.about for case in self.cases]
        tried += [f"{len(further)} further cases"] if len(further) > 3 else [case.about for case in further]
        message = "\n  ✓ ".join(["right. It passes these cases:", *tried])
        if judge.taken:
            message += f"\n  But it calls torch's {judge.taken[0]}, which is what the exercise asks you to write."
            message += "\n  In the assignment, this does not count as an answer."
        return Verdict(self.name, True, None, message)

    def number_right(self, answer: Answer, cases: Iterable[Case]) -> int:
        """Count the cases on which an answer returns the right values; a case on which it raises does not count."""
        count = 0
        for case in cases:
            wanted = self._interface.run(self.reference, case).values
            try:
                got = self._interface.run(answer, case).values
                count += len(got) == len(wanted) and all(map(case.close, got, wanted))
            except Exception:  # raised by the answer, or by torch because of what it returned
                continue
        return count

    def hint(self, stage: int = 1) -> Text:
        """Return hint number ``stage``; hint 1 is the vaguest."""
        if stage not in range(1, len(self.hints) + 1):
            raise ValueError(f"stage: expected 1 to {len(self.hints)}, got {stage!r}")
        return Text(f"Hint {stage} of {len(self.hints)}: {self.hints[stage - 1]}")

    @property
    def solution(self) -> Text:
        """Source of the right answer, as shown in the notebooks."""
        return Text(notebook_source(self.reference))

    def sample(self, seed: int | None, number: int) -> list[Case]:
        """Draw random cases: the same cases for the same seed, different cases each time if the seed is None."""
        generator = torch.Generator()
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        return [self.draw(generator) for _ in range(number)]

    def working(self, answer: Answer, otherwise: Answer | None = None) -> Answer:
        """Return the answer if it is right, otherwise a replacement, so that the following cells can run.

        Args:
            answer: The learner's function or class.
            otherwise: The replacement if the answer is wrong; the reference by default.
        """
        return answer if self.check(answer).passed else otherwise or self.reference

    @cached_property
    def _interface(self) -> Interface:
        """How the exercise runs an answer."""
        return Interface(self.reference, self.outputs, self.use, self.show)

    @cached_property
    def _diagnosis(self) -> Diagnosis:
        """The mistakes, ready to be compared with an answer."""
        return Diagnosis(self._interface, self.cases, self.mistakes)

    def _must_be_of_right_kind(self, answer: Any) -> None:
        if not callable(answer) or isinstance(answer, type) != (self._kind == "class"):
            got = "a class" if isinstance(answer, type) else f"an object of type {type(answer).__name__}"
            headline = f"pass your {self._kind} itself, without brackets after its name; the check got {got}."
            raise WrongError("wrong-type", headline)

    @property
    def _kind(self) -> str:
        return "class" if isinstance(self.reference, type) else "function"
