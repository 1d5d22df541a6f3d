"""Runs in the sandbox: loads an exported policy, shows it observations, and returns its actions.

It imports nothing of rsl_edu, which is not there. Input and output are plain arrays and a line of JSON; what leaves
here is not to be trusted, as the policy's code may have written it.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

Step = Callable[[np.ndarray, list[np.ndarray]], Any]
"""Takes an observation ``[features]`` and images, returns an action."""


def answer(asked: bytes, out: BinaryIO) -> None:
    """Answer a request."""
    request = np.load(io.BytesIO(asked), allow_pickle=False)
    task: dict[str, Any] = json.loads(str(request["task"]))
    program = request["program"].tobytes()
    runner = torchscript(program, task) if task["format"] == "TorchScript" else onnx(program, task)
    out.write(b"\n")  # from here on, time counts
    out.flush()
    images = [request[f"image{number}"] for number in range(task["images"])]
    try:
        rows: list[np.ndarray] = []
        for mode in task["modes"]:
            try:
                rows += play(runner, mode, task, request["observations"], images)
            except Exception:
                if mode != "reset":
                    raise
                rows += [np.full_like(rows[0], np.nan)] * (task["beginning"][0] * task["beginning"][1])
        actions = np.stack(rows)
    except Exception as error:
        out.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode() + b"\n")
    else:
        out.write(json.dumps({"shape": actions.shape}).encode() + b"\n")
        out.write(np.ascontiguousarray(actions, "<f4").tobytes())


def play(
    runner: Callable[[str], Step],
    mode: str,
    task: Mapping[str, Any],
    observations: np.ndarray,
    images: list[np.ndarray],
) -> list[np.ndarray]:
    """Show observations ``[time, envs, features]``, one at a time, as a robot does, and return the actions, row by row.

    A policy with a memory is loaded anew for each environment, so it begins with what is in its file; in the mode
    "reset", its method is called instead, after it has been shown something. Any mode but the first is shown the
    beginning only.
    """
    time, envs = observations.shape[:2] if mode == task["modes"][0] else task["beginning"]
    actions: list[list[np.ndarray]] = [[] for _ in range(time)]
    step = runner(mode)
    if mode == "reset":
        for now in range(time):
            step(observations[now, envs - 1], [image[now, envs - 1] for image in images])
        step = runner(mode)
    for env in range(envs):
        step = runner(mode) if task["recurrent"] and env else step
        for now in range(time):
            action = step(observations[now, env], [image[now, env] for image in images])
            actions[now].append(np.array(action, np.float32).reshape(-1))
    return [action for at_once in actions for action in at_once]


def torchscript(program: bytes, task: Mapping[str, Any]) -> Callable[[str], Step]:
    """Return what loads a TorchScript file."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    dtype = getattr(torch, task["dtype"])
    kept: list[Any] = []  # what is reset

    def runner(mode: str) -> Step:
        if mode == "reset" and kept:
            module = kept[0]
            module.reset() if hasattr(module, "reset") else module.reset_memory()
        else:
            module = torch.jit.load(io.BytesIO(program), map_location="cpu")
        if mode == "reset":
            kept[:] = [module]
        if mode == "eval":
            module.eval()

        def step(observation: np.ndarray, images: list[np.ndarray]) -> Any:
            x = torch.from_numpy(observation[None]).to(dtype)
            seen = [torch.from_numpy(image[None]).to(dtype) for image in images]
            action = module(x, seen) if seen else module(x)
            while not isinstance(action, torch.Tensor):  # the action comes first
                action = next(iter(action.values())) if isinstance(action, dict) else action[0]
            return action.detach().float().cpu().numpy()

        return step

    return runner


def onnx(program: bytes, task: Mapping[str, Any]) -> Callable[[str], Step]:
    """Return what loads an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    dtypes = {"tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(int64)": np.int64}

    def runner(mode: str) -> Step:
        session = onnxruntime.InferenceSession(program, options, providers=["CPUExecutionProvider"])
        feed: dict[str, np.ndarray] = {}
        for given in session.get_inputs():
            shape = [size if isinstance(size, int) else 1 for size in given.shape]
            feed[given.name] = np.zeros(shape, dtypes.get(given.type, np.float32))
        wanted = [task["action"], *task["state"].values()]

        def fill(name: str, values: np.ndarray) -> None:
            there = feed[name]
            shape = there.shape if there.size == values.size else (1,) * (there.ndim - values.ndim) + values.shape
            feed[name] = values.reshape(shape).astype(there.dtype)

        def step(observation: np.ndarray, images: list[np.ndarray]) -> Any:
            fill(task["observation"], observation)
            for name, image in zip(task["image_names"], images):  # noqa: B905 (as many)
                fill(name, image)
            action, *states = session.run(wanted, feed)
            feed.update(zip(task["state"], states))  # noqa: B905
            return action

        return step

    return runner


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the policy's code prints
    answer(sys.stdin.buffer.read(), answers)
    answers.close()
