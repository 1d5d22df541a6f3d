"""Compares a checkpoint with an export: does what was deployed do what was trained?"""

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
    """Tell whether an exported policy does what its checkpoint does; if not, why.

    Nothing of the checkpoint is executed. The code of a TorchScript file runs in bubblewrap; without it, the policy is
    rebuilt from its tensors. ONNX holds no code and runs in bubblewrap or, without it, in a process of its own.

    Args:
        checkpoint: A file that rsl_rl saved, or a run folder, whose last checkpoint it is then. The other checkpoints
            next to it are candidates for what was exported instead.
        export: A TorchScript or an ONNX file.
        observations: What both are shown, as for :func:`.diagnosis.own`; for a memory, ``[samples, features]`` are the
            steps of one robot. None: random numbers with the mean and the std of the checkpoint's normalizer, of which
            some lie far from the mean.
        activation: Of the hidden layers, as for :func:`.read_run`. None takes what lies next to the checkpoint, or else
            what the export says.
        config: As for :func:`.read_run`.
        source: Where the observations come from, in words.
        unsafe: Whether the code of a TorchScript file may run without a sandbox: for a file that you trust.
        limits: What the export may use.

    Raises:
        ValueError: One of the files cannot be read, or they cannot be compared; the message says why.
        OSError: A file cannot be opened.
    """
    theirs = read_export(export)
    run, settings, images = _reference(Path(checkpoint), theirs, observations, activation, config)
    ours = run.checkpoints[-1]
    names = settings.feature_names(ours.policy.features, ours.policy.actions)
    if not ours.policy.features:
        raise ValueError("checkpoint: expected a policy that has observations next to its images")
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
    torch.set_num_threads(1)  # the batches are small: on a busy machine, threads would only wait for each other
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
    """Read the checkpoint, with the activation of the export where nothing else says which."""
    images = image_sizes(observations)
    if not images:
        sizes = {name: shape[-2:] for name, shape in export.inputs.items() if len(shape) == 4}
        images = {name: (height, width) for name, (height, width) in sizes.items() if height and width}
    file = checkpoint_files(path)[-1]
    if not isinstance(config, RunSettings):
        config = run_settings(path) if config is None else RunSettings(config, "you")
    run = read_run(file, activation, config, images)
    if activation is None and not run.settings.actor.get("activation"):  # another export may be of another run
        run = read_run(file, export.activation, run.settings, images)
        run = dataclasses.replace(run, activation_from=THE_EXPORT if export.activation else "")
    return run, run.settings, images
