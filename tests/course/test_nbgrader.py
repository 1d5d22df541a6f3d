"""nbgrader accepts our sources: it hands out the same notebook and gives the same points."""

import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader import preprocessors
from nbgrader.apps import NbGraderAPI
from nbgrader.nbgraderformat import MetadataValidator
from traitlets.config import Config

from rsl_edu.course import assignment, regions

pytestmark = pytest.mark.filterwarnings("ignore:Object of type")  # of nbgrader's own database
NAMES = sorted(path.stem for path in assignment.folder().glob("*.ipynb"))
EXECUTED = "2_cnn"  # the fastest


def cells(notebook):
    """Return the cells as a student sees them, without the message in a stub, which nbgrader does not have."""
    stub = re.compile(r'raise NotImplementedError\(("\w+ is not answered yet")?\)')
    return [(cell.cell_type, stub.sub("raise", cell.source).rstrip("\n")) for cell in notebook.cells]


@pytest.mark.parametrize("name", NAMES)
def test_nbgrader_accepts_the_source_and_hands_out_the_same_notebook(name):
    source = assignment.find(name)
    notebook = nbformat.from_dict(source.instructor())
    MetadataValidator().validate_nb(notebook)
    for step in ("CheckCellMetadata", "ClearSolutions", "ClearOutput", "ClearHiddenTests"):
        notebook, _ = getattr(preprocessors, step)().preprocess(notebook, {})
    assert cells(notebook) == cells(source.student())
    text = nbformat.writes(notebook)
    assert all(marker not in text for marker in (*regions.SOLUTION, *regions.HIDDEN))
    assert text.count("YOUR CODE HERE") >= len(source.tasks)


@pytest.fixture(scope="module")
def commands():
    """Put alembic on the PATH, because nbgrader starts it by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


def done(result):
    assert result["success"], result["error"] or result["log"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory, commands):
    """Return the points of two students that nbgrader graded, by exercise, and the notebook that it handed out."""
    course = tmp_path_factory.mktemp("course")
    source = assignment.find(EXECUTED)
    folder, file = course / "source" / EXECUTED, f"{EXECUTED}.ipynb"
    folder.mkdir(parents=True)
    nbformat.write(source.instructor(), folder / file)
    config = Config()
    config.CourseDirectory.root = str(course)
    config.Execute.timeout = 1200
    config.Execute.startup_timeout = 600
    api = NbGraderAPI(config=config)
    done(api.generate_assignment(EXECUTED))
    released = course / "release" / EXECUTED / file
    for student in ("ada", "bob"):
        (course / "submitted" / student / EXECUTED).mkdir(parents=True)
    nbformat.write(source.solution(), course / "submitted" / "ada" / EXECUTED / file)
    shutil.copy(released, course / "submitted" / "bob" / EXECUTED / file)
    points = {}
    for student in ("ada", "bob"):
        done(api.autograde(EXECUTED, student))
        with api.gradebook as book:
            grades = book.find_submission_notebook(EXECUTED, EXECUTED, student).grades
            points[student] = {grade.name: grade.score for grade in grades}
    return points, nbformat.read(released, 4)


@pytest.mark.slow
def test_nbgrader_gives_all_points_or_none(scores):
    tasks = assignment.find(EXECUTED).tasks
    assert scores[0] == {"ada": {task.name: task.points for task in tasks}, "bob": {task.name: 0 for task in tasks}}


def test_nbgrader_releases_our_student_version(scores):
    assert cells(scores[1]) == cells(assignment.find(EXECUTED).student())
