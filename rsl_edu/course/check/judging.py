"""Judge an answer: everything that can be wrong with it, in the order in which it is checked."""

from __future__ import annotations

import re
import sysconfig
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .diagnosis import Diagnosis, Finding, Outcome
from .edits import Answer
from .failure import PassThroughError, advice, failure
from .limit import TooLongError, limited
from .pointer import line_of, steps_of
from .shortcut import calls_of
from .trial import Case, Interface, Trial, as_tensor
from .verdict import clearly, text

_RANDOM = "The result may depend only on the inputs. A mean over random samples is approximate; use an exact formula."
_SECONDS = 10.0  # limit of CPU time for all calls of an answer in one check
_NOT_THE_LEARNERS = (  # lines of source files below these folders are not shown to a learner
    str(Path(__file__).parent),  # contains the folders of the exercises
    str(Path(torch.__file__).parent),
    sysconfig.get_path("stdlib"),
    sysconfig.get_path("purelib"),
)


class WrongError(Exception):
    """The first thing that is wrong with an answer.

    Args:
        mistake: Name of the mistake.
        headline: What is wrong, in one line.
        details: What was tried, seen and expected, line by line.
        advice: What to do, line by line.
        of_mistake: Whether headline and advice are the fixed texts of a mistake, which contain no input.
    """

    def __init__(
        self, mistake: str, headline: str, *details: str, advice: Iterable[str] = (), of_mistake: bool = False
    ) -> None:
        super().__init__("\n  ".join([headline, *details, *advice]))
        self.mistake, self.advice = mistake, "\n  ".join([headline, *advice]) if of_mistake else ""


@dataclass
class Judge:
    """Runs an answer on cases, and raises an error that explains what is wrong with it.

    Args:
        interface: How the exercise runs an answer.
        cases: The exercise's own cases.
        diagnosis: The mistakes of the exercise.
        hint: The call that shows a hint.
        names: Names of the variables that the hints mention.
        shortcuts: Functions of torch that do what the exercise asks learners to write.
        left: CPU time that is left for the answer, in seconds.
        taken: Names of the shortcuts that the answer has called.
    """

    interface: Interface
    cases: Sequence[Case]
    diagnosis: Diagnosis
    hint: str
    names: frozenset[str]
    shortcuts: Sequence[Callable[..., Any]] = ()
    left: float = field(default_factory=lambda: _SECONDS)
    taken: list[str] = field(default_factory=list)

    def must_be_right(self, answer: Answer, case: Case) -> None:
        """Run an answer on a case and check the result.

        Raises:
            WrongError: If anything is wrong.
        """
        try:
            with calls_of(self.shortcuts) as called:
                trial = self._run(answer, case, quiet=False)
            self.taken += called
        except (KeyboardInterrupt, PassThroughError):
            raise
        except BaseException as error:
            raise self._raised(answer, error, case) from None
        right = self.interface.run(self.interface.reference, case)
        self._must_return_the_right_kind(answer, trial, right, case)
        self._must_not_change_inputs(trial, case)
        for place, (got, wanted) in enumerate(zip(trial.values, right.values, strict=False)):
            if not case.close(got, wanted):
                self._must_repeat(answer, trial, case)
                raise self._explained(answer, trial, right, place, case)
        if len(trial.values) < len(right.values) and any(gradient.any() for gradient in right.gradients):
            raise WrongError(
                "no-gradient",
                f"your {self.interface.outputs[0]} is right, but no gradient flows back to {case.tracked[0]}.",
                *self._tried(case),
                advice=[
                    "`.detach()`, `.item()`, numpy, `torch.tensor(...)` and `torch.no_grad()` cut a result off from "
                    "its inputs,",
                    "so nothing can be trained through the result. Use only tensors and their methods.",
                ],
            )
        if self._is_own(case):
            self._must_repeat(answer, trial, case)

    def _is_own(self, case: Case) -> bool:
        """Whether a case is one of the exercise's own cases, not a further case."""
        return any(case is own for own in self.cases)

    def _run(self, answer: Answer, case: Case, seed: int = 0, quiet: bool = True) -> Trial:
        begin = time.process_time()
        try:
            return limited(self.left, lambda: self.interface.run(answer, case, seed, quiet))
        finally:
            self.left -= time.process_time() - begin

    def _outcome(self, answer: Answer, case: Case, seed: int = 0) -> Outcome:
        trial = self._again(answer, case, seed)
        if isinstance(trial, str):
            return trial
        try:
            return trial.values
        except Exception as error:  # torch raises many kinds of error for values that are not tensors
            return type(error).__name__

    def _again(self, answer: Answer, case: Case, seed: int = 0) -> Trial | str:
        """Run an answer once more; if it raises an error, return the name of the error."""
        if self.left <= 0:
            return "stopped"  # it was stopped on the previous case, and would be stopped on this one
        try:
            return self._run(answer, case, seed)
        except (KeyboardInterrupt, PassThroughError):
            raise
        except BaseException as error:
            if failure(error, lambda _: False).kind == "stopped":
                self.left = 0
            return type(error).__name__

    # The checks, in their order

    def _must_return_the_right_kind(self, answer: Answer, trial: Trial, right: Trial, case: Case) -> None:
        names, number = ", ".join(self.interface.outputs), len(self.interface.outputs)
        if all(result is None for result in trial.results):
            again = self._again(answer, case)
            printed = isinstance(again, Trial) and again.printed
            does = "prints, and returns None" if printed else "returns None"
            raise WrongError(
                "no-return",
                f"your code {does}: is its `return` missing?",
                *self._tried(case),
                advice=["Other code cannot use what yours prints: return the value instead."] if printed else (),
            )
        if len(trial.results) != number:
            headline = f"your code returns {_kind(trial.results[0])}, expected {number} values: {names}."
            raise WrongError("wrong-type", headline, *self._tried(case), advice=_makes(trial.results[0]))
        for output, value, wanted in zip(self.interface.outputs, trial.results, right.results, strict=True):
            if value is None:
                raise WrongError("no-return", f"your {output} is None: is a `return` missing?", *self._tried(case))
            if why := _misfit(value, wanted):
                raise WrongError("wrong-type", f"your {output} {why}", *self._tried(case), advice=_makes(value))

    def _must_not_change_inputs(self, trial: Trial, case: Case) -> None:
        for (argument, before), after in zip(self.interface.named(case.inputs), trial.given, strict=True):
            if not _same(before, after):
                name = argument.name
                if isinstance(before, list):
                    how = "append, pop, sort, `a[0] = b` and `a += b` write into the caller's list"
                    instead = f"work on a copy, `list({name})`"
                else:
                    how = "`a += b`, `a[0] = b` and methods ending in _ write into the caller's tensor"
                    instead = f"write `a = a + b`, or work on a copy, `{name}.clone()`"
                raise WrongError(
                    "in-place",
                    f"your code changes its input {name}, which belongs to the caller.",
                    *self._tried(case),
                    f"seen:     {name} = {text(after)} after the call",
                    f"expected: {name} = {text(before)}, as before",
                    advice=[f"{how}: {instead}."],
                )

    def _must_repeat(self, answer: Answer, first: Trial, case: Case) -> None:
        """Check that the same inputs give the same result again."""

        def as_at_first(outcome: Outcome) -> bool:
            if isinstance(outcome, str) or len(outcome) != len(first.values):
                return False
            return all(case.close(*pair) for pair in zip(outcome, first.values, strict=True))

        if as_at_first(self._outcome(answer, case, seed=1)):
            return
        if as_at_first(self._outcome(answer, case)):
            raise WrongError(
                "random",
                "your result differs from call to call with the same inputs, because it depends on random numbers.",
                *self._tried(case),
                advice=[_RANDOM],
            )
        raise WrongError(
            "state-between-calls",
            "your code returns a different result when it is called again with the same inputs, because it keeps "
            "state.",
            *self._tried(case),
            advice=[
                "Global variables, class attributes (shared by all objects) and mutable default arguments keep state. "
                "Create the state in the function or in `__init__`."
            ],
        )

    def _explained(self, answer: Answer, trial: Trial, right: Trial, place: int, case: Case) -> WrongError:
        """Explain the first output that is wrong."""
        output = self._outputs(case)[place]
        got, wanted = trial.values[place], right.values[place]
        lines = self._seen_and_expected(case, place, got, wanted)
        outcomes = [self._outcome(answer, each) for each in self.cases]
        finding = self.diagnosis.known_in(outcomes, but_for_errors=True)
        if finding is None and place < len(trial.results) and _cuts_off(trial.results[place], right.results[place]):
            headline = f"your {output} contains only integers: the digits after the decimal point are cut off."
            why = "A tensor created from integers has an integer type: write 0.0 instead of 0, or pass dtype=x.dtype."
            return WrongError("integer-result", headline, *lines, advice=[why])
        if finding is None and right.drawn is None and self._sets_a_seed(answer, trial, case):
            headline = f"your {output} depends on random numbers that never change: a seed is set in your code."
            return WrongError("random", headline, *lines, advice=[_RANDOM])
        if finding is None and self.diagnosis.is_constant(outcomes, place):
            headline = f"your {output} is always {text(got)}, whatever the inputs are."
            return WrongError(
                "constant-result", headline, *lines, advice=["Which of its arguments does your code use?"]
            )
        if finding := finding or self.diagnosis.likely_in(outcomes):
            if shown := self.diagnosis.shown(outcomes):
                lines = self._seen_and_expected(*shown)
            places = [line_of(answer, self.diagnosis.source, edits) for edits in finding.edits]
            marks = [""] if len(places) == 1 else [f"  ({number})" for number in range(1, len(places) + 1)]
            look = [_line(*place) + mark for place, mark in zip(places, marks, strict=True) if place]
            return WrongError(finding.name, finding.headline, *lines, *look, advice=finding.advice, of_mistake=True)
        name, headline, *why_not = _describe(output, got, wanted)
        step = self._first_step(answer, case) if right.drawn is None else []
        return WrongError(name, f"{headline} in this case: {case.about}.", *lines, *step, advice=why_not)

    def _outputs(self, case: Case) -> list[str]:
        return [*self.interface.outputs, *(f"gradient of {name}" for name in case.tracked)]

    def _seen_and_expected(self, case: Case, place: int, got: torch.Tensor, wanted: torch.Tensor) -> list[str]:
        output, (seen, expected) = self._outputs(case)[place], clearly(got, wanted)
        return [*self._tried(case), f"seen:     {output} = {seen}", f"expected: {output} = {expected}"]

    def _sets_a_seed(self, answer: Answer, trial: Trial, case: Case) -> bool:
        """Whether the answer draws random numbers that do not depend on the seed set before the call."""
        again = None if trial.drawn is None else self._again(answer, case, seed=1)
        if trial.drawn is None or not isinstance(again, Trial) or again.drawn is None:
            return False
        return torch.equal(trial.drawn, again.drawn)

    def _first_step(self, answer: Answer, case: Case) -> list[str]:
        """Find the first variable from the hints whose value in the learner's code differs from the right value."""
        reference = self.interface.reference
        theirs = steps_of(answer, lambda: self._outcome(answer, case))
        told = {*self.interface.outputs, *(argument.name for argument, _ in self.interface.named(case.inputs))}
        for name, right in steps_of(reference, lambda: self.interface.run(reference, case)).items():
            if name in theirs and name in self.names - told and not case.close(theirs[name], right):
                seen, expected = clearly(theirs[name], right)
                return [f"look at:  your {name} = {seen}; following the hints, it would be {expected}"]
        return []

    def _raised(self, answer: Answer, error: BaseException, case: Case) -> WrongError:
        account = failure(error, lambda file: not file.startswith(_NOT_THE_LEARNERS))
        if account.kind == "not-answered":
            headline = f"not answered yet: {account.function} raises NotImplementedError."
            return WrongError(account.kind, headline, f"Replace this line with your code; {self.hint} shows a hint.")
        if account.kind == "library-answer":
            return WrongError(account.kind, f"your code calls {account.says}, which the exercise asks you to write.")
        where = [_line(account.number, account.line)] if account.line else []
        if account.kind == "stopped":
            ran = f"ran for more than {_SECONDS:g} s" if isinstance(error, TooLongError) else account.says
            headline = f"your code was stopped: it {ran}."
            look = ["Does a loop never end? Check what its condition compares, and where these values change."]
            return WrongError(account.kind, headline, *self._tried(case), *where, advice=look)
        raised = re.sub(" at 0x[0-9a-fA-F]+", "", account.says)
        if self._is_own(case) and (finding := self._wrong_elsewhere(answer)):
            lines = (*self._tried(case), f"raised:   {raised}", *where)
            return WrongError(finding.name, finding.headline, *lines, advice=finding.advice, of_mistake=True)
        headline = f"your code raises {raised}"
        place = f"It happens in this case: {case.about}."
        meaning = advice(account.says)
        return WrongError(
            account.kind, headline, *self._tried(case), *where, place, advice=[meaning] if meaning else []
        )

    def _wrong_elsewhere(self, answer: Answer) -> Finding | None:
        """Find the mistake that an answer makes on the cases on which it raises no error."""
        outcomes = [self._outcome(answer, each) for each in self.cases]
        if not self.diagnosis.any_wrong(outcomes):
            return None
        return self.diagnosis.known_in(outcomes) or self.diagnosis.likely_in(outcomes)

    def _tried(self, case: Case) -> list[str]:
        return [f"tried:    {self.interface.tried(case)}"]


def _line(number: int, line: str) -> str:
    return f"line {number}:".ljust(10) + line


def _kind(value: Any) -> str:
    """Describe a value of the wrong kind."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)} values"
    if isinstance(value, torch.Tensor):
        return f"one tensor of shape {list(value.shape)}" if value.dim() else "one number"
    return f"one value of type {type(value).__name__}"


def _makes(value: Any) -> list[str]:
    """Explain why a function returned a generator, a coroutine or a function."""
    call = "Are the brackets of a call missing? Write `x.mean()`, not `x.mean`."
    makes = {
        "generator": "`yield` turns a function into a generator: use `return` instead.",
        "coroutine": "`async` turns a function into a coroutine: leave it out.",
        **dict.fromkeys(("builtin_function_or_method", "method", "function"), call),
    }
    return [makes[type(value).__name__]] if type(value).__name__ in makes else []


def _misfit(value: Any, right: Any) -> str:
    """Explain why a value cannot be compared with the right one; the text is empty if it can."""
    tensor = isinstance(right, torch.Tensor) and right.dim() > 0
    wanted = f"a tensor of shape {list(right.shape)}" if tensor else "a number"
    if isinstance(value, (tuple, list)):
        makes = (
            "; torch.tensor or torch.stack converts a list to a tensor" if tensor and isinstance(value, list) else ""
        )
        return f"is {_kind(value)}, expected {wanted}{makes}."
    if tensor and type(value).__module__ == "numpy":
        return f"is a numpy array, expected {wanted}: torch.from_numpy converts it, but it is better to use only torch."
    try:
        as_tensor(value)
        fits = isinstance(value, torch.Tensor) or not tensor or isinstance(value, (int, float))
    except Exception:  # torch raises many kinds of error
        fits = False
    if not fits and isinstance(value, torch.Tensor):
        return f"is not a plain tensor of numbers ({value.layout}, on {value.device}), expected {wanted}."
    if not fits:
        return f"is of type {type(value).__name__}, expected {wanted}."
    if tensor and right.dtype == torch.bool != getattr(value, "dtype", torch.bool):
        return f"has dtype {value.dtype}, expected torch.bool: used as an index, numbers are positions and not a mask."
    return ""


def _cuts_off(value: Any, right: Any) -> bool:
    """Whether a tensor is right except that it contains integers instead of floats."""
    if [x.is_floating_point() for x in (value, right) if isinstance(x, torch.Tensor)] != [False, True]:
        return False
    return any(
        torch.equal(as_tensor(value), as_tensor(whole)) for whole in (right.trunc(), right.round(), right.floor())
    )


def _describe(output: str, got: torch.Tensor, right: torch.Tensor) -> tuple[str, ...]:
    """Return the name and the texts for a difference that no mistake explains."""
    if got.shape != right.shape:
        shape, wanted = (f"a tensor of shape {list(x.shape)}" if x.dim() else "a single number" for x in (got, right))
        return "wrong-shape", f"your {output} is {shape}, expected {wanted},"
    if got.isnan().any() and not right.isnan().any():
        why = "0/0, ∞/∞, ∞ - ∞, the root or log of a negative number, and the unbiased variance of one sample are NaN."
        return "nan", f"your {output} is not a number (NaN)", why
    return "unknown", f"your {output} is wrong"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.shape == b.shape and torch.equal(a, b)
    return len(a) == len(b) and all(map(_same, a, b)) if isinstance(a, list) else bool(a == b)
