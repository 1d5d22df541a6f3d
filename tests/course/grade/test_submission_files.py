"""Files that cannot be graded or unpacked give a submission with a reason, and the others continue."""

import os
import random
import stat
import zipfile

import pytest
from course.grade.archives import NOTEBOOK, on_disk, rows, zipped

from rsl_edu.course.grade.submissions import files


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def changed(content, old, new):
    """Return a zip with other bytes in its headers."""
    assert content.count(old) >= 1
    return content.replace(old, new)


def encrypted(content):
    for sign, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.index(sign) + place
        content = content[:at] + bytes([content[at] | 1]) + content[at + 1 :]
    return content


def lying(content, size):
    """Return a zip whose directory contains a wrong file size."""
    at = content.index(b"PK\1\2") + 24
    return content[:at] + size.to_bytes(4, "little") + content[at + 4 :]


ZEROS = zipped({"hw.ipynb": bytes(101 << 20)})
SMALL = zipped({"hw.ipynb": NOTEBOOK})
ZIPS = {
    "a bomb": (ZEROS, "larger than 100 MB"),
    "a large file of zeros": (zipped({"hw.ipynb": bytes(11 << 20)}), "larger than 10 MB without its outputs"),
    "a bomb that lies": (lying(ZEROS, 10), "a damaged file"),
    "a bomb in another packing": (zipped({"hw.ipynb": bytes(1 << 24)}, zipfile.ZIP_LZMA), "unsupported compression"),
    "an unknown packing": (changed(SMALL, b"\x08\0", b"\x63\0"), "unsupported compression"),
    "nested": (zipped({"a.zip": zipped({"b.zip": ZEROS})}), "no notebook: a.zip"),
    "many notebooks": (
        zipped(dict.fromkeys(map("{}.ipynb".format, range(21)), NOTEBOOK)),
        "a zip of more than 20 notebooks",
    ),
    "cut off": (SMALL[:-30], "a damaged zip"),
    "garbage": (b"PK\3\4" + bytes(100), "a damaged zip"),
    "no bytes": (b"", "a damaged zip"),
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
def test_ungradable_zip_gives_a_row_with_the_reason(tmp_path, name):
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


def test_empty_zip_of_a_student_is_reported(tmp_path):
    on_disk(tmp_path, {"class/ada/hw.zip": zipped({}), "class/bo.ipynb": NOTEBOOK})
    assert rows(tmp_path / "class") == [("ada", "an empty zip"), ("bo", "")]


def test_class_zip_with_bad_members_gives_a_row_for_each(tmp_path):
    files = [("ada/hw.ipynb", NOTEBOOK), (link("bo/hw.ipynb"), "/etc/passwd"), ("../cy/hw.ipynb", NOTEBOOK)]
    files += [("/dan/hw.ipynb", NOTEBOOK), ("eve/", b""), ("fay/hw.pdf", b"x"), ("gil/hw.ipynb", bytes(101 << 20))]
    (tmp_path / "x.zip").write_bytes(zipped(files))
    assert rows(tmp_path / "x.zip") == [
        ("ada", ""),
        ("bo", "a symbolic link"),
        ("cy", "a path that leads out of the archive"),
        ("dan", "a path that leads out of the archive"),
        ("eve", "nothing handed in"),
        ("fay", "no notebook: hw.pdf"),
        ("gil", "larger than 100 MB"),
    ]


def test_folder_with_bad_files_gives_a_row_for_each(tmp_path):
    folder = on_disk(tmp_path / "x", {"ada/hw.ipynb": NOTEBOOK, "bo/": b"", "cy/hw.ipynb.txt": NOTEBOOK})
    with (folder / "dan.ipynb").open("wb") as file:
        file.truncate(101 << 20)
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
        ("dan", "larger than 100 MB"),
        ("dora", "larger than 100 MB"),
        ("eve", "a symbolic link"),
        ("fay", "a symbolic link"),
        ("gil", "a symbolic link"),
        ("hal.ipynb", "nothing handed in"),
        ("ida", "not a file"),
    ]


def test_good_notebook_next_to_a_bad_zip_keeps_its_row(given):
    assert sorted(rows(given({"ada/hw.ipynb": NOTEBOOK, "ada/data.zip": SMALL[:-30], "bo.ipynb": NOTEBOOK}))) == [
        ("ada", ""),
        ("ada", "a damaged zip"),
        ("bo", ""),
    ]


def test_zip_without_a_notebook_next_to_a_good_one_is_ignored(given):
    files = {"ada/hw.ipynb": NOTEBOOK, "ada/data.zip": zipped({"x.csv": b"1"}), "bo.ipynb": NOTEBOOK}
    assert rows(given(files)) == [("ada", ""), ("bo", "")]


def test_zip_with_too_many_files_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_FILES", 50)
    own = zipped({f"{number}.txt": b"" for number in range(51)})
    on_disk(tmp_path, {"class/ada.zip": own, "class/bo.ipynb": NOTEBOOK, "class.zip": own})
    assert rows(tmp_path / "class") == [("ada", "a zip of more than 50 files"), ("bo", "")]
    assert rows(tmp_path / "class.zip") == [("class", "a zip of more than 50 files")]


def test_damaged_zip_does_not_stop_the_others(tmp_path):
    """Random bytes of a zip are changed."""
    chance = random.Random(0)
    (tmp_path / "ada.ipynb").write_bytes(NOTEBOOK)  # a single zip without files would not be a class
    good = zipped({"hw.ipynb": NOTEBOOK, "more/x.ipynb": NOTEBOOK * 3})
    seen = set()
    for _ in range(500):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            bad[chance.randrange(len(bad))] = chance.choice([0, 1, 8, 255, chance.randrange(256)])
        (tmp_path / "x.zip").write_bytes(bad[: chance.choice([None, None, chance.randrange(len(bad))])])
        *found, ada = rows(tmp_path / "x.zip", tmp_path / "ada.ipynb")
        assert found
        assert ada == ("ada", "")
        seen |= {problem for _, problem in found}
    assert {"", "a damaged zip", "a damaged file", "a file with a password"} <= seen
