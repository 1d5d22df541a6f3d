from pathlib import Path

import pytest

from rsl_edu import lessons
from rsl_edu.lessons import MANIFEST, Copy, copy_lessons

NAME = Path("4_normalization.ipynb")
BESIDE = Path("4_normalization.v0.2.0.ipynb")


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    (folder / ".ipynb_checkpoints").mkdir(parents=True)
    (folder / ".ipynb_checkpoints" / NAME).write_text("checkpoint")
    (folder / NAME).write_text("one")
    return folder


@pytest.fixture
def target(tmp_path, shipped):
    """Return a learner's folder with the lessons of version 0.1.0."""
    folder = tmp_path / "mine" / "lessons"
    copy_lessons(folder, shipped, "0.1.0")
    return folder


def test_first_copy_contains_every_lesson_and_no_checkpoint(tmp_path, shipped):
    for folder in ("more", "assignments"):  # assignments contain solutions, and are not copied
        (shipped / folder).mkdir()
        (shipped / folder / "1.ipynb").write_text(folder)
    done = copy_lessons(tmp_path / "new", shipped)
    assert done == [Copy(NAME, "new"), Copy(Path("more/1.ipynb"), "new")]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {NAME.name, "more", MANIFEST}


def test_lessons_are_not_copied_onto_themselves(shipped):
    assert copy_lessons(shipped / ".." / "shipped", shipped) == []
    assert not (shipped / MANIFEST).exists()


def test_second_copy_changes_nothing(target, shipped):
    before = {path: path.stat().st_mtime_ns for path in target.glob("*.ipynb")}
    assert copy_lessons(target, shipped, "0.1.0") == [Copy(NAME, "same")]
    assert {path: path.stat().st_mtime_ns for path in target.glob("*.ipynb")} == before


def test_unchanged_lesson_is_updated(target, shipped):
    (shipped / NAME).write_text("two")
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(NAME, "updated")]
    assert (target / NAME).read_text() == "two"


def test_changed_lesson_is_kept_and_a_newer_version_is_saved_next_to_it_once(target, shipped):
    (target / NAME).write_text("mine")
    assert copy_lessons(target, shipped, "0.1.0") == [Copy(NAME, "kept")]
    (shipped / NAME).write_text("two")
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(BESIDE, "beside")]
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(BESIDE, "same")]
    assert (target / NAME).read_text() == "mine"
    assert (target / BESIDE).read_text() == "two"


def test_changed_newer_version_is_kept_too(target, shipped):
    (target / NAME).write_text("mine")
    (shipped / NAME).write_text("two")
    copy_lessons(target, shipped, "0.2.0")
    (target / BESIDE).write_text("mine too")
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(BESIDE, "kept")]
    (shipped / NAME).write_text("two, mended")
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(Path("4_normalization.v0.2.0-2.ipynb"), "beside")]
    assert (target / BESIDE).read_text() == "mine too"


def test_deleted_lesson_is_copied_again(target, shipped):
    (target / NAME).unlink()
    assert copy_lessons(target, shipped, "0.1.0") == [Copy(NAME, "new")]


@pytest.mark.parametrize("manifest", [None, "", "{", "[]", '{"copied": 3}', '{"copied": [1]}', "\xff"])
def test_without_a_valid_manifest_every_differing_lesson_counts_as_changed(target, shipped, manifest):
    (target / MANIFEST).unlink()
    if manifest is not None:
        (target / MANIFEST).write_bytes(manifest.encode("latin-1"))
    (shipped / NAME).write_text("two")
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(BESIDE, "beside")]
    assert copy_lessons(target, shipped, "0.2.0") == [Copy(BESIDE, "same")]
    assert (target / NAME).read_text() == "one"


def test_folder_with_the_name_of_a_lesson_is_not_changed(tmp_path, shipped):
    (tmp_path / "odd" / NAME).mkdir(parents=True)
    assert copy_lessons(tmp_path / "odd", shipped, "0.2.0") == [Copy(BESIDE, "beside")]


def test_source_is_the_notebooks_folder_of_the_checkout():
    assert lessons.source() == Path(__file__).parents[1] / "notebooks"
