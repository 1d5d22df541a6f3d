"""Check of an export with repeated observations in one session, to find random numbers and hidden states in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from rsl_edu.diagnosis import Sample
from rsl_edu.exported import Played
from rsl_edu.number_format import short

from .comparison import Reason
from .evidence import Evidence

_MOST = 256  # number of observations to repeat


def shown(sample: Sample, recurrent: bool) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
    """Return observations and images to use; if the policy is not recurrent, the first ones follow again in reverse."""
    if recurrent:
        return sample.observations, sample.images
    longer = [torch.cat([x, x[:, :_MOST].flip(1)], 1) for x in (sample.observations, *sample.images.values())]
    return longer[0], dict(zip(sample.images, longer[1:], strict=True))


def taken(evidence: Evidence, played: Played) -> Evidence:
    """Return the evidence with the export's actions; actions on repeated observations are stored separately."""
    envs = evidence.sample.observations.shape[1]
    actions, repeated = played.actions[:, :envs], played.actions[:, envs:].flip(1)
    again = played.again[:, :envs]
    if evidence.export.format == "ONNX" and repeated.numel():  # ONNX draws the same random numbers in each session
        again = repeated
    evaluated = None if played.evaluated is None else played.evaluated[:, :envs]
    played = dataclasses.replace(played, actions=actions, again=again, evaluated=evaluated)
    return dataclasses.replace(evidence, played=played, repeated=repeated)


def remembers(evidence: Evidence) -> Reason | None:
    """Report an export that acts differently on repeated observations although the policy has no hidden state."""
    repeated = evidence.repeated
    if not repeated.numel():
        return None
    apart = evidence.error(repeated, evidence.actions[:, : repeated.shape[1]])
    if apart <= evidence.tolerance:
        return None
    found = (
        "loaded again, the export returns the same actions; given the same observations again without reloading, its "
        f"actions differ by up to {short(apart)} times their std. So it keeps a state between steps{_filter(evidence)}"
    )
    change = (
        "the trained policy has no hidden state: filter, delay or limit the actions in the robot's program, or train "
        "with this effect. If the normalizer still learns, call .eval() before you export"
    )
    return Reason("the export keeps a state", found, change, 3)


def _filter(evidence: Evidence) -> str:
    """Describe a filter or a delay of the actions, if the export has one."""
    ours, theirs = evidence.expected[0], evidence.actions[0]
    now, before, last = ours[1:].flatten(), ours[:-1].flatten(), theirs[:-1].flatten()
    given = torch.stack([now, before, last], 1)
    if len(given) < 100:
        return ""
    solution = torch.linalg.lstsq(given, theirs[1:].flatten()).solution
    if evidence.error(given @ solution, theirs[1:].flatten()) > max(10 * evidence.tolerance, 1e-4):
        return ""
    names = ("the checkpoint's action", "the checkpoint's previous action", "its own previous action")
    parts = [f"{short(float(by), 3)} x {name}" for by, name in zip(solution, names, strict=True) if abs(by) > 1e-4]
    return f". Its action is {' + '.join(parts)}"
