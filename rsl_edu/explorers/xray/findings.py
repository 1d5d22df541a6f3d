"""The findings of the x-ray as sentences, with their panels and how they were measured, and what else it points at."""

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
"""Letters of a line, and layers that can be pointed at."""


class Told(NamedTuple):
    """How a finding is told: a sentence, the panel that shows it, and how its figure is measured."""

    sentence: str
    panel: str
    measured: str


_NOISE = "std of the noise that is added to the mean action, averaged over the observations"
_ADAM = "norm of the gradient: square root of the sum of Adam's second moments, corrected for their start"
TOLD = {
    "broken weights": Told(
        "The weights hold NaN or infinity",
        "weights",
        "every number in the file is checked: weights, statistics and Adam's moments",
    ),
    "parts that were not read": Told(
        "Parts of the checkpoint could not be read",
        "weights",
        "names in the file that no model of rsl_rl has",
    ),
    "dead units": Told(
        "Many units of a layer are dead or saturated",
        "dead",
        "a unit counts if its slope is below 0.005 on all observations (tanh, sigmoid: on 95 %)",
    ),
    "signal lost": Told(
        "The signal is lost on its way through the layers",
        "layer std",
        "std of each unit over the observations, root mean square over the layer",
    ),
    "signal exploded": Told(
        "The values of a layer explode",
        "layer std",
        "std of each unit over the observations, root mean square over the layer",
    ),
    "input not normalized": Told(
        "The observations need a normalizer, and there is none",
        "observations",
        "size of a feature: root mean square over the observations",
    ),
    "normalizer absent": Told(
        "The actor's normalizer is missing",
        "observations",
        "statistics in the file, compared with the critic's and with the configuration",
    ),
    "normalizer empty": Told(
        "The normalizer never learned anything",
        "observations",
        "the number of samples that the normalizer counted",
    ),
    "normalizer frozen": Told(
        "The normalizer stopped learning",
        "observations",
        "the number of samples that the normalizer counted, from checkpoint to checkpoint",
    ),
    "runs mixed": Told(
        "Checkpoints of two trainings are mixed",
        "observations",
        "samples that the normalizer counted, and cosine of the weights, from checkpoint to checkpoint",
    ),
    "normalizer stale": Told(
        "The observations are far from what the normalizer knows",
        "observations",
        "(mean of the feature − the normalizer's mean) / its std; or std of the feature / its std",
    ),
    "inputs that never varied": Told(
        "Some inputs never varied during the training",
        "observations",
        "the std that the normalizer stored for each feature",
    ),
    "std clamped": Told("The std of an action is stuck at its limit", "std", "the std as it is stored in the file"),
    "std collapsed": Told("The policy has stopped exploring, as its std collapsed", "std", _NOISE),
    "std partly collapsed": Told("Some actions are no longer explored, as their std collapsed", "std", _NOISE),
    "std growing": Told("The exploration noise grows", "std", _NOISE),
    "std partly growing": Told("The exploration noise of some actions grows", "std", _NOISE),
    "learning rate at its floor": Told(
        "The learning rate is at its floor", "kl", "the learning rate of the optimizer in each checkpoint"
    ),
    "hidden state not reset": Told(
        "The memory was not reset when an episode ended",
        "memory",
        "recorded actions, compared with those of the policy with and without a reset after each episode",
    ),
    "last layer too large": Told(
        "The last layer is too large",
        "weights",
        "norm of the weights of each action, or std of the mean actions in units of the noise",
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
        "root mean square of the values, and of the discounted sums of the recorded rewards",
    ),
    "weights without updates": Told(
        "Some weights get no updates", "critic", "Adam's steps and moments in each checkpoint"
    ),
    "optimizer restarted": Told("The optimizer was restarted", "critic", "Adam's steps in each checkpoint"),
    "optimizer exploded": Told("The gradients are far too large", "critic", _ADAM),
    "actor's gradient too small": Told("The actor's gradient is next to nothing", "critic", _ADAM),
}
"""How each finding of :data:`rsl_edu.diagnosis.findings.FINDINGS` is told, by its name."""

TOPICS = {
    "std": "the noise",
    "observations": "the observations",
    "weights": "the weights",
    "dead": "the layers",
    "layer std": "the layers",
    "kl": "the learning rate",
    "critic": "critic and optimizer",
    "actions": "the actions",
    "memory": "the memory",
}
"""What a panel is about, as the title names it."""


def panel_of(finding: Finding, panels: Iterable[str]) -> str:
    """Return the panel that shows a finding: the std's if there is none of its own, as without a critic."""
    panel = TOLD[finding.name].panel
    return panel if panel in panels else "std"


def topics(findings: Iterable[Finding], panels: Sequence[str]) -> str:
    """Return what findings are about, in words: at most two things."""
    about = list(dict.fromkeys(TOPICS[panel_of(finding, panels)] for finding in findings))
    return " and ".join(about) if len(about) <= 2 else f"{about[0]}, {about[1]} and more"


def finding_spots(
    findings: Iterable[Finding], panels: Sequence[str], measures: Sequence[Measures], place: int
) -> list[Spot]:
    """Return a spot for each finding, written above the picture.

    Args:
        findings: The findings.
        panels: Labels of the panels that there are.
        measures: Of all checkpoints.
        place: Of the checkpoint that is shown.
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
    """Return the std, and each layer."""
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
    """Return the mean std, and how it compares with that of the first checkpoint."""
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
        words += f", {100 * asleep:.0f} % of its units dead or saturated"
    lines: tuple[str, ...] = ()
    values = now.spectra.get(name)
    if values is not None and np.isfinite(values).all():
        norm = float(np.sqrt(np.square(values.astype(float)).sum()))
        most, least = (_stretch(float(value)) for value in (values[0], values[-1]))
        if len(values) == 1:
            lines = (
                f"its weights respond to a single direction, which they stretch by {most}",
                f"norm of all its weights: that one singular value, {exact(norm)}",
            )
        else:
            lines = (
                f"its weights stretch one direction by {most}, another by {least}",
                f"norm of all its weights: √(sum of the squares of {len(values)} singular values) = {exact(norm)}",
            )
    return Spot(layer_name(name), words, tuple(marks), lines)


def _stretch(value: float) -> str:
    """Return a singular value; those of next to nothing are rounding, and differ from machine to machine."""
    return "under 0.001" if 0 < value < 1e-3 else exact(value)


def layer_name(name: str) -> str:
    """Return what a row is called."""
    return f"layer {name}" if name.isdigit() else name


def _word(value: float) -> str:
    return short(float(value)) if np.isfinite(value) else "broken"
