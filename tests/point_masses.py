"""An environment for rsl_rl on a single device: each action pushes a mass towards a goal."""

import torch
from rsl_rl.env import VecEnv
from tensordict import TensorDict

STEP_SECONDS, DAMPING, FAR = 0.05, 0.5, 3.0


class PointMasses(VecEnv):
    """Masses on lines. An episode ends if a mass is too far away, or at the time limit.

    A step consists of a few tensor operations and never waits for the device, so that the algorithm and the networks
    determine the training time. An observation has four parts: positions, velocities, goals and the last actions.

    Args:
        envs: Number of environments.
        device: Device of the tensors.
        masses: Number of masses in each environment, equal to the number of actions.
        limit: Maximum number of steps in an episode.
    """

    def __init__(self, envs: int, device: str = "cpu", masses: int = 12, limit: int = 200):
        self.num_envs, self.num_actions = envs, masses
        self.max_episode_length, self.device, self.cfg = limit, device, {}
        self.episode_length_buf = torch.randint(
            limit, (envs,), device=device
        )  # so that episodes do not all end at the same time
        self.position, self.velocity, self.goal, self.action = torch.zeros(4, envs, masses, device=device)
        self._begin(torch.ones(envs, 1, dtype=torch.bool, device=device))

    def get_observations(self) -> TensorDict:
        parts = [self.position, self.velocity, self.goal, self.action]
        return TensorDict({"policy": torch.cat(parts, 1)}, [self.num_envs], device=self.device)

    def step(self, actions: torch.Tensor) -> tuple[TensorDict, torch.Tensor, torch.Tensor, dict]:
        self.action = actions.clamp(-1, 1)
        self.velocity = self.velocity + STEP_SECONDS * (self.action - DAMPING * self.velocity)
        self.position = self.position + STEP_SECONDS * self.velocity
        rewards = -(self.position - self.goal).square().mean(1)
        failed = (self.position.abs() > FAR).any(1)
        self.episode_length_buf = self.episode_length_buf + 1
        time_outs = self.episode_length_buf >= self.max_episode_length
        dones = failed | time_outs
        self._begin(dones.unsqueeze(1))
        self.episode_length_buf = self.episode_length_buf.masked_fill(dones, 0)
        return self.get_observations(), rewards, dones.long(), {"time_outs": time_outs & ~failed}

    def _begin(self, dones: torch.Tensor) -> None:
        """Reset the masses of the environments that are done, and draw new goals."""
        self.position, self.velocity = (part.masked_fill(dones, 0) for part in (self.position, self.velocity))
        self.goal = torch.where(dones, 2 * torch.rand_like(self.goal) - 1, self.goal)
