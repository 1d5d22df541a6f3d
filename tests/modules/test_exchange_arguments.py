"""Every constructor accepts all forms of arguments that rsl_rl's accepts, and builds the same module from them."""

import itertools

import exchange
import numpy as np
import pytest
import torch
from exchange import (
    FLAG,
    ONES,
    REAL,
    SEQUENCE,
    TEXT,
    TEXT_SEQUENCE,
    WHOLE,
    WHOLE_SEQUENCE,
    Difference,
    Refusal,
    argument,
    close,
    state,
    values,
)
from exchange_refusals import ARGUMENTS as PEER_REFUSES

ACTIVATIONS = [
    "elu",
    "selu",
    "relu",
    "crelu",
    "lrelu",
    "tanh",
    "sigmoid",
    "softplus",
    "gelu",
    "swish",
    "mish",
    "identity",
]
PADDINGS = ["none", "zeros", "reflect", "replicate", "circular"]


def layers(net):
    return [type(layer).__name__ for layer in net]


def mlp(package, **options):
    net = package.MLP(**{"input_dim": 3, "output_dim": 2, "hidden_dims": [4, 5]} | options)
    return {"state": state(net), "layers": layers(net), "output": net(torch.randn(6, net[0].in_features))}


def initialized(package, scales, depth=2):
    net = package.MLP(3, 2, [4] * depth)
    net.init_weights(scales)
    return state(net)


def cnn(package, **options):
    net = package.CNN(
        **{"input_dim": (12, 13), "input_channels": 2, "output_channels": [3, 4], "kernel_size": 3} | options
    )
    channels = net[0].in_channels if isinstance(net[0], torch.nn.Conv2d) else 2
    output = net(torch.randn(5, channels, 12, 13))
    dims = [int(size) for size in np.ravel(net.output_dim)]
    return {"state": state(net), "layers": layers(net), "output": output, "dims": dims, "flat": net.output_channels}


def sized_cnn(package, padding, kernel, stride, dilation, size):
    net = package.CNN((size, 9), 1, [2], kernel, stride, dilation, padding)
    return {"dim": net.output_dim, "output": net(torch.randn(2, 1, size, 9))}


def rnn(package, **options):
    net = package.RNN(**{"input_size": 3, "hidden_dim": 4} | options)
    output = [net(torch.randn(5, net.rnn.input_size)) for _ in range(2)]
    return {"state": state(net), "kind": type(net.rnn).__name__, "output": output}


def normalizer(package, shape=3, sample=(3,), **options):
    norm = package.EmpiricalNormalization(shape, **options)
    batches = torch.randn(3, 4, *sample) * 2 + 5
    for batch in batches:
        norm.update(batch)
    return {"state": state(norm), "output": norm(batches[0]), "inverse": norm.inverse(batches[1])}


def rewards(package, shape=(), sample=(), **options):
    norm = package.EmpiricalDiscountedVariationNormalization(shape, **options)
    output = [norm(torch.randn(4, *sample)) for _ in range(3)]
    return {"state": state(norm), "output": output, "gamma": float(norm.disc_avg.gamma)}


def divided(package, eps):
    norm = package.EmpiricalNormalization(1, eps)
    norm.update(torch.tensor([[0.0], [1.0]]))  # a std of 0.5
    return norm(torch.ones(1, 1))


def summed(package, gamma):
    """Return the mean of the discounted sums of rewards of 1, which is at least 1 for any discount."""
    norm = package.EmpiricalDiscountedVariationNormalization((), gamma=gamma)
    for _ in range(200):
        norm(torch.ones(2))
    return norm.emp_norm.mean


def gaussian(package, kind="GaussianDistribution", **options):
    heads = kind != "GaussianDistribution"
    distribution = getattr(package, kind)(**{"output_dim": 3} | options)
    net = package.MLP(2, [2, 3] if heads else 3, [4])
    distribution.init_mlp_weights(net)
    distribution.update(net(torch.randn(5, 2)))
    log_prob = distribution.log_prob(torch.randn(5, 3))
    log_prob.sum().backward()
    raw = net[2].bias.grad[3:] if heads else next(distribution.parameters()).grad
    return {
        "state": state(distribution),
        "bias": net[2].bias,
        "input_dim": [int(size) for size in np.ravel(distribution.input_dim)],
        "range": [float(bound) for bound in distribution.std_range + distribution.log_std_range],
        "std": distribution.std,
        "slope": raw,
        "answers": [log_prob, distribution.entropy],
    }


def heteroscedastic(package, **options):
    return gaussian(package, "HeteroscedasticGaussianDistribution", **options)


def beta(package, **options):
    distribution = package.BetaDistribution(**{"output_dim": 3} | options)
    net = package.MLP(2, [2, 3], [4])
    distribution.init_mlp_weights(net)
    output = net(torch.randn(5, 2))
    distribution.update(output)
    return {
        "input_dim": [int(size) for size in distribution.input_dim],
        "means": [distribution.mean, distribution.deterministic_output(output)],
        "exported": distribution.as_deterministic_output_module()(output),
        "answers": [distribution.std, distribution.log_prob(torch.rand(5, 3) - 0.5)],
        "sample": distribution.sample().shape,
    }


def of_mlp():
    cases = argument("mlp", mlp, "input_dim", WHOLE, 3) | argument("mlp", mlp, "input_dim", ONES, 1, "(1)")
    cases |= argument("mlp", mlp, "output_dim", WHOLE, 2) | argument("mlp", mlp, "output_dim", ONES, 1, "(1)")
    cases |= argument("mlp", mlp, "output_dim", WHOLE_SEQUENCE, [2, 3], "(several)")
    cases |= argument("mlp", mlp, "output_dim", WHOLE_SEQUENCE, [4], "(one)")
    cases |= argument("mlp", mlp, "hidden_dims", WHOLE_SEQUENCE, [4, 5])
    cases |= argument("mlp", mlp, "hidden_dims", WHOLE_SEQUENCE, [-1], "(-1)")
    for argument_name in ("activation", "last_activation"):
        cases |= argument("mlp", mlp, argument_name, TEXT, "tanh")
        cases |= values("mlp", mlp, argument_name, dict(zip(ACTIVATIONS, map(str.upper, ACTIVATIONS), strict=True)))
    cases |= values("mlp", mlp, "output_dim", {"zero": 0, "zeros": (2, 0), "negative": -1, "empty": ()})
    cases |= values("mlp", mlp, "hidden_dims", {"zero": [0], "empty": [], "none": None, "one": 4, "negative": [-2]})
    cases |= values("mlp", mlp, "input_dim", {"zero": 0, "none": None, "text": "3", "half": 2.5})
    for depth in (1, 2):

        def draw(package, scales, depth=depth):
            return initialized(package, scales, depth)

        cases |= argument(f"mlp init {depth}", draw, "scales", REAL, 0.5)
        cases |= argument(f"mlp init {depth}", draw, "scales", ONES, 1, "(1)")
        cases |= argument(f"mlp init {depth}", draw, "scales", SEQUENCE, [0.5, 1.5, 2.0, 2.5, 3.0], "(five)")
        cases |= argument(f"mlp init {depth}", draw, "scales", SEQUENCE, [0.5, 1.5, 2.0], "(three)")
        cases |= values(f"mlp init {depth}", draw, "scales", {"zero": 0, "negative": -1.0, "nan": float("nan")})
    return cases


def of_cnn():
    cases = argument("cnn", cnn, "input_dim", WHOLE_SEQUENCE, [12, 13])
    cases |= argument("cnn", cnn, "input_channels", WHOLE, 2) | argument("cnn", cnn, "input_channels", ONES, 1, "(1)")
    cases |= argument("cnn", cnn, "output_channels", WHOLE_SEQUENCE, [3, 4])
    for name, value, several in (("kernel_size", 3, [3, 2]), ("stride", 2, [1, 2]), ("dilation", 1, [2, 1])):
        for padding in ("none", "zeros"):  # the padding is computed from the argument

            def pad(package, padding=padding, **options):
                return cnn(package, padding=padding, **options)

            cases |= argument(f"cnn {padding}", pad, name, WHOLE, value)
            cases |= argument(f"cnn {padding}", pad, name, ONES, 1, "(1)")
            cases |= argument(f"cnn {padding}", pad, name, WHOLE_SEQUENCE, several, "(several)")
    for padding in PADDINGS:
        cases |= argument("cnn", cnn, "padding", TEXT, padding, f"({padding})")
    for name, texts in (("norm", ["none", "batch", "layer"]), ("global_pool", ["none", "max", "avg"])):
        for text in texts:
            cases |= argument("cnn", cnn, name, TEXT, text, f"({text})")
    cases |= argument("cnn", cnn, "norm", TEXT_SEQUENCE, ["batch", "layer"], "(several)")
    for flag in (False, True):
        cases |= argument("cnn", cnn, "max_pool", FLAG, flag, f"({flag})")
        cases |= argument("cnn", cnn, "flatten", FLAG, flag, f"({flag})")
    cases |= argument("cnn", cnn, "max_pool", SEQUENCE, [True, False], "(several)")
    cases |= argument("cnn", cnn, "activation", TEXT, "tanh")
    cases |= values("cnn", cnn, "activation", dict(zip(ACTIVATIONS, map(str.upper, ACTIVATIONS), strict=True)))
    cases |= values("cnn", cnn, "output_channels", {"empty": [], "zero": [3, 0], "one": 4})
    cases |= values("cnn", cnn, "input_channels", {"zero": 0, "negative": -1, "none": None})
    cases |= values("cnn", cnn, "input_dim", {"three": (2, 12, 13), "one": 12})
    cases |= values("cnn", cnn, "kernel_size", {"long": [3, 3, 3], "zero": 0, "pairs": [(3, 3), (3, 3)]})
    cases |= values("cnn", cnn, "stride", {"long": (1, 1, 1), "zero": 0})
    cases |= values("cnn", cnn, "dilation", {"long": (1, 1, 1), "zero": 0, "negative": -1})
    cases |= values("cnn", cnn, "max_pool", {"long": [True] * 3, "none": None, "text": "none"})
    cases |= values("cnn", cnn, "flatten", {"none": None, "text": "no"})
    cases |= values("cnn", cnn, "padding", {"none": None, "same": "same", "number": 1})
    cases |= values("cnn", cnn, "norm", {"long": ["batch"] * 3, "none": None, "group": "group"})
    return cases


def of_cnn_sizes():
    def sized(*numbers):
        return lambda package: sized_cnn(package, *numbers)

    grid = itertools.product(PADDINGS, (1, 2, 3, 4), (1, 2, 3), (1, 2), (7, 8))
    return {"cnn sizes {} k{} s{} d{} n{}".format(*numbers): sized(*numbers) for numbers in grid}


def of_rnn():
    cases = {}
    for name, value in (("input_size", 3), ("hidden_dim", 4), ("num_layers", 2)):
        cases |= argument("rnn", rnn, name, WHOLE, value) | argument("rnn", rnn, name, ONES, 1, "(1)")
        cases |= values("rnn", rnn, name, {"zero": 0, "negative": -1})
    for name in ("gru", "lstm"):
        cases |= argument("rnn", rnn, "type", TEXT, name, f"({name})")
    return cases | values("rnn", rnn, "type", {"rnn": "rnn", "none": None, "mixed": "GrU"})


def of_normalizers():
    cases = {}
    for prefix, function in (("normalizer", normalizer), ("rewards", rewards)):
        for label, sizes in (("(several)", []), ("(one)", [3]), ("(two)", [2, 3])):
            forms = {k: v for k, v in WHOLE_SEQUENCE.items() if sizes or k not in ("range", "dict")}

            def shaped(package, shape, function=function, sizes=sizes):
                return function(package, shape=shape, sample=tuple(sizes))

            cases |= argument(prefix, shaped, "shape", forms, sizes, label)

        def line(package, shape, function=function):
            return function(package, shape=shape, sample=(3,))

        cases |= argument(prefix, line, "shape", WHOLE, 3)
        cases |= argument(prefix, function, "eps", REAL, 0.5) | argument(prefix, function, "eps", ONES, 1, "(1)")
        cases |= argument(prefix, function, "until", WHOLE, 8) | argument(prefix, function, "until", ONES, 1, "(1)")
        cases |= argument(prefix, function, "until", WHOLE, 7, "(between)")
        cases |= values(prefix, function, "eps", {"zero": 0, "zero-float": 0.0, "tiny": 1e-30})
        more = {"zero": 0, "float": 1e8, "inf": float("inf"), "half": 4.5, "none": None, "negative": -1, "huge": 10**20}
        cases |= values(prefix, function, "until", more)
    cases |= values("normalizer", divided, "eps", {"negative": -0.5})
    cases |= values("normalizer", lambda package, shape: normalizer(package, shape, (0,)), "shape", {"zero": 0})
    cases |= argument("rewards", rewards, "gamma", REAL, 0.5) | argument("rewards", rewards, "gamma", ONES, 1, "(1)")
    return (
        cases
        | values("rewards", rewards, "gamma", {"zero": 0, "one": 1.0})
        | values("rewards", summed, "gamma", {"two": 2.0, "negative": -0.5})
    )


def of_gaussians():
    cases = {}
    bounds = SEQUENCE | {"pair-of-ints": lambda values: (1, 2)}
    for prefix, function in (("gaussian", gaussian), ("heteroscedastic", heteroscedastic)):
        for std_type in ("scalar", "log"):

            def typed(package, function=function, std_type=std_type, **options):
                return function(package, std_type=std_type, **options)

            label = f"{prefix} {std_type}"
            cases |= argument(label, typed, "init_std", REAL, 0.5)
            cases |= argument(label, typed, "init_std", ONES, 1, "(1)")
            cases |= argument(label, typed, "std_range", bounds, [0.25, 2.0])
            per_dimension = {"tensor-3": torch.tensor([0.5, 1.0, 2.0]), "array-3": np.array([0.5, 1.0, 2.0])}
            cases |= values(label, typed, "init_std", {"zero": 0, "negative": -1.0, "above": 1e7} | per_dimension)
            ranges = {"zero": (0, 1), "open": (0.1, float("inf")), "negative": (-1.0, 1.0), "single": (0.5, 0.5)}
            ranges |= {"reversed": (2.0, 1.0), "three": (0.1, 1.0, 2.0), "ints": (1, 2)}
            cases |= values(label, typed, "std_range", ranges)
        cases |= argument(prefix, function, "output_dim", WHOLE, 3)
        cases |= argument(prefix, function, "std_type", TEXT, "log")
    sequences = {"list": list, "tuple": tuple, "Size": torch.Size}
    cases |= argument("gaussian", gaussian, "output_dim", sequences, [3], "(one)")
    for flag in (False, True):
        cases |= argument("gaussian", gaussian, "learn_std", FLAG, flag, f"({flag})")
    return cases | values("gaussian", gaussian, "learn_std", {"none": None, "text": "no"})


def of_beta():
    cases = argument("beta", beta, "output_dim", WHOLE, 3)
    cases |= argument("beta", beta, "action_range", SEQUENCE, [-1.5, 2.0])
    cases |= argument("beta", beta, "action_range", SEQUENCE | {"Size": torch.Size}, [-1, 1], "(ints)")
    low, high = torch.tensor([-1.0, -2.0, -3.0]), torch.tensor([1.0, 2.0, 2.5])
    ranges = {"tensors": (low, high), "tensor": torch.stack((low, high)), "arrays": (low.numpy(), high.numpy())}
    ranges |= {"reversed": (1.0, -1.0), "equal": (1.0, 1.0), "three": (-1.0, 1.0, 2.0), "open": (0.0, float("inf"))}
    return cases | values("beta", beta, "action_range", ranges)


CASES = of_mlp() | of_cnn() | of_cnn_sizes() | of_rnn() | of_normalizers() | of_gaussians() | of_beta()
LONG = Refusal("a value that has no effect", lambda value: value["layers"].count("Conv2d") == 2)
CONSTANT = Refusal(
    "an output that does not depend on the input", lambda value: (value["output"] == value["output"][:1]).all()
)
UNPADDED = Refusal("an unknown padding pads nothing", lambda value: value["dims"] == [4 * 8 * 9])
STUCK = Refusal("a std that no gradient can change", lambda value: not value["slope"].nan_to_num().any())
CLAMPED = Difference(
    "the gradient of a clamped std is not zero", lambda ours, theirs: close(ours | {"slope": 0}, theirs | {"slope": 0})
)


def unlearned(saved):
    return next(value for key, value in saved.items() if key.endswith("count")) == 0


WE_REFUSE = {
    "mlp *put_dim:zero*": CONSTANT,
    "mlp hidden_dims:zero": CONSTANT,
    "mlp init ? scales:nan": Refusal("weights that are NaN", lambda value: value["saved"]["0.weight"].isnan().all()),
    "cnn *:long": LONG,
    "cnn output_channels:empty": Refusal("a network without a layer", lambda value: value["layers"] == ["Flatten"]),
    "cnn padding:same": UNPADDED,
    "cnn padding:number": UNPADDED,
    "cnn max_pool:text": Refusal("'none' counts as true", lambda value: "MaxPool2d" in value["layers"]),
    "cnn flatten:text": Refusal("'no' counts as true", lambda value: "Flatten" in value["layers"]),
    "cnn input_dim:three": Refusal(
        "channels are treated as the height", lambda value: value["dims"] != [value["output"].shape[1]]
    ),
    "rnn type:rnn": Refusal("an LSTM under another name", lambda value: value["kind"] == "LSTM"),
    "* until:negative": Refusal("the statistics never change", lambda value: unlearned(value["state"]["saved"])),
    "normalizer eps:negative": Refusal("a division by zero", lambda value: not value.isfinite().all()),
    "rewards gamma:two": Refusal("the sums overflow", lambda mean: not mean.isfinite()),
    "rewards gamma:negative": Refusal("a sum that is below its rewards", lambda mean: mean < 1),
    "* init_std:zero": STUCK,
    "* init_std:negative": STUCK,
    "* std_range:reversed": Refusal("a std outside the range", lambda value: (value["std"] < value["range"][0]).any()),
    "* std_range:three": Refusal("a number that has no effect", lambda value: len(value["range"]) == 3 + 2),
    "beta action_range:reversed": Refusal("a density that is NaN", lambda value: value["answers"][1].isnan().all()),
    "beta action_range:equal": Refusal("an infinite density", lambda value: value["answers"][1].isinf().all()),
    "beta action_range:open": Refusal("a mean that is infinite", lambda value: value["means"][0].isinf().all()),
    "beta action_range:three": Refusal("a number that has no effect", lambda value: value["means"][0].max() < 1),
}
DIFFERS = {
    "cnn padding(*)=upper": Difference(
        "rsl_rl pads only if the name is in lower case", lambda ours, theirs: theirs["dims"] == [4 * 8 * 9] != ours
    ),
    "cnn padding(*)=title": Difference(
        "rsl_rl pads only if the name is in lower case", lambda ours, theirs: theirs["dims"] == [4 * 8 * 9] != ours
    ),
    **dict.fromkeys(
        [f"cnn max_pool(several)={form}" for form in ("deque", "listed", "generator", "dict")],
        Difference(
            "rsl_rl treats any other sequence as True",
            lambda ours, theirs: (ours["layers"].count("MaxPool2d"), theirs["layers"].count("MaxPool2d")) == (1, 2),
        ),
    ),
    "* eps*=array*": Difference("with an array, rsl_rl's output is float64", close),
    "* std_range:single": CLAMPED,
    "heteroscedastic log std_range:zero": CLAMPED,
    "heteroscedastic log std_range:negative": CLAMPED,
    "heteroscedastic log init_std=np.float16": Difference("rsl_rl takes the logarithm in float16", close),
}
if not torch.func.grad(lambda std: std.clamp(0, 1))(torch.tensor(1.0)):  # from torch 2.14 on: at a limit, too
    AT_A_LIMIT = [f"std_range{form}" for form in ("=pair-of-ints", ":zero", ":negative", ":ints")]
    KINDS = ("gaussian scalar", "gaussian log", "heteroscedastic scalar")
    DIFFERS |= {f"{kind} {case}": CLAMPED for kind in KINDS for case in AT_A_LIMIT}
EXCHANGE = exchange.Exchange(CASES, PEER_REFUSES, WE_REFUSE, DIFFERS)


def test_every_pattern_in_the_lists_matches_a_case():
    EXCHANGE.check_lists()


@pytest.mark.parametrize("name", CASES)
def test_ours_accepts_the_arguments_that_rsl_rl_accepts(peer, name):
    EXCHANGE.check(peer, name)
