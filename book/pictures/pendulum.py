"""Lessons 4 and 6: the poses of an inverted pendulum over time."""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.envs.mujoco.inverted_pendulum_v5 import InvertedPendulumEnv

from rsl_edu import data
from rsl_edu.modules import MLP, EmpiricalNormalization

from .svg import BLUE, FAINT, GREEN, ORANGE, RED, box, cross, dot, line, picture, scale, shade, text, tick

FIRST = 40
"""The time step of the first pose in lesson 4; before it, both poles look the same."""


class _Falling(InvertedPendulumEnv):
    """A pendulum whose episode continues when it falls: Gymnasium's episode ends at 11 degrees."""

    def step(self, action: np.ndarray) -> tuple[Any, ...]:
        observation, reward, _, truncated, info = super().step(action)
        return observation, reward, False, truncated, info


# Lesson 4 ---------------------------------------------------------------------------------------------------------


def normalization() -> str:
    """Return the picture of a policy before and after it was loaded."""
    normalizer, mlp = _trained()
    rows = (("after training", normalizer, True), ("after loading", EmpiricalNormalization(4), False))
    parts = []
    for row, (name, norm, works) in enumerate(rows):
        floor, colour = 104 + 112 * row, GREEN if works else RED
        parts += [
            text(24, floor - 46, name, "head"),
            (tick if works else cross)(32, floor - 24, 7, colour),
            text(50, floor - 19, "balances" if works else "falls", colour=colour),
            text(24, floor + 6, "the trained weights" if works else "the same weights", "muted"),
        ]
        parts += _poses(_angles(norm, mlp), floor, colour)
    below = f"A pose every 2 steps (0.08 s), from step {FIRST} on."
    parts.append(text(24, 262, below, "muted"))
    title = "A pole on a cart stays upright after training, and falls over with the same weights after loading."
    return picture(282, title, *parts)


def _trained() -> tuple[EmpiricalNormalization, MLP]:
    """Return the normalizer and the network of lesson 4, trained as in the lesson."""

    def disturbed(observation: torch.Tensor) -> torch.Tensor:
        return _controller(observation) + torch.randn(len(observation), 1)

    torch.manual_seed(0)
    seen = data.rollout("InvertedPendulum-v5", steps=256, envs=8, policy=disturbed).observations.flatten(0, 1)
    normalizer, mlp = EmpiricalNormalization(4), MLP(4, 1, hidden_dims=[32, 32])
    normalizer.update(seen)
    weights = list(mlp.parameters())
    for _ in range(500):
        loss = (mlp(normalizer(seen)) - _controller(seen)).square().mean()
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.data -= 0.2 * gradient
    return normalizer, mlp


def _controller(observation: torch.Tensor) -> torch.Tensor:
    return (observation @ torch.tensor([[0.25], [3.5], [0.6], [0.8]])).clamp(-3, 3)


def _angles(norm: EmpiricalNormalization, mlp: MLP) -> np.ndarray:
    """Return the pole's angle at each time step, in radians, until the pole lies flat."""
    gymnasium.register("FallingPendulum-v5", entry_point=_Falling, max_episode_steps=1000)
    try:
        seen: list[torch.Tensor] = []
        data.motion("FallingPendulum-v5", 160, seed=7, policy=lambda o: (seen.append(o[0]), mlp(norm(o)))[1])
    finally:
        del gymnasium.registry["FallingPendulum-v5"]
    angles = torch.stack(seen)[:, 1].numpy()
    flat = np.flatnonzero(np.abs(angles) > np.pi / 2)
    return angles[: flat[0] + 1] if len(flat) else angles


def _poses(angles: np.ndarray, floor: float, colour: str) -> list[str]:
    """Return a row of carts with their poles."""
    parts = [line([(206, floor + 7), (736, floor + 7)], FAINT)]
    shown = angles[FIRST::2][:30]
    for i, angle in enumerate(shown):
        x = 222 + 17 * i
        tip = x + 62 * np.sin(angle), floor - 62 * np.cos(angle)
        share = 0.45 + 0.55 * (i + 1) / len(shown)
        parts.append(box(x - 6, floor - 4, 12, 8, FAINT, more='rx="2"'))
        parts.append(line([(x, floor), tip], shade(colour, share), 4))
    return parts


# Lesson 6 ---------------------------------------------------------------------------------------------------------


def policy() -> str:
    """Return the picture of a robot that stays up, and of the return that its critic learns from."""

    def controller(observation: torch.Tensor) -> torch.Tensor:
        force = observation @ torch.tensor([[0.25], [3.5], [0.6], [0.8]])
        return force + 0.15 * torch.randn(len(observation), 1)

    torch.manual_seed(0)
    run = data.rollout("InvertedPendulum-v5", steps=100, envs=64, policy=controller)
    assert not run.terminated.any()
    total, returns = torch.zeros(64), torch.zeros(100, 64)
    for t in reversed(range(100)):
        total = returns[t] = run.rewards[t] + 0.99 * total
    left, right, floor = 196, 716, 92
    parts = [
        text(24, 60, "The robot", "head"),
        tick(32, 82, 7, GREEN),
        text(50, 87, "stays up", colour=GREEN),
        text(24, 158, "What its critic", "head"),
        text(24, 178, "learns from", "head"),
        cross(32, 202, 7, RED),
        text(50, 207, "falls to 1", colour=RED),
        line([(left, floor + 7), (right, floor + 7)], FAINT),
    ]
    for t in range(0, 100, 4):
        x, angle = scale([t], left, right, 0, 99)[0], run.observations[t, 0, 1].item()
        parts.append(box(x - 6, floor - 4, 12, 8, FAINT, more='rx="2"'))
        parts.append(line([(x, floor), (x + 56 * np.sin(angle), floor - 56 * np.cos(angle))], GREEN, 4))
    x, y = scale(range(100), left, right, 0, 99), scale(returns[:, 0].numpy(), 236, 132, 0, 100)
    curve = list(zip(x, y, strict=True))
    gap = [*curve, (right, 132), (left, 132)]
    where = " ".join(f"{a:.1f},{b:.1f}" for a, b in gap)
    parts += [
        f'<polygon points="{where}" fill="{RED}" opacity="0.16"/>',
        line([(left, 236), (right, 236)], FAINT),
        line([(left, 132), (right, 132)], BLUE, 2, "7 6"),
        line(curve, ORANGE, 3),
        dot(right, y[-1], 5, RED),
        text(right - 6, 124, "what staying up is worth: 100", "end", BLUE),
        text(left + 10, y[0] + 32, f"return: {returns[0, 0]:.0f}", colour=ORANGE),
        text(right, 256, "step 100: time is up", "end muted"),
        text(left, 256, "step 0", "muted"),
    ]
    title = "A pole stays upright for 100 steps, but the return that its critic learns from falls from 63 to 1."
    return picture(278, title, *parts)
