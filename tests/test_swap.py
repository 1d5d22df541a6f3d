"""rsl_rl's own runner trains robots with our modules in the place of its own, and gets the same."""

import copy
import os
import sys

import pytest
import torch

from rsl_edu import modules
from rsl_edu.data import height_scans
from rsl_edu.swap import swapped_into_rsl_rl

if os.environ.get("CI") != "true":  # there the tests must not be skipped
    pytest.importorskip("rsl_rl.modules")

import gymnasium
import rsl_rl.models
import rsl_rl.modules
from rsl_rl.env import VecEnv
from rsl_rl.runners import OnPolicyRunner
from tensordict import TensorDict

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript's, which rsl_rl exports with

ENVS, STEPS, ITERATIONS = 6, 10, 6
SAME = {"rtol": 1e-3, "atol": 1e-3}  # what rounding grows to within so many updates
CLOSE = {"rtol": 1e-5, "atol": 1e-6}

DISTRIBUTIONS = {
    "gaussian": {"class_name": "GaussianDistribution", "init_std": 0.5},
    "gaussian-log": {"class_name": "GaussianDistribution", "init_std": 0.5, "std_type": "log"},
    "heteroscedastic": {"class_name": "HeteroscedasticGaussianDistribution", "init_std": 0.5},
    "heteroscedastic-log": {"class_name": "HeteroscedasticGaussianDistribution", "init_std": 0.5, "std_type": "log"},
    "beta": {"class_name": "BetaDistribution", "action_range": (-0.5, 0.5)},  # of length 1: there the entropies agree
}
NETWORKS = {
    "mlp": {"class_name": "MLPModel"},
    "cnn": {"class_name": "CNNModel", "cnn_cfg": {"output_channels": [2, 3], "kernel_size": 3, "norm": "layer"}},
    "gru": {"class_name": "RNNModel", "rnn_type": "gru", "rnn_hidden_dim": 8},
    "lstm": {"class_name": "RNNModel", "rnn_type": "lstm", "rnn_hidden_dim": 8, "rnn_num_layers": 2},
}


class Robots(VecEnv):
    """Pendulums on carts, each on its piece of real terrain."""

    def __init__(self, see_terrain=False):
        options = {"max_episode_steps": 25}  # so that episodes end for both reasons
        self.envs = gymnasium.make_vec("InvertedPendulum-v5", ENVS, vectorization_mode="sync", **options)
        self.num_envs, self.num_actions = ENVS, self.envs.single_action_space.shape[0]
        self.max_episode_length, self.device, self.cfg = 25, "cpu", {}
        self.episode_length_buf = torch.zeros(ENVS, dtype=torch.long)
        self.step_dt, self.unwrapped = 0.04, self
        self.scans = height_scans(ENVS, 8) if see_terrain else None
        self.observed = self._group(self.envs.reset(seed=0)[0])

    def _group(self, observations):
        groups = {"policy": torch.as_tensor(observations).float()}
        if self.scans is not None:
            groups["scan"] = self.scans + groups["policy"].mean(1)[:, None, None, None]
        return TensorDict(groups, [ENVS])

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
    """A training: its runner, and what came out of every iteration."""

    def __init__(self, config):
        torch.manual_seed(0)
        self.runner = OnPolicyRunner(Robots("scan" in config["obs_groups"]["actor"]), copy.deepcopy(config), None)
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


def trained(config, ours):
    if not ours:
        return Recorded(config).learn()
    with swapped_into_rsl_rl():
        recorded = Recorded(config)
    return recorded.learn()


def play(recorded, steps=3):
    """What the trained policy does in the next steps, from an empty memory."""
    policy = recorded.runner.get_inference_policy("cpu")
    policy.reset()
    with torch.inference_mode():
        return torch.stack([policy(recorded.runner.env.get_observations()) for _ in range(steps)])


def own_modules(model, package):
    return [type(m).__name__ for m in model.modules() if type(m).__module__.startswith(package)]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_training_with_our_modules_gives_the_losses_actions_and_checkpoints_of_rsl_rl(network, distribution, tmp_path):
    # The adaptive learning rate grows when a KL is above zero. In the first mini-batch of an update nothing has changed
    # yet, and with a std of the state (or alpha, beta) the KL is rounding alone: its last bit decides.
    schedule = "adaptive" if distribution.startswith("gaussian") else "fixed"
    config = configuration(network, distribution, schedule=schedule)
    ours, theirs = trained(config, ours=True), trained(config, ours=False)
    assert own_modules(ours.policy, "rsl_edu.")
    assert not own_modules(ours.policy, "rsl_rl.modules")
    assert not own_modules(theirs.policy, "rsl_edu.")

    assert len(ours.losses) == ITERATIONS
    assert ours.runner.alg.learning_rate == theirs.runner.alg.learning_rate
    for mine, its in zip(ours.losses, theirs.losses, strict=True):
        assert mine == pytest.approx(its, rel=SAME["rtol"], abs=SAME["atol"])
    torch.testing.assert_close(torch.stack(ours.actions), torch.stack(theirs.actions), **SAME)

    for source, target in ((ours, theirs), (theirs, ours)):
        source.runner.save(str(tmp_path / "model.pt"))
        target.runner.load(str(tmp_path / "model.pt"), strict=True)
        target.runner.env = source.runner.env
        torch.testing.assert_close(play(target), play(source), **CLOSE)


def test_curiosity_with_our_reward_normaliser_gives_the_same():
    rnd = {"num_outputs": 4, "predictor_hidden_dims": [8], "target_hidden_dims": [-1], "weight": 1.0}
    config = configuration("mlp", "gaussian", rnd_cfg=rnd | {"state_normalization": True, "reward_normalization": True})
    ours, theirs = trained(config, ours=True), trained(config, ours=False)
    assert "EmpiricalDiscountedVariationNormalization" in own_modules(ours.runner.alg.rnd, "rsl_edu.")
    assert ours.losses[-1].keys() >= {"rnd"}
    for mine, its in zip(ours.losses, theirs.losses, strict=True):
        assert mine == pytest.approx(its, rel=SAME["rtol"], abs=SAME["atol"])


@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
def test_mixed_precision_trains(distribution):
    recorded = trained(configuration("mlp", distribution, use_mixed_precision=True), ours=True)
    assert all(torch.isfinite(torch.tensor(list(losses.values()))).all() for losses in recorded.losses)


def inputs(network, steps=4):
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(1, 4, generator=generator), *[torch.randn(1, 1, 8, 8, generator=generator)] * (network == "cnn"))
        for _ in range(steps)
    ]


def answers(policy, network):
    """Actions of a policy of rsl_rl over a few steps of one robot, its memory included."""
    policy.eval()
    policy.reset()
    groups = ["policy", "scan"][: 1 + (network == "cnn")]
    with torch.inference_mode():
        return [policy(TensorDict(dict(zip(groups, tensors, strict=True)), [1])) for tensors in inputs(network)]


@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_torchscript_of_a_trained_policy_plays_the_same(network, distribution, tmp_path):
    recorded = trained(configuration(network, distribution), ours=True)
    recorded.runner.export_policy_to_jit(str(tmp_path))
    exported = torch.jit.load(tmp_path / "policy.pt").eval()
    for tensors, expected in zip(inputs(network), answers(recorded.policy, network), strict=True):
        played = exported(tensors[0], list(tensors[1:])) if network == "cnn" else exported(*tensors)
        torch.testing.assert_close(played, expected, **CLOSE)


@pytest.mark.filterwarnings("ignore:The tensor attributes self.rnn:UserWarning")  # rsl_rl's copy of torch's RNN
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_onnx_of_a_trained_policy_plays_the_same(network, distribution, tmp_path):
    from onnx.reference import ReferenceEvaluator

    recorded = trained(configuration(network, distribution), ours=True)
    recorded.runner.export_policy_to_onnx(str(tmp_path))
    exported = ReferenceEvaluator(str(tmp_path / "policy.onnx"))
    memory = [torch.zeros(2 if network == "lstm" else 1, 1, 8)] * {"gru": 1, "lstm": 2}.get(network, 0)
    for tensors, expected in zip(inputs(network), answers(recorded.policy, network), strict=True):
        fed = zip(exported.input_names, (*tensors, *memory), strict=True)
        played, *memory = map(torch.as_tensor, exported.run(None, {name: tensor.numpy() for name, tensor in fed}))
        torch.testing.assert_close(played, expected, **CLOSE)


def test_after_the_context_rsl_rl_builds_from_its_own_modules_again():
    before = {key: vars(rsl_rl.models.mlp_model)[key] for key in ("MLP", "EmpiricalNormalization", "Distribution")}
    with swapped_into_rsl_rl():
        assert rsl_rl.models.mlp_model.MLP is modules.MLP
        assert rsl_rl.modules.GaussianDistribution is modules.GaussianDistribution
    with pytest.raises(ZeroDivisionError), swapped_into_rsl_rl():
        _ = 1 / 0
    assert {key: vars(rsl_rl.models.mlp_model)[key] for key in before} == before


def test_without_rsl_rl_the_error_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "rsl_rl.runners", None)
    with pytest.raises(ModuleNotFoundError, match="rsl_rl"), swapped_into_rsl_rl():
        pass
