"""Recurrent network: a memory that each environment carries along and forgets when its episode ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union

import torch
from torch import nn

from ._validate import choice, exact_shape, trailing_shape, whole

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
        sizes = whole("input_size", input_size), whole("hidden_dim", hidden_dim), whole("num_layers", num_layers)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[choice("type", type, ("lstm", "gru"))](*sizes)
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
        output: torch.Tensor
        if masks is not None:
            if hidden_state is None:
                raise ValueError("hidden_state: batched mode needs the state each trajectory began with, got None")
            self._check_state("hidden_state", hidden_state, input.shape[1])
            output, _ = self.rnn(input, hidden_state)
            return unpad_trajectories(output, masks)
        if len(input) == 0:  # an empty batch leaves the memory as it is
            return input.new_zeros(1, 0, self.rnn.hidden_size)
        if self.hidden_state is not None:
            self._check_state("hidden state inside (reset() forgets it)", self.hidden_state, len(input))
        output, self.hidden_state = self.rnn(input.unsqueeze(0), self.hidden_state)
        return output

    def reset(self, dones: torch.Tensor | None = None, hidden_state: HiddenState = None) -> None:
        """Set the memory of the environments whose episode ended to zero, or to their part of ``hidden_state``.

        Args:
            dones: 1 or True where an episode ended, ``[envs]`` or ``[envs, 1]``, of any dtype. None means the whole
                memory: it becomes ``hidden_state``.
            hidden_state: What takes the place of the old memory; None means zeros.
        """
        if dones is None:
            if hidden_state is not None:
                self._check_state("hidden_state", hidden_state, _envs(hidden_state))
            self.hidden_state = hidden_state
        elif self.hidden_state is not None:
            zeros = _map(torch.zeros_like, self.hidden_state)
            self._replace(dones, zeros if hidden_state is None else hidden_state)

    def detach_hidden_state(self, dones: torch.Tensor | None = None) -> None:
        """Cut the memory off from the steps that made it, for all environments or those with ``dones`` 1 or True."""
        if self.hidden_state is None:
            return
        cut = _map(lambda part: part.detach().clone(), self.hidden_state)  # a clone can leave inference mode
        if dones is None:
            self.hidden_state = cut
        else:
            self._replace(dones, cut)

    def _replace(self, dones: torch.Tensor, new: HiddenState) -> None:
        envs = _envs(self.hidden_state)
        exact_shape("dones", dones, [envs], [envs, 1])
        self._check_state("hidden_state", new, envs)
        done = dones.reshape(envs, 1) == 1  # a mask: a tensor of integers would index environments 0 and 1
        self.hidden_state = _map(lambda new, old: torch.where(done, new, old), new, self.hidden_state)

    def _check_state(self, name: str, state: HiddenState, envs: int) -> None:
        lstm = isinstance(self.rnn, nn.LSTM)
        parts = state if isinstance(state, tuple) else (state,)
        if isinstance(state, tuple) != lstm or len(parts) != 1 + lstm:
            kind = "a pair (hidden, cell) for an LSTM" if lstm else "one tensor for a GRU"
            raise TypeError(f"{name}: expected {kind}, got {type(state).__name__}")
        for part in parts:
            exact_shape(name, part, [self.rnn.num_layers, envs, self.rnn.hidden_size])


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
    time, envs = _time_and_columns("tensor", tensor)
    exact_shape("dones", dones, [time, envs], [time, envs, 1])
    last = dones.reshape(time, envs) == 1
    last[-1] = True
    ends = last.T.flatten().nonzero().squeeze(1)  # [trajectories], counted env by env
    lengths = ends.diff(prepend=ends.new_tensor([-1]))
    masks = torch.arange(time, device=ends.device).unsqueeze(1) < lengths  # [time, trajectories]
    padded = tensor.new_zeros(len(lengths), time, *tensor.shape[2:])
    padded[masks.T] = tensor.transpose(0, 1).flatten(0, 1)
    return padded.transpose(0, 1), masks


def unpad_trajectories(trajectories: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Undo :func:`split_and_pad_trajectories`: ``[time, trajectories, ...]`` and its mask to ``[time, envs, ...]``."""
    time, _ = _time_and_columns("trajectories", trajectories)
    exact_shape("masks", masks, list(trajectories.shape[:2]))
    if masks.dtype != torch.bool:
        raise TypeError(f"masks: expected torch.bool, got {masks.dtype}")
    steps = trajectories.transpose(0, 1)[masks.T]  # [envs * time, ...], env by env
    if len(steps) % time:
        raise ValueError(f"masks: expected {time} real steps for each environment, got {len(steps)} in all")
    return steps.reshape(-1, time, *trajectories.shape[2:]).transpose(0, 1)


def _map(operation: Callable[..., torch.Tensor], *states: Any) -> HiddenState:
    """Apply ``operation`` to the states of a GRU, or to those of an LSTM part by part."""
    if isinstance(states[0], tuple):
        hidden, cell = (operation(*parts) for parts in zip(*states, strict=True))
        return hidden, cell
    return operation(*states)


def _envs(state: HiddenState) -> int:
    part = state[0] if isinstance(state, tuple) and state else state
    return part.shape[1] if isinstance(part, torch.Tensor) and part.dim() == 3 else -1


def _time_and_columns(name: str, tensor: torch.Tensor) -> tuple[int, int]:
    if not isinstance(tensor, torch.Tensor):
        raise TypeError(f"{name}: expected a tensor, got {type(tensor).__name__}")
    if tensor.dim() < 2 or len(tensor) == 0:
        raise ValueError(f"{name}: expected shape [time, columns, ...] with time above 0, got {list(tensor.shape)}")
    return tensor.shape[0], tensor.shape[1]
