"""The same observations once more, in the same session: whether an export draws random numbers, or remembers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from rsl_edu.diagnosis import Sample
from rsl_edu.exported import Played
from rsl_edu.number_format import short

from .comparison import Reason
from .evidence import Evidence

_MOST = 256  # observations that are shown once more


def shown(sample: Sample, recurrent: bool) -> tuple[torch.Tensor, Mapping[str, torch.Tensor]]:
    """Return observations and images to show: for a policy without memory, the first once more, from back to front."""
    if recurrent:
        return sample.observations, sample.images
    longer = [torch.cat([x, x[:, :_MOST].flip(1)], 1) for x in (sample.observations, *sample.images.values())]
    return longer[0], dict(zip(sample.images, longer[1:], strict=True))


def taken(evidence: Evidence, played: Played) -> Evidence:
    """Return the evidence with what the export did, apart from what it did on the observations shown once more."""
    envs = evidence.sample.observations.shape[1]
    actions, repeated = played.actions[:, :envs], played.actions[:, envs:].flip(1)
    again = played.again[:, :envs]
    if evidence.export.format == "ONNX" and repeated.numel():  # its random numbers are the same in each session
        again = repeated
    evaluated = None if played.evaluated is None else played.evaluated[:, :envs]
    played = dataclasses.replace(played, actions=actions, again=again, evaluated=evaluated)
    return dataclasses.replace(evidence, played=played, repeated=repeated)


def remembers(evidence: Evidence) -> Reason | None:
    """Tell that an export of a policy without memory does something else on observations that it had before."""
    repeated = evidence.repeated
    if not repeated.numel():
        return None
    apart = evidence.error(repeated, evidence.actions[:, : repeated.shape[1]])
    if apart <= evidence.tolerance:
        return None
    found = (
        "loaded anew, it does the same; shown the same observations again without that, it does something else, by up "
        f"to {short(apart)} of the actions' std: it keeps something from step to step{_filter(evidence)}"
    )
    change = (
        "the trained policy has no memory: filter, delay or limit the actions in the robot's program, or train with "
        "it. A normalizer that learns is exported after .eval()"
    )
    return Reason("it remembers", found, change, 3)


def _filter(evidence: Evidence) -> str:
    """Say what it does with the step before, if that is a filter or a delay of the actions."""
    ours, theirs = evidence.expected[0], evidence.actions[0]
    now, before, last = ours[1:].flatten(), ours[:-1].flatten(), theirs[:-1].flatten()
    given = torch.stack([now, before, last], 1)
    if len(given) < 100:
        return ""
    solution = torch.linalg.lstsq(given, theirs[1:].flatten()).solution
    if evidence.error(given @ solution, theirs[1:].flatten()) > max(10 * evidence.tolerance, 1e-4):
        return ""
    names = ("the checkpoint's", "the checkpoint's of the step before", "its own of the step before")
    parts = [f"{short(float(by), 3)} x {name}" for by, name in zip(solution, names, strict=True) if abs(by) > 1e-4]
    return f". Its action is {' + '.join(parts)}"
