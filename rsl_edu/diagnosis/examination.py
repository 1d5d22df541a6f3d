"""The examination of a run: every checkpoint is measured on the same observations, and the run is judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rsl_edu.checkpoint import Policy, Run, read_run
from rsl_edu.number_format import counted
from rsl_edu.run_folder import RunSettings

from .findings import Evidence, findings_of
from .measures import Measures, measure_policy
from .report import Diagnosis
from .sample import Sample, image_sizes, own, play, stand_in


@dataclasses.dataclass(frozen=True)
class Examination:
    """A run, what its policies were shown, and what was measured on them.

    Attributes:
        run: The run.
        sample: What its policies were shown.
        measures: What was measured on each checkpoint.
    """

    run: Run
    sample: Sample
    measures: tuple[Measures, ...]

    @property
    def name(self) -> str:
        """The last part of the run's path; the rest of it may be private."""
        return Path(self.run.path).resolve().name

    def diagnosis(self, last: int | None = None) -> Diagnosis:
        """Judge the run, or its beginning.

        Args:
            last: Index of the checkpoint that is judged together with all before it; None takes the last.
        """
        end = range(len(self.measures))[-1 if last is None else last] + 1
        checkpoints = self.run.checkpoints[:end]
        whole = end == len(self.measures)
        found, absent, unchecked = findings_of(Evidence(checkpoints, self.measures[:end], self.sample, whole))
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
    config: RunSettings | Mapping[str, Any] | None = None,
    source: str = "your observations",
) -> Examination:
    """Measure all checkpoints of a run.

    Args:
        run: A run folder of rsl_rl, one of its files, or what :func:`.read_run` gave.
        observations: What the policies are shown, as for :func:`own`. None: random numbers with the normaliser's mean
            and std stand in, and some findings cannot be made.
        robot: Instead of observations: a robot of Gymnasium for the last checkpoint to play.
        activation: Activation of the hidden layers, which a checkpoint does not hold, as for :func:`.read_run`.
        config: Other things that it does not hold, as for :func:`.read_run`.
        source: Where the observations come from, in words.

    Raises:
        ValueError: The run cannot be read, or its policies do not take these observations or this robot.
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
    torch.set_num_threads(1)  # the batches are small: on a busy machine, threads would only wait for each other
    try:
        return Examination(run, sample, tuple(measure_policy(checkpoint, sample) for checkpoint in run.checkpoints))
    finally:
        torch.set_num_threads(threads)


def describe(policy: Policy) -> str:
    """Say in a line what a policy is made of."""
    linear = [layer for layer in policy.mlp if isinstance(layer, nn.Linear)]
    activation = type(policy.mlp[1]).__name__.lower() if len(linear) > 1 else ""
    parts = [counted(policy.features, "observation")]
    parts += ["normaliser"] if policy.normalizer is not None else []
    parts += [f"CNN of {', '.join(policy.cnns)}"] if policy.cnns else []
    if policy.rnn is not None:
        parts.append(f"{type(policy.rnn.rnn).__name__} {policy.rnn.rnn.hidden_size}")
    hidden = ", ".join(str(layer.out_features) for layer in linear[:-1])
    parts.append(f"MLP {hidden} ({activation})" if hidden else "linear map")
    parts.append(counted(policy.actions, "action"))
    return f"{' → '.join(parts)}, {type(policy.distribution).__name__.removesuffix('Distribution')}"


def _iterations(measures: Sequence[Measures]) -> str:
    if len(measures) == 1:
        return f"iteration {measures[0].iteration}"
    return f"{len(measures)} checkpoints, iterations {measures[0].iteration} to {measures[-1].iteration}"
