"""The hover targets in the x-ray: findings (as sentences, with panels and measurements), the std and the layers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rsl_edu.diagnosis import Finding, Measures
from rsl_edu.number_format import short

from ..bench.arithmetic import exact, signed
from ..bench.touch import Mark, Spot

WIDEST, MOST_ROWS = 100, 12
"""Maximum length of a line, and maximum number of layers to point at."""


class Told(NamedTuple):
    """Presentation of a finding: a sentence, the panel that shows the finding, and the way its number is measured."""

    sentence: str
    panel: str
    measured: str


_NOISE = "std of the noise that is added to the mean action, averaged over the observations"
_ADAM = "norm of the gradient: square root of the sum of Adam's bias-corrected second moments"
TOLD = {
    "broken weights": Told(
        "The weights contain NaN or infinity",
        "weights",
        "all numbers in the file: weights, statistics and Adam's moments",
    ),
    "parts that were not read": Told(
        "Parts of the checkpoint could not be read",
        "weights",
        "names in the file that occur in no rsl_rl model",
    ),
    "dead units": Told(
        "Many units of a layer are dead or saturated",
        "dead",
        "units whose slope is below 0.005 for all observations (tanh, sigmoid: for 95 %)",
    ),
    "signal lost": Told(
        "The signal vanishes in the layers",
        "layer std",
        "std of each unit over the observations, root mean square over the layer",
    ),
    "signal exploded": Told(
        "The values of a layer explode",
        "layer std",
        "std of each unit over the observations, root mean square over the layer",
    ),
    "input not normalized": Told(
        "The observations need a normalizer, but there is none",
        "observations",
        "size of a feature: root mean square over the observations",
    ),
    "normalizer absent": Told(
        "The actor's normalizer is missing",
        "observations",
        "statistics in the file, compared with the critic's and with the configuration",
    ),
    "normalizer empty": Told(
        "The normalizer has seen no samples",
        "observations",
        "the number of samples that the normalizer counted",
    ),
    "normalizer frozen": Told(
        "The normalizer stopped updating",
        "observations",
        "the number of samples that the normalizer counted at each checkpoint",
    ),
    "runs mixed": Told(
        "Checkpoints of two training runs are mixed",
        "observations",
        "samples that the normalizer counted, and cosine similarity of the weights, between checkpoints",
    ),
    "normalizer stale": Told(
        "The observations are far from the normalizer's statistics",
        "observations",
        "(mean of the feature − the normalizer's mean) / its std; or std of the feature / its std",
    ),
    "inputs that never varied": Told(
        "Some inputs never varied during training",
        "observations",
        "the std that the normalizer stored for each feature",
    ),
    "std clamped": Told("The std of an action is stuck at its limit", "std", "the std as it is stored in the file"),
    "std collapsed": Told("The policy has stopped exploring because its std collapsed", "std", _NOISE),
    "std partly collapsed": Told("Some actions are no longer explored because their std collapsed", "std", _NOISE),
    "std growing": Told("The exploration noise grows", "std", _NOISE),
    "std partly growing": Told("The exploration noise of some actions grows", "std", _NOISE),
    "learning rate at its floor": Told(
        "The learning rate is at its floor", "kl", "the learning rate of the optimizer in each checkpoint"
    ),
    "hidden state not reset": Told(
        "The hidden state was not reset when an episode ended",
        "memory",
        "recorded actions, compared with the policy's actions with and without resets after episodes",
    ),
    "last layer too large": Told(
        "The last layer is too large",
        "weights",
        "norm of the weights of each action, or std of the mean actions in stds of the noise",
    ),
    "mean actions too large": Told(
        "The mean actions are too large",
        "actions",
        "std of the mean actions over the observations, root mean square over the actions",
    ),
    "critic exploded": Told(
        "The critic's values have exploded",
        "critic",
        "root mean square of the values over the observations; norm of the last layer's weights",
    ),
    "critic far below the returns": Told(
        "The critic's values are far below the returns",
        "critic",
        "root mean square of the values and of the discounted sums of the recorded rewards",
    ),
    "weights without updates": Told(
        "Some weights are not updated", "critic", "Adam's steps and moments in each checkpoint"
    ),
    "optimizer restarted": Told("The optimizer was restarted", "critic", "Adam's steps in each checkpoint"),
    "optimizer exploded": Told("The gradients are far too large", "critic", _ADAM),
    "actor's gradient too small": Told("The actor's gradient is nearly zero", "critic", _ADAM),
}
"""Presentation of each finding of :data:`rsl_edu.diagnosis.findings.FINDINGS`, by the finding's name."""

TOPICS = {
    "std": "the noise",
    "observations": "the observations",
    "weights": "the weights",
    "dead": "the layers",
    "layer std": "the layers",
    "kl": "the learning rate",
    "critic": "critic and optimizer",
    "actions": "the actions",
    "memory": "the hidden state",
}
"""Topic of each panel, in the words of the picture's title."""


def panel_of(finding: Finding, panels: Iterable[str]) -> str:
    """Return the panel that shows a finding. If it does not exist (without a critic, say), return the std panel."""
    panel = TOLD[finding.name].panel
    return panel if panel in panels else "std"


def topics(findings: Iterable[Finding], panels: Sequence[str]) -> str:
    """Return the topics of findings as text. At most two topics are named."""
    about = list(dict.fromkeys(TOPICS[panel_of(finding, panels)] for finding in findings))
    return " and ".join(about) if len(about) <= 2 else f"{about[0]}, {about[1]} and more"


def finding_spots(
    findings: Iterable[Finding], panels: Sequence[str], measures: Sequence[Measures], place: int
) -> list[Spot]:
    """Return a hover target for each finding. The items are listed above the picture.

    Args:
        findings: The findings.
        panels: Labels of the existing panels.
        measures: Measurements of all checkpoints.
        place: Index of the shown checkpoint.
    """
    spots = []
    for finding in findings:
        told, panel = TOLD[finding.name], panel_of(finding, panels)
        exact = _std_lines(measures, place) if panel == "std" else []
        changes = textwrap.wrap(f"to change: {finding.change}", WIDEST)[:2]
        lines = (*textwrap.wrap(f"measured: {told.measured}", WIDEST)[:1], *exact)
        lines = (*lines, *textwrap.wrap(f"threshold: {finding.threshold}", WIDEST)[:1], *changes)
        spots.append(Spot(told.sentence, finding.figure, (Mark(panel),), lines, listed=True))
    return spots


def other_spots(measures: Sequence[Measures], place: int) -> list[Spot]:
    """Return the hover targets for the std and for each layer."""
    now = measures[place]
    std = Mark("std", float(now.iteration), float(now.std.mean()))
    marks = (std,) if np.isfinite(now.std).all() else ()
    mean, low, high = _word(now.std.mean()), _word(now.std.min()), _word(now.std.max())
    words = mean if len(now.std) == 1 else f"{mean} each" if low == high else f"mean {mean}, from {low} to {high}"
    name = "std of the action" if len(now.std) == 1 else "std of the actions"
    return [
        Spot(name, words, marks, tuple(_std_lines(measures, place))),
        *(_layer_spot(now, row) for row in range(min(MOST_ROWS, len(now.rows)))),
    ]


def _std_lines(measures: Sequence[Measures], place: int) -> list[str]:
    """Write out the calculation of the mean std and the comparison of this std with the first checkpoint's."""
    now, first = measures[place], measures[0]
    if not (np.isfinite(now.std).all() and np.isfinite(first.std).all()):
        return []
    shown = " + ".join(exact(std) for std in now.std[:4].tolist()) + (" + …" if len(now.std) > 4 else "")
    mean, before = float(now.std.mean()), float(first.std.mean())
    many = len(now.std)
    lines = [f"mean of {many} std: ({shown}) / {many} = {exact(mean)}" if many > 1 else f"std of the action: {shown}"]
    if place and before > 0:
        lines.append(f"compared with the first checkpoint: {signed(mean)} / {signed(before)} = {exact(mean / before)}")
    return lines


def _layer_spot(now: Measures, row: int) -> Spot:
    name, y = now.rows[row], row + 0.35
    std, asleep = float(now.layers.std[row]), float(now.layers.asleep[row])
    marks, words = [Mark("values", None, (row, row + 0.9))], f"std {_word(std)}"
    if np.isfinite(std) and std > 0:
        marks.append(Mark("layer std", std, y))
    if np.isfinite(asleep):
        marks.append(Mark("dead", 100 * asleep, y))
        words += f", {100 * asleep:.0f} % of the units are dead or saturated"
    lines: tuple[str, ...] = ()
    values = now.spectra.get(name)
    if values is not None and np.isfinite(values).all():
        norm = float(np.sqrt(np.square(values.astype(float)).sum()))
        most, least = (_stretch(float(value)) for value in (values[0], values[-1]))
        if len(values) == 1:
            lines = (
                f"the weights have a single singular value: they stretch one direction by {most}",
                f"norm of the weights: equal to the singular value, {exact(norm)}",
            )
        else:
            lines = (
                f"singular values: the weights stretch one direction by {most}, another by only {least}",
                f"norm of the weights: √(sum of the squares of {len(values)} singular values) = {exact(norm)}",
            )
    return Spot(layer_name(name), words, tuple(marks), lines)


def _stretch(value: float) -> str:
    """Return a singular value as text. A tiny value is a rounding error, so show only a bound."""
    return "under 0.001" if 0 < value < 1e-3 else exact(value)


def layer_name(name: str) -> str:
    """Return the text for the name of a layer."""
    return f"layer {name}" if name.isdigit() else name


def _word(value: float) -> str:
    return short(float(value)) if np.isfinite(value) else "broken"
