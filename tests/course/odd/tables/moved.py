"""Cells that were deleted, moved, merged, copied or changed, and notebooks that were run in another order."""

import random
from dataclasses import replace

from ..answers import ANSWERS
from ..cells import Cell, Entry, Markdown, Ran, Raw

DELETED = "https://github.com/jupyter/nbgrader/issues/1682"
COPIED = "https://github.com/jupyter/nbgrader/issues/1083"
TYPED = "https://github.com/jupyter/nbgrader/issues/1941"
SPLIT = "https://github.com/jeflem/ananke/issues/12"


def without(*kinds):
    """Delete cells by the first word of their key, before they ever ran."""
    return lambda cells: [cell for cell in cells if cell.key.split()[0] not in kinds]


def ran_and_deleted(*kinds):
    """Delete cells after they ran."""

    def change(cells):
        return [
            replace(cell, source=Ran(cell.source)) if cell.key.split()[0] in kinds and cell.type == "code" else cell
            for cell in cells
        ]

    return change


def only_answers(cells):
    """Delete everything except the answers, after it ran."""
    of_the_answers = {name for answers in ANSWERS.values() for name in answers}
    return [
        cell if cell.key in of_the_answers else replace(cell, source=Ran(cell.source))
        for cell in cells
        if cell.type == "code"
    ]


def behind(*kinds):
    """Move cells to the end."""
    return lambda cells: sorted(cells, key=lambda cell: cell.key.split()[0] in kinds)


def in_front(*kinds):
    """Move cells to the top."""
    return lambda cells: sorted(cells, key=lambda cell: cell.key.split()[0] not in kinds)


def shuffled(cells):
    """Shuffle the cells, always in the same way."""
    return random.Random(0).sample(cells, len(cells))


def merged(cells):
    """Merge all code into one cell."""
    return [Cell("own", "\n\n".join(cell.source for cell in cells if cell.type == "code"))]


def twice(cells):
    """Copy the entire notebook below itself."""
    return [*cells, *cells]


def bare(cells):
    """Copy the cells into a new notebook, with no metadata and different ids."""
    return [replace(cell, metadata={}, id="") for cell in cells]


def every(kind, change):
    """Change the text of all cells of a kind."""
    return lambda cells: [
        replace(cell, source=type(cell.source)(change(cell.source))) if cell.key.split()[0] == kind else cell
        for cell in cells
    ]


def commented(text):
    """Comment out."""
    return "\n".join(f"# {line}" for line in text.splitlines())


ENTRIES = [
    # Deleted
    *[
        Entry(f"only_the_answers_are_left_in_{number}", number, then=only_answers, source=DELETED)
        for number in (1, 2, 4, 6)
    ],
    Entry("imports_deleted_after_they_ran", 1, {"first": Ran("CELL")}, DELETED),
    Entry(
        "imports_deleted_before_they_ran",
        2,
        {"first": []},
        DELETED,
        note="torch is then defined only if another cell imports it",
    ),
    Entry(
        "imports_written_anew",
        5,
        {
            "first": (
                "import torch, math\n"
                "import torch.nn as nn\n"
                "import torch.nn.functional as F\n"
                "from rsl_edu.course import check"
            )
        },
    ),
    Entry(
        "numpy_imported_and_deleted",
        1,
        {
            "first": ["CELL", Ran("import numpy as np")],
            "dead_fraction": (
                "def dead_fraction(activations):\n"
                "    return float(np.mean([not any(unit) for unit in activations.T.tolist()]))"
            ),
        },
        note="np is not defined anywhere in the file",
    ),
    Entry(
        "a_helper_that_was_deleted",
        4,
        {
            "merge_moments": [
                Ran("def weighted(a, b, w):\n    return a + w * (b - a)"),
                (
                    "def merge_moments(n, mean_a, var_a, m, mean_b, var_b):\n"
                    "    w = m / (n + m)\n"
                    "    between = w * (1 - w) * (mean_b - mean_a) ** 2\n"
                    "    return n + m, weighted(mean_a, mean_b, w), weighted(var_a, var_b, w) + between"
                ),
            ]
        },
        note="weighted is not defined anywhere in the file",
    ),
    Entry("pictures_deleted", 1, then=without("demo"), source=DELETED),
    Entry("pictures_deleted_after_they_ran", 2, then=ran_and_deleted("demo"), source=DELETED),
    Entry("pictures_deleted_in_6", 6, then=without("demo"), source=DELETED),
    Entry(
        "moments_deleted_after_it_ran",
        4,
        {
            "demo 2": Ran("CELL"),
            "running_norm": ANSWERS["4_normalization"]["running_norm"]
            .replace("        batch = x.mean(0), x.var(0, unbiased=False)\n", "")
            .replace("len(x), *batch", "*moments(x)"),
        },
        note="moments comes from the deleted cell",
    ),
    Entry("checks_deleted", 3, then=without("check"), source=DELETED),
    Entry("text_deleted", 4, then=without("text")),
    Entry(
        "the_faulty_parts_deleted",
        6,
        {"first": "import math\n\nimport torch\nfrom torch import nn\n\nfrom rsl_edu.course import check", "code": []},
        note="faulty is then not defined",
    ),
    Entry("an_answer_deleted", 2, {"output_size": []}, DELETED),
    Entry("nothing_answered", 1, dict.fromkeys(ANSWERS["1_mlp"], "STUB")),
    Entry("half_answered", 5, {"gaussian_kl": "STUB", "gaussian_entropy": "STUB"}),
    # Moved
    Entry("checks_at_the_end", 1, then=behind("check")),
    Entry(
        "checks_before_the_answers",
        2,
        then=in_front("first", "check"),
        note="they raise in Restart and Run All, but pass if they are called again",
    ),
    Entry("answers_above_the_imports", 4, then=in_front(*ANSWERS["4_normalization"])),
    Entry("answers_at_the_end", 3, then=behind(*ANSWERS["3_rnn"])),
    Entry("shuffled", 1, then=shuffled),
    Entry("from_bottom_to_top", 2, then=lambda cells: cells[::-1]),
    Entry(
        "ran_in_another_order",
        5,
        {
            "gaussian_log_prob": (
                "def gaussian_log_prob(mean, std, action):\n"
                "    return (-0.5 * ((action - mean) / std) ** 2 - std.log() - HALF_LOG).sum(-1)"
            ),
            "gaussian_kl": ["HALF_LOG = 0.5 * math.log(2 * math.pi)", "CELL"],
        },
        note="the first check passes only if the third answer's cell ran before",
    ),
    # Merged, copied, split
    Entry("merged_into_one_cell", 2, then=merged),
    Entry("merged_into_one_cell_in_4", 4, then=merged),
    Entry(
        "answers_merged_with_their_checks",
        1,
        {
            **{key: f"CELL\n\ncheck.{key}({key})" for key in ANSWERS["1_mlp"]},
            **{f"check {key}": [] for key in ANSWERS["1_mlp"]},
        },
    ),
    Entry(
        "a_check_within_the_answer",
        5,
        {
            "gaussian_entropy": (
                "CELL\n\nverdict = check.gaussian_entropy(gaussian_entropy)\nassert verdict.passed, verdict"
            )
        },
    ),
    Entry("pasted_below_itself", 2, then=twice, source=COPIED),
    Entry("a_copied_cell", 4, {"merge_moments": ["CELL", "CELL"]}, COPIED),
    Entry(
        "a_copied_cell_with_its_metadata",
        1,
        then=lambda cells: [copy for cell in cells for copy in ([cell, cell] if cell.key == "mlp_forward" else [cell])],
        source=COPIED,
    ),
    Entry("the_check_split_off", 1, {"check mlp_forward": ["check.mlp_forward", "(mlp_forward)", "CELL"]}, SPLIT),
    Entry("copied_into_a_new_notebook", 3, then=bare),
    # Changed
    Entry("checks_commented_out", 4, then=every("check", commented)),
    Entry("pictures_commented_out", 2, then=every("demo", commented)),
    Entry("pictures_within_quotes", 1, then=every("demo", lambda text: f"'''\n{text}\n'''")),
    Entry("pictures_timed", 4, then=every("demo", lambda text: f"%%time\n{text}")),
    Entry("a_picture_that_fails", 1, {"demo 2": "CELL\nraise ValueError", "demo 4": "1 / 0\nCELL"}),
    Entry(
        "a_picture_that_is_changed",
        1,
        {
            "demo 6": "CELL\ngain = 3",
            "demo 5": "import numpy as np\nCELL\nzeros = np.zeros(3)",
            "dead_fraction": (
                "def dead_fraction(activations):\n    return float(np.mean((activations == 0).all(0).numpy()))"
            ),
        },
        note="np comes from a line added to a handed-out cell",
    ),
    Entry(
        "a_check_that_is_changed",
        5,
        {
            "check gaussian_kl": "import numpy as np\nLIMIT = 1e-2\nCELL",
            "adaptive_learning_rate": (
                "def adaptive_learning_rate(rate, kl, desired_kl):\n"
                "    if kl > 2 * desired_kl:\n"
                "        return float(np.maximum(1e-5, rate / 1.5))\n"
                "    return min(LIMIT, rate * 1.5) if 0 < kl < desired_kl / 2 else rate"
            ),
        },
        note="an answer uses a name that was added to the cell of a check",
    ),
    Entry(
        "your_code_here_is_still_there",
        1,
        {
            "mlp_forward": '''\
def mlp_forward(x, weights, biases, activation):
    """Run an MLP: x [batch, in], weights [out, in] and biases [out] of each layer; returns [batch, out]."""
    # YOUR CODE HERE
    *hidden, last = zip(weights, biases)
    for w, b in hidden:
        x = activation(torch.addmm(b, x, w.t()))
    return torch.addmm(last[1], x, last[0].t())
    raise NotImplementedError("mlp_forward is not answered yet")'''
        },
    ),
    Entry(
        "raise_above_the_answer",
        2,
        {
            "receptive_field": (
                "def receptive_field(kernels, strides, dilations):\n    raise NotImplementedError()\n    return 1"
            )
        },
        note="never answered",
    ),
    Entry(
        "another_name",
        2,
        {"receptive_field": ANSWERS["2_cnn"]["receptive_field"].replace("def receptive_field", "def receptiveField")},
        "https://github.com/jupyter/nbgrader/issues/416",
        note="the required name is not defined",
    ),
    Entry(
        "other_names_of_arguments",
        4,
        {
            "merge_moments": (
                "def merge_moments(n, m1, v1, k, m2, v2, eps=0):\n"
                "    t = n + k\n"
                "    d = m2 - m1\n"
                "    return t, m1 + d * k / t, (n * v1 + k * v2) / t + d * d * n * k / t**2"
            )
        },
    ),
    Entry(
        "any_number_of_arguments",
        5,
        {
            "gaussian_kl": (
                "def gaussian_kl(*args):\n"
                "    a, s, b, t = args\n"
                "    return (torch.log(t / s) + (s * s + (a - b) ** 2) / (2 * t * t) - 0.5).sum(1)"
            )
        },
    ),
    # Types
    Entry("an_answer_in_a_raw_cell", 1, {"count_parameters": Raw("CELL")}, TYPED, note="never runs"),
    Entry("a_raw_copy_of_an_answer", 1, {"count_parameters": ["CELL", Raw("def count_parameters(:")]}, TYPED),
    Entry("a_check_as_text", 2, {"check conv2d": Markdown("CELL")}, "https://github.com/jupyter/nbgrader/issues/92"),
    Entry(
        "text_as_code",
        4,
        then=lambda cells: [replace(cell, source=str(cell.source)) if cell.key == "text" else cell for cell in cells],
        source=TYPED,
        note="Markdown cells turned into code cells raise",
    ),
    Entry("another_language", 3, {"end": ["%%R\nplot(1)", "library(ggplot2)", "x <- 3"]}),
]
