"""A writable folder is found for any user, and nobody else can write to it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import platformdirs
import pytest

from rsl_edu import folders

USER = 54321  # a user without an account, as in containers


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Set the system's temporary folder, and a home folder that is not writable."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    for variable in ("MPLCONFIGDIR", "RSL_EDU_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))
    return tmp_path / "temporary"


@pytest.fixture
def own(temporary):
    """Return the expected path of this user's own folder."""
    return temporary / f"rsl_edu-{os.getuid()}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a writable home folder."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# The cache.


def test_cache_is_in_the_given_folder_the_users_folder_or_the_temporary_folder(own, monkeypatch, tmp_path):
    monkeypatch.setenv("RSL_EDU_CACHE", str(tmp_path / "named"))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "user" / name))
    named, user = tmp_path / "named", tmp_path / "user" / "rsl_edu"
    assert list(folders.caches()) == [named, user]
    assert not own.exists()
    assert list(folders.caches(write=True)) == [named, user, own / "cache"]
    assert list(folders.caches()) == [named, user, own / "cache"]


def fails(name):
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("found", [fails, lambda name: f"~/.cache/{name}"], ids=["now", "4.0"])
def test_cache_of_a_user_without_a_home_is_in_the_temporary_folder(own, monkeypatch, found):
    monkeypatch.setattr(platformdirs, "user_cache_dir", found)
    assert list(folders.caches(write=True)) == [own / "cache"]


def test_own_folder_is_closed_to_other_users_and_found_again(own):
    assert folders.private() == own
    assert own.stat().st_mode & 0o777 == 0o700
    assert folders.private() == own


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o720, 0o755, 0o777])
def test_own_folder_that_other_users_can_enter_is_not_used(own, mode):
    own.mkdir()
    own.chmod(mode)
    assert folders.private() is None
    assert own / "cache" not in folders.caches(write=True)


def test_own_folder_of_another_user_is_not_used(own, monkeypatch):
    user = os.getuid()
    (own.parent / f"rsl_edu-{user + 1}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    assert folders.private() is None


def test_own_folder_that_is_a_link_or_a_file_is_not_used(own, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own.symlink_to(tmp_path / "elsewhere")
    assert folders.private() is None
    own.unlink()
    own.touch(mode=0o700)
    assert folders.private() is None


def test_system_without_a_temporary_folder_is_not_an_error(own, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert folders.private() is None
    folders.ensure_home()
    folders.ensure_matplotlib_folder()
    assert os.environ["HOME"].endswith("file/home")
    assert "MPLCONFIGDIR" not in os.environ


# Matplotlib and the home folder.


@pytest.mark.parametrize("made", [[], [".config"], [".cache/matplotlib", ".config/matplotlib"]])
def test_writable_home_is_not_changed(temporary, home, made):
    for folder in made:
        (home / folder).mkdir(parents=True)
    before = sorted(home.rglob("*")), dict(os.environ)
    folders.ensure_home()
    folders.ensure_matplotlib_folder()
    assert (sorted(home.rglob("*")), dict(os.environ)) == before
    assert list(temporary.iterdir()) == []


def test_missing_home_is_replaced(own):
    folders.ensure_home()
    assert os.environ["HOME"] == str(own / "home")
    assert (own / "home").is_dir()


def test_matplotlib_gets_a_folder_if_its_own_is_not_writable(own, home):
    (home / ".cache").touch()
    folders.ensure_matplotlib_folder()
    assert os.environ["MPLCONFIGDIR"] == str(own / "matplotlib")
    assert (own / "matplotlib").is_dir()


def test_folder_that_is_set_for_matplotlib_is_kept(temporary, monkeypatch):
    monkeypatch.setenv("MPLCONFIGDIR", "mine")
    folders.ensure_matplotlib_folder()
    assert os.environ["MPLCONFIGDIR"] == "mine"


def test_matplotlib_uses_xdg_folders_without_a_home(temporary, monkeypatch, tmp_path):
    for variable in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    folders.ensure_matplotlib_folder()
    assert "MPLCONFIGDIR" not in os.environ


# Everything together, in a separate process.

EVERYTHING = """
import sys
from rsl_edu import cli, data, explorers
from rsl_edu.course import execute

import matplotlib.pyplot as plt

data.rollout("InvertedPendulum-v5", steps=4)
explorers.Divergence().render()
plt.figure().savefig("figure.png")
cli.main(["xray", str(data.example_run() / "model_12.pt"), "--html", "page.html"])
sys.exit(execute.main(["lesson.ipynb"]))
"""
LESSON = "import rsl_edu\n\nimport matplotlib.pyplot as plt\n\nplt.plot([1]);"


@pytest.mark.skipif(os.name != "posix", reason="needs users and folders of POSIX")
def test_user_without_account_and_home_gets_no_warning_and_leaves_only_the_cache():
    with tempfile.TemporaryDirectory(
        prefix="rsl_edu Prüfung α "
    ) as name:  # not in tmp_path, which other users cannot enter
        work, temporary = Path(name, "work"), Path(name, "temporary")
        for folder in (work.parent, work, temporary):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(LESSON)]), work / "lesson.ipynb")
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "OMP_NUM_THREADS")}
        options = {"cwd": work, "env": kept | {"TMPDIR": str(temporary)}, "capture_output": True, "text": True}
        user = {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}
        command = [sys.executable, "-c"]
        try:
            alone = bool(user) and subprocess.run([*command, "import rsl_edu"], **options, **user).returncode == 0
        except PermissionError:  # not even the interpreter is readable
            alone = False
        if not alone:
            user = {}  # only root can become another user, who may not be allowed to enter the folders of Python
            options["env"] |= {"HOME": "/dev/null/home"}
        done = subprocess.run([*command, EVERYTHING], **options, **user)
        assert (done.returncode, done.stderr) == (0, "")
        assert {path.name for path in work.iterdir()} == {"lesson.ipynb", "page.html", "figure.png"}
        assert [path.name for path in temporary.iterdir()] == [f"rsl_edu-{user.get('user', os.getuid())}"]
        (cell,) = nbformat.read(work / "lesson.ipynb", 4).cells
        assert [output.output_type for output in cell.outputs] == ["display_data"]
