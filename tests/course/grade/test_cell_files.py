"""Commands in cells that write, move, run and reload files, as in a kernel. There is no sandbox in these tests."""

import pytest

F = "def f():\n    return 1"
MODE = "import enum\nclass Mode(enum.Enum):\n    FULL = 1\ndef g(mode):\n    return int(mode is Mode.FULL)"

RIGHT = {  # f() is 1 in a kernel, and there are no notes
    "the same length again": [
        "%%writefile ent.py\none = 2",
        "import ent",
        "%%writefile ent.py\none = 1",
        "import importlib\nimportlib.reload(ent)\nfrom ent import one\ndef f():\n    return one",
    ],
    "forgotten and imported again": [
        "%%writefile ent.py\none = 2",
        "import ent",
        "%%writefile ent.py\none = 1",
        "import sys; del sys.modules['ent']\nfrom ent import one\ndef f():\n    return one",
    ],
    "autoreload": [
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile ru.py\ndef f():\n    return 2",
        "from ru import f\nimport ru",
        "%%writefile ru.py\ndef f():\n    return 1",
        "assert ru.f() == 1 == f()",
        "%%writefile ru.py\ndef f(:",
        "x = f()",
    ],
    "autoreload of a file that takes its time": [
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile ru.py\none = 2",
        "import ru",
        "%%writefile ru.py\nimport time\nend = time.process_time() + 1.5\n"
        "while time.process_time() < end:\n    pass\none = 1",
        "def f():\n    return ru.one",
    ],
    "autoreload of a comment": [
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile ru.py\n" + MODE,
        "from ru import Mode, g\nmode = Mode.FULL",
        "%%writefile ru.py\n# modes\n" + MODE,
        "def f():\n    return g(mode)",
    ],
    "autoreload of one function": [
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile ru.py\none = 2\ndef g():\n    return 2",
        "import ru\nru.one = 1",
        "%%writefile ru.py\none = 2\ndef g():\n    return 3",
        "def f():\n    return ru.one if ru.g() == 3 else 2",
    ],
    "autoreload of what is decorated": [
        "%load_ext autoreload\n%autoreload 2",
        "%%writefile ru.py\nimport torch\n@torch.no_grad()\ndef f():\n    return 2",
        "from ru import f",
        "%%writefile ru.py\nimport torch\n@torch.no_grad()\ndef f():\n    return 1",
    ],
    "autoreload of what is named": [
        "%load_ext autoreload\n%autoreload 1",
        "%%writefile ru.py\none = 2",
        "%%writefile rv.py\none = 1",
        "%aimport ru\nimport rv",
        "%%writefile ru.py\none = 1",
        "%%writefile rv.py\none = 2",
        "def f():\n    return ru.one * rv.one",
    ],
    "autoreload without one": [
        "%load_ext autoreload\n%autoreload 2\n%aimport -ru",
        "%%writefile ru.py\none = 1",
        "import ru",
        "%%writefile ru.py\none = 2",
        "def f():\n    return ru.one",
    ],
    "autoreload with new names": [
        "%load_ext autoreload\n%autoreload 3",
        "%%writefile ru.py\ntwo = 2",
        "import ru",
        "%%writefile ru.py\ntwo = 2\ndef f():\n    return 1",
        "f()",
    ],
    "autoreload of a class": [
        "%load_ext autoreload\n%autoreload complete",
        "%%writefile ru.py\nclass A:\n    def g(self):\n        return 2",
        "from ru import A\na = A()",
        "%%writefile ru.py\nclass A:\n    def g(self):\n        return 1",
        "def f():\n    return a.g()",
    ],
    "autoreload by hand": [
        "%load_ext autoreload",
        "%%writefile ru.py\none = 2",
        "import ru",
        "%%writefile ru.py\none = 1",
        "assert ru.one == 2\n%autoreload\none = ru.one\ndef f():\n    return one",
    ],
    "autoreload off": [
        "%load_ext autoreload\n%autoreload 2\n%autoreload 0",
        "%%writefile ru.py\none = 1",
        "import ru",
        "%%writefile ru.py\none = 2",
        "one = ru.one\ndef f():\n    return one",
    ],
    "aimport": ["%load_ext autoreload", "%%writefile ru.py\none = 1", "%aimport ru\ndef f():\n    return ru.one"],
    "run without .py": ["%%writefile r1.py\n" + F, "%run r1"],
    "run from here": ["%%writefile r1.py\n" + F, "%run ./r1.py"],
    "run quoted": ['%%writefile "my r1.py"\n' + F, '%run "my r1.py"'],
    "run with arguments": [
        "%%writefile r1.py\nimport sys\none = len(sys.argv) - 2",
        "%run r1.py --epochs 3\nimport sys\nassert '--epochs' not in sys.argv\ndef f():\n    return one - 0",
    ],
    "run in the notebook": ["%%writefile r1.py\none += 1", "one = 0\n%run -i ./r1.py\ndef f():\n    return one"],
    "run in the notebook by another name": [
        "%%writefile r1.py\nif __name__ == '__main__':\n    one = 2",
        "one = 1\n%run -n -i r1.py\nassert __name__ == '__main__'\ndef f():\n    return one",
    ],
    "run a file that imports its neighbour": [
        "!mkdir sub",
        "%%writefile sub/hl.py\none = 1",
        "%%writefile sub/r1.py\nfrom hl import one\ndef f():\n    return one",
        "import sys\nbefore = [*sys.path]\n%run sub/r1\nassert sys.path == before",
    ],
    "run apart": [
        "%%writefile r1.py\ng = 1\ndef f():\n    return g",
        "one = 0\n%run r1.py\ng = 2",
    ],
    "run a module": ["!mkdir pkg", "%%writefile pkg/r1.py\n" + F, "%run -m pkg.r1"],
    "run by another name": [
        "%%writefile r1.py\nif __name__ == '__main__':\n    1 / 0\n" + F,
        '%run -n -t "r1.py"',
    ],
    "run as the main program": [
        "%%writefile r1.py\nif __name__ == '__main__':\n    one = 1",
        "%run r1",
        "f = lambda: one",
    ],
    "run a file of open": [
        "with open('r1.py', 'w') as file:\n    file.write('one = 1')",
        "%run r1.py",
        "f = lambda: one",
    ],
    "a folder by the shell": [
        "!mkdir -p src/deep && touch src/__init__.py",
        "%%writefile src/deep/ent.py\none = 1",
        "from src.deep.ent import one\ndef f():\n    return one",
    ],
    "a folder by a magic": ["%mkdir lib1", "import os\none = int(os.path.isdir('lib1'))\ndef f():\n    return one"],
    "files by the shell": [
        "%%bash\nset -e\nmkdir -p a\n# it's new\ncat > a/b.py <<'EOF'\n# `f`; it's\ndef f():\n    return 2\nEOF\n"
        "sed -i 's/2/1/' a/b.py  # done",
        "!cp a/b.py a/c.py; mv a/c.py a/d.py",
        "!echo 'ONE = 1' > e.py\n!echo \"TWO = 2\" >> e.py",
        "import e\nfrom a.d import f\nassert e.TWO == 2",
    ],
    "what the shell says": ["!echo 1 > x.txt", "x = !cat x.txt\none = int(x.s)\ndef f():\n    return one"],
    "a variable in the shell": [
        "d = 'a1'",
        "!mkdir {d} $d/b",
        "import os\none = os.path.isdir('a1/b')\ndef f():\n    return one",
    ],
    "a folder to be in": [
        "%mkdir q\n!cd q\n%cd q",
        "%%writefile kq.py\none = 1",
        "from kq import one\n%cd ..\nimport os\nassert os.path.exists('q/kq.py')\n%cd -\nd = %pwd",
        "def f():\n    return one if d.endswith('q') else 2",
    ],
    "without a percent sign": [
        "mkdir -p q",
        "cd q",
        "%%writefile r1.py\none = 1",
        "cd ..",
        "run q/r1",
        "f = lambda: one",
    ],
    "chdir": [
        "import os\nos.makedirs('w')\nos.chdir('w')",
        "%%writefile e1.py\none = 1",
        "from e1 import one\ndef f():\n    return one",
    ],
    "quoted name": ['%%writefile "my ent.py"\none = 1', "exec(open('my ent.py').read())\ndef f():\n    return one"],
    "name in a variable": [
        "NAME = 'kl_a.py'",
        "%%writefile $NAME\ndef f():",
        "%%writefile -a {NAME}\n    return 1",
        "from kl_a import f",
    ],
}


@pytest.mark.parametrize("name", RIGHT)
def test_files_are_where_a_kernel_puts_them(run, name):
    notebook = run(*RIGHT[name])
    assert notebook.notes == []
    assert notebook.answer("f")[1]() == 1


def test_failing_file_affects_only_itself(run):
    script = "%%writefile r1.py\nimport nothing_there\none = 1\none\n1 / 0"
    notebook = run(script, "%run r1\ndef f():\n    return one")
    assert [note[0] for note in notebook.notes] == [2, 2]
    assert [note[3] for note in notebook.notes] == ["import nothing_there", "1 / 0"]
    assert notebook.answer("f")[1]() == 1


def test_folder_from_a_skipped_line_exists(run):
    cells = ["!git clone x a", "%%writefile a/b/c.py\none = 1", "from a.b.c import one\ndef f():\n    return one"]
    assert run(*cells).answer("f")[1]() == 1


LEFT_OUT = [
    "!npm install x && mkdir a",
    "!mkdir a; git pull",
    "!mkdir `git pull`",
    "!mkdir $(git pull)",
    "!mkdir 'a",
    "!echo | python",
    "%%bash\nmkdir a\ngit pull",
    "%%bash\ncat > x <<EOF\nls\nEOF\ngit pull",
    "%cd nowhere",
    "%run nothing",
    "%run -m nothing.at_all",
    "%run -Q",
    "%%writefile",
]


@pytest.mark.parametrize("cell", LEFT_OUT)
def test_skipped_commands_are_reported(run, tmp_path, cell):
    (note,) = run(cell).notes
    assert note[1:] == ["line", "has a line that was skipped", cell.partition("\n")[0]]
    assert not [*tmp_path.iterdir()]


def test_check_uses_reloaded_modules(run):
    cells = ["%load_ext autoreload\n%autoreload 2", "%%writefile ru.py\ndef f():\n    return 2", "from ru import f"]
    notebook = run(*cells, "%%writefile ru.py\ndef f():\n    return 1", None, "del f")
    notebook.at("f", [])
    assert notebook.answer("f")[1]() == 1
    assert run(*cells, "%%writefile ru.py\ndef f():\n    return 1").answer("f")[1]() == 1
