"""Recurrent network: each environment has a hidden state, which is reset when its episode ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Union

import torch
from torch import nn

from .trajectories import unpad_trajectories
from .validate import choice, exact_shape, recorded, trailing_shape, whole

HiddenState = Union[torch.Tensor, tuple[torch.Tensor, torch.Tensor], None]  # noqa: UP007 (None | … fails at run time)
"""One tensor ``[layers, envs, hidden_dim]`` (GRU), a pair of them (LSTM), or None before the first step."""


class RNN(nn.Module):
    r"""GRU or LSTM with the two modes that PPO needs.

    *Rollout mode* (without ``masks``) takes one step in every environment and stores the new hidden state. *Batched
    mode* (with ``masks``) runs entire padded trajectories from the hidden states with which they began; it neither uses
    nor changes the stored state. A GRU step with input :math:`x` and state :math:`h` is

    .. math::
        r = \sigma(W_r x + U_r h), \quad z = \sigma(W_z x + U_z h), \quad
        n = \tanh(W_n x + r \odot U_n h), \quad h' = (1 - z) \odot n + z \odot h

    Args:
        input_size: Number of features of an observation.
        hidden_dim: Size of a layer's hidden state.
        num_layers: Number of stacked recurrent layers.
        type: ``"lstm"`` or ``"gru"``, in lower or upper case.

    Attributes:
        rnn: The ``torch.nn.GRU`` or ``torch.nn.LSTM`` inside. ``torch.compile`` works, but leaves this module out of
            its graphs.
        hidden_state: Hidden state of rollout mode, ``[num_layers, envs, hidden_dim]`` (LSTM: a pair), or None.

    Raises:
        TypeError, ValueError: An argument is invalid; the message names it. The hidden state does not change.

    Source: the public API of ``rsl_rl.modules.RNN``.
    """

    def __init__(self, input_size: int, hidden_dim: int = 256, num_layers: int = 1, type: str = "lstm") -> None:
        super().__init__()
        sizes = whole("input_size", input_size), whole("hidden_dim", hidden_dim), whole("num_layers", num_layers)
        self.rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[choice("type", type, ("lstm", "gru"))](*sizes)
        self.hidden_state: HiddenState = None
        self._zero: torch.Tensor | None = None

    def forward(
        self, input: torch.Tensor, masks: torch.Tensor | None = None, hidden_state: HiddenState = None
    ) -> torch.Tensor:
        """Take one step (rollout mode) or run padded trajectories (batched mode).

        Args:
            input: ``[envs, input_size]``, or with ``masks`` ``[time, trajectories, input_size]``.
            masks: True for the real steps of a trajectory, False for padding, ``[time, trajectories]``.
            hidden_state: State at the start of each trajectory, ``[num_layers, trajectories, hidden_dim]`` (LSTM: a
                pair). It is required in batched mode and ignored in rollout mode.

        Returns:
            The outputs ``[1, envs, hidden_dim]``, or with ``masks`` the unpadded outputs ``[time, envs, hidden_dim]``.
        """
        rnn, state = self.rnn, self.hidden_state
        features = (
            rnn.input_size if isinstance(rnn, nn.RNNBase) else "features"
        )  # rnn may be a different kind of network
        trailing_shape("input", input, (features,), dims=2 if masks is None else 3)
        output: torch.Tensor
        if masks is not None:
            if hidden_state is None:
                raise ValueError("hidden_state: batched mode needs the state each trajectory began with, got None")
            output, _ = rnn(input, self._checked("hidden_state", hidden_state, input.shape[1]))
            return unpad_trajectories(output, masks)
        envs = input.shape[0]
        if envs == 0:  # an empty batch does not change the hidden state
            output, _ = rnn(input.unsqueeze(0))
            return output
        if state is not None and not torch.compiler.is_compiling() and _envs(state) != envs:
            self._checked("stored hidden state (call reset() to discard it)", state, envs)
        output, self.hidden_state = rnn(input.unsqueeze(0), state)
        return output

    def reset(self, dones: torch.Tensor | None = None, hidden_state: HiddenState = None) -> None:
        """Set the hidden state of the environments whose episode ended to zero, or to their part of ``hidden_state``.

        Args:
            dones: Nonzero where an episode ended, ``[envs]`` or ``[envs, 1]``, of any dtype. None resets all
                environments: the state becomes ``hidden_state``.
            hidden_state: The new state; None means zeros.
        """
        if dones is None:
            if hidden_state is not None:
                hidden_state = self._checked("hidden_state", hidden_state, _envs(hidden_state))
            self.hidden_state = hidden_state
        elif self.hidden_state is not None:
            state, done = self.hidden_state, self._done(dones)
            if hidden_state is None:
                zero: Any = self._zero
                if zero is None or zero.device != done.device or type(zero) is not type(done):
                    zero = self._new_zero(done)
                new = _map(lambda old: torch.where(done, zero, old), state)
                self.__dict__["hidden_state"] = new  # nn.Module's assignment takes 10 % longer
            else:
                hidden_state = self._checked("hidden_state", hidden_state, _envs(state))
                self.hidden_state = _map(lambda new, old: torch.where(done, new, old), hidden_state, state)

    def detach_hidden_state(self, dones: torch.Tensor | None = None) -> None:
        """Detach the hidden state from earlier steps, for all environments or those whose ``dones`` are nonzero."""
        if self.hidden_state is None:
            return
        done = None if dones is None else self._done(dones)

        def cut(part: torch.Tensor) -> torch.Tensor:
            if done is None or not part.requires_grad:
                own = (
                    not torch.compiler.is_compiling() and part.is_inference()
                )  # outside inference mode, a clone is an ordinary tensor
                return part.clone() if own else part.detach()
            return torch.where(done, part.detach(), part)

        self.hidden_state = _map(cut, self.hidden_state)

    def __getstate__(self) -> dict[str, Any]:
        """Detach the hidden state for a copy or a file, because tensors with a graph cannot be copied."""
        memory = None if self.hidden_state is None else _map(torch.Tensor.detach, self.hidden_state)
        return self.__dict__ | {"hidden_state": memory, "_zero": None}

    def _done(self, dones: torch.Tensor) -> torch.Tensor:
        """Return a bool mask ``[envs, 1]`` or ``[]``; integer ``dones`` would instead index environments 0 and 1."""
        envs = _envs(self.hidden_state)
        if not isinstance(dones, torch.Tensor) or dones.shape not in ((envs,), (envs, 1), ()):
            exact_shape("dones", dones, (envs,), (envs, 1))
        mask = dones.bool()
        return mask.unsqueeze(1) if mask.dim() == 1 else mask

    def _new_zero(self, done: torch.Tensor) -> Any:
        """Return a zero on the device, and store it, because creating it on a GPU costs a kernel launch."""
        if recorded(done):
            return 0.0
        self._zero = torch.zeros((), device=done.device)
        return self._zero

    def _checked(self, name: str, state: Any, envs: int) -> HiddenState:
        """Return a state (for an LSTM, as a tuple), or raise an error if it does not fit."""
        rnn = self.rnn
        parts = tuple(state) if isinstance(state, (list, tuple)) else (state,)
        if not isinstance(rnn, nn.RNNBase):  # a different kind of network checks its state itself
            return state  # type: ignore[no-any-return]
        lstm = isinstance(rnn, nn.LSTM)
        if isinstance(state, (list, tuple)) != lstm or len(parts) != 1 + lstm:
            kind = "a pair (hidden, cell) for an LSTM" if lstm else "one tensor for a GRU"
            raise TypeError(f"{name}: expected {kind}, got {type(state).__name__}")
        layers = rnn.num_layers * (1 + rnn.bidirectional)
        for part, size in zip(parts, (rnn.proj_size or rnn.hidden_size, rnn.hidden_size), strict=False):
            exact_shape(name, part, (layers, envs, size))
        return (parts[0], parts[1]) if lstm else parts[0]


def _map(operation: Callable[..., torch.Tensor], *states: Any) -> HiddenState:
    """Apply ``operation`` to the states of a GRU, or to each of the two parts of an LSTM's states."""
    if isinstance(states[0], tuple):
        hidden, cell = (operation(*parts) for parts in zip(*states, strict=True))
        return hidden, cell
    return operation(*states)


def _envs(state: HiddenState) -> int:
    part = state[0] if isinstance(state, (list, tuple)) and state else state
    return part.shape[1] if isinstance(part, torch.Tensor) and part.dim() == 3 else -1
