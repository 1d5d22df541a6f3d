"""Comparison of tensors when the actions match, because rounding to half precision can hide a wrong checkpoint."""

from __future__ import annotations

import torch

from rsl_edu.number_format import short

from .causes import CAUSES
from .comparison import Reason
from .evidence import Evidence
from .rebuilt import network
from .tensors import account, readable, same_normalizer, source_of

_STEP = {torch.float16: 2.0**-10, torch.bfloat16: 2.0**-7}
"""Distance between neighbouring numbers, relative to their size."""
_LEAST = 1.2e-7  # twice the smallest positive number in half precision


def told_apart(evidence: Evidence) -> Reason | None:
    """Check the tensors of an export whose actions match the checkpoint's.

    In half precision, every tensor of the network must equal the checkpoint's after rounding, and so must the
    normalizer's mean and divisor. If the normalizer was folded into the first layer, only the actions show whether that
    layer is right.

    Returns:
        Why the export is not the checkpoint's policy; None if it is, or if the tensors cannot decide.
    """
    if not readable(evidence) or evidence.own is None:
        return None
    source = source_of(evidence)
    if source is not None and source is not evidence.checkpoint:
        return _reason("another checkpoint", evidence)
    if not evidence.export.half:
        return None
    ours, theirs = evidence.base.normalizer, evidence.export.normalizer
    folded = ours is not None and theirs is None
    first = ("mlp.0.", "rnn.rnn.weight_ih_l0", "rnn.rnn.bias_ih_l0", "rnn.rnn.bias_hh_l0") if folded else ()
    for name, weight in network(evidence.checkpoint.policy).items():
        if not name.startswith(first) and not _rounded(evidence.named[name], weight):
            return _reason("other weights", evidence)
    if ours is None or theirs is None:
        return None
    step = max(_STEP.get(weight.dtype, 0.0) for weight in evidence.named.values())
    mean, divisor = (_off(*pair) for pair in zip(theirs, ours, strict=True))
    if mean <= step and divisor <= 2 * step:  # the std was rounded, and so was its sum with eps
        return None
    known = [other for other in evidence.others if same_normalizer(evidence, other.policy)]
    off = short(100 * max(mean, divisor))
    words = f"the export's normalizer differs from the one in {evidence.checkpoint.path.name} by up to {off} %"
    name = "normalizer of another checkpoint" if known else "other statistics in the normalizer"
    return _reason(name, evidence, words)


def reset_leaves(evidence: Evidence) -> Reason | None:
    """Report an export whose actions after a call of its reset method differ from its actions when loaded again."""
    after = evidence.played.reset
    if after is None or not after.isfinite().all():
        return None
    time, envs = after.shape[:2]
    apart = evidence.error(after, evidence.actions[:time, :envs])
    if apart <= evidence.tolerance:
        return None
    return Reason(
        "hidden state not cleared by reset()",
        "when freshly loaded, the export matches the checkpoint; after a run and a call of its reset method, its "
        f"actions differ by {short(apart)} times their std, so the reset leaves a part of the state unchanged",
        "let reset set every buffer that forward writes to zero: hidden_state and, for an LSTM, cell_state",
        3,
    )


def _rounded(theirs: torch.Tensor, ours: torch.Tensor) -> bool:
    """Return whether one tensor equals another after rounding, up or down, to its own precision."""
    return _off(theirs.double(), ours.double()) <= _STEP.get(theirs.dtype, 1e-6)


def _off(theirs: torch.Tensor, ours: torch.Tensor) -> float:
    """Return the largest relative difference, ignoring differences up to the smallest number of half precision."""
    off = ((theirs - ours).abs() - _LEAST).clamp_min(0) / ours.abs().clamp_min(_LEAST)
    return off.max().item()


def _reason(name: str, evidence: Evidence, words: str = "") -> Reason:
    cause = next(cause for cause in CAUSES if cause.name == name)
    change = cause.change if isinstance(cause.change, str) else cause.change(evidence)
    return Reason(name, words or account(evidence), change, cause.lesson)
