"""Training of a Gaussian by -log p for the explorer *heteroscedastic fit*, without the cost of autograd."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

MOST = 1.0
"""Maximum norm of the gradient, as rsl_rl's ``max_grad_norm``. A longer gradient is clipped to this norm."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """Conversion of a number to the std. The number is the network's second output or, for a constant std, a parameter.

    Attributes:
        log: Whether the number is the logarithm of the std.
        low, high: Limits to which the number is clamped.
        leads_back: Whether the clamp passes gradients that lead back inside the limits, as the library's clamp does.
    """

    log: bool
    low: float
    high: float
    leads_back: bool

    def std_of(self, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the clamped numbers and their stds. The numbers may have any shape."""
        held = np.minimum(np.maximum(asked, self.low), self.high)
        return held, np.exp(held) if self.log else held

    def passed(self, gradient: np.ndarray, asked: np.ndarray, held: np.ndarray) -> np.ndarray:
        """Return the part of a gradient with respect to ``held`` that passes the clamp; all shapes are equal."""
        passes: np.ndarray = gradient * (held - asked) <= 0 if self.leads_back else held == asked
        passed: np.ndarray = gradient * passes
        return passed


def train(
    weights: np.ndarray, hidden: int, reading: Reading, x: np.ndarray, y: np.ndarray, rate: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Train a network with one hidden tanh layer, using Adam and clipped gradients. Every step uses all samples.

    Args:
        weights: Initial weights in one vector: hidden weights ``[hidden]`` and biases, then output weights
            ``[outputs, hidden]`` and biases. With a single output, the parameter of the std follows.
        hidden: Number of units in the hidden layer.
        reading: How the std is computed.
        x: The state, ``[samples]``.
        y: The target, ``[samples]``.
        rate: Learning rate.
        steps: Number of steps.

    Returns:
        The weights ``[steps + 1, weights]`` and the loss ``[steps + 1]`` in nats, before the first step and after
    every step.
    """
    now = weights.copy()
    first, second = np.zeros((2, len(now)), now.dtype)  # Adam's moments
    rows, losses = np.empty((steps + 1, len(now)), now.dtype), np.empty(steps + 1)
    for t in range(steps + 1):
        rows[t] = now
        losses[t], gradient = loss_and_gradient(now, hidden, reading, x, y)
        gradient *= now.dtype.type(MOST / max(MOST, float(np.linalg.norm(gradient))))
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        now -= rate / (1 - 0.9 ** (t + 1)) * first / (np.sqrt(second / (1 - 0.999 ** (t + 1))) + 1e-8)
    return rows, losses


def loss_and_gradient(
    weights: np.ndarray, hidden: int, reading: Reading, x: np.ndarray, y: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the mean of -log p in nats, and its gradient ``[weights]``. The arguments are those of :func:`train`."""
    samples, one = len(x), len(weights) == 3 * hidden + 2  # one std for all states
    outputs = 1 if one else 2
    w, b, rest = weights[:hidden], weights[hidden : 2 * hidden], weights[2 * hidden :]
    out = rest[: outputs * hidden].reshape(outputs, hidden)
    h = np.multiply.outer(w, x)  # [hidden, samples]; each output is also a row
    h += b[:, None]
    np.tanh(h, out=h)
    output = out @ h + rest[outputs * hidden : outputs * (hidden + 1), None]
    asked = weights[-1:] if one else output[1]
    held, std = reading.std_of(asked)
    z = (y - output[0]) / std
    square = z * z
    volume = held if reading.log else np.log(std)
    loss = float((0.5 * square + volume).mean()) + 0.5 * math.log(2 * math.pi)
    by_std = 1 - square  # gradient with respect to the log of the std
    if one:
        by_std = by_std.sum(keepdims=True)
    if not reading.log:
        by_std = by_std / std
    by_std = reading.passed(by_std / samples, asked, held)
    by_output = np.empty((outputs, samples), h.dtype)
    np.divide(z, std * -samples, out=by_output[0])
    if not one:
        by_output[1] = by_std
    by_out = by_output @ h.T
    by_h = out.T @ by_output
    by_h -= by_h * h * h  # through tanh
    parts = [by_h @ x, by_h.sum(1), by_out.ravel(), by_output.sum(1), *([by_std] if one else [])]
    return loss, np.concatenate(parts)
