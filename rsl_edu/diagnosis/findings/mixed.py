"""The finding that a folder contains checkpoints of two training runs. It relies on what a single run preserves.

The normalizer's count of samples only grows. And although training changes the weights, each checkpoint retains most of
the weights before it: in 50 published runs, consecutive checkpoints whose norms differ by less than a factor of three
have at least 85 % of their hidden weights in common. Checkpoints of two runs have nothing in common, or a fifth if both
runs began with the same seed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch

from rsl_edu.checkpoint import Policy

from .kinds import Evidence, FindingKind, NotApplicable, Passed, UncheckedError

KEPT = 0.3
"""The share of a checkpoint's weights that the next checkpoint must retain."""
_LIKE = 0.3
"""Two checkpoints are compared only if the ratio of their norms is at least this. Below this ratio, the smaller weights
could not be recognized in the larger weights."""
_WEIGHTS, _SIDE = 1_000, 8
"""Minimum number of weights for a comparison, and minimum number of rows and columns of a matrix that counts."""


def runs_mixed(evidence: Evidence) -> Passed | None:
    """Look for a checkpoint with fewer normalizer samples than the previous checkpoint, or with unrelated weights."""
    hidden = [_hidden(checkpoint.policy) for checkpoint in evidence.checkpoints]
    judged = sum(weight.numel() for weight in hidden[-1]) >= _WEIGHTS
    if evidence.last.count is None and not judged:
        raise NotApplicable
    if len(hidden) < 2:
        raise UncheckedError("needs two checkpoints or more")
    counts = [(measures.iteration, measures.count) for measures in evidence.measures if measures.count is not None]
    for (earlier, many), (later, few) in itertools.pairwise(counts):
        if few < many:
            figure = f"the normalizer has {many:,} samples at iteration {earlier}, but {few:,} at iteration {later}"
            return Passed(figure, "fewer samples than before")
    iterations = [measures.iteration for measures in evidence.measures]
    for (before, one), (after, other) in itertools.pairwise(zip(iterations, hidden, strict=True)):
        if judged and (kept := _kept(one, other)) < KEPT:
            figure = (
                f"the hidden layers at iteration {before} and at iteration {after} have "
                f"{max(0, round(100 * kept))} % of their weights in common"
            )
            return Passed(figure, f"less than {100 * KEPT:g} % in common")
    return None


def _hidden(policy: Policy) -> list[torch.Tensor]:
    """Return the weight matrices between hidden layers.

    Input matrices are left out because they look similar in all training runs. Small matrices are left out because they
    may look similar by chance.
    """
    matrices = [(name, x) for name, x in policy.named_parameters() if x.dim() == 2 and min(x.shape) >= _SIDE]
    return [x for name, x in matrices if name != "mlp.0.weight" and not name.endswith("weight_ih_l0")]


def _kept(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    """Return how much of the smaller weights the larger weights contain, by least squares; 1 if this is unknown."""
    squares = [sum(float(weight.square().sum()) for weight in weights) for weights in (one, other)]
    least, most = min(squares), max(squares)
    if not math.isfinite(most) or least <= _LIKE**2 * most:
        return 1.0
    return sum(float((a * b).sum()) for a, b in zip(one, other, strict=True)) / least


RUNS_MIXED = FindingKind(
    name="runs mixed",
    listed_as="runs mixed",
    check=runs_mixed,
    threshold=f"fewer samples than before, or less than {100 * KEPT:g} % of the weights in common",
    meaning="During a training run, the normalizer's count only grows, and the weights change gradually. So either "
    "the folder contains checkpoints of two training runs, or the training was resumed without its statistics or "
    "weights. The other findings about changes during the training may be wrong.",
    lesson=4,
    change="one folder for each training run; load statistics and weights from the same file",
    holds_with_nan=True,
)
