"""Networks and normalizers can be used, copied, moved, differentiated and rebuilt in the same ways as rsl_rl's."""

import copy
import pickle
import warnings

import exchange
import pytest
import torch
from exchange import Difference, Refusal, state, steps, through_a_file
from exchange_refusals import NETWORKS as PEER_REFUSES
from torch import nn
from torch.func import functional_call
from torch.nn.utils import prune

IMAGE = (2, 8, 9)


def updated(norm, *sizes):
    if next(norm.buffers()).is_meta:
        return norm
    for batch in torch.randn(3, 5, *sizes) * 3 + 1:
        norm(batch) if hasattr(norm, "disc_avg") else norm.update(batch)
    return norm


def image(package, **options):
    return package.CNN(IMAGE[1:], IMAGE[0], [3, 4], 3, **options)


NETS = {
    "mlp": (lambda package: package.MLP(4, 3, [8, 5]), (4,)),
    "mlp-shaped": (lambda package: package.MLP(4, (2, 3), [-1], "tanh", "sigmoid"), (4,)),
    "cnn": (lambda package: image(package, padding="circular", norm=["layer", "none"], max_pool=[False, True]), IMAGE),
    "cnn-batch": (lambda package: image(package, norm="batch", global_pool="avg"), IMAGE),
    "cnn-map": (lambda package: image(package, padding="reflect", flatten=False), IMAGE),
    "gru": (lambda package: package.RNN(4, 3, 2, "gru"), (4,)),
    "lstm": (lambda package: package.RNN(4, 3), (4,)),
    "normalizer": (lambda package: updated(package.EmpiricalNormalization(4), 4), (4,)),
    "normalizer-new": (lambda package: package.EmpiricalNormalization(4), (4,)),
    "rewards": (lambda package: updated(package.EmpiricalDiscountedVariationNormalization(())), ()),
    "rewards-new": (lambda package: package.EmpiricalDiscountedVariationNormalization(()), ()),
    "gaussian-mean": (lambda package: package.GaussianDistribution(3).as_deterministic_output_module(), (3,)),
    "heteroscedastic-mean": (
        lambda package: package.HeteroscedasticGaussianDistribution(3).as_deterministic_output_module(),
        (2, 3),
    ),
    "beta-mean": (lambda package: package.BetaDistribution(3, (-2, 1)).as_deterministic_output_module(), (2, 3)),
}


def use(net, x):
    """Update with ``x`` if the module can, and return all results of a call."""
    if hasattr(net, "update"):
        net.update(x)
    return {"output": net(x), "state": state(net), "hidden": getattr(net, "hidden_state", None)}


def gradients(net, x):
    x = x.clone().requires_grad_()
    output = net(x).square().sum()
    (gradient,) = torch.autograd.grad(output, x, create_graph=True)
    if gradient.requires_grad:
        gradient.square().sum().backward()
    return {"first": gradient, "second": x.grad, "parameters": [parameter.grad for parameter in net.parameters()]}


def trained(net, x):
    """Take two steps of an optimizer, and copy the module between them."""
    results = []
    for _ in range(2):
        if hasattr(net, "detach_hidden_state"):
            net.detach_hidden_state()
        net = copy.deepcopy(net)
        optimizer = torch.optim.SGD([*net.parameters(), nn.Parameter(torch.zeros(1))], 0.1)
        output = net(x).square().mean()
        if output.requires_grad:
            output.backward()
        optimizer.step()
        results.append([output, state(net)])
    return results


def state_saved(net):
    return through_a_file(net.state_dict(), weights_only=True)


def empty(build, like):
    """Build on the meta device, and load the state of ``like`` into uninitialized memory."""
    with torch.device("meta"):
        net = build()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.to_empty(device="cpu").load_state_dict(like.state_dict())
    return with_sums(net, like)


def with_sums(net, like, dtype=None):
    """Copy the discounted sums, which rsl_rl does not save."""
    if hasattr(net, "disc_avg") and like.disc_avg.avg is not None:
        net.disc_avg.avg = like.disc_avg.avg.to(dtype)
    return net


def assigned(build, like, dtype=None):
    with torch.device("meta"):
        net = build()
    values = {
        key: value.to(dtype) if dtype and value.is_floating_point() else value
        for key, value in like.state_dict().items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.load_state_dict(values, assign=True)
    return with_sums(net, like, dtype)


def loaded(build, like, dtype):
    net = build()
    net.load_state_dict({key: value.to(dtype) for key, value in like.state_dict().items()})
    return net


def within(mode, function, *arguments):
    with mode:
        return function(*arguments)


def both_modes(build_mode, use_mode):
    """Build and use a module in two modes, and then use it for training."""

    def operate(build, x):
        net = within(build_mode(), build)
        results = [within(use_mode(), use, net, x) for _ in range(2)]
        if hasattr(net, "reset"):
            net.reset()
        if build_mode is torch.inference_mode:  # such parameters cannot be trained
            return results
        return [*results, use(net, x), gradients(net.eval(), x)]

    return operate


def moved(dtype, inputs=None):
    return lambda build, x: use(build().to(dtype), x.to(inputs or dtype))


def hooked(build, x):
    net, seen = build(), []
    for module in net.modules():
        module.register_forward_hook(lambda module, *_: seen.append(type(module).__name__))
    net.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
    return [use(net, x), seen[:-1]]  # without its own name


def functional(build, x):
    net = build()
    doubled = {name: value * 2 for name, value in net.named_parameters()}
    return functional_call(net, doubled, (x,))


def of_parameters(build, x):
    net = build()
    parameters = {name: value.detach() for name, value in net.named_parameters()}
    return torch.func.grad(lambda values: functional_call(net, values, (x,)).square().sum())(parameters)


MODES = {
    "grad": torch.enable_grad,
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}
DTYPES = {"half": torch.float16, "bfloat16": torch.bfloat16, "float": torch.float32, "double": torch.float64}
OPERATIONS = {
    "eval": lambda build, x: use(build().eval(), x),
    "train": lambda build, x: [use(net := build().eval(), x), use(net.train(), x)],
    "gradients": lambda build, x: gradients(build(), x),
    "trained": lambda build, x: trained(build(), x),
    "deepcopy": lambda build, x: use(copy.deepcopy(build()), x),
    "two-copies": lambda build, x: [use(net := build(), x), use(copy.deepcopy(net), x), use(copy.copy(net), x)],
    "copied-no-grad": lambda build, x: [
        within(torch.no_grad(), use, net := build(), x),
        use(copy.deepcopy(net), x),
        use(net, x + 1),
    ],
    "pickle": lambda build, x: use(pickle.loads(pickle.dumps(build())), x),
    "saved": lambda build, x: use(through_a_file(build()), x),
    "state-saved": lambda build, x: [net := build(), net.load_state_dict(state_saved(net)), use(net, x)][2],
    "share-memory": lambda build, x: use(build().share_memory(), x),
    "frozen": lambda build, x: use(build().requires_grad_(False), x),
    "apply": lambda build, x: use(build().apply(lambda module: None), x),
    "average": lambda build, x: use(torch.optim.swa_utils.AveragedModel(build()), x),
    "sequential": lambda build, x: use(nn.Sequential(build(), nn.Identity()), x),
    "hooked": hooked,
    "meta": lambda build, x: within(torch.device("meta"), lambda: build()(x.to("meta"))),
    "to-empty": lambda build, x: use(empty(build, build()), x),
    "to-empty-eval": lambda build, x: use(empty(build, build()).eval(), x),
    "assign": lambda build, x: use(assigned(build, build()), x),
    "assign-half": lambda build, x: use(assigned(build, build(), torch.float16), x.half()),
    "assign-double": lambda build, x: use(assigned(build, build(), torch.float64), x.double()),
    "load-half": lambda build, x: use(loaded(build, build(), torch.float16), x),
    "load-double": lambda build, x: use(loaded(build, build(), torch.float64), x),
    "functional": functional,
    "functional-grad": of_parameters,
    "func-grad": lambda build, x: torch.func.grad(nn.Sequential(build(), Total()))(x),
    "vmap": lambda build, x: torch.func.vmap(build().eval())(x),
    "vmap-batches": lambda build, x: torch.func.vmap(build().eval())(torch.stack((x, x + 1))),
    "jacrev": lambda build, x: torch.func.jacrev(build().eval())(x[:2]),
    "jacfwd": lambda build, x: torch.func.jacfwd(build().eval())(x[:2]),
    "per-sample": lambda build, x: torch.func.vmap(torch.func.jacrev(build().eval()))(x[:2].unsqueeze(1)),
    "channels-last": lambda build, x: use(build().to(memory_format=torch.channels_last), x),
    "strided": lambda build, x: use(build(), torch.cat((x, x))[::2]),
    "expanded": lambda build, x: use(build(), x[:1].expand_as(x)),
    "parameter": lambda build, x: use(build(), nn.Parameter(x)),
    "one-sample": lambda build, x: use(build(), x[:1]),
    "no-sample": lambda build, x: build().eval()(x[:0]),
    "unbatched": lambda build, x: build().eval()(x[0]),
    "two-batches": lambda build, x: build().eval()(torch.stack((x, x + 1))),
    "three-batches": lambda build, x: build().eval()(torch.stack((x, x + 1)).unsqueeze(0)),
    **{f"{name}-module": moved(dtype) for name, dtype in DTYPES.items()},
    **{f"{name}-input": moved(torch.float32, dtype) for name, dtype in DTYPES.items()},
    **{f"double-module-{name}-input": moved(torch.float64, dtype) for name, dtype in DTYPES.items()},
    **{f"half-module-{name}-input": moved(torch.float16, dtype) for name, dtype in DTYPES.items()},
    **{f"{kind}-input": lambda build, x, kind=kind: build().eval()((x.abs() * 3).to(getattr(torch, kind)))
       for kind in ("int64", "int32", "uint8", "bool")},
    **{f"built-{first}-used-{second}": both_modes(MODES[first], MODES[second]) for first in MODES for second in MODES},
}  # fmt: skip


def operated(kind, operation):
    make, sizes = NETS[kind]

    def case(package):
        def build():
            torch.manual_seed(1)
            return make(package)

        x = torch.randn(5, *sizes, generator=torch.Generator().manual_seed(2))
        return OPERATIONS[operation](build, x)

    return case


class Total(nn.Module):
    def forward(self, x):
        return x.square().sum()


def surgery():
    """Modules whose layers or statistics the caller replaces."""
    x, small, big = torch.ones(5, 4), torch.ones(5, *IMAGE), torch.ones(5, 2, 12, 15)

    def changed(make, change, x):
        def case(package):
            net = make(package)
            net = change(net) or net
            return use(net, x)

        return case

    def put(index, layer):
        return lambda net: net.__setitem__(index, layer())

    def several(net):
        return nn.Sequential(*list(net)[:2])

    mlp, cnn, pooled = NETS["mlp"][0], NETS["cnn-map"][0], NETS["cnn-batch"][0]
    wide = torch.ones(5, 6)
    rgb = torch.ones(5, 3, *IMAGE[1:])
    return {
        "mlp first layer of another width": changed(mlp, put(0, lambda: nn.Linear(6, 8)), wide),
        "mlp last layer of another width": changed(mlp, put(-1, lambda: nn.Linear(5, 7)), x),
        "mlp appended": changed(mlp, lambda net: net.append(nn.Softmax(-1)), x),
        "mlp inserted": changed(mlp, lambda net: net.insert(0, nn.Linear(6, 4)), wide),
        "mlp extended": changed(mlp, lambda net: net.extend([nn.Tanh(), nn.Linear(3, 1)]), x),
        "mlp shortened": changed(mlp, lambda net: net.__delitem__(-1), x),
        "mlp headless": changed(mlp, lambda net: net.__delitem__(0), torch.ones(5, 8)),
        "mlp popped": changed(mlp, steps(lambda net: net.pop(-1)), x),
        "mlp sliced": changed(mlp, lambda net: net[:2], x),
        "mlp listed": changed(mlp, several, x),
        "mlp added": changed(mlp, lambda net: net + nn.Sequential(nn.Tanh()), x),
        "mlp multiplied": changed(lambda package: package.MLP(4, 4, [5]), lambda net: net * 2, x),
        "mlp embedded": changed(mlp, put(0, lambda: nn.EmbeddingBag(9, 8)), torch.ones(5, 2, dtype=torch.long)),
        "mlp weight norm": changed(mlp, steps(lambda net: nn.utils.parametrizations.weight_norm(net[0])), x),
        "mlp spectral norm": changed(mlp, steps(lambda net: nn.utils.parametrizations.spectral_norm(net[0])), x),
        "mlp pruned": changed(mlp, steps(lambda net: prune.l1_unstructured(net[0], "weight", 0.5)), x),
        "mlp without bias": changed(mlp, lambda net: net[0].register_parameter("bias", None), x),
        "mlp lazy": changed(mlp, put(0, lambda: nn.LazyLinear(8)), wide),
        "mlp initialized after surgery": changed(
            mlp, steps(put(0, lambda: nn.Linear(6, 8)), lambda net: net.init_weights(0.5)), wide
        ),
        "mlp initialized without bias": changed(
            mlp, steps(lambda net: net[0].register_parameter("bias", None), lambda net: net.init_weights(0.5)), x
        ),
        "cnn first layer of other channels": changed(cnn, put(0, lambda: nn.Conv2d(3, 3, 3)), rgb),
        "cnn flattened first layer of other channels": changed(
            lambda package: image(package), put(0, lambda: nn.Conv2d(3, 3, 3)), rgb
        ),
        "cnn first layer of another stride": changed(cnn, put(0, lambda: nn.Conv2d(2, 3, 3, 2)), small),
        "cnn appended": changed(pooled, lambda net: net.append(nn.Linear(4, 2)), small),
        "cnn shortened": changed(cnn, lambda net: net.__delitem__(-1), small),
        "cnn initialized after surgery": changed(
            cnn, steps(put(0, lambda: nn.Conv2d(3, 3, 3)), lambda net: net.init_weights()), rgb
        ),
        "cnn map of a larger image": changed(cnn, lambda net: None, big),
        "cnn pooled larger image": changed(pooled, lambda net: None, big),
        "cnn flattened larger image": changed(lambda package: image(package), lambda net: None, big),
        "cnn flattened smaller image": changed(lambda package: image(package), lambda net: None, small[..., :-1, :]),
        "cnn pooled empty larger image": changed(pooled, steps(nn.Module.eval), big[:0]),
        "cnn map trained on no image": changed(cnn, lambda net: None, small[:0]),
        "cnn map trained on no larger image": changed(cnn, lambda net: None, big[:0]),
        **{f"{kind} text": lambda package, kind=kind: str(NETS[kind][0](package)) for kind in ("mlp", "cnn", "gru")},
        "rnn replaced": changed(NETS["gru"][0], lambda net: setattr(net, "rnn", nn.GRU(6, 3)), torch.ones(5, 6)),
        "rnn projected": changed(NETS["lstm"][0], lambda net: setattr(net, "rnn", nn.LSTM(4, 6, proj_size=2)), x),
        "rnn with dropout": changed(NETS["gru"][0], lambda net: setattr(net.eval().rnn, "dropout", 0.5), x),
    }


def differs_by_kind(kind, operation):
    """Return whether an operation is special for ``kind``, as torch's layers refuse mixed dtypes."""
    return not operation.endswith("input") or kind not in ("mlp-shaped", "cnn-batch", "cnn-map", "gru", "lstm")


CASES = {f"{kind} {name}": operated(kind, name) for kind in NETS for name in OPERATIONS if differs_by_kind(kind, name)}
CASES |= surgery()
UNBATCHED = Refusal(
    "a hidden state without environments, in which reset(dones) would count the layers", lambda value: value.dim() == 2
)
WE_REFUSE = {
    "cnn unbatched": Refusal("channels are treated as a batch", lambda value: value.dim() == 2),
    "cnn vmap": Refusal("channels are treated as a batch", lambda value: value.dim() == 3),
    "gru unbatched": UNBATCHED,
    "lstm unbatched": UNBATCHED,
    "cnn flattened *er image": Refusal(
        "an output that is not output_dim", lambda value: value["output"].shape[1] != 4 * 4 * 5
    ),
    "rewards one-sample": Refusal(
        "the reward of one environment is given to all", lambda value: value["state"]["saved"]["emp_norm.count"] == 20
    ),
}
DIFFERS = {
    "rewards* gradients": Difference(
        "the statistics are constants for the gradient, so that y = x / std",
        lambda ours, theirs: (ours["second"] / ours["first"]).var() < 1e-6 < (theirs["second"] / theirs["first"]).var(),
    ),
}
LOOSE = {"*half*": 0.05, "*bfloat16*": 0.05, "*autocast*": 0.05, "*double*": 1e-5}
EXCHANGE = exchange.Exchange(CASES, PEER_REFUSES, WE_REFUSE, DIFFERS, LOOSE)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", CASES)
def test_ours_does_the_same_as_rsl_rl(peer, name):
    EXCHANGE.check(peer, name)
