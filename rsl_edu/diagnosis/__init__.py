"""What is wrong with a trained policy: its layers, its statistics, its noise and its memory, measured and judged."""

from __future__ import annotations

import dataclasses
import html
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsl_edu.checkpoint import Policy, Run, read_run

from .findings import LESSONS, Case, Finding, judge
from .measures import Measures, measure_policy
from .sample import Sample, image_sizes, load, own, play, stand_in

__all__ = ["Diagnosis", "Examination", "Finding", "Measures", "Sample", "examine", "load", "own", "play", "stand_in"]


_LEFT = 'style="text-align: left"'  # in a notebook, cells are numbers and stand on the right


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What was found in a run, as text and, in a notebook, as a table.

    Attributes:
        about: What was looked at: run, policy, observations, in words.
        findings: What is likely wrong.
        absent: What was looked for and not found.
        unchecked: What could not be looked for, and what is missing for it.
    """

    about: Mapping[str, str]
    findings: tuple[Finding, ...]
    absent: tuple[str, ...]
    unchecked: Mapping[str, str]

    @property
    def summary(self) -> str:
        """How many findings there are, in words."""
        return {0: "No finding", 1: "1 finding"}.get(len(self.findings), f"{len(self.findings)} findings")

    def __str__(self) -> str:
        """Lines of at most 100 characters, for a terminal."""
        lines = [_line(name, words, 0) for name, words in self.about.items()]
        lines += ["", f"{self.summary}."]
        for i, finding in enumerate(self.findings, 1):
            rows = {
                "seen": f"{finding.figure} (threshold: {finding.threshold})",
                "means": finding.meaning,
                "change": finding.change,
                "lesson": f"{finding.lesson} · {LESSONS[finding.lesson]}",
            }
            lines += ["", f"{i}. {finding.name}", *(_line(name, words, 3) for name, words in rows.items())]
        lines += ["", *(_line(name, words, 0) for name, words in self._rest().items())]
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        head = ("finding", "seen", "threshold", "what it usually means", "lesson", "change")
        rows = [
            (f.name, f.figure, f.threshold, f.meaning, f"{f.lesson} · {LESSONS[f.lesson]}", f.change)
            for f in self.findings
        ]
        table = _table(head, rows) if rows else ""
        about = "".join(f"<dt>{_text(name)}</dt><dd>{_text(words)}</dd>" for name, words in self.about.items())
        rest = "".join(f"<dt>{_text(name)}</dt><dd>{_text(words)}</dd>" for name, words in self._rest().items())
        return (
            f'<div class="rsl-diagnosis"><dl>{about}</dl><p><strong>{self.summary}.</strong></p>{table}'
            f"<dl>{rest}</dl></div>"
        )

    def _rest(self) -> dict[str, str]:
        rest = {"not found": ", ".join(self.absent)} if self.absent else {}
        if self.unchecked:
            rest["not checked"] = "; ".join(f"{name}: {missing}" for name, missing in self.unchecked.items())
        return rest


@dataclasses.dataclass(frozen=True)
class Examination:
    """A run, what its policies were shown, and what was measured on them.

    Attributes:
        run: The run.
        sample: What its policies were shown.
        measures: Of each checkpoint.
    """

    run: Run
    sample: Sample
    measures: tuple[Measures, ...]

    @property
    def name(self) -> str:
        """The last part of the run's path; the whole of it is nothing to be sent to others."""
        return Path(self.run.path).resolve().name

    def diagnosis(self, last: int | None = None) -> Diagnosis:
        """Judge the run, or its beginning.

        Args:
            last: Number of the checkpoint that is judged, with all before it; None takes the last.
        """
        end = range(len(self.measures))[-1 if last is None else last] + 1
        checkpoints = self.run.checkpoints[:end]
        found, absent, unchecked = judge(Case(checkpoints, self.measures[:end], self.sample, end == len(self.measures)))
        policy = checkpoints[-1].policy
        skipped = [f"{file.name} ({why})" for file, why in self.run.skipped.items()]
        about = {
            "run": f"{self.name}: {_iterations(self.measures[:end])}, written by {checkpoints[-1].layout}",
            "policy": describe(policy),
            "shown": self.sample.source,
        }
        if self.run.left_out:
            files = self.run.left_out + len(self.run.checkpoints) + len(self.run.skipped)
            about["left out"] = f"{self.run.left_out} of {files} checkpoints, evenly"
        if skipped:
            about["not read"] = "; ".join(skipped)
        return Diagnosis(about, found, absent, unchecked)


def examine(
    run: str | Path | Run,
    observations: Any = None,
    robot: str | None = None,
    activation: str | None = None,
    config: Mapping[str, Any] | None = None,
    source: str = "your observations",
) -> Examination:
    """Measure all checkpoints of a run.

    Args:
        run: A run folder of rsl_rl, one of its files, or what :func:`.read_run` gave.
        observations: What the policies are shown, as for :func:`own`. None: random numbers with the normaliser's mean
            and std stand in, and some findings cannot be made.
        robot: Instead of observations: a robot of Gymnasium for the last checkpoint to play.
        activation: Of the hidden layers, which a checkpoint does not hold, as for :func:`.read_run`.
        config: Other things that it does not hold, as for :func:`.read_run`.
        source: Where the observations come from, in words.

    Raises:
        ValueError: No run that can be read, observations that its policies do not take, or a robot of another size.
        OSError: The folder cannot be read.
    """
    if observations is not None and robot is not None:
        raise ValueError("robot: expected either observations or a robot, got both")
    if not isinstance(run, Run):
        run = read_run(run, activation, config, image_sizes(observations))
    policy = run.checkpoints[-1].policy
    if not policy.features:
        raise ValueError("run: expected a policy that has observations beside its images")
    if observations is not None:
        sample = own(policy, observations, source)
    else:
        sample = stand_in(policy) if robot is None else play(policy, robot)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # too small to be shared out: on a machine that trains, threads would wait for each other
    try:
        return Examination(run, sample, tuple(measure_policy(checkpoint, sample) for checkpoint in run.checkpoints))
    finally:
        torch.set_num_threads(threads)


def describe(policy: Policy) -> str:
    """Say in a line what a policy is made of."""
    linear = [layer for layer in policy.mlp if isinstance(layer, nn.Linear)]
    activation = type(policy.mlp[1]).__name__.lower() if len(linear) > 1 else ""
    parts = [f"{policy.features} observations"]
    parts += ["normaliser"] if policy.normalizer is not None else []
    parts += [f"CNN of {', '.join(policy.cnns)}"] if policy.cnns else []
    if policy.rnn is not None:
        parts.append(f"{type(policy.rnn.rnn).__name__} {policy.rnn.rnn.hidden_size}")
    hidden = ", ".join(str(layer.out_features) for layer in linear[:-1])
    parts.append(f"MLP {hidden} ({activation})" if hidden else "linear map")
    parts.append(f"{policy.actions} action{'s' * (policy.actions != 1)}")
    return f"{' → '.join(parts)}, {type(policy.distribution).__name__.removesuffix('Distribution')}"


def _iterations(measures: tuple[Measures, ...]) -> str:
    if len(measures) == 1:
        return f"iteration {measures[0].iteration}"
    return f"{len(measures)} checkpoints, iterations {measures[0].iteration} to {measures[-1].iteration}"


def _line(name: str, words: str, indent: int) -> str:
    width = 12 + indent
    return textwrap.fill(
        _printable(words),
        100,
        initial_indent=f"{' ' * indent}{name:<12}",
        subsequent_indent=" " * width,
        break_long_words=False,
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = "".join(f'<th {_LEFT} scope="col">{_text(name)}</th>' for name in head)
    lines = ""
    for row in rows:
        named = zip(head, row, strict=True)  # on a phone, the names stand before the words
        lines += (
            "<tr>"
            + "".join(f'<td {_LEFT} data-head="{_text(name)}">{_text(word)}</td>' for name, word in named)
            + "</tr>"
        )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"


def _text(words: str) -> str:
    return html.escape(_printable(words))


def _printable(words: str) -> str:
    """Replace what a terminal would obey: names come from files."""
    return "".join(c if c.isprintable() else "?" for c in words)
