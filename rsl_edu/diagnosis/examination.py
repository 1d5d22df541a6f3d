"""The examination of a run: measuring every checkpoint on the same observations, and judging the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any

import torch
from torch import nn

from rsl_edu.checkpoint import Checkpoint, Policy, Run, read_run
from rsl_edu.modules.mlp import ACTIVATIONS
from rsl_edu.number_format import counted
from rsl_edu.run_folder import RunSettings

from .diagnosis import Diagnosis
from .findings import Evidence, findings_of
from .measures import Measures, measure_policy
from .sample import Sample, image_sizes, own, play, stand_in


@dataclasses.dataclass(frozen=True)
class Examination:
    """A run, the observations that its policies were shown, and the measures of its checkpoints.

    Attributes:
        run: The run.
        sample: The observations that its policies were shown.
        measures: The measures of each checkpoint.
    """

    run: Run
    sample: Sample
    measures: tuple[Measures, ...]

    @property
    def name(self) -> str:
        """The last part of the run's path; the other parts may be private."""
        return Path(self.run.path).resolve().name

    @property
    def guessed_activation(self) -> str:
        """The name of the activation if it is a guess; otherwise empty."""
        return "" if self.run.activation_from else activation_of(self.run.checkpoints[-1].policy)

    def diagnosis(self, last: int | None = None) -> Diagnosis:
        """Judge the run up to one of its checkpoints.

        Args:
            last: Index of that checkpoint; None takes the last one.
        """
        end = range(len(self.measures))[-1 if last is None else last] + 1
        checkpoints = self.run.checkpoints[:end]
        whole = end == len(self.measures)
        policy, settings, guess = checkpoints[-1].policy, self.run.settings, self.guessed_activation
        evidence = Evidence(checkpoints, self.measures[:end], self.sample, whole, settings, guess)
        found, absent, unchecked = findings_of(evidence)
        skipped = list(self.run.skipped.values())
        skipped += [f"{file} ({why})" for file, why in settings.unread.items()]
        about = {
            "run": f"{self.name}: {_iterations(checkpoints)}, written by {checkpoints[-1].layout}",
            "policy": describe(policy, self.run.activation_from),
        }
        if guessed := self._guessed():
            about["guessed"] = guessed
        about["shown"] = self.sample.source
        if settings.feature_names(policy.features, policy.actions):
            about["features"] = f"named by {settings.names_source}"
        if self.run.left_out:
            files = self.run.left_out + len(self.run.checkpoints) + len(self.run.skipped)
            about["left out"] = f"{self.run.left_out} of {files} checkpoints, evenly spread"
        if skipped:
            about["not read"] = "; ".join(skipped)
        return Diagnosis(about, found, absent, unchecked)

    def _guessed(self) -> str:
        """Return which settings of the policy are guesses and how to give them, in words; empty if none is a guess."""
        guesses, options = [], ["--config agent.yaml"]
        if self.guessed_activation:
            guesses.append(f"the activation {self.guessed_activation}")
            options.insert(0, "--activation NAME")
        if self.run.checkpoints[-1].policy.cnns and not self.run.settings.actor.get("cnn_cfg"):
            guesses.append("stride, padding and activation of the CNN (rsl_rl's defaults)")
        if not guesses:
            return ""
        named = [option.split()[0].removeprefix("--") + "=" for option in options]
        return (
            f"{', and '.join(guesses)}: no file next to the checkpoint gives this. If the guess is wrong, the layers "
            f"are measured wrongly. Give {' or '.join(options)} (in Python, {' or '.join(named)})"
        )


@torch.inference_mode(False)  # a caller may be in inference mode, and tensors made there cannot have gradients
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
        run: A run folder of rsl_rl, one of its files, or the result of :func:`.read_run`.
        observations: The observations that the policies are shown, as for :func:`own`. None takes random numbers with
            the normalizer's mean and std; then some findings cannot be checked.
        robot: Instead of observations, a Gymnasium robot that the last checkpoint controls.
        activation: Activation of the hidden layers, which a checkpoint does not contain, as for :func:`.read_run`.
        config: Other settings that a checkpoint does not contain, as for :func:`.read_run`.
        source: Where the observations come from, in words.

    Raises:
        TypeError: ``run`` or ``config`` has the wrong type.
        ValueError: Both observations and a robot are given, the run cannot be read, or its policies do not fit the
            observations or the robot.
        OSError: The folder cannot be read.
    """
    if observations is not None and robot is not None:
        raise ValueError("robot: expected either observations or a robot, got both")
    if not isinstance(run, Run):
        if not isinstance(run, (str, PathLike)):
            raise TypeError(f"run: expected the path of a run folder or a checkpoint, or a Run, got {run!r}")
        if not isinstance(config, (RunSettings, Mapping, NoneType)):
            raise TypeError(f'config: expected a dictionary such as {{"activation": "tanh"}}, got {config!r}')
        run = read_run(run, activation, config, image_sizes(observations))
    policy = run.checkpoints[-1].policy
    if not policy.features:
        raise ValueError("run: expected a policy that has vector observations, too, got one with images only")
    if observations is not None:
        sample = own(policy, observations, source)
    else:
        sample = stand_in(policy) if robot is None else play(policy, robot)
    names = run.settings.feature_names(policy.features, policy.actions)
    sample = dataclasses.replace(sample, names=names or sample.names)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the batches are small, so on a busy machine, threads would only wait for each other
    try:
        return Examination(run, sample, tuple(measure_policy(checkpoint, sample) for checkpoint in run.checkpoints))
    finally:
        torch.set_num_threads(threads)


def activation_of(policy: Policy) -> str:
    """Return the name of a policy's activation; it is empty if the MLP has no hidden layer."""
    names = {type(make()): name for name, make in ACTIVATIONS.items()}
    return names.get(type(policy.mlp[1]), "") if len(policy.mlp) > 1 else ""


def describe(policy: Policy, activation_from: str = "you") -> str:
    """Describe the parts of a policy in one line.

    Args:
        policy: The policy.
        activation_from: Where the activation comes from, as for :class:`.Run`.
    """
    linear = [layer for layer in policy.mlp if isinstance(layer, nn.Linear)]
    said_by = {"": "?", "you": ""}.get(activation_from, f", from {activation_from}")
    activation = activation_of(policy) + said_by
    parts = [counted(policy.features, "observation")]
    parts += ["normalizer"] if policy.normalizer is not None else []
    parts += [f"CNN of {', '.join(policy.cnns)}"] if policy.cnns else []
    if policy.rnn is not None:
        parts.append(f"{type(policy.rnn.rnn).__name__} {policy.rnn.rnn.hidden_size}")
    hidden = ", ".join(str(layer.out_features) for layer in linear[:-1])
    parts.append(f"MLP {hidden} ({activation})" if hidden else "linear map")
    parts.append(counted(policy.actions, "action"))
    return f"{' → '.join(parts)}, {type(policy.distribution).__name__.removesuffix('Distribution')}"


def _iterations(checkpoints: Sequence[Checkpoint]) -> str:
    if len(checkpoints) == 1:
        return checkpoints[0].when
    return f"{len(checkpoints)} checkpoints, iterations {checkpoints[0].iteration} to {checkpoints[-1].iteration}"
