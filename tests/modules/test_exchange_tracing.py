"""Our modules can be traced, compiled, exported and quantized like rsl_rl's."""

import contextlib
import io
import logging

import exchange
import pytest
import torch
from exchange import state
from exchange_refusals import TRACING as PEER_REFUSES
from test_exchange_networks import NETS
from torch import nn

KINDS = [kind for kind in NETS if not kind.startswith("rewards")] + ["rewards"]
FEW_KINDS = ["mlp-shaped", "cnn", "cnn-batch", "gru", "normalizer", "rewards", "beta-mean"]
BATCH = 5


def traced(net, x):
    return torch.jit.trace(net.eval(), (x,), check_trace=False)(x + 1)


def traced_for_any_batch(net, x):
    return torch.jit.trace(net.eval(), (x,), check_trace=False)(torch.cat((x, x)) + 1)


def scripted(net, x):
    return torch.jit.script(net.eval())(x)


def scripted_training(net, x):
    return torch.jit.script(net)(torch.cat((x, x)))


def scripted_to_file(net, x):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(net.eval()), file)
    file.seek(0)
    return torch.jit.load(file)(x)


def frozen(net, x):
    return torch.jit.freeze(torch.jit.script(net.eval()))(x)


def symbolic(net, x):
    graph = torch.fx.symbolic_trace(net)
    return graph(x)


def symbolic_eval(net, x):
    return torch.fx.symbolic_trace(net.eval())(torch.cat((x, x)))


def quantized(net, x):
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    torch.backends.quantized.engine = "x86" if "x86" in torch.backends.quantized.supported_engines else "qnnpack"
    prepared = prepare_fx(net.eval(), get_default_qconfig_mapping("x86"), (x,))
    prepared(x)
    return convert_fx(prepared)(x)


def dynamically_quantized(net, x):
    small = torch.ao.quantization.quantize_dynamic(net.eval(), {nn.Linear, nn.LSTM, nn.GRU}, dtype=torch.qint8)
    return small(x)


def exported(net, x):
    with torch.no_grad():
        return torch.export.export(net.eval(), (x,)).module()(x + 1)


def exported_training(net, x):
    return torch.export.export(net.train(), (x,)).module()(x + 1)


def exported_for_any_batch(net, x):
    program = torch.export.export(net.eval(), (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=2)},))
    return program.module()(torch.cat((x, x)))


def exported_strictly(net, x):
    return torch.export.export(net.eval(), (x,), strict=True).module()(x + 1)


def compiled(net, x):
    torch._dynamo.reset()
    first = torch.compile(net, backend="eager")(x)
    return [first, torch.compile(anew(net.eval()), backend="eager")(torch.cat((x, x)))]


def anew(net):
    """Discard the state that belongs to the environments of the last batch."""
    if hasattr(net, "reset"):
        net.reset()
    return net


def compiled_whole(net, x):
    torch._dynamo.reset()
    return torch.compile(net.eval(), backend="eager", fullgraph=True)(x)


def compiled_dynamic(net, x):
    torch._dynamo.reset()
    fast = torch.compile(net.eval(), backend="eager", dynamic=True)
    first = fast(x)
    anew(net)
    return [first, fast(torch.cat((x, x)))]


def compiled_in_place(net, x):
    torch._dynamo.reset()
    net.compile(backend="eager")
    return [net(x), state(net)]


def compiled_gradient(net, x):
    torch._dynamo.reset()
    x = x.clone().requires_grad_()
    torch.compile(net.eval(), backend="aot_eager")(x).square().sum().backward()
    return [x.grad, [parameter.grad for parameter in net.parameters()]]


def make_fx(net, x):
    from torch.fx.experimental.proxy_tensor import make_fx as trace

    with torch.no_grad():
        return trace(net.eval())(x)(x + 1)


def fake(net, x):
    """Run on tensors without data, like tools that plan memory."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        return list(net.eval()(mode.from_tensor(x)).shape)


def to_onnx(net, x):
    program = torch.onnx.export(net.eval(), (x,), dynamo=True, verbose=False)
    return sorted({node.op_type for node in program.model.graph})


def counted(net, x):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        net.eval()(x)
    return counter.get_total_flops()


def checkpointed(net, x):
    x = x.clone().requires_grad_()
    torch.utils.checkpoint.checkpoint(net.eval(), x, use_reentrant=False).square().sum().backward()
    return x.grad


QUICK = {
    "traced": traced,
    "traced for any batch": traced_for_any_batch,
    "scripted": scripted,
    "scripted training": scripted_training,
    "scripted to file": scripted_to_file,
    "frozen": frozen,
    "symbolic": symbolic,
    "symbolic eval": symbolic_eval,
    "quantized": quantized,
    "dynamically quantized": dynamically_quantized,
    "make_fx": make_fx,
    "fake": fake,
    "counted": counted,
    "checkpointed": checkpointed,
}
SLOW = {
    "exported": exported,
    "exported training": exported_training,
    "exported for any batch": exported_for_any_batch,
    "exported strictly": exported_strictly,
    "compiled": compiled,
    "compiled whole": compiled_whole,
    "compiled dynamic": compiled_dynamic,
    "compiled in place": compiled_in_place,
    "compiled gradient": compiled_gradient,
}


def updated_while_compiled(package):
    """Update a normalizer inside a compiled function."""
    torch._dynamo.reset()
    norm = package.EmpiricalNormalization(3)

    def step(x):
        norm.update(x)
        return norm(x)

    fast = torch.compile(step, backend="eager")
    return [[fast(x) for x in torch.randn(3, 6, 3)], norm.mean, norm.std]


def loss_while_compiled(kind):
    def case(package):
        torch._dynamo.reset()
        distribution = getattr(package, kind)(3)
        heads = [3] if isinstance(distribution.input_dim, int) else [2, 3]

        def loss(output, action):
            distribution.update(output)
            return distribution.log_prob(action).sum() - distribution.mean.sum()

        output = torch.rand(5, *heads).requires_grad_()
        value = torch.compile(loss, backend="eager")(output, torch.rand(5, 3) - 0.5)
        value.backward()
        return [value, output.grad]

    return case


def case_of(kind, function):
    make, sizes = NETS[kind]

    def case(package):
        torch.manual_seed(1)
        x = torch.randn(BATCH, *sizes, generator=torch.Generator().manual_seed(2))
        with quiet():
            return function(make(package), x)

    return case


@contextlib.contextmanager
def quiet():
    """Suppress the output of the compilers."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


FAST_CASES = {f"{kind} {name}": case_of(kind, function) for kind in KINDS for name, function in QUICK.items()}
SLOW_CASES = {f"{kind} {name}": case_of(kind, function) for kind in FEW_KINDS for name, function in SLOW.items()}
SLOW_CASES |= {f"{kind} to onnx": case_of(kind, to_onnx) for kind in ("mlp", "normalizer")}
SLOW_CASES |= {f"{kind} loss compiled": loss_while_compiled(kind) for kind in (
    "GaussianDistribution", "HeteroscedasticGaussianDistribution", "BetaDistribution",
)}  # fmt: skip
SLOW_CASES["normalizer update compiled"] = updated_while_compiled
LOOSE = {"*quantized*": 0.05}
DIFFERS = {
    "cnn-map quantized": exchange.Difference(
        "each of our activations has its own range, while rsl_rl's layers share one",
        lambda ours, theirs: (ours - theirs).abs().max() < 0.1,
    )
}
EXCHANGE = exchange.Exchange(FAST_CASES | SLOW_CASES, PEER_REFUSES, differs=DIFFERS, loose=LOOSE)


@pytest.fixture(autouse=True)
def _no_hook_stays():
    """Remove the hook on every module's buffers that torch 2.9 leaves behind when an export fails."""
    hooks = torch.nn.modules.module._global_buffer_registration_hooks
    before = dict(hooks)
    yield
    hooks.clear()
    hooks.update(before)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", FAST_CASES)
def test_ours_is_traced_like_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)


# `make test` compiles a network of each kind, gradients of one, and the loss of each distribution.
FIRST = [f"{kind} compiled" for kind in FEW_KINDS] + [
    "mlp-shaped compiled gradient",
    "mlp-shaped exported",
    "mlp to onnx",
]
FIRST += [name for name in SLOW_CASES if name.endswith((" loss compiled", " update compiled"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in FIRST else pytest.mark.exhaustive) for name in SLOW_CASES]
)
def test_ours_is_compiled_like_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)
