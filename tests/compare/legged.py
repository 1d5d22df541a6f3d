"""Recordings of an invented legged robot, made in milliseconds: with Isaac Lab's names, a gait and noise."""

import numpy as np

DT = 0.02
JOINTS = 6
TERMS = {
    "base_lin_vel": 3,
    "base_ang_vel": 3,
    "projected_gravity": 3,
    "velocity_commands": 3,
    "joint_pos": JOINTS,
    "joint_vel": JOINTS,
    "actions": JOINTS,
}
NAMES = tuple(f"{term}[{i}]" for term, size in TERMS.items() for i in range(size))


def columns(*terms):
    """Return the indices of these terms' features."""
    return [i for i, name in enumerate(NAMES) if name.split("[")[0] in terms]


def walk(seed, steps=400, envs=8, noise=0.3, speed=1.0):
    """Record the robot, as a dictionary like the result of `rsl_edu.diagnosis.load`.

    Args:
        seed: Seed of the initial states, commands and noise.
        steps: Steps of each robot.
        envs: Robots side by side.
        noise: Std of the actions around their mean.
        speed: Of the gait, as a factor.
    """
    draw, body = np.random.default_rng(seed), np.random.default_rng(0)
    push = body.normal(size=(JOINTS, 5)) / 2  # effect of each joint on the base: roll, pitch and yaw rate, two speeds
    phase, width = body.uniform(0, 6.28, JOINTS), body.uniform(0.2, 0.6, JOINTS)
    stiff, centre = body.uniform(150, 400, JOINTS), body.uniform(-0.4, 0.4, JOINTS)
    couple = np.eye(JOINTS) + 0.15 * body.normal(size=(JOINTS, JOINTS))
    q, qd = centre + 0.1 * draw.normal(size=(envs, JOINTS)), np.zeros((envs, JOINTS))
    tilt, base, clock = 0.1 * draw.normal(size=(envs, 2)), np.zeros((envs, 5)), draw.uniform(0, 10, envs)
    command, last = draw.uniform(-1, 1, (envs, 3)), np.zeros((envs, JOINTS))
    rows = {"observations": [], "actions": [], "dones": []}
    for _ in range(steps):
        roll, pitch = tilt.T
        gravity = np.stack([-np.sin(pitch), np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch)], 1)
        speeds = np.concatenate([base[:, 3:], 0.3 * base[:, :1] * base[:, 1:2]], 1)
        rows["observations"].append(np.concatenate([speeds, base[:, :3], gravity, command, q - centre, qd, last], 1))
        angle = 2 * np.pi * speed * clock[:, None] * (1.2 + 0.4 * command[:, :1]) + phase
        last = width * np.sin(angle) + 0.3 * base[:, :1] - 0.2 * command[:, 1:2] + noise * draw.normal(size=q.shape)
        rows["actions"].append(last)
        for _ in range(4):
            force = (stiff * (last - (q - centre)) - 25 * qd) @ couple
            qd = qd + DT / 4 * force
            q = q + DT / 4 * qd
            drift = np.concatenate([-6 * tilt, np.zeros((envs, 1)), command[:, :2]], 1)
            base = base + DT / 4 * (12 * (drift - base) + 4 * qd @ push)
            tilt = tilt + DT / 4 * base[:, :2]
        clock = clock + DT
        ended = draw.random(envs) < 0.004
        rows["dones"].append(ended)
        last = np.where(ended[:, None], 0, last)
        tilt = np.where(ended[:, None], 0.1 * draw.normal(size=tilt.shape), tilt)
        q = np.where(ended[:, None], centre, q)
        renewed = draw.random(envs) < 0.01
        command = np.where(renewed[:, None], draw.uniform(-1, 1, command.shape), command)
    return {name: np.stack(each).astype("f4" if name != "dones" else bool) for name, each in rows.items()}


def late(x, features, steps):
    """Return the recording with some features some steps late."""
    late = x.copy()
    late[steps:, :, features] = x[:-steps, :, features]
    return late
