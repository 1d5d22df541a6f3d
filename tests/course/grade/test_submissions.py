"""Submissions as they come from a class: whose is what, and one row with a reason for all that cannot be graded."""

import io
import json
import os
import random
import re
import stat
import zipfile

import pytest

from rsl_edu.course.grade import submissions
from rsl_edu.course.grade.submissions import ProblemError, code, count, find

NOTEBOOK = json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}).encode()
MOODLE = "Ada Lovelace_1234567_assignsubmission_file_"
CANVAS = "lovelaceada_98765_4321_hw-1.ipynb"


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    """A zip of files: names or ZipInfo, and their contents."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return content.getvalue()


def on_disk(folder, files):
    for name, data in files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


def rows(*paths):
    """Names, and the reason or "" for a notebook that can be graded."""
    found = []
    for submission in find(paths):
        assert bool(submission.content) != bool(submission.problem) or not submission.problem
        found.append((submission.name, submission.problem))
    return found


@pytest.fixture(params=["folder", "zip"])
def given(request, tmp_path):
    """Puts files into a folder or a zip."""

    def give(files):
        if request.param == "folder":
            return on_disk(tmp_path / "class", files)
        path = tmp_path / "class.zip"
        path.write_bytes(zipped(files))
        return path

    return give


# Whose is what ------------------------------------------------------------------------------------------------------

CLASSES = {
    "Moodle": {f"{MOODLE}/hw.ipynb": "Ada Lovelace_1234567", "Bo_2_assignsubmission_file_/hw.ipynb": "Bo_2"},
    "Moodle, later": {f"{MOODLE[:-1]}/hw.ipynb": "Ada Lovelace_1234567"},
    "Moodle, no folders": {f"{MOODLE}hw_2.ipynb": "Ada Lovelace_1234567", f"Bo_2{MOODLE[20:]}hw.ipynb": "Bo_2"},
    "Moodle, blind": {"Participant_77_assignsubmission_file_/a/b/hw.ipynb": "Participant_77"},
    "Moodle, text too": {
        f"{MOODLE}/hw.ipynb": "Ada Lovelace_1234567",
        f"{MOODLE[:-5]}onlinetext_/onlinetext.html": None,
    },
    "Canvas": {CANVAS: "lovelaceada_98765", "hopper_LATE_98_4_hw.ipynb": "hopper_98"},
    "Moodle, one student": {f"{MOODLE}/{name}.ipynb": f"Ada Lovelace_1234567/{name}" for name in "ab"},
    "Canvas, one": {CANVAS: "lovelaceada_98765"},
    "Canvas, two names alike": {
        "ada_10_5_b.ipynb": "ada_10",
        "ada_11_6_b.ipynb": "ada_11",
        "ada_LATE_10_7_c.txt": None,
    },
    "files": {"Ada M. Lovelace.ipynb": "Ada M. Lovelace", "Bo.ipynb": "Bo"},
    "upper case": {"Ada.IPYNB": "Ada", "Bo.Ipynb": "Bo"},
    "folders": {"ada/hw.ipynb": "ada", "bo/deep/er/hw.ipynb": "bo", "bo/data.csv": None},
    "folders, file names as of Canvas": {"ada/hw_2024_1_x.ipynb": "ada", "bo/hw_2024_1_x.ipynb": "bo"},
    "several": {"ada/hw.ipynb": "ada/hw", "ada/try/hw.ipynb": "ada/try/hw", "bo/hw.ipynb": "bo"},
    "other scripts": {"李小龙/作业.ipynb": "李小龙", "Łukasz/hw.ipynb": "Łukasz", "عمر.ipynb": "عمر"},
}


@pytest.mark.parametrize("top", ["", "Homework 1/", "a/b/"])
@pytest.mark.parametrize("name", CLASSES)
def test_each_student_has_a_row(given, name, top):
    expected = CLASSES[name]
    path = given({f"{top}{file}": NOTEBOOK for file in expected})
    assert sorted(rows(path)) == sorted((student, "") for student in expected.values() if student)


def test_a_class_of_one(given):
    assert rows(given({"ada/hw.ipynb": NOTEBOOK, "ada/data.csv": b"1"})) == [("ada", "")]


def test_what_systems_leave_in_folders_is_ignored(given):
    leftovers = ("__MACOSX/._ada.ipynb", ".DS_Store", "Thumbs.db", "a/.ipynb_checkpoints/hw-checkpoint.ipynb")
    path = given(
        dict.fromkeys(["a/hw.ipynb", "b.ipynb", "a/hw-checkpoint.ipynb", ".git/x.ipynb", *leftovers], NOTEBOOK)
    )
    assert rows(path) == [("a", ""), ("b", "")]


@pytest.mark.parametrize(
    ("place", "name"),
    {
        f"{MOODLE}/hand in.zip": "Ada Lovelace_1234567",
        "ada_12_34_hw.zip": "ada_12",
        "ada/hw.ZIP": "ada",
        "ada.zip": "ada",
    }.items(),
)
def test_a_students_own_zip_is_opened(tmp_path, place, name):
    one = {"my work/hw.ipynb": NOTEBOOK, "my work/data.csv": b"1", "__MACOSX/my work/._hw.ipynb": b"x"}
    two = {"a.ipynb": NOTEBOOK, "b/c.ipynb": NOTEBOOK}
    for own, names in ((one, [name]), (two, [f"{name}/a", f"{name}/b/c"])):
        (tmp_path / "x.zip").write_bytes(zipped({place: zipped(own), "bo.ipynb": NOTEBOOK}))
        found = [found for found, problem in rows(tmp_path / "x.zip") if not problem]
        assert [re.sub("/(hw|hand in)/", "/", found) for found in found] == [*names, "bo"]


def test_several_paths(tmp_path):
    on_disk(
        tmp_path,
        {"ada/hw.ipynb": NOTEBOOK, "ada/x.csv": b"1", "bo/hw.ipynb": NOTEBOOK, "cy/": b"", "d.ipynb": NOTEBOOK},
    )
    on_disk(tmp_path, {"eve.zip": zipped({"hw.ipynb": NOTEBOOK}), f"{MOODLE}/hw.ipynb": NOTEBOOK})
    on_disk(tmp_path, {"group/x/hw.ipynb": NOTEBOOK, "group/y/hw.ipynb": NOTEBOOK, CANVAS: NOTEBOOK})
    found = dict(rows(*sorted(tmp_path.iterdir())))
    assert {name for name, problem in found.items() if not problem} == {
        *("Ada Lovelace_1234567", "ada", "bo", "d", "eve", "group/x", "group/y", "lovelaceada_98765")
    }
    assert found["cy"] == "nothing handed in"
    with pytest.raises(FileNotFoundError, match=r"there is no .*absent"):
        rows(tmp_path / "absent")


def test_no_two_rows_have_a_name(tmp_path):
    files = [("a/hw.ipynb", NOTEBOOK), ("a/hw.ipynb", b"other"), ("a_hw (2).ipynb", NOTEBOOK), ("b\n.ipynb", NOTEBOOK)]
    with pytest.warns(UserWarning, match="Duplicate"):
        (tmp_path / "x.zip").write_bytes(zipped([*files, ("b\r.ipynb", NOTEBOOK), ("b (2).ipynb", NOTEBOOK)]))
    found = list(find([tmp_path / "x.zip"]))
    assert [each.name for each in found] == ["a/hw", "a/hw (2)", "a_hw (2)", "b", "b (2)", "b (2) (2)"]
    assert [each.content for each in found][:2] == [NOTEBOOK, b"other"]
    twice = [each.name for each in find([tmp_path / "x.zip"] * 2)]
    assert len({*twice}) == len(twice) == 12


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
    on_disk(tmp_path, {os.fsdecode(b"folder/\xff\xfe.ipynb"): NOTEBOOK, "folder/x\x1b.pdf": b"x"})
    assert rows(tmp_path / "folder") == [("x", "no notebook: x .pdf"), ("no name", "")]


def test_zips_of_macos_and_windows(tmp_path):
    windows = zipped({"Class@Łukasz Ñ@hw.ipynb": NOTEBOOK, "Class@bo@hw.ipynb": NOTEBOOK}).replace(b"@", b"\\")
    macos = zipped({"Jürgen/hw.ipynb": NOTEBOOK, "./Ñ.ipynb": NOTEBOOK}).replace(b"\0\x08\x08\0", b"\0\0\x08\0")
    for content, names in ((windows, {"Łukasz Ñ", "bo"}), (macos, {"Jürgen", "Ñ"})):
        (tmp_path / "x.zip").write_bytes(content)
        assert set(rows(tmp_path / "x.zip")) == {(name, "") for name in names}


# What cannot be graded ----------------------------------------------------------------------------------------------


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def changed(content, old, new):
    """A zip in whose headers something else stands."""
    assert content.count(old) >= 1
    return content.replace(old, new)


def encrypted(content):
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.index(sign) + place
        content = content[:at] + bytes([content[at] | 1]) + content[at + 1 :]
    return content


def lying(content, size):
    """A zip whose directory says another size of its file."""
    at = content.index(b"PK\1\2") + 24
    return content[:at] + size.to_bytes(4, "little") + content[at + 4 :]


ZEROS = zipped({"hw.ipynb": bytes(11 << 20)})
SMALL = zipped({"hw.ipynb": NOTEBOOK})
ZIPS = {
    "a bomb": (ZEROS, "larger than 10 MB"),
    "a bomb that lies": (lying(ZEROS, 10), "a damaged file"),
    "a bomb in another packing": (zipped({"hw.ipynb": bytes(1 << 24)}, zipfile.ZIP_LZMA), "not supported"),
    "an unknown packing": (changed(SMALL, b"\x08\0", b"\x63\0"), "not supported"),
    "nested": (zipped({"a.zip": zipped({"b.zip": ZEROS})}), "no notebook: a.zip"),
    "many notebooks": (
        zipped(dict.fromkeys(map("{}.ipynb".format, range(21)), NOTEBOOK)),
        "a zip of more than 20 notebooks",
    ),
    "cut off": (SMALL[:-30], "a damaged zip"),
    "garbage": (b"PK\3\4" + bytes(100), "a damaged zip"),
    "no bytes": (b"", "a damaged zip"),
    "no files": (zipped({}), "an empty zip"),
    "damaged": (changed(zipped({"hw.ipynb": b"good"}, 0), b"good", b"evil"), "a damaged file"),
    "damaged, packed": (changed(SMALL, SMALL[45:60], bytes(15)), "a damaged file"),
    "a password": (encrypted(SMALL), "a file with a password"),
    "a link": (zipped([(link("hw.ipynb"), "/etc/passwd")]), "a symbolic link"),
    "up": (zipped({"../../hw.ipynb": NOTEBOOK}), "a path that leads out of the archive"),
    "up for Windows": (changed(zipped({"..@hw.ipynb": NOTEBOOK}), b"@", b"\\"), "a path that leads out of the archive"),
    "absolute": (zipped({"/etc/hw.ipynb": NOTEBOOK}), "a path that leads out of the archive"),
    "absolute for Windows": (zipped({"C:/hw.ipynb": NOTEBOOK}), "a path that leads out of the archive"),
    "no notebook": (zipped(dict.fromkeys("abcd", b"x")), "no notebook: a, b, c, …"),
}


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_that_cannot_be_graded_gives_a_row_that_says_why(tmp_path, name):
    content, why = ZIPS[name]
    on_disk(tmp_path, {"class/ada/hw.zip": content, "class/bo.ipynb": NOTEBOOK, "class/cy/sub/hw.zip": SMALL})
    (tmp_path / "class.zip").write_bytes(zipped({"ada.zip": content, "bo.ipynb": NOTEBOOK, "cy.zip": SMALL}))
    (tmp_path / "ada.zip").write_bytes(content)
    for given in ([tmp_path / "class"], [tmp_path / "class.zip"]):
        (ada, problem), *others = rows(*given)
        assert others == [("bo", ""), ("cy", "")]
        assert ada == "ada"
        assert why in problem
    (alone, *_) = rows(tmp_path / "ada.zip")
    assert alone[0]
    assert alone[1] or name in ("many notebooks", "nested")
    assert {path.name for path in tmp_path.iterdir()} == {"class", "class.zip", "ada.zip"}


def test_a_zip_of_a_class_with_bad_members_gives_a_row_for_each(tmp_path):
    files = [("ada/hw.ipynb", NOTEBOOK), (link("bo/hw.ipynb"), "/etc/passwd"), ("../cy/hw.ipynb", NOTEBOOK)]
    files += [("/dan/hw.ipynb", NOTEBOOK), ("eve/", b""), ("fay/hw.pdf", b"x"), ("gil/hw.ipynb", bytes(11 << 20))]
    (tmp_path / "x.zip").write_bytes(zipped(files))
    assert rows(tmp_path / "x.zip") == [
        ("ada", ""),
        ("bo", "a symbolic link"),
        ("cy", "a path that leads out of the archive"),
        ("dan", "a path that leads out of the archive"),
        ("eve", "nothing handed in"),
        ("fay", "no notebook: hw.pdf"),
        ("gil", "larger than 10 MB"),
    ]


def test_a_folder_with_bad_files_gives_a_row_for_each(tmp_path):
    folder = on_disk(tmp_path / "x", {"ada/hw.ipynb": NOTEBOOK, "bo/": b"", "cy/hw.ipynb.txt": NOTEBOOK})
    with (folder / "dan.ipynb").open("wb") as file:
        file.truncate(100 << 20)
    with (folder / "dora.zip").open("wb") as file:
        file.truncate(101 << 20)
    (folder / "eve.ipynb").symlink_to("/etc/passwd")
    (folder / "fay").symlink_to(folder / "ada")
    (folder / "gil.ipynb").symlink_to("nowhere")
    (folder / "hal.ipynb").mkdir()
    os.mkfifo(folder / "ida.ipynb")
    assert rows(folder) == [
        ("ada", ""),
        ("bo", "nothing handed in"),
        ("cy", "no notebook: hw.ipynb.txt"),
        ("dan", "larger than 10 MB"),
        ("dora", "larger than 100 MB"),
        ("eve", "a symbolic link"),
        ("fay", "a symbolic link"),
        ("gil", "a symbolic link"),
        ("hal.ipynb", "nothing handed in"),
        ("ida", "not a file"),
    ]
    (tmp_path / "empty").mkdir()
    assert rows(tmp_path / "empty") == [("empty", "nothing handed in")]


def test_a_good_notebook_beside_a_bad_zip_keeps_its_row(given):
    assert rows(given({"ada/hw.ipynb": NOTEBOOK, "ada/data.zip": SMALL[:-30], "bo.ipynb": NOTEBOOK})) == [
        ("ada/data", "a damaged zip"),
        ("ada/hw", ""),
        ("bo", ""),
    ]


def test_a_good_notebook_beside_a_zip_without_one_is_alone(given):
    files = {"ada/hw.ipynb": NOTEBOOK, "ada/data.zip": zipped({"x.csv": b"1"}), "bo.ipynb": NOTEBOOK}
    assert rows(given(files)) == [("ada", ""), ("bo", "")]


def test_a_student_cannot_hand_in_for_another(tmp_path):
    bo = "Bo_2_assignsubmission_file_"
    names = [f"{MOODLE}/{bo}/hw.ipynb", f"{MOODLE}{bo}hw.ipynb", f"{bo}/hw.ipynb"]
    own = zipped({f"{bo}/hw.ipynb": NOTEBOOK})
    (tmp_path / "x.zip").write_bytes(zipped({**dict.fromkeys(names, NOTEBOOK), f"{MOODLE}/hw.zip": own}))
    found = [name for name, _ in rows(tmp_path / "x.zip")]
    assert len(found) == 4
    assert [name for name in found if not name.startswith("Ada")] == ["Bo_2"]


def test_a_zip_of_too_many_files_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "_MOST_FILES", 50)
    own = zipped({f"{number}.txt": b"" for number in range(51)})
    on_disk(tmp_path, {"class/ada.zip": own, "class/bo.ipynb": NOTEBOOK, "class.zip": own})
    assert rows(tmp_path / "class") == [("ada", "a zip of more than 50 files"), ("bo", "")]
    assert rows(tmp_path / "class.zip") == [("class", "a zip of more than 50 files")]


@pytest.fixture
def opened(monkeypatch):
    """Names of the files that were unpacked from zips."""
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
    else:
        assert len(opened) == 1
    assert [each.content for each in found] == [NOTEBOOK, b"y", b"later" if path.is_dir() else NOTEBOOK]


def test_a_students_zip_is_unpacked_once(given, opened):
    own = {"ada.zip": {"a1.ipynb": NOTEBOOK}, "bo.zip": {f"b{n}.ipynb": NOTEBOOK for n in range(3)}, "cy.zip": {}}
    files = {name: zipped(inner) for name, inner in own.items()}
    path = given({**files, "dan/d1.ipynb": NOTEBOOK, "dan/data.zip": zipped({"x.csv": b"1"})})
    expected = {"a1.ipynb", "b0.ipynb", "b1.ipynb", "b2.ipynb"}
    if path.suffix == ".zip":
        expected |= {*files, "dan/d1.ipynb", "dan/data.zip"}
    assert count([path]) == 4
    assert not opened
    assert rows(path) == [
        *(("ada", ""), ("bo/b0", ""), ("bo/b1", ""), ("bo/b2", "")),
        *(("cy", "an empty zip"), ("dan", "")),
    ]
    assert sorted(opened) == sorted(expected)


@pytest.mark.parametrize("name", CLASSES)
def test_counting_finds_each_notebook_outside_of_zips(given, name):
    path = given(dict.fromkeys(CLASSES[name], NOTEBOOK))
    assert count([path]) == len(rows(path))
    assert count([path, path]) == 2 * len(rows(path))


def test_counting_says_what_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no .*absent"):
        count([tmp_path / "absent"])


def test_no_zip_stops_the_others(tmp_path):
    """Bytes of a zip are changed at random."""
    chance = random.Random(0)
    good = zipped({"hw.ipynb": NOTEBOOK, "more/x.ipynb": NOTEBOOK * 3})
    seen = set()
    for _ in range(500):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            bad[chance.randrange(len(bad))] = chance.choice([0, 1, 8, 255, chance.randrange(256)])
        (tmp_path / "x.zip").write_bytes(bad[: chance.choice([None, None, chance.randrange(len(bad))])])
        found = rows(tmp_path / "x.zip")
        assert found
        seen |= {problem for _, problem in found}
    assert {"", "a damaged zip", "a damaged file", "a file with a password"} <= seen


# Notebooks ----------------------------------------------------------------------------------------------------------


def test_code_of_a_notebook():
    cells = [
        {"cell_type": "markdown", "source": "# text"},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
        {"cell_type": "code", "source": "c = 'é'"},
    ]
    text = json.dumps({"cells": cells}, ensure_ascii=False)
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert code(content) == ["a = 1\nb = 2", "c = 'é'"]


BAD = {
    "empty": (b"", "the file is empty"),
    "blank": (b" \n\n", "the file is empty"),
    "text": (b"print('hello')", "not a notebook"),
    "a web page": (b"<!DOCTYPE html><html></html>", "not a notebook"),
    "cut off": (NOTEBOOK[:-5], "not a notebook"),
    "zeros": (bytes(100), "not a notebook"),
    "another encoding": (NOTEBOOK.replace(b"x", b"\xe9"), "not a notebook"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "not a notebook"),
    "no cells": (b'{"nbformat": 4, "metadata": {}}', "not a notebook"),
    "cells of another kind": (b'{"cells": [1, 2]}', "not a notebook"),
    "cells that are none": (b'{"cells": 3}', "not a notebook"),
    "a source of another kind": (b'{"cells": [{"cell_type": "code", "source": [1]}]}', "not a notebook"),
    "a number": (b"3", "not a notebook"),
    "a list": (b"[]", "not a notebook"),
    "a huge number": (b"9" * 10_000, "not a notebook"),
    "deep": (b"[" * 200_000, "not a notebook"),
    "deep cells": (b'{"cells": ' + b'[{"cells": ' * 50_000, "not a notebook"),
    "version 3": (b'{"worksheets": [{"cells": []}], "nbformat": 3}', "a notebook of a format before version 4"),
    "much code": (NOTEBOOK.replace(b"x", b"x" * (1 << 20)), "more than 1 MB of code"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_notebook_is_said_so(name):
    content, why = BAD[name]
    with pytest.raises(ProblemError, match=f"^{why}$"):
        code(content)
