"""Trajectories: a rollout cut at the ends of episodes, for the batched mode of a recurrent network.

The number of trajectories depends on the data, so these two functions must wait for a GPU. No other function of the
modules must.
"""

from __future__ import annotations

import torch

from .validate import exact_shape


def split_and_pad_trajectories(tensor: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a rollout where episodes end, and stack the pieces in one tensor, padded with zeros.

    An example with two environments and six steps. Time runs to the right, and ``|`` marks the end of an episode::

        a1 a2 a3 a4 | a5 a6        a1 a2 a3 a4  0  0      1 1 1 1 0 0
        b1 b2 | b3 b4 b5 | b6  →   a5 a6  0  0  0  0      1 1 0 0 0 0
                                   b1 b2  0  0  0  0      1 1 0 0 0 0
                                   b3 b4 b5  0  0  0      1 1 1 0 0 0
                                   b6  0  0  0  0  0      1 0 0 0 0 0

    Args:
        tensor: A rollout, ``[time, envs, ...]``.
        dones: Nonzero at the last step of an episode, ``[time, envs]`` or ``[time, envs, 1]``.

    Returns:
        The trajectories ``[time, trajectories, ...]``, and the mask of their real steps ``[time, trajectories]``.
    """
    time, envs = _time_and_columns("tensor", tensor)
    exact_shape("dones", dones, (time, envs), (time, envs, 1))
    last = dones.reshape(time, envs) != 0  # a new tensor, so the next line may change it
    last[-1] = True
    ends = last.T.flatten().nonzero().squeeze(1)  # [trajectories], numbered env by env
    lengths = ends.diff(prepend=ends.new_tensor([-1]))
    masks = torch.arange(time, device=ends.device).unsqueeze(1) < lengths  # [time, trajectories]
    padded = tensor.new_zeros(len(lengths), time, *tensor.shape[2:])
    padded[masks.T] = tensor.transpose(0, 1).flatten(0, 1)
    return padded.transpose(0, 1), masks


def unpad_trajectories(trajectories: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Undo :func:`split_and_pad_trajectories`: return ``[time, trajectories, ...]`` as ``[time, envs, ...]``."""
    time, _ = _time_and_columns("trajectories", trajectories)
    exact_shape("masks", masks, trajectories.shape[:2])
    if masks.dtype == torch.uint8:  # torch also accepts this dtype as a mask
        masks = masks.bool()
    if masks.dtype != torch.bool:
        raise TypeError(f"masks: expected torch.bool, got {masks.dtype}")
    steps = trajectories.transpose(0, 1)[masks.T]  # [envs * time, ...], env by env
    if len(steps) % time:
        raise ValueError(f"masks: expected {time} real steps for each environment, got {len(steps)} in total")
    return steps.reshape(-1, time, *trajectories.shape[2:]).transpose(0, 1)


def _time_and_columns(name: str, tensor: torch.Tensor) -> tuple[int, int]:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.dim() < 2 or len(tensor) == 0:
        raise ValueError(f"{name}: expected shape [time, columns, ...] with time above 0, got {list(tensor.shape)}")
    return tensor.shape[0], tensor.shape[1]
