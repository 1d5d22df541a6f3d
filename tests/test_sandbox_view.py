"""The sandbox shows what Python needs, but no answers, wherever they are in or around its environment."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rsl_edu
from rsl_edu.sandbox import run_once, view

pytestmark = pytest.mark.usefixtures("bwrap")

ANSWER = "answer = 'of the teacher'\n"
PACKAGES = Path("lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
# Paths of files with answers: {env} is the virtual environment, {site} its packages, {clone} the folder around it.
ANSWERS = [
    "{clone}/notebooks/assignments/4_normalization.ipynb",
    "{clone}/rsl_edu/course/check/normalization.py",
    "{clone}/.git/objects/ab/cdef",
    "{clone}/build/lib/rsl_edu/answer.py",
    "{env}/share/rsl_edu/4_normalization.ipynb",
    "{env}/src/rsl-rl/rsl_rl/modules/rnn.py",  # pip install -e git+https://...
    "{env}/pkgs/rsl_rl/rnn.py",  # from conda
    "{env}/envs/other/lib/python3.12/site-packages/rsl_rl/rnn.py",
    "{env}/lib/python3.99/site-packages/anything/rnn.py",
    "{env}/bin/answer.py",
    "{site}/rsl_edu/__init__.py",
    "{site}/rsl_edu/_lessons/1.ipynb",
    "{site}/rsl_edu-0.1.0.dist-info/RECORD",
    "{site}/_rsl_edu.pth",
    "{site}/rsl_rl/modules/__pycache__/rnn.cpython-311.pyc",
    "{site}/rsl_rl/modules/rnn.py",
    "{site}/rsl_rl_lib-5.5.1.dist-info/METADATA",
    "{site}/__editable__.rsl_rl_lib-5.5.1.pth",
    "{site}/__editable___rsl_rl_lib_5_5_1_finder.py",
    "{site}/__pycache__/__editable___rsl_rl_lib_5_5_1_finder.cpython-311.pyc",
    "{site}/rsl_rl_old/rnn.py",
    "{site}/rsl_rl.egg-link",
    "{site}/fork/rnn.py",  # from a distribution that also contains rsl_rl
    "{site}/fork_of_it.py",
    "{site}/__pycache__/fork_of_it.cpython-311.pyc",
    "{site}/my_learning-1.0.dist-info/METADATA",
    "{site}/old_fork/rnn.py",
    "{site}/linked/rnn.py",
]
RECORD = "rsl_rl/__init__.py,,\nfork/rnn.py,,\nfork_of_it.py,,\n__pycache__/fork_of_it.cpython-311.pyc,,\n"
RECORD += "my_learning-1.0.dist-info/METADATA,,\nmy_learning-1.0.dist-info/RECORD,,\n../../../bin/learn,,\n"
FIND = """
import os, sys
found = []
for folder, _, files in os.walk(CLONE):
    for file in files:
        path = os.path.join(folder, file)
        try: text = open(path, errors="replace").read()
        except OSError: continue
        if "of the teacher" in text: found.append(path)
        try: open(path, "a"); found.append("written: " + path)
        except OSError: pass
    if folder.startswith(os.path.join(sys.prefix, "lib")):
        try: open(os.path.join(folder, "written"), "w"); found.append("written in " + folder)
        except OSError: pass
import honest
print(*found, sys.prefix, honest.says, *open(honest.__file__ + ".txt"), sep="\\n")
"""
RUN = """
import sys
sys.path[:0] = [IMPORTS]
sys.path += OTHERS
from pathlib import Path
from rsl_edu.sandbox import run_once
print(run_once(Path(SCRIPT), b"").decode())
"""


def make(clone, env):
    """Create a virtual environment, with files with answers in it and around it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
    site = env / PACKAGES
    for place in ANSWERS:
        path = Path(place.format(clone=clone, env=env, site=site))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ANSWER)
    (site / "my_learning-1.0.dist-info/METADATA").write_text(f"Name: my-learning\nVersion: 1.0\n\n{ANSWER}")
    (site / "my_learning-1.0.dist-info/RECORD").write_text(RECORD)
    (site / "old-1.0.egg-info").mkdir()
    (site / "old-1.0.egg-info/PKG-INFO").write_text("Name: old\nVersion: 1.0\n")
    (site / "old-1.0.egg-info/top_level.txt").write_text("rsl_rl\n")
    (site / "old-1.0.egg-info/SOURCES.txt").write_text("setup.py\nrsl_rl/__init__.py\nold_fork/rnn.py\n")
    (site / "rsl_rl_linked").symlink_to(clone / "rsl_edu")
    (site / "rsl_rl_linked_inside").symlink_to(site / "linked")
    (site / "honest.py").write_text("says = 'yes'\n")
    (site / "honest.py.txt").write_text("read")
    with zipfile.ZipFile(site / "archive.zip", "w") as archive:
        archive.writestr("rsl_rl/__init__.py", ANSWER)
    (site / "archive.pth").write_text("archive.zip\n")


@pytest.fixture(params=[".venv", ".", "deeper/env"], ids=["in a clone", "the clone itself", "deeper in a clone"])
def env(tmp_path, request):
    """Return a virtual environment, in a clone of the course or at its root."""
    clone = tmp_path / "clone"
    make(clone, (clone / request.param).resolve())
    tmp_path.chmod(0o755)
    return clone, (clone / request.param).resolve()


def test_no_answers_are_visible_in_or_around_the_environment(env, tmp_path):
    clone, prefix = env
    script = tmp_path / "script.py"
    script.write_text(FIND.replace("CLONE", repr(str(clone))))
    others = [str(Path(sys.modules["pyseccomp"].__file__).parent)] if "pyseccomp" in sys.modules else []
    root = str(Path(rsl_edu.__file__).parents[1])
    code = RUN.replace("IMPORTS", repr(root)).replace("OTHERS", repr(others)).replace("SCRIPT", repr(str(script)))
    done = subprocess.run([prefix / "bin/python", "-I", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [str(prefix), "yes", "read"], done.stderr


SEARCH = f"""
import importlib.util, os, sys
found = []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if (folder, name) not in (("/", "proc"), ("/", "dev"))]
    for name in files:
        path = os.path.join(folder, name)
        if any(answer in path for answer in {view.ANSWERS!r}) or name.endswith(".ipynb") and "-packages" not in folder:
            try: open(path).close()
            except OSError: continue
            found.append(path)
for package in {view.ANSWERS!r}:
    try: found += __import__(package).__file__ or ()
    except ImportError: pass
import torch, numpy, matplotlib
print(found, sys.prefix, os.listdir("/box"))
"""


def test_no_answers_are_visible_in_the_environment_of_the_tests(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SEARCH)
    script.chmod(0o644)
    assert run_once(script, b"").decode() == f"[] {sys.prefix} ['script.py']\n"


def test_home_environment_and_clone_are_not_completely_visible():
    shown = {place for place, source in view.environment().items() if source}
    for whole in (Path.home(), Path(sys.prefix), Path(sys.base_prefix), Path(rsl_edu.__file__).parents[1]):
        assert not any(whole.is_relative_to(place) for place in shown)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\n@torch.compile\ndef f(x): return x + 1\nassert f(torch.ones(1)) == 2",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]), plt.title('ä'), plt.savefig('/tmp/x.png')",
        "import time, datetime, zoneinfo\nassert datetime.datetime.now(zoneinfo.ZoneInfo('Europe/Zurich'))",
        "import locale, shutil\nlocale.setlocale(locale.LC_ALL, '')\nassert shutil.which('sh') and 'é'.isalpha()",
        "import numpy as np\nassert np.linalg.svd(np.eye(3))[1].sum() == 3",
        "import sys, subprocess\nassert subprocess.check_output([sys.executable, '-c', 'print(1)']) == b'1\\n'",
        "import gymnasium\nassert len(gymnasium.make('InvertedPendulum-v5').reset()[0]) == 4",
    ],
    ids=["compile", "matplotlib", "time zones", "locale", "linear algebra", "Python itself", "robots"],
)
def test_packages_that_notebooks_use_work(code, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"{code}\nprint('works')")
    script.chmod(0o644)
    assert run_once(script, b"") == b"works\n"
