"""Cells run as in a kernel, and failing cells keep as much as possible. These tests run without a sandbox."""

import pytest

F = "def f():\n    return 1"

ONE = "def f():\n    return one"

RIGHT = {  # f() is 1 in a kernel, or was on the student's machine
    "plain": [F],
    "help at the end": [F + "\n\nsum?"],
    "help in front": ["?sum\n" + F],
    "source": [F + "\nsum??"],
    "help between": ["x = 1\nsum?\n" + F],
    "shell": ["files = !ls\n!pip install nothing\n" + F + "\n!ls"],
    "continued shell": ["!pip install \\\n    nothing\n" + F],
    "line magic": ["%matplotlib inline\n%load_ext autoreload\n" + F + "\n%timeit f()"],
    "assigned magic": ["t = %timeit -o sum([1])\n" + F],
    "magic in a block": ["if True:\n    %matplotlib inline\n" + F],
    "magic in a try": ["try:\n    %load_ext nothing\nexcept Exception:\n    pass\n" + F],
    "timed assignment": ["%time one = 1", "def f():\n    return one"],
    "timed cell": ["%%time\n" + F],
    "captured cell": ["%%capture out\n" + F],
    "timed continuation": ["%%time\none = (9\n% 4)\nif (9\n!= 7): f = lambda: one"],
    "another cell magic": ["%%html\n<b>x</b>", F],
    "unknown cell magic": ["%%nothing\nx y z", F],
    "written module": ["%%writefile my_module_1.py\none = 1", "from my_module_1 import *\ndef f():\n    return one"],
    "run file": ["%%writefile my_script.py\none = 1", "%run my_script.py\ndef f():\n    return one"],
    "env": ["%env RSL_ONE=1\nimport os\ndef f():\n    return int(os.environ['RSL_ONE'])"],
    "auto call": ["/print 1\n" + F],
    "await": ["import asyncio\nawait asyncio.sleep(0)\none = await asyncio.sleep(0, 1)\ndef f():\n    return one"],
    "a task": [
        "import asyncio\nasync def g():\n    return 1\ntask = asyncio.create_task(g())\none = await task",
        "def f():\n    return one",
    ],
    "a task that runs between cells": [
        "import asyncio\nasync def g():\n    global one\n    one = 1\ntask = asyncio.create_task(g())",
        "def f(one=one):\n    return one",
    ],
    "the loop": [
        "import asyncio\nloop = asyncio.get_running_loop()\nassert asyncio.get_event_loop() is loop\n"
        "one = await loop.run_in_executor(None, lambda: 1)\ndef f():\n    return one"
    ],
    "tasks together": [
        "import asyncio\nasync def g():\n    await asyncio.sleep(0.01)\n    return 1\n"
        "ones = asyncio.gather(g(), g())\none, _ = await ones\nassert await asyncio.create_task(g()) == 1\n"
        "asyncio.ensure_future(g())\nf = lambda: one"
    ],
    "asyncio.run": [  # works with nest_asyncio; a plain kernel refuses it
        "import asyncio\nasync def g():\n    return 1\none = asyncio.run(g())\nawait asyncio.create_task(g())\n"
        "f = lambda: one",
        "asyncio.get_event_loop()",
    ],
    "an error in a task": ["import asyncio\nasync def g():\n    exit(1)\nasyncio.create_task(g())\n" + F, "1"],
    "indented": ["    def f():\n        return 1"],
    "prompts": [">>> def f():\n...     return 1"],
    "IPython's prompts": ["In [1]: def f():\n   ...:     return 1"],
    "byte order mark": ["\ufeff" + F],
    "windows": [F.replace("\n", "\r\n")],
    "form feed": ["\f\n" + F],
    "last value": ["1", "one = _\ndef f():\n    return one"],
    "out": ["1", "def f():\n    return Out[1]"],
    "out, counted": ["import math", "1", " ", "2", "import sys", "one = Out[2]\nassert In[4] == 'import sys'\n" + ONE],
    "out, below a check": ["1", None, "2", "one = Out[3] - Out[1]\nassert _oh is Out and In is _ih\n" + ONE],
    "a value by its number": ["1", "2", "one = _1\n" + ONE],
    "other Out": ["In, Out = 1, None", "2", F],
    "get_ipython, imported": [
        "import IPython\nfrom IPython import get_ipython as first\n"
        "from IPython.core.getipython import get_ipython as last\n"
        "assert first() is IPython.get_ipython() is last() is get_ipython()\n"
        "first().run_line_magic('time', 'f = lambda: 1')"
    ],
    "get_ipython, imported after a magic": [
        "%matplotlib inline\nimport IPython\nassert IPython.get_ipython() is get_ipython()\nf = lambda: 1"
    ],
    "push": ["get_ipython().push({'one': 1})\n" + ONE, "get_ipython().push('one')"],
    "names of the user": ["ip = get_ipython()\nip.user_ns['f'] = lambda: ip.user_ns['one']\nip.ex('one = 1')"],
    "ev": ["get_ipython().ex('def f(): return 1')\nassert get_ipython().ev('f() + 1') == 2"],
    "run a cell": ["r = get_ipython().run_cell('one = 1\\n7')\nassert r.success and r.result == 7\n" + ONE],
    "other things of IPython": [
        "ip = get_ipython()\nip.events.register('post_run_cell', print)\nip.set_next_input('x')\nip.config.x.y = 2\n"
        "ip.system('ls')\nassert ip.getoutput('ls') == []\nip.kernel.do_shutdown(True)\none = 1\n" + ONE
    ],
    "own magics": [
        "from IPython.core.magic import register_cell_magic, register_line_magic, register_line_cell_magic\n"
        "@register_line_magic\ndef number(line):\n    return int(line)\n"
        "@register_cell_magic('python_of')\ndef g(line, cell):\n    get_ipython().run_cell(cell)\n"
        "@register_line_cell_magic\ndef both(line, cell=None):\n    return cell",
        "%%python_of x\none = 1",
        "%%both\n2",
        "assert _ == '2\\n'\none = %number 1\n%both\n" + ONE,
    ],
    "captured text": ["%%capture --no-stderr text\nprint('1')", "text.show()\none = int(text.stdout)\n" + ONE],
    "measured": ["r = %timeit -o -n1 sum([1])\none = int(0 < r.best <= r.average) * r.loops\n" + ONE],
    "measured cell": ["%%timeit -o\nsum([1])", "one = _.repeat\n" + ONE],
    "histogram": [
        "import matplotlib.pyplot as plt\nimport numpy as np\n_, axes = plt.subplots()\n"
        "n, bins, bars = plt.hist([1, 2, 3], 4)\n"
        "assert len(bins) == 5 and n.sum() == 3\nm, edges, _ = axes.hist(np.arange(9.0), density=True)\n"
        "assert len(m) == 10\none = n[0]\n" + ONE,
        "a, b, _ = plt.hist([[1, 2], [3]])\nn, b, _ = plt.hist([1], cumulative=True)",
    ],
    "missing module": ["import nothing_there as nt\nimport math\n" + F],
    "missing names": ["from nothing_there import a, b\n" + F],
    "missing everything": ["from nothing_there import *\n" + F],
    "missing module, used": ["import nothing_there as nt\nnt.set_theme()\n" + F],
    "missing decorator": ["import nothing_there as nt\n@nt.jit\n" + F],
    "missing annotation": ["from nothing_there import Float\ndef f(x: Float['a'] = 1) -> Float['a']:\n    return x"],
    "missing data, then": ["import nothing_there as nt\nd = nt.load()\nd.plot()\ndef f():\n    return 2", F],
    "a fallback": [
        "try:\n    import google.colab\n    one = 2\nexcept ImportError:\n    one = 1\ndef f():\n    return one"
    ],
    "rsl_edu": ["from rsl_edu import data\nx = data.rollout()\nx.y.mean()\nfloat(x)\n" + F],
    "a failed check": ["from rsl_edu.course import check\n" + F + "\nassert check.f(f).passed"],
    "a figure": ["import matplotlib.pyplot as plt\nfig, axes = plt.subplots()\naxes.plot()\nplt.show()\n" + F],
    "axes": [
        "import matplotlib.pyplot as plt\nfig, (left, right) = plt.subplots(1, 2)\nfor ax in plt.axes(): pass\n1/0",
        F,
    ],
    "drawing in an answer": [
        "import matplotlib.pyplot as plt\ndef f():\n    fig, ax = plt.subplots()\n    ax.plot([1])\n    display(fig)",
        "from functools import partial\nshow = f\ndef f():\n    return 1 if show() is None else 2",
    ],
    "a slider": ["from ipywidgets import IntSlider\nslider = IntSlider(1)\ndef f():\n    return slider.value"],
    "a file": ["open('nothing.csv')\n" + F],
    "input": ["name = input('name?')\nprint(name)\n" + F],
    "an error after": [F + "\n1 / 0"],
    "an error before": ["1 / 0\n" + F],
    "an error in a block": ["if True:\n    1 / 0\n    def f():\n        return 1"],
    "exit": ["import sys\nsys.exit()\n" + F, "exit()", "quit"],
    "bad line beside": [F + "\nprnt 1\nx = 2"],
    "bad line before": ["prnt 1\n" + F],
    "open bracket after": [F + "\nprint((1"],
    "return outside": [F + "\nreturn 1"],
    "merge conflict": ["<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n" + F],
    "later name": ["from functools import partial\nf = partial(g, 1)", "def g(x):\n    return x"],
    "lambda": ["f = lambda: 1"],
    "exec": ["exec('def f(): return 1')"],
    "globals": ["globals()['f'] = lambda: 1"],
    "the last wins": ["def f():\n    return 2", F],
    "an earlier one stays": [F, "1 / 0\ndef f():\n    return 2"],  # a kernel does not reach the second definition
    "future": ["from __future__ import annotations\ndef f(x: nothing = 1) -> nothing:\n    return x"],
    "display": ["display(1)\nget_ipython().system('ls')\nget_ipython().run_line_magic('time', 'one = 1')\n" + F],
    "named tuple": ["from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\ndef f():\n    return P(1)[0]"],
    "nothing else": [" ", "# only words", F],
    "semicolons": ["x = 1; f = lambda: x;"],
}


@pytest.mark.parametrize("name", RIGHT)
def test_code_that_runs_in_a_kernel_counts(run, name):
    kind, f = run(*RIGHT[name]).answer("f")
    assert kind in ("function", "value")
    assert f() == 1


HIDES = {
    "a builtin": "sum = 0",
    "a module": "math = [1]",
    "a name of a module": "sqrt = 0",
    "a value": "one = 7",
    "the answer": "f = f()",
    "a helper": "def g():\n    return 2",
    "all": "del math, sqrt, one, g\nsum = max = 3",
}


@pytest.mark.parametrize("name", HIDES)
def test_earlier_check_uses_names_that_a_later_cell_replaces(run, name):
    cells = ["import math\nfrom math import sqrt\none = 1\ndef g(): return 1"]
    cells.append("def f():\n    return sum([g(), math.floor(sqrt(one)) - 1])")
    notebook = run(*cells, None, HIDES[name])
    assert notebook.at("f", [])
    assert notebook.answer("f")[1]() == 1
    assert notebook.at("", []) is False
    if name == "the answer":
        assert notebook.answer("f") == ("value", 1)
    notebook = run(*cells, None, "def h():\n    return 2")
    assert not notebook.at("f", [])


def test_definitions_of_right_answers_apply_to_requested_names(run):
    f, right = "def g():\n    return 2\ndef f():\n    return g() + h", "h = 9\ndef g():\n    return 1\ndef f(): pass"
    notebook = run(f, "h = 0", None, "h = 8", right=[right])
    for place, found in (("f", 1), ("", 9)):
        notebook.at(place, ["g"])
        assert notebook.answer("f")[1]() == found
    notebook.at("", ["g", "h"])
    assert notebook.answer("f")[1]() == 10


def test_slow_cell_affects_only_itself(run):
    slow = "while True:\n    try:\n        while True: pass\n    except Exception: pass\nx = 1"
    notebook = run(
        slow, F + "\n" + slow, "def g():\n    return 2", limits={"cell": 0.2, "load": 40.0}, answers=("f", "g")
    )
    assert notebook.answer("f")[1]() == 1
    assert notebook.answer("g")[1]() == 2
    assert [(note[0], note[1]) for note in notebook.notes] == [(1, "stopped"), (2, "stopped")]
    assert notebook.names["x"] == 1


def test_slow_cells_leave_time_for_the_answers(run):
    slow = ["while True: pass"] * 6
    notebook = run(*slow, F + "\nwhile True: pass", limits={"cell": 0.3, "load": 1.2})
    assert notebook.answer("f")[1]() == 1
    assert len(notebook.notes) == 7


def test_bare_except_does_not_prevent_a_timeout(run):
    endless = "for _ in range(10**9):\n    try:\n        while True: pass\n    except:\n        break"
    assert run(endless + "\n" + F, limits={"cell": 0.2, "load": 40.0}).answer("f")[1]() == 1


def test_code_that_was_handed_out_is_not_an_answer(run):
    faulty, stub = "def f():\n    return 2", 'def f():\n    raise NotImplementedError("f")'
    assert run(faulty, handed=(1,)).answer("f") == ("missing", None)
    assert run(faulty, "f = f", handed=(1,)).answer("f") == ("missing", None)
    assert run("# more\nimport os\n" + faulty, faulty, handed=(1,)).answer("f") == ("given", None)
    assert run(faulty, stub, handed=(1, 2)).answer("f")[0] == "function"  # the stub, which counts as not answered
    assert run(faulty, F, handed=(1,)).answer("f")[1]() == 1
    assert run(stub, "def f():\n    return 1 +", handed=(1,)).answer("f")[0] == "function"
    assert run(faulty, "f = 1 / 0", handed=(1,)).answer("f") == ("lost", None)


def test_modes(run):
    cells = ["x = 1\nprint(x)\n" + F, "y = [].pop()"]
    assert run(*cells, modes={0: "skip"}).answer("f") == ("missing", None)
    notebook = run(*cells, modes={0: "names", 1: "names"})
    assert notebook.answer("f")[1]() == 1
    assert notebook.names["x"] == 1
    assert notebook.notes == []


NOTES = {
    "raised": ("x = 1\n1 / 0", ["raised", "raised ZeroDivisionError: division by zero", "1 / 0"]),
    "syntax": ("x = 1\nprnt x", ["syntax", "is not Python", "prnt x"]),
    "module": ("import nothing_there", ["module", "No module named 'nothing_there'", "import nothing_there"]),
    "used": ("import nothing_there as n\nn.f()", ["module", "needs nothing_there", "n.f()"]),
    "line": ("!git pull", ["line", "skipped", "!git pull"]),
    "magic": ("%%bash\nls | xargs python", ["line", "skipped", "%%bash"]),
}


@pytest.mark.parametrize("name", NOTES)
def test_skipped_code_is_reported(run, name):
    source, (kind, text, line) = NOTES[name]
    number, *note = run(" ", source).notes[-1]
    assert number == 2
    assert note[0] == kind
    assert text in note[1]
    assert note[2] == line


def test_harmless_skipped_lines_have_no_note(run):
    assert (
        run("%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n!pip install x\nsum?\n%pip install x").notes == []
    )


def test_error_shows_the_student_s_line(run):
    notebook = run("\n\n%time x = 1\n" + "def f():\n    return 1 / 0", "f()")
    assert notebook.notes[0][3] == "return 1 / 0"


def test_slow_attributes_are_stopped(run):
    notebook = run("x?\n" * 40000, F, limits={"cell": 0.5, "load": 40.0})
    assert [note[:2] for note in notebook.notes] == [[1, "stopped"]]
    assert notebook.answer("f")[1]() == 1


def test_threads_have_no_running_loop(run):
    notebook = run(
        "import asyncio, threading\nseen = []\ndef look():\n    try:\n        asyncio.get_running_loop()\n"
        "    except RuntimeError:\n        seen.append(1)\nt = threading.Thread(target=look)\nt.start()\nt.join()"
    )
    assert notebook.names["seen"] == [1]


def test_note_of_an_error_does_not_contain_a_long_text(run):
    notebook = run("error = ValueError('x')\nerror.__notes__ = ['more']\nraise error")
    assert notebook.notes[0][2] == "raised ValueError: x"
