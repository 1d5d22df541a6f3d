"""Identification of students in the submissions of a class."""

import os
import unicodedata
from pathlib import Path

import pytest
from course.grade.archives import CANVAS, MOODLE, NOTEBOOK, on_disk, rows, zipped
from hypothesis import given as any_of
from hypothesis import strategies as st

from rsl_edu.course.grade.submissions import count, find
from rsl_edu.course.grade.submissions.names import Origin, Student, origin

ADA = ("Ada Lovelace", "1234567")

# The names are those that Moodle's mod/assign/locallib.php and mod/assign/classes/downloader.php (moodle/moodle) and
# Canvas's lib/content_zipper.rb (instructure/canvas-lms) write.
CLASSES = {
    "Moodle 3.1": {f"{MOODLE}/hw.ipynb": ADA, "Bo_2_assignsubmission_file_/hw.ipynb": ("Bo", "2")},
    "Moodle 4.1": {f"{MOODLE[:-1]}/hw.ipynb": ADA, "Bo_2_assignsubmission_file/sub/hw.ipynb": ("Bo", "2")},
    "Moodle, no folders": {f"{MOODLE}hw_2.ipynb": ADA, "Bo_2_assignsubmission_file_hw.ipynb": ("Bo", "2")},
    "Moodle, names hidden": {
        "Participant_77_assignsubmission_file_/a/b/hw.ipynb": ("Participant (77)", "77"),
        "Participant_78_assignsubmission_file_/hw.ipynb": ("Participant (78)", "78"),
    },
    "Moodle in German, names hidden": {
        "Teilnehmerin_7_assignsubmission_file/hw.ipynb": ("Teilnehmerin (7)", "7"),
        "Teilnehmerin_8_assignsubmission_file/hw.ipynb": ("Teilnehmerin (8)", "8"),
    },
    "Moodle, the number twice": {
        "Participant 12345_12345_assignsubmission_file_/x.ipynb": ("Participant 12345", "12345"),
        "Teilnehmerin 9_9_assignsubmission_file_/x.ipynb": ("Teilnehmerin 9", "9"),
    },
    "Moodle 3.1, groups": {
        "Group A-Ada Lovelace_1234567_assignsubmission_file_/x.ipynb": ("Group A-Ada Lovelace", "1234567")
    },
    "Moodle 4.1, groups": {
        "Group A_12_assignsubmission_file/x.ipynb": ("Group A", "12"),
        "Default group_assignsubmission_file/x.ipynb": ("Default group", ""),
    },
    "Moodle, text too": {
        f"{MOODLE}/hw.ipynb": ADA,
        f"{MOODLE[:-5]}onlinetext_/onlinetext.html": None,
    },
    "Moodle, one name, two students": {
        "Wei Li_3_assignsubmission_file/hw.ipynb": ("Wei Li (3)", "3"),
        "Wei Li_4_assignsubmission_file/hw.ipynb": ("Wei Li (4)", "4"),
    },
    "Moodle, one student": {f"{MOODLE}/{name}.ipynb": ADA for name in "ab"},
    "Canvas": {CANVAS: ("lovelaceada", "98765"), "hopper_LATE_98_4_hw.ipynb": ("hopper", "98", "late")},
    "Canvas, one": {CANVAS: ("lovelaceada", "98765")},
    "Canvas, names with _ and digits": {
        "test_student_123_456_file.ipynb": ("test_student", "123"),
        "studenttest_9_7_my_12_13_file.ipynb": ("studenttest", "9"),
        "d_angelo2_LATE_10_5_x.ipynb": ("d_angelo2", "10", "late"),
        "石井_11_6_x.ipynb": ("石井", "11"),
    },
    "Canvas, names hidden": {
        "anon_aB3xZ_456_file.ipynb": ("anon_aB3xZ", ""),
        "LATE_anon_12345_457_file.ipynb": ("anon_12345", "", "late"),
    },
    "Canvas, groups": {"groupa_5_60_x.ipynb": ("groupa", "5"), "groupb_6_61_y.ipynb": ("groupb", "6")},
    "Canvas, handed in again": {"ada_10_5_hw-1.ipynb": ("ada", "10"), "bo_11_6_hw-2.ipynb": ("bo", "11")},
    "Canvas, two names alike": {
        "ada_10_5_b.ipynb": ("ada (10)", "10"),
        "ada_11_6_b.ipynb": ("ada (11)", "11"),
    },
    "Canvas, text and link too": {
        "ada_10_5_b.ipynb": ("ada", "10"),
        "ada_10_text.html": None,
        "ada_LATE_10_link.html": None,
    },
    "files": {"Ada M. Lovelace.ipynb": ("Ada M. Lovelace", ""), "Bo.ipynb": ("Bo", "")},
    "files with capitals are not Canvas's": {"Ada_1_2_x.ipynb": ("Ada_1_2_x", ""), "Bo_1_2_x.ipynb": ("Bo_1_2_x", "")},
    "upper case": {"Ada.IPYNB": ("Ada", ""), "Bo.Ipynb": ("Bo", "")},
    "folders": {"ada/hw.ipynb": ("ada", ""), "bo/deep/er/hw.ipynb": ("bo", ""), "bo/data.csv": None},
    "folders, file names as of Canvas": {"ada/hw_2024_1_x.ipynb": ("ada", ""), "bo/hw_2024_1_x.ipynb": ("bo", "")},
    "folders as Canvas's files": {"ada_2024_1_x/a.ipynb": ("ada_2024_1_x", ""), "bo_2_1_x/a.ipynb": ("bo_2_1_x", "")},
    "several": {"ada/hw.ipynb": ("ada", ""), "ada/try/hw.ipynb": ("ada", ""), "bo/hw.ipynb": ("bo", "")},
    "other scripts": {
        "李小龙/作业.ipynb": ("李小龙", ""),
        "Łukasz/hw.ipynb": ("Łukasz", ""),
        "عمر.ipynb": ("عمر", ""),
    },
}


@pytest.mark.parametrize("top", ["", "Homework 1/", "a/b/"])
@pytest.mark.parametrize("name", CLASSES)
def test_student_of_a_submission_is_identified(given, name, top):
    expected = CLASSES[name]
    path = given({f"{top}{file}": NOTEBOOK for file in expected})
    found = [(each.name, each.identifier, *["late"] * each.late) for each in find([path])]
    assert sorted(found) == sorted(student for student in expected.values() if student)
    assert {each.file for each in find([path])} == {file for file, student in expected.items() if student}
    assert all(each.content == NOTEBOOK for each in find([path]))


@pytest.mark.parametrize("name", ["öztürki̇lker", "शर्माप्रिया", "สมชายวิชัย", "محمّدعليّ", "ekbose\u0301", "a_b2"])
def test_canvas_names_keep_combining_marks(tmp_path, name):
    (found,) = find([on_disk(tmp_path, {f"{name}_LATE_500_900_1_mlp.ipynb": NOTEBOOK})])
    assert (found.name, found.identifier, found.late) == (unicodedata.normalize("NFC", name), "500", True)


@pytest.mark.parametrize("name", ["Ada", "ada lovelace", "ada-x"])
def test_other_names_are_not_canvas_names(tmp_path, name):
    (found,) = find([on_disk(tmp_path, {f"{name}_500_900_1_mlp.ipynb": NOTEBOOK})])
    assert (found.name, found.identifier) == (f"{name}_500_900_1_mlp", "")


@pytest.mark.parametrize("name", CLASSES)
def test_count_includes_each_notebook_outside_zips(given, name):
    path = given(dict.fromkeys(CLASSES[name], NOTEBOOK))
    assert count([path]) == len(rows(path))
    assert count([path, path]) == 2 * len(rows(path))


def test_class_with_one_student(given):
    assert rows(given({"ada/hw.ipynb": NOTEBOOK, "ada/data.csv": b"1"})) == [("ada", "")]


def test_student_without_a_notebook_keeps_identifier_and_lateness(given):
    files = {"ada_LATE_10_text.html": b"x", "bo_11_6_hw.pdf": b"x", f"{MOODLE[:-5]}onlinetext/onlinetext.html": b"x"}
    found = {each.identifier: (each.name, each.late, each.problem, each.file) for each in find([given(files)])}
    assert found == {
        "10": ("ada", True, "no notebook: ada_LATE_10_text.html", ""),
        "11": ("bo", False, "no notebook: bo_11_6_hw.pdf", ""),
        "1234567": ("Ada Lovelace", False, "no notebook: onlinetext.html", ""),
    }


def test_system_files_are_ignored(given):
    leftovers = ("__MACOSX/._ada.ipynb", ".DS_Store", "Thumbs.db", "a/.ipynb_checkpoints/hw-checkpoint.ipynb")
    path = given(
        dict.fromkeys(["a/hw.ipynb", "b.ipynb", "a/hw-checkpoint.ipynb", ".git/x.ipynb", *leftovers], NOTEBOOK)
    )
    assert rows(path) == [("a", ""), ("b", "")]


@pytest.mark.parametrize(
    ("place", "name"),
    {
        f"{MOODLE}/hand in.zip": "Ada Lovelace",
        "ada_12_34_hw.zip": "ada",
        "ada/hw.ZIP": "ada",
        "ada.zip": "ada",
    }.items(),
)
def test_student_s_own_zip_is_opened(tmp_path, place, name):
    one = {"my work/hw.ipynb": NOTEBOOK, "my work/data.csv": b"1", "__MACOSX/my work/._hw.ipynb": b"x"}
    two = {"a.ipynb": NOTEBOOK, "b/c.ipynb": NOTEBOOK}
    for own, files in ((one, ["my work/hw.ipynb"]), (two, ["a.ipynb", "b/c.ipynb"])):
        (tmp_path / "x.zip").write_bytes(zipped({place: zipped(own), "bo.ipynb": NOTEBOOK}))
        found = [(each.name, each.file) for each in find([tmp_path / "x.zip"])]
        assert found == [*((name, f"{place}/{file}") for file in files), ("bo", "bo.ipynb")]


# A class in several paths -------------------------------------------------------------------------------------------


def test_several_paths(tmp_path):
    on_disk(
        tmp_path,
        {"ada/hw.ipynb": NOTEBOOK, "ada/x.csv": b"1", "bo/hw.ipynb": NOTEBOOK, "cy/": b"", "d.ipynb": NOTEBOOK},
    )
    two = {"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK}
    on_disk(tmp_path, {"eve.zip": zipped({"hw.ipynb": NOTEBOOK}), f"{MOODLE}/hw.ipynb": NOTEBOOK})
    on_disk(tmp_path, {"group/x/hw.ipynb": NOTEBOOK, "group/y/hw.ipynb": NOTEBOOK, CANVAS: NOTEBOOK})
    on_disk(tmp_path, {"hopper_7_8_hw.zip": zipped(two), "Bo_9_assignsubmission_file/a.ipynb": NOTEBOOK})
    on_disk(tmp_path, {"Bo_9_assignsubmission_file/b.ipynb": NOTEBOOK, "ida.zip": b"PK"})
    found = {(each.name, each.file): each.problem for each in find(sorted(tmp_path.iterdir()))}
    assert {key for key, problem in found.items() if not problem} == {
        ("Ada Lovelace", f"{MOODLE}/hw.ipynb"),
        ("Bo", "Bo_9_assignsubmission_file/a.ipynb"),
        ("Bo", "Bo_9_assignsubmission_file/b.ipynb"),
        ("ada", "ada/hw.ipynb"),
        ("bo", "bo/hw.ipynb"),
        ("d", "d.ipynb"),
        ("eve", "eve.zip/hw.ipynb"),
        ("x", "group/x/hw.ipynb"),
        ("y", "group/y/hw.ipynb"),
        ("hopper", "hopper_7_8_hw.zip/a.ipynb"),
        ("hopper", "hopper_7_8_hw.zip/b.ipynb"),
        ("lovelaceada", CANVAS),
    }
    assert found["cy", ""] == "nothing handed in"
    assert found["ida", "ida.zip"] == "a damaged zip"
    with pytest.raises(FileNotFoundError, match=r"there is no .*absent"):
        rows(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"there is no .*absent"):
        count([tmp_path / "d.ipynb", tmp_path / "absent"])


@pytest.mark.parametrize("alone", [True, False])
def test_student_s_zip_of_an_export_belongs_to_the_student(tmp_path, alone):
    path = tmp_path / "hopper_7_8_hw.zip"
    path.write_bytes(zipped({"a.ipynb": NOTEBOOK, f"{MOODLE}/b.ipynb": NOTEBOOK}))
    (tmp_path / "bo.ipynb").write_bytes(NOTEBOOK)
    found = [each.name for each in find([path] if alone else [path, tmp_path / "bo.ipynb"])]
    assert found == ["hopper", "hopper", "bo"][: 2 if alone else 3]


def test_equal_file_names_in_different_folders_are_different_students(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    on_disk(tmp_path, {"ada/hw.ipynb": NOTEBOOK, "bo/hw.ipynb": NOTEBOOK, "c.ipynb": NOTEBOOK})
    on_disk(tmp_path, {"ada/w.zip": zipped({"x.ipynb": NOTEBOOK}), "bo/w.zip": zipped({"x.ipynb": NOTEBOOK})})
    paths = ["ada/hw.ipynb", "bo/hw.ipynb", "c.ipynb", "ada/w.zip", "bo/w.zip"]
    found = [(each.name, each.file) for each in find(map(Path, paths))]
    assert found == [
        ("ada/hw", "ada/hw.ipynb"),
        ("bo/hw", "bo/hw.ipynb"),
        ("c", "c.ipynb"),
        ("ada/w", "ada/w.zip/x.ipynb"),
        ("bo/w", "bo/w.zip/x.ipynb"),
    ]


def test_two_exports_of_a_class_have_the_same_students(tmp_path):
    bo = "Bo_2_assignsubmission_file/"
    (tmp_path / "first.zip").write_bytes(zipped({f"{MOODLE}/hw.ipynb": NOTEBOOK, f"{bo}hw.ipynb": NOTEBOOK}))
    (tmp_path / "later.zip").write_bytes(zipped({f"{MOODLE}/hw.ipynb": NOTEBOOK, f"{bo}b.ipynb": NOTEBOOK}))
    found = [(each.name, each.identifier, each.file) for each in find([tmp_path / "first.zip", tmp_path / "later.zip"])]
    assert found == [
        (*ADA, f"first.zip/{MOODLE}/hw.ipynb"),
        ("Bo", "2", f"first.zip/{bo}hw.ipynb"),
        (*ADA, f"later.zip/{MOODLE}/hw.ipynb"),
        ("Bo", "2", f"later.zip/{bo}b.ipynb"),
    ]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_empty_path_is_an_immediate_error(tmp_path, kind):
    path = tmp_path / kind
    if kind == "folder":
        on_disk(path, {"__MACOSX/": b"", ".DS_Store": b"x"})
    else:
        path = path.with_suffix(".zip")
        path.write_bytes(zipped({}))
    for ask in (count, lambda paths: next(find(paths))):
        with pytest.raises(FileNotFoundError, match=rf"SUBMISSIONS: there is nothing in .*{kind}"):
            ask([path])


# Names that students choose -----------------------------------------------------------------------------------------


def test_student_cannot_hand_in_for_another(tmp_path):
    bo = "Bo_2_assignsubmission_file_"
    names = [f"{MOODLE}/{bo}/hw.ipynb", f"{MOODLE}{bo}hw.ipynb", f"{bo}/hw.ipynb"]
    own = zipped({f"{bo}/hw.ipynb": NOTEBOOK})
    (tmp_path / "x.zip").write_bytes(zipped({**dict.fromkeys(names, NOTEBOOK), f"{MOODLE}/hw.zip": own}))
    found = [(each.name, each.file) for each in find([tmp_path / "x.zip"])]
    assert len(found) == 4
    assert [file for name, file in found if name == "Bo"] == [f"{bo}/hw.ipynb"]
    assert {name for name, _ in found} == {"Bo", "Ada Lovelace"}


@pytest.mark.parametrize("top", ["", "Homework 1/"])
def test_export_names_below_the_class_level_are_ignored(given, top):
    inside = ["ada_101_assignsubmission_file_/x.ipynb", "ada_101_4_x.ipynb", "deep/Bo_2_assignsubmission_file/x.ipynb"]
    path = given({f"{top}ada/hw.ipynb": NOTEBOOK, **{f"{top}eve/{name}": NOTEBOOK for name in inside}})
    found = [(each.name, each.identifier) for each in find([path])]
    assert sorted(found) == [("ada", ""), *[("eve", "")] * 3]


FILE_NAMES = st.text(min_size=1).filter(lambda name: "/" not in name)


@any_of(
    name=st.text().filter(lambda name: not {"_", "/"} & {*name}),
    number=st.integers(0),
    file=FILE_NAMES,
    flat=st.booleans(),
)
def test_moodle_file_names_cannot_change_the_student(name, number, file, flat):
    found = origin(f"{name}_{number}_assignsubmission_file{'_' if flat else '/'}{file}")
    assert (found.student, found.exported) == (Student(name, str(number)), True)


@any_of(
    name=st.from_regex("[a-zé石]+(_[a-zé石]+)*", fullmatch=True).filter(lambda name: name != "anon"),
    number=st.integers(0),
    attachment=st.integers(0),
    late=st.sampled_from(["", "_LATE"]),
    file=FILE_NAMES,
)
def test_canvas_file_names_cannot_change_the_student(name, number, attachment, late, file):
    found = origin(f"{name}{late}_{number}_{attachment}_{file}")
    assert found == Origin(Student(name, str(number)), True, bool(late), attachment)


def test_canvas_file_name_with_numbers_belongs_to_the_first_student(given):
    found = list(find([given(dict.fromkeys(["eve_7_70_ada_8_80_hw.ipynb", "ada_8_81_hw.ipynb"], NOTEBOOK))]))
    assert [(each.name, each.identifier) for each in found] == [("ada", "8"), ("eve", "7")]


def test_student_names_are_unique(tmp_path):
    files = [("a/hw.ipynb", NOTEBOOK), ("a/hw.ipynb", b"other"), ("a_hw (2).ipynb", NOTEBOOK), ("b\n.ipynb", NOTEBOOK)]
    with pytest.warns(UserWarning, match="Duplicate"):
        (tmp_path / "x.zip").write_bytes(zipped([*files, ("b\r.ipynb", NOTEBOOK), ("b (2).ipynb", NOTEBOOK)]))
    found = list(find([tmp_path / "x.zip"]))
    assert [(each.name, each.file) for each in found] == [
        ("a", "a/hw.ipynb"),
        ("a", "a/hw.ipynb (2)"),
        ("a_hw (2)", "a_hw (2).ipynb"),
        ("b", "b .ipynb"),
        ("b (2)", "b .ipynb"),
        ("b (2) (2)", "b (2).ipynb"),
    ]
    assert [each.content for each in found][:2] == [NOTEBOOK, b"other"]
    twice = [(each.name, each.file) for each in find([tmp_path / "x.zip"] * 2)]
    assert len({*twice}) == len(twice) == 12


def test_folder_cannot_take_a_distinguishing_name(given):
    names = ["Wei Li_3_assignsubmission_file/a.ipynb", "Wei Li_4_assignsubmission_file/a.ipynb"]
    files = dict.fromkeys([*names, "Wei Li (3)/a.ipynb", "Wei Li/a.ipynb"], NOTEBOOK)
    found = {each.name: each.identifier for each in find([given(files)])}
    assert found == {"Wei Li (3)": "3", "Wei Li (4)": "4", "Wei Li (3) (2)": "", "Wei Li": ""}


def test_names_are_one_line_of_plain_text(tmp_path):
    names = [
        "a\n\x1b[31mb\u202ec.ipynb",
        "\x07\t.ipynb",
        "n" * 2000 + ".ipynb",
        "Jose\u0301.ipynb",
        "علی\u200cرضا.ipynb",
    ]
    (tmp_path / "x.zip").write_bytes(zipped(dict.fromkeys(names, NOTEBOOK)))
    found = {name for name, _ in rows(tmp_path / "x.zip")}
    assert found == {"a [31mb c", "no name", "n" * 120, "José", "علی رضا"}
    assert all(each.file.isprintable() for each in find([tmp_path / "x.zip"]))
    on_disk(tmp_path, {os.fsdecode(b"folder/\xff\xfe.ipynb"): NOTEBOOK, "folder/x\x1b.pdf": b"x"})
    assert sorted(rows(tmp_path / "folder")) == [("no name", ""), ("x", "no notebook: x .pdf")]


def test_zips_of_macos_and_windows(tmp_path):
    windows = zipped({"Class@Łukasz Ñ@hw.ipynb": NOTEBOOK, "Class@bo@hw.ipynb": NOTEBOOK}).replace(b"@", b"\\")
    macos = zipped({"Jürgen/hw.ipynb": NOTEBOOK, "./Ñ.ipynb": NOTEBOOK}).replace(b"\0\x08\x08\0", b"\0\0\x08\0")
    for content, names in ((windows, {"Łukasz Ñ", "bo"}), (macos, {"Jürgen", "Ñ"})):
        (tmp_path / "x.zip").write_bytes(content)
        assert set(rows(tmp_path / "x.zip")) == {(name, "") for name in names}
