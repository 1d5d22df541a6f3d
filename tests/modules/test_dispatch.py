"""No method of a module starts more operations than rsl_rl's, because on a GPU each operation costs a kernel launch.

Two numbers are counted for every method: all operations that torch dispatches, and the launches among them, which
exclude views and memory allocations. The tensors are on the ``meta`` device (where operations follow the path of an
accelerator but compute nothing), on the CPU, and on a GPU if there is one.
"""

import collections
import functools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rsl_edu import modules

BATCH, OBS, ACTIONS, HIDDEN = 64, 10, 3, 8
ACCELERATORS = ["meta", *["cuda"] * torch.cuda.is_available()]

Count = collections.namedtuple("Count", "dispatched launches names")

NO_WORK = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view")
INSIDE = {
    "normal.Tensor_Tensor": 3
}  # starts three operations that the dispatcher does not show: noise, times std, plus mean


def launches(operation):
    """Return how many kernels an operation starts: none if all its results are views of its inputs."""
    results = operation._schema.returns
    views = bool(results) and all(result.alias_info and not result.alias_info.is_write for result in results)
    if views or operation._schema.name.removeprefix("aten::") in NO_WORK:
        return 0
    return INSIDE.get(str(operation).removeprefix("aten."), 1)


class Counter(TorchDispatchMode):
    """Collects every operation that is dispatched within this context."""

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        with self:  # in inference mode, compound operations are not decomposed
            result = operation.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
        self.operations.append(operation)
        return operation(*args, **kwargs)


def count(function):
    """Count what one call of ``function`` dispatches."""
    with Counter() as counter:
        function()
    names = [str(each).removeprefix("aten.") for each in counter.operations]
    return Count(len(names), sum(map(launches, counter.operations)), names)


# Each of the following functions takes a package, prepares a module and returns the call that is counted.


def normalizer(package, until=None):
    norm = package.EmpiricalNormalization(OBS, until=until)
    for _ in range(2):
        norm.update(torch.randn(BATCH, OBS))
    return norm, torch.randn(BATCH, OBS)


def update(package, until=None):
    norm, x = normalizer(package, until)
    return lambda: norm.update(x)


def normalize(package):
    norm, x = normalizer(package)
    return lambda: norm(x)


def inverse(package):
    norm, x = normalizer(package)
    return lambda: norm.inverse(x)


def rewards(package):
    norm, rew = package.EmpiricalDiscountedVariationNormalization([]), torch.randn(BATCH)
    norm(rew), norm(rew)
    return lambda: norm(rew)


def mlp(package):
    net, x = package.MLP(OBS, ACTIONS, [16, 16]), torch.randn(BATCH, OBS)
    return lambda: net(x)


def cnn(package):
    net = package.CNN((17, 11), 1, [2, 4], 3, stride=2, padding="zeros", norm="batch", max_pool=True)
    scans = torch.randn(BATCH, 1, 17, 11)
    return lambda: net(scans)


def recurrent(package, type):
    rnn, x = package.RNN(OBS, HIDDEN, 1, type), torch.randn(BATCH, OBS)
    rnn(x)
    return rnn, x


def step(package, type):
    rnn, x = recurrent(package, type)
    return lambda: rnn(x)


def reset(package, type):
    rnn, _ = recurrent(package, type)
    dones = torch.zeros(BATCH, dtype=torch.long)  # like those of rsl_rl's runner
    rnn.reset(dones)  # tensors that are created only once are not counted
    return lambda: rnn.reset(dones)


def detach(package, type, some=False):
    with torch.enable_grad():  # otherwise there is nothing to detach
        rnn, _ = recurrent(package, type)
    dones = torch.zeros(BATCH, dtype=torch.long) if some else None
    return lambda: rnn.detach_hidden_state(dones)


KINDS = {
    "Gaussian": ("GaussianDistribution", {}),
    "Gaussian, log": ("GaussianDistribution", {"std_type": "log"}),
    "Heteroscedastic": ("HeteroscedasticGaussianDistribution", {}),
    "Heteroscedastic, log": ("HeteroscedasticGaussianDistribution", {"std_type": "log"}),
    "Beta": ("BetaDistribution", {}),
}


def policy_of(package, kind):
    name, options = KINDS[kind]
    policy = getattr(package, name)(ACTIONS, **options)
    size = policy.input_dim
    output = torch.rand(BATCH, *([size] if isinstance(size, int) else size))
    output.requires_grad_(torch.is_grad_enabled())
    old = tuple(torch.ones(BATCH, ACTIONS) for _ in range(2))
    return policy, output, torch.rand(BATCH, ACTIONS), old


QUESTIONS = {
    "sample": lambda policy, output, actions, old: policy.sample(),
    "log_prob": lambda policy, output, actions, old: policy.log_prob(actions),
    "entropy": lambda policy, output, actions, old: policy.entropy,
    "kl_divergence": lambda policy, output, actions, old: policy.kl_divergence(old, old),
    "mean": lambda policy, output, actions, old: policy.mean,
    "std": lambda policy, output, actions, old: policy.std,
    "params": lambda policy, output, actions, old: policy.params,
    "deterministic_output": lambda policy, output, actions, old: policy.deterministic_output(output),
}


def take(package, kind):
    policy, output, *_ = policy_of(package, kind)
    return lambda: policy.update(output)


def ask(package, kind, question):
    policy, output, actions, old = policy_of(package, kind)
    policy.update(output)
    return lambda: QUESTIONS[question](policy, output, actions, old)


def rollout(package, kind):
    """Make the calls of PPO to a distribution in a rollout step."""
    policy, output, *_ = policy_of(package, kind)

    def act():
        policy.update(output)
        return policy.log_prob(policy.sample()), policy.params

    return act


def learn(package, kind):
    policy, output, actions, _ = policy_of(package, kind)

    def forward_and_backward():
        policy.update(output)
        (policy.log_prob(actions).mean() + policy.entropy.mean()).backward()

    return forward_and_backward


def ppo(package, kind):
    """Make the calls of PPO to a distribution for a mini-batch, in PPO's order."""
    policy, output, actions, old = policy_of(package, kind)

    def mini_batch():
        policy.update(output)
        log_prob, new, entropy = policy.log_prob(actions), policy.params, policy.entropy
        with torch.inference_mode():
            policy.kl_divergence(old, new).mean()
        (log_prob.mean() - 0.01 * entropy.mean()).backward()

    return mini_batch


CASES = {
    "EmpiricalNormalization.update": update,
    "EmpiricalNormalization.update, until": functools.partial(update, until=10**6),
    "EmpiricalNormalization.forward": normalize,
    "EmpiricalNormalization.inverse": inverse,
    "EmpiricalDiscountedVariationNormalization.forward": rewards,
    "MLP.forward": mlp,
    "CNN.forward": cnn,
}
for name in ("gru", "lstm"):
    CASES |= {
        f"RNN.forward, {name}": functools.partial(step, type=name),
        f"RNN.reset(dones), {name}": functools.partial(reset, type=name),
        f"RNN.detach_hidden_state(), {name}": functools.partial(detach, type=name),
        f"RNN.detach_hidden_state(dones), {name}": functools.partial(detach, type=name, some=True),
    }
for name in KINDS:
    CASES[f"{name}: update"] = functools.partial(take, kind=name)
    CASES |= {f"{name}: {question}": functools.partial(ask, kind=name, question=question) for question in QUESTIONS}
    CASES[f"{name}: rollout"] = functools.partial(rollout, kind=name)
    CASES[f"{name}: forward and backward"] = functools.partial(learn, kind=name)
    CASES[f"{name}: PPO"] = functools.partial(ppo, kind=name)
LEARNING = ("forward and backward", "PPO")  # the others run without gradients

# On meta, rsl_rl cannot run these, or runs them differently than on a GPU: it needs numbers (`if count >= until`,
# `if std > 0`, boolean indices), and the numbers that it assigns (`= 0.0`) are on the CPU. So our count on meta is
# compared with rsl_rl's count on the CPU. `torch.tensor(number)`, one copy on a GPU, is not counted on either.
PEER_NEEDS_NUMBERS = ("update, until", "VariationNormalization.forward", "RNN.reset", "detach_hidden_state(dones)")
NO_META_KERNEL = ("Beta: sample", "Beta: rollout")  # torch._sample_dirichlet
PAIRS = [("meta", case) for case in CASES if case not in NO_META_KERNEL]
PAIRS += [(device, case) for device in ("cpu", *ACCELERATORS[1:]) for case in CASES]

# On the CPU, the bytes count, not the launches: there, four quick operations replace var_mean, which takes ten times as
# long as all four together.
CPU_ONLY = {"EmpiricalNormalization.update": 3, "EmpiricalNormalization.update, until": 1}
CPU_ONLY["EmpiricalDiscountedVariationNormalization.forward"] = 3

# How many more operations than rsl_rl's a method may dispatch; all of them are views.
MORE_VIEWS = {
    "Gaussian: entropy": 1,  # the entropy is computed once and expanded to all robots
    **{
        f"{name}: {question}": 1 for name in list(KINDS)[:4] for question in ("std", "params")
    },  # rsl_rl does this in update()
}


@functools.cache
def counted(package, device, case):
    with torch.set_grad_enabled(case.endswith(LEARNING)):
        with torch.device(device):
            call = CASES[case](package)
        return count(call)


def both(peer, device, case):
    numbers = device == "meta" and any(part in case for part in PEER_NEEDS_NUMBERS)
    return counted(modules, device, case), counted(peer, "cpu" if numbers else device, case)


@pytest.mark.parametrize(("device", "case"), PAIRS)
def test_no_method_launches_more_kernels_than_that_of_rsl_rl(peer, device, case):
    ours, theirs = both(peer, device, case)
    more = CPU_ONLY.get(case, 0) if device == "cpu" else 0
    assert ours.launches <= theirs.launches + more, f"ours: {ours.names}, rsl_rl's: {theirs.names}"


@pytest.mark.parametrize(("device", "case"), PAIRS)
def test_no_method_dispatches_more_operations_than_that_of_rsl_rl_except_views(peer, device, case):
    ours, theirs = both(peer, device, case)
    more = MORE_VIEWS.get(case, 0) + (CPU_ONLY.get(case, 0) if device == "cpu" else 0)
    assert ours.dispatched <= theirs.dispatched + more, f"{ours.names}, rsl_rl's: {theirs.names}"


@pytest.mark.parametrize("case", ["EmpiricalNormalization.update", "EmpiricalNormalization.update, until"])
@pytest.mark.parametrize("device", ACCELERATORS)
def test_an_update_of_the_normalizer_dispatches_at_most_14_operations(device, case):
    ours = counted(modules, device, case)
    assert ours.dispatched <= 14, ours.names


@pytest.mark.parametrize(("type", "limit"), [("gru", 2), ("lstm", 4)])
@pytest.mark.parametrize("device", ACCELERATORS)
def test_reset_launches_no_more_kernels_than_that_of_rsl_rl_on_a_gpu(device, type, limit):
    ours = counted(modules, device, f"RNN.reset(dones), {type}")
    assert ours.launches <= limit, ours.names


def test_views_and_allocations_do_not_count_as_launches():
    x = torch.ones(4, 3)
    free = count(lambda: (x.view(12), x.T, x[0], x.detach(), x.expand(2, 4, 3), x.unbind(), torch.empty(3)))
    assert free.dispatched >= 7
    assert free.launches == 0
    work = count(lambda: (x + 1, x.add_(1), torch.add(x, 1, out=x), x.clone(), x.double(), torch.zeros(3), x.sum()))
    assert work.launches == work.dispatched == 7


def test_compound_operations_count_as_their_parts_in_inference_mode_too():
    x, layer = torch.ones(4, 3), torch.nn.Linear(3, 2)
    with torch.inference_mode():
        inside = count(lambda: layer(x).square())
    with torch.no_grad():
        assert inside == count(lambda: layer(x).square())
    assert inside.names == ["t.default", "addmm.default", "pow.Tensor_Scalar"]


def test_a_backward_pass_is_counted():
    x = torch.ones(3, requires_grad=True)
    forward = count(lambda: x.exp().sum())
    whole = count(lambda: x.exp().sum().backward())
    assert whole.launches >= forward.launches + 2  # the gradient of the sum, and a product


@pytest.mark.parametrize("device", ACCELERATORS)
def test_additional_operation_in_a_method_is_detected(device):
    class Slower(modules.EmpiricalNormalization):
        def update(self, x):
            super().update(x + 0)

    class Package:
        EmpiricalNormalization = Slower

    ours, more = (counted(package, device, "EmpiricalNormalization.update") for package in (modules, Package))
    assert (more.dispatched, more.launches) == (ours.dispatched + 1, ours.launches + 1)


def test_torch_normal_starts_more_operations_than_the_dispatcher_shows():
    mean, std = torch.zeros(4, 3), torch.ones(4, 3)
    assert count(lambda: torch.normal(mean, std)).names == ["normal.Tensor_Tensor"]
    with torch.profiler.profile() as profile:
        torch.normal(mean, std)
    (normal,) = [event for event in profile.events() if event.name == "aten::normal"]
    assert {"aten::mul_", "aten::add_"} <= {child.name for child in normal.cpu_children}  # besides the noise itself
