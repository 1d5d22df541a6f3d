"""``rsl-edu course init``: makes the complete folder of a class, or nothing."""

import email.message
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import rsl_edu
from rsl_edu import cli, lessons
from rsl_edu.course import assignment, init
from rsl_edu.course.assignment import Assignment
from rsl_edu.course.grade import settings
from rsl_edu.course.init import facts

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "notebooks" / "assignments"
LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("[1-9]_*.ipynb"))
COMMANDS = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a class, inside folders that did not exist."""
    folder = tmp_path_factory.mktemp("somewhere") / "my courses" / "autumn"
    assert cli.main(["course", "init", str(folder)]) == 0
    return folder


def read(path):
    return nbformat.read(path, as_version=4)


# What is in it --------------------------------------------------------------------------------------------------------


def test_folder_contains_exactly_what_its_readme_lists(made):
    assert sorted(path.name for path in made.iterdir()) == ["README.md", "grading", "handouts", "slides", "syllabus.md"]
    readme = (made / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) <= 20
    assert f"rsl_edu {rsl_edu.__version__}" in readme
    assert all(f"`{path.name}`" in readme for path in made.iterdir() if path.name != "README.md")
    assert [path.stem for path in sorted((made / "slides").iterdir())] == LESSONS


def test_every_link_has_a_target(made):
    pages = [*made.rglob("*.md")]
    assert len(pages) == 3
    for page in pages:
        links = re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
        assert not [link for link in links if not (page.parent / link).exists()], page.name
    for page in (made / "slides").glob("*.html"):
        links = [link for link in re.findall(r'href="([^"]+)"', page.read_text("utf-8")) if "://" not in link]
        assert not [link for link in links if not (page.parent / link).exists()], page.name
    for path in (made / "handouts" / "assignments").glob("*.ipynb"):
        text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
        links = re.findall(r"\]\(((?!https?:)[^)#]+)\)", text)
        assert links
        assert not [link for link in links if not (path.parent / link).exists()], path.name


def test_handouts_are_the_lessons_of_rsl_edu_lab_and_the_student_versions(made, tmp_path):
    lessons.copy_lessons(tmp_path / "lab")
    for path in (tmp_path / "lab").rglob("*"):
        if path.is_file():
            assert (made / "handouts" / path.relative_to(tmp_path / "lab")).read_bytes() == path.read_bytes()
    cli.main(["assign", "4_normalization", "--out", str(tmp_path)])
    handed = made / "handouts" / "assignments" / "4_normalization.ipynb"
    assert handed.read_bytes() == (tmp_path / "4_normalization.ipynb").read_bytes()
    assert [path.stem for path in sorted(handed.parent.iterdir())] == LESSONS
    assert {copy.action for copy in lessons.copy_lessons(made / "handouts")} == {"same"}, (
        "`rsl-edu lab` recognizes them as its own copies"
    )


def test_only_the_sources_for_grading_contain_solutions_and_hidden_tests(made):
    holders = {
        path.relative_to(made).parts[:2]
        for path in made.rglob("*")
        if path.is_file() and re.search(r"BEGIN (SOLUTION|HIDDEN TESTS)", path.read_text("utf-8"))
    }
    assert holders == {("grading", "sources")}
    for path in SOURCES.glob("*.ipynb"):
        assert (made / "grading" / "sources" / path.name).read_bytes() == path.read_bytes()


def test_syllabus_agrees_with_lessons_and_assignments(made):
    text = (made / "syllabus.md").read_text("utf-8")
    weeks = text.split("\n## Week ")[1:]
    assert len(weeks) == len(LESSONS)
    core = further = minutes = 0
    for name, week in zip(LESSONS, weeks, strict=True):
        first = read(ROOT / "notebooks" / f"{name}.ipynb").cells[0].source
        times = [int(number) for number in re.search(r"Time:\*\* (\d+) minutes \(core\), (\d+) more", first).groups()]
        assert "{} minutes (core), {} more (optional)".format(*times) in week
        core, further = core + times[0], further + times[1]
        assert all(f"- {objective}\n" in week for objective in re.findall(r"^- (.*)$", first, re.MULTILINE))
        source = assignment.find(name)
        for task in source.tasks:
            assert f"| `{task.name}` | {task.points:g} |" in week
        cells = source.notebook.cells
        minutes += int(re.search(r"\*\*Time:\*\* (\d+) minutes", "\n".join(cell.source for cell in cells))[1])
    assert f"| **total** | | | **{core}, {further}** | **{minutes}, {20 * len(LESSONS)}** |" in text
    assert "Python 3.10 or newer" in text
    assert f"rsl_edu {rsl_edu.__version__}" in text


def test_syllabus_lists_the_failures_of_the_landing_page(made):
    text = (made / "syllabus.md").read_text("utf-8")
    index = "\n".join(cell.source for cell in read(ROOT / "notebooks" / "index.ipynb").cells)
    failures = re.findall(r"^\| ([^|]+) \| \[\d", index, re.MULTILINE)
    assert len(failures) == len(LESSONS)
    assert all(text.count(failure) == 2 for failure in failures), "in the table, and in the week"


def test_exercises_of_a_lesson_are_found_with_their_minutes():
    for lesson in facts.lessons(ROOT / "notebooks"):
        prose = "\n".join(cell.source for cell in lesson.notebook.cells if cell.cell_type == "markdown")
        minutes = re.findall(r"^.*\*\*.* · (\d+) minutes", prose, re.MULTILINE)
        assert [exercise.minutes for exercise in lesson.exercises] == [int(number) for number in minutes]
        assert len(lesson.exercises) >= 4
        marked = len(re.findall(r"\*Optional[:.]\*? ?(?:\*\*)?[Ee]xercise \d|minutes, \*optional\*", prose))
        assert sum(exercise.further for exercise in lesson.exercises) == marked


def test_grader_accepts_the_course_file_unchanged_and_filled_in(made, tmp_path):
    text = (made / "grading" / "gradebook" / "course.yml").read_text("utf-8")
    (tmp_path / "course.yml").write_text(text)
    assert settings.read(tmp_path / "course.yml", "1_mlp") == settings.Course()
    head, *lines = text.splitlines()
    filled = "\n".join(line.removeprefix("# ") for line in lines).replace("YYYY-MM-DD hh:mm", "2026-12-01 18:00")
    (tmp_path / "roster.csv").write_text("name\nAda\n")
    (tmp_path / "course.yml").write_text(f"{head}\n{filled}\n")
    for name in LESSONS:
        course = settings.read(tmp_path / "course.yml", name)
        assert course.policy.late.per_day == 10
        assert course.policy.due.hour == 18


def test_own_assignments_that_match_no_lesson_come_last_in_the_syllabus(tmp_path, monkeypatch):
    monkeypatch.setattr(init, "_slides", lambda *_: None)  # the other tests cover the slides
    sources = tmp_path / "sources"
    sources.mkdir()
    cells = [
        nbformat.v4.new_markdown_cell("# Doubling"),
        nbformat.v4.new_code_cell(
            "### BEGIN SOLUTION\nx = 2\n### END SOLUTION", metadata={"nbgrader": {"solution": True, "grade_id": "a"}}
        ),
        nbformat.v4.new_code_cell(
            "assert x == 2", metadata={"nbgrader": {"grade": True, "grade_id": "x", "points": 2.5}}
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), sources / "doubling.ipynb")
    assert init.make(tmp_path / "made", sources) == init.Made(6, 1)
    text = (tmp_path / "made" / "syllabus.md").read_text("utf-8")
    assert (
        "## Further assignments\n\n**Doubling:** [doubling](handouts/assignments/doubling.ipynb), 2.5 points." in text
    )
    assert "| Training stops with `normal expects all elements of std >= 0.0`. | 60, 25 |  |" in text
    assert "rsl-edu grade doubling submissions/doubling" in (tmp_path / "made/grading/README.md").read_text("utf-8")


# Complete or not at all ----------------------------------------------------------------------------------------------


def refused(*words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["course", "init", *map(str, words)])
    assert ended.value.code == 2


def test_folder_that_is_not_empty_is_refused_and_unchanged(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    refused(tmp_path)
    assert f"error: DIR must be new or empty, but notes.txt is in {tmp_path}" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    refused(tmp_path / "notes.txt")
    assert "error: DIR must be a folder, but" in capsys.readouterr().err
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_an_empty_name_and_sources_without_notebooks_are_refused(tmp_path, capsys):
    refused("")
    assert "argument DIR: expected a name, got an empty one" in capsys.readouterr().err
    refused(tmp_path / "made", "--sources", tmp_path)
    assert f"error: --sources: expected a folder with notebooks, got {tmp_path}" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_without_a_clone_the_error_says_where_the_sources_are(tmp_path, monkeypatch, capsys):
    wheel = tmp_path / "site-packages" / "rsl_edu" / "course" / "assignment.py"
    monkeypatch.setattr(assignment, "__file__", str(wheel))
    about = email.message.Message()
    for label in ("Documentation", "Repository"):
        about["Project-URL"] = f"{label}, https://example.org/{label}"
    monkeypatch.setattr("importlib.metadata.metadata", lambda _: about)
    refused(tmp_path / "made")
    said = " ".join(capsys.readouterr().err.split())
    assert "--sources rsl_edu/notebooks/assignments (git clone https://example.org/Repository)" in said
    assert not (tmp_path / "made").exists()


def test_broken_source_is_an_error_that_names_it_and_nothing_is_left(tmp_path, capsys):
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "1_mlp.ipynb").write_text("{")
    refused(tmp_path / "deep" / "made", "--sources", sources)
    assert "1_mlp.ipynb: not a notebook" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sources"]


def light(place, _):
    """Replace the real work: make two files and a folder."""
    (place / "README.md").write_text("read")
    (place / "grading").mkdir()
    (place / "grading" / "README.md").write_text("grade")
    return init.Made(1, 1)


@pytest.mark.parametrize("exists", [True, False])
def test_an_error_while_files_are_moved_leaves_nothing(tmp_path, monkeypatch, exists):
    folder = tmp_path / "deep" / "made"
    if exists:
        folder.mkdir(parents=True)
    monkeypatch.setattr(init, "_build", light)
    moved = []
    rename = Path.rename

    def fails(path, target):
        if moved:
            raise OSError(28, "No space left on device")
        moved.append(target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="No space"):
        init.make(folder, SOURCES)
    assert moved
    assert [*tmp_path.rglob("*")] == ([folder.parent, folder] if exists else [])


def test_ctrl_c_leaves_nothing(tmp_path, monkeypatch):
    def stopped(place, _):
        (place / "README.md").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(init, "_build", stopped)
    with pytest.raises(KeyboardInterrupt):
        init.make(tmp_path / "made", SOURCES)
    assert [*tmp_path.iterdir()] == []


def test_an_empty_folder_is_accepted_also_the_current_one(tmp_path, monkeypatch):
    monkeypatch.setattr(init, "_build", light)
    monkeypatch.chdir(tmp_path)
    init.make(Path(), SOURCES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "grading"]
    assert Path("README.md").exists(), "the current folder was not replaced"


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="needs a folder that cannot be written")
def test_folder_that_cannot_be_written_is_a_one_line_error(tmp_path, capsys):
    tmp_path.chmod(0o500)
    refused(tmp_path / "made")
    assert "error: cannot make" in capsys.readouterr().err


def test_help_shows_the_usage_and_the_condition_on_the_folder(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["course", "init", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("usage: rsl-edu course init [-h] [--sources DIR] DIR")
    assert "DIR must be new or empty" in said
    refused()
    assert "the following arguments are required: DIR" in capsys.readouterr().err


# As an instructor -----------------------------------------------------------------------------------------------------


def run(folder, commands):
    """Run commands in a shell, exactly as they are in the README."""
    here = Path(sys.executable).parent
    assert (here / "rsl-edu").exists(), "this environment has no rsl-edu"
    environment = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-e"], input=commands, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def wrong(path, to):
    """Write the model solution with a mistake in merge_moments."""
    notebook = read(path)
    (answer,) = (cell for cell in notebook.cells if "def merge_moments" in cell.source and cell.cell_type == "code")
    assert "count_a * var_a + count_b * var_b" in answer.source
    answer.source = answer.source.replace("count_a * var_a + count_b * var_b", "count_a * var_a - count_b * var_b")
    nbformat.write(notebook, to)


def totals(table):
    rows = [line.split(",") for line in table.splitlines() if line.count(",") > 5]
    place = rows[0].index("total")
    return {row[0]: row[place] for row in rows[1:]}


@pytest.mark.slow
def test_commands_in_the_readme_grade_a_class(made, tmp_path, bwrap):
    folder = tmp_path / "moved elsewhere"
    shutil.copytree(made / "grading", folder)
    rehearsal, *each, afterwards = COMMANDS.findall((folder / "README.md").read_text("utf-8"))
    assert totals(run(folder, rehearsal)) == {"model": "20", "unanswered": "0"}

    model, students = folder / "rehearsal" / "model" / "1_mlp.ipynb", folder / "submissions" / "4_normalization"
    assert model.exists()
    nbformat.write(Assignment.read(SOURCES / "4_normalization.ipynb").solution(), tmp_path / "right.ipynb")
    for name in ("Ada Lovelace", "Alan Turing"):
        (students / name).mkdir()
    shutil.copy(tmp_path / "right.ipynb", students / "Ada Lovelace" / "4_normalization.ipynb")
    wrong(tmp_path / "right.ipynb", students / "Alan Turing" / "4_normalization.ipynb")
    (command,) = (command for command in each if "4_normalization" in command)
    assert "2 students, 2 graded" in run(folder, command)
    table = folder / "gradebook" / "4_normalization.csv"
    assert totals(table.read_text("utf-8")) == {"Ada Lovelace": "20", "Alan Turing": "14"}
    assert (folder / "gradebook" / "4_normalization_report.html").exists()
    assert len([*(folder / "gradebook" / "4_normalization_feedback").iterdir()]) == 2

    publish = afterwards.splitlines()
    assert publish == [f"rsl-edu assign {name} --sources sources --out solutions --solution" for name in LESSONS]
    assert "solutions/6_policy.ipynb: the solution version" in run(folder, publish[-1])


def test_folder_inside_the_clone_is_refused():
    folder = Path(__file__).parents[2] / "notebooks" / "class"
    refused(folder)
    assert not folder.exists()
