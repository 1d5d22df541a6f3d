"""No method of a module starts more operations than the peer's: on a GPU each operation costs a kernel launch.

Two numbers are counted for every method. *Dispatched* operations are all that torch's dispatcher sees; *launches* are
those among them that do work on the device, so neither views nor memory without contents. The tensors are on the
``meta`` device, where every operation takes the path of an accelerator but computes nothing, on the CPU, and on a GPU
if there is one.
"""

import collections
import functools

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rsl_edu import modules

BATCH, OBS, ACTIONS, HIDDEN = 64, 10, 3, 8
DEVICES = ["meta", "cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]

Count = collections.namedtuple("Count", "dispatched launches names")

NO_WORK = ("empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_unsafe_view", "lift_fresh")


def launches(operation):
    """Whether an operation does work on the device: one whose results are all views of its inputs does not."""
    results = operation._schema.returns
    views = bool(results) and all(result.alias_info and not result.alias_info.is_write for result in results)
    return not views and operation._schema.name.removeprefix("aten::") not in NO_WORK


class Counter(TorchDispatchMode):
    """Collects every operation that is dispatched within this context."""

    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        with self:  # in inference mode, compound operations arrive whole
            result = operation.decompose(*args, **kwargs)
        if result is not NotImplemented:
            return result
        self.operations.append(operation)
        return operation(*args, **kwargs)


def count(function):
    """Count what one call of ``function`` dispatches."""
    with Counter() as counter:
        function()
    names = [("" if launches(each) else "view ") + str(each).removeprefix("aten.") for each in counter.operations]
    return Count(len(names), sum(map(launches, counter.operations)), names)


# What is counted: each entry takes a package and returns the call, with everything before it done.


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
    dones = torch.zeros(BATCH, dtype=torch.long)  # as rsl_rl's runner gives them
    return lambda: rnn.reset(dones)


def detach(package, type, some=False):
    with torch.enable_grad():  # else there is nothing to detach
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


def learn(package, kind):
    policy, output, actions, _ = policy_of(package, kind)

    def forward_and_backward():
        policy.update(output)
        (policy.log_prob(actions).mean() + policy.entropy.mean()).backward()

    return forward_and_backward


def ppo(package, kind):
    """What PPO asks of a distribution for a mini-batch, in its order."""
    policy, output, actions, old = policy_of(package, kind)

    def mini_batch():
        policy.update(output)
        log_prob, new, entropy = policy.log_prob(actions), policy.params, policy.entropy
        with torch.inference_mode():
            policy.kl_divergence(old, new).mean()
        (log_prob.mean() - 0.01 * entropy.mean()).backward()

    return mini_batch


UNTIL = 10**6
CASES = {  # name: (whether gradients are recorded, what is counted)
    "EmpiricalNormalization.update": (False, update),
    "EmpiricalNormalization.update, until": (False, functools.partial(update, until=UNTIL)),
    "EmpiricalNormalization.forward": (False, normalize),
    "EmpiricalNormalization.inverse": (False, inverse),
    "EmpiricalDiscountedVariationNormalization.forward": (False, rewards),
    "MLP.forward": (False, mlp),
    "CNN.forward": (False, cnn),
}
for type in ("gru", "lstm"):
    CASES[f"RNN.forward, {type}"] = (False, functools.partial(step, type=type))
    CASES[f"RNN.reset(dones), {type}"] = (False, functools.partial(reset, type=type))
    CASES[f"RNN.detach_hidden_state(), {type}"] = (False, functools.partial(detach, type=type))
    CASES[f"RNN.detach_hidden_state(dones), {type}"] = (False, functools.partial(detach, type=type, some=True))
for kind in KINDS:
    CASES[f"{kind}: update"] = (False, functools.partial(take, kind=kind))
    for question in QUESTIONS:
        CASES[f"{kind}: {question}"] = (False, functools.partial(ask, kind=kind, question=question))
    CASES[f"{kind}: forward and backward"] = (True, functools.partial(learn, kind=kind))
    CASES[f"{kind}: PPO"] = (True, functools.partial(ppo, kind=kind))
del type, kind, question


@functools.cache
def counted(package, device, case):
    grad, prepare = CASES[case]
    with torch.set_grad_enabled(grad):
        with torch.device(device):
            call = prepare(package)
        return count(call)
