"""Recurrent network: a memory that each environment carries along and forgets when its episode ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

import torch
from torch import nn

from ._validate import choice, trailing_shape, whole

HiddenState = Union[torch.Tensor, tuple[torch.Tensor, torch.Tensor], None]  # noqa: UP007 (None | … fails at run time)
"""One tensor ``[layers, envs, hidden_dim]`` (GRU), a pair of them (LSTM), or None before the first step."""


class RNN(nn.Module):
    r"""GRU or LSTM in its two uses by PPO.

    *Rollout mode* (no ``masks``) takes one step for every environment and keeps the hidden state inside.
    *Batched mode* runs whole padded trajectories from the hidden states they began with, and leaves the state inside
    alone. A GRU step with input :math:`x` and state :math:`h` is

    .. math::
        r = \sigma(W_r x + U_r h), \quad z = \sigma(W_z x + U_z h), \quad
        n = \tanh(W_n x + r \odot U_n h), \quad h' = (1 - z) \odot n + z \odot h

    Args:
        input_size: Features of an observation.
        hidden_dim: Size of the hidden state of a layer.
        num_layers: Recurrent layers on top of each other.
        type: ``"lstm"`` or ``"gru"``, in any case.

    Attributes:
        rnn: The ``torch.nn.GRU`` or ``torch.nn.LSTM`` inside.
        hidden_state: Memory of the rollout mode, ``[num_layers, envs, hidden_dim]`` (LSTM: a pair), or None.

    Raises:
        TypeError, ValueError: An argument that is not allowed; the message names it. The state stays as it was.

    Source: the public API of ``rsl_rl.modules.RNN``.
    """

    def __init__(self, input_size: int, hidden_dim: int = 256, num_layers: int = 1, type: str = "lstm") -> None:
        super().__init__()
        cell = {"lstm": nn.LSTM, "gru": nn.GRU}[choice("type", type, ("lstm", "gru"))]
        self.rnn = cell(
            whole("input_size", input_size), whole("hidden_dim", hidden_dim), whole("num_layers", num_layers)
        )
        self.hidden_state: HiddenState = None

    def forward(
        self, input: torch.Tensor, masks: torch.Tensor | None = None, hidden_state: HiddenState = None
    ) -> torch.Tensor:
        """Take one step (rollout mode) or run padded trajectories (batched mode).

        Args:
            input: ``[envs, input_size]``, or with ``masks`` ``[time, trajectories, input_size]``.
            masks: True where a step of a trajectory is real and not padding, ``[time, trajectories]``.
            hidden_state: State at the start of each trajectory, ``[num_layers, trajectories, hidden_dim]`` (LSTM: a
                pair). Batched mode needs it, rollout mode does not use it.

        Returns:
            ``[1, envs, hidden_dim]``, or with ``masks`` the unpadded outputs ``[time, envs, hidden_dim]``.
        """
        trailing_shape("input", input, [self.rnn.input_size], dims=2 if masks is None else 3)
        if masks is None:
            self._check_state(
                "hidden state inside (call reset() when the environments change)", self.hidden_state, input
            )
            output: torch.Tensor
            output, self.hidden_state = self.rnn(input.unsqueeze(0), self.hidden_state)
            return output
        if hidden_state is None:
            raise ValueError(
                "hidden_state: batched mode (masks given) needs the state each trajectory began with, got None"
            )
        self._check_state("hidden_state", hidden_state, input)
        _check_masks(masks, input)
        return unpad_trajectories(self.rnn(input, hidden_state)[0], masks)

    def reset(self, dones: torch.Tensor | None = None, hidden_state: HiddenState = None) -> None:
        """Set the memory of the environments whose episode ended to zero, or to their part of ``hidden_state``.

        Args:
            dones: 1 or True where an episode ended, ``[envs]`` or ``[envs, 1]``, of any dtype. None means the whole
                memory: it becomes ``hidden_state``.
            hidden_state: What takes the place of the old memory; None means zeros.
        """
        if dones is None:
            self.hidden_state = hidden_state
        elif self.hidden_state is not None:
            done = self._done(dones, self.hidden_state)
            self.hidden_state = _map(lambda old, new: torch.where(done, new, old), self.hidden_state, hidden_state)

    def detach_hidden_state(self, dones: torch.Tensor | None = None) -> None:
        """Cut the memory off from the steps that made it, for all environments or those with ``dones`` 1 or True."""
        if self.hidden_state is None:
            return
        if dones is None:
            self.hidden_state = _map(lambda old, _: old.detach(), self.hidden_state)
        else:
            done = self._done(dones, self.hidden_state)
            self.hidden_state = _map(lambda old, _: torch.where(done, old.detach(), old), self.hidden_state)

    def _done(self, dones: torch.Tensor, state: torch.Tensor | tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        envs = (state[0] if isinstance(state, tuple) else state).shape[-2]
        if not isinstance(dones, torch.Tensor) or tuple(dones.shape) not in ((envs,), (envs, 1)):
            got = list(dones.shape) if isinstance(dones, torch.Tensor) else type(dones).__name__
            raise ValueError(f"dones: expected shape [{envs}] or [{envs}, 1], one entry per environment; got {got}")
        return dones.reshape(envs, 1) == 1  # a mask: a tensor of integers would index environments 0 and 1

    def _check_state(self, name: str, state: HiddenState, input: torch.Tensor) -> None:
        if state is None:
            return
        lstm = isinstance(self.rnn, nn.LSTM)
        if isinstance(state, tuple) != lstm or (isinstance(state, tuple) and len(state) != 2):
            kind = "a pair (hidden, cell) for an LSTM" if lstm else "one tensor for a GRU"
            raise TypeError(f"{name}: expected {kind}, got {type(state).__name__}")
        wanted = [self.rnn.num_layers, input.shape[-2], self.rnn.hidden_size]
        for part in state if isinstance(state, tuple) else (state,):
            if list(part.shape) != wanted:
                raise ValueError(
                    f"{name}: expected shape {wanted} [num_layers, envs, hidden_dim], got {list(part.shape)}"
                )


def split_and_pad_trajectories(tensor: torch.Tensor, dones: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cut a rollout where episodes end, and lay the pieces side by side, padded with zeros.

    Two environments over six steps, ``|`` after a done (written with time to the right)::

        a1 a2 a3 a4 | a5 a6        a1 a2 a3 a4  0  0      1 1 1 1 0 0
        b1 b2 | b3 b4 b5 | b6  →   a5 a6  0  0  0  0      1 1 0 0 0 0
                                   b1 b2  0  0  0  0      1 1 0 0 0 0
                                   b3 b4 b5  0  0  0      1 1 1 0 0 0
                                   b6  0  0  0  0  0      1 0 0 0 0 0

    Args:
        tensor: A rollout, ``[time, envs, ...]``.
        dones: 1 or True at the last step of an episode, ``[time, envs]`` or ``[time, envs, 1]``.

    Returns:
        The trajectories ``[time, trajectories, ...]`` and the mask of their real steps ``[time, trajectories]``.
    """
    time, envs = _leading_two("tensor", tensor)
    if tuple(dones.shape) not in ((time, envs), (time, envs, 1)):
        raise ValueError(f"dones: expected shape [{time}, {envs}] or [{time}, {envs}, 1], got {list(dones.shape)}")
    starts = torch.ones(time, envs, dtype=torch.bool, device=tensor.device)
    starts[1:] = dones.reshape(time, envs)[:-1] == 1
    clock = torch.arange(time, device=tensor.device).unsqueeze(1)
    step = clock - torch.where(starts, clock, 0).cummax(0).values  # [time, envs], steps since the last start
    trajectory = starts.T.reshape(-1).cumsum(0).reshape(envs, time).T - 1  # [time, envs], numbered env by env
    count = int(starts.sum())
    padded = tensor.new_zeros(time, count, *tensor.shape[2:]).index_put((step, trajectory), tensor)
    masks = torch.zeros(time, count, dtype=torch.bool, device=tensor.device)
    masks[step, trajectory] = True
    return padded, masks


def unpad_trajectories(trajectories: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Undo :func:`split_and_pad_trajectories`: ``[time, trajectories, ...]`` and its mask to ``[time, envs, ...]``."""
    time, _ = _leading_two("trajectories", trajectories)
    _check_masks(masks, trajectories)
    steps = trajectories.transpose(0, 1)[masks.transpose(0, 1)]  # [envs * time, ...], env by env
    return steps.reshape(-1, time, *trajectories.shape[2:]).transpose(0, 1)


def _map(
    operation: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    state: torch.Tensor | tuple[torch.Tensor, torch.Tensor],
    other: HiddenState = None,
) -> HiddenState:
    """Apply ``operation(state, other)`` to a GRU's state or both parts of an LSTM's; ``other`` None means zeros."""
    if isinstance(state, tuple):
        hidden, cell = other if isinstance(other, tuple) else (None, None)
        return operation(state[0], _or_zeros(hidden, state[0])), operation(state[1], _or_zeros(cell, state[1]))
    return operation(state, _or_zeros(other if isinstance(other, torch.Tensor) else None, state))


def _or_zeros(other: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(like) if other is None else other


def _leading_two(name: str, tensor: torch.Tensor) -> tuple[int, int]:
    if not isinstance(tensor, torch.Tensor) or tensor.dim() < 2:
        got = list(tensor.shape) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
        raise ValueError(f"{name}: expected a tensor of shape [time, columns, ...], got {got}")
    return tensor.shape[0], tensor.shape[1]


def _check_masks(masks: torch.Tensor, trajectories: torch.Tensor) -> None:
    if masks.dtype != torch.bool or masks.shape != trajectories.shape[:2]:
        wanted = f"bool of shape {list(trajectories.shape[:2])} [time, trajectories]"
        raise ValueError(
            f"masks: expected {wanted}, got {str(masks.dtype).removeprefix('torch.')} of {list(masks.shape)}"
        )
