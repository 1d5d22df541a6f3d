"""rsl_rl's own runner trains robots with our modules, and gets the same results as with its own."""

import functools
import os
import sys

import pytest
import torch

from rsl_edu import modules
from rsl_edu.swap import swapped_into_rsl_rl

if os.environ.get("CI") != "true":  # in CI, the tests must not be skipped
    pytest.importorskip("rsl_rl.modules")

import rsl_rl.models
import rsl_rl.modules
from peer import CLOSE, DISTRIBUTIONS, ITERATIONS, NETWORKS, Recorded, configuration
from tensordict import TensorDict

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from TorchScript, which rsl_rl uses for exports

SAME = {"rtol": 1e-3, "atol": 1e-3}  # rounding errors grow to this size in so many updates


def trained(config, ours):
    if not ours:
        return Recorded(config).learn()
    with swapped_into_rsl_rl():
        recorded = Recorded(config)
    return recorded.learn()


def play(recorded, steps=3):
    """Return the actions of the trained policy in the next steps, from a hidden state of zero."""
    policy = recorded.runner.get_inference_policy("cpu")
    policy.reset()
    with torch.inference_mode():
        return torch.stack([policy(recorded.runner.env.get_observations()) for _ in range(steps)])


def own_modules(model, package):
    return [type(m).__name__ for m in model.modules() if type(m).__module__.startswith(package)]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("network", NETWORKS)
def test_training_with_our_modules_gives_the_same_losses_actions_and_checkpoints(network, distribution, tmp_path):
    # The adaptive learning rate grows if a KL is above zero. In the first mini-batch of an update nothing has changed
    # yet. With a state-dependent std (or alpha, beta), this KL is only a rounding error, so its last bit decides.
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


def test_training_with_rnd_and_our_reward_normalizer_gives_the_same_results():
    rnd = {"num_outputs": 4, "predictor_hidden_dims": [8], "target_hidden_dims": [-1], "weight": 1.0}
    config = configuration("mlp", "gaussian", rnd_cfg=rnd | {"state_normalization": True, "reward_normalization": True})
    ours, theirs = trained(config, ours=True), trained(config, ours=False)
    assert "EmpiricalDiscountedVariationNormalization" in own_modules(ours.runner.alg.rnd, "rsl_edu.")
    assert ours.losses[-1].keys() >= {"rnd"}
    for mine, its in zip(ours.losses, theirs.losses, strict=True):
        assert mine == pytest.approx(its, rel=SAME["rtol"], abs=SAME["atol"])


@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
def test_training_with_mixed_precision_works(distribution):
    recorded = trained(configuration("mlp", distribution, use_mixed_precision=True), ours=True)
    assert all(torch.isfinite(torch.tensor(list(losses.values()))).all() for losses in recorded.losses)


@functools.cache
def trained_ours(network, distribution):
    """Return a training with our modules, whose policy several tests export."""
    return trained(configuration(network, distribution), ours=True)


def inputs(network, steps=4):
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(1, 4, generator=generator), *[torch.randn(1, 1, 8, 8, generator=generator)] * (network == "cnn"))
        for _ in range(steps)
    ]


def answers(policy, network):
    """Return the actions of an rsl_rl policy over a few steps of one robot, with its hidden state."""
    policy.eval()
    policy.reset()
    groups = ["policy", "scan"][: 1 + (network == "cnn")]
    with torch.inference_mode():
        return [policy(TensorDict(dict(zip(groups, tensors, strict=True)), [1])) for tensors in inputs(network)]


@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
@pytest.mark.parametrize("network", NETWORKS)
def test_torchscript_export_gives_the_same_actions(network, distribution, tmp_path):
    recorded = trained_ours(network, distribution)
    recorded.runner.export_policy_to_jit(str(tmp_path))
    exported = torch.jit.load(tmp_path / "policy.pt").eval()
    for tensors, expected in zip(inputs(network), answers(recorded.policy, network), strict=True):
        played = exported(tensors[0], list(tensors[1:])) if network == "cnn" else exported(*tensors)
        torch.testing.assert_close(played, expected, **CLOSE)


@pytest.mark.filterwarnings("ignore:The tensor attributes self.rnn:UserWarning")  # from rsl_rl's copy of torch's RNN
@pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")
@pytest.mark.parametrize("distribution", ["gaussian", "heteroscedastic", "beta"])
@pytest.mark.parametrize("network", NETWORKS)
def test_onnx_export_gives_the_same_actions(network, distribution, tmp_path):
    from onnx.reference import ReferenceEvaluator

    recorded = trained_ours(network, distribution)
    recorded.runner.export_policy_to_onnx(str(tmp_path))
    exported = ReferenceEvaluator(str(tmp_path / "policy.onnx"))
    memory = [torch.zeros(2 if network == "lstm" else 1, 1, 8)] * {"gru": 1, "lstm": 2}.get(network, 0)
    for tensors, expected in zip(inputs(network), answers(recorded.policy, network), strict=True):
        fed = zip(exported.input_names, (*tensors, *memory), strict=True)
        played, *memory = map(torch.as_tensor, exported.run(None, {name: tensor.numpy() for name, tensor in fed}))
        torch.testing.assert_close(played, expected, **CLOSE)


def test_after_the_context_rsl_rl_uses_its_own_modules_again():
    before = {key: vars(rsl_rl.models.mlp_model)[key] for key in ("MLP", "EmpiricalNormalization", "Distribution")}
    with swapped_into_rsl_rl():
        assert rsl_rl.models.mlp_model.MLP is modules.MLP
        assert rsl_rl.modules.GaussianDistribution is modules.GaussianDistribution
    with pytest.raises(ZeroDivisionError), swapped_into_rsl_rl():
        _ = 1 / 0
    assert {key: vars(rsl_rl.models.mlp_model)[key] for key in before} == before


def test_error_without_rsl_rl_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "rsl_rl.runners", None)
    with pytest.raises(ModuleNotFoundError, match="rsl_rl"), swapped_into_rsl_rl():
        pass
