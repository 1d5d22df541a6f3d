"""The wheel works without a clone, in an environment that contains only its declared dependencies."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rsl_edu.course.assignment import find

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[1-9]*.ipynb"), key=lambda path: path.stat().st_size)

EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
lesson = nbformat.read(sys.argv[1], as_version=4)
lesson.cells.insert(0, nbformat.v4.new_code_cell(sys.argv[2]))
lesson.cells.append(nbformat.v4.new_code_cell("import rsl_edu; print(rsl_edu.__file__)"))
NotebookClient(lesson, kernel_name="python3", timeout=1200).execute()
print(lesson.cells[-1].outputs[0].text)
"""

pytestmark = pytest.mark.slow


def run(*command, cwd):
    """Run a command without access to the checkout or the tests' environment."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "JUPYTER"))}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outside")
    yield folder
    shutil.rmtree(folder)  # the environment takes more than 1 GB


@pytest.fixture(scope="module")
def wheel(outside):
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", outside, ROOT, cwd=outside)
    return next(outside.glob("*.whl"))


def needed(name, extras=("",), found=None):
    """Return a distribution and all its declared dependencies, direct and indirect."""
    found = {} if found is None else found
    distribution = importlib.metadata.distribution(name)
    found.setdefault(canonicalize_name(name), distribution)
    for line in distribution.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        wanted = marker is None or any(marker.evaluate({"extra": extra}) for extra in extras)
        if wanted and (requirement.extras or canonicalize_name(requirement.name) not in found):
            needed(requirement.name, requirement.extras or ("",), found)
    return found


@pytest.fixture(scope="module")
def environment(outside, wheel):
    """Return an environment that contains only the wheel and its declared dependencies.

    The dependencies are links to the files of this environment, because installing 1 GB again takes minutes.
    """
    folder = outside / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=outside)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(scripts / "python", "-c", where, cwd=outside).strip())
    for distribution in [*needed("rsl_edu").values()][1:]:
        for file in distribution.files:
            there = Path(os.path.normpath(packages / file))
            if scripts in there.parents or there.exists():
                continue  # a command contains the path of its environment; some distributions list a file twice
            there.parent.mkdir(parents=True, exist_ok=True)
            try:
                there.hardlink_to(distribution.locate_file(file).resolve())
            except OSError:  # if it is on another file system
                shutil.copy2(distribution.locate_file(file), there)
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        scripts / "python",
        "install",
        "--quiet",
        "--no-deps",
        wheel,
        cwd=outside,
    )
    return scripts


def test_wheel_contains_every_notebook_and_template_but_no_tests(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"rsl_edu/_lessons/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")} <= names
    assert {f"rsl_edu/_lessons/pictures/{path.name}" for path in (ROOT / "notebooks" / "pictures").iterdir()} <= names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "rsl_edu").rglob("*.j2")} <= names
    assert "rsl_edu/any_theme.mplstyle" in names
    assert "rsl_edu/cli/jupyter/labconfig/page_config.json" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"rsl_edu"}
    assert not [name for name in names if "_checkpoints" in name or "__pycache__" in name or "assignments" in name]


def test_installed_package_contains_lessons_that_run(environment, outside, no_sweeps):
    listed = run(environment / "rsl-edu", "lab", "mine", "--copy-only", cwd=outside)
    assert f"  {LESSONS[0].name}: copied\n" in listed
    lesson = outside / "mine" / LESSONS[0].name
    assert lesson.read_bytes() == LESSONS[0].read_bytes()
    assert len(list((lesson.parent / "pictures").glob("*.svg"))) == 1 + len(LESSONS), (
        "one picture for each lesson, and one for the landing page"
    )
    imported = run(environment / "python", "-c", EXECUTE, lesson, no_sweeps, cwd=lesson.parent)
    assert Path(imported.strip()).is_relative_to(outside / "venv")


def test_installed_package_grades_and_is_hidden_from_submissions(bwrap, environment, outside):
    sources = ROOT / "notebooks" / "assignments"
    notebook = find("3_rnn").solution()
    code = (
        "import pathlib\nseen = [*pathlib.Path(torch.__file__).parents[1].glob('rsl_edu/*')]\nright = reset_done\n\n\n"
    )
    code += "def reset_done(hidden, dones):\n    assert not seen, seen\n    return right(hidden, dones)"
    notebook.cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, outside / "ada.ipynb")
    command = ("grade", "3_rnn", "ada.ipynb", "--out", "grades.csv", "--sources", sources)
    run(environment / "rsl-edu", *command, cwd=outside)
    assert (outside / "grades.csv").read_text().splitlines()[1] == "ada,,graded,20,20,,,,6,3,7,4,"
