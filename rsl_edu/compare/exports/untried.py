"""What a comparison leaves open: what could not be tried, and what never is."""

from __future__ import annotations

import torch

from rsl_edu.number_format import counted

from .endings import ENOUGH, enough
from .evidence import Evidence
from .inputs import can_fit, can_fit_order
from .tensors import readable, same_network

NEVER = (
    "three causes together",
    "activations with other parameters (alpha, slope) or other than rsl_rl's",
    "a clip of observations at other limits than usual ones",
    "arithmetic in 8 bits",
    "an action that is added to an observation, such as targets relative to the joints",
)
"""What an export may do, too, and is not among the causes."""


def unchecked(evidence: Evidence, explained: bool) -> dict[str, str]:
    """Return what could not be tried, or not with all that it takes, and what is missing for it."""
    missing = {}
    ours = readable(evidence) and same_network(evidence, evidence.checkpoint)
    if not ours and (why := _other_checkpoints(evidence)):
        missing["another checkpoint"] = why
    if not readable(evidence):
        missing["another order of the observations"] = "the first layer cannot be told from its tensors"
    if not explained:
        missing |= _of_inputs(evidence)
    if readable(evidence) and evidence.export.activation is None:
        missing["another activation"] = "its file does not say which; rsl_rl's were tried"
    if not enough(evidence):
        missing["actions scaled or shifted"] = f"needs {ENOUGH} observations, none like another"
    elif not (evidence.expected.flatten(0, 1).std(0) > 1e-6 * evidence.scale).any():
        missing["actions scaled or shifted"] = "the actions do not vary on these observations"
    x = evidence.sample.observations.flatten(0, 1)
    constant = x.amax(0) == x.amin(0)
    if constant.any():
        missing["what depends on features that do not vary"] = f"they are {int(constant.sum())} of {len(constant)}"
    if any(x.dtype in (torch.int8, torch.uint8) for x in evidence.export.tensors.values()):
        missing["weights rounded"] = "its weights have 8 bits, and it may compute in 8 bits: not tried"
    return missing


def _of_inputs(evidence: Evidence) -> dict[str, str]:
    """Say what is open about what its code does to the observations: a fit that fails rules nothing out."""
    failed = "a fit to what it did found none, which does not rule it out"
    impossible = "in its code: needs more observations that vary, and a network without memory"
    return {
        "another order of the observations": failed if can_fit_order(evidence) else impossible,
        "observations scaled or shifted": failed if can_fit(evidence) else impossible,
    }


def _other_checkpoints(evidence: Evidence) -> str:
    family = evidence.family
    parts = []
    if not evidence.others and not family.unread:
        parts.append(f"no other one of this network next to {evidence.checkpoint.path.name}")
    if family.unread:
        parts.append(f"{counted(family.unread, 'file')} of the run not read: its weights have no names to compare")
    if family.damaged:
        more = ", …" if len(family.damaged) > 3 else ""
        names = ", ".join(family.damaged[:3])
        parts.append(f"{counted(len(family.damaged), 'file')} damaged or of another network ({names}{more})")
    return "; ".join(parts)
