"""Rollouts of Gymnasium's MuJoCo robots: recorded when first needed, cached, and identical for the same seed."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from rsl_edu.modules.validate import whole

from .kept import kept

ROBOTS = ("Ant-v5", "HalfCheetah-v5", "Humanoid-v5", "InvertedPendulum-v5")
"""The robots of the lessons; :func:`~rsl_edu.data.rollout` also accepts any other robot of Gymnasium with continuous
actions."""


@dataclasses.dataclass(frozen=True)
class Rollout:
    """A rollout of parallel robots: row ``t`` of each tensor is one step of every environment.

    If an episode ended at step ``t``, row ``t + 1`` of ``observations`` is the first observation of the next episode.

    Attributes:
        robot: Name of the Gymnasium environment.
        names: Name of each feature of an observation, such as ``qvel[3]``.
        observations: Observation before each action, ``[steps, envs, features]``, float32.
        actions: Action, ``[steps, envs, actions]``, float32.
        rewards: Reward, ``[steps, envs]``, float32.
        terminated: Whether the robot failed in this step, ``[steps, envs]``, bool.
        truncated: Whether the episode timed out in this step, ``[steps, envs]``, bool.
    """

    robot: str
    names: tuple[str, ...]
    observations: torch.Tensor
    actions: torch.Tensor
    rewards: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor

    @property
    def dones(self) -> torch.Tensor:
        """Whether the episode ended in this step, for either reason, ``[steps, envs]``, bool."""
        return self.terminated | self.truncated


ActionRule = Callable[[torch.Tensor], torch.Tensor]
"""Maps observations ``[envs, features]`` to actions ``[envs, actions]``. If the policy has a method ``reset(dones)``,
this method is called after each step with a mask of the environments whose episode ended, ``[envs]``."""


def rollout(
    robot: str = "Humanoid-v5", steps: int = 256, envs: int = 8, seed: int = 0, policy: ActionRule | None = None
) -> Rollout:
    """Record a rollout of parallel robots. A progress bar appears if it takes more than a second.

    Args:
        robot: Gymnasium environment, such as those in :data:`rsl_edu.data.robots.ROBOTS`.
        steps: Number of steps of each robot.
        envs: Number of parallel robots.
        seed: Seed of the initial states and of the random actions.
        policy: Chooses the actions; None draws them uniformly. Only rollouts without a policy are cached, in the folder
            ``RSL_EDU_CACHE``, the user's cache folder, or one in the system's temporary folder. If none of them is
            writable, the rollout is recorded again at each call.

    Raises:
        ValueError: An argument is invalid; the message names it.
    """
    steps, envs, seed = whole("steps", steps), whole("envs", envs), whole("seed", seed, minimum=0)
    if policy is not None:
        return _record(robot, steps, envs, seed, policy)
    name = f"{robot}-{steps}x{envs}-seed{seed}"
    return kept(name, Rollout, lambda: _record(robot, steps, envs, seed, None))


def _record(robot: str, steps: int, envs: int, seed: int, policy: ActionRule | None) -> Rollout:
    import gymnasium
    from tqdm.auto import tqdm

    try:
        # An environment is reset within the step in which its episode ends, as in the simulators that rsl_rl uses.
        options = {"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP}
        with quiet_mujoco():
            vector = gymnasium.make_vec(robot, envs, vectorization_mode="sync", vector_kwargs=options)
    except gymnasium.error.Error as error:
        raise ValueError(
            f"robot: expected a Gymnasium environment such as {', '.join(ROBOTS)}; got {robot!r}"
        ) from error
    if not isinstance(vector.single_action_space, gymnasium.spaces.Box):
        vector.close()
        raise ValueError(f"robot: expected continuous actions, got {robot!r} with {vector.single_action_space}")

    with contextlib.closing(vector):
        names = _feature_names(vector)
        vector.action_space.seed(seed)
        observation, _ = vector.reset(seed=seed)
        columns: list[np.ndarray] = []
        quiet = bool(os.environ.get("TQDM_DISABLE"))  # tqdm's notebook bar ignores this variable
        for t in tqdm(range(steps), f"recording {robot}", leave=False, unit="step", delay=1.0, disable=quiet):
            if policy is None:
                action = vector.action_space.sample()
            else:
                with torch.no_grad():
                    action = policy(torch.as_tensor(observation, dtype=torch.float32)).numpy()
            following, *outcome, _ = vector.step(action)
            forget: Callable[[torch.Tensor], None] | None = getattr(policy, "reset", None)
            if forget is not None:
                forget(torch.as_tensor(outcome[1] | outcome[2]))
            rows = (observation, action, *outcome)  # outcome: reward, terminated, truncated
            if not columns:
                columns = [np.empty((steps, *row.shape), bool if row.dtype == bool else "f4") for row in rows]
            for column, row in zip(columns, rows, strict=True):
                column[t] = row
            observation = following
    return _rollout(robot, names, columns)


@contextlib.contextmanager
def quiet_mujoco() -> Iterator[None]:
    """Suppress MuJoCo's warnings (printed and logged to a file) about outdated keywords in its robots' files."""
    import mujoco

    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda message: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def _rollout(robot: str, names: tuple[str, ...], columns: list[np.ndarray]) -> Rollout:
    tensors = [torch.as_tensor(column) for column in columns]
    return Rollout(robot, names, *tensors)


def _feature_names(vector: Any) -> tuple[str, ...]:
    """Name the features after the parts of the observation that Gymnasium's MuJoCo robots declare."""
    parts: dict[str, int] = getattr(vector.envs[0].unwrapped, "observation_structure", {})
    features = vector.single_observation_space.shape[0]
    names = [f"{part}[{i}]" for part, size in parts.items() if part != "skipped_qpos" for i in range(size)]
    return tuple(names) if len(names) == features else tuple(f"feature[{i}]" for i in range(features))
