"""Files for Moodle, tested with a model of Moodle's own rules (lms_importers)."""

import csv
import html
import io
import zipfile
from dataclasses import replace

import pytest
from course.grade.lms_importers import ENGLISH, Language, Participant, as_csv, moodle, moodle_feedback, worksheet

from rsl_edu.course.grade.lms import Entry, TemplateError
from rsl_edu.course.grade.lms.moodle import feedback_zip
from rsl_edu.course.grade.lms.moodle import worksheet as fill

LANGUAGES = {
    "English": ENGLISH,
    "German": Language(
        *("ID", "Vollständiger Name", "Status", "Bewertung", "Bestwertung", "Bewertung kann geändert werden"),
        *("Zuletzt geändert (Abgabe)", "Zuletzt geändert (Bewertung)", "Feedback als Kommentar"),
        hiddenuser="Teilnehmer/in",
        decsep=",",
        time="%d. %m %Y, %H:%M",
    ),
    "Portuguese": Language(
        *("Identificador", "Nome completo", "Status", "Avaliar", "Nota máxima", "Nota pode ser alterada"),
        *("Última modificação (envio)", "Última modificação (nota)", "Comentários de feedback"),
        hiddenuser="Participante ",
        decsep=",",
        time="%d %m %Y, %H:%M",
    ),
    "Japanese": Language(
        *("識別子", "姓名", "ステータス", "評点", "最大評点", "評点を変更することができます。"),
        *("最終更新日時 (提出)", "最終更新日時 (評点)", "フィードバックコメント"),
        hiddenuser="参加者",
        time="%Y年 %m月 %d日",
    ),
    "Arabic": Language(
        *("المعرّف", "الاسم الكامل", "الحالة", "الدرجة", "الدرجة القصوى", "يمكن تغيير الدرجة"),
        *("آخر تعديل (تسليم)", "آخر تعديل (درجة)", "التعليقات"),
        hiddenuser="المشارك",
    ),
}
NAMES = ["Ada Lovelace", 'Weird, "Al" O\'Brien', "علي رضا", "李 小龙", "🤖 Robot", "=HYPERLINK(1)", "Anne-Marie Müller"]
PEOPLE = [Participant(100 + at, name, f"p{at}@example.org") for at, name in enumerate(NAMES)]
PEOPLE += [Participant(200 + at, f"Student {at}") for at in range(111)]
PEOPLE += [Participant(400, "Wei Li"), Participant(401, "Wei Li")]
FILES = {
    "plain": {"encoding": "utf-8"},
    "BOM": {"encoding": "utf-8-sig"},
    "semicolons": {"separator": ";", "encoding": "utf-8-sig", "newline": "\r\n"},
    "tabulators in UTF-16": {"separator": "\t", "encoding": "utf-16"},
}


def exported(name):
    """Return a name in the form used in file names (clean_filename)."""
    return "".join(letter for letter in name if letter not in "&<>\"`|':\\/").replace("_", " ")


def entries(people=PEOPLE):
    return [
        Entry(exported(one.name), points=(one.number % 81) / 4, comment=f"No. {one.number}", identifier=str(one.number))
        for one in people
    ]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_class_can_be_imported_into_moodle(language, file):
    words, how = LANGUAGES[language], FILES[file]
    template = as_csv(worksheet(PEOPLE, 20, words), **how)
    filled = fill(entries(), 20, template)
    assert (filled.filled, filled.problems) == (120, ())
    after = moodle(filled.content, PEOPLE, 20, words, separator=how.get("separator", ","), encoding=how["encoding"])
    for one in PEOPLE:
        assert (after[one.number].grade, after[one.number].comment) == ((one.number % 81) / 4, f"No. {one.number}")


def test_points_have_moodle_s_format():
    for language, text in {"German": '"0,25","20,00"', "English": "0.25,20.00"}.items():
        template = as_csv(worksheet([Participant(1, "Ada")], 20, LANGUAGES[language]))
        assert text in fill([Entry("Ada", 0.25, identifier="1")], 20, template).content.decode()


@pytest.mark.parametrize("file", FILES)
def test_only_grades_and_comments_change(file):
    how = FILES[file]
    rows = worksheet([*PEOPLE, Participant(7, "Not graded, yet", grade=3.5, comment="by hand")], 20)
    template = as_csv(rows, **how)
    assert fill([], 20, template).content == template
    content = fill(entries(PEOPLE[:3]), 20, template).content
    after = csv.reader(io.StringIO(content.decode(how["encoding"]), newline=""), delimiter=how.get("separator", ","))
    grade, comment = rows[0].index("Grade"), rows[0].index("Feedback comments")
    for before, now in zip(rows, after, strict=True):
        changed = {column for column, (old, new) in enumerate(zip(before, now, strict=True)) if old != new}
        assert changed == (
            {grade, comment} if before[0] in ("Participant 100", "Participant 101", "Participant 102") else set()
        )


def test_worksheet_without_a_template_has_the_required_columns():
    filled = fill([*entries(), Entry("Eve", 3.0)], 20)
    assert filled.problems == ("Eve: the participant's number is unknown",)
    after = moodle(filled.content, PEOPLE, 20)
    assert all(after[one.number].grade == (one.number % 81) / 4 for one in PEOPLE)
    assert "'=HYPERLINK" in filled.content.decode()
    assert fill([], 20).content.decode().startswith("Identifier,Full name,")
    assert fill([Entry("Eve", 1.0)], 20).filled == 0


def test_entry_without_points_or_comment_changes_nothing(tmp_path):
    people = [Participant(1, "Ada", grade=4.0, comment="fine"), Participant(2, "Bo", grade=5.0, comment="so so")]
    some = [Entry("Ada", None, "to be marked", "1"), Entry("Bo", 6.0, "", "2"), Entry("Bo", None, "", "2")]
    after = moodle(fill(some[:2], 20, as_csv(worksheet(people, 20))).content, people, 20)
    assert [(one.grade, one.comment) for one in after.values()] == [(4.0, "to be marked"), (6.0, "so so")]
    assert fill(some[2:], 20, as_csv(worksheet(people, 20))).filled == 0


def test_newer_changes_in_moodle_are_kept_unless_the_upload_overrides():
    people = [Participant(1, "Ada", modified=1_700_000_000), Participant(2, "Bo", modified=1_700_000_000)]
    content = fill(entries(people), 20, as_csv(worksheet(people, 20))).content
    meanwhile = [people[0], replace(people[1], grade=19.0, modified=1_700_000_100)]
    after = moodle(content, meanwhile, 20)
    assert [(one.grade, one.comment) for one in after.values()] == [(0.25, "No. 1"), (19.0, "")]
    after = moodle(content, meanwhile, 20, ignore_modified=True)
    assert [one.grade for one in after.values()] == [0.25, 0.5]


def test_moodle_skips_existing_grades_with_times_in_another_language():
    """This is why the documentation recommends to allow the update."""
    people, words = [Participant(1, "Ada", grade=2.0, modified=1_700_000_000)], LANGUAGES["German"]
    content = fill(entries(people), 20, as_csv(worksheet(people, 20, words))).content
    assert moodle(content, people, 20, words)[1].grade == 2.0
    assert moodle(content, people, 20, words, ignore_modified=True)[1].grade == 0.25


# Whose row ----------------------------------------------------------------------------------------------------------


def after(some, people, **options):
    """Return the grades after the upload, and the problems."""
    filled = fill(some, 20, as_csv(worksheet(people, 20, **options)))
    return {number: one.grade for number, one in moodle(filled.content, people, 20).items()}, list(filled.problems)


ADA, BO = Participant(1, "Ada Lovelace", "ada@x.org"), Participant(2, "Bo Müller", "bo@x.org")


@pytest.mark.parametrize(
    ("entry", "expected"),
    {
        Entry("Ada Lovelace", 5.0, identifier="1"): ({1: 5.0, 2: None}, []),
        Entry("Ada Lovelace (1)", 5.0, identifier="1"): ({1: 5.0, 2: None}, []),
        Entry("Group A-Ada Lovelace", 5.0, identifier="1"): ({1: 5.0, 2: None}, []),
        Entry("ada  LOVELACE", 5.0): ({1: 5.0, 2: None}, []),
        Entry("Bo Mu\u0308ller", 5.0): ({1: None, 2: 5.0}, []),
        Entry("someone", 5.0, email="Bo@x.org"): ({1: None, 2: 5.0}, []),
        Entry("bo@x.org", 5.0): ({1: None, 2: 5.0}, []),
        Entry("Bo Muller", 5.0): ({1: None, 2: None}, ["Bo Muller: nobody in the table has this name"]),
        Entry("Submitted for grading", 5.0): (
            {1: None, 2: None},
            ["Submitted for grading: nobody in the table has this name"],
        ),
        Entry("Ada Lovelace", 5.0, identifier="3"): (
            {1: None, 2: None},
            ["Ada Lovelace: no rows of the table have the number 3"],
        ),
        Entry("Ada Lovelace", 5.0, identifier="2"): (
            {1: None, 2: None},
            ["Ada Lovelace: in the table, the number 2 belongs to Bo Müller"],
        ),
        Entry("Ada Lovelace", 20.5, identifier="1"): (
            {1: None, 2: None},
            ["Ada Lovelace: 20.5 points are more than Moodle accepts (20)"],
        ),
    }.items(),
)
def test_row_is_found_by_number_or_else_by_name(entry, expected):
    assert after([entry], [ADA, BO]) == expected


def test_duplicates_are_reported_and_not_guessed():
    people = [Participant(1, "Wei Li"), Participant(2, "Wei Li"), Participant(3, "Ada")]
    some = [Entry("Wei Li", 1.0), Entry("Ada", 2.0, identifier="3"), Entry("ADA", 3.0)]
    grades, problems = after(some, people)
    assert grades == {1: None, 2: None, 3: None}
    assert problems == ["Wei Li: 2 rows of the table have this name", "Ada and ADA: they match the same row"]
    rows = [*worksheet(people, 20), worksheet(people, 20)[1]]
    filled = fill([Entry("Wei Li", 1.0, identifier="1")], 20, as_csv(rows))
    assert filled.problems == ("Wei Li: 2 rows of the table have the number 1",)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hidden_names_of_a_roster(language):
    """Each student has the number as the name, as in the worksheet."""
    words = LANGUAGES[language]
    some = [Entry(f"{words.hiddenuser}{number}", 5.0, identifier=str(number)) for number in (1, 2)]
    filled = fill(some, 20, as_csv(worksheet([ADA, BO], 20, words, hidden=True)))
    assert filled.problems == ()
    assert [one.grade for one in moodle(filled.content, [ADA, BO], 20, words).values()] == [5.0, 5.0]


def test_hidden_names():
    some = [Entry("Participant (1)", 5.0, identifier="1"), Entry("Participant (2)", 6.0, identifier="2")]
    assert after(some, [ADA, BO], hidden=True) == ({1: 5.0, 2: 6.0}, [])
    words = LANGUAGES["German"]
    filled = fill([Entry("Teilnehmerin", 5.0, identifier="1")], 20, as_csv(worksheet([ADA], 20, words, hidden=True)))
    assert moodle(filled.content, [ADA], 20, words)[1].grade == 5.0


@pytest.mark.parametrize("hidden", [False, True])
def test_group_points_go_to_members_and_not_to_the_participant_with_that_number(hidden):
    people = [replace(ADA, group="Group A"), replace(BO, group="Group B"), Participant(12, "Cy Young", group="Group A")]
    some = [Entry("Group A", 5.0, identifier="2"), Entry("Group B", 6.0, identifier="12")]
    assert after(some, people, teams=True, hidden=hidden) == ({1: 5.0, 2: 6.0, 12: 5.0}, [])
    assert after([Entry("Group A", 5.0, identifier="1")], [ADA, BO]) == (
        {1: None, 2: None},
        ["Group A: in the table, the number 1 belongs to Ada Lovelace"],
    )


def test_message_about_many_students_is_one_line():
    some = [Entry(f"Student {at}", 1.0, identifier=str(900 + at)) for at in range(9)]
    filled = fill([Entry("Eve", 1.0), *some], 20, as_csv(worksheet([ADA], 20)))
    assert filled.problems == (
        "Eve: nobody in the table has this name",
        "9 students, such as Student 0: no rows of the table have the number 900. "
        "The others: Student 1; Student 2; Student 3; and 5 more",
    )
    assert len(fill(some[:8], 20, as_csv(worksheet([ADA], 20))).problems) == 8


# Comments -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "html"),
    {
        "2 < 3 & <script>": "2 &lt; 3 &amp; &lt;script&gt;",
        "one\ntwo\n": "one<br>two",
        "=1+1": "&#61;1+1",
        "-2 points": "&#45;2 points",
        "＝1": "&#65309;1",
        'she said "yes", twice': 'she said "yes", twice',
    }.items(),
)
def test_comments_are_html_and_not_formulas(comment, html):
    filled = fill([Entry("Ada Lovelace", 1.0, comment, "1")], 20, as_csv(worksheet([ADA], 20)))
    assert moodle(filled.content, [ADA], 20)[1].comment == html


def test_points_that_moodle_rejects_are_reported():
    people = [replace(PEOPLE[0], locked=True), PEOPLE[2]]
    some = [Entry("Ada Lovelace", 5.0, identifier="100"), Entry("x", 5.0, identifier="102")]
    filled = fill(some[:1], 20, as_csv(worksheet(people, 20)))
    assert filled.problems == ("Ada Lovelace: Moodle will not accept the points, because the grade is locked there",)
    assert moodle(filled.content, people, 20)[100].grade is None
    german = as_csv([[cell if cell != "No" else "Nein" for cell in row] for row in worksheet(people, 20)])
    assert len(fill(some[:1], 20, german).problems) == 1


def test_replaced_comment_is_reported():
    people = [replace(PEOPLE[0], comment="well done")]
    filled = fill([Entry("Ada Lovelace", 5.0, "a: 5 of 5", identifier="100")], 20, as_csv(worksheet(people, 20)))
    assert filled.problems == ("a different comment in Moodle will be replaced: Ada Lovelace",)
    again = fill([Entry("Ada Lovelace", 5.0, "a: 5 of 5", identifier="100")], 20, filled.content)
    assert again.problems == ()


@pytest.mark.parametrize("comment", ['say "hi\\"', "in C:\\dir\\", '\\alpha, "\\"', "\\\\", '\\"', 'a\\\\"b'])
@pytest.mark.parametrize("template", [None, as_csv(worksheet(PEOPLE, 20)), as_csv(worksheet([PEOPLE[0]], 20))])
def test_backslash_in_a_comment_does_not_break_the_import(comment, template):
    """In HTML, &#92; is a backslash."""
    some = [Entry("Ada Lovelace", 5.0, comment, identifier="100", email='"a\\"@x'), Entry("x", 1.0, identifier="101")]
    there = moodle(fill(some, 20, template).content, PEOPLE, 20)
    assert html.unescape(there[100].comment) == comment
    assert there[100].grade == 5


def test_existing_backslashes_do_not_break_the_import():
    there = [replace(PEOPLE[0], comment='<p>\\"</p>\\'), PEOPLE[2]]
    some = [Entry("Ada Lovelace", 5.0, identifier="100"), Entry("x", 4.0, identifier="102")]
    filled = fill(some, 20, as_csv(worksheet(there, 20)))
    after = moodle(filled.content, there, 20)
    assert (after[100].grade, html.unescape(after[100].comment)) == (5, there[0].comment)


def test_worksheet_saved_on_windows_keeps_its_encoding():
    template = as_csv(worksheet([BO], 20), ";", "cp1252", "\r\n")
    filled = fill([Entry("Bo Müller", 1.5, "très bien 🤖", "2")], 20, template)
    assert "Bo Müller".encode("cp1252") in filled.content
    assert moodle(filled.content, [BO], 20, separator=";", encoding="cp1252")[2].comment == "tr&#232;s bien &#129302;"


def test_unknown_encoding_is_kept_byte_for_byte():
    rows = worksheet([replace(BO, name="石井 健"), ADA], 20)
    template = as_csv(rows, encoding="shift-jis")
    filled = fill([Entry("Ada Lovelace", 1.5, "bien sûr", "1")], 20, template)
    assert [row[1] for row in csv.reader(io.StringIO(filled.content.decode("shift-jis")))][1] == "石井 健"
    assert "bien s&#251;r" in filled.content.decode("shift-jis")


@pytest.mark.parametrize("language", LANGUAGES)
def test_worksheet_without_comments(language):
    words = LANGUAGES[language]
    template = as_csv(worksheet([ADA, BO], 20, words, comments=False))
    filled = fill(entries([ADA, BO]), 20, template)
    assert filled.problems == (
        "comments are left out, because the worksheet has no column for them (Feedback comments)",
    )
    assert [one.grade for one in moodle(filled.content, [ADA, BO], 20, words).values()] == [0.25, 0.5]


# What is no worksheet -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "says"),
    {
        b"": "an empty file",
        b"\xff\xfe\x00": "not valid UTF-16-LE",
        b"a,b\n1,x\n2,3\n": "a maximum grade, not a scale; got the columns a, b",
        b"Student,ID,Section\nAda,7,A\n": "a first column of identifiers .* got the columns Student, ID",
        as_csv(
            worksheet([ADA], 100)
        ): "the maximum grade in Moodle is 100, but the assignment has 20 points: change the maximum",
        as_csv([[*row[:4], "B", "A\nB", *row[6:]] for row in worksheet([ADA], 20)]): "a maximum grade, not a scale",
        as_csv([[*row[:6], "20.00", *row[6:]] for row in worksheet([ADA], 20)]): "more than one column looks like",
    }.items(),
)
def test_invalid_worksheet_is_an_error(template, says):
    with pytest.raises(TemplateError, match=says):
        fill([], 20, template)


def test_single_student_with_the_maximum_grade():
    people = [replace(ADA, grade=20.0)]
    assert after([Entry("Ada Lovelace", 3.0, identifier="1")], people) == ({1: 3.0}, [])


def test_submitted_text_may_be_long():
    rows = worksheet([ADA], 20)
    rows[1][rows[0].index("Online text")] = "x" * 300_000
    assert fill([Entry("Ada Lovelace", 3.0, identifier="1")], 20, as_csv(rows)).filled == 1
    assert csv.field_size_limit() == 131_072


# Feedback files -----------------------------------------------------------------------------------------------------


def test_pages_can_be_imported_into_moodle(tmp_path):
    people = [*PEOPLE, Participant(500, "_.._ under/score_7_assignfeedback_file_"), Participant(501, "...")]
    pages = ((Entry(one.name, identifier=str(one.number)), "feedback.html", str(one.number).encode()) for one in people)
    assert feedback_zip(pages, tmp_path / "x.zip") == []
    numbers = {one.number for one in people} | {7}
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        found = {name: moodle_feedback(f"/import/{name}", numbers) for name in archive.namelist()}
        assert sorted(found.values()) == sorted((one.number, "feedback.html") for one in people)
        assert all(archive.read(name) == str(found[name][0]).encode() for name in found)
        assert not any(".." in name.split("/") for name in archive.namelist())


def test_pages_that_moodle_cannot_assign_are_reported(tmp_path):
    ada, eve = Entry("Ada", identifier="1"), Entry("Eve")
    pages = [(ada, "a.html", b"1"), (eve, "a.html", b"2"), (ada, "a.html", b"3"), (ada, "b.html", b"4")]
    problems = feedback_zip(pages, tmp_path / "x.zip")
    assert problems == ["Eve: the participant's number is unknown", "Ada: there is already a page for the number 1"]
    assert len(zipfile.ZipFile(tmp_path / "x.zip").namelist()) == 2
    for name in ("", ".a", "~a", "a/b"):
        with pytest.raises(ValueError, match="name: expected a file name"):
            feedback_zip([(ada, name, b"")], tmp_path / "y.zip")
    assert not (tmp_path / "y.zip").exists()
