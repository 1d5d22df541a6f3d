"""Runs an exported policy in a sandbox."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rsl_edu.sandbox import Limits, SandboxError, StoppedError, run_once

from .export import Export
from .export_error import ExportError
from .refusal import refusal

_WORKER = Path(__file__).with_name("worker.py")
_BEGINNING = (16, 256)
"""Numbers of steps and environments for running the policy again."""


@dataclasses.dataclass(frozen=True)
class Played:
    """The actions of an exported policy.

    Attributes:
        actions: Its actions, ``[time, envs, actions]``.
        again: Its actions on the beginning of the observations after the policy was loaded a second time,
            ``[time, envs, actions]``.
        evaluated: Its actions on the same beginning in evaluation mode, if the file was saved in training mode.
        where: Where the policy ran, in words.
        reset: Its actions on the same beginning after its reset method was called; NaN if that failed.
    """

    actions: torch.Tensor
    again: torch.Tensor
    evaluated: torch.Tensor | None
    where: str
    reset: torch.Tensor | None = None


def run_export(
    export: Export,
    observations: torch.Tensor,
    images: Mapping[str, torch.Tensor] | None = None,
    recurrent: bool = False,
    unsafe: bool = False,
    limits: Limits | None = None,
) -> Played:
    """Run an exported policy on observations, one at a time, as on a robot.

    TorchScript contains code, so it runs only in bubblewrap. ONNX contains no code: without bubblewrap, it runs in a
    child process, with limits on time and memory.

    Args:
        export: The policy.
        observations: ``[time, envs, features]``. Each environment begins with the hidden state in the file.
        images: The policy's images by name, each ``[time, envs, channels, height, width]``.
        recurrent: Whether the policy has a hidden state.
        unsafe: Whether TorchScript, too, may run in a child process without a sandbox; only for files that you trust.
        limits: Limits on time and memory.

    Raises:
        SandboxError: The policy is TorchScript, and there is no sandbox.
        ExportError: The policy cannot be run, does not finish, or does not return actions.
    """
    images = images or {}
    modes = ["once", "again", *(["eval"] if export.training else [])]
    modes += ["reset"] if recurrent and export.has_reset else []
    lead = observations.shape[:2]
    beginning = [min(size, most) for size, most in zip(lead, _BEGINNING, strict=True)]
    dtype = next((x.dtype for x in export.weights.values() if x.is_floating_point()), torch.float32)
    task = {
        "format": export.format,
        "modes": modes,
        "beginning": beginning,
        "recurrent": recurrent,
        "dtype": str(dtype).removeprefix("torch."),
        "observation": export.observation,
        "action": export.action,
        "state": dict(export.state),
        "images": len(images),
        "image_names": list(images),
    }
    request = io.BytesIO()
    arrays: dict[str, Any] = {f"image{number}": image.float().numpy() for number, image in enumerate(images.values())}
    arrays["program"] = np.frombuffer(export.program, np.uint8)
    np.savez(request, task=json.dumps(task), observations=observations.float().numpy(), **arrays)
    try:
        answer, where = _answer(export, request.getvalue(), unsafe, limits)
    except StoppedError as error:
        raise ExportError(f"{export.path.name}: it ran, but {error}") from None
    rows = [math.prod(lead), *[math.prod(beginning)] * (len(modes) - 1)]
    first, *others = _checked(export, answer, sum(rows)).split(rows)
    more = {mode: part.unflatten(0, beginning) for mode, part in zip(modes[1:], others, strict=True)}
    return Played(first.unflatten(0, lead), more["again"], more.get("eval"), where, more.get("reset"))


def _answer(export: Export, request: bytes, unsafe: bool, limits: Limits | None) -> tuple[bytes, str]:
    """Run the worker; return its answer and where it ran, in words."""
    if not unsafe:
        try:
            return run_once(_WORKER, request, limits), "in a sandbox"
        except SandboxError:
            if export.format != "ONNX":
                raise
    return run_once(_WORKER, request, limits, sandboxed=False), "in a separate process, without a sandbox"


def _checked(export: Export, answer: bytes, rows: int) -> torch.Tensor:
    """Return the actions ``[rows, actions]`` in an answer, which is untrusted."""
    _, _, rest = answer.partition(b"\n")
    line, _, numbers = rest.partition(b"\n")
    try:
        said = json.loads(line[:10_000])
        shape = [int(size) for size in said.get("shape", ())]
        error = str(said.get("error", ""))
    except (ValueError, TypeError, AttributeError, RecursionError):
        shape, error = [], "its answer cannot be read"
    if error:
        raise ExportError(f"{export.path.name}: it does not run on these observations: {refusal(export, error)}")
    if len(shape) != 2 or shape[0] != rows or shape[1] < 1 or 4 * rows * shape[1] != len(numbers):
        raise ExportError(f"{export.path.name}: it ran, but did not return actions")
    return torch.from_numpy(np.frombuffer(numbers, "<f4").reshape(shape).copy())
