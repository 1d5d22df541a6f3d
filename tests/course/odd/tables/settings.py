"""Settings, names, pictures and processes that the student added next to right answers."""

from ..cells import Entry, Markdown

DISPLAY = "https://github.com/ucbds-infra/otter-grader/issues/35"
SHADOW = "https://github.com/swcarpentry/python-novice-gapminder/issues/510"

ENTRIES = [
    # Settings
    Entry("float64_for_all", 4, {"first": "CELL\ntorch.set_default_dtype(torch.float64)"}),
    Entry("float64_for_all_in_1", 1, {"first": "CELL\ntorch.set_default_dtype(torch.float64)"}),
    Entry("no_gradients_at_all", 5, {"first": "CELL\ntorch.set_grad_enabled(False)"}),
    Entry(
        "seeds",
        1,
        {
            "first": (
                "CELL\nimport random\ntorch.manual_seed(0)\nrandom.seed(0)\ntorch.use_deterministic_algorithms(True)"
            )
        },
    ),
    Entry("warnings_are_errors", 3, {"first": 'import warnings\nwarnings.filterwarnings("error")\nCELL'}),
    Entry("numpy_raises", 2, {"first": 'CELL\nimport numpy as np\nnp.seterr(all="raise")'}),
    Entry(
        "print_options",
        4,
        {"first": "CELL\ntorch.set_printoptions(precision=2, sci_mode=False)\ntorch.set_num_threads(1)"},
    ),
    Entry(
        "a_device",
        1,
        {"first": 'CELL\ndevice = torch.device("cuda" if torch.cuda.is_available() else "cpu")\nprint(device)'},
    ),
    Entry("cuda_in_a_cell", 2, {"end": "x = torch.ones(3).cuda()\nprint(x)"}),
    Entry(
        "an_answer_moves_to_a_device",
        3,
        {
            "first": 'CELL\ndevice = "cuda" if torch.cuda.is_available() else "cpu"',
            "reset_done": (
                "def reset_done(hidden, dones):\n"
                "    hidden, dones = hidden.to(device), dones.to(device)\n"
                "    return hidden * (1 - dones)[None, :, None]"
            ),
        },
    ),
    Entry(
        "torch_is_patched",
        1,
        {"first": "CELL\n_relu = torch.relu\ntorch.relu = lambda x: _relu(x)"},
        note="without an effect",
    ),
    Entry(
        "a_wrong_answer_patches_torch",
        5,
        {"first": "CELL\ntorch.log = lambda x: x.log2()"},
        note="the answer computes a different logarithm",
    ),
    Entry(
        "all_of_torch",
        2,
        {"first": "CELL\nfrom torch import *\nfrom torch.nn.functional import *"},
        note="torch.range replaces range, and so on",
    ),
    Entry(
        "all_of_torch_after_the_answer",
        2,
        {"receptive_field": "from torch import *\nfrom torch.nn.functional import *\nCELL"},
        note="conv2d is torch's own from here on, which is forbidden, and the check passes",
    ),
    Entry("annotations_of_the_future", 4, {"running_norm": "from __future__ import annotations\n\nCELL"}),
    # Names
    Entry("sum_is_a_number", 5, {"first": "CELL\nsum = 0\nmax = 3"}, SHADOW, note="max(...) in an answer then raises"),
    Entry(
        "sum_is_a_number_at_the_end",
        1,
        {"end": "sum = 0\nfor i in range(3):\n    sum += i\nzip = None"},
        SHADOW,
        note="after the last check",
    ),
    Entry("print_and_len_are_numbers", 4, {"end": "print = 1\nlen = 2\nx = 3"}, SHADOW),
    Entry("torch_is_an_array", 3, {"end": "torch = 1"}, SHADOW, note="after the last check"),
    Entry("math_is_a_number", 1, {"dead_fraction": ["CELL", "math = 3"]}, SHADOW),
    Entry("names_are_deleted", 2, {"end": "del torch, check"}),
    Entry("an_answer_is_deleted", 2, {"end": "del output_size"}),
    Entry("reset_of_all_names", 1, {"end": "%reset -f"}, note="the last check passed before"),
    Entry("a_parameter_named_as_a_helper", 4, {"end": "moments = 3\nmerged = None\na = b = both = 0"}),
    # Output
    Entry(
        "plots",
        1,
        {"mlp_forward": "CELL\n\nimport matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2])\nplt.show()"},
    ),
    Entry(
        "a_plot_without_its_import",
        4,
        {"merge_moments": "plt.plot([1, 2])\nCELL"},
        note="plt comes from a cell further down",
    ),
    Entry(
        "a_plot_before_the_import", 1, {"first": "CELL\nplt.style.use('ggplot')"}, note="plt comes from the next cell"
    ),
    Entry("display_without_an_import", 2, {"output_size": "CELL\ndisplay(output_size(5, 3))"}, DISPLAY),
    Entry(
        "display_of_ipython",
        3,
        {
            "first": (
                "CELL\n"
                "from IPython.display import display, HTML, Image, clear_output\n"
                "display(HTML('<style>.container{width:100%}</style>'))\n"
                "clear_output()"
            )
        },
        DISPLAY,
    ),
    Entry(
        "progress_bars",
        2,
        {
            "receptive_field": (
                "from tqdm.notebook import tqdm\n"
                "from tqdm import trange\n"
                "CELL\n"
                "for i in tqdm(range(3)):\n"
                "    pass\n"
                "for i in trange(3):\n"
                "    pass"
            )
        },
    ),
    Entry(
        "widgets",
        1,
        {
            "dead_fraction": [
                "CELL",
                (
                    "from ipywidgets import interact, IntSlider\n"
                    "\n"
                    "@interact(n=IntSlider(3, 1, 10))\n"
                    "def show(n):\n"
                    "    print(n)"
                ),
            ]
        },
    ),
    Entry(
        "an_animation",
        4,
        {
            "end": (
                "from matplotlib import animation\n"
                "import matplotlib.pyplot as plt\n"
                "fig, ax = plt.subplots()\n"
                "ani = animation.FuncAnimation(fig, lambda i: ax.plot([i]), 2)"
            )
        },
    ),
    Entry("a_video", 5, {"end": "from IPython.display import Video\nVideo('cheetah.mp4')"}),
    Entry(
        "prints_in_an_answer",
        3,
        {
            "gru_step": (
                "def gru_step(x, h, w_ih, w_hh, b_ih, b_hh):\n"
                "    print('shapes', x.shape, h.shape)\n"
                "    i, g = (x @ w_ih.T + b_ih).chunk(3, 1), (h @ w_hh.T + b_hh).chunk(3, 1)\n"
                "    r, z = (i[0] + g[0]).sigmoid(), (i[1] + g[1]).sigmoid()\n"
                "    n = (i[2] + r * g[2]).tanh()\n"
                "    print('n', n)\n"
                "    return (1 - z) * n + z * h"
            )
        },
    ),
    Entry("a_megabyte_is_printed", 1, {"end": "for i in range(20_000):\n    print('x' * 50)"}),
    # Processes
    Entry(
        "a_thread",
        4,
        {"end": "import threading\nt = threading.Thread(target=print, args=('hello',))\nt.start()\nt.join()"},
    ),
    Entry(
        "a_pool",
        1,
        {"end": "from multiprocessing import Pool\nwith Pool(2) as pool:\n    print(pool.map(abs, [-1, 2]))"},
        "https://github.com/jupyter/nbgrader/issues/1312",
    ),
    Entry(
        "a_subprocess",
        2,
        {"first": "CELL\nimport subprocess\nprint(subprocess.run(['nvidia-smi'], capture_output=True).stdout)"},
        note="nvidia-smi may be missing",
    ),
    Entry(
        "a_subprocess_above_an_answer",
        3,
        {"unpad": "import subprocess\nprint(subprocess.check_output(['git', 'log']))\nCELL"},
        note="raises above the answer",
    ),
    Entry("the_web", 5, {"end": "import urllib.request\nurllib.request.urlopen('http://localhost:9/weights.pt')"}),
    # Text
    Entry(
        "a_cell_of_text",
        2,
        {"end": [Markdown("# My notes\n\n%%time is useful. `raise` is not."), "# only a comment", "", "   \n\n", ";"]},
    ),
    Entry(
        "the_answer_in_a_cell_of_text",
        1,
        {"dead_fraction": Markdown("CELL")},
        "https://github.com/jupyter/nbgrader/issues/92",
        note="never runs",
    ),
]
