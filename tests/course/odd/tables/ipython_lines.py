"""Lines that only IPython understands, next to answers or in cells of their own."""

from ..cells import Entry

HELP = "https://github.com/jupytext/jupytext/issues/297"
TIMED = "https://github.com/flake8-docs/flake8-rst/pull/16"
SHELL = "https://github.com/jupyter/nbconvert/issues/503"
OTTER = "https://github.com/ucbds-infra/otter-grader/issues/861"
AUTOMAGIC = "https://ipython.readthedocs.io/en/stable/interactive/reference.html"

SCALE = "discounted_return_scale"

ENTRIES = [
    # Help
    Entry("help_at_the_end", 4, {"merge_moments": "CELL\n\ntorch.lerp?"}, HELP),
    Entry("help_in_front", 4, {"merge_moments": "?torch.lerp\nCELL"}, HELP),
    Entry("help_between_two_functions", 1, {"mlp_forward": "def act(x):\n    return x\n\ntorch.relu?\n\nCELL"}, HELP),
    Entry("source_of_a_name", 2, {"conv2d": "CELL\n\ntorch.nn.functional.pad??"}, HELP),
    Entry("help_of_a_check", 1, {"orthogonal_": "CELL\ncheck.orthogonal_?"}, HELP),
    Entry("help_of_what_is_not_there", 5, {"gaussian_kl": "CELL\n\ntorch.kl_divergance?"}, HELP),
    Entry("help_with_a_star", 3, {"gru_step": "torch.*sigmoid*?\nCELL"}, AUTOMAGIC),
    Entry("help_of_a_magic", 2, {"output_size": "%timeit?\nCELL"}, AUTOMAGIC),
    Entry("help_as_the_only_line_of_an_if", 4, {SCALE: "if True:\n    torch.std?\nCELL"}),
    Entry(
        "help_after_an_answer_with_a_comment",
        6,
        {"merge_moments": "CELL\n\n# what does it do?\ntorch.lerp?\n# float?"},
        HELP,
    ),
    Entry("question_marks_in_text", 1, {"dead_fraction": '"""Is a unit dead?\ntorch.all?\n"""\nCELL\n# right?'}, HELP),
    # Shell
    Entry("files_are_listed_into_a_name", 1, {"first": "CELL\nfiles = !ls\nprint(len(files))"}, SHELL),
    Entry("files_are_listed_above_an_answer", 1, {"count_parameters": "files = !ls\nCELL"}, SHELL),
    Entry(
        "helper_uses_the_output_of_the_shell",
        4,
        {"merge_moments": "n = !echo 2\nHALF = 1 / len(n) / 2\nprint(HALF)\nCELL"},
        SHELL,
    ),
    Entry("pip_on_two_lines", 1, {"first": "!pip install -q \\\n    torch\nCELL"}, OTTER),
    Entry("pip_with_a_percent_sign", 2, {"first": "%pip install -q torch\nCELL"}, OTTER),
    Entry("pip_above_an_answer", 4, {"running_norm": "!pip install seaborn\nCELL"}, OTTER),
    Entry("conda", 2, {"first": "CELL\n%conda install -y seaborn"}, OTTER),
    Entry("automatic_pip", 3, {"top": "pip install torch"}, AUTOMAGIC, note="without % and !"),
    Entry("two_exclamation_marks", 2, {"receptive_field": "!!ls\nCELL"}, AUTOMAGIC),
    Entry("shell_with_a_python_name", 5, {"first": "CELL\nlesson = 5\n!echo lesson {lesson} $lesson"}, SHELL),
    Entry("shell_in_a_function", 4, {"end": "def show():\n    !ls\n\nshow()"}, SHELL),
    Entry(
        "shell_as_the_only_line_of_an_if",
        1,
        {"first": 'CELL\nimport sys\n\nif "google.colab" in sys.modules:\n    !pip install rsl_edu'},
        "https://github.com/hse-aml/natural-language-processing/pull/71",
    ),
    Entry(
        "pip_as_the_only_line_of_an_except",
        1,
        {"mlp_forward": "try:\n    import seaborn\nexcept ImportError:\n    !pip install seaborn\n\nCELL"},
        OTTER,
    ),
    Entry("shell_in_a_for_loop", 3, {"unpad": "for i in range(2):\n    !echo {i}\nCELL"}, SHELL),
    Entry("shell_in_a_with", 2, {"conv2d": "with torch.no_grad():\n    !echo hello\nCELL"}, SHELL),
    Entry(
        "a_function_with_a_shell_line_that_an_answer_calls", 4, {SCALE: "def log():\n    !echo called\n\nCELL\n\nlog()"}
    ),
    Entry(
        "shell_line_inside_an_answer",
        1,
        {
            "dead_fraction": (
                "def dead_fraction(activations):\n"
                "    !echo called > calls.txt\n"
                "    return (activations == 0).all(0).float().mean()"
            )
        },
        note="writes a file whenever the function is called",
    ),
    # Timing
    Entry(
        "timing_kept",
        4,
        {
            "merge_moments": (
                "CELL\n"
                "one = torch.ones(2)\n"
                "t = %timeit -n 1 -r 1 -o merge_moments(1, one, one, 1, one, one)\n"
                "print(t.best)"
            )
        },
        TIMED,
    ),
    Entry("timing_line", 2, {"output_size": "CELL\n%timeit -n 2 -r 2 output_size(64, 3)"}, TIMED),
    Entry("timing_wants_a_name_that_is_not_there", 2, {"conv2d": "CELL\n%timeit conv2d(image, kernel)"}, TIMED),
    Entry(
        "a_timed_line_defines_what_an_answer_needs",
        5,
        {
            "gaussian_log_prob": (
                "%time LOG = 0.5 * math.log(2 * math.pi)\n"
                "def gaussian_log_prob(mean, std, action):\n"
                "    return (-0.5 * ((action - mean) / std) ** 2 - std.log() - LOG).sum(-1)"
            )
        },
        TIMED,
    ),
    Entry("a_timed_line_sets_zero", 1, {"count_parameters": "%time x = 0\nCELL\nprint(x)"}, TIMED),
    Entry(
        "a_timed_import",
        1,
        {"first": "%time import torch\nimport itertools, math\nfrom rsl_edu.course import check"},
        TIMED,
    ),
    Entry(
        "profile",
        4,
        {"end": ["%prun -q merge_moments(1, torch.ones(2), torch.ones(2), 1, torch.ones(2), torch.ones(2))"]},
        TIMED,
    ),
    # Settings
    Entry("matplotlib_inline", 1, {"first": "%matplotlib inline\nCELL"}),
    Entry(
        "matplotlib_widget",
        2,
        {"first": "%matplotlib widget\nCELL"},
        note="the course has no ipympl",
        installed=("ipympl",),
    ),
    Entry("matplotlib_notebook", 4, {"first": "CELL\n%matplotlib notebook"}),
    Entry("pylab", 5, {"top": "%pylab inline"}, note="overwrites sum, max, min …"),
    Entry("autoreload", 4, {"first": "%load_ext autoreload\n%autoreload 2\nCELL"}),
    Entry(
        "an_extension_that_is_not_there",
        1,
        {"mlp_forward": "%load_ext line_profiler\nCELL\n%lprun -f mlp_forward mlp_forward(1, [], [], 0)"},
        installed=("line_profiler",),
    ),
    Entry("retina_pictures", 2, {"first": 'CELL\n%config InlineBackend.figure_format = "retina"'}),
    Entry("environment_variable", 3, {"first": "%env OMP_NUM_THREADS=1\nCELL"}),
    Entry("precision", 4, {"merge_moments": "%precision 3\nCELL"}),
    Entry("debugger_on", 1, {"orthogonal_": "%pdb off\nCELL"}),
    Entry("store", 2, {"receptive_field": "CELL\nside = receptive_field([3], [1], [1])\n%store side"}),
    Entry("who", 4, {"end": ["%who", "%whos Tensor", "%history -n 1-3", "%lsmagic"]}),
    Entry("a_folder_is_entered", 1, {"count_parameters": "%cd ..\nCELL"}),
    Entry("a_folder_that_is_not_there", 3, {"reset_done": "%cd /content/drive/MyDrive/robots\nCELL"}),
    Entry(
        "a_magic_that_is_not_there",
        4,
        {SCALE: "%time_it 3\nCELL"},
        note="UsageError: the rest of the cell does not run",
    ),
    Entry(
        "a_magic_in_a_try",
        6,
        {"reset_done": 'try:\n    %load_ext tensorboard\nexcept Exception:\n    print("no")\nCELL'},
    ),
    Entry("a_magic_that_gives_a_name", 2, {"output_size": "where = %pwd\nCELL"}, AUTOMAGIC),
    # Automatic
    Entry("automagic_ls", 1, {"end": ["ls", "pwd", "cd .."]}, AUTOMAGIC),
    Entry("automagic_between_lines", 1, {"mlp_forward": "CELL\nls"}, AUTOMAGIC),
    Entry("automagic_that_is_a_name_here", 2, {"end": "ls = [1, 2]\nls"}, AUTOMAGIC),
    Entry("quotes_by_comma", 4, {"merge_moments": ",print a b\nCELL"}, AUTOMAGIC),
    Entry("quotes_by_semicolon", 1, {"mlp_forward": ";print a b\nCELL"}, AUTOMAGIC),
    Entry("call_by_slash", 1, {"count_parameters": "/print math.pi\nCELL"}, AUTOMAGIC),
    Entry("call_without_brackets", 3, {"unpad": "print 3\nCELL"}, note="Python 2: a syntax error"),
    Entry(
        "the_last_result",
        2,
        {"output_size": ["CELL", "2 + 3", "five = _\nprint(_ + 1, Out[len(In) - 2], _i, _ih[1][:9])"]},
        AUTOMAGIC,
    ),
    Entry(
        "an_answer_uses_the_last_result",
        5,
        {
            "gaussian_entropy": [
                "0.5 + 0.5 * math.log(2 * math.pi)",
                "half = _\ndef gaussian_entropy(std):\n    return (std.log() + half).sum(-1)",
            ]
        },
        AUTOMAGIC,
        note="a handed-out loop assigns to _, so IPython no longer updates it",
    ),
    Entry(
        "get_ipython",
        4,
        {
            "running_norm": (
                'get_ipython().run_line_magic("matplotlib", "inline")\nget_ipython().system("echo hello")\nCELL'
            )
        },
        SHELL,
    ),
    Entry(
        "get_ipython_kind",
        1,
        {
            "first": (
                "CELL\n"
                'if "ZMQ" in type(get_ipython()).__name__:\n'
                "    from tqdm.notebook import tqdm\n"
                "else:\n"
                "    from tqdm import tqdm"
            )
        },
    ),
]
