import subprocess
import sys

import pytest

import rsl_edu
from rsl_edu import cli, lessons


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "index.ipynb").write_text("{}")
    monkeypatch.setattr(lessons, "source", lambda: folder)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def opened(monkeypatch):
    calls = []
    monkeypatch.setattr(cli, "open_lab", lambda folder, arguments=(): calls.append((str(folder), list(arguments))))
    return calls


def test_lab_copies_the_lessons_and_opens_them_with_the_arguments_after_the_dashes(tmp_path, opened, capsys):
    assert cli.main(["lab", "mine", "--", "--no-browser", "--port=8890"]) == 0
    assert opened == [("mine", ["--no-browser", "--port=8890"])]
    assert (tmp_path / "mine" / "index.ipynb").is_file()
    assert capsys.readouterr().out == f"Lessons in {tmp_path / 'mine'}:\n  index.ipynb: copied\n"


@pytest.mark.parametrize("option", ["--copy-only", "--no-open"])
def test_lab_can_only_copy(tmp_path, opened, option):
    assert cli.main(["lab", option]) == 0
    assert opened == []
    assert (tmp_path / "rsl_edu_lessons" / "index.ipynb").is_file()


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("notes.txt", "DIR must be a folder, but notes.txt is a file"),
        ("notes.txt/lessons", "cannot copy the lessons into notes.txt/lessons: Not a directory"),
    ],
)
def test_lab_says_why_it_cannot_copy(tmp_path, opened, capsys, folder, message):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["lab", folder])
    assert capsys.readouterr().err.endswith(f"error: {message}\n")
    assert opened == []


def test_open_lab_starts_jupyterlab_on_the_list_of_lessons(tmp_path, monkeypatch):
    from jupyterlab import labapp

    calls = []
    monkeypatch.setattr(labapp, "main", calls.append)
    cli.open_lab(tmp_path, ["--no-browser"])
    assert calls == [[f"--ServerApp.root_dir={tmp_path}", "--LabApp.default_url=/lab/tree/index.ipynb", "--no-browser"]]


def test_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"rsl_edu {rsl_edu.__version__}\n"


def test_importing_the_command_line_is_light():
    heavy = "{'torch', 'numpy', 'matplotlib', 'jupyterlab', 'gymnasium'}"
    code = f"import sys, rsl_edu.cli; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
