import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
import torch
import tqdm

import rsl_edu
from rsl_edu import cli, lessons
from rsl_edu.course import assignment
from rsl_edu.course.grade import run
from rsl_edu.course.grade.marking import Mark, Marks
from rsl_edu.data import example_run


@pytest.fixture(autouse=True)
def shipped(tmp_path, monkeypatch):
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "index.ipynb").write_text("{}")
    monkeypatch.setattr(lessons, "source", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def opened(monkeypatch):
    calls = []
    monkeypatch.setattr(cli.lab, "open_lab", lambda folder, arguments=(): calls.append((str(folder), list(arguments))))
    return calls


def test_lab_copies_the_lessons_and_opens_them_with_the_arguments_after_the_dashes(tmp_path, opened, capsys):
    assert cli.main(["lab", "mine", "--", "--no-browser", "--port=8890"]) == 0
    assert opened == [("mine", ["--no-browser", "--port=8890"])]
    assert (tmp_path / "mine" / "index.ipynb").is_file()
    assert capsys.readouterr().out == f"Lessons in {tmp_path / 'mine'}:\n  index.ipynb: copied\n"


def test_lab_that_only_copies_takes_no_arguments_for_jupyterlab(tmp_path, opened, capsys):
    said = wrong(capsys, "lab", "mine", "--copy-only", "--", "--port", "8890")
    assert said == "--copy-only does not open JupyterLab, so leave out -- --port 8890\n"
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["mine", "--port", "8890"], "rsl-edu lab mine -- --port 8890"),
        (["--port", "8890"], "rsl-edu lab -- --port 8890"),
        (["--no-browser"], "rsl-edu lab -- --no-browser"),
        (["my lessons", "--port=8890", "--", "--no-browser"], "rsl-edu lab 'my lessons' -- --port=8890 --no-browser"),
    ],
)
def test_lab_explains_where_arguments_for_jupyterlab_go(tmp_path, opened, capsys, words, meant):
    assert wrong(capsys, "lab", *words).endswith(f"; to pass arguments to JupyterLab, put them after --: {meant}\n")
    assert opened == []
    assert [path.name for path in tmp_path.iterdir()] == ["shipped"]


def test_superfluous_arguments_are_named(opened, capsys):
    assert wrong(capsys, "lab", "mine", "yours") == "unrecognized arguments: yours\n"
    assert wrong(capsys, "xray", "run", "--port", "8890") == "unrecognized arguments: --port 8890\n"


def test_only_lab_passes_arguments_after_dashes_to_jupyterlab(capsys):
    assert wrong(capsys, "xray", "--", "-run").startswith("-run: no such file or folder")
    assert wrong(capsys, "xray", "run", "--", "--no-browser") == "unrecognized arguments: --no-browser\n"


def test_lab_prints_the_folder_of_the_lessons_before_the_server_starts(tmp_path):
    """If the output is not a terminal, Python would buffer it until the end."""
    code = "import os; from rsl_edu import cli; cli.lab.open_lab = lambda *_: os.write(1, b'server'); "
    code += "raise SystemExit(cli.main(['lab', 'mine']))"
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.startswith("Lessons in ")
    assert said.endswith("server")


def test_package_runs_as_a_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "rsl_edu", "lab", "--copy-only", "mine"], stdout=subprocess.DEVNULL)
    assert done.returncode == 0
    assert (tmp_path / "mine" / "index.ipynb").exists()


def test_empty_name_is_rejected(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["lab", "--copy-only", ""])
    assert "argument DIR: expected a name, got an empty one" in capsys.readouterr().err
    assert not (tmp_path / "index.ipynb").exists()
    for option in ("--config", "--html", "--obs"):
        assert wrong(capsys, "xray", "run", option, "") == f"argument {option}: expected a name, got an empty one\n"


def test_closed_pipe_ends_the_command_without_a_message(tmp_path):
    begin = "import sys; from rsl_edu.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", begin, "lab", "--copy-only", tmp_path / "mine"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_a_one_line_error(tmp_path):
    begin = "import sys; from rsl_edu.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", begin, "lab", "--copy-only", tmp_path / "mine"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"rsl-edu: error: cannot write the output: No space left on device\n"


def test_ctrl_c_ends_the_command_with_a_message(tmp_path, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.xray, "_xray", stopped)
    assert cli.main(["xray", "run"]) == 130
    assert capsys.readouterr().err == "Stopped.\n"


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
def test_lab_explains_why_it_cannot_copy(tmp_path, opened, capsys, folder, message):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["lab", folder])
    assert capsys.readouterr().err.endswith(f"error: {message}\n")
    assert opened == []


@pytest.mark.parametrize(
    ("user", "given", "added"),
    [(1000, [], []), (0, [], ["--allow-root"]), (0, ["--allow-root"], []), (0, ["--ServerApp.allow_root=True"], [])],
)
def test_open_lab_starts_jupyterlab_on_the_list_of_lessons_for_root_too(
    tmp_path, monkeypatch, capsys, user, given, added
):
    from jupyterlab import labapp

    calls = []
    monkeypatch.setattr(labapp, "main", calls.append)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "of the user")
    cli.open_lab(tmp_path, ["--no-browser", *given])
    always = [f"--ServerApp.root_dir={tmp_path}", "--LabApp.default_url=/lab/tree/index.ipynb", "--no-browser"]
    assert calls == [[*always, *given, *added]]
    said = "You are root, so JupyterLab starts with --allow-root.\n"
    assert capsys.readouterr().out == (said if added else "")
    assert os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep) == [str(cli.lab.SETTINGS), "of the user"]
    assert cli.lab.SETTINGS.is_dir()


def test_lab_opens_the_lessons_of_a_clone_where_they_are(shipped, tmp_path, opened, capsys):
    assert cli.main(["lab", "shipped"]) == 0
    assert opened == [("shipped", [])]
    assert [path.name for path in shipped.iterdir()] == ["index.ipynb"]
    assert capsys.readouterr().out == f"Lessons in {shipped}\n"


def test_lab_prints_a_name_that_the_terminal_cannot_show(tmp_path):
    code = "import sys; from rsl_edu.cli import main; sys.exit(main(['lab', 'Übung 🤖', '--copy-only']))"
    said = subprocess.check_output([sys.executable, "-c", code], env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert b"?bung ?" in said


def test_errors_contain_no_control_characters(tmp_path, capsys, sources):
    assert wrong(capsys, "xray", "no\x1b[31m").startswith("no?[31m: ")
    words = ["grade", "doubling", "no\x1b[31m", "--out=grades.csv", f"--sources={sources}"]
    assert wrong(capsys, *words) == "SUBMISSIONS: there is no no?[31m\n"


def test_output_contains_no_control_characters(tmp_path, capsys, sources):
    out = "out\x1b[31m"
    assert cli.main(["assign", "doubling", f"--out={out}", f"--sources={sources}"]) == 0
    assert cli.main(["lab", out, "--copy-only"]) == 0
    assert cli.main(["xray", str(example_run() / "model_12.pt"), f"--html={out}/page.html"]) == 0
    said = capsys.readouterr().out
    assert said.count("out?[31m") == 3
    assert "\x1b" not in said


def test_rehearsal_prints_no_control_characters_from_the_source(capsys, sources):
    source = nbformat.read(sources / "doubling.ipynb", 4)
    source.metadata["kernelspec"] = {"name": "any", "display_name": "any", "language": "\x1b[31m"}
    nbformat.write(source, sources / "doubling.ipynb")
    assert cli.main(["assign", "--check", "doubling", f"--sources={sources}"]) == 1
    assert capsys.readouterr().out == "error: doubling: expected a Python notebook, got a notebook in ?[31m\n"


def test_version_option_prints_the_version_of_the_package(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"rsl_edu {rsl_edu.__version__}\n"


def test_importing_the_command_line_is_fast():
    heavy = "{'torch', 'numpy', 'matplotlib', 'jupyterlab', 'jinja2', 'gymnasium'}"
    code = f"import sys, rsl_edu.cli; print({heavy} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"


def wrong(capsys, *words):
    """Run a command that must end with status 2, and return its message."""
    with pytest.raises(SystemExit, match="2"):
        cli.main([str(word) for word in words])
    return capsys.readouterr().err.rpartition("error: ")[2]


@pytest.fixture
def sources(tmp_path):
    """Return a folder with the source of an assignment that has one exercise."""
    answer = "def double(number):\n    ### BEGIN SOLUTION\n    return 2 * number\n    ### END SOLUTION"
    check = "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"
    cells = {
        answer: {"solution": True, "grade": False, "grade_id": "answer"},
        check: {"solution": False, "grade": True, "grade_id": "double", "points": 2.5},
    }
    cells = [nbformat.v4.new_code_cell(code, metadata={"nbgrader": says}) for code, says in cells.items()]
    (tmp_path / "sources").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "sources" / "doubling.ipynb")
    return tmp_path / "sources"


@pytest.mark.parametrize(
    ("kind", "solved", "hidden"), [("student", False, False), ("solution", True, False), ("instructor", True, True)]
)
def test_assign_writes_a_version(tmp_path, capsys, sources, kind, solved, hidden):
    options = [] if kind == "student" else [f"--{kind}"]
    assert cli.main(["assign", "doubling", "--out=new/out", f"--sources={sources}", *options]) == 0
    assert capsys.readouterr().out == f"new/out/doubling.ipynb: the {kind} version, 1 exercise, 2.5 points\n"
    answer, check = nbformat.read(tmp_path / "new" / "out" / "doubling.ipynb", 4).cells
    assert ("return 2 * number" in answer.source) is solved
    assert ('raise NotImplementedError("double is not answered yet")' in answer.source) is not solved
    assert ("double(3)" in check.source) is hidden


def test_assign_uses_the_sources_in_the_clone(tmp_path):
    assert cli.main(["assign", "4_normalization.ipynb", "--out=out"]) == 0
    assert (tmp_path / "out" / "4_normalization.ipynb").exists()


def test_assign_overwrites_a_notebook_only_with_force(tmp_path, capsys, sources):
    words = ["assign", "doubling", f"--sources={sources}", "--out=out"]
    (tmp_path / "out").mkdir()
    there = tmp_path / "out" / "doubling.ipynb"
    there.write_text("mine")
    assert wrong(capsys, *words) == "out/doubling.ipynb exists already; --force overwrites it\n"
    assert there.read_text() == "mine"
    assert cli.main([*words, "--force"]) == 0
    assert there.read_text() != "mine"


def test_assign_explains_errors(tmp_path, capsys, sources):
    (tmp_path / "file").touch()
    (sources / "broken.ipynb").write_text("{")
    (tmp_path / "empty").mkdir()
    words = ["assign", "doubling", f"--sources={sources}"]
    assert wrong(capsys, *words, "--out=file") == "--out: DIR must be a folder, but file is a file\n"
    assert wrong(capsys, *words, "--out=file", "--force") == "--out: DIR must be a folder, but file is a file\n"
    assert wrong(capsys, *words, "--out=file/in") == "--out: cannot write into file/in: Not a directory\n"
    assert wrong(capsys, *words, "--out=out", "--solution", "--instructor") != ""
    expected = f"NAME: expected one of broken, doubling in {sources}; got 'tripling'\n"
    assert wrong(capsys, "assign", "tripling", f"--sources={sources}", "--out=out") == expected
    assert "got '../doubling'" in wrong(capsys, "assign", "../doubling", f"--sources={sources}", "--out=out")
    assert "there are no notebooks in empty" in wrong(capsys, "assign", "doubling", "--sources=empty", "--out=out")
    assert "broken.ipynb: not a notebook" in wrong(capsys, "assign", "broken", f"--sources={sources}", "--out=out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--jobs=0"], "--jobs: expected 1 or more, got 0\n"),
        (["--out=grades.xlsx"], "--out: expected a file that ends in .csv, got grades.xlsx\n"),
        (["nobody.zip"], "SUBMISSIONS: there is no nobody.zip\n"),
        (["--sandbox=docker run", "--unsafe"], "argument --unsafe: not allowed with argument --sandbox\n"),
        (["--out=sources/doubling.ipynb/grades.csv"], "sources/doubling.ipynb: File exists\n"),
        (["--sources=elsewhere"], "--sources: expected a folder with notebooks, got elsewhere\n"),
    ],
)
def test_grade_explains_errors(tmp_path, capsys, sources, options, says):
    words = ["grade", "--out=grades.csv", f"--sources={sources}", "doubling", "sources", *options]
    assert wrong(capsys, *words) == says
    assert not (tmp_path / "grades.csv").exists()


def test_grade_shows_its_progress_and_results(tmp_path, monkeypatch, capsys, sources):
    shown = []

    class Bar(tqdm.tqdm):
        def __init__(self, *given, **named):
            super().__init__(*given, **named, disable=False)  # the tests' environment disables it

        def update(self, n=1):
            shown.append((self.total, n))

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(run, "processes", ThreadPoolExecutor)
    monkeypatch.setattr(run, "mark", lambda *_, **__: Marks((Mark("double", 2.5, None, "right."),), ()))
    (tmp_path / "class").mkdir()
    for name, text in {"ada": '{"cells": []}', "bob": "", "eve": '{"cells": [0]}'}.items():
        (tmp_path / "class" / f"{name}.ipynb").write_text(text)
    assert cli.main(["grade", "doubling", "class", f"--sources={sources}", "--out=new/grades.csv", "--report"]) == 0
    lines = [
        "Made the folder new",
        "new/grades.csv: 3 students, 1 graded",
        "  bob: the file is empty",
        "  eve: not a notebook",
    ]
    assert capsys.readouterr().out.splitlines() == lines
    assert shown == [(3, 1)] * 3
    assert (tmp_path / "new" / "grades.csv").read_text().splitlines() == [
        "submission,identifier,status,total,max,late,deduction,to_mark,double,remarks",
        "ada,,graded,2.5,2.5,,,,2.5,",
        "bob,,the file is empty,0,2.5,,,,0,",
        "eve,,not a notebook,0,2.5,,,,0,",
    ]
    assert (tmp_path / "new" / "grades_report.html").exists()


def test_progress_bar_counts_the_notebooks_in_a_students_zip(tmp_path, monkeypatch, sources):
    shown = []

    class Bar(tqdm.tqdm):
        def __init__(self, *given, **named):
            super().__init__(*given, **named, disable=False)  # the tests' environment disables it

        def update(self, n=1):
            super().update(n)
            shown.append((self.n, self.total))

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    monkeypatch.setattr(run, "processes", ThreadPoolExecutor)
    monkeypatch.setattr(run, "mark", lambda *_, **__: Marks((Mark("double", 2.5, None, "right."),), ()))
    (tmp_path / "class").mkdir()
    with zipfile.ZipFile(tmp_path / "class" / "ada.zip", "w") as archive:
        for name in "abc":
            archive.writestr(f"{name}.ipynb", '{"cells": []}')
    (tmp_path / "class" / "bob.ipynb").write_text('{"cells": []}')
    assert cli.main(["grade", "doubling", "class", f"--sources={sources}", "--out=grades.csv"]) == 0
    assert shown == [(1, 2), (2, 2), (3, 3), (4, 4)]


def test_xray_reports_what_is_wrong_with_a_run(capsys):
    assert cli.main(["xray", str(example_run()), "--robot", "InvertedPendulum-v5"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "16 checkpoints, iterations 0 to 59, written by rsl_rl 5" in said
    assert "4 observations → normalizer → MLP 16, 16 (elu, from params/agent.yaml) → 1 action, Gaussian" in said
    assert "1. std growing" in said
    assert "algorithm.entropy_coef (lower)" in said
    assert "--obs" not in said


def test_xray_names_the_options_that_replace_a_guess(tmp_path, capsys):
    assert cli.main(["xray", shutil.copy(example_run() / "model_12.pt", tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "4 observations → normalizer → MLP 16, 16 (elu?) → 1 action, Gaussian" in said
    assert "guessed the activation elu: no file next to the checkpoint gives this." in said
    assert "Give --activation NAME or --config agent.yaml (in Python" in said


def test_xray_reads_observations_from_a_file_and_writes_a_page(tmp_path, capsys):
    torch.save({"policy": torch.randn(3, 5, 4)}, tmp_path / "obs.pt")
    (run := tmp_path / "run").mkdir()
    for name in ("model_0.pt", "model_59.pt"):
        shutil.copy(example_run() / name, run)
    assert cli.main(["xray", str(run), "--obs", "obs.pt", "--html", "page.html"]) == 0
    said = capsys.readouterr().out
    assert "shown       obs.pt" in said
    assert said.endswith(" MB\n")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<rsl-explorer>" in page


def test_xray_without_observations_lists_what_it_did_not_check(capsys):
    assert cli.main(["xray", str(example_run() / "model_12.pt")]) == 0
    said = capsys.readouterr().out
    assert "random numbers" in said
    assert "normalizer stale: needs observations" in " ".join(said.split())
    assert said.endswith("--obs FILE, or --robot NAME for a Gymnasium robot.\n")


def test_xray_lists_what_a_checkpoint_lacks(capsys):
    assert cli.main(["xray", str(example_run()), "--contents"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("file        model_59.pt, written by rsl_rl 5\n")
    assert "optimizer            settings, no moments" in said


def test_xray_prints_on_a_terminal_without_arrows():
    code = "import sys; from rsl_edu.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "xray", str(example_run() / "model_12.pt")]
    said = subprocess.check_output(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, text=True)
    assert "4 observations ? normalizer ? MLP 16, 16 (elu, from params/agent.yaml) ? 1" in said


def test_xray_reads_the_activation_from_the_option_or_the_configuration(tmp_path, capsys):
    (tmp_path / "agent.yaml").write_text("actor: {activation: tanh}")
    for option, said in ((["--config", "agent.yaml"], "tanh, from agent.yaml"), (["--activation", "relu"], "relu")):
        assert cli.main(["xray", str(example_run() / "model_12.pt"), *option]) == 0
        out = capsys.readouterr().out
        assert f"MLP 16, 16 ({said})" in out
        assert "guess" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["empty"], "empty: no checkpoint (model_0.pt, model_50.pt, …) in this folder, nor in its subfolders"),
        (["notes.txt"], "notes.txt: a text, which begins 'mine'; expected a checkpoint of rsl_rl"),
        (["RUN", "--obs", "nowhere.pt"], "nowhere.pt: No such file or directory"),
        (
            ["RUN", "--obs", "notes.txt"],
            "notes.txt: expected observations, a tensor or a dictionary of tensors in .pt, ",
        ),
        (["RUN", "--robot", "Hopper-v5"], "Hopper-v5 has 11 and 3"),
        (["RUN", "--robot", "Hopper-v5", "--obs", "notes.txt"], "--obs: not allowed with argument --robot"),
        (["RUN", "--contents", "--html", "page.html"], "--contents only prints a table"),
        (["RUN", "--activation", "elo"], "activation: expected one of elu, "),
        (["RUN", "--config", "nowhere.yaml"], "--config: expected a file, got nowhere.yaml"),
        (["RUN", "--html", "empty"], "--html: cannot write empty: Is a directory"),
        (["RUN", "--html", "nowhere/page.html"], "--html: cannot write nowhere/page.html: No such file or directory"),
    ],
)
def test_xray_explains_errors(tmp_path, capsys, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    words = [str(example_run() / "model_12.pt") if word == "RUN" else word for word in arguments]
    with pytest.raises(SystemExit, match="2"):
        cli.main(["xray", *words])
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


FAILURES = {
    "xray nowhere": "nowhere: no such file or folder",
    "xray .": ".: no checkpoint (model_0.pt, model_50.pt, …) in this folder, nor in its subfolders",
    "xray RUN --obs nowhere.pt": "nowhere.pt: No such file or directory",
    "xray RUN --obs notes.txt --robot Hopper-v5": "argument --robot: not allowed with argument --obs",
    "xray RUN --config nowhere.yaml": "--config: expected a file, got nowhere.yaml",
    "xray RUN --config notes.txt": "notes.txt: expected YAML, got ",
    "xray RUN --html .": "--html: cannot write .: Is a directory",
    "xray RUN --html nowhere/page.html": "--html: cannot write nowhere/page.html: No such file or directory",
    "assign 2_cnn --out=out --sources=nowhere": "NAME: there are no notebooks in nowhere; got '2_cnn'",
    "assign 2_cnn --out=notes.txt": "--out: DIR must be a folder, but notes.txt is a file",
    "assign 2_cnn --out=notes.txt/out": "--out: cannot write into notes.txt/out: Not a directory",
    "assign 2_cnn --out=SOURCES": "SOURCES/2_cnn.ipynb exists already; --force overwrites it",
    "grade 2_cnn SOURCES --out=grades.csv --sources=.": "--sources: expected a folder with notebooks, got .",
    "grade 2_cnn SOURCES --out=grades.csv --course=nowhere.yml": "nowhere.yml: No such file or directory",
    "grade 2_cnn SOURCES --out=grades.csv --course=notes.txt": "notes.txt: expected YAML (",
    "grade 2_cnn SOURCES --out=grades.csv --roster=nowhere.csv": "nowhere.csv: No such file or directory",
    "grade 2_cnn SOURCES --out=grades.csv --worksheet=nowhere.csv": "--worksheet: expected a file, got nowhere.csv",
    "grade 2_cnn SOURCES --out=grades.csv --compare=nowhere": "--compare: expected a file, got nowhere",
    "grade 2_cnn SOURCES --out=grades.csv --limit=cell": "--limit: cell: expected a number of seconds above 0, got ''",
    "grade 2_cnn empty --out=grades.csv": "SUBMISSIONS: there is nothing in empty",
    "mark grades.csv Ada unpad 3": "grades.journal.jsonl: expected the journal of `rsl-edu grade`, which is next to",
    "mark --from notes.txt": "notes.journal.jsonl: expected the journal of `rsl-edu grade`",
    "mark": "give grades.csv, or --from with an edited table",
    "grade 2_cnn nobody.zip --out=grades.csv": "SUBMISSIONS: there is no nobody.zip",
    "grade 2_cnn SOURCES --out=grades.xlsx": "--out: expected a file that ends in .csv, got grades.xlsx",
    "grade 2_cnn SOURCES --out=notes.txt/grades.csv": "notes.txt: File exists",
    "grade 2_cnn SOURCES --out=folder.csv": "folder.csv: Is a directory",
    "grade 2_cnn SOURCES --out=grades.csv --jobs=0": "--jobs: expected 1 or more, got 0",
}
FAIL = """
import sys
from rsl_edu import cli

for command in sys.argv[1:]:
    try:
        cli.main(command.split("|"))
    except SystemExit:
        print("imported:", *{"torch", "numpy", "matplotlib"} & set(sys.modules), file=sys.stderr)
"""


def test_wrong_name_or_path_is_reported_before_torch_is_imported(tmp_path):
    (tmp_path / "notes.txt").write_text("a: [")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.csv").mkdir()
    there = {"RUN": str(example_run()), "SOURCES": str(assignment.folder())}

    def filled(text):
        return text.replace("RUN", there["RUN"]).replace("SOURCES", there["SOURCES"])

    commands = [filled(command.replace(" ", "|")) for command in FAILURES]
    failed = subprocess.run([sys.executable, "-c", FAIL, *commands], cwd=tmp_path, capture_output=True, text=True)
    lines = [line for line in failed.stderr.splitlines() if "error: " in line or line.startswith("imported:")]
    for message, line in zip(FAILURES.values(), lines[::2], strict=True):
        assert filled(message) in line
    assert set(lines[1::2]) == {"imported:"}
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "empty", "folder.csv", "shipped"}


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("run/model_0.pt", "--html: run/model_0.pt is also an input of this command"),
        ("link", "--html: link is also an input of this command"),
        ("hard", "--html: hard is also an input of this command"),
        ("obs.pt", "--html: obs.pt is also an input of this command"),
        ("run/model_4.pt", "--html: run/model_4.pt exists and is not an HTML page"),
        ("notes.txt", "--html: notes.txt exists and is not an HTML page"),
    ],
)
@pytest.mark.parametrize("command", ["xray run/model_0.pt", "compare run/model_0.pt export.pt"])
def test_page_does_not_overwrite_files_of_another_kind(tmp_path, monkeypatch, capsys, command, page, says):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(example_run(), "run")
    torch.save(torch.zeros(3, 4), "obs.pt")
    for name in ("notes.txt", "export.pt"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link").symlink_to("run/model_0.pt")
    os.link("run/model_0.pt", "hard")
    before = (tmp_path / page).read_bytes()
    assert says in wrong(capsys, *command.split(), "--obs", "obs.pt", "--html", page)
    assert (tmp_path / page).read_bytes() == before


def test_page_overwrites_a_page(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for begin in ("", "<!doctype HTML><p>old", "\n<html>"):
        (tmp_path / "page.html").write_text(begin)
        assert cli.main(["xray", f"{example_run()}/model_0.pt", "--html", "page.html"]) == 0
        assert (tmp_path / "page.html").stat().st_size > 10_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("words", ["xray pipe", "xray RUN --obs pipe", "xray RUN --config pipe", "compare RUN pipe"])
def test_named_pipe_is_not_opened(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    said = wrong(capsys, *words.replace("RUN", str(example_run())).split())
    assert "pipe: a named pipe, not a file" in said or "--config: expected a file, got pipe" in said
