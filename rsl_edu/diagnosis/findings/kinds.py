"""The data types of findings: a finding, its row in the table, and the evidence that its check uses."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from rsl_edu.checkpoint import Checkpoint, Policy
from rsl_edu.run_folder import RunSettings

from ..measures import Measures
from ..sample import Sample

DIFFERENT = 32
"""The minimum number of different samples for judging observations. On a single sample, every unit is constant."""
EARLY = 1
"""The last iteration at which a policy counts as untrained."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is likely wrong.

    Attributes:
        name: Name of the finding.
        figure: What was measured, in words and with the number.
        threshold: The threshold that was passed, in words.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change: fields of rsl_rl's configuration, as they are called in the run's release.
    """

    name: str
    figure: str
    threshold: str
    meaning: str
    lesson: int
    change: str


class Passed(NamedTuple):
    """The result of a check that has several thresholds: the figure in words, and the threshold that it passed."""

    figure: str
    threshold: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """The input of the checks: a run up to one of its checkpoints.

    Attributes:
        checkpoints: All checkpoints up to the judged one.
        measures: The measures of each of these checkpoints.
        sample: The observations that the policies were shown.
        whole: Whether the judged checkpoint is the last one of the run.
        settings: The settings found in the files next to the run.
        guessed_activation: Name of the activation if it is a guess; otherwise empty.
    """

    checkpoints: Sequence[Checkpoint]
    measures: Sequence[Measures]
    sample: Sample
    whole: bool = True
    settings: RunSettings = dataclasses.field(default_factory=RunSettings)
    guessed_activation: str = ""

    @property
    def checkpoint(self) -> Checkpoint:
        """The judged checkpoint."""
        return self.checkpoints[-1]

    @property
    def policy(self) -> Policy:
        """The policy of the judged checkpoint."""
        return self.checkpoint.policy

    @property
    def last(self) -> Measures:
        """The measures of the judged checkpoint."""
        return self.measures[-1]

    @property
    def first(self) -> Measures:
        """The measures of the first checkpoint."""
        return self.measures[0]

    @property
    def untrained(self) -> bool:
        """Whether the first checkpoint was saved before training started."""
        first = self.checkpoints[0]
        return not first.undated and first.iteration <= EARLY and not first.trained

    @property
    def if_guessed(self) -> str:
        """A caveat for figures that depend on the activation; empty unless the activation is a guess."""
        return f", if the activation is {self.guessed_activation}" if self.guessed_activation else ""

    @property
    def std_is_log(self) -> bool:
        """Whether the policy stores the logarithm of its std."""
        return getattr(self.policy.distribution, "std_type", "") == "log"

    @property
    def std_limits(self) -> tuple[float, float]:
        """The limits to which the stored std (or its logarithm) is clamped; infinite if there are none."""
        name = "log_std_range" if self.std_is_log else "std_range"
        low, high = getattr(self.policy.distribution, name, None) or (-np.inf, np.inf)
        return low, high

    @functools.cached_property
    def different(self) -> int:
        """The number of different samples that the policies were shown."""
        shown = self.sample.thinned(self.policy.rnn is not None)
        parts = [shown.observations.flatten(0, 1), *(image.flatten(0, 1).flatten(1) for image in shown.images.values())]
        return len(torch.cat(parts, dim=1).unique(dim=0))

    def require_different_samples(self) -> None:
        """Raise :class:`UncheckedError` if the policies were shown too few different samples."""
        if self.different < DIFFERENT:
            raise UncheckedError(f"needs {DIFFERENT} different samples or more, got {self.different}")

    def require_observations(self) -> None:
        """Raise :class:`UncheckedError` unless the policies were shown enough different real observations."""
        if not self.sample.real:
            raise UncheckedError("needs observations")
        self.require_different_samples()


class UncheckedError(Exception):
    """The check cannot be made; the message says what is missing."""


class NotApplicable(Exception):  # noqa: N818 - says nothing went wrong
    """The policy does not have what the check is about, so the report does not list the finding at all."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FindingKind:
    """A row of the table of findings.

    Attributes:
        name: Name of the finding.
        listed_as: Name in the report if it was not found or could not be checked. Consecutive rows may share this name;
            the report then lists them once.
        check: Returns the figure in words, or a :class:`Passed`, if there is a finding, and None if there is not.
            Raises :class:`UncheckedError` if it cannot tell, and :class:`NotApplicable` if the policy does not have
            what the check is about.
        threshold: Condition for a finding; ``{std_low}`` and ``{std_high}`` are the limits of the policy's std.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change; a name in braces is one of :data:`.CONFIG_FIELDS`.
        holds_with_nan: Whether the result "not found" can be trusted even if the weights contain NaN.
    """

    name: str
    listed_as: str
    check: Callable[[Evidence], str | Passed | None]
    threshold: str
    meaning: str
    lesson: int
    change: str
    holds_with_nan: bool = False
