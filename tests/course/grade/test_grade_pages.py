"""Pages say what is true, look well on a phone and in the dark, and what students wrote is nothing but text in them."""

import html.parser
import itertools
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from course.banks import WRONG, mistake_of

from rsl_edu.course import check
from rsl_edu.course.grade import pages
from rsl_edu.course.grade.gradebook import GRADED, TRIED_AGAIN, Row
from rsl_edu.course.grade.marking import Mark
from rsl_edu.course.grade.notebook import Note
from rsl_edu.printable import printable

POINTS = {"reset_done": 3.0, "unpad": 4.0, "split_and_pad": 13.0}
ASSIGNMENT = SimpleNamespace(
    name="3_rnn", maximum=20.0, tasks=[SimpleNamespace(name=name, points=points) for name, points in POINTS.items()]
)
NOT_ANSWERED = Mark("unpad", 0.0, "not-answered", "not answered yet.")


def right(task):
    return Mark(task, POINTS[task], None, "right.")


def wrong(task, place):
    answers = {mistake_of(name): answer for name, answer in WRONG[task].items()}  # one of each
    verdict = check.EXERCISES[task].check([*answers.values()][place])
    return Mark(task, 0.0, verdict.mistake, verdict.message)


def row(*marks, name="Ada Lovelace_1", **fields):
    given = {mark.task: mark for mark in marks}
    return Row(name, "key", GRADED, tuple(given.get(task, right(task)) for task in POINTS), **fields)


class Page(html.parser.HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.open = [], [], []
        self.text, self.texts = "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag != "meta":
            self.open.append(tag)
        self.texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data
            self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    def after(self, heading):
        """The text of a part of the page, without its spaces."""
        at = self.texts.index(heading)
        rest = itertools.takewhile(lambda text: text not in HEADINGS, self.texts[at + 1 :])
        return [text for text in rest if text.strip()]


HEADINGS = ["Points", "Exercises", "Most frequent mistakes", "Not graded"]


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
}


def attacked(text):
    """A row that says a text wherever a student may write."""
    marks = [Mark("reset_done", 0.0, text, text), Mark("unpad", 0.0, "exception", f"raises\n  {text}")]
    return row(*marks, name=text, notes=(Note(1, "raised", text),), safe=False)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_students_wrote_is_text(name):
    attack = ATTACKS[name]
    for write in (
        lambda row: pages.feedback(ASSIGNMENT, row),
        lambda row: pages.feedback(ASSIGNMENT, replace(row, status=row.submission, marks=())),
        lambda row: pages.report(ASSIGNMENT, [row, replace(row, status=row.submission, marks=())]),
    ):
        text = write(attacked(attack))
        text.encode()
        page = Page(text)
        assert page.elements == Page(write(attacked("x"))).elements
        assert all(re.fullmatch(PLAIN[key], value) for key, value in page.attributes), page.attributes
        assert all(letter.isprintable() or letter == "\n" for letter in text)
        assert printable(attack, "\ufffd", keep="\n") in page.text
        assert "default-src 'none'; style-src 'unsafe-inline'" in text


def test_files_have_safe_names_of_their_own():
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


# What they say --------------------------------------------------------------------------------------------------------


def test_feedback_says_points_mistakes_and_notes():
    given = row(wrong("reset_done", 0), NOT_ANSWERED, notes=(Note(3, "raised", "raised ValueError: x"),))
    page = Page(pages.feedback(ASSIGNMENT, given))
    assert "3_rnn: 13 of 20 points" in page.texts
    assert "Ada Lovelace_1" in page.texts
    assert [text for text in page.texts if re.fullmatch(r"\d+ of \d+", text)] == ["0 of 3", "0 of 4", "13 of 13"]
    for mark in given.marks:
        assert f"{mark.task}: {mark.message}".partition("\n")[0] in page.text
    assert "code cell 3 raised ValueError: x" in page.texts
    assert [element for element in page.elements if element[0] == "h" and element[1:].isdigit()] == ["h1", *["h2"] * 4]


def test_feedback_says_why_a_submission_was_not_graded():
    for status, points, says in (
        ("a damaged zip", "0 of 20 points", "Not graded: a damaged zip."),
        (f"{TRIED_AGAIN}: OSError", "no points yet", "Not graded: tried again next time: OSError."),
    ):
        page = Page(pages.feedback(ASSIGNMENT, Row("Bo", "key", status, ())))
        assert f"3_rnn: {points}" in page.texts
        assert says in page.texts


def test_each_page_of_a_run_without_a_sandbox_says_so():
    unsafe = [row(safe=False), row(safe=False, name="Bo"), Row("Cy", "key", "a damaged zip", (), safe=False)]
    written = [*(pages.feedback(ASSIGNMENT, each) for each in unsafe), pages.report(ASSIGNMENT, [row(), *unsafe[2:]])]
    assert all("without a sandbox" in text for text in written)
    for text in (pages.feedback(ASSIGNMENT, row()), pages.report(ASSIGNMENT, [row(), Row("Cy", "key", "damaged", ())])):
        assert "without a sandbox" not in text


def test_report_counts():
    first, second = wrong("reset_done", 0), wrong("reset_done", 1)
    stopped, missing = Mark("split_and_pad", 0.0, "stopped", "x"), Mark("split_and_pad", 0.0, "missing", "x")
    rows = [row()] * 3 + [row(second)] * 2 + [row(first, NOT_ANSWERED)] * 4 + [row(first, NOT_ANSWERED, stopped)]
    rows += [row(NOT_ANSWERED, missing), Row("Bo", "key", "a damaged zip", ()), Row("Cy", "key", "no notebook: x", ())]
    page = Page(pages.report(ASSIGNMENT, rows))
    assert "13 submissions, 11 graded." in page.texts
    says, *bars = page.after("Points")
    assert says.startswith(f"20 at most; mean {(3 * 20 + 2 * 17 + 4 * 13 + 0 + 3) / 11:.1f}, median 13.")
    assert dict(zip(bars[1::2], map(int, bars[::2]), strict=True)) == {
        **{"0–1": 1, "2–3": 1, "4–5": 0, "6–7": 0, "8–9": 0, "10–11": 0, "12–13": 4, "14–15": 0, "16–17": 2},
        **{"18–19": 0, "20": 3},
    }
    assert page.after("Exercises")[1:] == [
        *("reset_done", "4 right, 7 wrong, 0 not answered"),
        *("unpad", "5 right, 0 wrong, 6 not answered"),
        *("split_and_pad", "9 right, 1 wrong, 1 not answered"),
    ]
    headlines = {name: mistake.headline for name, mistake in check.reset_done.mistakes.items()}
    assert page.after("Most frequent mistakes")[1:] == [
        *(first.mistake, " in ", "reset_done", "5", headlines[first.mistake]),
        *(second.mistake, " in ", "reset_done", "2", headlines[second.mistake]),
        *("stopped", " in ", "split_and_pad", "1", "it uses too much CPU time or memory, or ends its process."),
    ]
    assert page.after("Not graded")[2:] == ["Bo", "a damaged zip", "Cy", "no notebook: x"]


def test_bars_are_as_long_as_their_numbers():
    rows = [row()] * 6 + [row(wrong("unpad", 0))] * 3 + [row(wrong("unpad", 1))] * 1
    page = Page(pages.report(ASSIGNMENT, rows))
    sizes = [value.partition(":") for key, value in page.attributes if key == "style"]
    heights = [float(size.removesuffix("rem")) for name, _, size in sizes if name == "height"]
    assert heights == [0] * 8 + [6.0, 0, 9.0]
    widths = [float(size.removesuffix("%")) for name, _, size in sizes if name == "width"]
    assert widths == [100, 0, 60, 40, 100, 0, *(0, 100, 0, 33.3)]


@pytest.mark.parametrize(
    ("maximum", "totals", "names"),
    [
        (5, [0, 4, 5], ["0", "1", "2", "3", "4", "5"]),
        (25, [0, 24, 25], ["0–2", "3–5", "6–8", "9–11", "12–14", "15–17", "18–20", "21–23", "24", "25"]),
        (2.5, [0.5, 2.5], ["0–<1", "1–<2", "2–<3", "2.5"]),
        (0.5, [0, 0.5], ["0–<1", "0.5"]),
    ],
)
def test_columns_fit_the_points(maximum, totals, names):
    assignment = SimpleNamespace(name="x", maximum=maximum, tasks=[SimpleNamespace(name="all", points=maximum)])
    rows = [Row(str(place), "key", GRADED, (Mark("all", total, "x", "x"),)) for place, total in enumerate(totals)]
    bars = Page(pages.report(assignment, rows)).after("Points")[1:]
    assert bars[1::2] == names
    assert sum(map(int, bars[::2])) == len(totals)


def test_report_on_nobody_and_on_the_best():
    assert "0 submissions, 0 graded." in Page(pages.report(ASSIGNMENT, [])).texts
    best = Page(pages.report(ASSIGNMENT, [row()]))
    assert "1 submission, 1 graded." in best.texts
    assert best.after("Most frequent mistakes")[1:] == ["None."]
    many = [row(Mark("unpad", 0.0, f"m{number}", "x")) for number in range(22)]
    assert "2 further kinds, none more frequent." in Page(pages.report(ASSIGNMENT, many)).texts


# How they look --------------------------------------------------------------------------------------------------------


def test_pages_fit_a_phone_and_can_be_read_in_light_and_in_dark(browser):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="to get it: pip install -e .[book]").Axe()
    long = "n" * 120
    marks = [wrong("reset_done", 0), NOT_ANSWERED, wrong("split_and_pad", 2)]
    rows = [
        row(),
        row(*marks, name=long, notes=(Note(1, "raised", long),), safe=False),
        Row(long, "key", f"no notebook: {long}", ()),
    ]
    page = browser.new_page(viewport={"width": 360, "height": 640}, bypass_csp=True)  # axe is a script
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    for text in (pages.feedback(ASSIGNMENT, rows[1]), pages.report(ASSIGNMENT, rows)):
        page.set_content(text)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = axe.run(page).response["violations"]
            assert not [(each["id"], each["nodes"][0]["html"]) for each in found], scheme
    assert not requests
    page.close()
