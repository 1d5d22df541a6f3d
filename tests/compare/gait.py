"""Recordings of Gymnasium robots with a feedback gait, laid out like the observations of Isaac Lab."""

import numpy as np
import torch

from rsl_edu.data import rollout

ROBOTS = {  # indices of joint positions, joint velocities and other observations
    "HalfCheetah-v5": (range(2, 8), range(11, 17), {"base_height": [0], "base_pitch": [1], "base_lin_vel": [8, 9]}),
    "Walker2d-v5": (range(2, 8), range(11, 17), {"base_height": [0], "base_pitch": [1], "base_lin_vel": [8, 9]}),
    "Swimmer-v5": (range(1, 3), range(6, 8), {"base_yaw": [0], "base_lin_vel": [3, 4], "base_ang_vel": [5]}),
    "Ant-v5": (range(5, 13), range(19, 27), {"base_ang_vel": [16, 17, 18]}),
}
DT = {"HalfCheetah-v5": 0.05, "Walker2d-v5": 0.008, "Swimmer-v5": 0.04, "Ant-v5": 0.05}


class Gait:
    """A policy that follows noisy sine waves with its joints, and records its observations and actions."""

    def __init__(self, robot, envs, seed, noise, speed):
        self.draw, self.robot, self.noise, self.speed = np.random.default_rng(seed), robot, noise, speed
        joints = len(ROBOTS[robot][0])
        self.phase = np.random.default_rng(7).uniform(0, 6.28, joints)
        self.clock = self.draw.uniform(0, 10, envs)
        self.command = self.draw.uniform([0.3, -0.5, -1], [1, 0.5, 1], (envs, 3))
        self.last = np.zeros((envs, joints))
        self.shown, self.done = [], []

    def __call__(self, x):
        positions, velocities, others = ROBOTS[self.robot]
        x = x.numpy().astype(float)
        terms = {name: x[:, places] for name, places in others.items()}
        if self.robot == "Ant-v5":
            terms |= {"projected_gravity": gravity(x[:, 1:5])}
        p, v = x[:, list(positions)], x[:, list(velocities)]
        terms |= {"velocity_commands": self.command, "joint_pos": p, "joint_vel": v, "actions": self.last}
        self.names = tuple(f"{name}[{i}]" for name, each in terms.items() for i in range(each.shape[1]))
        self.shown.append(np.concatenate(list(terms.values()), 1).astype("f4"))
        angle = 2 * np.pi * 1.5 * self.speed * self.clock[:, None] * (0.6 + 0.8 * self.command[:, :1]) + self.phase
        action = 0.6 * np.sin(angle) + 0.2 * self.command[:, 1:2] - p - 0.05 * v + 0.1 * self.last
        self.last = np.clip(action + self.noise * self.draw.normal(size=p.shape), -1, 1)
        self.done.append(self.last.astype("f4"))
        self.clock = self.clock + DT[self.robot]
        renewed = self.draw.random(len(p)) < DT[self.robot] / 4
        self.command = np.where(renewed[:, None], self.draw.uniform([0.3, -0.5, -1], [1, 0.5, 1]), self.command)
        return torch.as_tensor(self.last, dtype=torch.float32)

    def reset(self, dones):
        self.last = np.where(dones.numpy().astype(bool)[:, None], 0, self.last)


def gravity(q):
    """Return the direction of gravity in the body frame, given quaternions ``q [envs, 4]``, scalar first."""
    w, x, y, z = q.T
    return -np.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], 1)


def walked(robot, seed, envs=24, steps=600, noise=0.3, speed=1.0):
    """Record a robot: observations, actions and dones ``[steps, envs, ...]``, and the names of the features."""
    gait = Gait(robot, envs, seed, noise, speed)
    run = rollout(robot, steps, envs, seed, policy=gait)
    return {
        "observations": np.stack(gait.shown),
        "actions": np.stack(gait.done),
        "dones": run.dones.numpy(),
    }, gait.names
