"""The motion of a MuJoCo robot's body in one episode, for drawing it without rendering."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import numpy as np
import torch

from rsl_edu.modules.validate import whole

from .kept import kept
from .robots import ROBOTS, ActionRule, quiet_mujoco


@dataclasses.dataclass(frozen=True)
class Motion:
    """The motion of a robot until its episode or the recording ended.

    Each part of its body is a rod with round ends; for a ball, both ends are at the same position.

    Attributes:
        robot: Name of the Gymnasium environment.
        ends: Positions of the rods' ends before each step and after the last one, ``[steps + 1, parts, 2, 3]``, in
            metres.
        radii: Radii of the rods, ``[parts]``, in metres.
        moves: Whether a part belongs to the robot rather than to the world, ``[parts]``, bool.
        rewards: Reward of each step, ``[steps]``.
        fell: Whether the last step ended the episode because the robot failed.
        dt: Time between two steps, in seconds.
    """

    robot: str
    ends: torch.Tensor
    radii: torch.Tensor
    moves: torch.Tensor
    rewards: torch.Tensor
    fell: bool
    dt: float


def motion(robot: str = "Ant-v5", steps: int = 200, seed: int = 0, policy: ActionRule | None = None) -> Motion:
    """Record the body of one robot until it fails, times out, or has taken ``steps`` steps.

    Args:
        robot: Gymnasium environment of a MuJoCo robot, such as those in :data:`rsl_edu.data.robots.ROBOTS`.
        steps: Maximum number of steps to record.
        seed: Seed of the initial state and of the random actions.
        policy: Maps observations ``[1, features]`` to actions ``[1, actions]``. None draws the actions uniformly; such
            recordings are cached, like those of :func:`~rsl_edu.data.rollout`.

    Raises:
        ValueError: An argument is invalid; the message names it.
    """
    steps, seed = whole("steps", steps), whole("seed", seed, minimum=0)
    if policy is not None:
        return _record(robot, steps, seed, policy)
    return kept(f"{robot}-body-{steps}-seed{seed}", Motion, lambda: _record(robot, steps, seed, None))


def _record(robot: str, steps: int, seed: int, policy: ActionRule | None) -> Motion:
    import gymnasium

    try:
        with quiet_mujoco():
            environment = gymnasium.make(robot)
    except gymnasium.error.Error as error:
        raise ValueError(f"robot: expected a MuJoCo robot such as {', '.join(ROBOTS)}; got {robot!r}") from error
    with contextlib.closing(environment):
        body: Any = environment.unwrapped
        if not hasattr(body, "model") or not hasattr(body, "data"):
            raise ValueError(f"robot: expected a MuJoCo robot such as {', '.join(ROBOTS)}; got {robot!r}")
        rods = _rods(body.model)
        environment.action_space.seed(seed)
        observation, _ = environment.reset(seed=seed)
        ends, rewards, terminated = [_ends(body, rods)], [], False
        for _ in range(steps):
            if policy is None:
                action = environment.action_space.sample()
            else:
                with torch.no_grad():
                    action = policy(torch.as_tensor(observation, dtype=torch.float32)[None])[0].numpy()
            observation, reward, terminated, truncated, _ = environment.step(action)
            ends.append(_ends(body, rods))
            rewards.append(float(reward))
            if terminated or truncated:
                break
        model = body.model
        return Motion(
            robot=robot,
            ends=torch.as_tensor(np.stack(ends), dtype=torch.float32),
            radii=torch.as_tensor(model.geom_size[rods, 0], dtype=torch.float32),
            moves=torch.as_tensor(model.body_weldid[model.geom_bodyid[rods]] != 0),
            rewards=torch.tensor(rewards, dtype=torch.float32),
            fell=bool(terminated),
            dt=float(body.dt),
        )


def _rods(model: Any) -> np.ndarray:
    """Return which geometries are balls or rods; Gymnasium's robots have no others except the floor."""
    import mujoco

    kinds = (mujoco.mjtGeom.mjGEOM_SPHERE, mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)
    return np.flatnonzero(np.isin(model.geom_type, [int(kind) for kind in kinds]))


def _ends(body: Any, rods: np.ndarray) -> np.ndarray:
    """Return the two ends of each rod now, ``[parts, 2, 3]``."""
    centre = body.data.geom_xpos[rods]  # [parts, 3]
    axis = body.data.geom_xmat[rods].reshape(-1, 3, 3)[:, :, 2]  # a rod extends along its own z axis
    half = axis * body.model.geom_size[rods, 1:2]  # 0 for a ball
    return np.stack([centre - half, centre + half], axis=1)
