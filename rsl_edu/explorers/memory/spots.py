"""The hover targets in the explorer *memory*, each with the calculation of one number."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from rsl_edu.number_format import counted, short, small

from ..bench.arithmetic import added, products, written
from ..bench.touch import Mark, Spot
from .picture import FELT, felt_level
from .recurrent_steps import Layer

if TYPE_CHECKING:
    from .state import MemoryResult

NEAR = 6
"""Maximum number of episode ends, and of trajectories, to point at. If there are more, the closest to the current step
are used."""
OVER_TIME = ("units", "distance", "gradient")


@dataclasses.dataclass(frozen=True)
class Step:
    """One step of one robot.

    Attributes:
        layers: Weights of each layer.
        inputs: Input of each layer, ``[features]`` or ``[units]``.
        before: State of each layer before the step, ``[parts, units]``. The parts are the units and, for an LSTM, the
            cells.
        after: State of each layer after the step.
    """

    layers: Sequence[Layer]
    inputs: list[np.ndarray]
    before: list[np.ndarray]
    after: list[np.ndarray]


def step(layers: Sequence[Layer], x: np.ndarray, begins: np.ndarray) -> Step:
    """Compute one step from an observation ``x [features]`` and the state ``begins [parts, layers, units]``."""
    inputs, before, after = [], list(begins.transpose(1, 0, 2)), []
    for layer, state in zip(layers, before, strict=True):
        inputs.append(x)
        after.append(np.stack(layer.step(layer.of_input(x), list(state))))
        x = after[-1][0]
    return Step(layers, inputs, before, after)


def unit(now: Step, result: MemoryResult) -> list[Spot]:
    """Return the items for the first unit of the shown layer at the current step and for each of its gates."""
    i = result.state.layer - 1
    layer, x, state = now.layers[i], now.inputs[i], now.before[i]
    by_input = layer.by_input[:, 0] @ x + layer.input_bias[:, 0]  # [gates]
    by_state = layer.by_state[:, 0] @ state[0] + layer.state_bias[:, 0]
    time = result.state.time
    mark = Mark("units", (time - 0.5, time + 0.5), (0, 1 / len(state[0])))
    told = _lstm(by_input, by_state, state[:, 0]) if layer.lstm else _gru(by_input, by_state, state[0, 0])
    h = now.after[i][0, 0]
    spots = [Spot("unit 1 now", f"h = {written(h)}, previously {written(state[0, 0])}", (mark,), tuple(told))]
    words = (
        ("input gate i", "forget gate f", "candidate g", "output gate o")
        if layer.lstm
        else ("reset gate r", "update gate z", "candidate n")
    )
    for k, (name, formula) in enumerate(zip(words, told, strict=False)):
        gate = name[-1]
        lines = (
            _weighed("a", "input", layer.by_input[k, 0], x, layer.input_bias[k, 0]),
            _weighed("b", "unit", layer.by_state[k, 0], state[0], layer.state_bias[k, 0]),
            formula,
        )
        spots.append(Spot(f"{name} of unit 1", f"{gate} = {formula.rpartition('= ')[2]}", (mark,), lines))
    return spots


def _weighed(name: str, of: str, weights: np.ndarray, values: np.ndarray, bias: float) -> str:
    """Write out a weighted sum and its bias."""
    total = added([products(weights, values, 3), written(bias)])
    return f"{name} ({counted(len(values), of)}, bias): {total} = {written(weights @ values + bias)}"


def _sigmoid(x: float) -> float:
    return 1 / (1 + float(np.exp(-x)))


def _gate(name: str, a: float, b: float) -> str:
    return f"{name} = σ(a + b) = σ({added([written(a), written(b)])}) = {written(_sigmoid(a + b))}"


def _bracketed(value: float) -> str:
    text = written(value)
    return f"({text})" if text.startswith("−") else text


def _gru(a: np.ndarray, b: np.ndarray, h: float) -> list[str]:
    r, z = _sigmoid(a[0] + b[0]), _sigmoid(a[1] + b[1])
    n = float(np.tanh(a[2] + r * b[2]))
    new = (1 - z) * n + z * h
    return [
        _gate("r", a[0], b[0]),
        _gate("z", a[1], b[1]),
        f"n = tanh(a + r·b) = tanh({written(a[2])} + {written(r)}·{_bracketed(b[2])}) = {written(n)}",
        f"h = (1 − z)·n + z·h = (1 − {written(z)})·{_bracketed(n)} + {written(z)}·{_bracketed(h)} = {written(new)}",
    ]


def _lstm(a: np.ndarray, b: np.ndarray, state: np.ndarray) -> list[str]:
    i, f, o = (_sigmoid(a[k] + b[k]) for k in (0, 1, 3))
    g, c = float(np.tanh(a[2] + b[2])), float(state[1])
    cell = f * c + i * g
    cells = f"{written(f)}·{_bracketed(c)} + {written(i)}·{_bracketed(g)}"
    return [
        _gate("i", a[0], b[0]),
        _gate("f", a[1], b[1]),
        f"g = tanh(a + b) = tanh({added([written(a[2]), written(b[2])])}) = {written(g)}",
        _gate("o", a[3], b[3]),
        f"c = f·c + i·g = {cells} = {written(cell)}",
        f"h = o·tanh(c) = {written(o)}·tanh({written(cell)}) = {written(o * np.tanh(cell))}",
    ]


def distance(now: Step, fresh: Step, result: MemoryResult) -> Spot:
    """Return the item for the distance between the current hidden state and the correct hidden state."""
    time = result.state.time
    ours, theirs = (np.stack(each.after).transpose(1, 0, 2).ravel() for each in (now, fresh))
    apart = ours - theirs
    mean = float(np.square(apart).mean())
    value = float(result.distance[time])
    lines = (
        f"unit 1 of layer 1: {written(ours[0])}, correct: {written(theirs[0])}, difference: {written(apart[0])}",
        f"mean square of all {len(apart)} differences: {short(mean)}",
        f"square root of the mean: √({short(mean)}) = {short(mean**0.5)}",
    )
    return Spot("distance now", short(value) if value >= 1e-6 else "0", (Mark("distance", time, value),), lines)


def episodes(result: MemoryResult, dones: torch.Tensor) -> list[Spot]:
    """Return the items for the robot's episode ends near the current step, latest wrong reset, and trajectories."""
    state = result.state
    ends = sorted(sorted(result.ends.tolist(), key=lambda end: abs(end - state.time))[:NEAR])
    missed = {(t, env) for t, env in result.forgotten["missed"].tolist()}
    spots = [_reset(result, end, f"end after step {end}", (end, state.env) in missed) for end in ends]
    wrong = [t for t, env in result.forgotten["wrong"].tolist() if env == state.env and t < state.time]
    if wrong:
        spots.append(_reset(result, wrong[-1], "latest reset in mid-episode"))
    return [*spots, *_trajectories(result, dones)]


def _reset(result: MemoryResult, end: int, name: str, missed: bool = False) -> Spot:
    env, h = result.state.env, float(result.hidden[0, end])
    wrong = name.startswith("latest")
    numbers = (
        f"wrong, step {end}: robot {env}'s hidden state was reset although its episode continued"
        if wrong
        else f"missed: robot {env}'s hidden state carries over into the next episode"
        if missed
        else f"right: robot {env}'s hidden state was reset to zero"
    )
    done, reset = int(not wrong), int(not missed)
    lines = (
        f"unit 1 of layer {result.state.layer} after step {end}: h = {written(h)}",
        f"right: h·(1 − done) = {written(h)}·(1 − {done}) = {written(h * (1 - done))}",
        f"here: h·(1 − reset) = {written(h)}·(1 − {reset}) = {written(h * (1 - reset))}",
    )
    line = tuple(Mark(panel, end + 0.5) for panel in OVER_TIME)
    return Spot(name, numbers, (Mark("resets", end + 0.5, env), *line), lines)


def _trajectories(result: MemoryResult, dones: torch.Tensor) -> list[Spot]:
    """Return the items for the robot's trajectories in the padded batch that are closest to the current trajectory."""
    env, time = result.state.env, len(dones)
    begin, present, _ = result.trajectories
    starts = [0, *(end + 1 for end in result.ends.tolist() if end + 1 < time)]
    lasts = [*(start - 1 for start in starts[1:]), time - 1]
    spots = []
    for k, (first, last) in enumerate(zip(starts, lasts, strict=True)):
        row, steps = begin + k, last - first + 1
        if abs(row - present) > NEAR // 2:
            continue
        marks = (
            Mark("batch", (-0.5, steps - 0.5), (row - 0.5, row + 0.5)),
            Mark("resets", (first, last), (env - 0.4, env + 0.4)),
        )
        lines = (
            f"{counted(env, 'robot')} before it, with {counted(begin - env, 'end')}: trajectories 0 to {begin - 1}"
            if env
            else "this is the first robot, so its trajectories come first",
            f"robot {env} has {counted(k, 'earlier episode')}, so this is trajectory {begin} + {k} = {row}",
            f"steps {first} to {last}: {last} − {first} + 1 = {steps}; padding: {time} − {steps} = {time - steps}",
        )
        numbers = f"robot {env}, {counted(steps, 'step')}, then {counted(time - steps, 'step')} of padding"
        spots.append(Spot(f"trajectory {row}", numbers, marks, lines))
    return spots


def reach(result: MemoryResult) -> Spot:
    """Return the item that shows how far back the gradient of the current output reaches."""
    time, row = result.state.time, result.gradients[result.state.time]
    name = "reach of the gradient"
    if result.reach is None:
        return Spot(name, "no input has a gradient", (Mark("gradient", time),))
    first, level = time - result.reach, felt_level(result)
    most = int(row.argmax())
    lines = [
        f"largest ‖∂y/∂x‖ for the output at step {time}: {small(row[most])}, at the input of step {most}",
        f"{100 * FELT:.0f} % of it: {short(level)}",
        f"input at step {first}: {short(row[first])}, above; {time} − {first} = {counted(result.reach, 'step')} back",
    ]
    if first > 0:
        before = "0: the gradient is cut" if row[first - 1] == 0 else f"{short(row[first - 1])}, below"
        lines.append(f"input at step {first - 1}: {before}")
    return Spot(name, counted(result.reach, "step"), (Mark("gradient", (first, time), level),), tuple(lines))
