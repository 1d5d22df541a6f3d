"""No operation except those of `trajectories` waits for the device, as none reads a number back into Python.

Tensors on the ``meta`` device follow the path of an accelerator and have no values. In addition, a guard raises an
error at every operation that would make the CPU wait for a GPU. If there is a GPU, torch itself raises an error at each
synchronization.
"""

import contextlib
import os
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from rsl_edu import modules

ENVS, OBS, ACTIONS = 6, 5, 3

# A case takes a package, builds a module from it, and returns a function that must not wait and is called many times.


def normalizer(package, until=None):
    norm, x = package.EmpiricalNormalization(OBS, until=until), torch.randn(ENVS, OBS)

    def use():
        for _ in range(3):
            norm.update(x)
        return norm.inverse(norm(x))

    return use


def rewards(package):
    norm, rew = package.EmpiricalDiscountedVariationNormalization([]), torch.randn(ENVS)
    return lambda: norm(rew)


def rewards_with_dones(package):
    norm, rew = package.EmpiricalDiscountedVariationNormalization([]), torch.randn(ENVS)
    dones = torch.randn(ENVS) > 0
    return lambda: norm(rew, dones)


def recurrent(package, type):
    rnn, x, dones = package.RNN(OBS, 4, 1, type), torch.randn(ENVS, OBS), torch.randn(ENVS) > 0

    def use():
        with torch.no_grad():  # the hidden state of the previous call is not part of this call's graph
            rnn(x)
            rnn.reset(dones)
        rnn(x)
        rnn.detach_hidden_state(dones)
        rnn(x)
        rnn.detach_hidden_state()
        return rnn.hidden_state

    return use


def distribution(package, kind, **options):
    policy = getattr(package, kind)(ACTIONS, **options)
    size = policy.input_dim
    output = torch.randn(ENVS, *([size] if isinstance(size, int) else size)).requires_grad_()

    def use():
        policy.update(output)
        old = tuple(param.detach() for param in policy.params)
        loss = policy.log_prob(policy.sample()) + policy.entropy + policy.kl_divergence(old, policy.params)
        loss.sum().backward()
        return policy.deterministic_output(output) + policy.mean + policy.std

    return use


def network(net, *shape):
    x = torch.randn(*shape)
    return lambda: net(x)


CASES = {
    "mlp": lambda package: network(package.MLP(OBS, ACTIONS, [8]), ENVS, OBS),
    "cnn": lambda package: network(package.CNN((9, 9), 1, [2], 3, norm="batch", max_pool=True), ENVS, 1, 9, 9),
    "rnn-gru": lambda package: recurrent(package, "gru"),
    "rnn-lstm": lambda package: recurrent(package, "lstm"),
    "normalizer": normalizer,
    "normalizer-until": lambda package: normalizer(package, until=40),  # reached in the third call
    "rewards": rewards,
    "rewards-dones": rewards_with_dones,
    "gaussian": lambda package: distribution(package, "GaussianDistribution"),
    "gaussian-log": lambda package: distribution(package, "GaussianDistribution", std_type="log"),
    "heteroscedastic": lambda package: distribution(package, "HeteroscedasticGaussianDistribution"),
    "beta": lambda package: distribution(package, "BetaDistribution"),
}


class WaitsForDeviceError(Exception):
    """An operation would make the CPU wait for a GPU."""


def waits(operation, args):
    """Return whether an operation returns a Python number, or a tensor whose size depends on values."""
    aten = torch.ops.aten
    sizes = torch.Tag.dynamic_output_shape in operation.tags
    if operation.overloadpacket in (aten.index, aten.index_put, aten.index_put_):
        masked = any(index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1])
        sizes = masked and (len(args) == 2 or args[2].numel() > 1)  # one number with a mask is masked_fill
    return sizes or torch.Tag.data_dependent_output in operation.tags


class NumbersBack(TorchDispatchMode):
    """Counts operations that wait for a GPU, and raises an error if there are more than allowed."""

    def __init__(self, allowed=0):
        super().__init__()
        self.left = allowed

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        self.left -= waits(operation, args)
        if self.left < 0:
            raise WaitsForDeviceError(operation)
        return operation(*args, **(kwargs or {}))


class NoNumberIsSent(TorchFunctionMode):
    """Raises an error at `torch.tensor(number)`, because copying a number to a GPU waits for it, too."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function in (torch.tensor, torch.as_tensor) and not isinstance(args[0], torch.Tensor):
            raise WaitsForDeviceError(function)
        return function(*args, **(kwargs or {}))


@contextlib.contextmanager
def waiting_is_an_error():
    with NumbersBack(), NoNumberIsSent():
        yield


@pytest.mark.parametrize("case", CASES)
def test_no_number_is_read_back_from_the_device(case):
    beta = case == "beta"  # torch draws no Dirichlet samples on meta
    with FakeTensorMode() if beta else contextlib.nullcontext():
        with torch.device("cpu" if beta else "meta"):
            use = CASES[case](modules)
        use()
        with waiting_is_an_error():
            for _ in range(3):
                use()


@pytest.mark.parametrize("case", ["normalizer", "normalizer-until", "rewards", "rnn-gru", "rnn-lstm"])
def test_check_above_detects_the_copies_branches_and_boolean_indices_of_rsl_rl(peer, case):
    use = CASES[case](peer)
    use()
    with pytest.raises(WaitsForDeviceError), waiting_is_an_error():
        use()


X, MASK = torch.arange(4.0), torch.tensor([True, False, True, False])
WAITS = {
    "item": lambda: X[0].item(),
    "if": lambda: 1 if X[0] < 1 else 2,
    "equal": lambda: torch.equal(X, X),
    "nonzero": lambda: X.nonzero(),
    "mask": lambda: X[MASK],
    "mask-bytes": lambda: X[MASK.byte()],
    "masked-assignment": lambda: X.index_put_((MASK,), X[:2]),
    "copy": lambda: torch.tensor(3.0),
}
DOES_NOT_WAIT = {
    "where": lambda: torch.where(MASK, 0.0, X),
    "index": lambda: X[MASK.long()],
    "masked-fill": lambda: X.clone().index_put_((MASK,), X[0]),
    "new": lambda: X.new_full((3,), 2.0) + torch.ones(3) * torch.rand(3),
}


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8:UserWarning")
@pytest.mark.parametrize("operation", WAITS)
def test_guard_raises_if_the_cpu_would_wait(operation):
    with pytest.raises(WaitsForDeviceError), waiting_is_an_error():
        WAITS[operation]()


@pytest.mark.parametrize("operation", DOES_NOT_WAIT)
def test_guard_accepts_operations_that_do_not_wait(operation):
    with waiting_is_an_error():
        DOES_NOT_WAIT[operation]()


@pytest.mark.parametrize("until", [None, 40])
def test_only_the_first_update_after_loading_a_checkpoint_reads_a_number(until):
    norm, x = modules.EmpiricalNormalization(OBS, until=until), torch.randn(ENVS, OBS)
    norm.load_state_dict(norm.state_dict() | {"count": torch.tensor(20)})
    with NumbersBack(allowed=1):
        norm.update(x)
    with waiting_is_an_error():
        norm.update(x)
    assert norm.count == 20 + 2 * ENVS


@contextlib.contextmanager
def synchronization_is_an_error():
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
@pytest.mark.parametrize("case", CASES)
def test_no_operation_synchronizes_a_cuda_device(case):
    with torch.device("cuda"):  # the construction and the first call, in which libraries are set up, may synchronize
        use = CASES[case](modules)
    use()
    with synchronization_is_an_error():
        for _ in range(3):
            use()


@needs_cuda
@pytest.mark.parametrize("until", [None, 40])
def test_only_the_first_update_after_loading_a_checkpoint_may_synchronize_a_cuda_device(until):
    norm = modules.EmpiricalNormalization(OBS, until=until).to("cuda")
    norm.load_state_dict(norm.state_dict() | {"count": torch.tensor(20)})
    x = torch.randn(ENVS, OBS, device="cuda")
    norm.update(x)
    with synchronization_is_an_error():
        norm.update(x)
    assert norm.count == 20 + 2 * ENVS


@needs_cuda
def test_torch_raises_at_a_synchronization_of_a_cuda_device():
    x = torch.ones(3, device="cuda")
    with pytest.raises(RuntimeError, match="synchroniz"), synchronization_is_an_error():
        x[0].item()


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
    for _ in range(5):  # the second call depends on changes by the first; `until` is reached at the fourth
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
# Inductor splits paths at spaces, and its code for torch's default kernels does not compile.
unfit = " " in torch.__file__ or os.environ.get("ATEN_CPU_CAPABILITY") == "default"
needs_compiler = pytest.mark.skipif(
    not (compiler and python_header.exists()) or unfit,
    reason="needs a C++ compiler, Python.h (apt install g++ python3-dev), vector kernels, and no space in torch's path",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "backend"),
    [(case, "aot_eager") for case in TRAINED]
    + [pytest.param("gaussian", "inductor", marks=[needs_compiler, pytest.mark.exhaustive])],
)
def test_torch_compile_of_a_distribution_makes_one_graph_with_the_same_gradients(case, backend):
    policy = TRAINED[case]()
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.copy_(torch.tensor([-9.0, 0.5, 9.0]))  # below, inside and above the range
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
