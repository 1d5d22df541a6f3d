"""Grades survive a power failure, and cells of the table are only text or points."""

import csv
import io
import json
import os
from dataclasses import asdict, replace

import pytest

from rsl_edu.course.grade import journal_file
from rsl_edu.course.grade.by_hand import Hand
from rsl_edu.course.grade.gradebook import (
    COLUMNS,
    GRADED,
    NOTHING,
    TRIED_AGAIN,
    Decided,
    Journal,
    Row,
    Settled,
    table,
    write,
)
from rsl_edu.course.grade.journal_file import Written, last_written
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.notebook import Note
from rsl_edu.course.grade.roster import Person

TASKS = {"reset_done": 3.0, "unpad": 4.5}
ROW = Row(
    "Ada Lovelace",
    "key",
    GRADED,
    (Mark("reset_done", 3.0, None, "right."), Mark("unpad", 0.0, "nan", "your code\n  returns NaN \u2028 \x1b \ud800")),
    (Note(3, "raised", "raised ValueError: é", "x = é"),),
    1.5,
)


def read(rows):
    return list(csv.reader(io.StringIO(table(rows, TASKS), newline="")))


# The table ------------------------------------------------------------------------------------------------------------


def test_columns_and_points():
    damaged = Row("Bo", "key", "a damaged zip, or none", ())
    assert table([ROW, damaged], TASKS) == (
        "submission,identifier,status,total,max,late,deduction,to_mark,reset_done,unpad,remarks\n"
        "Ada Lovelace,,graded,3,7.5,,,,3,0,did not run in full: code cells 3\n"
        'Bo,,"a damaged zip, or none",0,7.5,,,,0,0,\n'
    )
    lost = Row("Cy", "key", f"{TRIED_AGAIN}: OSError", ())
    assert (lost.tried_again, damaged.tried_again, ROW.tried_again) == (True, False, False)
    assert read([lost])[1:] == [["Cy", "", lost.status, "", "7.5", *[""] * 6]]  # its points are not known yet
    assert read([]) == [[*COLUMNS, *TASKS, "remarks"]]


def test_exercises_to_mark_are_empty_cells_and_counted():
    row = replace(ROW, marks=(ROW.marks[0], Mark("unpad", None, None, "")))
    assert (row.total, row.to_mark) == (3, 1)
    assert read([row])[1][3:] == ["3", "7.5", "", "", "1", "3", "", "did not run in full: code cells 3"]


def test_remarks_describe_lateness_and_marks_by_hand():
    settled = Settled(
        50.26, 2, "late: 2 points", (Decided(Hand("Ada", "unpad", 0, "by e-mail")),), ("a.ipynb", "b.ipynb"), True
    )
    said = "late: 2 points. unpad by hand (by e-mail). does not count: a.ipynb, b.ipynb. graded with an earlier"
    cells = read([replace(ROW, identifier="7", settled=settled)])[1]
    assert cells[:8] == ["Ada Lovelace", "7", "graded", "1", "7.5", "50.3", "2", ""]
    assert cells[-1].startswith(said)
    assert read([replace(ROW, settled=Settled(person=Person("Ada", "9")))])[1][1] == "9"
    for late, cell in {None: "?", 0: "", 17 / 3600: "0.01", 2 / 60: "0.03", 26.04: "26", 26.06: "26.1"}.items():
        assert read([replace(ROW, settled=Settled(late))])[1][5] == cell
    assert read([Row("Bo", "", NOTHING, (), settled=Settled(empty=True))])[1] == [
        "Bo",
        "",
        NOTHING,
        "",
        "7.5",
        *[""] * 6,
    ]
    assert replace(ROW, settled=Settled(deduction=5)).total == 0


def test_every_row_of_an_unsafe_run_has_a_warning():
    rows = [replace(ROW, safe=False), Row("Bo", "key", "the file is empty", (), safe=False)]
    assert all(row[2].endswith(" (unsafe: without a sandbox)") for row in read(rows)[1:])


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠A1"])
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\x00", "\u00a0", "\u202e", "\ufeff", "   \t"])
def test_cells_are_never_formulas(formula, before):
    (row,) = read([replace(ROW, submission=before + formula, status=before + formula)])[1:]
    for cell in (row[0], row[2]):
        assert cell.startswith("'")
        assert cell.strip("' ") == formula


@pytest.mark.parametrize("separator", [",", ";", "\t", "\n", "\r\n", "\u2028", '"', '",', "\0"])
def test_text_cannot_create_cells_or_rows(separator):
    text = table([replace(ROW, submission=f"Ada{separator}=1+1", status=f"x{separator}=2")], TASKS)
    assert len(text.splitlines()) == 2
    assert len(read([replace(ROW, submission=f"Ada{separator}=1+1")])[1]) == len(COLUMNS) + len(TASKS) + 1
    for delimiter in ";\t":  # separators of other spreadsheets
        cells = list(csv.reader(io.StringIO(text), delimiter=delimiter))[1]
        assert not any(cell.startswith("=") for cell in cells)


def test_names_in_all_scripts_are_unchanged():
    for name in ("李小龙", "Łukasz Ñandú", "O'Neil-Smith", "عمر", "a=b", "🙂"):
        assert read([replace(ROW, submission=name)])[1][0] == name
    assert all(
        letter.isprintable() or letter == "\n" for letter in table([replace(ROW, submission="\x1b[2J\u202ex")], TASKS)
    )


# The journal ----------------------------------------------------------------------------------------------------------


def journal_of(path, *rows):
    journal = Journal(path)
    for row in rows:
        journal.add(row)
    return {(row.submission, row.key): row for row in rows}


def test_added_rows_are_read_again(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert Journal(path).rows == {}
    added = journal_of(
        path, ROW, replace(ROW, submission="é\n\u2028", key="2"), Row("Bo", "x", "a damaged zip", (), safe=False)
    )
    assert Journal(path).rows == added
    later = replace(ROW, seconds=9.0)
    journal_of(path, later)
    assert Journal(path).rows == {**added, (ROW.submission, ROW.key): later}
    assert len(path.read_text().splitlines()) == 4


def test_added_row_is_synced_to_the_disk(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(journal_file.os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
    journal = Journal(tmp_path / "journal.jsonl")
    for number in range(3):
        journal.add(replace(ROW, key=str(number)))
        assert synced[-1] == (tmp_path / "journal.jsonl").stat().st_size
    assert len({*synced}) == 3


def test_journal_loses_only_the_last_row_in_a_power_failure(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal_of(path, ROW, replace(ROW, key="2"))
    whole = path.read_bytes()
    begin = whole.index(b"\n") + 1
    for end in range(begin, len(whole) + 1, 7):
        path.write_bytes(whole[:end])
        journal_of(path, replace(ROW, key="3"))
        keys = {key for _, key in Journal(path).rows}
        assert keys - {"2"} == {"key", "3"}, end
        assert len(path.read_bytes().splitlines()) == 2 + (end > begin)
    path.write_bytes(whole[:begin] + bytes(300))  # the file was extended, but its end not yet written
    journal_of(path, replace(ROW, key="3"))
    assert {key for _, key in Journal(path).rows} == {"key", "3"}


FOREIGN = {
    "empty": b"",
    "text": b"hello",
    "bytes": b"\xff\xfe\x00\xd8",
    "a list": b"[]",
    "a number": b"3",
    "deep": b"[" * 100_000,
    "nothing": b"{}",
    "no marks": json.dumps({**asdict(ROW), "marks": None}).encode(),
    "no notes": json.dumps({name: value for name, value in asdict(ROW).items() if name != "notes"}).encode(),
    "a name that is a list": json.dumps({**asdict(ROW), "submission": []}).encode(),
    "a table without points": json.dumps({"table": "", "assignment": "x"}).encode(),
    "a table with other points": json.dumps({"table": "", "assignment": "x", "most": {"a": "b"}}).encode(),
    "a later version": json.dumps({**asdict(ROW), "colour": "red"}).encode(),
    "an earlier mark": json.dumps({**asdict(ROW), "marks": [{"task": "unpad", "points": 1}]}).encode(),
    "a later mark": json.dumps({**asdict(ROW), "marks": [{**asdict(ROW.marks[0]), "colour": "red"}]}).encode(),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_invalid_line_is_ignored(tmp_path, name):
    path = tmp_path / "journal.jsonl"
    added = journal_of(path, ROW)
    path.write_bytes(FOREIGN[name] + b"\n" + path.read_bytes() + FOREIGN[name])
    assert Journal(path).rows == added
    more = journal_of(path, replace(ROW, key="2"))
    assert Journal(path).rows == {**added, **more}


def test_journal_returns_the_last_table_and_the_newest_rows(tmp_path):
    path = tmp_path / "journal.jsonl"
    rows = [replace(ROW, file=file, key=key) for file, key in (("a", "1"), ("b", "2"), ("a", "3"))]
    journal_of(path, *rows)
    journal = Journal(path)
    assert journal.written is None
    assert journal.newest == rows[1:]
    assert journal.is_newest(rows[2])
    assert not journal.is_newest(rows[0])
    assert not journal.is_newest(replace(rows[2], late=True))
    for text in ("a,b\n", "a,c\n", "a,c\n"):
        journal.wrote(Written(text, "3_rnn", TASKS))
    again = Journal(path)
    assert again.written == last_written(path) == Written("a,c\n", "3_rnn", TASKS)
    assert again.newest == rows[1:]
    assert len(path.read_text().splitlines()) == 5


def test_journal_does_not_store_the_effect_of_rules(tmp_path):
    journal_of(tmp_path / "journal.jsonl", replace(ROW, settled=Settled(5.0, 3)))
    assert Journal(tmp_path / "journal.jsonl").newest == [ROW]


# Files ----------------------------------------------------------------------------------------------------------------


def test_file_is_written_completely_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    write(path, "old é")
    assert path.read_bytes() == "old é".encode()
    with pytest.raises(UnicodeEncodeError):
        write(path, "new \ud800")
    with monkeypatch.context() as patch:
        patch.setattr(type(path), "replace", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(path, "new")
    assert path.read_text("utf-8") == "old é"
    write(path, "new")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"grades.csv": "new"}
