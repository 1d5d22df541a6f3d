"""Causes that a comparison leaves open: those that could not be tried, and those that are never tried."""

from __future__ import annotations

import torch

from rsl_edu.number_format import counted

from .endings import ENOUGH, enough
from .evidence import Evidence
from .inputs import can_fit, can_fit_order
from .tensors import readable, same_network

NEVER = (
    "three causes together",
    "activations that rsl_rl does not have, or with different parameters (alpha, slope)",
    "observations clipped at unusual limits",
    "calculation in 8 bits",
    "actions added to observations, such as targets relative to the joint positions",
)
"""Changes that an export may contain, but that are not among the causes."""


def unchecked(evidence: Evidence, explained: bool) -> dict[str, str]:
    """Return the causes that could not be tried, or only in part, and what was missing."""
    missing = {}
    ours = readable(evidence) and same_network(evidence, evidence.checkpoint)
    if not ours and (why := _other_checkpoints(evidence)):
        missing["another checkpoint"] = why
    if not readable(evidence):
        missing["another order of the observations"] = "the export's tensors do not show which is the first layer"
    if not explained:
        missing |= _of_inputs(evidence)
    if readable(evidence) and evidence.export.activation is None:
        missing["another activation"] = "the export does not name its activation; all of rsl_rl's were tried"
    if not enough(evidence):
        missing["actions scaled or shifted"] = f"needs {ENOUGH} different observations"
    elif not (evidence.expected.flatten(0, 1).std(0) > 1e-6 * evidence.scale).any():
        missing["actions scaled or shifted"] = "the actions do not vary on these observations"
    x = evidence.sample.observations.flatten(0, 1)
    constant = x.amax(0) == x.amin(0)
    if constant.any():
        count = f"{int(constant.sum())} of {len(constant)} features are constant here"
        missing["effects of features that do not vary"] = count
    if any(x.dtype in (torch.int8, torch.uint8) for x in evidence.export.tensors.values()):
        missing["weights rounded"] = "the weights have 8 bits; calculation in 8 bits was not tried"
    return missing


def _of_inputs(evidence: Evidence) -> dict[str, str]:
    """Return the open causes in code that handles the observations. A fit that fails does not rule them out."""
    failed = "a fit to the export's actions found nothing, but that does not exclude it"
    impossible = (
        "a change in the export's code can only be found with more observations that vary, and without a hidden state"
    )
    return {
        "another order of the observations": failed if can_fit_order(evidence) else impossible,
        "observations scaled or shifted": failed if can_fit(evidence) else impossible,
    }


def _other_checkpoints(evidence: Evidence) -> str:
    family = evidence.family
    parts = []
    if not evidence.others and not family.unread:
        parts.append(f"no other checkpoint of this network next to {evidence.checkpoint.path.name}")
    if family.unread:
        parts.append(
            f"{counted(family.unread, 'file')} of the run not read, because the export's weights have no names to "
            "compare"
        )
    if family.damaged:
        more = ", …" if len(family.damaged) > 3 else ""
        names = ", ".join(family.damaged[:3])
        parts.append(f"{counted(len(family.damaged), 'file')} damaged or from another network ({names}{more})")
    return "; ".join(parts)
