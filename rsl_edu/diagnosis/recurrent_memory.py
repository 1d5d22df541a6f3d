"""The hidden state of a recurrent network over time, with different resets, and how far back its gradient reaches."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rsl_edu.data.learner_input import learner_network
from rsl_edu.modules import RNN, HiddenState

RESETS = ("right", "never", "index", "all")
"""Rules for setting hidden states to zero after a step. With ``right``, this is done for the robots whose episode
ended; with ``never``, for no robot; with ``index``, for robots 0 and 1, because ``dones`` is used as an index; and with
``all``, for all robots as soon as one episode ends."""


@dataclass(frozen=True)
class CarriedMemory:
    """The hidden state of all robots over time, and its distance from the state with correct resets.

    Attributes:
        hidden: The hidden state, ``[time, layers, envs, hidden]``.
        distance: Distance of the full state (hidden and cell) from the state with correct resets, as a root mean square
            over its elements, ``[time, envs]``.
        begins: The state at the beginning of each step, ``[time, parts, layers, envs, hidden]``; an LSTM has 2 parts.
    """

    hidden: torch.Tensor
    distance: torch.Tensor
    begins: torch.Tensor


def resets(dones: torch.Tensor, how: str) -> torch.Tensor:
    """Return which hidden states are set to zero after each step, bool ``[time, envs]``.

    Args:
        dones: Where episodes ended, bool ``[time, envs]``.
        how: One of :data:`RESETS`.
    """
    if how == "right":
        return dones
    if how == "all":
        return dones.any(1, keepdim=True).expand_as(dones)
    wrong = torch.zeros_like(dones)
    if how == "index":  # indices 0 and 1; with a single environment, index 1 would raise an error
        for reset, done in zip(wrong, dones.long(), strict=True):
            reset[done[done < len(done)]] = True
    return wrong


def cuts(dones: torch.Tensor, how: str, env: int, detach: int) -> torch.Tensor:
    """Return after which steps the gradient of one robot is cut, bool ``[time]``.

    Args:
        dones: Where episodes ended, bool ``[time, envs]``.
        how: One of :data:`RESETS`.
        env: Index of the robot.
        detach: Number of steps after which the hidden state is detached each time; 0 for never.
    """
    steps = 1 + torch.arange(len(dones))
    detached = steps % detach == 0 if detach else torch.zeros_like(steps, dtype=torch.bool)
    return resets(dones, how)[:, env] | detached


@torch.no_grad()  # not inference mode, because gradients are taken from these states later
def carried_memory(network: RNN, observations: torch.Tensor, dones: torch.Tensor, how: str) -> CarriedMemory:
    """Run a network in rollout mode; this overwrites its hidden state.

    Args:
        network: The network.
        observations: ``[time, envs, features]``.
        dones: Where episodes ended, bool ``[time, envs]``.
        how: One of :data:`RESETS`.
    """
    network.reset()
    after, before = [], []
    # Every robot runs twice in the same batch: with these resets, and with correct resets.
    both = torch.cat([resets(dones, how), dones], 1)
    for step, reset in zip(observations.repeat(1, 2, 1), both, strict=True):
        network(step)
        after.append(_parts(network.hidden_state))
        network.reset(reset)
        before.append(_parts(network.hidden_state))
    carried, fresh = torch.stack(after).chunk(2, 3)  # [time, parts, layers, envs, hidden]
    distance = (carried - fresh).square().mean((1, 2, 4)).sqrt()  # [time, envs]
    return CarriedMemory(carried[:, 0], distance, torch.stack([torch.zeros_like(before[0]), *before[:-1]]))


@torch.enable_grad()
def gradients_through_time(
    network: RNN, observations: torch.Tensor, begins: torch.Tensor, cut: torch.Tensor, head: torch.Tensor
) -> torch.Tensor:
    """Return ``‖∂y/∂x‖`` for one robot, ``[time of the output, time of the input]``.

    Each output is the last step of its own trajectory, which consists of the steps since the last cut. The network runs
    in batched mode.

    Args:
        network: The network.
        observations: ``[time, features]``.
        begins: The state at the beginning of each step, ``[time, parts, layers, hidden]``.
        cut: After which steps the gradient is cut, bool ``[time]``.
        head: Weights ``[hidden]`` of the output ``y = head · h``, which is divided by ``sqrt(hidden)``.
    """
    time = torch.arange(len(observations))
    starts = torch.cat([time[:1], time[1:] * cut[:-1]]).cummax(0).values  # [time], first step after the last cut
    gradients = torch.zeros(len(time), len(time))
    for last in time.split(64):  # in chunks, because early outputs have short trajectories
        first = starts[last]
        steps = first + torch.arange(int((last - first).max()) + 1).unsqueeze(1)  # [steps, outputs]
        rows = steps.clamp(max=len(time) - 1)  # steps after an output do not change it
        x = observations[rows].requires_grad_()  # [steps, outputs, features]
        begin = begins[first].permute(1, 2, 0, 3).contiguous()  # [parts, layers, outputs, hidden]
        state: HiddenState = begin[0] if len(begin) == 1 else (begin[0], begin[1])
        h = network(x, masks=torch.ones(x.shape[:2], dtype=torch.bool), hidden_state=state)
        y = h[last - first, last - last[0]] @ head / len(head) ** 0.5  # [outputs]
        (gradient,) = torch.autograd.grad(y.sum(), x)
        lengths = gradient.norm(dim=2).clamp(min=1e-30)  # 0 marks what is cut off
        seen = steps <= last
        gradients[last.expand_as(steps)[seen], steps[seen]] = lengths[seen]
    return gradients


def usable_rnn(network: RNN, features: int) -> RNN:
    """Return a copy of a learner's network, on the CPU and without gradients of its weights.

    Raises:
        TypeError: The network is not a :class:`rsl_edu.modules.RNN`.
        ValueError: The network expects a different number of features.
    """
    if not isinstance(network, RNN):
        raise TypeError(f"network: expected an RNN of rsl_edu.modules, got {type(network).__name__}")
    if network.rnn.input_size != features:
        raise ValueError(
            f"network: expected input_size {features}, as the observations have, got {network.rnn.input_size}"
        )
    copied = learner_network("network", network).requires_grad_(False)
    copied.reset()
    return copied


def _parts(state: HiddenState) -> torch.Tensor:
    """Return the hidden state, and an LSTM's cell state, as one tensor ``[parts, layers, envs, hidden]``."""
    return torch.stack(state if isinstance(state, tuple) else (state,))  # type: ignore[arg-type]
