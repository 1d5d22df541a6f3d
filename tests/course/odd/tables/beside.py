"""Lines and cells of the learner's own that fail, wait or change something, next to right answers."""

from ..cells import Entry, Markdown, Stopped

MISSING = "https://github.com/ucbds-infra/otter-grader/issues/906"
COLAB = "https://github.com/phreakyphoenix/MXNet-GluonCV-AWS-Coursera/issues/1"
INPUT = "https://github.com/jupyter/nbgrader/issues/1844"
LOOP = "https://github.com/ucbds-infra/otter-grader/issues/469"
DISPLAY = "https://github.com/ucbds-infra/otter-grader/issues/35"
SHADOW = "https://github.com/swcarpentry/python-novice-gapminder/issues/510"
CONFLICT = "https://github.com/jupyter/help/issues/67"
SPACE = "https://github.com/jupyter/notebook/issues/3105"
FILES = "https://github.com/jupyter/nbgrader/issues/1876"

SCALE = "discounted_return_scale"

ENTRIES = [
    # Modules that are not there
    Entry("seaborn_in_the_first_cell", 1, {"first": "import seaborn as sns\nCELL"}, MISSING, note="the imports below it do not run"),
    Entry("seaborn_after_the_imports", 1, {"first": "CELL\nimport seaborn as sns\n\nsns.set_theme()"}, MISSING),
    Entry("pandas_beside_an_answer", 4, {"merge_moments": "import pandas as pd\nCELL"}, MISSING),
    Entry("pandas_below_an_answer", 4, {"merge_moments": "CELL\nimport pandas as pd"}, MISSING),
    Entry("a_plot_with_plotly", 2, {"end": "import plotly.express as px\nfig = px.line(x=[1], y=[2])\nfig.show()"}, MISSING),
    Entry("sklearn_imported_in_a_try", 3, {"first": "CELL\ntry:\n    import sklearn\nexcept ImportError:\n    sklearn = None"}, MISSING),
    Entry("jax_if_there_is_one", 5, {"gaussian_kl": "try:\n    from jax import numpy as jnp\nexcept ModuleNotFoundError:\n    jnp = torch\nHALF = jnp.ones(1) / 2\nCELL"}, MISSING),
    Entry("colab_drive", 1, {"top": 'from google.colab import drive\n\ndrive.mount("/content/drive")\n%cd /content/drive/MyDrive'}, COLAB),
    Entry("colab_drive_in_the_first_cell", 4, {"first": 'CELL\nfrom google.colab import drive\ndrive.mount("/content/drive")'}, COLAB),
    Entry("colab_drive_beside_an_answer", 2, {"conv2d": "CELL\nfrom google.colab.patches import cv2_imshow"}, COLAB),
    Entry("kaggle_secrets", 3, {"top": "from kaggle_secrets import UserSecretsClient\nimport numpy as np\nimport os\nfor folder, _, names in os.walk('/kaggle/input'):\n    print(folder, names)"}),
    Entry("numpy_below_what_fails", 1, {"dead_fraction": "import seaborn\nimport numpy as np\n\n\ndef dead_fraction(activations):\n    return np.mean([bool((unit == 0).all()) for unit in activations.T])"}, MISSING),
    Entry("rsl_rl", 6, {"first": "CELL\n\nfrom rsl_rl.modules import ActorCritic"}, note="the module was renamed"),
    Entry("rsl_edu_beside_an_answer", 4, {"running_norm": "from rsl_edu.modules import EmpiricalNormalization\nfrom rsl_edu import explorers\nCELL"}),
    # What waits
    Entry("input_beside_an_answer", 1, {"count_parameters": 'n = int(input("How many layers? "))\nCELL\nprint(count_parameters(n, 2, []))'}, INPUT),
    Entry("input_in_a_cell_of_its_own", 2, {"end": 'name = input("Your name: ")\nimport getpass\nword = getpass.getpass()'}, INPUT),
    Entry("a_loop_without_end", 1, {"end": Stopped("while True:\n    pass")}, LOOP, note="stopped by the learner"),
    Entry("a_loop_without_end_between_answers", 4, {"merge_moments": ["CELL", Stopped("n = 0\nwhile n >= 0:\n    n += 1")]}, LOOP),
    Entry("a_loop_without_end_below_an_answer", 2, {"conv2d": Stopped("CELL\n\ni = 0\nwhile i < 10:\n    conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2))")}, LOOP),
    Entry("a_slow_cell", 3, {"gru_step": ["CELL", "total = 0\nfor i in range(40_000_000):\n    total += i"]}),
    Entry("six_slow_cells", 2, {"end": ["sum(range(60_000_000))"] * 6}, note="about a second each"),
    Entry("sleep", 5, {"gaussian_kl": "import time\ntime.sleep(2)\nCELL"}),
    Entry("a_debugger_is_opened", 4, {"end": ["1 / 0", "%debug"]}, "https://github.com/jupyter/nbgrader/pull/77"),
    # What fails
    Entry("an_own_test_fails", 1, {"mlp_forward": "CELL\n\nassert mlp_forward(torch.ones(1, 1), [], [], None) == 3"}),
    Entry("an_own_test_fails_in_a_cell", 4, {"end": "assert merge_moments(1, 2, 3, 4, 5, 6) == 7"}),
    Entry("print_of_python_2", 2, {"output_size": "CELL\nprint output_size(5, 3)"}, note="a syntax error beside the answer: nothing of it is defined"),
    Entry("a_slip_beside_an_answer", 1, {"dead_fraction": "CELL\nprnt x"}, note="nothing of the cell runs"),
    Entry("a_slip_in_a_scratch_cell", 1, {"end": ["for i in range(3)\n    print(i)", "print('done')"]}),
    Entry("a_bracket_that_is_not_closed", 3, {"end": "print(torch.ones(3)"}),
    Entry("return_outside_of_a_function", 4, {"end": "x = 1\nreturn x"}),
    Entry("return_below_an_answer", 2, {"receptive_field": "CELL\n\nreturn receptive_field"}, note="a syntax error beside the answer"),
    Entry("a_merge_conflict", 4, {"end": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> ada"}, CONFLICT),
    Entry("a_merge_conflict_in_an_answer", 4, {"merge_moments": "<<<<<<< HEAD\nCELL\n=======\nCELL\n>>>>>>> ada"}, CONFLICT),
    Entry("sys_exit_between_answers", 1, {"mlp_forward": ["CELL", "import sys\nsys.exit()"]}, note="a kernel goes on"),
    Entry("system_exit_below_an_answer", 2, {"conv2d": "CELL\nraise SystemExit"}, note="a kernel goes on"),
    Entry("exit_at_the_end", 4, {"end": "exit"}, note="ends the kernel"),
    Entry("quit_between_answers", 1, {"orthogonal_": ["CELL", "quit()"]}, note="ends the kernel: what follows never ran"),
    Entry("an_error_above_the_answer", 5, {"gaussian_entropy": "x = undefined + 1\nCELL"}, note="the answer is not defined"),
    Entry("an_error_below_the_answer", 5, {"gaussian_entropy": "CELL\nx = undefined + 1"}),
    Entry("a_call_with_names_of_a_deleted_cell", 3, {"unpad": "CELL\nunpad(my_padded, my_mask, 6)"}),
    # Files
    Entry("a_table_that_is_not_there", 4, {"merge_moments": 'CELL\nrows = open("data.csv").read()'}, FILES),
    Entry("weights_that_are_not_there", 1, {"mlp_forward": 'policy = torch.load("policy.pt")\nCELL'}, FILES, note="raises above the answer"),
    Entry("files_are_written_and_read", 2, {"receptive_field": 'torch.save([1], "x.pt")\nJ = torch.load("x.pt")[0]\nCELL\nwith open("notes.txt", "w") as f:\n    f.write("done")'}, FILES),
    Entry("a_folder_is_made_and_entered", 1, {"first": 'CELL\nimport os\nos.makedirs("work", exist_ok=True)\nos.chdir("work")'}, FILES),
    Entry("the_home_folder", 3, {"end": "from pathlib import Path\nprint(list(Path.home().iterdir())[:2], Path.cwd())"}),
    # Settings
    Entry("float64_for_all", 4, {"first": "CELL\ntorch.set_default_dtype(torch.float64)"}),
    Entry("float64_for_all_in_1", 1, {"first": "CELL\ntorch.set_default_dtype(torch.float64)"}),
    Entry("no_gradients_at_all", 5, {"first": "CELL\ntorch.set_grad_enabled(False)"}),
    Entry("seeds", 1, {"first": "CELL\nimport random\ntorch.manual_seed(0)\nrandom.seed(0)\ntorch.use_deterministic_algorithms(True)"}),
    Entry("warnings_are_errors", 3, {"first": 'import warnings\nwarnings.filterwarnings("error")\nCELL'}),
    Entry("numpy_raises", 2, {"first": 'CELL\nimport numpy as np\nnp.seterr(all="raise")'}),
    Entry("print_options", 4, {"first": "CELL\ntorch.set_printoptions(precision=2, sci_mode=False)\ntorch.set_num_threads(1)"}),
    Entry("a_device", 1, {"first": 'CELL\ndevice = torch.device("cuda" if torch.cuda.is_available() else "cpu")\nprint(device)'}),
    Entry("cuda_in_a_cell", 2, {"end": "x = torch.ones(3).cuda()\nprint(x)"}),
    Entry("an_answer_moves_to_a_device", 3, {"first": 'CELL\ndevice = "cuda" if torch.cuda.is_available() else "cpu"', "reset_done": "def reset_done(hidden, dones):\n    hidden, dones = hidden.to(device), dones.to(device)\n    return hidden * (1 - dones)[None, :, None]"}),
    Entry("torch_is_patched", 1, {"first": "CELL\n_relu = torch.relu\ntorch.relu = lambda x: _relu(x)"}, note="without an effect"),
    Entry("a_wrong_answer_patches_torch", 5, {"first": "CELL\ntorch.log = lambda x: x.log2()"}, note="changes what the check computes too, maybe"),
    Entry("all_of_torch", 2, {"first": "CELL\nfrom torch import *\nfrom torch.nn.functional import *"}, note="brings another conv2d, before the answer"),
    Entry("all_of_torch_after_the_answer", 2, {"receptive_field": "from torch import *\nfrom torch.nn.functional import *\nCELL"}, note="the learner's conv2d is torch's from here on"),
    Entry("annotations_of_the_future", 4, {"running_norm": "from __future__ import annotations\n\nCELL"}),
    # Names
    Entry("sum_is_a_number", 5, {"first": "CELL\nsum = 0\nmax = 3"}, SHADOW, note="max(...) in an answer then raises"),
    Entry("sum_is_a_number_at_the_end", 1, {"end": "sum = 0\nfor i in range(3):\n    sum += i\nzip = None"}, SHADOW, note="after the last check"),
    Entry("print_and_len_are_numbers", 4, {"end": "print = 1\nlen = 2\nx = 3"}, SHADOW),
    Entry("torch_is_an_array", 3, {"end": "torch = 1"}, SHADOW, note="after the last check"),
    Entry("math_is_a_number", 1, {"dead_fraction": ["CELL", "math = 3"]}, SHADOW),
    Entry("names_are_deleted", 2, {"end": "del torch, check"}),
    Entry("an_answer_is_deleted", 2, {"end": "del output_size"}),
    Entry("reset_of_all_names", 1, {"end": "%reset -f"}, note="the last check passed before"),
    Entry("a_parameter_named_as_a_helper", 4, {"end": "moments = 3\nmerged = None\na = b = both = 0"}),
    # Shows
    Entry("plots", 1, {"mlp_forward": "CELL\n\nimport matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2])\nplt.show()"}),
    Entry("a_plot_without_its_import", 4, {"merge_moments": "plt.plot([1, 2])\nCELL"}, note="plt comes from a cell further down"),
    Entry("a_plot_before_the_import", 1, {"first": "CELL\nplt.style.use('ggplot')"}, note="plt comes from the next cell"),
    Entry("display_without_an_import", 2, {"output_size": "CELL\ndisplay(output_size(5, 3))"}, DISPLAY),
    Entry("display_of_ipython", 3, {"first": "CELL\nfrom IPython.display import display, HTML, Image, clear_output\ndisplay(HTML('<style>.container{width:100%}</style>'))\nclear_output()"}, DISPLAY),
    Entry("progress_bars", 2, {"receptive_field": "from tqdm.notebook import tqdm\nfrom tqdm import trange\nCELL\nfor i in tqdm(range(3)):\n    pass\nfor i in trange(3):\n    pass"}),
    Entry("widgets", 1, {"dead_fraction": ["CELL", "from ipywidgets import interact, IntSlider\n\n@interact(n=IntSlider(3, 1, 10))\ndef show(n):\n    print(n)"]}),
    Entry("an_animation", 4, {"end": "from matplotlib import animation\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nani = animation.FuncAnimation(fig, lambda i: ax.plot([i]), 2)"}),
    Entry("a_video", 5, {"end": "from IPython.display import Video\nVideo('cheetah.mp4')"}),
    Entry("prints_in_an_answer", 3, {"gru_step": "def gru_step(x, h, w_ih, w_hh, b_ih, b_hh):\n    print('shapes', x.shape, h.shape)\n    i, g = (x @ w_ih.T + b_ih).chunk(3, 1), (h @ w_hh.T + b_hh).chunk(3, 1)\n    r, z = (i[0] + g[0]).sigmoid(), (i[1] + g[1]).sigmoid()\n    n = (i[2] + r * g[2]).tanh()\n    print('n', n)\n    return (1 - z) * n + z * h"}),
    Entry("a_megabyte_is_printed", 1, {"end": "for i in range(20_000):\n    print('x' * 50)"}),
    # Processes
    Entry("a_thread", 4, {"end": "import threading\nt = threading.Thread(target=print, args=('hello',))\nt.start()\nt.join()"}),
    Entry("a_pool", 1, {"end": "from multiprocessing import Pool\nwith Pool(2) as pool:\n    print(pool.map(abs, [-1, 2]))"}, "https://github.com/jupyter/nbgrader/issues/1312"),
    Entry("a_subprocess", 2, {"first": "CELL\nimport subprocess\nprint(subprocess.run(['nvidia-smi'], capture_output=True).stdout)"}, note="nvidia-smi may not be there"),
    Entry("a_subprocess_beside_an_answer", 3, {"unpad": "import subprocess\nprint(subprocess.check_output(['git', 'log']))\nCELL"}, note="raises above the answer"),
    Entry("the_web", 5, {"end": "import urllib.request\nurllib.request.urlopen('http://localhost:9/weights.pt')"}),
    # Text
    Entry("a_cell_of_text", 2, {"end": [Markdown("# My notes\n\n%%time is useful. `raise` is not."), "# only a comment", "", "   \n\n", ";"]}),
    Entry("the_answer_in_a_cell_of_text", 1, {"dead_fraction": Markdown("CELL")}, "https://github.com/jupyter/nbgrader/issues/92", note="never runs"),
]
