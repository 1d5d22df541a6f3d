"""The finding that checkpoints of two trainings lie in one folder, by what a training never loses.

A count of samples only grows. And weights move away from where they were, but what they were stays in them: in 50
trainings by strangers, two checkpoints in a row whose norms differ by less than a factor of three have 85 % or more of
their hidden weights in common. Those of two trainings have nothing in common, or a fifth if both began with one seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch

from rsl_edu.checkpoint import Policy

from .kinds import Evidence, FindingKind, NotApplicable, Passed, UncheckedError

KEPT = 0.3
"""Share of the weights of a checkpoint that is in the next one."""
_LIKE = 0.3
"""Ratio of the norms of two checkpoints that are compared: of small weights in large ones, too little could be seen."""
_WEIGHTS, _SIDE = 1_000, 8
"""Weights that are compared, at least, in matrices of at least so many rows and columns."""


def runs_mixed(evidence: Evidence) -> Passed | None:
    """Look for a normalizer that knows fewer samples than before, and for weights that have nothing of those before."""
    hidden = [_hidden(checkpoint.policy) for checkpoint in evidence.checkpoints]
    judged = sum(weight.numel() for weight in hidden[-1]) >= _WEIGHTS
    if evidence.last.count is None and not judged:
        raise NotApplicable
    if len(hidden) < 2:
        raise UncheckedError("needs two checkpoints or more")
    counts = [(measures.iteration, measures.count) for measures in evidence.measures if measures.count is not None]
    for (earlier, many), (later, few) in itertools.pairwise(counts):
        if few < many:
            figure = f"the normalizer knows {many:,} samples at iteration {earlier}, {few:,} at iteration {later}"
            return Passed(figure, "fewer samples than before")
    iterations = [measures.iteration for measures in evidence.measures]
    for (before, one), (after, other) in itertools.pairwise(zip(iterations, hidden, strict=True)):
        if judged and (kept := _kept(one, other)) < KEPT:
            figure = (
                f"the hidden layers at iteration {before} and at iteration {after} have "
                f"{max(0, round(100 * kept))} % of their weights in common"
            )
            return Passed(figure, f"below {100 * KEPT:g} % of the weights")
    return None


def _hidden(policy: Policy) -> list[torch.Tensor]:
    """Return the matrices between layers: those of the inputs look alike in all trainings, and small ones by chance."""
    matrices = [(name, x) for name, x in policy.named_parameters() if x.dim() == 2 and min(x.shape) >= _SIDE]
    return [x for name, x in matrices if name != "mlp.0.weight" and not name.endswith("weight_ih_l0")]


def _kept(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    """Return the share of the smaller weights that is in the larger ones, by least squares; 1 if it cannot be told."""
    squares = [sum(float(weight.square().sum()) for weight in weights) for weights in (one, other)]
    least, most = min(squares), max(squares)
    if not math.isfinite(most) or least <= _LIKE**2 * most:
        return 1.0
    return sum(float((a * b).sum()) for a, b in zip(one, other, strict=True)) / least


RUNS_MIXED = FindingKind(
    name="runs mixed",
    listed_as="runs mixed",
    check=runs_mixed,
    threshold=f"fewer samples than before, or below {100 * KEPT:g} % of the weights",
    meaning="In a training, the count of the normalizer only grows, and the weights keep most of what they were. "
    "Checkpoints of two trainings lie in one folder, or the training was resumed without the statistics or the "
    "weights: what is said of its course may be wrong.",
    lesson=4,
    change="the folder: one for each training; load statistics and weights from one file",
    holds_with_nan=True,
)
