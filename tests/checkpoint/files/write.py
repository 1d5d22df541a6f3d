"""Writes the checkpoints next to this file: every layout of rsl_rl's checkpoints, each by a release that used it.

``python tests/checkpoint/files/write.py`` downloads the releases in `CASES`, trains tiny networks for two iterations
with the runner of each release, and stores two files per case:

- ``RELEASE-KIND.pt``: the output of the release's own ``runner.save``, including the optimizer. To keep the files
  small, Adam's moments are removed before saving, except in `MOMENTS`.
- ``RELEASE-KIND.played.pt``: the outputs of the release's own policy on given inputs, after ``runner.load`` of that
  file (not for ``distillation``). Time steps come first, then environments. The file contains ``observations``
  (``critic_observations`` if the critic has its own, ``scan`` with a CNN); ``dones`` after each step, with which the
  policy was reset; mean ``actions``, their ``std`` and the critic's ``values``; and ``release``, ``kind`` and
  ``activation``. Settings that a checkpoint lacks are included, too: ``cnn`` for a CNN, ``action_range`` for a Beta.

Seeds are fixed, so a second run writes the same numbers, and ``.pt`` files with the same bytes (not ``.played.pt``).

All files have ``optimizer_state_dict``, ``iter`` and ``infos`` in addition to the networks. The layouts, and the
releases that write them:

========== ===================================== ======================================================================
releases   top-level keys                        keys of the networks
========== ===================================== ======================================================================
2.1        ``model_state_dict``                  ``actor.N.*``, ``critic.N.*``, ``std``;
                                                 recurrent: ``memory_a.rnn.*``, ``memory_c.rnn.*``
           ``obs_norm_state_dict``,              ``_mean``, ``_var``, ``_std``, ``count``; only with normalization.
           ``critic_obs_norm_state_dict``        If the critic has no observations of its own, its normalizer is
                                                 not updated (``count`` is 0) or used: it gets the actor's input
2.2        as 2.1                                ``log_std`` in place of ``std`` if set so, but not if recurrent;
                                                 ``rnn_hidden_size`` is an argument up to here
2.3        ``privileged_obs_norm_state_dict``    as 2.2
           for ``critic_obs_norm_state_dict``
3.0        ``model_state_dict``                  as 2.3, ``log_std`` also if recurrent, and the normalizers inside:
                                                 ``actor_obs_normalizer.*``, ``critic_obs_normalizer.*``
3.1        as 3.0                                neither ``std`` nor ``log_std`` if the std depends on the state:
                                                 the last layer of ``actor`` then has twice as many outputs
3.2, 3.3   as 3.0                                as 3.1; CNNs: ``actor_cnns.GROUP.N.*``, ``critic_cnns.GROUP.N.*``
4.0        ``actor_state_dict``,                 ``mlp.N.*``, ``obs_normalizer.*``, ``rnn.rnn.*``, ``cnns.GROUP.N.*``;
           ``critic_state_dict``                 the actor's ``std`` or ``log_std``, or neither as in 3.1
5.0 to 5.2 as 4.0                                ``distribution.std_param`` or ``distribution.log_std_param``, or
                                                 neither: heteroscedastic
5.3 to 5.5 as 4.0                                as 5.0; neither: heteroscedastic or Beta, which look the same
2.3        as above                              distillation: ``student.N.*``, ``teacher.N.*``, ``std``;
                                                 recurrent: ``memory_s.rnn.*``, ``memory_t.rnn.*``
3.0 to 3.3 ``model_state_dict``                  distillation: as 2.3, or ``log_std``; ``student_obs_normalizer.*``,
                                                 ``teacher_obs_normalizer.*``
4.0 to 5.5 ``student_state_dict``,               distillation: each as ``actor_state_dict``
           ``teacher_state_dict``
========== ===================================== ======================================================================

The kinds: ``mlp`` (all except ``plain`` normalize observations), ``plain``, ``log`` (log std), ``privileged`` (the
critic has its own observations), ``lstm`` (one layer), ``gru`` (two layers), ``cnn``, ``heteroscedastic`` (the std
depends on the state), ``heteroscedastic-log``, ``beta``, ``distillation`` (the teacher is the release's ``mlp``).
"""

import argparse
import copy
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import torch
from tensordict import TensorDict

HERE = Path(__file__).parent
CASES = {
    "2.1.2": ("mlp", "plain", "privileged", "lstm"),
    "2.2.4": ("mlp", "log", "gru"),
    "2.3.3": ("mlp", "log", "privileged", "lstm"),
    "3.0.1": ("mlp", "log", "gru"),
    "3.1.3": ("mlp", "plain", "log", "lstm", "heteroscedastic"),
    "3.3.0": ("mlp", "log", "lstm", "cnn"),
    "4.0.1": ("mlp", "log", "lstm", "cnn", "heteroscedastic", "heteroscedastic-log"),
    "5.0.1": ("mlp", "log", "gru"),
    "5.5.1": ("mlp", "plain", "log", "privileged", "lstm", "cnn", "heteroscedastic", "beta", "distillation"),
}
MOMENTS = ("2.1.2-mlp", "5.5.1-mlp")  # moments make up more than half of a file
ACTIONS, HIDDEN, MEMORY = 2, [8, 6], 4
LAYERS = {"lstm": 1, "gru": 2}
CNN = {"output_channels": [2, 3], "kernel_size": 3, "stride": [2, 1], "norm": "layer", "activation": "elu"}
ACTION_RANGE = (-0.5, 0.5)

# Far from 0 and 1, so that a missing normalizer has an effect; the fourth is small, so that eps = 0.01 has one, too.
MEAN = torch.tensor([3.0, -2.0, 0.5, 10.0, -40.0, 1.0, -6.0])  # only the critic gets the last two
SCALE = torch.tensor([0.2, 5.0, 1.5, 0.05, 8.0, 2.0, 0.5])
OBSERVATIONS = 5
STEPS, PLAYED_ENVS = 5, 3


def observe(kind, states):
    """Return the groups of observations: "policy" (envs, 5); by kind "critic" (envs, 7), "scan" (envs, 1, 8, 8)."""
    observations = MEAN + SCALE * states
    groups = {"policy": observations[:, :OBSERVATIONS].clone()}
    if kind == "privileged":
        groups["critic"] = observations
    if kind == "cnn":
        groups["scan"] = 0.5 + 0.3 * torch.randn(len(states), 1, 8, 8)
    return groups


class Env:
    """An environment whose states decay towards the actions, with rewards for opposing actions and 6-step episodes."""

    num_envs, num_actions, max_episode_length, device = 32, ACTIONS, 6, "cpu"
    num_obs = OBSERVATIONS

    def __init__(self, version, kind):
        self.version, self.kind, self.cfg = version, kind, {}
        self.num_privileged_obs = len(MEAN) if kind == "privileged" else None
        self.states = torch.randn(self.num_envs, len(MEAN))
        self.episode_length_buf = torch.arange(self.num_envs) % self.max_episode_length

    def get_observations(self):
        groups = observe(self.kind, self.states)
        if self.version >= (3,):
            return TensorDict(groups, batch_size=[self.num_envs])
        return groups.pop("policy"), {"observations": groups}

    def step(self, actions):
        rewards = -(actions + 0.5 * self.states[:, :ACTIONS]).square().sum(dim=1)
        self.states = 0.8 * self.states + 0.6 * torch.randn_like(self.states)
        self.states[:, :ACTIONS] += 0.3 * actions
        self.episode_length_buf = (self.episode_length_buf + 1) % self.max_episode_length
        dones = self.episode_length_buf == 0
        extras = {"time_outs": dones}
        if self.version >= (3,):
            return self.get_observations(), rewards, dones, extras
        observations, more = self.get_observations()
        return observations, rewards, dones, extras | more


def settings(version, kind):
    """Return the configuration of a release's runner for a kind."""
    algorithm = {"num_learning_epochs": 2, "num_mini_batches": 2, "learning_rate": 0.01, "schedule": "fixed"}
    config = {"num_steps_per_env": 8, "save_interval": 100, "algorithm": {"class_name": "PPO", **algorithm}}
    groups = ["policy", "scan"] if kind == "cnn" else ["policy"]
    sets = {"actor" if version >= (4,) else "policy": groups}
    sets["critic"] = ["critic"] if kind == "privileged" else groups
    normalize, recurrent, dependent = kind != "plain", kind in LAYERS, kind.startswith("heteroscedastic")
    std_type = "log" if kind.endswith("log") else "scalar"
    network = {"activation": "elu"}
    if recurrent:
        width = "rnn_hidden_dim" if version >= (2, 3) else "rnn_hidden_size"
        network |= {"rnn_type": kind, width: MEMORY, "rnn_num_layers": LAYERS[kind]}

    if version < (4,):
        suffix = "Recurrent" if recurrent else "CNN" if kind == "cnn" else ""
        policy = {"class_name": f"ActorCritic{suffix}", "init_noise_std": 0.5, **network}
        policy |= {"actor_hidden_dims": HIDDEN, "critic_hidden_dims": HIDDEN}
        if std_type == "log":
            policy["noise_std_type"] = std_type
        if dependent:
            policy["state_dependent_std"] = True
        if kind == "cnn":
            policy |= {"actor_cnn_cfg": CNN, "critic_cnn_cfg": CNN}
        if version >= (3,):
            policy |= {"actor_obs_normalization": normalize, "critic_obs_normalization": normalize}
            config["obs_groups"] = sets
        else:
            config["empirical_normalization"] = normalize
        return copy.deepcopy(config | {"policy": policy})

    name = "RNNModel" if recurrent else "CNNModel" if kind == "cnn" else "MLPModel"
    critic = {"class_name": name, "hidden_dims": HIDDEN, "obs_normalization": normalize, **network}
    if kind == "cnn":
        critic["cnn_cfg"] = CNN
    if version < (5,):
        output = {"stochastic": True, "init_noise_std": 0.5, "noise_std_type": std_type}
        output["state_dependent_std"] = dependent
    elif kind == "beta":
        output = {"distribution_cfg": {"class_name": "BetaDistribution", "action_range": ACTION_RANGE}}
    else:
        gaussian = "HeteroscedasticGaussianDistribution" if dependent else "GaussianDistribution"
        output = {"distribution_cfg": {"class_name": gaussian, "init_std": 0.5, "std_type": std_type}}
    return copy.deepcopy(config | {"obs_groups": sets, "actor": critic | output, "critic": critic})


def distillation_settings(version):
    """Return the configuration of a distillation runner, 4.0 and later. The teacher is the actor of the kind mlp."""
    algorithm = {"class_name": "Distillation", "gradient_length": 4, "learning_rate": 0.01}
    config = {"num_steps_per_env": 8, "save_interval": 100, "algorithm": algorithm}
    actor = settings(version, "mlp")["actor"]
    sets = {"student": ["policy"], "teacher": ["policy"]}
    return config | {"student": actor, "teacher": copy.deepcopy(actor), "obs_groups": sets}


class Player:
    """A release's policy and critic in evaluation mode, loaded by the release from a checkpoint."""

    def __init__(self, version, kind, path, folder):
        from rsl_rl.runners import OnPolicyRunner

        self.version = version
        self.runner = OnPolicyRunner(Env(version, kind), settings(version, kind), folder, "cpu")
        self.runner.load(str(path))
        self.policy = self.runner.get_inference_policy("cpu")
        if version < (4,):
            self.both = self.runner.alg.actor_critic if version < (2, 3) else self.runner.alg.policy

    def inputs(self, groups):
        """Return the inputs of the actor and of the critic."""
        if self.version >= (3,):
            observations = TensorDict(groups, batch_size=[len(groups["policy"])])
            return observations, observations
        own = self.runner.critic_obs_normalizer if self.version < (2, 3) else self.runner.privileged_obs_normalizer
        normalized = self.runner.obs_normalizer(groups["policy"])
        return normalized, own(groups["critic"]) if "critic" in groups else normalized

    def act(self, groups):
        return self.policy(groups["policy"] if self.version < (3,) else self.inputs(groups)[0])

    def distribution(self, groups):
        """Return mean and std; like `act`, this advances the hidden state by one step."""
        observations = self.inputs(groups)[0]
        if self.version >= (4,):
            self.policy(observations, stochastic_output=True)
            return self.policy.output_mean, self.policy.output_std
        self.both.act(observations)
        return self.both.action_mean, self.both.action_std

    def value(self, groups):
        critic = self.runner.alg.critic if self.version >= (4,) else self.both.evaluate
        return critic(self.inputs(groups)[1])

    def reset(self, dones):
        for part in (self.policy, self.runner.alg.critic) if self.version >= (4,) else (self.both,):
            part.reset(dones)


def play(version, kind, path, folder):
    """Return the outputs of the policy in a file for some observations, as a dict."""
    states = torch.randn(STEPS, PLAYED_ENVS, len(MEAN))
    groups = [observe(kind, step) for step in states]
    dones = torch.zeros(STEPS, PLAYED_ENVS, dtype=torch.bool)
    if kind in LAYERS:
        dones[1, 0] = dones[2, 2] = dones[3, 0] = True
    policy, sampler = (Player(version, kind, path, folder) for _ in range(2))
    played = {"actions": [], "std": [], "values": []}
    with torch.no_grad():
        for step, done in zip(groups, dones, strict=True):
            played["actions"].append(policy.act(step))
            played["values"].append(policy.value(step))
            mean, std = sampler.distribution(step)
            sampler.value(step)  # 2.1 can only reset a hidden state that exists
            torch.testing.assert_close(mean, played["actions"][-1])
            played["std"].append(std)
            policy.reset(done)
            sampler.reset(done)
    names = {"policy": "observations", "critic": "critic_observations", "scan": "scan"}
    result = {names[name]: torch.stack([step[name] for step in groups]) for name in groups[0]}
    result |= {"dones": dones} | {name: torch.stack(steps) for name, steps in played.items()}
    result["activation"] = "elu"
    if kind == "cnn":
        result["cnn"] = CNN
    if kind == "beta":
        result["action_range"] = torch.tensor(ACTION_RANGE)
    return result


def write(release, into, folder):
    """Write the files of a release, in a process in which ``rsl_rl`` is this release."""
    from rsl_rl import runners

    torch.set_num_threads(1)
    version = tuple(map(int, release.split(".")))
    for kind in CASES[release]:
        torch.manual_seed(zlib.crc32(f"{release} {kind}".encode()))
        path = into / f"{release}-{kind}.pt"
        if kind == "distillation":
            runner = runners.DistillationRunner(Env(version, kind), distillation_settings(version), folder, "cpu")
            runner.load(str(into / f"{release}-mlp.pt"))
        else:
            runner = runners.OnPolicyRunner(Env(version, kind), settings(version, kind), folder, "cpu")
        runner.learn(2)
        if path.stem not in MOMENTS:
            runner.alg.optimizer.state.clear()
        runner.save(str(path))
        if kind != "distillation":
            played = {"release": release, "kind": kind} | play(version, kind, path, folder)
            # The older format is half as large, but contains memory addresses.
            torch.save(played, path.with_suffix(".played.pt"), _use_new_zipfile_serialization=False)


def unpack(release, folder):
    """Download a release into a folder and return the folder that contains ``rsl_rl``."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"rsl-rl-lib=={release}"]
    subprocess.run(command, cwd=folder, check=True)
    (wheel,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return Path(folder)


def show(path):
    """Print a file's size and keys after loading it with everything except tensors and plain values refused."""
    content = torch.load(path, weights_only=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    for key, value in content.items():
        if isinstance(value, torch.Tensor):
            print(f"    {key}: {tuple(value.shape)} {value.dtype}")
        elif key.endswith("_state_dict") and "optimizer" not in key:
            print(f"    {key}: {', '.join(value)}")
        elif key not in ("optimizer_state_dict", "infos"):
            print(f"    {key}: {value}")


def main():
    parser = argparse.ArgumentParser(description="Write the checkpoints that tests read, with the releases of rsl_rl.")
    parser.add_argument("--release", choices=CASES, action="append", help="only this one; may be given several times")
    parser.add_argument("--from", type=Path, dest="source", help="a folder with unpacked wheels: RELEASE/rsl_rl")
    parser.add_argument("--into", type=Path, default=HERE, help="where to write")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)  # a folder for logs; PYTHONPATH has the release
    arguments = parser.parse_args()
    releases, into = arguments.release or list(CASES), arguments.into.resolve()
    if arguments.worker:
        return write(*releases, into, str(arguments.worker))
    for release in releases:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as logs:
            package = arguments.source / release if arguments.source else unpack(release, folder)
            command = [sys.executable, __file__, "--release", release, "--into", into, "--worker", logs]
            if not (package / "rsl_rl").is_dir():
                parser.error(f"{package} does not contain rsl_rl")
            path = {"PYTHONPATH": str(package.resolve()), "OMP_NUM_THREADS": "1"}
            run = subprocess.run(command, env=os.environ | path, stdout=subprocess.PIPE, text=True)
            if run.returncode:
                sys.exit(f"{release}:\n{run.stdout[-2000:]}")
        for kind in CASES[release]:
            for path in sorted(into.glob(f"{release}-{kind}.*pt")):
                show(path)


if __name__ == "__main__":
    main()
