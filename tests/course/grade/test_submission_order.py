"""Several submissions of a student, and the memory needed for a class."""

import os
import tracemalloc
import zipfile

import pytest
from course.grade.archives import MOODLE, NOTEBOOK, on_disk, rows, zipped

from rsl_edu.course.grade.submissions import count, find

# Several submissions of a student -----------------------------------------------------------------------------------


def at(name, year):
    """Return a zip entry with a date at the beginning of a year."""
    return zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))


def test_oldest_file_is_first_by_time(tmp_path):
    files = [
        (at("ada/c.ipynb", 2020), NOTEBOOK),
        (at("ada/a.ipynb", 2022), NOTEBOOK),
        (at("ada/b.ipynb", 2021), NOTEBOOK),
    ]
    (tmp_path / "x.zip").write_bytes(zipped([*files, ("bo.ipynb", NOTEBOOK)]))
    on_disk(
        tmp_path, {"x/ada/a.ipynb": NOTEBOOK, "x/ada/b.ipynb": NOTEBOOK, "x/ada/c.ipynb": NOTEBOOK, "x/bo.ipynb": b"x"}
    )
    for name, time in {"c": 1_577_836_800, "b": 1_609_459_200, "a": 1_640_995_200}.items():
        os.utime(tmp_path / "x" / "ada" / f"{name}.ipynb", (time, time))
    for path in (tmp_path / "x.zip", tmp_path / "x"):
        found = [each for each in find([path]) if each.name == "ada"]
        assert [each.file for each in found] == ["ada/c.ipynb", "ada/b.ipynb", "ada/a.ipynb"]
        assert [round((each.modified - 1_577_836_800) / (365.25 * 86_400)) for each in found] == [0, 1, 2]


def test_oldest_file_is_first_by_canvas_number(tmp_path):
    """Canvas's numbers grow with each upload (lib/content_zipper.rb); times in the zip are the time of the export."""
    names = ["ada_7_100_hw-1.ipynb", "ada_7_99_hw.ipynb", "ada_7_101_a.ipynb"]
    (tmp_path / "x.zip").write_bytes(zipped([(at(name, 2000 + place), NOTEBOOK) for place, name in enumerate(names)]))
    found = list(find([tmp_path / "x.zip"]))
    assert [each.file for each in found] == [names[1], names[0], names[2]]
    assert {each.modified for each in found} == {None}


def test_files_handed_in_together_are_recognized(tmp_path):
    files = {f"{MOODLE}/a.ipynb": NOTEBOOK, f"{MOODLE}/b.ipynb": NOTEBOOK, "Bo_2_assignsubmission_file_/a.ipynb": b"{}"}
    (tmp_path / "x.zip").write_bytes(zipped(files))
    (tmp_path / "y.zip").write_bytes(
        zipped({f"{MOODLE}/c.ipynb": NOTEBOOK, "Cy_3_assignsubmission_file_/c.ipynb": b""})
    )
    found = [(each.name, each.hand_in) for path in "xy" for each in find([tmp_path / f"{path}.zip"])]
    (ada, a), (_, b), (bo, other), (same, later), _ = found
    assert (ada, bo, same) == ("Ada Lovelace", "Bo", "Ada Lovelace")
    assert a == b
    assert len({a, other, later, ""}) == 4


def test_times_set_by_a_student_or_the_export_are_ignored(tmp_path):
    own = zipped([(at("b.ipynb", 2035), NOTEBOOK), (at("a.ipynb", 1999), NOTEBOOK)])
    class_ = zipped([(at("ada/own.zip", 2020), own), (at(f"{MOODLE}/hw.ipynb", 2030), NOTEBOOK)])
    (tmp_path / "x.zip").write_bytes(class_)
    found = {each.file: each.modified for each in find([tmp_path / "x.zip"])}
    assert found[f"{MOODLE}/hw.ipynb"] is None
    assert found["ada/own.zip/a.ipynb"] == found["ada/own.zip/b.ipynb"] == pytest.approx(1_577_836_800, abs=86_400)


def test_zip_without_a_date_is_read(tmp_path):
    content = zipped([(at("ada/hw.ipynb", 2020), NOTEBOOK)])
    date = content.index(b"PK\1\2") + 14
    (tmp_path / "x.zip").write_bytes(content[:date] + b"\0\0" + content[date + 2 :])
    (found,) = find([tmp_path / "x.zip"])
    assert (found.content, found.modified) == (NOTEBOOK, None)


# Memory -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """Return a list of the files that were unpacked from zips."""
    names = []

    class Archive(zipfile.ZipFile):
        def open(self, member, mode="r", *args, **options):
            if mode == "r":
                names.append(member.filename)
            return super().open(member, mode, *args, **options)

    monkeypatch.setattr(zipfile, "ZipFile", Archive)
    return names


def test_submissions_are_read_one_at_a_time(given, opened):
    path = given({"a.ipynb": NOTEBOOK, "b.zip": zipped({"x.ipynb": NOTEBOOK, "y.ipynb": b"y"}), "c.ipynb": NOTEBOOK})
    found = find([path])
    assert next(found).name == "a"
    if path.is_dir():
        (path / "c.ipynb").write_bytes(b"later")
        (path / "a0.ipynb").write_bytes(b"too late")
    else:
        assert len(opened) == 1
    assert [each.content for each in found] == [NOTEBOOK, b"y", b"later" if path.is_dir() else NOTEBOOK]


def test_files_that_arrive_after_the_start_wait_for_the_next_run(tmp_path):
    on_disk(tmp_path, {"first/ada.ipynb": NOTEBOOK, "first/bo.ipynb": NOTEBOOK, "second/cy/hw.ipynb": NOTEBOOK})
    paths = [tmp_path / "first", tmp_path / "second"]
    found = find(paths)
    names = [next(found).name]
    on_disk(tmp_path, {"second/cy/x.ipynb": NOTEBOOK, "second/dan/hw.ipynb": NOTEBOOK})
    names += [each.name for each in found]
    assert "second/dan" not in names
    assert len({each.name for each in find(paths)}) == 4


def test_student_s_zip_is_unpacked_once(given, opened):
    own = {"ada.zip": {"a1.ipynb": NOTEBOOK}, "bo.zip": {f"b{n}.ipynb": NOTEBOOK for n in range(3)}, "cy.zip": {}}
    files = {name: zipped(inner) for name, inner in own.items()}
    path = given({**files, "dan/d1.ipynb": NOTEBOOK, "dan/data.zip": zipped({"x.csv": b"1"})})
    expected = {"a1.ipynb", "b0.ipynb", "b1.ipynb", "b2.ipynb"}
    if path.suffix == ".zip":
        expected |= {*files, "dan/d1.ipynb", "dan/data.zip"}
    assert count([path]) == 4
    assert not opened
    assert rows(path) == [("ada", ""), ("bo", ""), ("bo", ""), ("bo", ""), ("cy", "an empty zip"), ("dan", "")]
    assert sorted(opened) == sorted(expected)


def test_memory_does_not_grow_with_the_class(tmp_path):
    """Each notebook has 4 MB of outputs; a class of 60 has 240 MB, but only a few notebooks are in memory at a time."""
    content = NOTEBOOK[:-1] + b', "outputs": "' + b"x" * (4 << 20) + b'"}'
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(60):
            archive.writestr(f"Student {number}_{number}_assignsubmission_file/hw.ipynb", content)
    assert sum(1 for _ in find([tmp_path / "x.zip"])) == 60
    tracemalloc.start()
    try:
        for submission in find([tmp_path / "x.zip"]):
            assert len(submission.content) > 4 << 20
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 << 20
