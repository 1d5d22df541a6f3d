"""Cells that begin with two percent signs, and other cells that IPython transforms."""

from ..cells import Entry

TIME = "https://github.com/jupyter/nbconvert/issues/975"
HTML = "https://github.com/nbQA-dev/nbQA/issues/421"
PROMPTS = "https://ipython.readthedocs.io/en/stable/interactive/reference.html"

ENTRIES = [
    Entry("time_over_an_answer", 1, {"mlp_forward": "%%time\nCELL"}, TIME),
    Entry(
        "time_over_all_answers", 2, dict.fromkeys(("output_size", "conv2d", "receptive_field"), "%%time\nCELL"), TIME
    ),
    Entry("time_over_the_imports", 4, {"first": "%%time\nCELL"}, TIME),
    Entry("time_without_a_line", 3, {"end": "%%time"}, "https://github.com/marimo-team/marimo/pull/10918"),
    Entry(
        "time_and_a_remainder",
        1,
        {
            "count_parameters": """\
%%time
def count_parameters(input_dim, output_dim, hidden_dims):
    out = math.prod(output_dim) if isinstance(output_dim, tuple) else output_dim
    sizes = [input_dim, *[input_dim if h == -1 else h for h in hidden_dims], out]
    total = sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))
    return (total * 4
% (4 * total + 4)) // 4"""
        },
        note="a continued line that begins with a percent sign",
    ),
    Entry(
        "time_and_unequal",
        4,
        {
            "discounted_return_scale": """\
%%time
def discounted_return_scale(rewards, dones, gamma):
    total, rows = torch.zeros_like(rewards[0]), []
    for t in range(len(rewards)):
        alive = (dones[t - 1]
!= 1.0) if t else 1.0
        total = gamma * total * alive + rewards[t]
        rows.append(total)
    return torch.stack(rows).std(unbiased=False)"""
        },
        note="a continued line that begins with an exclamation mark",
    ),
    Entry(
        "a_remainder_on_a_line_of_its_own",
        2,
        {
            "output_size": """\
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    left = size + 2 * padding - dilation * (kernel - 1) - 1
    rest = (left
            % stride)
    return (left - rest) // stride + 1"""
        },
    ),
    Entry("timeit_over_an_answer", 1, {"dead_fraction": "%%timeit -n 1 -r 1\nCELL"}, TIME, note="defines nothing"),
    Entry("timeit_on_a_cell_of_its_own", 1, {"end": "%%timeit -n 2 -r 2\nmath.prod([1, 2])"}, TIME),
    Entry("capture_over_an_answer", 4, {"merge_moments": "%%capture out\nCELL\nprint('x')", "end": "out.show()"}, HTML),
    Entry("capture_over_all", 5, dict.fromkeys(("first", "gaussian_kl", "gaussian_entropy"), "%%capture\nCELL"), HTML),
    Entry("prun_over_an_answer", 3, {"reset_done": "%%prun -q\nCELL"}, HTML),
    Entry("bash", 1, {"end": ["%%bash\nls -la\necho $HOME", "%%sh\npwd", "%%script bash\nexit 3"]}, HTML),
    Entry("bash_over_an_answer", 1, {"dead_fraction": "%%bash\nCELL"}, HTML, note="def is not a bash command"),
    Entry(
        "html", 2, {"end": ["%%html\n<b>done</b>", "%%HTML\n<i>done</i>", "%%latex\n$x$", "%%markdown\n# hello"]}, HTML
    ),
    Entry("javascript", 4, {"top": "%%javascript\nIPython.notebook.kernel.restart()", "end": "%%js\nalert(1)"}, HTML),
    Entry("a_cell_of_another_python", 2, {"end": "%%python3\nprint(1)"}, HTML),
    Entry("a_cell_magic_that_is_not_there", 1, {"mlp_forward": "%%cython\nCELL"}, HTML),
    Entry("sql", 3, {"end": "%%sql\nSELECT * FROM robots"}, HTML),
    Entry(
        "a_magic_after_a_comment",
        4,
        {"running_norm": "# timed\n%%time\nCELL"},
        TIME,
        note="a cell magic must come first",
    ),
    Entry("a_magic_after_an_empty_line", 2, {"conv2d": "\n\n%%time\nCELL"}, TIME),
    Entry("two_cell_magics", 1, {"orthogonal_": "%%capture\n%%time\nCELL"}, TIME),
    Entry("time_with_help", 1, {"mlp_forward": "%%time\ntorch.relu?\nfiles = !ls\nCELL"}, TIME),
    Entry(
        "a_module_is_written",
        4,
        {"merge_moments": ["%%writefile merging.py\nimport torch\n\n\nCELL", "from merging import merge_moments"]},
        HTML,
    ),
    Entry(
        "a_module_is_written_and_imported_whole",
        2,
        {"receptive_field": ["%%writefile fields.py\nCELL", "import fields\nreceptive_field = fields.receptive_field"]},
        HTML,
    ),
    Entry(
        "a_module_with_a_star",
        5,
        {
            "gaussian_log_prob": [
                "%%file densities.py\nimport math\n\nimport torch\n\n\nCELL",
                "from densities import *",
            ]
        },
        HTML,
    ),
    Entry(
        "a_file_is_run", 1, {"count_parameters": ["%%writefile count.py\nimport math\n\n\nCELL", "%run count.py"]}, HTML
    ),
    Entry("a_file_is_loaded", 3, {"unpad": "# %load unpad.py\nCELL"}, HTML),
    Entry("a_file_that_is_not_there_is_run", 4, {"merge_moments": "%run helpers.py\nCELL"}),
    # Await
    Entry("await_in_a_cell", 1, {"end": "import asyncio\nawait asyncio.sleep(0)"}),
    Entry("await_above_an_answer", 4, {"merge_moments": "import asyncio\nawait asyncio.sleep(0)\nCELL"}),
    Entry(
        "an_awaited_value_is_needed",
        2,
        {
            "output_size": (
                "async def one():\n"
                "    return 1\n"
                "\n"
                "ONE = await one()\n"
                "def output_size(size, kernel, stride=1, padding=0, dilation=1):\n"
                "    return (size + 2 * padding - dilation * (kernel - ONE) - ONE) // stride + ONE"
            )
        },
    ),
    Entry(
        "async_for",
        3,
        {"end": "async def three():\n    for i in range(3):\n        yield i\n\nasync for i in three():\n    print(i)"},
    ),
    Entry(
        "a_loop_in_a_loop",
        1,
        {"dead_fraction": "import asyncio\nasync def go():\n    return 1\nasyncio.run(go())\nCELL"},
        note="raises in a kernel, before the answer",
    ),
    # Pasted
    Entry("indented", 4, {"merge_moments": "INDENTED"}, PROMPTS),
    Entry("indented_class", 4, {"running_norm": "INDENTED"}, PROMPTS),
    Entry(
        "python_prompts",
        2,
        {
            "output_size": """\
>>> def output_size(size, kernel, stride=1, padding=0, dilation=1):
...     covered = dilation * (kernel - 1) + 1
...     return (size + 2 * padding - covered) // stride + 1
..."""
        },
        PROMPTS,
    ),
    Entry(
        "ipython_prompts",
        1,
        {
            "dead_fraction": """\
In [1]: def dead_fraction(activations):
   ...:     return (activations == 0).all(0).float().mean()
   ...:"""
        },
        PROMPTS,
    ),
    Entry("python_prompts_with_results", 3, {"end": ">>> 1 + 1\n2\n>>> x = 3"}, PROMPTS),
]
