"""Decorators, types, classes, and what an answer returns."""

from ..answers import ANSWERS
from ..cells import Entry

MERGE = ANSWERS["4_normalization"]["merge_moments"]
MLP = ANSWERS["1_mlp"]["mlp_forward"]
SCALE = "discounted_return_scale"

ENTRIES = [
    # Decorated, typed
    Entry("no_grad", 3, {"reset_done": "@torch.no_grad()\nCELL"}, note="the check requires gradients"),
    Entry(
        "no_grad_on_orthogonal",
        1,
        {
            "orthogonal_": (
                "@torch.no_grad()\n"
                "def orthogonal_(weight, gain=1.0):\n"
                "    a = torch.randn(sorted(weight.shape, reverse=True))\n"
                "    q, r = torch.linalg.qr(a)\n"
                "    q *= r.diagonal().sign()\n"
                "    return weight.copy_(gain * (q if weight.shape == q.shape else q.T))"
            )
        },
    ),
    Entry("a_cache", 2, {"output_size": "import functools\n\n\n@functools.lru_cache(maxsize=None)\nCELL"}),
    Entry("compiled_eagerly", 5, {"gaussian_entropy": '@torch.compile(backend="eager")\nCELL'}),
    Entry(
        "scripted",
        3,
        {
            "reset_done": (
                "@torch.jit.script\n"
                "def reset_done(hidden, dones):\n"
                "    return hidden * (1 - dones).unsqueeze(0).unsqueeze(-1)"
            )
        },
    ),
    Entry("no_type_check", 2, {"receptive_field": "import typing\n\n\n@typing.no_type_check\nCELL"}),
    Entry(
        "a_decorator_of_their_own",
        4,
        {
            SCALE: (
                "import functools\n"
                "import time\n"
                "\n"
                "\n"
                "def timed(f):\n"
                "    @functools.wraps(f)\n"
                "    def inner(*args, **kwargs):\n"
                "        start = time.perf_counter()\n"
                "        result = f(*args, **kwargs)\n"
                "        print(time.perf_counter() - start)\n"
                "        return result\n"
                "    return inner\n"
                "\n"
                "\n"
                "@timed\n"
                "CELL"
            )
        },
    ),
    Entry(
        "typed",
        1,
        {
            "dead_fraction": (
                "from torch import Tensor\n"
                "from typing import Callable\n"
                "\n"
                "\n"
                "def dead_fraction(activations: Tensor) -> float:\n"
                "    alive: Tensor = activations.gt(0).any(dim=0)\n"
                "    return 1 - alive.double().mean().item()"
            )
        },
    ),
    Entry(
        "typed_with_jaxtyping",
        1,
        {
            "dead_fraction": (
                "from jaxtyping import Float\n"
                "\n"
                "\n"
                "def dead_fraction(activations: Float[torch.Tensor, 'n u']):\n"
                "    return (activations == 0).all(0).float().mean()"
            )
        },
        note="the course has no jaxtyping",
        installed=("jaxtyping",),
    ),
    Entry(
        "a_dataclass_norm",
        4,
        {
            "running_norm": """\
from dataclasses import dataclass


@dataclass
class RunningNorm:
    features: int
    eps: float = 1e-2

    def __post_init__(self):
        self.count, self.mean, self.var = 0, torch.zeros(self.features), torch.ones(self.features)

    def update(self, x):
        self.count, self.mean, self.var = merge_moments(
            self.count, self.mean, self.var, x.shape[0], x.mean(0), x.var(0, correction=0)
        )

    def __call__(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)"""
        },
    ),
    Entry(
        "a_norm_that_is_a_module",
        4,
        {
            "running_norm": """\
class RunningNorm(torch.nn.Module):
    def __init__(self, features, eps=1e-2):
        super().__init__()
        self.count, self.eps = 0, eps
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("var", torch.ones(features))

    def update(self, x):
        new = merge_moments(self.count, self.mean, self.var, len(x), x.mean(0), x.var(0, unbiased=False))
        self.count, self.mean, self.var = new

    def forward(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)"""
        },
    ),
    Entry(
        "a_norm_that_inherits",
        4,
        {
            "running_norm": """\
class Moments:
    def __init__(self, features):
        self.count, self.mean, self.var = 0, torch.zeros(features), torch.ones(features)

    def update(self, x):
        self.count, self.mean, self.var = merge_moments(
            self.count, self.mean, self.var, len(x), x.mean(0), x.var(0, correction=0)
        )


class RunningNorm(Moments):
    def __init__(self, features, eps=1e-2):
        super().__init__(features)
        self.eps = eps

    def __call__(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)"""
        },
    ),
    # What is returned
    Entry(
        "a_named_tuple_is_returned",
        4,
        {
            "merge_moments": (
                "from typing import NamedTuple\n"
                "\n"
                "\n"
                "class Moments(NamedTuple):\n"
                "    count: int\n"
                "    mean: torch.Tensor\n"
                "    var: torch.Tensor\n"
                "\n"
                "\n"
            )
            + MERGE.replace("return n, mean, var", "return Moments(n, mean, var)")
        },
    ),
    Entry(
        "a_namedtuple_is_returned",
        4,
        {
            "merge_moments": (
                "from collections import namedtuple\n\nMoments = namedtuple('Moments', 'count mean var')\n\n\n"
            )
            + MERGE.replace("return n, mean, var", "return Moments(n, mean, var)")
        },
    ),
    Entry("a_list_is_returned", 4, {"merge_moments": MERGE.replace("return n, mean, var", "return [n, mean, var]")}),
    Entry(
        "a_dataclass_is_returned",
        4,
        {
            "merge_moments": (
                "from dataclasses import dataclass\n"
                "\n"
                "\n"
                "@dataclass\n"
                "class Moments:\n"
                "    count: int\n"
                "    mean: torch.Tensor\n"
                "    var: torch.Tensor\n"
                "\n"
                "    def __iter__(self):\n"
                "        return iter((self.count, self.mean, self.var))\n"
                "\n"
                "\n"
            )
            + MERGE.replace("return n, mean, var", "return Moments(n, mean, var)")
        },
    ),
    Entry(
        "a_dict_is_returned",
        4,
        {"merge_moments": MERGE.replace("return n, mean, var", "return {'count': n, 'mean': mean, 'var': var}")},
    ),
    Entry("a_count_that_is_a_tensor", 4, {"merge_moments": MERGE.replace("return n,", "return torch.tensor(n),")}),
    Entry(
        "a_numpy_number_is_returned",
        1,
        {
            "dead_fraction": (
                "import numpy as np\n"
                "\n"
                "\n"
                "def dead_fraction(activations):\n"
                "    return np.mean((activations.numpy() == 0).all(axis=0))"
            )
        },
    ),
    Entry(
        "a_fraction_is_returned",
        1,
        {
            "dead_fraction": (
                "from fractions import Fraction\n"
                "\n"
                "\n"
                "def dead_fraction(activations):\n"
                "    dead = (activations == 0).all(0)\n"
                "    return Fraction(int(dead.sum()), len(dead))"
            )
        },
    ),
    Entry(
        "a_numpy_array_is_returned",
        5,
        {
            "gaussian_entropy": (
                "import numpy as np\n"
                "\n"
                "\n"
                "def gaussian_entropy(std):\n"
                "    return (np.log(std.numpy()) + 0.5 * np.log(2 * np.pi * np.e)).sum(-1)"
            )
        },
    ),
    Entry(
        "numpy_inside",
        5,
        {
            "gaussian_entropy": (
                "import numpy as np\n"
                "\n"
                "\n"
                "def gaussian_entropy(std):\n"
                "    return torch.from_numpy((np.log(std.detach().numpy()) + 0.5 * np.log(2 * np.pi * np.e)).sum(-1))"
            )
        },
        note="no gradients pass through",
    ),
    Entry(
        "float64_is_returned",
        5,
        {
            "gaussian_log_prob": (
                "def gaussian_log_prob(mean, std, action):\n"
                "    mean, std, action = mean.double(), std.double(), action.double()\n"
                "    return (-0.5 * ((action - mean) / std) ** 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)"
            )
        },
    ),
    Entry(
        "a_parameter_is_returned", 1, {"mlp_forward": MLP.replace("    return x", "    return torch.nn.Parameter(x)")}
    ),
    Entry(
        "a_float_is_returned_where_an_int_is_asked",
        2,
        {
            "output_size": (
                "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n"
                "    return float(math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1))"
            )
        },
        note="math was never imported in assignment 2",
    ),
    Entry(
        "math_imported_above_it",
        2,
        {
            "output_size": (
                "import math\n"
                "\n"
                "\n"
                "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n"
                "    return math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1)"
            )
        },
    ),
]
