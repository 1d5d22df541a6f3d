"""A rebuilt policy acts like the policy that rsl_rl saved, for all releases."""

import functools

import pytest
import torch
from actors import PLAYED, SAVED
from peer import CLOSE, DISTRIBUTIONS, NETWORKS, Recorded, configuration, needs_rsl_rl

from rsl_edu import checkpoint

# Policies that rsl_rl trained.


@functools.cache
def episodes(steps=6, envs=5):
    """Observations, scans, and whether an episode ends after each step."""
    generator = torch.Generator().manual_seed(1)
    observed = torch.randn(steps, envs, 4, generator=generator)
    scans = torch.randn(steps, envs, 1, 8, 8, generator=generator)
    return list(zip(observed, scans, torch.rand(steps, envs, generator=generator) < 0.3, strict=True))


def answers(policy, network):
    """Actions, std and entropy of an rsl_rl policy over the episodes."""
    from tensordict import TensorDict

    groups = [
        TensorDict({"policy": observed} | ({"scan": scan} if network == "cnn" else {}), [len(observed)])
        for observed, scan, _ in episodes()
    ]
    dones = [done for *_, done in episodes()]
    actions, spread = [], []
    policy.eval()
    policy.reset()
    for group, done in zip(groups, dones, strict=True):
        actions.append(policy(group))
        policy.reset(done)
    policy.reset()
    for group, done in zip(groups, dones, strict=True):
        policy(group, stochastic_output=True)
        spread += [policy.output_std, policy.output_entropy]
        policy.reset(done)
    return actions, spread


def rebuilt_answers(policy):
    actions, spread = [], []
    for observed, scan, done in episodes():
        actions.append(policy(observed, {"scan": scan}))
        policy.reset(done)
    policy.reset()
    for observed, scan, done in episodes():
        policy.distribution.update(policy.mlp(policy.latent(observed, {"scan": scan})))
        spread += [policy.distribution.std, policy.distribution.entropy]
        policy.reset(done)
    return actions, spread


@needs_rsl_rl
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_rebuilt_policy_acts_like_the_one_that_rsl_rl_trained(network, distribution, trained):
    algorithm, config, path = trained(network, distribution)
    theirs = algorithm.get_policy()
    found = checkpoint.read(path, config=config["actor"], images={"scan": (8, 8)} if network == "cnn" else None)
    with torch.inference_mode():
        expected, played = answers(theirs, network), rebuilt_answers(found.policy)
    torch.testing.assert_close(played, expected, **CLOSE)
    assert (found.layout, found.iteration) == ("rsl_rl 5" if "gaussian" in distribution else "rsl_rl 4 or 5", 2)
    assert (found.policy.features, found.policy.actions) == (4, 1)
    assert found.policy.normalizer.count == theirs.obs_normalizer.count
    assert found.critic_normalized
    assert found.learning_rate == algorithm.learning_rate
    assert found.unread == ()


@needs_rsl_rl
def test_rebuilt_policy_has_the_parameter_names_of_rsl_rl(trained):
    for network in NETWORKS:
        algorithm, config, path = trained(network, "gaussian")
        policy = checkpoint.read(path, config=config["actor"], images={"scan": (8, 8)}).policy
        torch.testing.assert_close(dict(policy.state_dict()), dict(algorithm.get_policy().state_dict()), rtol=0, atol=0)


@needs_rsl_rl
def test_folder_of_rsl_rl_is_read_in_order(tmp_path):
    recorded = Recorded(configuration("mlp", "gaussian") | {"save_interval": 2}, tmp_path).learn(6)
    run = checkpoint.read_run(tmp_path)
    assert [found.iteration for found in run.checkpoints] == [0, 2, 4, 5]
    assert (run.path, run.skipped, run.left_out) == (tmp_path, {}, 0)
    counts = [int(found.policy.normalizer.count) for found in run.checkpoints]
    assert counts == [60, 180, 300, 360]  # 6 robots and 10 steps in each iteration
    with torch.inference_mode():
        expected, played = answers(recorded.policy, "mlp"), rebuilt_answers(run.checkpoints[-1].policy)
    torch.testing.assert_close(played, expected, **CLOSE)


# Checkpoints of older releases.


def settings_of(kind, played):
    """The configuration for reading a stored checkpoint."""
    config = {"activation": played.get("activation", "elu")}
    if kind.startswith("heteroscedastic"):
        name = "HeteroscedasticGaussianDistribution"
        config["distribution_cfg"] = {"class_name": name, "std_type": "log" if kind.endswith("log") else "scalar"}
    if kind == "beta":
        action_range = played["action_range"].tolist()
        config["distribution_cfg"] = {"class_name": "rsl_rl.modules:BetaDistribution", "action_range": action_range}
    if kind == "cnn":
        config["cnn_cfg"] = played["cnn"]
    return config


@pytest.mark.parametrize("name", PLAYED)
def test_checkpoint_of_any_release_acts_like_that_release(name):
    played = torch.load(SAVED / f"{name}.played.pt", weights_only=True)
    kind, observations = played["kind"], played["observations"]
    scans = played.get("scan", [None] * len(observations))
    images = {"scan": (8, 8)} if kind == "cnn" else None
    found = checkpoint.read(SAVED / f"{name}.pt", config=settings_of(kind, played), images=images)
    policy = found.policy
    with torch.inference_mode():
        for observed, scan, action, done in zip(observations, scans, played["actions"], played["dones"], strict=True):
            torch.testing.assert_close(policy(observed, {"scan": scan}), action, **CLOSE)
            policy.reset(done)
        policy.reset()
        for observed, scan, std, done in zip(observations, scans, played["std"], played["dones"], strict=True):
            policy.distribution.update(policy.mlp(policy.latent(observed, {"scan": scan})))
            torch.testing.assert_close(policy.distribution.std, std, **CLOSE)
            policy.reset(done)

    major = played["release"][0]
    assert major in found.layout.split()
    if kind == "mlp":
        assert found.layout == f"rsl_rl {major}"
    normalized = kind != "plain"
    assert (policy.normalizer is not None, found.critic_normalized) == (normalized, normalized)
    assert (policy.features, policy.actions) == (observations.shape[-1], played["actions"].shape[-1])
    assert (found.iteration, found.learning_rate, found.unread) == (1, 0.01, ())
