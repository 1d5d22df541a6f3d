"""Shared code of tests that train with rsl_rl: configurations, robots, and a recorded training."""

import copy
import os

import gymnasium
import pytest
import torch

from rsl_edu.data import height_scans

try:
    from rsl_rl.env import VecEnv
    from rsl_rl.runners import OnPolicyRunner
    from tensordict import TensorDict
except ModuleNotFoundError:
    if os.environ.get("CI") == "true":  # in CI, the tests must not be skipped
        raise
    VecEnv = object

needs_rsl_rl = pytest.mark.skipif(VecEnv is object, reason="needs rsl_rl")

ENVS, STEPS, ITERATIONS = 6, 10, 6
CLOSE = {"rtol": 1e-5, "atol": 1e-6}

DISTRIBUTIONS = {
    "gaussian": {"class_name": "GaussianDistribution", "init_std": 0.5},
    "gaussian-log": {"class_name": "GaussianDistribution", "init_std": 0.5, "std_type": "log"},
    "heteroscedastic": {"class_name": "HeteroscedasticGaussianDistribution", "init_std": 0.5},
    "heteroscedastic-log": {"class_name": "HeteroscedasticGaussianDistribution", "init_std": 0.5, "std_type": "log"},
    "beta": {"class_name": "BetaDistribution", "action_range": (-0.5, 0.5)},  # length 1, for which both entropies agree
}
NETWORKS = {
    "mlp": {"class_name": "MLPModel"},
    "cnn": {"class_name": "CNNModel", "cnn_cfg": {"output_channels": [2, 3], "kernel_size": 3, "norm": "layer"}},
    "gru": {"class_name": "RNNModel", "rnn_type": "gru", "rnn_hidden_dim": 8},
    "lstm": {"class_name": "RNNModel", "rnn_type": "lstm", "rnn_hidden_dim": 8, "rnn_num_layers": 2},
}


class Robots(VecEnv):
    """Pendulums on carts, each on its own piece of real terrain."""

    def __init__(self, see_terrain=False, robot="InvertedPendulum-v5", envs=ENVS, limit=25):
        # 25 steps, so that episodes end by failure and by time-out
        self.envs = gymnasium.make_vec(robot, envs, vectorization_mode="sync", max_episode_steps=limit)
        self.num_envs, self.num_actions = envs, self.envs.single_action_space.shape[0]
        self.max_episode_length, self.device, self.cfg = limit, "cpu", {}
        self.episode_length_buf = torch.zeros(envs, dtype=torch.long)
        self.step_dt, self.unwrapped = 0.04, self
        self.scans = height_scans(envs, 8) if see_terrain else None
        self.observed = self._group(self.envs.reset(seed=0)[0])

    def _group(self, observations):
        groups = {"policy": torch.as_tensor(observations).float()}
        if self.scans is not None:
            groups["scan"] = self.scans + groups["policy"].mean(1)[:, None, None, None]
        return TensorDict(groups, [self.num_envs])

    def get_observations(self):
        return self.observed

    def step(self, actions):
        observations, rewards, terminated, truncated, _ = self.envs.step(actions.numpy())
        self.observed = self._group(observations)
        dones = torch.as_tensor(terminated | truncated)
        self.episode_length_buf = torch.where(dones, 0, self.episode_length_buf + 1)
        extras = {"time_outs": torch.as_tensor(truncated)}
        return self.observed, torch.as_tensor(rewards).float(), dones.long(), extras


def configuration(network, distribution, **algorithm):
    net = {**NETWORKS[network], "hidden_dims": [16, 16], "activation": "elu", "obs_normalization": True}
    seen = ["policy", "scan"] if network == "cnn" else ["policy"]
    return {
        "num_steps_per_env": STEPS,
        "save_interval": 1000,
        "logger": "tensorboard",
        "obs_groups": {"actor": seen, "critic": seen, "rnd_state": ["policy"]},
        "actor": {**net, "distribution_cfg": DISTRIBUTIONS[distribution]},
        "critic": copy.deepcopy(net),
        "algorithm": {"class_name": "PPO", "num_learning_epochs": 2, "num_mini_batches": 2} | algorithm,
    }


class Recorded:
    """A training: its runner, and the results of every iteration."""

    def __init__(self, config, folder=None):
        torch.manual_seed(0)
        robots = Robots("scan" in config["obs_groups"]["actor"])
        self.runner = OnPolicyRunner(robots, copy.deepcopy(config), folder and str(folder))
        self.losses, self.actions = [], []
        algorithm = self.runner.alg
        act, update = algorithm.act, algorithm.update
        algorithm.act = lambda obs: self.actions.append(act(obs)) or self.actions[-1]
        algorithm.update = lambda: self.losses.append(update()) or self.losses[-1]

    def learn(self, iterations=ITERATIONS):
        self.runner.learn(iterations)
        return self

    @property
    def policy(self):
        return self.runner.alg.get_policy()


def train(folder, network="mlp", seed=0, robot="InvertedPendulum-v5", envs=16, iterations=20, **model):
    """Train a run in a folder, as users do: episodes are long, and every fifth checkpoint is saved.

    Args:
        folder: The log folder of rsl_rl's runner.
        network: A key of `NETWORKS`.
        seed: Seed of weights and noise.
        robot: Name of a Gymnasium robot.
        envs: Number of environments.
        iterations: Number of iterations, with 16 steps each.
        model: Changes to the configuration of actor and critic.
    """
    algorithm = {"num_learning_epochs": 4, "num_mini_batches": 2, "entropy_coef": 0.0}
    config = configuration(network, "gaussian", **algorithm)
    config |= {"num_steps_per_env": 16, "save_interval": 5}
    config |= {part: config[part] | model for part in ("actor", "critic")}
    torch.manual_seed(seed)
    OnPolicyRunner(Robots(robot=robot, envs=envs, limit=1000), config, str(folder)).learn(iterations)
