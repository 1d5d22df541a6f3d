"""Lines and cells that the student added next to right answers, and that fail or wait."""

from ..cells import Entry, Stopped

MISSING = "https://github.com/ucbds-infra/otter-grader/issues/906"
COLAB = "https://github.com/phreakyphoenix/MXNet-GluonCV-AWS-Coursera/issues/1"
INPUT = "https://github.com/jupyter/nbgrader/issues/1844"
LOOP = "https://github.com/ucbds-infra/otter-grader/issues/469"
CONFLICT = "https://github.com/jupyter/help/issues/67"
FILES = "https://github.com/jupyter/nbgrader/issues/1876"


ENTRIES = [
    # Modules that are missing
    Entry(
        "seaborn_in_the_first_cell",
        1,
        {"first": "import seaborn as sns\nCELL"},
        MISSING,
        note="without seaborn, the imports below it do not run",
        installed=("seaborn",),
    ),
    Entry(
        "seaborn_after_the_imports",
        1,
        {"first": "CELL\nimport seaborn as sns\n\nsns.set_theme()"},
        MISSING,
        installed=("seaborn",),
    ),
    Entry("pandas_above_an_answer", 4, {"merge_moments": "import pandas as pd\nCELL"}, MISSING, installed=("pandas",)),
    Entry("pandas_below_an_answer", 4, {"merge_moments": "CELL\nimport pandas as pd"}, MISSING, installed=("pandas",)),
    Entry(
        "a_plot_with_plotly",
        2,
        {"end": "import plotly.express as px\nfig = px.line(x=[1], y=[2])\nfig.show()"},
        MISSING,
        installed=("plotly.express",),
    ),
    Entry(
        "sklearn_imported_in_a_try",
        3,
        {"first": "CELL\ntry:\n    import sklearn\nexcept ImportError:\n    sklearn = None"},
        MISSING,
    ),
    Entry(
        "jax_if_there_is_one",
        5,
        {
            "gaussian_kl": (
                "try:\n"
                "    from jax import numpy as jnp\n"
                "except ModuleNotFoundError:\n"
                "    jnp = torch\n"
                "HALF = jnp.ones(1) / 2\n"
                "CELL"
            )
        },
        MISSING,
    ),
    Entry(
        "colab_drive",
        1,
        {"top": 'from google.colab import drive\n\ndrive.mount("/content/drive")\n%cd /content/drive/MyDrive'},
        COLAB,
        installed=("google.colab.drive",),
    ),
    Entry(
        "colab_drive_in_the_first_cell",
        4,
        {"first": 'CELL\nfrom google.colab import drive\ndrive.mount("/content/drive")'},
        COLAB,
        installed=("google.colab.drive",),
    ),
    Entry(
        "colab_drive_below_an_answer",
        2,
        {"conv2d": "CELL\nfrom google.colab.patches import cv2_imshow"},
        COLAB,
        installed=("google.colab.patches",),
    ),
    Entry(
        "kaggle_secrets",
        3,
        {
            "top": (
                "from kaggle_secrets import UserSecretsClient\n"
                "import numpy as np\n"
                "import os\n"
                "for folder, _, names in os.walk('/kaggle/input'):\n"
                "    print(folder, names)"
            )
        },
        installed=("kaggle_secrets",),
    ),
    Entry(
        "numpy_below_what_fails",
        1,
        {
            "dead_fraction": (
                "import seaborn\n"
                "import numpy as np\n"
                "\n"
                "\n"
                "def dead_fraction(activations):\n"
                "    return np.mean([bool((unit == 0).all()) for unit in activations.T])"
            )
        },
        MISSING,
        installed=("seaborn",),
    ),
    Entry("rsl_rl", 6, {"first": "CELL\n\nfrom rsl_rl.modules import ActorCritic"}, note="the module was renamed"),
    Entry(
        "rsl_edu_above_an_answer",
        4,
        {"running_norm": "from rsl_edu.modules import EmpiricalNormalization\nfrom rsl_edu import explorers\nCELL"},
    ),
    # Cells that wait
    Entry(
        "input_in_the_cell_of_an_answer",
        1,
        {"count_parameters": 'n = int(input("How many layers? "))\nCELL\nprint(count_parameters(n, 2, []))'},
        INPUT,
    ),
    Entry(
        "input_in_a_cell_of_its_own",
        2,
        {"end": 'name = input("Your name: ")\nimport getpass\nword = getpass.getpass()'},
        INPUT,
    ),
    Entry("a_loop_without_end", 1, {"end": Stopped("while True:\n    pass")}, LOOP, note="stopped by the student"),
    Entry(
        "a_loop_without_end_between_answers",
        4,
        {"merge_moments": ["CELL", Stopped("n = 0\nwhile n >= 0:\n    n += 1")]},
        LOOP,
    ),
    Entry(
        "a_loop_without_end_below_an_answer",
        2,
        {"conv2d": Stopped("CELL\n\ni = 0\nwhile i < 10:\n    conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2))")},
        LOOP,
    ),
    Entry("a_slow_cell", 3, {"gru_step": ["CELL", "total = 0\nfor i in range(40_000_000):\n    total += i"]}),
    Entry("six_slow_cells", 2, {"end": ["sum(range(60_000_000))"] * 6}, note="about a second each"),
    Entry("sleep", 5, {"gaussian_kl": "import time\ntime.sleep(2)\nCELL"}),
    Entry("a_debugger_is_opened", 4, {"end": ["1 / 0", "%debug"]}, "https://github.com/jupyter/nbgrader/pull/77"),
    # Cells that fail
    Entry("an_own_test_fails", 1, {"mlp_forward": "CELL\n\nassert mlp_forward(torch.ones(1, 1), [], [], None) == 3"}),
    Entry("an_own_test_fails_in_a_cell", 4, {"end": "assert merge_moments(1, 2, 3, 4, 5, 6) == 7"}),
    Entry(
        "print_of_python_2",
        2,
        {"output_size": "CELL\nprint output_size(5, 3)"},
        note="a syntax error in the cell of the answer, so nothing in it is defined",
    ),
    Entry("a_slip_below_an_answer", 1, {"dead_fraction": "CELL\nprnt x"}, note="no line of the cell runs"),
    Entry("a_slip_in_a_scratch_cell", 1, {"end": ["for i in range(3)\n    print(i)", "print('done')"]}),
    Entry("a_bracket_that_is_not_closed", 3, {"end": "print(torch.ones(3)"}),
    Entry("return_outside_of_a_function", 4, {"end": "x = 1\nreturn x"}),
    Entry(
        "return_below_an_answer",
        2,
        {"receptive_field": "CELL\n\nreturn receptive_field"},
        note="a syntax error in the cell of the answer",
    ),
    Entry("a_merge_conflict", 4, {"end": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> ada"}, CONFLICT),
    Entry(
        "a_merge_conflict_in_an_answer",
        4,
        {"merge_moments": "<<<<<<< HEAD\nCELL\n=======\nCELL\n>>>>>>> ada"},
        CONFLICT,
    ),
    Entry(
        "sys_exit_between_answers", 1, {"mlp_forward": ["CELL", "import sys\nsys.exit()"]}, note="a kernel continues"
    ),
    Entry("system_exit_below_an_answer", 2, {"conv2d": "CELL\nraise SystemExit"}, note="a kernel continues"),
    Entry("exit_at_the_end", 4, {"end": "exit"}, note="ends the kernel"),
    Entry(
        "quit_between_answers",
        1,
        {"orthogonal_": ["CELL", "quit()"]},
        note="ends the kernel, so the cells after it never ran",
    ),
    Entry(
        "an_error_above_the_answer",
        5,
        {"gaussian_entropy": "x = undefined + 1\nCELL"},
        note="the answer is not defined",
    ),
    Entry("an_error_below_the_answer", 5, {"gaussian_entropy": "CELL\nx = undefined + 1"}),
    Entry("a_call_with_names_of_a_deleted_cell", 3, {"unpad": "CELL\nunpad(my_padded, my_mask, 6)"}),
    # Files
    Entry("a_table_that_is_not_there", 4, {"merge_moments": 'CELL\nrows = open("data.csv").read()'}, FILES),
    Entry(
        "weights_that_are_not_there",
        1,
        {"mlp_forward": 'policy = torch.load("policy.pt")\nCELL'},
        FILES,
        note="raises above the answer",
    ),
    Entry(
        "files_are_written_and_read",
        2,
        {
            "receptive_field": (
                'torch.save([1], "x.pt")\n'
                'J = torch.load("x.pt")[0]\n'
                "CELL\n"
                'with open("notes.txt", "w") as f:\n'
                '    f.write("done")'
            )
        },
        FILES,
    ),
    Entry(
        "a_folder_is_made_and_entered",
        1,
        {"first": 'CELL\nimport os\nos.makedirs("work", exist_ok=True)\nos.chdir("work")'},
        FILES,
    ),
    Entry(
        "the_home_folder", 3, {"end": "from pathlib import Path\nprint(list(Path.home().iterdir())[:2], Path.cwd())"}
    ),
]
