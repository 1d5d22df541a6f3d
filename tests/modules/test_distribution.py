import copy
import math
import pickle
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import rsl_edu.modules
from rsl_edu.modules import (
    MLP,
    BetaDistribution,
    Distribution,
    GaussianDistribution,
    HeteroscedasticGaussianDistribution,
)

law = settings(max_examples=25, deadline=None, derandomize=True)
CLOSE = {"rtol": 1e-5, "atol": 1e-5}
INTEGRAL = {"rtol": 1e-4, "atol": 1e-4}
ROUNDING = 1e-5
SAMPLES, SAMPLING_ERROR = 40_000, 0.03  # six standard errors of the mean, in stds
DIM = 3

CASES = {  # name: class, arguments other than output_dim, ours and rsl_rl's
    "gaussian": (GaussianDistribution, {"init_std": 0.4}),
    "gaussian-log": (GaussianDistribution, {"init_std": 0.4, "std_type": "log"}),
    "gaussian-clamped": (GaussianDistribution, {"init_std": 5.0, "std_range": (0.2, 2.0)}),
    "heteroscedastic": (HeteroscedasticGaussianDistribution, {"std_range": (0.1, 3.0)}),
    "heteroscedastic-log": (HeteroscedasticGaussianDistribution, {"std_range": (0.1, 3.0), "std_type": "log"}),
    "beta": (BetaDistribution, {}),
    "beta-range": (BetaDistribution, {"action_range": (-2.0, 5.0)}),
}
cases = pytest.mark.parametrize("case", CASES)
classes = pytest.mark.parametrize("kind", list(dict.fromkeys(kind for kind, _ in CASES.values())))


def make(case, dim=DIM):
    kind, options = CASES[case]
    return kind(dim, **options)


def network_output(distribution, *batch, seed=0):
    size = distribution.input_dim
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*batch, *([size] if isinstance(size, int) else size), generator=generator)


def updated(case, *batch, dim=DIM, seed=0):
    distribution = make(case, dim)
    distribution.update(network_output(distribution, *batch, seed=seed))
    return distribution


def reference(distribution):
    """Return the same distribution from torch, one for each dimension."""
    if isinstance(distribution, GaussianDistribution):
        return torch.distributions.Normal(distribution.mean, distribution.std, validate_args=False)
    low, high = distribution.action_range
    unit = torch.distributions.Beta(*distribution.params, validate_args=False)
    return torch.distributions.TransformedDistribution(
        unit, torch.distributions.AffineTransform(low, high - low), validate_args=False
    )


def support(distribution, points=20_001):
    """Return actions ``[points, 1]`` that cover a one-dimensional distribution, and their spacing."""
    if isinstance(distribution, BetaDistribution):
        low, high = distribution.action_range
        step = (high - low) / points  # midpoints: the density may be infinitely steep at the limits
        return (low + step * (torch.arange(points) + 0.5))[:, None], step
    low, high = (distribution.mean - 10 * distribution.std).item(), (distribution.mean + 10 * distribution.std).item()
    return torch.linspace(low, high, points)[:, None], (high - low) / (points - 1)


@cases
def test_log_prob_equals_the_sum_of_torchs_log_densities(case):
    distribution = updated(case, 4, 5)
    actions = distribution.sample()
    expected = reference(distribution).log_prob(actions).sum(-1)
    torch.testing.assert_close(distribution.log_prob(actions), expected, **CLOSE)


@cases
@pytest.mark.parametrize("seed", range(3))
def test_integrals_of_the_density_give_one_mean_std_and_entropy(case, seed):
    distribution = updated(case, 1, dim=1, seed=seed)
    actions, step = support(distribution)
    log_density = distribution.log_prob(actions).double()
    weight, a = log_density.exp() * step, actions[:, 0].double()
    mean = (weight * a).sum()
    std = (weight * (a - mean) ** 2).sum().sqrt()
    integrals = torch.stack([weight.sum(), mean, std, -(weight * log_density).sum()])
    one = torch.ones(1, 1)
    stated = torch.stack([one, distribution.mean, distribution.std, distribution.entropy[:, None]]).flatten().double()
    torch.testing.assert_close(integrals, stated, **INTEGRAL)


@cases
def test_the_entropy_sums_over_dimensions(case):
    distribution = make(case)
    output = network_output(distribution, 5)
    distribution.update(output)
    expected = 0.0
    for i in range(DIM):
        one = make(case, 1)
        for parameter, of_all in zip(one.parameters(), distribution.parameters(), strict=True):
            parameter.data = of_all.data[i : i + 1]
        one.update(output[..., i : i + 1])
        expected += one.entropy
    torch.testing.assert_close(distribution.entropy, expected, **CLOSE)


@cases
def test_samples_have_the_mean_and_std_of_the_distribution(case):
    distribution = make(case)
    distribution.update(network_output(distribution).expand(SAMPLES, *[-1] * network_output(distribution).dim()))
    actions = distribution.sample()
    mean, std = distribution.mean[0], distribution.std[0]
    torch.testing.assert_close((actions.mean(0) - mean) / std, torch.zeros(DIM), rtol=0, atol=SAMPLING_ERROR)
    torch.testing.assert_close(actions.std(0), std, rtol=SAMPLING_ERROR, atol=0)


@pytest.mark.parametrize("action_range", [(-1.0, 1.0), (-2.0, 5.0), (3.0, 3.5)])
def test_beta_actions_stay_in_their_range(action_range):
    beta = BetaDistribution(DIM, action_range)
    beta.update(10 * torch.randn(1000, 2, DIM))
    for actions in (beta.sample(), beta.mean):
        assert action_range[0] <= actions.min()
        assert actions.max() <= action_range[1]


def test_beta_parameters_are_above_one():
    beta = BetaDistribution(DIM)
    raw = torch.randn(5, 2, DIM)
    beta.update(raw)
    alpha, beta_ = (1 + (1 + raw.exp()).log()).unbind(1)
    torch.testing.assert_close(beta.params, (alpha, beta_), **CLOSE)


def test_beta_actions_at_the_limits_have_a_finite_density():
    beta = updated("beta-range", 2)
    low, high = beta.action_range
    actions = torch.tensor([[low] * DIM, [high] * DIM])
    assert beta.log_prob(actions).isfinite().all()


@cases
def test_gradient_flows_through_log_prob_but_not_through_samples(case):
    distribution = make(case)
    output = network_output(distribution, 5).requires_grad_()
    distribution.update(output)
    actions = distribution.sample()
    assert not actions.requires_grad
    (distribution.log_prob(actions).sum() + distribution.entropy.sum()).backward()
    assert output.grad.isfinite().all()
    assert output.grad.abs().sum() > 0


@pytest.mark.parametrize(("std_type", "name"), [("scalar", "std_param"), ("log", "log_std_param")])
@pytest.mark.parametrize("learn_std", [True, False])
def test_the_gaussian_std_is_a_parameter_that_starts_at_init_std(std_type, name, learn_std):
    gaussian = GaussianDistribution(DIM, 0.4, std_type=std_type, learn_std=learn_std)
    ((found, parameter),) = gaussian.named_parameters()
    assert (found, parameter.requires_grad, tuple(parameter.shape)) == (name, learn_std, (DIM,))
    gaussian.update(torch.zeros(5, DIM))
    torch.testing.assert_close(gaussian.std, torch.full((5, DIM), 0.4))


@pytest.mark.parametrize("std_type", ["scalar", "log"])
@pytest.mark.parametrize(("raw", "clamped", "outward"), [(-99.0, 0.2, 1.0), (99.0, 3.0, -1.0)])
def test_std_outside_its_range_is_clamped_and_only_a_gradient_back_into_it_passes(std_type, raw, clamped, outward):
    gaussian = GaussianDistribution(DIM, std_range=(0.2, 3.0), std_type=std_type)
    (parameter,) = gaussian.parameters()
    for direction in (outward, -outward):  # of the loss; descent moves in the opposite direction
        nn.init.constant_(parameter, raw)
        parameter.grad = None
        gaussian.update(torch.zeros(5, DIM))
        torch.testing.assert_close(gaussian.std, torch.full((5, DIM), clamped))
        (direction * gaussian.entropy.sum()).backward()
        assert parameter.grad.ne(0).all() == (direction != outward)


@pytest.mark.parametrize("kind", [GaussianDistribution, HeteroscedasticGaussianDistribution])
@pytest.mark.parametrize("std_type", ["scalar", "log"])
def test_std_inside_its_range_has_the_gradient_of_rsl_rl(peer, kind, std_type):
    gradients = []
    for distribution in (kind(DIM, std_type=std_type), getattr(peer, kind.__name__)(DIM, std_type=std_type)):
        output = network_output(distribution, 5).abs().requires_grad_()
        distribution.update(output)
        (distribution.log_prob(torch.ones(5, DIM)) + distribution.entropy).sum().backward()
        gradients.append([output.grad, *(parameter.grad for parameter in distribution.parameters())])
    torch.testing.assert_close(*gradients, **CLOSE)


def descend(distribution, mlp_output, parameters, steps=300):
    """Train the std with an entropy bonus and a few actions, like PPO; the gradient norm is clipped to 1."""
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    for _ in range(steps):
        distribution.update(mlp_output())
        optimizer.zero_grad()
        loss = -0.01 * distribution.entropy.mean() - distribution.log_prob(torch.full((1, DIM), 0.5)).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    distribution.update(mlp_output())
    return distribution.std


@pytest.mark.parametrize("heteroscedastic", [False, True])
def test_std_driven_below_zero_recovers_unlike_that_of_rsl_rl(peer, heteroscedastic):
    stds = []
    for module in (rsl_edu.modules, peer):
        if heteroscedastic:
            distribution = module.HeteroscedasticGaussianDistribution(DIM)
            raw = nn.Parameter(torch.full((1, DIM), -0.3))
            stds.append(descend(distribution, lambda raw=raw: torch.stack((torch.zeros(1, DIM), raw), 1), [raw]))
        else:
            distribution = module.GaussianDistribution(DIM)
            nn.init.constant_(distribution.std_param, -0.3)
            stds.append(descend(distribution, lambda: torch.zeros(1, DIM), list(distribution.parameters())))
    ours, theirs = stds
    assert ours.min() > 0.1
    torch.testing.assert_close(theirs, torch.full((1, DIM), 1e-6))


def entropy_of_std(std):
    gaussian = GaussianDistribution(DIM, std_range=(0.2, 3.0))
    return torch.func.functional_call(_Entropy(gaussian), {"gaussian.std_param": std}, ())


def test_gradient_of_a_clamped_std_works_with_torch_func():
    stds = torch.tensor([[0.1, 0.5, 5.0], [2.0, 0.1, 1.0]])  # stds of two policies; 0.1 and 5 are outside the range
    gradients = torch.func.vmap(torch.func.grad(entropy_of_std))(stds)
    # The gradient of the entropy is 1/std. Descent decreases the std: further out of the range only at the lower limit.
    torch.testing.assert_close(gradients, torch.tensor([[0.0, 2.0, 1 / 3], [0.5, 0.0, 1.0]]))


@pytest.mark.parametrize("hessian", [torch.func.hessian, lambda f: torch.func.jacrev(torch.func.grad(f))])
def test_a_clamped_std_has_second_derivatives(hessian):
    second = hessian(entropy_of_std)(torch.tensor([0.1, 0.5, 2.0]))
    torch.testing.assert_close(second, torch.tensor([0.0, -4.0, -0.25]).diag())


class _Entropy(nn.Module):
    def __init__(self, gaussian):
        super().__init__()
        self.gaussian = gaussian

    def forward(self):
        self.gaussian.update(torch.zeros(DIM))
        return self.gaussian.entropy


@pytest.mark.parametrize("std_range", [(0.1, float("inf")), (0.5, 0.5)])
@pytest.mark.parametrize("std_type", ["scalar", "log"])
def test_std_range_may_be_unbounded_above_or_a_single_value_as_in_rsl_rl(std_range, std_type):
    gaussian = GaussianDistribution(DIM, init_std=0.3, std_range=std_range, std_type=std_type)
    gaussian.update(torch.zeros(1, DIM))
    torch.testing.assert_close(gaussian.std, torch.full((1, DIM), max(0.3, std_range[0])))


def test_lower_limit_of_zero_is_raised_to_a_millionth():
    gaussian = GaussianDistribution(DIM, std_range=(0.0, 2.0))
    nn.init.zeros_(gaussian.std_param)
    gaussian.update(torch.zeros(5, DIM))
    assert gaussian.std_range == [1e-6, 2.0]
    assert gaussian.log_prob(torch.zeros(5, DIM)).isfinite().all()


@cases
def test_every_quantity_equals_that_of_rsl_rl(peer, case):
    kind, options = CASES[case]
    ours, theirs = kind(DIM, **options), getattr(peer, kind.__name__)(DIM, **options)
    output, new_output = network_output(ours, 4, 5), network_output(ours, 4, 5, seed=1)
    assert ours.input_dim == theirs.input_dim
    new = []
    for distribution in (ours, theirs):
        distribution.update(new_output)
        new.append(distribution.params)
        distribution.update(output)
    samples = []
    for distribution in (ours, theirs):
        torch.manual_seed(1)
        samples.append(distribution.sample())
    torch.testing.assert_close(*samples, rtol=0, atol=0)
    for name in ("mean", "std", "params"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), **CLOSE)
    torch.testing.assert_close(ours.log_prob(samples[0]), theirs.log_prob(samples[0]), **CLOSE)
    kls = [each.kl_divergence(each.params, params) for each, params in zip((ours, theirs), new, strict=True)]
    torch.testing.assert_close(
        *kls, rtol=0, atol=0
    )  # rsl_rl's adaptive learning rate depends on whether it is above zero
    torch.testing.assert_close(ours.deterministic_output(output), theirs.deterministic_output(output), **CLOSE)
    low, high = options.get("action_range", (-1.0, 1.0)) if kind is BetaDistribution else (0.0, 1.0)
    log_range = DIM * math.log(high - low)  # rsl_rl's Beta entropy leaves this out
    torch.testing.assert_close(ours.entropy, theirs.entropy + log_range, **CLOSE)


@cases
def test_deterministic_output_is_the_mean_without_an_update(case):
    distribution = updated(case, 5)
    before, output = distribution.mean, network_output(distribution, 4, seed=1)
    mean = distribution.deterministic_output(output)
    torch.testing.assert_close(distribution.mean, before, rtol=0, atol=0)
    distribution.update(output)
    torch.testing.assert_close(mean, distribution.mean, rtol=0, atol=0)


@cases
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_torchscript_of_the_deterministic_output_computes_the_same(case):
    distribution = make(case)
    output = network_output(distribution, 5)
    exported = torch.jit.script(distribution.as_deterministic_output_module())
    torch.testing.assert_close(exported(output), distribution.deterministic_output(output), **CLOSE)


@law
@given(case=st.sampled_from(list(CASES)), seed=st.integers(0, 2**31))
def test_kl_is_never_negative_and_zero_for_equal_distributions(case, seed):
    old, new = updated(case, 6, seed=seed), updated(case, 6, seed=seed + 1)
    kl = old.kl_divergence(old.params, new.params)
    assert kl.shape == (6,)
    assert kl.min() > ROUNDING  # two random outputs are never equal
    same = old.kl_divergence(old.params, tuple(param.clone() for param in old.params))
    torch.testing.assert_close(same, torch.zeros(6), atol=ROUNDING, rtol=0)


@cases
def test_kl_is_the_expected_log_ratio_of_old_to_new(case):
    old, new = updated(case, 1, dim=1), updated(case, 1, dim=1, seed=1)
    actions, step = support(old)
    log_old = old.log_prob(actions).double()
    integral = (log_old.exp() * (log_old - new.log_prob(actions))).sum() * step
    torch.testing.assert_close(old.kl_divergence(old.params, new.params)[0].double(), integral, **INTEGRAL)


@cases
def test_kl_equals_that_of_torch(case):
    old, new = updated(case, 5), updated(case, 5, seed=1)
    torchs = torch.distributions.Normal if isinstance(old, GaussianDistribution) else torch.distributions.Beta
    pair = (torchs(*distribution.params, validate_args=False) for distribution in (old, new))
    expected = torch.distributions.kl_divergence(*pair).sum(-1)
    torch.testing.assert_close(old.kl_divergence(old.params, new.params), expected, **CLOSE)


@pytest.mark.parametrize("std_type", ["scalar", "log"])
@pytest.mark.parametrize("last", [None, "identity"])
def test_initial_std_of_a_heteroscedastic_network_is_init_std_in_every_state(std_type, last):
    distribution = HeteroscedasticGaussianDistribution(DIM, init_std=0.3, std_type=std_type)
    mlp, x = MLP(4, distribution.input_dim, [8], last_activation=last), torch.randn(5, 4)
    means = mlp(x)[:, 0].detach()
    distribution.init_mlp_weights(mlp)
    distribution.update(mlp(x))
    torch.testing.assert_close(distribution.std, torch.full((5, DIM), 0.3))
    torch.testing.assert_close(distribution.mean, means, rtol=0, atol=0)


@cases
def test_init_mlp_weights_equals_that_of_rsl_rl(peer, case):
    kind, options = CASES[case]
    mlps = []
    for distribution in (kind(DIM, **options), getattr(peer, kind.__name__)(DIM, **options)):
        torch.manual_seed(1)
        mlps.append(MLP(4, distribution.input_dim, [8]))
        distribution.init_mlp_weights(mlps[-1])
    torch.testing.assert_close(mlps[0].state_dict(), mlps[1].state_dict(), rtol=0, atol=1e-6)


@classes
def test_constructor_does_not_change_torchs_validation_default(kind):
    torchs = torch.distributions.Distribution, torch.distributions.Normal, torch.distributions.Beta
    before = [each._validate_args for each in torchs]  # rsl_rl's constructor switches it off
    try:
        for each in torchs:
            each._validate_args = True
        distribution = kind(DIM)
        distribution.update(network_output(distribution, 5))
        distribution.sample()
        assert [each._validate_args for each in torchs] == [True] * 3
    finally:
        for each, value in zip(torchs, before, strict=True):
            each._validate_args = value


@cases
def test_an_update_in_inference_mode_can_be_followed_by_training(case):
    distribution = make(case)
    with torch.inference_mode():
        distribution.update(network_output(distribution, 5))
        actions, old = distribution.sample().clone(), distribution.params
    output = network_output(distribution, 5, seed=1).requires_grad_()
    distribution.update(output)
    loss = distribution.log_prob(actions.clone()) + distribution.kl_divergence(
        tuple(param.clone() for param in old), distribution.params
    )
    loss.sum().backward()
    assert output.grad.isfinite().all()


@cases
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))])
def test_a_copy_can_be_taken_in_the_middle_of_a_loss(case, copied):
    distribution = make(case)
    output = network_output(distribution, 5).requires_grad_()
    distribution.update(output * 2)
    loss = distribution.log_prob(torch.zeros(5, DIM)).sum()
    other = copied(distribution)
    torch.testing.assert_close(dict(other.state_dict()), dict(distribution.state_dict()))
    torch.testing.assert_close(other.params, tuple(param.detach() for param in distribution.params), rtol=0, atol=0)
    loss.backward()
    assert output.grad.abs().sum() > 0


@cases
def test_log_prob_and_entropy_have_a_gradient_after_a_call_without_one(case):
    distribution = make(case)
    output = network_output(distribution, 5).requires_grad_()
    gradients = []
    for asked_before in (False, True):
        output.grad = None
        distribution.zero_grad()
        distribution.update(output)
        if asked_before:
            with torch.no_grad():
                distribution.log_prob(torch.zeros(5, DIM)), distribution.entropy
        (distribution.entropy.sum() + distribution.log_prob(torch.zeros(5, DIM)).sum()).backward()
        gradients.append([output.grad, *(parameter.grad for parameter in distribution.parameters())])
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


@cases
def test_an_update_between_a_loss_and_its_backward_does_not_change_the_gradient(case):
    distribution, actions = make(case), torch.zeros(5, DIM)
    output = network_output(distribution, 5).requires_grad_()
    gradients = []
    for interrupted in (False, True):
        output.grad = None
        distribution.update(output)
        loss = distribution.log_prob(actions).sum() + distribution.entropy.sum()
        if interrupted:
            distribution.update(network_output(distribution, 7, seed=1))
            distribution.sample()
        loss.backward()
        gradients.append(output.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


@cases
def test_empty_batch_gives_empty_results(case):
    distribution = updated(case, 0)
    assert distribution.sample().shape == distribution.mean.shape == distribution.std.shape == (0, DIM)
    assert distribution.entropy.shape == distribution.log_prob(distribution.sample()).shape == (0,)


QUESTIONS = {
    "mean": lambda d: d.mean,
    "std": lambda d: d.std,
    "entropy": lambda d: d.entropy,
    "params": lambda d: d.params,
    "sample": lambda d: d.sample(),
    "log_prob": lambda d: d.log_prob(torch.zeros(DIM)),
}


@classes
@pytest.mark.parametrize("question", QUESTIONS)
def test_error_before_the_first_update_says_to_call_update(kind, question):
    with pytest.raises(ValueError, match=rf"{kind.__name__}: call update\(mlp_output\) before"):
        QUESTIONS[question](kind(DIM))


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.update(torch.zeros(5, DIM)),
        lambda d: d.sample(),
        lambda d: d.deterministic_output(torch.zeros(5, DIM)),
        lambda d: d.as_deterministic_output_module(),
        lambda d: d.input_dim,
        lambda d: d.std,
        lambda d: d.entropy,
        lambda d: d.log_prob(torch.zeros(5, DIM)),
        lambda d: d.kl_divergence((), ()),
    ],
)
def test_methods_of_the_base_class_are_not_implemented(call):
    with pytest.raises(NotImplementedError):
        call(Distribution(DIM))


@classes
@pytest.mark.parametrize(("dim", "got"), [(0, "0"), (-2, "-2"), (1.5, "1.5"), ("3", "'3'"), ([2, 3], r"\[2, 3\]")])
def test_the_constructors_name_a_bad_output_dim(kind, dim, got):
    with pytest.raises((ValueError, TypeError), match=f"^output_dim: expected .*got {got}"):
        kind(dim)


@pytest.mark.parametrize("kind", [GaussianDistribution, HeteroscedasticGaussianDistribution])
@pytest.mark.parametrize(
    ("options", "name", "got"),
    [
        ({"init_std": 0.0}, "init_std", "0.0"),
        ({"init_std": -1.0}, "init_std", "-1.0"),
        ({"init_std": "one"}, "init_std", "'one'"),
        ({"init_std": "1.0"}, "init_std", ".*'1.0'"),
        ({"std_range": (2.0, 1.0)}, "std_range", r"\(2.0, 1.0\)"),
        ({"std_range": (-2.0, 0.0)}, "std_range", r"\(-2.0, 0.0\)"),
        ({"std_range": 1.0}, "std_range", "1.0"),
        ({"std_range": (0.1, 1.0, 2.0)}, "std_range", r"\(0.1, 1.0, 2.0\)"),
        ({"std_type": "exp"}, "std_type", "'exp'"),
        ({"std_type": None}, "std_type", "None"),
    ],
)
def test_the_gaussian_constructors_name_a_bad_argument(kind, options, name, got):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        kind(DIM, **options)


@pytest.mark.parametrize("std_type", ["scalar", "log"])
@pytest.mark.parametrize("kind", [list, tuple, torch.tensor, np.array])
def test_initial_std_can_differ_between_actions(kind, std_type):
    gaussian = GaussianDistribution(3, kind([0.2, 1.0, 3.0]), std_type=std_type)
    gaussian.update(torch.zeros(5, 3))
    torch.testing.assert_close(gaussian.std[0], torch.tensor([0.2, 1.0, 3.0]), **CLOSE)


@pytest.mark.parametrize(
    ("stds", "got"), [([1.0, 2.0], "2 values"), ([1.0, float("nan"), 1.0], "nan"), ([], "0 values")]
)
def test_wrong_number_of_initial_stds_is_named(stds, got):
    with pytest.raises(ValueError, match=f"^init_std: expected .*got {got}"):
        GaussianDistribution(3, stds)


@pytest.mark.parametrize("std_type", ["scalar", "log"])
@pytest.mark.parametrize("shape", [(), (1,), (5, 1), (5, DIM)])
def test_a_std_of_another_shape_is_broadcast_over_the_actions(peer, std_type, shape):
    answers = []
    for package in (rsl_edu.modules, peer):
        policy = package.GaussianDistribution(DIM, std_type=std_type)
        name = "std_param" if std_type == "scalar" else "log_std_param"
        setattr(policy, name, nn.Parameter(torch.full(shape, 0.5)))
        policy.update(torch.zeros(5, DIM))
        log_prob, entropy = policy.log_prob(torch.full((5, DIM), 0.3)), policy.entropy
        (log_prob.sum() + entropy.sum()).backward()
        answers.append((log_prob, entropy, getattr(policy, name).grad))
    torch.testing.assert_close(*answers, **CLOSE)


@pytest.mark.parametrize("kind", [GaussianDistribution, HeteroscedasticGaussianDistribution])
@pytest.mark.parametrize("std_type", ["scalar", "log"])
def test_a_gaussian_in_half_precision_has_a_finite_std(kind, std_type):
    policy = kind(DIM, std_type=std_type).half()
    output = torch.full((5, DIM) if kind is GaussianDistribution else (5, 2, DIM), 20.0, dtype=torch.float16)
    policy.update(output)
    assert policy.std.isfinite().all()


def test_range_of_a_beta_is_copied():
    limits = [-1.0, 1.0]
    policy, output = BetaDistribution(DIM, limits), network_output(BetaDistribution(DIM), 5)
    limits[1] = 3.0
    exported = policy.as_deterministic_output_module()(output)
    torch.testing.assert_close(exported, policy.deterministic_output(output), **CLOSE)
    assert policy.action_range == [-1.0, 1.0]


@pytest.mark.parametrize("kind", [BetaDistribution, HeteroscedasticGaussianDistribution])
def test_a_last_layer_without_a_bias_is_named_and_unchanged(kind):
    mlp = MLP(3, [2, DIM], [4])
    mlp[2].bias = None
    weight = mlp[2].weight.clone()
    with pytest.raises(ValueError, match=r"^mlp: expected .* a bias, got"):
        kind(DIM).init_mlp_weights(mlp)
    torch.testing.assert_close(mlp[2].weight, weight, rtol=0, atol=0)


def test_learn_std_must_be_a_bool():
    with pytest.raises(TypeError, match=r"^learn_std: expected True or False, got 'no'"):
        GaussianDistribution(DIM, learn_std="no")


@pytest.mark.parametrize("action_range", [(1.0, 1.0), (1.0, -1.0), (0.0, math.inf), (0.0,), 2.0, "ab"])
def test_a_bad_action_range_is_named(action_range):
    with pytest.raises(
        (ValueError, TypeError), match=rf"^action_range: expected .*got {re.escape(repr(action_range))}"
    ):
        BetaDistribution(DIM, action_range)


@cases
@pytest.mark.parametrize("operation", ["update", "deterministic_output"])
@pytest.mark.parametrize(("output", "got"), [(torch.zeros(5, DIM + 1), r"\[5, 4\]"), (None, "NoneType")])
def test_a_wrong_network_output_is_named_and_changes_nothing(case, operation, output, got):
    distribution = updated(case, 5)
    before = distribution.mean
    with pytest.raises((ValueError, TypeError), match=f"^mlp_output: expected .*got {got}"):
        getattr(distribution, operation)(output)
    torch.testing.assert_close(distribution.mean, before, rtol=0, atol=0)


@pytest.mark.parametrize("case", ["heteroscedastic", "beta"])
def test_network_output_without_two_halves_is_named(case):
    with pytest.raises(ValueError, match=r"^mlp_output: expected shape \[..., 2, 3\], got \[5, 3\]"):
        make(case).update(torch.zeros(5, DIM))


@cases
@pytest.mark.parametrize(("outputs", "got"), [(torch.zeros(5, 1), r"\[5, 1\]"), (0.0, "float")])
def test_log_prob_names_wrong_actions(case, outputs, got):
    with pytest.raises((ValueError, TypeError), match=f"^outputs: expected .*got {got}"):
        updated(case, 5).log_prob(outputs)


@cases
@pytest.mark.parametrize("name", ["old_params", "new_params"])
@pytest.mark.parametrize(
    ("bad", "got"),
    [((torch.ones(5, DIM),), r"\(tensor"), ((torch.ones(5, 2),) * 2, r"\[5, 2\]"), ((1.0, 2.0), "float")],
)
def test_kl_names_wrong_params(case, name, bad, got):
    good = (torch.ones(5, DIM),) * 2
    with pytest.raises((ValueError, TypeError), match=f"^{name}: expected .*got {got}"):
        make(case).kl_divergence(**{"old_params": good, "new_params": good} | {name: bad})


@pytest.mark.parametrize("case", ["heteroscedastic", "heteroscedastic-log", "beta"])
@pytest.mark.parametrize("mlp", [MLP(4, DIM, [8]), nn.Identity(), None])
def test_init_mlp_weights_names_a_network_that_does_not_fit(case, mlp):
    before = None if mlp is None else {name: value.clone() for name, value in mlp.state_dict().items()}
    with pytest.raises(ValueError, match=r"^mlp: expected .* 6 outputs and a bias, got"):
        make(case).init_mlp_weights(mlp)
    assert mlp is None or all(torch.equal(value, before[name]) for name, value in mlp.state_dict().items())
