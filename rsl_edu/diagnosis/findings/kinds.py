"""What a finding is, what its row of the table says, and what its check looks at."""

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
"""Different samples from which on recorded observations are judged: on one alone, every unit always says the same."""
EARLY = 1
"""Up to this iteration a policy counts as untrained."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is likely wrong.

    Attributes:
        name: Name of the finding.
        figure: What was seen, with its number.
        threshold: From where on it is a finding.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change: fields of rsl_rl's configuration, in the names of the run's release.
    """

    name: str
    figure: str
    threshold: str
    meaning: str
    lesson: int
    change: str


class Passed(NamedTuple):
    """What a check with several thresholds returns: the figure in words, and the threshold that it passed."""

    figure: str
    threshold: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the checks look at: a run up to one of its checkpoints.

    Attributes:
        checkpoints: All checkpoints up to the one that is judged.
        measures: What was measured on each of them.
        sample: What the policies were shown.
        whole: Whether the checkpoint that is judged is the last one of the run.
        settings: What the files beside the run say.
        guessed_activation: Name of the activation if it is a guess, or else nothing.
    """

    checkpoints: Sequence[Checkpoint]
    measures: Sequence[Measures]
    sample: Sample
    whole: bool = True
    settings: RunSettings = dataclasses.field(default_factory=RunSettings)
    guessed_activation: str = ""

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint that is judged."""
        return self.checkpoints[-1]

    @property
    def policy(self) -> Policy:
        """The policy that is judged."""
        return self.checkpoint.policy

    @property
    def last(self) -> Measures:
        """The measures of the checkpoint that is judged."""
        return self.measures[-1]

    @property
    def first(self) -> Measures:
        """The measures of the first checkpoint."""
        return self.measures[0]

    @property
    def untrained(self) -> bool:
        """Whether the first checkpoint is from before the training."""
        first = self.checkpoints[0]
        return not first.undated and first.iteration <= EARLY and not first.trained

    @property
    def if_guessed(self) -> str:
        """What is added to a figure that depends on the activation: nothing unless that is a guess."""
        return f", if the activation is {self.guessed_activation}" if self.guessed_activation else ""

    @property
    def std_is_log(self) -> bool:
        """Whether the policy stores the logarithm of its std."""
        return getattr(self.policy.distribution, "std_type", "") == "log"

    @property
    def std_limits(self) -> tuple[float, float]:
        """What the std, as it is stored, is clamped to; infinite if there are no limits."""
        name = "log_std_range" if self.std_is_log else "std_range"
        low, high = getattr(self.policy.distribution, name, None) or (-np.inf, np.inf)
        return low, high

    @functools.cached_property
    def different(self) -> int:
        """How many different samples the policies were shown."""
        shown = self.sample.thinned(self.policy.rnn is not None)
        parts = [shown.observations.flatten(0, 1), *(image.flatten(0, 1).flatten(1) for image in shown.images.values())]
        return len(torch.cat(parts, dim=1).unique(dim=0))

    def require_different_samples(self) -> None:
        """Raise :class:`UncheckedError` if the policies were shown too few samples, or the same one again and again."""
        if self.different < DIFFERENT:
            raise UncheckedError(f"needs {DIFFERENT} different samples or more, got {self.different}")

    def require_observations(self) -> None:
        """Raise :class:`UncheckedError` if no robot saw what the policies were shown, or too little of it."""
        if not self.sample.real:
            raise UncheckedError("needs observations")
        self.require_different_samples()


class UncheckedError(Exception):
    """A check that cannot be made; the message says what is missing."""


class NotApplicable(Exception):  # noqa: N818 - says nothing went wrong
    """A check of something that this policy does not have: it is neither found nor absent nor unchecked."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FindingKind:
    """A row of the table of findings.

    Attributes:
        name: Name of the finding.
        listed_as: What the report calls it if it was not found or could not be checked. Rows that follow each other
            may share this name; the report then lists them once.
        check: Returns the figure that makes it a finding, in words, alone or as :class:`Passed`, or None; raises
            :class:`UncheckedError` if it cannot tell, and :class:`NotApplicable` if the policy has no such thing.
        threshold: From where on it is a finding; ``{std_low}`` and ``{std_high}`` are the limits of the policy's std.
        meaning: What it usually means.
        lesson: Number of the lesson that explains it.
        change: What to change; a name in braces is one of :data:`.CONFIG_FIELDS`.
        holds_with_nan: Whether "not found" also holds when there is NaN in the weights.
    """

    name: str
    listed_as: str
    check: Callable[[Evidence], str | Passed | None]
    threshold: str
    meaning: str
    lesson: int
    change: str
    holds_with_nan: bool = False
