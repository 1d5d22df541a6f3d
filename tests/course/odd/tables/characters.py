"""Characters that editors, word processors and web pages leave in cells."""

from ..answers import ANSWERS
from ..cells import Entry

TABS = "https://github.com/jupyter/notebook/issues/3420"
SPACE = "https://github.com/jupyter/notebook/issues/3105"
QUOTES = "https://github.com/jupyter/notebook/issues/3510"
BOM = "https://github.com/jupytext/jupytext/issues/191"

MERGE = ANSWERS["4_normalization"]["merge_moments"]
MLP = ANSWERS["1_mlp"]["mlp_forward"]
SCALE = "discounted_return_scale"

ENTRIES = [
    # Characters
    Entry("windows_line_ends", 4, {"merge_moments": MERGE.replace("\n", "\r\n"), SCALE: "CELL\r\n"}, QUOTES),
    Entry("tabs", 1, {"mlp_forward": MLP.replace("    ", "\t")}, TABS),
    Entry(
        "tabs_and_spaces_in_one_block",
        1,
        {"mlp_forward": MLP.replace("    for", "\tfor")},
        TABS,
        note="an indentation error",
    ),
    Entry(
        "eight_spaces_and_tabs",
        2,
        {
            "receptive_field": (
                "def receptive_field(kernels, strides, dilations):\n"
                "        r = j = 1\n"
                "        for k, s, d in zip(kernels, strides, dilations):\n"
                "        \tr += d * (k - 1) * j\n"
                "        \tj *= s\n"
                "        return r"
            )
        },
        TABS,
    ),
    Entry("a_form_feed", 3, {"unpad": "\x0c\nCELL\n\x0c"}),
    Entry("a_byte_order_mark", 2, {"output_size": "\ufeffCELL"}, BOM),
    Entry(
        "a_space_that_does_not_break",
        1,
        {"dead_fraction": "def dead_fraction(activations):\n    return\u00a0(activations == 0).all(0).float().mean()"},
        SPACE,
        note="a syntax error",
    ),
    Entry(
        "a_space_that_does_not_break_in_a_comment",
        1,
        {"dead_fraction": "#\u00a0dead\u2019s \u201cshare\u201d \U0001f916\nCELL"},
        SPACE,
    ),
    Entry("curly_quotes", 4, {"merge_moments": "CELL\nprint(\u201cdone\u201d)"}, QUOTES, note="a syntax error"),
    Entry(
        "greek_names",
        5,
        {
            "gaussian_entropy": (
                "π, ℯ = math.pi, math.e\n"
                "\n"
                "\n"
                "def gaussian_entropy(std):\n"
                "    σ = std\n"
                "    return (σ.log() + 0.5 * math.log(2 * π * ℯ)).sum(-1)"
            )
        },
    ),
    Entry(
        "a_name_of_two_forms",
        5,
        {
            "gaussian_entropy": (
                "ﬁrst = 0.5 * math.log(2 * math.pi * math.e)\n"
                "\n"
                "\n"
                "def gaussian_entropy(std):\n"
                "    return (std.log() + first).sum(-1)"
            )
        },
        note="a ligature, which Python reads as two letters",
    ),
    Entry("a_backslash_at_the_end", 4, {"merge_moments": "CELL\n\nx = 1 + \\"}, note="a syntax error"),
    Entry(
        "a_backslash_within",
        2,
        {
            "output_size": (
                "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n"
                "    return (size + 2 * padding \\\n"
                "        - dilation * (kernel - 1) - 1) // stride + 1"
            )
        },
    ),
    Entry("a_very_long_cell", 3, {"gru_step": "\n".join(f"x{i} = {i}" for i in range(3000)) + "\nCELL"}),
    Entry("empty_lines_and_spaces", 1, {"mlp_forward": "\n\n   \nCELL   \n\n    \n"}),
    Entry("a_null_character", 2, {"end": "x = '\x00'"}, note="raises"),
]
