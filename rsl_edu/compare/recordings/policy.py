"""Checks which recordings fit a checkpoint's normalizer, and which of them the checkpoint's policy produced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rsl_edu.checkpoint import Policy, read_run
from rsl_edu.number_format import short
from rsl_edu.run_folder import RunSettings

from .comparison import Difference
from .data import Stored
from .sizes import difference

OWN = 0.05
"""How far recorded actions may be from a policy's mean actions, in units of the actions' std, to come from it."""
SAMPLES = 20_000
"""Largest number of samples to run through the policy."""


def judged_by_policy(
    checkpoint: str | Path, given: tuple[Stored, Stored], settings: RunSettings | None = None
) -> tuple[list[Difference], list[str], dict[str, str]]:
    """Report which recording fits the normalizer, and whether the actions are the policy's.

    Args:
        checkpoint: A run folder, or one of its files.
        given: The recordings.
        settings: Settings of the run; None reads them from the files next to the checkpoint.

    Returns:
        Differences, notes, and the reason if the actions could not be judged.

    Raises:
        ValueError: Neither recording has the number of features that the checkpoint takes.
    """
    run = read_run(checkpoint, config=settings)
    policy = run.checkpoints[-1].policy.eval()
    settled = bool(run.activation_from)
    others: list[tuple[str, str]] = []
    notes: list[str] = []
    have = [stored.x.shape[2] for stored in given]
    if policy.features not in have:
        raise ValueError(
            f"checkpoint: {Path(checkpoint).name} takes {policy.features} features, the first recording has {have[0]} "
            f"and the second {have[1]}: expected the checkpoint that acted in one of them"
        )
    for name, stored in zip(("first", "second"), given, strict=True):
        if stored.x.shape[2] != policy.features or policy.cnns:
            notes.append(f"the checkpoint takes {policy.features} features, the {name} has {stored.x.shape[2]}")
            continue
        if policy.normalizer is not None and policy.normalizer.count:
            notes.append(f"the {name} {_fit(policy, stored)}")
        if stored.actions is None or stored.actions.shape[2] != policy.actions or policy.rnn is not None:
            continue
        said, own = _acted(policy, stored)
        notes.append(f"the actions of the {name} are {said}")
        settled |= own  # with the wrong activation, the actions would not match
        if not own:
            others.append((name, said))
    if others and not settled:
        unsettled = "the checkpoint does not name its activation, so elu is a guess; give --config agent.yaml"
        return [], notes, {"actions": unsettled}
    return [difference("actions", f"actions of the {name}", f"they are {said}") for name, said in others], notes, {}


def _fit(policy: Policy, stored: Stored) -> str:
    assert policy.normalizer is not None
    flat = stored.x.reshape(-1, stored.x.shape[2])
    mean, std = policy.normalizer.mean.numpy(), policy.normalizer.std.numpy() + policy.normalizer.eps
    off = float(np.median(np.abs(flat.mean(0) - mean) / std))
    wide = float(np.median(flat.std(0) / std))
    return f"is {short(off)} std away from the normalizer's mean and has {short(wide)} times its std (medians)"


def _acted(policy: Policy, stored: Stored) -> tuple[str, bool]:
    """Describe whether recorded actions are the policy's, and return whether they are."""
    assert stored.actions is not None
    x, actions = (each.reshape(-1, each.shape[2])[:SAMPLES] for each in (stored.x, stored.actions))
    with torch.no_grad():
        parameters = policy.mlp(policy.latent(torch.as_tensor(x, dtype=torch.float32)))
        mean = policy.distribution.deterministic_output(parameters).double().numpy()
        policy.distribution.update(parameters)
        std = policy.distribution.std.double().numpy()
    error = actions - mean
    off = float(np.sqrt((error**2).mean()) / max(actions.std(), 1e-12))
    if off < OWN:
        return f"the policy's mean actions ({short(off)} std away)", True
    noise = np.sqrt((error**2).mean(0) / (std**2).mean(0))
    if (np.abs(np.log(noise)) < 0.25).all() and np.abs(error.mean(0) / std.mean(0)).max() < 0.25:
        return "samples of the policy (spread around its mean with its own std)", True
    return f"not the policy's: {short(off)} std away from its mean", False
