"""Hidden states and gradients of a GRU or an LSTM for the explorer *memory*, computed faster than by torch.

Tests compare the results with :mod:`rsl_edu.diagnosis.recurrent_memory`, which uses torch's module and autograd.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import nn

from rsl_edu.diagnosis import recurrent_memory
from rsl_edu.diagnosis.recurrent_memory import CarriedMemory, resets
from rsl_edu.modules import RNN


@dataclasses.dataclass(frozen=True)
class Layer:
    """Weights of one layer, with the gates in torch's order: r, z, n for a GRU; i, f, g, o for an LSTM."""

    lstm: bool
    by_input: np.ndarray  # [gates, units, inputs]
    by_state: np.ndarray  # [gates, units, units]
    input_bias: np.ndarray  # [gates, units]
    state_bias: np.ndarray  # [gates, units]

    def of_input(self, x: np.ndarray) -> np.ndarray:
        """Return what the inputs ``[..., inputs]`` contribute to the gates. The shape is ``[..., gates * units]``."""
        gates: np.ndarray = x @ self.by_input.reshape(-1, x.shape[-1]).T + self.input_bias.ravel()
        return gates

    def of_state(self, h: np.ndarray) -> np.ndarray:
        """Return what the units ``[..., units]`` contribute to the gates. The shape is ``[..., gates * units]``."""
        gates: np.ndarray = h @ self.by_state.reshape(-1, h.shape[-1]).T + self.state_bias.ravel()
        return gates

    def step(self, of_input: np.ndarray, state: list[np.ndarray]) -> list[np.ndarray]:
        """Return the state after a step: the units and, for an LSTM, also the cells; each is ``[..., units]``."""
        h, units = state[0], state[0].shape[-1]
        of_state = self.of_state(h)
        if self.lstm:
            i, f, g, o = _parted(of_input + of_state, units)
            c = _sigmoid(f) * state[1] + _sigmoid(i) * np.tanh(g)
            return [_sigmoid(o) * np.tanh(c), c]
        rz = _sigmoid(of_input[..., : 2 * units] + of_state[..., : 2 * units])
        n = np.tanh(of_input[..., 2 * units :] + rz[..., :units] * of_state[..., 2 * units :])
        return [n + rz[..., units:] * (h - n)]


def is_plain(network: RNN) -> bool:
    """Return whether the inner cell is of a type that ``RNN`` builds. A learner may have replaced the cell."""
    rnn = network.rnn
    options = (rnn.bias, not rnn.bidirectional, not rnn.proj_size, not rnn.dropout, not rnn.batch_first)
    return type(rnn) in (nn.GRU, nn.LSTM) and all(options)


def layers_of(network: RNN) -> list[Layer]:
    """Return the weights of a network's layers."""
    rnn = network.rnn
    layers = []
    for i in range(rnn.num_layers):
        weights = [getattr(rnn, f"{name}_l{i}").detach().numpy() for name in ("weight_ih", "weight_hh")]
        biases = [getattr(rnn, f"{name}_l{i}").detach().numpy() for name in ("bias_ih", "bias_hh")]
        by_input, by_state = (each.reshape(-1, rnn.hidden_size, each.shape[1]) for each in weights)
        input_bias, state_bias = (each.reshape(-1, rnn.hidden_size) for each in biases)
        layers.append(Layer(isinstance(rnn, nn.LSTM), by_input, by_state, input_bias, state_bias))
    return layers


def carried_memory(network: RNN, observations: torch.Tensor, dones: torch.Tensor, how: str) -> CarriedMemory:
    """Return the same result as :func:`rsl_edu.diagnosis.recurrent_memory.carried_memory`."""
    if not is_plain(network):
        return recurrent_memory.carried_memory(network, observations, dones, how)
    layers = layers_of(network)
    # Compute the same robots twice, with the chosen resets and with the right resets. They are not rows of one matrix,
    # because different rows may be rounded differently.
    keeps = ~torch.stack([resets(dones, how), dones], 1).unsqueeze(3).numpy()  # [time, 2, envs, 1]
    inputs = observations.numpy()[:, None]  # [time, 1, envs, features]
    parts, units = 1 + layers[0].lstm, network.rnn.hidden_size
    after = np.empty((len(keeps), parts, len(layers), *keeps.shape[1:3], units), np.float32)
    for i, layer in enumerate(layers):
        state = [np.zeros(after.shape[3:], np.float32)] * parts
        for t, of_input in enumerate(layer.of_input(inputs)):
            state = layer.step(of_input, state)
            for part, values in enumerate(state):
                after[t, part, i] = values
            state = [values * keeps[t] for values in state]
        inputs = after[:, 0, i]
    distance = np.sqrt(np.square(after[..., 0, :, :] - after[..., 1, :, :]).mean((1, 2, 4)))
    begins = np.concatenate([np.zeros_like(after[:1, ..., 0, :, :]), (after * keeps[:, None, None])[:-1, ..., 0, :, :]])
    return CarriedMemory(*(torch.from_numpy(each) for each in (after[:, 0, :, 0], distance, begins)))


def gradients_through_time(
    network: RNN, observations: torch.Tensor, begins: torch.Tensor, cut: torch.Tensor, head: torch.Tensor
) -> np.ndarray:
    """Return :func:`rsl_edu.diagnosis.recurrent_memory.gradients_through_time`, calculated for all outputs together."""
    if not is_plain(network):
        return recurrent_memory.gradients_through_time(network, observations, begins, cut, head).numpy()
    layers = layers_of(network)
    states = begins.numpy().transpose(2, 1, 0, 3)  # [layers, parts, time, units]
    time, x, slopes = len(observations), observations.numpy(), []
    for layer, state in zip(layers, states, strict=True):
        of_input = layer.of_input(x)
        slopes.append(_slopes(layer, of_input, state))
        x = layer.step(of_input, list(state))[0]
    gradients = np.zeros((time, time), np.float32)
    out = head.numpy() / len(head) ** 0.5
    ends = [*(np.flatnonzero(cut[:-1].numpy()) + 1).tolist(), time]
    for first, end in zip([0, *ends], ends, strict=False):
        # For each output at this step or later, the gradient with respect to the state of each layer
        back = [np.zeros((end - first, states.shape[1] * states.shape[3]), np.float32) for _ in layers]
        for t in reversed(range(first, end)):
            later = slice(t - first, None)
            back[-1][t - first, : len(out)] = out
            by_input = np.float32(0)
            for i in reversed(range(len(layers))):
                back[i][later, : len(out)] += by_input
                by_both = back[i][later] @ _jacobian(layers[i], [each[t] for each in slopes[i]])
                back[i][later], by_input = np.split(by_both, [back[i].shape[1]], axis=1)
            gradients[t:end, t] = np.maximum(np.sqrt(np.einsum("ij,ij->i", by_input, by_input)), 1e-30)
    return gradients


def _slopes(layer: Layer, of_input: np.ndarray, state: np.ndarray) -> list[np.ndarray]:
    """Return the derivatives that :func:`_jacobian` needs, each ``[time, units]``.

    Args:
        layer: The layer.
        of_input: Contribution of the inputs at all steps, ``[time, gates * units]``.
        state: State before each step, ``[parts, time, units]``.
    """
    h, units = state[0], state.shape[2]
    of_state = layer.of_state(h)
    if layer.lstm:
        i, f, g, o = _parted(of_input + of_state, units)
        i, f, g, o, c = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o), state[1]
        tanh = np.tanh(f * c + i * g)
        return [g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), tanh * o * (1 - o), o * (1 - tanh * tanh), f]
    r, z = (_sigmoid(a + b) for a, b in zip(_parted(of_input, units)[:2], _parted(of_state, units)[:2], strict=True))
    hn = _parted(of_state, units)[2]
    n = np.tanh(_parted(of_input, units)[2] + r * hn)
    by_n = (1 - z) * (1 - n * n)
    return [by_n * hn * r * (1 - r), (h - n) * z * (1 - z), by_n, r, z]


def _jacobian(layer: Layer, slopes: list[np.ndarray]) -> np.ndarray:
    """Return the derivatives of a step's new state ``[state]`` with respect to its old state and its inputs."""
    gates, inputs = np.stack(slopes[: len(layer.by_input)])[..., None], layer.by_input
    units = inputs.shape[1]
    if layer.lstm:
        by_state, by_inputs = gates * layer.by_state, gates * inputs  # the first three gates lead to the cells
        through, f = slopes[4][:, None], np.diag(slopes[5])
        cells, cells_x = by_state[:3].sum(0), by_inputs[:3].sum(0)
        hidden = np.hstack([by_state[3] + through * cells, through * f, by_inputs[3] + through * cells_x])
        return np.vstack([hidden, np.hstack([cells, f, cells_x])])
    r, z = slopes[3], slopes[4]
    by_state = gates[0] * layer.by_state[0] + gates[1] * layer.by_state[1] + gates[2] * r[:, None] * layer.by_state[2]
    by_state[np.arange(units), np.arange(units)] += z
    return np.hstack([by_state, (gates * inputs).sum(0)])


def _parted(gates: np.ndarray, units: int) -> list[np.ndarray]:
    return [gates[..., i : i + units] for i in range(0, gates.shape[-1], units)]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function. It is computed with tanh, which cannot overflow."""
    half: np.ndarray = np.tanh(x * np.float32(0.5))
    half *= np.float32(0.5)
    half += np.float32(0.5)
    return half
