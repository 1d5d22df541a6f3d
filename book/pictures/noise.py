"""Lesson 5: the stds of six joints, up to the step at which training crashes."""

import torch

from rsl_edu import data

from .body import body
from .svg import BLUE, FAINT, INK, ORANGE, RED, cross, line, picture, scale, shade, text

JOINTS = ("back thigh", "back shin", "back foot", "front thigh", "front shin", "front foot")


def draw() -> str:
    """Return the picture."""
    stds, error = _train()  # [steps, joints]
    last = len(stds) - 1
    worst = int(stds[-1].argmin())
    left, right, zero, one = 64, 500, 206, 56
    x = scale(range(len(stds)), left, right, 0, last)
    height = lambda values: scale(values, zero, one, 0, 1)  # noqa: E731
    parts = [
        text(24, 32, "Half cheetah: std of each joint's action, step by step", "head"),
        line([(left, zero), (right + 14, zero)], INK, 1.5),
        line([(left, one), (right, one)], FAINT, 1),
        text(left - 10, zero + 5, "0", "end muted"),
        text(left - 10, one + 5, "1", "end muted"),
        text(left, zero + 24, "start", "muted"),
        text(right, zero + 24, f"step {last}", "middle muted"),
    ]
    for joint in range(6):
        if joint != worst:
            parts.append(line(zip(x, height(stds[:, joint].numpy()), strict=True), shade(BLUE, 0.55), 1.8))
    mean = stds.mean(1).numpy()
    parts += [
        line(zip(x, height(mean), strict=True), INK, 3, "2 7"),
        line(zip(x, height(stds[:, worst].numpy()), strict=True), ORANGE, 3.2),
        cross(right, float(height([stds[-1, worst].item()])[0]), 8, RED),
        text(right + 20, float(height([mean[-1]])[0]) - 16, f"mean: {mean[-1]:.1g}", "head"),
        text(right + 20, float(height([mean[-1]])[0]) + 3, "what the log shows", "muted"),
        text(right + 20, zero + 5, f"{JOINTS[worst]}: below 0", "head", ORANGE),
        line([(548, 117), (724, 117)], FAINT),
        # among the body's parts, torso and head come before the joints
        body(data.motion("HalfCheetah-v5", steps=20, seed=2), 20, 630, 116, 90, BLUE, {2 + worst: ORANGE}),
        text(24, 262, f"RuntimeError: {error}", "code", RED),
    ]
    title = "The stds of six joints fall. One of them crosses zero, and the training crashes."
    return picture(284, title, *parts)


def _train() -> tuple[torch.Tensor, str]:
    """Train as in lesson 5; return the stds before each step and after the last one, and torch's error message."""
    robot = data.rollout("HalfCheetah-v5", steps=64, envs=16)
    tried, earned = robot.actions.flatten(0, 1), robot.rewards.flatten()
    terms = torch.cat([torch.ones(len(tried), 1), tried, tried**2], 1)
    _, slope, bend = torch.linalg.lstsq(terms, earned[:, None]).solution[:, 0].split((1, 6, 6))
    torch.manual_seed(0)
    mean, std = torch.zeros(6, requires_grad=True), torch.ones(6, requires_grad=True)
    seen = []
    for _ in range(300):
        seen.append(std.detach().clone())
        try:
            action = torch.normal(mean.detach().expand(64, 6), std.detach().expand(64, 6))
        except RuntimeError as error:
            return torch.stack(seen), str(error)
        reward = action.clamp(-1, 1) @ slope + action**2 @ bend
        advantage = (reward - reward.mean()) / reward.std()
        log_prob = -(((action - mean) / std) ** 2 / 2 + std.log()).sum(-1)
        loss = -(advantage * log_prob).mean() - 0.01 * std.log().sum()
        gradient = torch.stack(torch.autograd.grad(loss, (mean, std)))
        step = 0.02 * gradient / gradient.norm().clamp(min=1)
        mean.data, std.data = mean.detach() - step[0], std.detach() - step[1]
    raise RuntimeError("no std fell below zero")
