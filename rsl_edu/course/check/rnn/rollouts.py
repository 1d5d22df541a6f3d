"""Rollouts for the exercises that split them into trajectories and join them again."""

import torch


def ramp(time: int, envs: int) -> torch.Tensor:
    """A rollout whose values show their origin: 11, 12, 13 … for environment 1, 21, 22 … for environment 2."""
    return (10.0 * torch.arange(1, envs + 1) + torch.arange(1, time + 1).unsqueeze(1)).unsqueeze(-1)


def random_rollout(generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw observations [time, envs, features] and dones [time, envs]."""
    time = int(torch.randint(2, 9, (), generator=generator))
    x = torch.randn(time, 3, 2, generator=generator)
    return x, (torch.rand(time, 3, generator=generator) < 0.25).long()
