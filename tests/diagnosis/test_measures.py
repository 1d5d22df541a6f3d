"""Measures of a checkpoint equal those that torch and NumPy compute from the same policy step by step."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Beta, Independent, Normal, kl_divergence

from rsl_edu.checkpoint import Policy
from rsl_edu.diagnosis import own
from rsl_edu.diagnosis.layers import Layers
from rsl_edu.diagnosis.measures import kl, measure_policy
from rsl_edu.explorers.signal import Signal
from rsl_edu.modules import (
    CNN,
    MLP,
    RNN,
    BetaDistribution,
    EmpiricalNormalization,
    GaussianDistribution,
    HeteroscedasticGaussianDistribution,
)

FLOAT32 = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def x():
    """``[time, envs, features]``, far from 0 and 1."""
    return torch.randn(20, 6, 5) * torch.tensor([0.2, 5.0, 1.5, 0.1, 8.0]) + torch.tensor([3.0, -2.0, 0.5, 0.0, -40.0])


def built(distribution=None, rnn=None, cnns=None, hidden=(12, 9), activation="elu", normalizer=True):
    """A policy with five observations and two actions, whose normalizer was trained on other observations."""
    distribution = distribution or GaussianDistribution(2, init_std=0.4)
    latent = 5 if rnn is None else 7
    latent += sum(cnn.output_dim for cnn in (cnns or {}).values())
    mlp = MLP(latent, distribution.input_dim, list(hidden), activation)
    norm = EmpiricalNormalization(5) if normalizer else None
    if norm is not None:
        norm.train().update(torch.randn(300, 5) * torch.tensor([0.3, 4.0, 1.0, 0.1, 9.0]) + 1)
    policy = Policy(mlp, distribution, norm, rnn and RNN(5, 7, 2, rnn), cnns)
    return policy.eval().requires_grad_(False)


@pytest.fixture
def measured(checkpoint_of):
    return lambda policy, seen: measure_policy(checkpoint_of(policy), own(policy, seen))


def same(measures, others):
    """Whether two measures are equal in everything."""

    def plain(value):
        if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return value

    def equal(a, b):
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(equal(a[name], b[name]) for name in a)
        if isinstance(a, tuple):
            return len(a) == len(b) and all(map(equal, a, b))
        if isinstance(a, str) or a is None:
            return a == b
        return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)

    return equal(plain(measures), plain(others))


# Noise.


def gaussian(outputs, distribution):
    return Independent(Normal(outputs, distribution.std_param.expand_as(outputs)), 1)


def heteroscedastic(outputs, distribution):
    return Independent(Normal(outputs[:, 0], outputs[:, 1].exp()), 1)


def beta(outputs, distribution):
    return Independent(Beta(*(nn.functional.softplus(outputs) + 1).unbind(1)), 1)


@pytest.mark.parametrize(
    ("distribution", "reference", "scale"),
    [
        (GaussianDistribution(2, init_std=0.4), gaussian, 1),
        (HeteroscedasticGaussianDistribution(2, init_std=0.4, std_type="log"), heteroscedastic, 1),
        (BetaDistribution(2, (-0.5, 0.5)), beta, 1),
        (BetaDistribution(2, (-2.0, 2.0)), beta, 4),
    ],
    ids=["gaussian", "heteroscedastic", "beta", "wide beta"],
)
def test_std_entropy_and_kl_equal_those_of_torch_distributions(distribution, reference, scale, x, measured):
    policies = [built(copy.deepcopy(distribution)) for _ in range(2)]
    measures = [measured(policy, x) for policy in policies]
    theirs = [reference(policy.mlp(policy.obs_normalizer(x.flatten(0, 1))), policy.distribution) for policy in policies]
    for its, mine in zip(theirs, measures, strict=True):
        np.testing.assert_allclose(mine.std, scale * its.base_dist.stddev.mean(0), **FLOAT32)
        if scale == 1:  # our entropy is that of the stretched Beta, which enters the environment
            assert mine.entropy == pytest.approx(its.entropy().mean().item(), rel=1e-4)
        centre = scale * (its.base_dist.mean - (0.5 if isinstance(distribution, BetaDistribution) else 0))
        np.testing.assert_allclose(mine.mean, centre.mean(0), **FLOAT32)
        np.testing.assert_allclose(mine.spread, centre.std(0, correction=0), rtol=1e-4, atol=1e-6)
    expected = kl_divergence(*theirs).mean().item()
    assert kl(policies[0], *measures) == pytest.approx(expected, rel=1e-4)
    assert kl(policies[0], measures[0], measures[0]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("std_type", "stored"), [("scalar", 0.4), ("log", np.log(0.4))])
def test_stored_std_parameter_is_kept_unchanged(std_type, stored, x, measured):
    measures = measured(built(GaussianDistribution(2, init_std=0.4, std_type=std_type)), x)
    np.testing.assert_allclose(measures.raw_std, [stored] * 2, rtol=1e-6)
    np.testing.assert_allclose(measures.std, [0.4] * 2, rtol=1e-6)
    assert measured(built(BetaDistribution(2)), x).raw_std.size == 0


# Weights.


def test_singular_values_equal_those_of_torch(x, measured):
    policy = built(cnns={"scan": CNN((6, 6), 2, [3, 4], 3)})
    measures = measured(policy, {"policy": x, "scan": torch.randn(20, 6, 2, 6, 6)})
    cnn = [leaf for leaf in policy.cnns["scan"] if isinstance(leaf, nn.Conv2d)]
    linear = [leaf for leaf in policy.mlp if isinstance(leaf, nn.Linear)]
    weights = dict(zip(("scan 1", "scan 2", "1", "2", "output"), [*cnn, *linear], strict=True))
    assert list(measures.spectra) == list(weights)
    for name, leaf in weights.items():
        expected = torch.linalg.svdvals(leaf.weight.flatten(1).double())
        np.testing.assert_allclose(measures.spectra[name], expected, rtol=1e-6)
    rows = linear[-1].weight.double().numpy()
    assert measures.gain == pytest.approx(np.sqrt(np.mean(np.linalg.norm(rows, axis=1) ** 2)))


def test_only_one_singular_value_of_a_rank_one_layer_is_not_zero(x, measured):
    policy = built()
    policy.mlp[2].weight.data = torch.outer(torch.ones(9), torch.ones(12))
    values = measured(policy, x).spectra["2"]
    assert values.shape == (9,)
    assert values[0] == pytest.approx(np.sqrt(9 * 12))
    assert values[1:] == pytest.approx(0, abs=1e-5)


# The normalizer.


def test_shift_ratio_and_size_equal_those_of_numpy_over_all_samples(measured):
    everything = torch.randn(300, 11, 5) * 3 + torch.tensor([0, 1.0, 2, 3, 4])  # more than are shown to the layers
    policy = built()
    measures = measured(policy, everything)
    flat = everything.double().numpy().reshape(-1, 5)
    mean, scale = policy.normalizer.mean.double().numpy(), policy.normalizer.std.double().numpy() + 0.01
    np.testing.assert_allclose(measures.shift, (flat.mean(0) - mean) / scale, rtol=1e-6)
    np.testing.assert_allclose(measures.ratio, flat.std(0) / scale, rtol=1e-6)
    np.testing.assert_allclose(measures.size, np.sqrt(np.mean(((flat - mean) / scale) ** 2, 0)), rtol=1e-6)
    np.testing.assert_array_equal(measures.norm_mean, policy.normalizer.mean)
    np.testing.assert_array_equal(measures.norm_std, policy.normalizer.std)
    assert measures.count == 300


def test_observations_are_measured_unchanged_without_a_normalizer(x, measured):
    measures = measured(built(normalizer=False), x)
    flat = x.double().numpy().reshape(-1, 5)
    np.testing.assert_allclose(measures.shift, flat.mean(0), rtol=1e-6)
    np.testing.assert_allclose(measures.ratio, flat.std(0), rtol=1e-6)
    np.testing.assert_allclose(measures.size, np.sqrt((flat**2).mean(0)), rtol=1e-6)
    assert measures.count is None


# Layers.


@pytest.mark.parametrize("activation", ["elu", "relu", "tanh"])
@pytest.mark.parametrize("normalizer", [False, True])
def test_layers_of_a_feedforward_policy_equal_those_of_the_signal_explorer(activation, normalizer, x, measured):
    policy = built(activation=activation, normalizer=normalizer)
    measures = measured(policy, x)
    signal = Signal(x.flatten(0, 1), nn.Sequential(policy.obs_normalizer, *policy.mlp), normalize=False)
    expected = signal.compute(signal.at()).layers
    assert measures.rows == ("input", "1", "2", "output")
    for field in dataclasses.fields(Layers):
        np.testing.assert_allclose(
            getattr(measures.layers, field.name), getattr(expected, field.name), rtol=1e-4, err_msg=field.name
        )


def test_values_beyond_the_edges_are_in_the_outermost_bins_and_all_shares_add_up_to_1(x, measured):
    layers = measured(built(normalizer=False), x).layers
    np.testing.assert_allclose(layers.bars.sum(1), 1, rtol=1e-12)
    values, width = x.flatten().numpy(), 6 / 61
    assert layers.bars[0, 0] == pytest.approx(np.mean(values < -3 + width))
    assert layers.bars[0, -1] == pytest.approx(np.mean(values > 3 - width))


def test_layers_are_measured_on_the_thinned_samples_only(measured):
    everything = torch.randn(3000, 5)
    policy = built()
    kept = everything[torch.arange(1024) * 3000 // 1024]
    assert same(measured(policy, everything).layers, measured(policy, kept).layers)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_hidden_state_equals_a_step_by_step_run_with_resets(kind, x, measured):
    policy = built(rnn=kind)
    dones = torch.rand(20, 6) < 0.2
    measures = measured(policy, {"policy": x, "dones": dones})

    normalized, rnn = policy.obs_normalizer(x), policy.rnn.rnn
    latents = torch.empty(20, 6, 7)
    for env in range(6):  # each robot by itself, each episode from zeros
        begin = 0
        for t in range(20):
            if dones[t, env] or t == 19:
                latents[begin : t + 1, env] = rnn(normalized[begin : t + 1, env].unsqueeze(1))[0][:, 0]
                begin = t + 1
    outputs = policy.mlp(latents.flatten(0, 1))
    np.testing.assert_allclose(measures.mean, outputs.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(measures.spread, outputs.std(0, correction=0), rtol=1e-4)

    assert measures.rows == ("input", "memory", "1", "2", "output")
    assert measures.layers.units == (5, 7, 12, 9, 2)
    assert measures.layers.parameters[:2] == (0, sum(p.numel() for p in rnn.parameters()))
    hidden = policy.mlp[1](policy.mlp[0](latents.flatten(0, 1)))
    expected = [v.std(0, correction=0).square().mean().sqrt().item() for v in (latents.flatten(0, 1), hidden)]
    np.testing.assert_allclose(measures.layers.std[1:3], expected, rtol=1e-4)
    np.testing.assert_allclose(
        measures.layers.std[0], normalized.flatten(0, 1).std(0, correction=0).square().mean().sqrt(), rtol=1e-4
    )


def test_units_of_the_hidden_state_that_are_always_one_count_as_saturated(x, measured):
    policy = built(rnn="gru")
    assert measured(policy, x).layers.asleep[1] == 0
    policy.rnn.rnn.bias_ih_l1.data[14:17] = 50  # the new state of three of seven units is 1 …
    policy.rnn.rnn.bias_ih_l1.data[7:14] = -50  # … and replaces the old one
    assert measured(policy, x).layers.asleep[1] == pytest.approx(3 / 7)


def test_policy_with_images_has_a_row_for_each_layer_of_its_cnns(x, measured):
    cnns = {"scan": CNN((6, 6), 2, [3, 4], 3), "depth": CNN((4, 4), 1, [2], 2, activation="relu", max_pool=True)}
    policy = built(cnns=cnns)
    seen = {"policy": x, "scan": torch.randn(20, 6, 2, 6, 6), "depth": torch.randn(20, 6, 1, 4, 4)}
    measures = measured(policy, seen)
    assert measures.rows == ("input", "scan 1", "scan 2", "depth 1", "1", "2", "output")
    assert measures.layers.units == (5, 3 * 4 * 4, 4 * 2 * 2, 2 * 2 * 2, 12, 9, 2)
    assert measures.layers.bars.shape == (7, 61)
    first = cnns["scan"][1](cnns["scan"][0](seen["scan"].flatten(0, 1))).flatten(1)
    depth = cnns["depth"](seen["depth"].flatten(0, 1))
    for row, values in ((1, first), (3, depth)):
        expected = values.std(0, correction=0).square().mean().sqrt().item()
        assert measures.layers.std[row] == pytest.approx(expected, rel=1e-4)
    outputs = policy(x.flatten(0, 1), {name: seen[name].flatten(0, 1) for name in cnns})
    np.testing.assert_allclose(measures.mean, outputs.mean(0), rtol=1e-4, atol=1e-6)


def test_linear_policy_has_two_rows(x, measured):
    distribution = GaussianDistribution(2)
    policy = Policy(nn.Sequential(nn.Linear(5, 2)), distribution).eval().requires_grad_(False)
    measures = measured(policy, x)
    assert measures.rows == ("input", "output")
    assert list(measures.spectra) == ["output"]


# Memory.


def forgetting(kind):
    """A recurrent policy that ignores its previous hidden state."""
    policy = built(rnn=kind)
    for layer in (0, 1):
        getattr(policy.rnn.rnn, f"weight_hh_l{layer}").data.zero_()
        bias = getattr(policy.rnn.rnn, f"bias_ih_l{layer}").data
        bias[7:14] = -1e3  # the gate that keeps the old state is the second one in a GRU and in an LSTM
    return policy


@pytest.mark.parametrize("dones", [True, False])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_leak_is_zero_if_the_hidden_state_is_ignored_and_decays_otherwise(kind, dones, x, measured):
    ends = torch.zeros(20, 6, dtype=torch.bool)
    ends[9] = True
    seen = {"policy": x, "dones": ends} if dones else x
    assert measured(forgetting(kind), seen).memory.leak == pytest.approx(np.zeros(10), abs=1e-6)
    leak = measured(built(rnn=kind), seen).memory.leak
    assert leak.shape == (10,)  # if no episode ends, all are assumed to end in the middle
    assert leak[0] > leak[-1] > 0


def test_leak_is_the_distance_between_runs_with_and_without_resets_in_units_of_the_std(x, measured):
    policy = built(rnn="gru")
    dones = torch.zeros(20, 6, dtype=torch.bool)
    dones[4, :3] = dones[12, 2:] = True
    actions = []
    for resets in (True, False):
        policy.reset()
        actions.append([])
        for observed, done in zip(x, dones, strict=True):
            actions[-1].append(policy(observed))
            if resets:
                policy.reset(done)
    policy.reset()
    right, never = (torch.stack(steps) for steps in actions)
    distance = ((right - never) / 0.4).square().mean(-1)
    after = torch.cat([distance[5, :3], distance[13, 2:]])
    measures = measured(policy, {"policy": x, "dones": dones, "actions": never})
    assert measures.memory.leak[0] == pytest.approx(after.mean().sqrt().item(), rel=1e-4)
    assert len(measures.memory.leak) == 20 - 5

    later = torch.zeros(20, 6, dtype=torch.bool)
    later[5:, :3] = later[13:, 2:] = True
    off = ((right - never) / 0.4).square().mean(-1)[later].mean().sqrt().item()
    assert measures.memory.errors == pytest.approx((off, 0), rel=1e-4, abs=1e-5)
    assert measures.memory.share == pytest.approx((1, 0), abs=1e-4)
    right = measured(policy, {"policy": x, "dones": dones, "actions": right})
    assert right.memory.errors == pytest.approx((0, off), rel=1e-4, abs=1e-5)
    assert right.memory.share == pytest.approx((0, 0), abs=1e-4)


def test_share_of_the_missing_reset_does_not_depend_on_the_noise(x, measured):
    policy = built(GaussianDistribution(2, init_std=0.02), rnn="gru")
    dones = torch.rand(20, 6) < 0.1
    carried = torch.stack([policy(observed) for observed in x])
    policy.reset()
    shares = [
        measured(policy, {"policy": x, "dones": dones, "actions": carried + noise * torch.randn(20, 6, 2)}).memory.share
        for noise in (0, 0.02)
    ]
    for share, error in shares:
        assert abs(share - 1) <= 3 * error + 1e-4
    assert shares[0][1] < 1e-3 < shares[1][1]


@pytest.mark.parametrize("recorded", ["dones", "actions"])
def test_errors_of_the_hidden_state_are_none_without_dones_or_actions(recorded, x, measured):
    beside = {"dones": torch.rand(20, 6) < 0.2, "actions": torch.zeros(20, 6, 2)}
    memory = measured(built(rnn="gru"), {"policy": x, recorded: beside[recorded]}).memory
    assert memory.errors is None
    assert memory.share is None


def test_single_step_has_no_leak(x, measured):
    assert len(measured(built(rnn="gru"), x[0]).memory.leak) == 0


# Broken parameters, modes and side effects.


@pytest.mark.parametrize("rnn", [None, "gru"])
@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize(
    "name", ["mlp.0.weight", "mlp.4.bias", "distribution.std_param", "obs_normalizer._mean", "obs_normalizer._std"]
)
def test_broken_parameters_are_named_and_the_rest_is_measured(name, value, rnn, x, measured):
    policy = built(rnn=rnn)
    policy.state_dict()[name].flatten()[0] = value
    measures = measured(policy, {"policy": x, "dones": torch.rand(20, 6) < 0.2, "actions": torch.zeros(20, 6, 2)})
    assert measures.broken == (name,)
    assert np.isfinite(measures.layers.bars).all()
    assert all(np.isfinite(values).all() for values in measures.spectra.values())


@pytest.mark.parametrize("kind", [None, "gru", "cnn"])
def test_result_is_the_same_in_inference_mode_and_without_gradients(kind, x, checkpoint_of):
    cnns = {"scan": CNN((6, 6), 2, [3], 3)} if kind == "cnn" else None
    seen = {"policy": x, "scan": torch.randn(20, 6, 2, 6, 6)}
    policy = built(rnn="gru" if kind == "gru" else None, cnns=cnns)
    expected = measure_policy(checkpoint_of(policy), own(policy, seen))
    with torch.inference_mode():
        inside = copy.deepcopy(policy)
        for name, parameter in policy.state_dict().items():
            inside.state_dict()[name].copy_(parameter)
        inferred = {name: values.clone() for name, values in seen.items()}
        assert same(measure_policy(checkpoint_of(policy), own(policy, inferred)), expected)
    with torch.no_grad():
        assert same(measure_policy(checkpoint_of(policy), own(policy, seen)), expected)


@pytest.mark.parametrize("rnn", [None, "gru"])
def test_measuring_does_not_change_the_policy_or_the_random_generator(rnn, x, measured):
    policy, state = built(rnn=rnn), torch.random.get_rng_state()
    before = {name: tensor.clone() for name, tensor in policy.state_dict().items()}
    first = measured(policy, x)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in policy.state_dict().items())
    assert policy.rnn is None or policy.rnn.hidden_state is None
    assert not policy.training
    assert not any(leaf._forward_hooks for leaf in policy.modules())
    assert not any(parameter.requires_grad for parameter in policy.parameters())
    assert same(measured(policy, x), first)
