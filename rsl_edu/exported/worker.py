"""Runs in the sandbox: loads an exported policy, runs it on observations, and returns its actions.

This script does not import rsl_edu, which is not available in the sandbox. Input and output are plain arrays and a line
of JSON. The output is untrusted, because the policy's code may have written it.
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
"""Takes an observation ``[features]`` and images, and returns an action."""


def answer(asked: bytes, out: BinaryIO) -> None:
    """Run the policy that a request contains, and write the policy's actions or an error."""
    request = np.load(io.BytesIO(asked), allow_pickle=False)
    task: dict[str, Any] = json.loads(str(request["task"]))
    program = request["program"].tobytes()
    runner = torchscript(program, task) if task["format"] == "TorchScript" else onnx(program, task)
    out.write(b"\n")  # the time limit starts here
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
        said = f"{type(error).__name__}: {error}"  # the cause is in the last line of a TorchScript trace
        said = said if len(said) <= 2000 else f"{said[:1000]}\n{said[-1000:]}"
        out.write(json.dumps({"error": said}).encode() + b"\n")
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
    """Run the policy on observations ``[time, envs, features]``, one at a time, and return the actions row by row.

    A recurrent policy is loaded again for each environment, so that it begins with the hidden state in its file. In the
    mode "reset", it is run on some observations first, and then its reset method is called, instead of loading it
    again. All modes except the first use only the beginning of the observations.
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
    """Return a function that loads a TorchScript file and returns its step function."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    dtype = getattr(torch, task["dtype"])
    kept: list[Any] = []  # the module that is reset

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
            while not isinstance(action, torch.Tensor):  # of several outputs, the first is the action
                if not isinstance(action, (dict, list, tuple)) or not action:
                    raise TypeError(f"it returns {type(action).__name__}, not a tensor")
                action = next(iter(action.values())) if isinstance(action, dict) else action[0]
            return action.detach().float().cpu().numpy()

        return step

    return runner


def onnx(program: bytes, task: Mapping[str, Any]) -> Callable[[str], Step]:
    """Return a function that loads an ONNX file and returns its step function."""
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
        batch = len(feed[task["observation"]]) if feed[task["observation"]].ndim == 2 else 1
        wanted = [task["action"], *task["state"].values()]

        def fill(name: str, values: np.ndarray) -> None:
            there = feed[name]
            if there.shape[1:] == values.shape:  # the policy may have a fixed batch size
                values = np.broadcast_to(values, there.shape)
            shape = there.shape if there.size == values.size else (1,) * (there.ndim - values.ndim) + values.shape
            feed[name] = values.reshape(shape).astype(there.dtype)

        def step(observation: np.ndarray, images: list[np.ndarray]) -> Any:
            fill(task["observation"], observation)
            for name, image in zip(task["image_names"], images):  # noqa: B905 (equal lengths)
                fill(name, image)
            action, *states = session.run(wanted, feed)
            feed.update(zip(task["state"], states))  # noqa: B905
            if batch > 1 and (action.ndim != 2 or len(action) != batch):
                raise ValueError(f"it takes {batch} observations at once, but returns {list(action.shape)}")
            return action[:1] if batch > 1 else action

        return step

    return runner


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the policy's code may print
    answer(sys.stdin.buffer.read(), answers)
    answers.close()
