"""No operation waits for the device: none needs a number back in Python (but those of `trajectories`).

On fake tensors, which have no numbers, `.item()`, `if tensor` and boolean indexing raise; where there is a GPU, torch
itself raises at a synchronisation.
"""

import contextlib
import os
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from rsl_edu import modules

ENVS, OBS, ACTIONS = 6, 5, 3


def normalizer(package, x, until=None):
    norm = package.EmpiricalNormalization(OBS, until=until)
    norm.count.add_(x(1).long()[0])  # a fake tensor may know the number it was made from, but not this one
    for _ in range(3):
        norm.update(x(ENVS, OBS))
    return norm.inverse(norm(x(ENVS, OBS)))


def rewards(package, x):
    norm = package.EmpiricalDiscountedVariationNormalization([])
    norm(x(ENVS))
    return norm(x(ENVS))


def rewards_with_dones(package, x):
    norm = package.EmpiricalDiscountedVariationNormalization([])
    norm(x(ENVS), x(ENVS) > 0)
    return norm(x(ENVS), x(ENVS) > 0)


def recurrent(package, x, type):
    rnn = package.RNN(OBS, 4, 1, type)
    rnn(x(ENVS, OBS))
    rnn.reset(x(ENVS) > 0)
    rnn(x(ENVS, OBS))
    rnn.detach_hidden_state(x(ENVS) > 0)
    return rnn(x(ENVS, OBS))


def distribution(package, x, kind, **options):
    policy = getattr(package, kind)(ACTIONS, **options)
    size = policy.input_dim
    output = x(ENVS, *([size] if isinstance(size, int) else size)).requires_grad_()
    policy.update(output)
    old = tuple(param.detach() for param in policy.params)
    loss = policy.log_prob(policy.sample()) + policy.entropy + policy.kl_divergence(old, policy.params)
    loss.sum().backward()
    return policy.deterministic_output(output) + policy.mean + policy.std


CASES = {
    "mlp": lambda package, x: package.MLP(OBS, ACTIONS, [8])(x(ENVS, OBS)),
    "cnn": lambda package, x: package.CNN((9, 9), 1, [2], 3, norm="batch", max_pool=True)(x(ENVS, 1, 9, 9)),
    "rnn-gru": lambda package, x: recurrent(package, x, "gru"),
    "rnn-lstm": lambda package, x: recurrent(package, x, "lstm"),
    "normalizer": normalizer,
    "normalizer-until": lambda package, x: normalizer(package, x, until=8),
    "rewards": rewards,
    "rewards-dones": rewards_with_dones,
    "gaussian": lambda package, x: distribution(package, x, "GaussianDistribution"),
    "gaussian-log": lambda package, x: distribution(package, x, "GaussianDistribution", std_type="log"),
    "heteroscedastic": lambda package, x: distribution(package, x, "HeteroscedasticGaussianDistribution"),
    "beta": lambda package, x: distribution(package, x, "BetaDistribution"),
}


def normal(*shape):
    return torch.randn(shape)


@pytest.mark.parametrize("case", CASES)
def test_no_number_is_needed_back_from_the_device(case):
    with FakeTensorMode():
        assert CASES[case](modules, normal).shape[-2:].numel() > 0


@pytest.mark.parametrize("case", ["normalizer-until", "rewards", "rnn-gru"])
def test_the_check_above_sees_the_peers_branches_and_boolean_indices(peer, case):
    with pytest.raises(RuntimeError), FakeTensorMode():  # DataDependentOutputException, DynamicOutputShapeException
        CASES[case](peer, normal)


@contextlib.contextmanager
def synchronisation_is_an_error():
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("case", CASES)
def test_no_operation_synchronises_a_cuda_device(case):
    with torch.device("cuda"):
        CASES[case](modules, normal)  # what libraries set up once may synchronise
        with synchronisation_is_an_error():
            CASES[case](modules, normal)


def observe(norm, x):
    norm.update(x)
    return norm(x)


def step(rnn, x, dones):
    rnn.reset(dones)
    output = rnn(x)
    rnn.detach_hidden_state(dones)
    return output


def act(policy, output, actions):
    policy.update(output)
    return policy.log_prob(actions), policy.entropy, policy.kl_divergence(policy.params, policy.params), policy.mean


WHOLE_GRAPHS = {
    "mlp": lambda: (modules.MLP(OBS, ACTIONS, [8]), torch.randn(ENVS, OBS)),
    "cnn": lambda: (modules.CNN((9, 9), 1, [2], 3), torch.randn(ENVS, 1, 9, 9)),
    "normalizer": lambda: (observe, modules.EmpiricalNormalization(OBS, until=20), torch.randn(ENVS, OBS)),
    "rewards": lambda: (modules.EmpiricalDiscountedVariationNormalization([]), torch.randn(ENVS), torch.ones(ENVS)),
    "gaussian": lambda: (act, modules.GaussianDistribution(3), torch.randn(ENVS, 3), torch.randn(ENVS, 3)),
    "log": lambda: (act, modules.GaussianDistribution(3, std_type="log"), torch.randn(ENVS, 3), torch.randn(ENVS, 3)),
    "hetero": lambda: (
        act,
        modules.HeteroscedasticGaussianDistribution(3),
        torch.randn(ENVS, 2, 3).abs(),
        torch.randn(ENVS, 3),
    ),
    "beta": lambda: (act, modules.BetaDistribution(3), torch.randn(ENVS, 2, 3), torch.rand(ENVS, 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WHOLE_GRAPHS)
def test_torch_compile_makes_one_graph_that_computes_the_same(case):
    torch.manual_seed(0)
    function, *arguments = WHOLE_GRAPHS[case]()
    torch.manual_seed(0)
    same, *same_arguments = WHOLE_GRAPHS[case]()
    torch.compiler.reset()
    compiled = torch.compile(same, fullgraph=True, backend="eager")
    for _ in range(5):  # the second call sees what the first changed; `until` is reached at the fourth
        torch.testing.assert_close(compiled(*same_arguments), function(*arguments), rtol=1e-5, atol=1e-6)


def loss(policy, output, actions):
    policy.update(output)
    return (policy.log_prob(actions) + 0.1 * policy.entropy).mean()


def gradients(function, policy, output, actions):
    policy.zero_grad()
    output.grad = None
    function(policy, output, actions).backward()
    return [output.grad, *(parameter.grad for parameter in policy.parameters())]


STD = {"std_range": (0.2, 2.0)}
TRAINED = {
    "gaussian": lambda: modules.GaussianDistribution(ACTIONS, **STD),
    "gaussian-log": lambda: modules.GaussianDistribution(ACTIONS, **STD, std_type="log"),
    "heteroscedastic": lambda: modules.HeteroscedasticGaussianDistribution(ACTIONS, **STD),
    "heteroscedastic-log": lambda: modules.HeteroscedasticGaussianDistribution(ACTIONS, **STD, std_type="log"),
    "beta": lambda: modules.BetaDistribution(ACTIONS),
}
compiler = shutil.which("g++") or shutil.which("clang++")
python_header = Path(sysconfig.get_path("include"), "Python.h")
# Inductor cuts a path at its spaces, and what it writes for torch's default kernels does not compile.
unfit = " " in torch.__file__ or os.environ.get("ATEN_CPU_CAPABILITY") == "default"
needs_compiler = pytest.mark.skipif(
    not (compiler and python_header.exists()) or unfit,
    reason="needs a C++ compiler, Python.h (apt install g++ python3-dev), vector kernels, and no space in torch's path",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "backend"),
    [(case, "aot_eager") for case in TRAINED] + [pytest.param("gaussian", "inductor", marks=needs_compiler)],
)
def test_torch_compile_of_a_distribution_makes_one_graph_with_the_same_gradients(case, backend):
    policy = TRAINED[case]()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(torch.tensor([-9.0, 0.5, 9.0]))  # below, in and above the range
    size = policy.input_dim
    output = 3 * torch.randn(ENVS, *([size] if isinstance(size, int) else size))
    arguments = policy, output.requires_grad_(), torch.rand(ENVS, ACTIONS)
    torch.compiler.reset()
    compiled = gradients(torch.compile(loss, fullgraph=True, backend=backend), *arguments)
    torch.testing.assert_close(compiled, gradients(loss, *arguments), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("type", ["gru", "lstm"])
def test_torch_compile_of_a_recurrent_network_computes_the_same(type):
    rnn = modules.RNN(OBS, 4, 1, type)
    x, dones = torch.randn(3, ENVS, OBS), torch.tensor([1, 0, 0, 1, 0, 0])
    outputs = []
    torch.compiler.reset()
    for function in (step, torch.compile(step, backend="eager")):
        rnn.reset()
        outputs.append([function(rnn, each, dones) for each in x])
    torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-6)
