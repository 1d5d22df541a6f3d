"""The machinery of checks that explain: an exercise knows its right answer, and the wrong ones that people give."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import re
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from pathlib import Path
from typing import Any

import torch

from .failure import failure
from .source import notebook_source
from .verdict import Text, Verdict, text

Answer = Callable[..., Any]  # a function, or a class
Part = Callable[..., Any]  # a part of an answer: what a mistake does in its own way
Values = tuple[torch.Tensor, ...]  # what an answer returned: a float64 tensor for each output

_NOT_THE_LEARNERS = (  # source files below these are not shown to a learner
    str(Path(__file__).parent),  # the exercises, in folders of it
    str(Path(torch.__file__).parent),
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
)


@dataclass(frozen=True)
class Case:
    """One set of inputs to try an answer on.

    Args:
        about: What is special about it, to be read after "for": "an empty first group".
        inputs: The arguments; None for one that has a default leaves it out.
        rtol: Relative error that is still right.
        atol: Absolute error that is still right.
    """

    about: str
    inputs: tuple[Any, ...]
    rtol: float = 1e-4
    atol: float = 1e-5

    @classmethod
    def of(cls, about: str, *inputs: Any) -> Case:
        """A case from its inputs one by one, with the tensors among them as lists of numbers."""
        return cls(about, tuple(torch.tensor(value) if isinstance(value, list) else value for value in inputs))


class Mistake:
    """A wrong answer that people give, ready to run.

    Args:
        headline: What the answer seems to do.
        why: Why that is wrong, and what to do instead.
        answers: The mistake as functions (or classes) like the learner's; several where it comes in several forms.
    """

    def __init__(self, headline: str, why: str, *answers: Answer) -> None:
        self.headline, self.why, self.answers = headline, why, answers


class _WrongError(Exception):
    """The first thing that is wrong with an answer: name of the mistake, headline, details."""

    def __init__(self, mistake: str, headline: str, *details: str) -> None:
        super().__init__("\n  ".join([headline, *details]))
        self.mistake = mistake


@dataclass(frozen=True, repr=False, eq=False)
class Exercise:
    """A task with its right answer, its known mistakes and its hints; call it with an answer to get a verdict.

    The answer runs on the cases from the simplest to the hardest. The first on which it differs from the reference
    is the counterexample. The mistake that returns what the answer returns, on all cases, is the diagnosis; of several
    outputs only those up to the first wrong one are compared, because the later ones follow from it.

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
    """

    reference: Answer
    outputs: tuple[str, ...]
    cases: tuple[Case, ...]
    mistakes: Mapping[str, Mistake]
    hints: tuple[str, ...]
    draw: Callable[[torch.Generator], Case]
    use: Callable[..., Any] | None = None
    show: Callable[..., str] | None = None

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
        try:
            self._must_be_of_right_kind(answer)
            for case in (*self.cases, *further):
                self._must_be_right(answer, case)
        except _WrongError as wrong:
            return Verdict(self.name, False, wrong.mistake, str(wrong))
        tried = [case.about for case in self.cases] + ([f"{len(further)} further cases"] if further else [])
        return Verdict(self.name, True, None, "\n  ✓ ".join(["right. Tried on", *tried]))

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

    # What can be wrong, in the order in which it is looked for

    def _must_be_of_right_kind(self, answer: Any) -> None:
        if not callable(answer) or isinstance(answer, type) != (self._kind == "class"):
            got = "a class" if isinstance(answer, type) else f"an object of type {type(answer).__name__}"
            headline = f"the check takes your {self._kind} itself, without brackets after its name; it got {got}."
            raise _WrongError("wrong-type", headline)

    def _must_be_right(self, answer: Answer, case: Case) -> None:
        inputs = copy.deepcopy(case.inputs)
        try:
            result = self._run(answer, inputs)
        except (Exception, SystemExit) as error:
            raise self._raised(error, case) from None
        reference = self._run(self.reference, copy.deepcopy(case.inputs))
        seen, expected = self._read(result, reference, case), self._values(reference)
        for (argument, before), after in zip(self._named(case.inputs), inputs, strict=True):
            if not _same(before, after):
                raise _WrongError(
                    "in-place",
                    f"your code changes its input {argument.name}, which belongs to the caller.",
                    self._tried(case),
                    f"seen:     {argument.name} = {text(after)} after the call",
                    f"expected: {argument.name} = {text(before)}, as before",
                    "`a += b`, `a[0] = b` and methods ending in _ write into the caller's tensor, append and pop into "
                    "the caller's list: write `a = a + b`, or work on a copy, `a.clone()`.",
                )
        for output, got, right in zip(self.outputs, seen, expected, strict=True):
            if not _close(got, right, case):
                name, headline, *why = self._diagnose(answer) or _describe(output, got, right, case)
                digits = 3 if text(got) != text(right) else 6
                lines = (f"seen:     {output} = {text(got, digits)}", f"expected: {output} = {text(right, digits)}")
                raise _WrongError(name, headline, self._tried(case), *lines, *why)

    def _read(self, result: Any, reference: Any, case: Case) -> Values:
        """The outputs as float64 tensors, if their types are as in the reference."""
        names, number = ", ".join(self.outputs), len(self.outputs)
        if result is None:
            raise _WrongError("no-return", "your code returns None: is its `return` missing?", self._tried(case))
        if number > 1 and not (isinstance(result, (tuple, list)) and len(result) == number):
            got = f"{type(result).__name__}" + (f" of {len(result)}" if isinstance(result, (tuple, list)) else "")
            headline = f"your code returns one {got}, expected {number} values: {names}."
            raise _WrongError("wrong-type", headline, self._tried(case))
        for output, value, right in zip(self.outputs, self._split(result), self._split(reference), strict=True):
            if value is None:
                raise _WrongError("no-return", f"your {output} is None: is a `return` missing?", self._tried(case))
            tensor = isinstance(right, torch.Tensor) and right.dim() > 0
            try:
                _tensor(value)
                fits = isinstance(value, torch.Tensor) or not tensor or isinstance(value, (int, float))
            except Exception:  # torch has many
                fits = False
            if not fits:
                wanted = f"a tensor of shape {list(right.shape)}" if tensor else "a number"
                headline = f"your {output} is of type {type(value).__name__}, expected {wanted}."
                raise _WrongError("wrong-type", headline, self._tried(case))
            if tensor and right.dtype == torch.bool != getattr(value, "dtype", torch.bool):
                headline = f"your {output} holds {value.dtype}, expected torch.bool: as an index, numbers count places."
                raise _WrongError("wrong-type", headline, self._tried(case))
        return self._values(result)

    def _raised(self, error: BaseException, case: Case) -> _WrongError:
        account = failure(error, lambda file: not file.startswith(_NOT_THE_LEARNERS))
        if account.kind == "not-answered":
            headline = f"not answered yet: {account.function} raises NotImplementedError."
            return _WrongError(
                account.kind, headline, f'Write your code in its place; check.hint("{self.name}") helps.'
            )
        if account.kind == "library-answer":
            return _WrongError(account.kind, f"your code calls {account.says}, which the exercise asks you to write.")
        headline = f"your code raises {re.sub(' at 0x[0-9a-fA-F]+', '', account.says)}"
        where = [f"line {account.number}:".ljust(10) + account.line] if account.line else []
        return _WrongError("exception", headline, self._tried(case), *where, f"It happens for {case.about}.")

    def _diagnose(self, answer: Answer) -> tuple[str, str, str] | None:
        """Name and texts of the known mistake that returns what the answer returns."""
        seen, ((_, expected), *known) = self._fingerprint(answer), self._returned

        def alike(a: list[Values], b: list[Values], outputs: int) -> bool:
            return all(
                len(x) == len(y) and all(_close(*pair, case) for pair in zip(x[:outputs], y[:outputs], strict=True))
                for x, y, case in zip(a, b, self.cases, strict=True)
            )

        for outputs in range(1, len(self.outputs) + 1):
            if not alike(seen, expected, outputs):  # the first wrong output
                for name, fingerprint in known:
                    if alike(seen, fingerprint, outputs):
                        return name, self.mistakes[name].headline, self.mistakes[name].why
                return None
        return None  # only a further case shows it

    # Running and reading

    def _run(self, answer: Answer, inputs: tuple[Any, ...]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the verdict says it better
            if self.use is not None:
                return self.use(answer, *inputs)
            named = self._named(inputs)
            required = [value for argument, value in named if argument.default is Parameter.empty]
            options = {argument.name: value for argument, value in named[len(required) :] if value is not None}
            return answer(*required, **options)

    def _fingerprint(self, answer: Answer) -> list[Values]:
        """What an answer returns on each case; nothing where it fails."""
        results: list[Values] = []
        for case in self.cases:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    results.append(self._values(self._run(answer, copy.deepcopy(case.inputs))))
            except (Exception, SystemExit):
                results.append(())
        return results

    @cached_property
    def _returned(self) -> list[tuple[str, list[Values]]]:
        """What the reference returns, and then every form of every mistake, by name."""
        known = [(name, wrong) for name, mistake in self.mistakes.items() for wrong in mistake.answers]
        return [(name, self._fingerprint(answer)) for name, answer in [("right", self.reference), *known]]

    def _split(self, result: Any) -> tuple[Any, ...]:
        return tuple(result) if len(self.outputs) > 1 else (result,)

    def _values(self, result: Any) -> Values:
        return tuple(map(_tensor, self._split(result)))

    @property
    def _kind(self) -> str:
        return "class" if isinstance(self.reference, type) else "function"

    def _named(self, inputs: Iterable[Any]) -> list[tuple[Parameter, Any]]:
        """Inputs of a case with the argument that each is of the use, or else of the reference."""
        parameters = list(inspect.signature(self.use or self.reference).parameters.values())
        return list(zip(parameters[1:] if self.use else parameters, inputs, strict=True))

    def _tried(self, case: Case) -> str:
        if self.show is not None:
            return f"tried:    {self.show(*case.inputs)}"
        given = [f"{argument.name}={text(value)}" for argument, value in self._named(case.inputs) if value is not None]
        return f"tried:    {self.name}({', '.join(given)})"


def _describe(output: str, got: torch.Tensor, right: torch.Tensor, case: Case) -> tuple[str, ...]:
    """Name and texts of a difference that no known mistake explains."""
    if got.shape != right.shape:
        shape, wanted = (f"a tensor of shape {list(x.shape)}" if x.dim() else "a single number" for x in (got, right))
        return "wrong-shape", f"your {output} is {shape}, expected {wanted}."
    if got.isnan().any() and not right.isnan().any():
        why = "0/0, ∞ − ∞, the root or log of a negative number and the variance (n−1) of a single sample are NaN."
        return "nan", f"your {output} is not a number (NaN) for {case.about}.", why
    return "unknown", f"your {output} is wrong for {case.about}."


def _tensor(value: Any) -> torch.Tensor:
    return torch.as_tensor(value).detach().cpu().double()


def _close(a: torch.Tensor, b: torch.Tensor, case: Case) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=case.rtol, atol=case.atol, equal_nan=True)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.equal(a, b)
    return len(a) == len(b) and all(map(_same, a, b)) if isinstance(a, list) else bool(a == b)
