"""The action distributions give rsl_rl's results for every network output, std and action."""

import contextlib
import copy
import math
import pickle

import exchange
import pytest
import torch
from exchange import Difference, Refusal, close, state, through_a_file
from exchange_refusals import DISTRIBUTIONS as PEER_REFUSES

from rsl_edu import modules

DIM = 3
KINDS = {
    "gaussian": lambda package: package.GaussianDistribution(DIM, 0.5),
    "gaussian-log": lambda package: package.GaussianDistribution(DIM, 0.5, std_type="log"),
    "gaussian-fixed": lambda package: package.GaussianDistribution(DIM, 0.5, learn_std=False),
    "heteroscedastic": lambda package: package.HeteroscedasticGaussianDistribution(DIM, 0.5),
    "heteroscedastic-log": lambda package: package.HeteroscedasticGaussianDistribution(DIM, 0.5, std_type="log"),
    "beta": lambda package: package.BetaDistribution(DIM, (-2.0, 1.0)),
}


def heads(distribution):
    return (DIM,) if isinstance(distribution.input_dim, int) else (2, DIM)


def network(distribution, *batch, seed=5):
    output = torch.randn(*batch, *heads(distribution), generator=torch.Generator().manual_seed(seed))
    if len(heads(distribution)) == 2 and getattr(distribution, "std_type", "") == "scalar":
        output[..., 1, :] = output[..., 1, :].abs() + 0.3  # a std that is not clamped
    return output


def actions(*sizes):
    return torch.rand(*sizes, DIM, generator=torch.Generator().manual_seed(6)) * 2 - 1.5


def entropy(distribution):
    """Return the entropy of the actions; rsl_rl's Beta returns that of the numbers between 0 and 1."""
    unit = type(distribution).__name__ == "BetaDistribution" and not isinstance(distribution, modules.BetaDistribution)
    return distribution.entropy + DIM * math.log(3.0) if unit else distribution.entropy


def answers(distribution, taken):
    return densities(distribution, taken) | {"sample": sampled(distribution)}


def sampled(distribution):
    torch.manual_seed(9)
    sample = distribution.sample()
    assert len(set(sample.flatten().tolist())) == sample.numel()
    return [list(sample.shape), sample.dtype, sample.requires_grad]


def densities(distribution, taken):
    return {
        "mean": distribution.mean,
        "std": distribution.std,
        "entropy": entropy(distribution),
        "params": list(distribution.params),
        "log_prob": distribution.log_prob(taken),
    }


def asked(batch, taken, change=lambda output: output):
    def program(distribution):
        distribution.update(change(network(distribution, *batch)))
        return answers(distribution, actions(*taken))

    return program


def trained(distribution):
    """Return the loss of PPO, and its gradients."""
    output = network(distribution, 5).requires_grad_()
    distribution.update(output)
    old = [param.detach() + 0.1 for param in distribution.params]
    loss = (distribution.log_prob(actions(5)).exp() - 0.01 * entropy(distribution)).mean()
    loss = loss + distribution.kl_divergence(tuple(old), distribution.params).mean()
    gradients = torch.autograd.grad(loss, [output, *trainable(distribution)], create_graph=True)
    second = torch.autograd.grad(sum(gradient.square().sum() for gradient in gradients), output)
    return [loss, gradients, second]


def trainable(distribution):
    return [parameter for parameter in distribution.parameters() if parameter.requires_grad]


def twice(distribution):
    distribution.update(network(distribution, 5))
    first = answers(distribution, actions(5))
    distribution.update(network(distribution, 7, seed=8))
    return [first, answers(distribution, actions(7))]


def kl(old_batch, new_batch, kind=tuple, std=lambda param: param):
    def program(distribution):
        distribution.update(network(distribution, *old_batch))
        old = [param.detach() for param in distribution.params]
        distribution.update(network(distribution, *new_batch, seed=8))
        new = [param.detach() for param in distribution.params]
        return distribution.kl_divergence(kind([old[0], std(old[1])]), kind([new[0], std(new[1])]))

    return program


def mixed_kl(distribution):
    distribution.update(network(distribution, 5))
    old = tuple(param.detach().double() for param in distribution.params)
    return distribution.kl_divergence(old, distribution.params)


def within(mode, copied=lambda distribution: distribution):
    """Update in a mode, and use a copy outside of it."""

    def program(distribution):
        with mode():
            distribution.update(network(distribution, 5))
            inside = answers(distribution, actions(5))
        return [inside, answers(copied(distribution), actions(5))]

    return program


def unpickled(distribution):
    return pickle.loads(pickle.dumps(distribution))


def before_update(copied):
    return lambda distribution: [state(copy := copied(distribution)), asked([5], [5])(copy)]


def moved(module, inputs):
    def program(distribution):
        distribution.to(module)
        distribution.update(network(distribution, 5).to(inputs))
        return densities(distribution, actions(5).to(inputs))

    return program


def private(distribution):
    """Return the values that rsl_rl's own tests use."""
    distribution.update(network(distribution, 5))
    return [distribution._alpha, distribution._beta] if hasattr(distribution, "action_range") else None


def deterministic(*batch):
    def program(distribution):
        output = network(distribution, *batch).requires_grad_()
        mean = distribution.deterministic_output(output)
        exported = distribution.as_deterministic_output_module()(output)
        return [mean, exported, torch.autograd.grad(mean.sum(), output)]

    return program


def deterministic_of(distribution, dtype):
    output = network(distribution, 5).to(dtype)
    return [distribution.deterministic_output(output), distribution.as_deterministic_output_module()(output)]


def limits(distribution):
    distribution.update(network(distribution, 5))
    return [distribution.log_prob(torch.full((5, DIM), bound)) for bound in (-2.0, 1.0, -9.0, 9.0, 1e30)]


def initialized(distribution):
    results = []
    for package_mlp in (modules.MLP(4, [2, DIM], [8]), modules.MLP(4, [2, DIM], [8], "elu", None)):
        distribution.init_mlp_weights(package_mlp)
        results.append(state(package_mlp))
    return results


def vectorized(distribution):
    def log_prob(output, action):
        distribution.update(output)
        return distribution.log_prob(action)

    outputs, taken = network(distribution, 5), actions(5)
    return [
        torch.func.vmap(log_prob)(outputs, taken),
        torch.func.grad(lambda output: log_prob(output, taken).sum())(outputs),
        torch.func.jacrev(log_prob)(outputs, taken),
        torch.func.jacfwd(log_prob)(outputs, taken),
    ]


FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
PROGRAMS = {
    "trained": trained,
    "twice": twice,
    "vectorized": vectorized,
    "private names": private,
    "initialized": initialized,
    "limits": limits,
    "deterministic": deterministic(5),
    "deterministic of one": deterministic(),
    "deterministic of time": deterministic(4, 5),
    "deterministic half": lambda distribution: deterministic_of(distribution, torch.float16),
    "deterministic bfloat16": lambda distribution: deterministic_of(distribution, torch.bfloat16),
    "before any update": lambda distribution: [distribution.input_dim, distribution.output_dim, state(distribution)],
    **{
        f"outputs {list(batch)} actions {list(taken)}": asked(batch, taken)
        for batch, taken in [
            ((), ()), ((5,), (5,)), ((5,), ()), ((5,), (1,)), ((), (5,)), ((1,), (5,)), ((5,), (4, 5)), ((4, 5), (5,)),
            ((4, 5), (4, 5)), ((0,), (0,)), ((4, 0), (4, 0)), ((0,), (1,)), ((4, 1), (5,)), ((2, 3, 4), (2, 3, 4)),
        ]
    },
    **{f"kl {list(old)} {list(new)}": kl(old, new) for old, new in [
        ((5,), (5,)), ((), ()), ((5,), ()), ((1,), (5,)), ((4, 5), (5,)), ((4, 1), (5,)), ((0,), (0,)),
    ]},
    "kl of lists": kl((5,), (5,), list),
    "kl of a common std": kl((5,), (5,), std=lambda param: param[..., :1]),
    "kl of a number as std": kl((5,), (5,), std=lambda param: param.flatten()[0]),
    "kl of a vector as std": kl((5,), (5,), std=lambda param: param[0]),
    "kl of doubles": mixed_kl,
    "one action for all dimensions": asked((5,), (5,)),
    "strided": asked((5,), (5,), lambda output: torch.stack((output, output), 1)[:, 0]),
    "transposed": asked((4, 5), (5, 4), lambda output: output.transpose(0, 1)),
    "expanded": asked((1,), (5,), lambda output: output.expand(5, *output.shape[1:])),
    **{f"{module} module {inputs} output": moved(module, inputs) for module in FLOATS for inputs in FLOATS},
    **{f"within {name}": within(mode) for name, mode in (
        ("no_grad", torch.no_grad), ("inference", torch.inference_mode), ("grad", torch.enable_grad),
        ("autocast", lambda: torch.autocast("cpu", dtype=torch.bfloat16)),
    )},
    **{f"{name} after update": within(torch.no_grad, copied) for name, copied in (
        ("deepcopy", copy.deepcopy), ("copy", copy.copy), ("pickle", unpickled), ("file", through_a_file),
        ("double", lambda distribution: distribution.double()),
    )},
    **{f"{name} before update": before_update(copied) for name, copied in (
        ("deepcopy", copy.deepcopy), ("pickle", unpickled), ("file", through_a_file), ("eval", torch.nn.Module.eval),
        ("share_memory", torch.nn.Module.share_memory), ("frozen", lambda d: d.requires_grad_(False)),
    )},
}  # fmt: skip
STDS = {
    "inf": math.inf, "-inf": -math.inf, "nan": math.nan, "zero": 0.0, "negative": -1.0, "tiny": 1e-12, "huge": 1e30,
    "large": 1e6, "least": 1e-6, "one": 1.0,
}  # fmt: skip


def with_raw_std(kind, raw, grad):
    """Return the clamped std for a raw one, the log-probability, and whether its gradients are finite."""

    def case(package):
        distribution = KINDS[kind](package)
        output = network(distribution, 5)
        if list(distribution.parameters()):
            with torch.no_grad():
                next(distribution.parameters()).fill_(raw)
        else:
            output[:, 1] = raw
        output.requires_grad_()
        with contextlib.nullcontext() if grad else torch.no_grad():
            distribution.update(output)
            log_prob, spread = distribution.log_prob(actions(5)), distribution.std
        result = {"std": spread, "log_prob": log_prob, "entropy": distribution.entropy if grad else 0}
        if grad:
            (log_prob.mean() + spread.mean()).backward()
            result["finite"] = [bool(p.grad.isfinite().all()) for p in (output, *trainable(distribution))]
        return result

    return case


def one_action(package, kind):
    distribution = KINDS[kind](package)
    distribution.update(network(distribution, 5))
    return distribution.log_prob(torch.zeros(5, 1)) - distribution.log_prob(torch.zeros(5, DIM))


def programmed(kind, program):
    return lambda package: PROGRAMS[program](KINDS[kind](package))


def unbounded(package, kind, std_range):
    name = "GaussianDistribution" if kind == "gaussian" else "HeteroscedasticGaussianDistribution"
    distribution = getattr(package, name)(DIM, std_range=std_range)
    distribution.update(network(distribution, 5) * 3)
    return answers(distribution, actions(5))


GAUSSIANS = ["gaussian", "gaussian-log", "gaussian-fixed", "heteroscedastic", "heteroscedastic-log"]
CASES = {f"{kind} {program}": programmed(kind, program) for kind in KINDS for program in PROGRAMS}
CASES |= {
    f"{kind} std {raw} {'with' if grad else 'without'} gradient": with_raw_std(kind, STDS[raw], grad)
    for kind in GAUSSIANS
    for raw in STDS
    for grad in (True, False)
}
CASES |= {f"{kind} one action": lambda package, kind=kind: one_action(package, kind) for kind in KINDS}
CASES |= {
    f"{kind} range {label}": lambda package, kind=kind, pair=pair: unbounded(package, kind, pair)
    for kind in ("gaussian", "heteroscedastic")
    for label, pair in {"open": (0.1, math.inf), "narrow": (0.3, 0.4), "from zero": (0, 2)}.items()
}
WE_REFUSE = {
    "* one action": Refusal("one number counts as every dimension's action", lambda value: (value == 0).all()),
}
SINGLE = Difference(
    "below float32, a Beta has no density at its limits, so ours computes in float32", lambda *pair: close(*pair, 0.1)
)
NOTICED = Difference(
    "the gradient of a NaN std is NaN; rsl_rl's is zero, which hides the NaN",
    lambda ours, theirs: (ours["finite"], theirs["finite"]) == ([False, False], [False, True]),
)
DIFFERS = {
    "beta * module torch.*float16 output": SINGLE,
    "gaussian std nan with gradient": NOTICED,
    "gaussian-log std nan with gradient": NOTICED,
}
LOOSE = {"*float16*": 0.05, "* half": 0.05}
EXCHANGE = exchange.Exchange(CASES, PEER_REFUSES, WE_REFUSE, DIFFERS, LOOSE)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", CASES)
def test_ours_gives_the_results_of_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_density_at_the_limits_is_infinite_in_half_precision_only_in_rsl_rl(peer, dtype):
    limit = torch.full((5, DIM), 1.0, dtype=dtype)
    densities = []
    for package in (modules, peer):
        distribution = KINDS["beta"](package)
        distribution.update(network(distribution, 5).to(dtype))
        densities.append(distribution.log_prob(limit).float())
    assert densities[0].isfinite().all()
    assert not densities[1].isfinite().any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_entropy_is_minus_the_expected_log_probability(kind):
    distribution = KINDS[kind](modules)
    distribution.update(network(distribution, 1).expand(200_000, *heads(distribution)))
    expected = -distribution.log_prob(distribution.sample()).mean()
    torch.testing.assert_close(distribution.entropy[0], expected, rtol=0, atol=0.02)
