"""Findings about the network: its weights, and what its layers make of the observations."""

from __future__ import annotations

import numpy as np

from rsl_edu.number_format import counted, short

from .kinds import Evidence, FindingKind, NotApplicable

ASLEEP = 0.5
"""There is a finding if at least this share of a hidden layer's units is dead or saturated."""
SIGNAL_LOST, SIGNAL_EXPLODED = 0.01, 30.0
"""Std over the samples in a hidden layer. Below the first value, its output hardly depends on the input; above the
second, training is unstable."""


def broken_weights(evidence: Evidence) -> str | None:
    """Look for NaN and infinity in actor, critic, normalizers, Adam's moments, and anything else in the file."""
    broken = [
        (measures, tuple(dict.fromkeys((*measures.broken, *checkpoint.broken))))
        for measures, checkpoint in zip(evidence.measures, evidence.checkpoints, strict=True)
    ]
    names = broken[-1][1]
    if not names:
        return None
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    since = next(measures for measures, held in broken if held)
    when = f", since iteration {since.iteration}" if since.dated else ""
    return f"NaN or infinity in {names[0]}{more}{when}"


def unread_parts(evidence: Evidence) -> str | None:
    """Look for parameters that no rsl_rl model has."""
    names = evidence.checkpoint.unread
    if not names:
        return None
    return f"{counted(len(names), 'parameter')}: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}"


def dead_units(evidence: Evidence) -> str | None:
    """Look for a layer with too many dead or saturated units."""
    _require_inputs(evidence)
    layers = evidence.last.layers
    shares = np.maximum(np.nan_to_num(layers.asleep), np.nan_to_num(layers.constant))[:-1]  # the output has its own
    worst = int(shares.argmax())
    if shares[worst] < ASLEEP:
        return None
    share, layer = f"{100 * shares[worst]:.0f} %", evidence.last.rows[worst]
    if shares[worst] > np.nan_to_num(layers.asleep[worst]):
        return f"{share} of the units of layer {layer} have the same output for all samples"
    return f"{share} of the units of layer {layer} are dead or saturated{evidence.if_guessed}"


def signal_lost(evidence: Evidence) -> str | None:
    """Look for a hidden layer that is nearly the same for all samples."""
    layers, std = _hidden_std(evidence)
    if evidence.last.layers.constant[-1] == 1 and (len(evidence.measures) > 1 or not evidence.untrained):
        return "all mean actions have std 0 over the samples"
    entering = evidence.last.layers.std[0]
    if not len(std) or not std.min() < SIGNAL_LOST * min(1, entering):
        return None
    layer = layers[int(std.argmin())]
    figure = f"the std over the samples is {short(std.min())} in layer {layer}, and {short(entering)} at the input"
    return figure + evidence.if_guessed


def signal_exploded(evidence: Evidence) -> str | None:
    """Look for a hidden layer with large values."""
    layers, std = _hidden_std(evidence)
    if not len(std) or std.max() <= SIGNAL_EXPLODED:
        return None
    return f"the std over the samples is {short(std.max())} in layer {layers[int(std.argmax())]}{evidence.if_guessed}"


def _hidden_std(evidence: Evidence) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of the hidden layers and their std over the samples; both are empty if a std is not finite."""
    _require_inputs(evidence)
    std = evidence.last.layers.std[1:-1]
    return (evidence.last.rows[1:-1], std) if np.isfinite(std).all() else ((), np.empty(0))


def _require_inputs(evidence: Evidence) -> None:
    """Raise an error if there is no hidden layer, or if the typical inputs of the network are unknown.

    Random numbers can replace observations only for a policy with a normalizer.
    """
    if len(evidence.last.rows) < 3:
        raise NotApplicable
    if evidence.policy.normalizer is None:
        evidence.require_observations()
    evidence.require_different_samples()


FINDINGS = (
    FindingKind(
        name="broken weights",
        listed_as="broken weights",
        check=broken_weights,
        threshold="any NaN or infinity",
        meaning="A loss was NaN once, and the optimizer step made the weights NaN. No later checkpoint can be "
        "repaired, so go back to an earlier one. Look for NaN in observations and rewards, and for a std near zero.",
        lesson=5,
        change="algorithm.max_grad_norm, algorithm.learning_rate; check_for_nan",
    ),
    FindingKind(
        name="parts that were not read",
        listed_as="unread parts",
        check=unread_parts,
        threshold="any unread part",
        meaning="The policy has parts that no rsl_rl model has. The x-ray shows the policy without them.",
        lesson=6,
        change="{class_name}",
        holds_with_nan=True,
    ),
    FindingKind(
        name="dead units",
        listed_as="dead units",
        check=dead_units,
        threshold=f"at least {100 * ASLEEP:.0f} % of a layer's units",
        meaning="These units give the same output whatever the robot observes, and get no gradient to change that. "
        "Usual causes: a learning rate that was once too high, inputs on the wrong scale, or large weights in front "
        "of relu or tanh.",
        lesson=1,
        change="{activation}, algorithm.learning_rate, {obs_normalization}",
    ),
    FindingKind(
        name="signal lost",
        listed_as="signal lost or exploded",
        check=signal_lost,
        threshold=f"std below {SIGNAL_LOST:g}, and below {SIGNAL_LOST:g} times the input's std",
        meaning="The network's output is nearly the same whatever the robot observes. Usual causes: weights that are "
        "too small for the activation, or so many layers that the signal vanishes.",
        lesson=1,
        change="{activation}, {hidden_dims}, {obs_normalization}",
    ),
    FindingKind(
        name="signal exploded",
        listed_as="signal lost or exploded",
        check=signal_exploded,
        threshold=f"std above {SIGNAL_EXPLODED:g}",
        meaning="A small change of the weights changes the actions a lot: the KL of an update jumps, and the adaptive "
        "learning rate falls to its floor. Usual causes: inputs on the wrong scale, or weights that grew.",
        lesson=1,
        change="{obs_normalization}, algorithm.learning_rate",
    ),
)
