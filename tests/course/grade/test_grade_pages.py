"""Pages are correct and readable on a phone and in dark mode, and text from students is escaped."""

import re
import unicodedata
from dataclasses import replace

import pytest
from course.grade.page_reader import ASSIGNMENT, NOT_ANSWERED, POINTS, Page, assignment, row, wrong

from rsl_edu.course.grade import pages
from rsl_edu.course.grade.gradebook import TRIED_AGAIN, Row
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.notebook import Note
from rsl_edu.printable import printable

# Attacks --------------------------------------------------------------------------------------------------------------

ATTACKS = {
    "script": "</pre></b></title></style><script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "picture": "<img src=x onerror=alert(1)>",
    "style": "</style><style>*{display:none}</style>",
    "comment": "<!-- ",
    "entity": "&lt;script&gt;&#x3c;&amp;",
    "cdata": "<![CDATA[<x>]]>",
    "frame": "<iframe srcdoc='<script>alert(1)</script>'>",
    "Markdown": "[x](javascript:alert(1)) ![](http://example.org/x) <http://x> `` ` ``` **b**",
    "terminal": "\x1b[2J\x1b]0;title\x07\x9b31m\x00",
    "direction": "\u202egnp.exe\u2066\u200f",
    "surrogate": "\ud800\udcff",
}
PLAIN = {
    **dict.fromkeys(("lang", "charset", "name", "content", "http-equiv", "class", "scope", "aria-label"), r"[^<>\"]*"),
    "style": r"(width:[\d.]+%|height:[\d.]+rem|border-left:4px solid #\w+;padding:.2em .8em|"
    r"background:none;margin:.3em 0 0;padding:0;border:0;white-space:pre-wrap)",
    "id": r"exercise-\d",
    "href": r"#exercise-\d|grades_feedback/[\w%-]+\.html",
}


def attacked(text):
    """Return a row with a text in every field that a student can influence."""
    marks = [
        Mark("reset_done", 0.0, text, text, (text, text), text),
        Mark("unpad", 0.0, "exception", f"raises\n  {text}", (text,), text),
    ]
    notes = tuple(Note(1, kind, text, text) for kind in ("raised", "stopped", "syntax", "module", "line"))
    return row(*marks, name=text, notes=notes, safe=False, file=text, identifier=text, late=True)


def ungraded(row):
    """Return the same row as a submission that could not be graded."""
    return replace(row, status=row.submission, marks=())


WRITERS = {
    "feedback": lambda row: pages.feedback(ASSIGNMENT, row),
    "feedback with all that is said of it": lambda row: pages.feedback(
        ASSIGNMENT,
        row,
        by_hand={"unpad": pages.ByHand(1.0, row.submission), "reset_done": pages.ByHand(None, row.submission)},
        taken_off=1.0,
        late=row.submission,
        others=[row.submission],
    ),
    "feedback without points": lambda row: pages.feedback(ASSIGNMENT, ungraded(row)),
    "report": lambda row: pages.report(ASSIGNMENT, [row, ungraded(row)], [replace(row, marks=row.marks[:1])]),
    "report without mistakes": lambda row: pages.report(ASSIGNMENT, [replace(row, marks=row.marks[2:])], [row]),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ATTACKS)
def test_text_from_students_is_escaped(name, writer):
    attack, write = ATTACKS[name], WRITERS[writer]
    text = write(attacked(attack))
    text.encode()
    page = Page(text)
    assert page.elements == Page(write(attacked("x"))).elements
    assert all(re.fullmatch(PLAIN[key], value) for key, value in page.attributes), page.attributes
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert printable(attack, "\ufffd", keep="\n") in page.text
    assert "default-src 'none'; style-src 'unsafe-inline'" in text


@pytest.mark.parametrize("name", ATTACKS)
def test_typical_answer_is_escaped(name):
    attack = ATTACKS[name].replace('"', "").replace("\0", "")

    def page_with(text):
        mark = Mark("unpad", 0.0, "unknown", "wrong", (), f'answer = """{text}"""')
        return Page(pages.report(ASSIGNMENT, [row(mark, name="A_1"), row(mark, name="B_2")]))

    page = page_with(attack)
    assert f'answer = """{printable(attack, chr(0xFFFD))}"""' in page.texts
    assert page.elements == page_with("x").elements


@pytest.mark.parametrize(
    "folder", ["javascript:alert(1)", "//example.org", 'a" onclick="x', "Noten 2026 #1?", "\udcff"]
)
def test_links_lead_only_to_the_folder_of_pages(folder):
    page = Page(pages.report(ASSIGNMENT, [row(wrong("unpad", 0))], folder=folder))
    (address,) = (address for address in page.all("href") if not address.startswith("#"))
    assert re.fullmatch(r"(?!//)[\w%./-]+", address)


def test_files_have_safe_unique_names():
    names = [
        "Ada",
        "ada",
        "ADA",
        "a/../b",
        "a b",
        "a_b",
        "a-b",
        "..",
        "",
        "/",
        "a\\b",
        "con",
        "nul.html",
        "\n",
        "\udcff",
    ]
    names += ["n" * 300, "n" * 301, "李小龙", "李小虎", "é", "e\u0301", "\ud800", "=1+1", "<script>", *ATTACKS.values()]
    files = [pages.file_name(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    for file in files:
        assert re.fullmatch(r"[^\W_]+(-[^\W_]+)*\.html", file), file
        assert len(file.encode()) < 200
    assert "李小龙" in pages.file_name("李小龙")
    assert pages.file_name("Ada Lovelace_1").startswith("Ada-Lovelace-1-")


def test_pages_are_recognized_even_with_decomposed_letters_in_their_names(tmp_path):
    names = ["Ada Lovelace_1", "n" * 300, "李小龙", "Zoë Łuß", "", "\ud800", *ATTACKS.values()]
    for name in names:
        (tmp_path / unicodedata.normalize("NFD", pages.file_name(name))).touch()
    assert len(pages.left_over(tmp_path, [])) == len(names)
    assert pages.left_over(tmp_path, names) == []
    assert [path.name for path in pages.left_over(tmp_path, names[1:])] == [pages.file_name(names[0])]


# What they say --------------------------------------------------------------------------------------------------------


def test_feedback_shows_points_mistakes_and_notes():
    notes = (Note(3, "raised", "raised ValueError: x", "y = f(x)"), Note(3, "line", "has a line left out", "%time 1"))
    given = row(wrong("reset_done", 0), NOT_ANSWERED, notes=notes)
    page = Page(pages.feedback(ASSIGNMENT, given))
    assert "3_rnn: 13 of 20 points" in page.texts
    assert "Ada Lovelace_1" in page.texts
    assert [text for text in page.texts if re.fullmatch(r"\d+ of \d+", text)] == ["0 of 3", "0 of 4", "13 of 13"]
    for mark in given.marks:
        assert f" {mark.message}".partition("\n")[0] in page.text
    assert page.after("What happened to the cells")[1:] == [
        *("code cell 3", "raised ValueError: x", "y = f(x)"),
        *("code cell 3", "has a line left out", "%time 1"),
        "Magics and shell commands: these have no effect when a notebook is graded.",
        "Errors: a statement raised an error, so the names that it would have defined are missing.",
    ]
    assert [element for element in page.elements if element[0] == "h" and element[1:].isdigit()] == ["h1", *["h2"] * 4]
    assert not re.search("late|by hand|Partly|costs no points", page.text)


def test_feedback_shows_partly_right_answers_and_forgiven_mistakes():
    marks = [wrong("reset_done", 0, points=1.5), Mark("split_and_pad", 13.0, None, "right.", ("unpad", "reset_done"))]
    page = Page(pages.feedback(ASSIGNMENT, row(*marks, NOT_ANSWERED)))
    assert "3_rnn: 14.5 of 20 points" in page.texts
    assert page.line("reset_done").startswith("1.5 of 3 Partly right. ✗ you use")
    assert page.line("split_and_pad").startswith(
        "13 of 13 Your mistake in unpad and reset_done costs no points here, so you don't lose points for it twice."
    )


def test_feedback_shows_marks_by_hand():
    by_hand = assignment(POINTS, manual=["split_and_pad"])
    given = row(wrong("reset_done", 0, points=3.0), Mark("split_and_pad", None, None, ""))
    changed = {"reset_done": pages.ByHand(0.0, "Too strict.")}
    page = Page(pages.feedback(by_hand, given, by_hand=changed))
    assert "3_rnn: 7 of 20 points so far" in page.texts
    assert "13 points are still to be given by your instructor." in page.texts
    assert page.line("reset_done").startswith(
        "3 of 3 Changed by hand from 0 to 3 points. Too strict. The automatic check found: ✗"
    )
    assert page.line("split_and_pad") == "to be marked, out of 13 Your instructor will mark this exercise by hand."
    marked = row(Mark("split_and_pad", 9.5, None, ""))
    page = Page(pages.feedback(by_hand, marked, by_hand={"split_and_pad": pages.ByHand(None, "Well said.")}))
    assert "3_rnn: 16.5 of 20 points" in page.texts
    assert page.line("split_and_pad") == "9.5 of 13 Marked by hand. Well said."
    comment = {"split_and_pad": pages.ByHand(None, "Soon."), "reset_done": pages.ByHand(3.0, "Nice.")}
    page = Page(pages.feedback(by_hand, row(Mark("split_and_pad", None, None, "")), by_hand=comment))
    assert (
        page.line("split_and_pad") == "to be marked, out of 13 Soon. Your instructor will mark this exercise by hand."
    )
    assert page.line("reset_done").startswith("3 of 3 Nice. ✓")


def test_feedback_shows_texts_to_mark_and_empty_answers():
    by_hand = assignment(POINTS, manual=["split_and_pad"])

    def line(given, **decided):
        page = Page(pages.feedback(by_hand, row(given), by_hand=decided))
        assert "script" not in page.elements
        return page.line("split_and_pad")

    text = "<script>alert(1)</script>\n**Why**: \x1b[31m \u202e & [x](javascript:1)"
    waits = "to be marked, out of 13 Your instructor will mark this exercise by hand."
    shown = "What you wrote <script>alert(1)</script> **Why**: \ufffd[31m \ufffd & [x](javascript:1)"
    assert line(Mark("split_and_pad", None, None, "", answer=text)) == f"{waits} {shown}"
    marked = line(Mark("split_and_pad", 9.0, None, "", answer=text), split_and_pad=pages.ByHand(None, "So so."))
    assert marked == f"9 of 13 Marked by hand. So so. {shown}"
    unfound = Mark("split_and_pad", None, None, "the cell for this exercise was not found in your notebook.")
    assert line(unfound) == f"{waits} The cell for this exercise was not found in your notebook."
    nothing = Mark("split_and_pad", 0.0, "not-answered", "you wrote nothing here.")
    assert line(nothing) == "0 of 13 You wrote nothing here."
    given = line(replace(nothing, points=2.0), split_and_pad=pages.ByHand(0.0, "On paper."))
    assert given == "2 of 13 Changed by hand from 0 to 2 points. On paper."


def test_points_by_hand_for_an_ungraded_submission_have_no_verdict():
    marks = (Mark("reset_done", 2.0, None, ""), Mark("unpad", 0.0, None, ""), Mark("split_and_pad", 0.0, None, ""))
    rescued = Row("Bo", "key", "a damaged zip", marks)
    page = Page(pages.feedback(ASSIGNMENT, rescued, by_hand={"reset_done": pages.ByHand(0.0)}))
    assert page.line("reset_done").startswith("2 of 3 Changed by hand from 0 to 2 points. unpad 0 of 4 split_and_pad")
    assert not re.search("[✓✗○]|The check", page.text)


def test_feedback_shows_the_deduction_for_lateness():
    page = Page(
        pages.feedback(ASSIGNMENT, row(), taken_off=2.5, late="2 days late.", others=["Also: a, with 9 points."])
    )
    assert "3_rnn: 17.5 of 20 points" in page.texts
    assert "2 days late. This takes 2.5 off the 20 points for the exercises." in page.texts
    assert "Also: a, with 9 points." in page.texts
    unknown = Page(pages.feedback(ASSIGNMENT, row(late=True)))
    assert {"3_rnn: 20 of 20 points", "Handed in late."} <= set(unknown.texts)
    assert "3_rnn: 0 of 20 points" in Page(pages.feedback(ASSIGNMENT, row(), taken_off=21.0, late="x")).texts


def test_feedback_shows_why_a_submission_was_not_graded():
    for status, points, says in (
        ("a damaged zip", "0 of 20 points", "Not graded: a damaged zip."),
        (f"{TRIED_AGAIN}: OSError", "no points yet", "Not graded, and tried again next time: OSError."),
    ):
        page = Page(pages.feedback(ASSIGNMENT, Row("Bo", "key", status, ())))
        assert f"3_rnn: {points}" in page.texts
        assert says in page.texts


def test_each_page_warns_of_a_run_without_a_sandbox():
    unsafe = [row(safe=False), row(safe=False, name="Bo"), Row("Cy", "key", "a damaged zip", (), safe=False)]
    written = [*(pages.feedback(ASSIGNMENT, each) for each in unsafe), pages.report(ASSIGNMENT, [row(), *unsafe[2:]])]
    assert all("without a sandbox" in text for text in written)
    for text in (pages.feedback(ASSIGNMENT, row()), pages.report(ASSIGNMENT, [row(), Row("Cy", "key", "damaged", ())])):
        assert "without a sandbox" not in text


# How they look --------------------------------------------------------------------------------------------------------


@pytest.fixture
def written():
    """Write a page for a student and a page on the class, with all kinds of content."""
    long = "n" * 120
    code = f"def unpad(x):\n    return {' + '.join(['trajectories'] * 20)}"
    marks = [wrong("reset_done", 0, answer=code), NOT_ANSWERED, wrong("split_and_pad", 2, points=2.0, answer=code)]
    notes = tuple(Note(1, kind, long, long) for kind in ("raised", "module", "line", "syntax"))
    rows = [
        *(row(name=f"{place}") for place in range(6)),
        *(row(*marks, name=f"{long} {place}", notes=notes, safe=False) for place in range(6)),
        row(Mark("unpad", 0.0, "lost", long), Mark("split_and_pad", None, None, "")),
        Row(long, "key", f"no notebook: {long}", ()),
    ]
    said = {"by_hand": {"unpad": pages.ByHand(0.0, long)}, "taken_off": 1.0, "late": long, "others": [long]}
    return pages.feedback(ASSIGNMENT, rows[6], **said), pages.report(ASSIGNMENT, rows, rows[4:])


def test_pages_fit_a_phone_and_are_readable_in_light_and_dark(browser, written):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="to get it: pip install -e .[book]").Axe()
    page = browser.new_page(viewport={"width": 360, "height": 640}, bypass_csp=True)  # axe is injected as a script
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    for text in written:
        page.set_content(text)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for look in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"media": "print"}):
            page.emulate_media(**look)
            found = axe.run(page).response["violations"]
            assert not [(each["id"], each["nodes"][0]["html"]) for each in found], look
    assert not requests
    page.close()


def test_pages_can_be_printed_without_colours_or_losses(browser, written):
    page = browser.new_page(viewport={"width": 680, "height": 900}, color_scheme="dark")
    page.emulate_media(media="print")
    for text in written:
        page.set_content(text)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        cut = "[...document.querySelectorAll('pre, p, li, td, h2, h3')].filter(e => e.scrollWidth > e.clientWidth + 1)"
        assert page.evaluate(f"{cut}.map(e => e.outerHTML)") == []
        looks = page.evaluate(
            "[...document.querySelectorAll('.key i')].map(e => "
            "getComputedStyle(e).backgroundColor + getComputedStyle(e).backgroundImage)"
        )
        greys = [
            [int(part) for part in colour]
            for look in looks
            for colour in re.findall(r"rgb\((\d+), (\d+), (\d+)\)", look)
        ]
        assert len(set(looks)) == len(looks)
        assert all(max(grey) - min(grey) < 8 for grey in greys)
    page.close()
