"""What a recurrent network carries from step to step in robots whose episodes end, and how far its gradient reaches."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rsl_edu.data.learner_input import learner_network
from rsl_edu.modules import RNN, HiddenState

RESETS = ("right", "never", "index", "all")
"""Whose memory is set to zero after a step: that of robots whose episode ended (right); nobody's; robots 0 and 1,
because ``dones`` are taken for numbers of robots; everybody's as soon as one ends."""


@dataclass(frozen=True)
class CarriedMemory:
    """The memory of all robots over time, and how far it is from fresh ones that forget exactly when they should.

    Attributes:
        hidden: ``[time, layers, envs, hidden]``, the units.
        distance: ``[time, envs]``, of the whole memory to the fresh one: root mean square over its numbers.
        begins: ``[time, parts, layers, envs, hidden]``, what each step begins with; an LSTM has 2 parts.
    """

    hidden: torch.Tensor
    distance: torch.Tensor
    begins: torch.Tensor


def resets(dones: torch.Tensor, how: str) -> torch.Tensor:
    """Return whose memory is set to zero after which step, ``[time, envs]``.

    Args:
        dones: Where episodes ended, bool ``[time, envs]``.
        how: One of :data:`RESETS`.
    """
    if how == "right":
        return dones
    if how == "all":
        return dones.any(1, keepdim=True).expand_as(dones)
    wrong = torch.zeros_like(dones)
    if how == "index":  # 0 and 1 are taken for numbers of environments (of a single one, 1 raises an error)
        for reset, done in zip(wrong, dones.long(), strict=True):
            reset[done[done < len(done)]] = True
    return wrong


def cuts(dones: torch.Tensor, how: str, env: int, detach: int) -> torch.Tensor:
    """Return after which steps no gradient goes back in one robot, ``[time]``; ``detach`` is in steps, 0 for never."""
    steps = 1 + torch.arange(len(dones))
    detached = steps % detach == 0 if detach else torch.zeros_like(steps, dtype=torch.bool)
    return resets(dones, how)[:, env] | detached


@torch.no_grad()  # not inference mode: gradients begin at these memories
def carried_memory(network: RNN, observations: torch.Tensor, dones: torch.Tensor, how: str) -> CarriedMemory:
    """Run a network in rollout mode; its own memory is used up.

    Args:
        network: The network.
        observations: ``[time, envs, features]``.
        dones: Where episodes ended, bool ``[time, envs]``.
        how: One of :data:`RESETS`.
    """
    network.reset()
    after, before = [], []
    # The same robots twice, side by side: with these resets, and with the right ones.
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
    """Return ``‖∂y/∂x‖`` of the outputs of all times in one robot, ``[time of the output, time of the input]``.

    Each output is the end of a trajectory of its own, of the steps since the last cut, in the network's batched mode.

    Args:
        network: The network.
        observations: ``[time, features]``.
        begins: What each step begins with, ``[time, parts, layers, hidden]``.
        cut: After which steps no gradient goes back, bool ``[time]``.
        head: Weights ``[hidden]`` of the output ``y = head · h``.
    """
    time = torch.arange(len(observations))
    starts = torch.cat([time[:1], time[1:] * cut[:-1]]).cummax(0).values  # [time], first step that is not cut off
    gradients = torch.zeros(len(time), len(time))
    for last in time.split(64):  # early outputs have short trajectories
        first = starts[last]
        steps = first + torch.arange(int((last - first).max()) + 1).unsqueeze(1)  # [steps, outputs]
        rows = steps.clamp(max=len(time) - 1)  # what comes after an output does not change it
        x = observations[rows].requires_grad_()  # [steps, outputs, features]
        begin = begins[first].permute(1, 2, 0, 3).contiguous()  # [parts, layers, outputs, hidden]
        state: HiddenState = begin[0] if len(begin) == 1 else (begin[0], begin[1])
        h = network(x, masks=torch.ones(x.shape[:2], dtype=torch.bool), hidden_state=state)
        y = h[last - first, last - last[0]] @ head / len(head) ** 0.5  # [outputs]
        (gradient,) = torch.autograd.grad(y.sum(), x)
        lengths = gradient.norm(dim=2).clamp(min=1e-30)  # 0 is kept for what is cut off
        seen = steps <= last
        gradients[last.expand_as(steps)[seen], steps[seen]] = lengths[seen]
    return gradients


def usable_rnn(network: RNN, features: int) -> RNN:
    """Return a copy of a learner's network, on the CPU and without gradients of its weights.

    Raises:
        TypeError: It is no :class:`rsl_edu.modules.RNN`.
        ValueError: It is one for another number of features.
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
    """Return the hidden state of a GRU, or that of an LSTM and its cell state, ``[parts, layers, envs, hidden]``."""
    return torch.stack(state if isinstance(state, tuple) else (state,))  # type: ignore[arg-type]
