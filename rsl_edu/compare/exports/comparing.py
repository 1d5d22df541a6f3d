"""Comparison of a checkpoint with an export: whether the deployed policy does what was trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rsl_edu.checkpoint import Run, read_run
from rsl_edu.diagnosis.sample import image_sizes
from rsl_edu.exported import Export, read_export
from rsl_edu.run_folder import RunSettings, checkpoint_files, run_settings
from rsl_edu.sandbox import Limits

from .causes import activation_name
from .comparison import Comparison
from .evidence import Evidence
from .shown import drawn, recorded
from .siblings import siblings
from .tensors import wanted
from .verdict import THE_EXPORT, compared


def compare_export(
    checkpoint: str | Path,
    export: str | Path,
    observations: Any = None,
    activation: str | None = None,
    config: RunSettings | Mapping[str, Any] | None = None,
    source: str = "your observations",
    unsafe: bool = False,
    limits: Limits | None = None,
) -> Comparison:
    """Check whether an exported policy returns the same actions as its checkpoint, and if not, find out why.

    No code in the checkpoint is executed. The code of a TorchScript file runs in bubblewrap; if bubblewrap is missing,
    the policy is rebuilt from its tensors. ONNX contains no code; it runs in bubblewrap or, if that is missing, in its
    own process.

    Args:
        checkpoint: A file saved by rsl_rl, or a run folder, which means its last checkpoint. The other checkpoints in
            the folder are tried too, in case one of them was exported instead.
        export: A TorchScript or ONNX file.
        observations: Input for both policies, as for :func:`.diagnosis.own`. For a recurrent policy, the rows of
            ``[samples, features]`` are the steps of one robot. None draws random numbers with the mean and std of the
            checkpoint's normalizer, some of them far from the mean.
        activation: Activation of the hidden layers, as for :func:`.read_run`. None takes it from the files next to the
            checkpoint, or else from the export.
        config: As for :func:`.read_run`.
        source: Where the observations come from, in words.
        unsafe: Whether the code of a TorchScript file may run without a sandbox; only for a file that you trust.
        limits: Limits on the resources of the export.

    Raises:
        ValueError: A file cannot be read, or checkpoint and export cannot be compared; the message says why.
        OSError: A file cannot be opened.
    """
    theirs = read_export(export)
    run, settings, images = _reference(Path(checkpoint), theirs, observations, activation, config)
    ours = run.checkpoints[-1]
    names = settings.feature_names(ours.policy.features, ours.policy.actions)
    if not ours.policy.features:
        raise ValueError("checkpoint: expected a policy with vector observations besides its images")
    shown = drawn(ours.policy) if observations is None else recorded(ours.policy, observations, source)
    evidence = Evidence(
        checkpoint=ours,
        export=theirs,
        sample=dataclasses.replace(shown.sample, names=names),
        large=shown.large,
        reach=shown.reach,
        siblings=lambda it: siblings(ours, activation_name(ours.policy) or None, settings, images, wanted(it)),
    )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the batches are small, so threads would only wait for each other on a busy machine
    try:
        return compared(evidence, run.activation_from, unsafe, limits)
    finally:
        torch.set_num_threads(threads)


def _reference(
    path: Path,
    export: Export,
    observations: Any,
    activation: str | None,
    config: RunSettings | Mapping[str, Any] | None,
) -> tuple[Run, RunSettings, dict[str, tuple[int, int]]]:
    """Read the checkpoint, with the activation of the export if no other file names an activation."""
    images = image_sizes(observations)
    if not images:
        sizes = {name: shape[-2:] for name, shape in export.inputs.items() if len(shape) == 4}
        images = {name: (height, width) for name, (height, width) in sizes.items() if height and width}
    file = checkpoint_files(path)[-1]
    if not isinstance(config, RunSettings):
        config = run_settings(path) if config is None else RunSettings(config, "you")
    run = read_run(file, activation, config, images)
    if activation is None and not run.settings.actor.get(
        "activation"
    ):  # another export in the folder may come from a different run
        run = read_run(file, export.activation, run.settings, images)
        run = dataclasses.replace(run, activation_from=THE_EXPORT if export.activation else "")
    return run, run.settings, images
