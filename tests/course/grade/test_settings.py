"""Course files contain the rules of a course; error messages name the file, the setting and what is allowed."""

import datetime
import re
from dataclasses import fields
from pathlib import Path

import pytest

from rsl_edu.course.grade import settings
from rsl_edu.course.grade.sandbox import Limits
from rsl_edu.course.grade.settings import Course, CourseError, Late, Policy, Rules


def read(folder, text, assignment="4_normalization"):
    path = folder / "course.yml"
    path.write_text(text, "utf-8")
    return settings.read(path, assignment)


WHOLE = """
limits: {cell: 20, load: 60.5, memory: 4096, processes: 64}
due: 2026-11-30 23:59+01:00
late: {grace: 0.5, per_day: 10, most: 50, none_after: 7}
several: best
nothing: empty
partial: cases
carry: false
roster: class/roster.csv
"""


def test_all_settings_of_a_course_file(tmp_path):
    due = datetime.datetime.fromisoformat("2026-11-30T22:59:00+00:00")
    assert read(tmp_path, WHOLE) == Course(
        limits={"cell": 20.0, "load": 60.5, "memory": 4 << 30, "processes": 64},
        rules=Rules(partial=True, carry=False),
        policy=Policy(due, Late(0.5, 10, 50, 7), "best", "empty"),
        roster=tmp_path / "class" / "roster.csv",
    )
    Limits(**read(tmp_path, WHOLE).limits)


@pytest.mark.parametrize("text", ["", "# nothing", "assignments: {other: {several: best, partial: cases}}"])
def test_missing_settings_have_their_defaults(tmp_path, text):
    assert read(tmp_path, text) == Course()


def test_settings_of_an_assignment_take_precedence(tmp_path):
    own = "assignments:\n  4_normalization:\n    due: 2026-12-07\n    late: {per_day: 20}\n    limits: {cell: 30}\n"
    course = read(tmp_path, f"{WHOLE}{own}    several: latest\n    carry: true")
    assert course.policy.late == Late(0.5, 20, 50, 7)
    assert course.policy.due == datetime.datetime(2026, 12, 8).astimezone()
    assert course.limits == {"cell": 30.0, "load": 60.5, "memory": 4 << 30, "processes": 64}
    assert (course.policy.several, course.rules.carry) == ("latest", True)
    assert read(tmp_path, WHOLE + own, "3_rnn") == read(tmp_path, WHOLE)


@pytest.mark.parametrize("text", ["2026-11-30 20:00", "2026-11-30 20:00:00", "'2026-11-30T20:00'"])
def test_time_without_an_offset_is_local(tmp_path, text):
    assert read(tmp_path, f"due: {text}").policy.due == datetime.datetime(2026, 11, 30, 20).astimezone()


WRONG = {
    "several: all": "several: expected latest or best, got 'all'",
    "several: [best]": "several: expected latest or best, got ['best']",
    "partial: true": "partial: expected none or cases, got True",
    "carry: 1": "carry: expected true or false, got 1",
    "colour: red": "colour: not a setting; allowed here: limits, due, late, ",
    "3: 4": "3: not a setting",
    "late: {per_week: 10}": "late.per_week: not a setting; allowed here: grace, per_day, most, none_after",
    "late: {per_day: ten}": "late.per_day: expected a percentage from 0 to 100, got 'ten'",
    "late: {per_day: 101}": "late.per_day: expected a percentage from 0 to 100, got 101",
    "late: {per_day: true}": "late.per_day: expected a percentage from 0 to 100, got True",
    "late: {grace: -1}": "late.grace: expected a number of hours, 0 or more, got -1",
    "late: {grace: .nan}": "late.grace: expected a number of hours, 0 or more, got nan",
    "late: {none_after: .inf}": "late.none_after: expected a number of days, 0 or more, got inf",
    "late: 10": "late: expected keys and values, got 10",
    "late:": "late: expected keys and values, got None",
    "- late": "the file: expected keys and values, got ['late']",
    "limits: {cell: 0}": "limits.cell: expected a number of seconds above 0, got 0",
    "limits: {cell: 10 s}": "limits.cell: expected a number of seconds above 0, got '10 s'",
    "limits: {memory: 0.5}": "limits.memory: expected a number of MB, 1 or more, got 0.5",
    "limits: {cpu: 5}": "limits.cpu: not a setting; allowed here: cell, load, call, total, start, wall, memory, disk, ",
    "due: tomorrow": "due: expected a date or a time, such as 2026-11-30 or ",
    "due: 5": "due: expected a date or a time, such as ",
    "roster: 5": "roster: expected the name of a file, got 5",
    "roster: ''": "roster: expected the name of a file, got ''",
    "assignments: {4_normalization: {roster: x.csv}}": "assignments.4_normalization.roster: not a setting",
    "assignments: {other: {late: {most: x}}}": "assignments.other.late.most: expected a percentage",
    "assignments: []": "assignments: expected keys and values, got []",
    "several: best\nseveral: latest": "expected YAML (several: given twice)",
    "late: {most: 5, most: 6}": "expected YAML (most: given twice)",
    "late: [": "expected YAML (",
    "late: !!python/object/apply:os.getcwd []": "expected YAML (",
    "? [1]\n: 2": "expected YAML (",
    "due: 2026-13-45": "expected YAML (",
}


@pytest.mark.parametrize("text", WRONG)
def test_errors_name_the_setting(tmp_path, text):
    with pytest.raises(CourseError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'course.yml'}: {WRONG[text]}")
    assert "\n" not in str(error.value)


def test_unreadable_file_is_named(tmp_path):
    with pytest.raises(CourseError, match=r"nowhere\.yml: No such file"):
        settings.read(tmp_path / "nowhere.yml", "4_normalization")
    (tmp_path / "course.yml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CourseError, match=r"course\.yml: expected YAML"):
        settings.read(tmp_path / "course.yml", "4_normalization")


def test_each_limit_of_the_sandbox_can_be_set():
    assert set(settings.LIMITS) == {field.name for field in fields(Limits)}
    for name in settings.LIMITS:
        key, value = settings.limit(f"{name}=1")
        assert (key, value) == (name, 1 << 20 if name in ("memory", "disk") else 1)
        Limits(**{key: value})
    assert settings.limit("cell=0.5") == ("cell", 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cell", "cell: expected a number of seconds above 0, got ''"),
        ("cell=-1", "cell: expected a number of seconds above 0, got '-1'"),
        ("cell=nan", "cell: expected a number of seconds above 0, got 'nan'"),
        ("memory=2GB", "memory: expected a number of MB, 1 or more, got '2GB'"),
        ("cpu=5", "expected NAME=NUMBER with a name of cell, load, call, total, start, wall, memory, disk, processes"),
    ],
)
def test_invalid_limit_is_named(text, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        settings.limit(text)


def test_examples_in_the_book_are_valid(tmp_path):
    page = (Path(__file__).parents[3] / "book" / "instructors.md").read_text("utf-8")
    rules, several = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    late = Late(grace=1, per_day=10, most=50, none_after=7)
    end = datetime.datetime(2026, 12, 2).astimezone()
    assert read(tmp_path, rules).policy == Policy(end, late)
    course = read(tmp_path, several, "5_distributions")
    assert (course.policy.late.per_day, course.limits, course.roster) == (20, {"cell": 20}, tmp_path / "roster.csv")


def test_book_names_each_setting_and_limit():
    page = (Path(__file__).parents[3] / "book" / "instructors.md").read_text("utf-8")
    for key in settings._COURSE:
        names = [f"late.{name}" for name in settings._LATE] if key == "late" else [key]
        assert all(f"| `{name}` |" in page for name in names), key
    assert all(f"`{name}`" in page for name in settings.LIMITS)
