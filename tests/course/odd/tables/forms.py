"""Different ways to write an answer. All of them are right if a kernel defines them."""

import textwrap

from ..answers import ANSWERS
from ..cells import Entry

MERGE = ANSWERS["4_normalization"]["merge_moments"]
MLP = ANSWERS["1_mlp"]["mlp_forward"]
SCALE = "discounted_return_scale"


def in_a_block(head: str, key: str, number: int = 1) -> str:
    """Return an answer, indented below a line."""
    name = next(name for name in ANSWERS if name.startswith(str(number)))
    return f"{head}\n{textwrap.indent(ANSWERS[name][key], '    ')}"


ENTRIES = [
    # Defined in other ways
    Entry("a_lambda", 1, {"dead_fraction": "dead_fraction = lambda a: (a == 0).all(0).double().mean()"}),
    Entry(
        "a_lambda_with_a_walrus",
        4,
        {
            "merge_moments": """\
merge_moments = lambda ca, ma, va, cb, mb, vb: (
    n := ca + cb,
    ma + (w := cb / n) * (d := mb - ma),
    (1 - w) * va + w * vb + w * (1 - w) * d**2,
)"""
        },
    ),
    Entry(
        "a_partial",
        2,
        {
            "receptive_field": """\
from functools import partial


def _field(start, kernels, strides, dilations):
    field = jump = start
    for k, s, d in zip(kernels, strides, dilations):
        field, jump = field + d * (k - 1) * jump, jump * s
    return field


receptive_field = partial(_field, 1)"""
        },
    ),
    Entry(
        "an_object_that_can_be_called",
        1,
        {
            "count_parameters": """\
class Counter:
    def __call__(self, input_dim, output_dim, hidden_dims):
        out = math.prod(output_dim) if isinstance(output_dim, tuple) else output_dim
        sizes = [input_dim, *(input_dim if h == -1 else h for h in hidden_dims), out]
        return sum((a + 1) * b for a, b in itertools.pairwise(sizes))


count_parameters = Counter()"""
        },
    ),
    Entry(
        "a_method",
        3,
        {
            "unpad": """\
class Tools:
    @staticmethod
    def unpad(padded, mask, time):
        return padded.mT.mT.transpose(0, 1)[mask.T].reshape(-1, time, padded.shape[2]).transpose(0, 1)


unpad = Tools.unpad"""
        },
    ),
    Entry(
        "another_name_and_assigned",
        5,
        {
            "gaussian_kl": """\
def kl(m0, s0, m1, s1):
    return (torch.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).sum(dim=-1)


gaussian_kl = kl"""
        },
    ),
    Entry("by_exec", 1, {"dead_fraction": 'exec("""\nCELL\n""")'}),
    Entry(
        "by_globals",
        2,
        {
            "output_size": (
                'globals()["output_size"] = lambda n, k, stride=1, padding=0, dilation=1: (\n'
                "    n + 2 * padding - dilation * (k - 1) - 1\n"
                ") // stride + 1"
            )
        },
    ),
    Entry("in_an_if", 4, {"merge_moments": in_a_block("if True:", "merge_moments", 4)}),
    Entry(
        "in_an_if_else",
        1,
        {"orthogonal_": in_a_block("if torch.cuda.is_available() and False:\n    pass\nelse:", "orthogonal_")},
    ),
    Entry("in_a_try", 1, {"mlp_forward": in_a_block("try:", "mlp_forward") + '\nexcept NameError:\n    print("no")'}),
    Entry("in_a_with", 2, {"conv2d": in_a_block("with torch.no_grad():", "conv2d", 2)}),
    Entry("in_a_for", 5, {"gaussian_entropy": in_a_block("for half in (0.5,):", "gaussian_entropy", 5)}),
    Entry("in_a_name_is_main", 3, {"gru_step": in_a_block('if __name__ == "__main__":', "gru_step", 3)}),
    Entry(
        "in_a_function_that_returns_it",
        4,
        {SCALE: in_a_block("def make():", SCALE, 4) + f"\n    return {SCALE}\n\n\n{SCALE} = make()"},
    ),
    Entry("in_a_match", 2, {"receptive_field": in_a_block("match 1:\n  case 1:", "receptive_field", 2)}),
    Entry(
        "in_one_line",
        5,
        {
            "adaptive_learning_rate": (
                "def adaptive_learning_rate(r, kl, d): return max(1e-5, r / 1.5) if kl > 2 * d else "
                "min(1e-2, r * 1.5) if 0 < kl < d / 2 else r"
            )
        },
    ),
    Entry("several_statements_in_a_line", 1, {"count_parameters": "CELL; x = 1; print(x);\nmath.pi;"}),
    # Defined twice or in parts
    Entry(
        "answered_twice_the_last_is_right", 4, {"merge_moments": "def merge_moments(*args):\n    return None\n\n\nCELL"}
    ),
    Entry(
        "answered_twice_the_last_is_wrong", 4, {"merge_moments": "CELL\n\n\ndef merge_moments(*args):\n    return None"}
    ),
    Entry(
        "in_a_cell_of_its_own_below", 1, {"mlp_forward": ["STUB", MLP]}, note="the handed-out cell is still unanswered"
    ),
    Entry("in_a_cell_of_its_own_above", 1, {"mlp_forward": [MLP, "STUB"]}, note="the handed-out cell overwrites it"),
    Entry("in_a_cell_of_its_own_after_the_check", 4, {"merge_moments": "STUB", "check merge_moments": ["CELL", MERGE]}),
    Entry("commented_out_and_again", 2, {"conv2d": ["# def conv2d(x, weight):\n#     return x", "CELL"]}),
    Entry(
        "three_attempts_in_cells",
        1,
        {
            "dead_fraction": [
                "def dead_fraction(a):\n    return (a == 0).float().mean()",
                "def dead_fraction(a):\n    return a.mean() +",
                "CELL",
            ]
        },
        note="the second is a syntax error",
    ),
    Entry(
        "a_right_one_and_then_an_attempt_that_fails",
        1,
        {"dead_fraction": ["CELL", "def dead_fraction(a):\n    return a.mean() +"]},
    ),
    Entry(
        "two_answers_in_a_cell",
        2,
        {"output_size": "CELL\n\n\n" + ANSWERS["2_cnn"]["receptive_field"], "receptive_field": ""},
    ),
    Entry(
        "all_answers_in_the_first_cell",
        1,
        {"first": "CELL\n\n" + "\n\n\n".join(ANSWERS["1_mlp"].values()), **{key: [] for key in ANSWERS["1_mlp"]}},
    ),
    Entry(
        "all_answers_in_the_last_cell",
        3,
        {"end": ["\n\n\n".join(ANSWERS["3_rnn"].values())], **dict.fromkeys(ANSWERS["3_rnn"], "STUB")},
    ),
    Entry(
        "split_in_two_between_helper_and_answer",
        1,
        {
            "count_parameters": [
                "def width(h, n):\n    return n if h == -1 else h",
                (
                    "def count_parameters(n, out, hidden):\n"
                    "    out = math.prod(out) if isinstance(out, tuple) else out\n"
                    "    sizes = [n] + [width(h, n) for h in hidden] + [out]\n"
                    "    return sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))"
                ),
            ]
        },
        "https://github.com/jeflem/ananke/issues/12",
    ),
    Entry(
        "split_within_a_function",
        1,
        {
            "dead_fraction": [
                "def dead_fraction(activations):\n    dead = (activations == 0).all(dim=0)",
                "    return dead.float().mean()",
            ]
        },
        "https://github.com/jeflem/ananke/issues/12",
        note="the first part returns nothing",
    ),
    # Helpers
    Entry(
        "a_helper_in_a_cell_above",
        5,
        {
            "gaussian_log_prob": [
                "LOG = math.log(2 * math.pi) / 2\n\n\ndef unit(x, m, s):\n    return (x - m) / s",
                (
                    "def gaussian_log_prob(mean, std, action):\n"
                    "    return (-0.5 * unit(action, mean, std) ** 2 - std.log() - LOG).sum(1)"
                ),
            ]
        },
    ),
    Entry(
        "a_helper_in_a_cell_below",
        5,
        {
            "gaussian_log_prob": (
                "def gaussian_log_prob(mean, std, action):\n"
                "    return (-0.5 * unit(action, mean, std) ** 2 - std.log() - LOG).sum(1)"
            ),
            "end": ["LOG = math.log(2 * math.pi) / 2\nunit = lambda x, m, s: (x - m) / s"],
        },
        note="its check fails until the last cell has run",
    ),
    Entry(
        "a_helper_that_was_handed_out",
        4,
        {
            "running_norm": """\
class RunningNorm:
    def __init__(self, features, eps=1e-2):
        self.count, self.mean, self.var = 0, torch.zeros(features), torch.ones(features)
        self.eps = eps

    def update(self, x):
        self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, *moments(x))

    def __call__(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)"""
        },
        note="moments comes from a cell that was handed out",
    ),
    Entry(
        "a_helper_that_was_handed_out_and_changed",
        4,
        {
            "merge_moments": "CELL\n\n\ndef moments(x):\n    return 1",
            "running_norm": """\
class RunningNorm:
    def __init__(self, features, eps=1e-2):
        self.count, self.mean, self.var, self.eps = 0, torch.zeros(features), torch.ones(features), eps

    def update(self, x):
        state = self.count, self.mean, self.var
        self.count, self.mean, self.var = merge_moments(*state, *moments(x))

    def __call__(self, x):
        return (x - self.mean) / (self.eps + self.var**0.5)""",
        },
        note="the handed-out cell further down defines it correctly again",
    ),
    Entry(
        "numpy_that_was_handed_out",
        2,
        {
            "receptive_field": """\
def receptive_field(kernels, strides, dilations):
    jumps = np.cumprod([1, *strides])[:-1]
    return int(1 + np.sum(np.array(dilations) * (np.array(kernels) - 1) * jumps))"""
        },
        note="np comes from a cell that was handed out",
    ),
    Entry("pyplot_that_was_handed_out", 3, {"unpad": "plt.close()\nCELL"}),
    Entry(
        "a_name_of_a_picture_that_was_handed_out",
        1,
        {"dead_fraction": "print(ants.shape, firmware[:4])\nCELL"},
        note="names from the cells with pictures",
    ),
    Entry(
        "faulty_parts_that_were_handed_out",
        6,
        {"conv2d": "old = faulty['conv2d']\nfrom rsl_edu import data\n\nCELL\n\nprint(FRAMES, ENVS)"},
    ),
    Entry(
        "an_answer_calls_the_faulty_part",
        6,
        {
            "gaussian_log_prob": (
                "as_found = gaussian_log_prob\n"
                "\n"
                "\n"
                "def gaussian_log_prob(mean, std, action):\n"
                "    return as_found(mean, std, action).sum(-1)"
            )
        },
    ),
    Entry(
        "an_answer_repairs_by_a_wrapper",
        6,
        {
            "orthogonal_": (
                "_found = orthogonal_\n"
                "\n"
                "\n"
                "def orthogonal_(weight, gain=1.0):\n"
                "    with torch.no_grad():\n"
                "        return weight.copy_(_found(weight, gain))"
            )
        },
    ),
    Entry("one_answer_of_five", 6, dict.fromkeys(("orthogonal_", "conv2d", "reset_done", "gaussian_log_prob"), "STUB")),
    Entry(
        "a_counter",
        1,
        {
            "mlp_forward": (
                "calls = 0\n"
                "\n"
                "\n"
                "def mlp_forward(x, weights, biases, activation):\n"
                "    global calls\n"
                "    calls += 1\n"
                "    for w, b in zip(weights[:-1], biases[:-1]):\n"
                "        x = activation(torch.nn.functional.linear(x, w, b))\n"
                "    return torch.nn.functional.linear(x, weights[-1], biases[-1])"
            )
        },
    ),
]
