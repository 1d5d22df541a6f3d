"""The slides of the lessons: their content, what is left out, and whether everything fits."""

import html
import re
from pathlib import Path

import nbformat
import pytest

from rsl_edu.course import slides
from rsl_edu.course.slides.blocks import blocks, condensed, sentences, without_further
from rsl_edu.course.slides.elements import Element, elements
from rsl_edu.course.slides.formula import formula

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("[1-9]_*.ipynb"))
FOLDED = re.compile(r"<details><summary>(?:Hint \d|Solution|Answer)</summary>(.*?)</details>", re.DOTALL)


def title_of(notebook):
    return notebook.cells[0].source.split("\n")[0].removeprefix("# ")


@pytest.fixture(scope="module")
def pages():
    made = {}
    for path in LESSONS:
        notebook = nbformat.read(path, as_version=4)
        made[path.stem] = slides.page(notebook, NOTEBOOKS, title_of(notebook), "1.2.3", links="../handouts/")
    return made


@pytest.fixture(scope="module", params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return nbformat.read(request.param, as_version=4)


@pytest.fixture
def page(lesson, pages):
    return next(page for page in pages.values() if f"<title>{title_of(lesson)}</title>" in page)


def text_of(page):
    return html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)))


# Content ------------------------------------------------------------------------------------------------------


def test_slides_begin_with_the_title_and_end_in_five_lines(lesson, page):
    headings = re.findall(r"<h[12]>(.*?)</h[12]>", page)
    assert headings[0] == html.escape(title_of(lesson), quote=False)
    assert headings[-1] == "In five lines"
    assert 15 <= len(headings) <= 45
    assert 'content="rsl_edu 1.2.3"' in page


def test_all_sections_with_core_content_are_present(lesson, page):
    prose = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    headings = text_of("\n".join(re.findall(r"<h[12]>.*?</h[12]>|<p class=\"section\">.*?</p>", page)))
    for name in ("The case", "Build it", "See it", "Break it", "In the wild", "Check yourself"):
        assert name in headings
    assert not [name for name in re.findall(r"^#+ \*Optional:\* (.*)$", prose, re.MULTILINE) if name in headings]


def test_code_marked_optional_is_on_no_slide(lesson, page):
    code = [cell.source.splitlines() for cell in lesson.cells if cell.cell_type == "code"]
    optional = [lines for lines in code if re.search("# [Oo]ptional", lines[0])]
    assert optional or "3 · RNN" not in title_of(lesson), "lesson 3 marks some"
    assert not [lines for lines in optional if "\n".join(lines).strip() in text_of(page)]


def test_first_explorer_is_a_still_picture_with_its_title(lesson, page):
    stored = [output.data["text/html"] for cell in lesson.cells for output in cell.get("outputs", ()) if stills(output)]
    said = re.search(r"<p><b>(.*?)</b></p>", stored[0])[1]
    picture = re.search(r'src="data:image/png;base64,([^"]{100})', stored[0])[1]
    assert f'<p class="title">{said}</p>' in page
    assert picture in page.partition(said)[2], "the stored picture, after its title"


def stills(output):
    return "image/png" in output.get("data", {}) and "rsl-still" in output.data.get("text/html", "")


def test_hints_solutions_and_answers_are_left_out(lesson, page):
    shown = " ".join(text_of(page).split())
    folded = [text for cell in lesson.cells if cell.cell_type == "markdown" for text in FOLDED.findall(cell.source)]
    assert len(folded) > 10
    lines = {line.strip() for text in folded for line in text.splitlines() if len(line.strip()) > 25}
    outside = FOLDED.sub("", "\n".join(cell.source for cell in lesson.cells))
    assert not [line for line in lines if line not in outside and line.replace("`", "") in shown]
    assert "not answered yet. Write" not in shown
    assert "Hint 1" not in shown


def test_pages_load_no_other_files(page):
    loaded = re.findall(r"<(?:script|img|link|iframe|source)\b[^>]*?(?:src|href)=\"(?!data:)([^\"]*)", page)
    assert loaded == []
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_all_formulas_are_drawn(page):
    assert page.count('class="formula') > 3
    assert 'class="unset"' not in page
    assert "$$" not in page
    assert "\\frac" not in text_of(page)


def test_links_to_lessons_lead_to_the_handouts(page):
    links = [link for link in re.findall(r'href="([^"]*)"', page) if not link.startswith("https://")]
    assert not [link for link in links if not link.startswith("../handouts/")]
    assert not [link for link in links if not (NOTEBOOKS / link.removeprefix("../handouts/")).exists()]


def cell(source, *outputs, **metadata):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata=metadata)


def shown(*cells):
    return list(elements(nbformat.v4.new_notebook(cells=list(cells)), NOTEBOOKS, ""))


PRINTED = nbformat.v4.new_output("stream", text="seen\n")


def test_short_code_is_shown_and_long_code_folded():
    short, output = shown(cell("a = 1\nprint('seen')", PRINTED))
    assert short.leads
    assert "<details>" not in short.html
    assert output.html == '<pre class="output">seen</pre>'
    long, _ = shown(cell("\n".join(f"a{i} = {i}" for i in range(13)), PRINTED))
    assert long.html.startswith("<details><summary>Code, 13 lines</summary>")


def test_code_that_the_lesson_hides_is_left_out():
    hidden = {"jupyter": {"source_hidden": True}}
    assert [element.html for element in shown(cell("a = 1", PRINTED, **hidden))] == ['<pre class="output">seen</pre>']
    assert shown(cell("answer = 42", **hidden)) == []
    assert shown(cell("import torch\nfrom rsl_edu import data\n\ntorch.set_num_threads(1)")) == []


def test_stub_is_shown_without_the_output_of_its_check():
    said = nbformat.v4.new_output("execute_result", data={"text/plain": "○ f: not answered yet: f raises."})
    (stub,) = shown(cell("def f(x):\n    raise NotImplementedError\n\n\ncheck.f(f)", said))
    assert "NotImplementedError" in stub.html
    assert shown(cell("check.choice(...)", said)) == []


def test_long_output_is_truncated_with_a_note():
    text = "\n".join(map(str, range(30)))
    *_, output = shown(cell("f()", nbformat.v4.new_output("stream", text=text)))
    assert output.html.endswith("13\n… and 16 more lines</pre>")


# Slides ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pack(monkeypatch):
    """Return a function that puts elements on slides and returns their heights, slide by slide."""

    def pack(*parts):
        monkeypatch.setattr(slides, "elements", lambda *_: [Element("Top", heading=True, level=2), *parts])
        return [[element.height for element in slide.elements] for slide in slides.slides(None, NOTEBOOKS)]

    return pack


def test_a_slide_contains_as_much_as_fits(pack):
    assert pack(*[Element("", 180.0)] * 5) == [[180.0] * 3, [180.0] * 2]


def test_an_element_that_introduces_the_next_is_on_the_same_slide(pack):
    assert pack(Element("", 400.0), Element("", 90.0, leads=True), Element("", 100.0)) == [[400.0], [90.0, 100.0]]


def test_a_slide_with_a_picture_may_have_a_short_remark_but_no_second_picture(pack):
    picture, remark = Element("", 300.0, picture=True), Element("", 41.0)
    assert pack(picture, remark, picture) == [[300.0, 41.0], [300.0]]
    assert pack(picture, Element("", 120.0)) == [[300.0], [120.0]]


def test_an_exercise_begins_a_slide(pack):
    exercise = Element("", 100.0, starts=True)
    assert pack(exercise, exercise) == [[100.0], [100.0]]


def test_a_nearly_empty_slide_is_joined_with_the_previous_one(pack):
    assert pack(Element("", 500.0), Element("", 60.0)) == [[500.0, 60.0]]
    assert pack(Element("", 500.0), Element("", 90.0)) == [[500.0], [90.0]]


# Text -----------------------------------------------------------------------------------------------------------------

MARKDOWN = """## A heading
Text that goes
on.
- one
  more
- two

> quoted

| a | b |
|---|---|
| 1 | 2 |

$$x

= 1$$

```python
a = 1

b = 2
```

![alt](file.svg)

<details><summary>Hint 1</summary>

secret

</details>

Last."""


def test_markdown_is_split_into_blocks():
    found = blocks(MARKDOWN)
    kinds = ["heading", "paragraph", "list", "quote", "table", "formula", "code", "picture", "paragraph"]
    assert [block.kind for block in found] == kinds
    assert found[0].text == "A heading"
    assert found[0].level == 2
    assert found[2].items == ["- one\n  more", "- two"]
    assert "secret" not in "".join(block.text for block in found)


def test_links_that_open_a_lesson_elsewhere_are_left_out():
    links = (
        "Run it: [Open in Colab](https://colab.research.google.com/github/x) · [Open in Binder](https://mybinder.org/x)"
    )
    assert [block.text for block in blocks(f"# A\n\n{links}\n\nB.")] == ["A", "B."]


def test_sentences_are_not_split_inside_code_formulas_and_emphasis():
    text = "Call `f. A` with $a. B$. (See there. It helps.) **Two. Bold.** The end"
    assert sentences(text) == ["Call `f. A` with $a. B$.", "(See there. It helps.)", "**Two. Bold.**", "The end"]


@pytest.mark.parametrize(
    ("paragraph", "kept"),
    [
        ("This is the first. The second. The third.", "This is the first."),
        ("This is the first. The **second** matters. The third.", "This is the first. The **second** matters."),
        ("This is the first. The second. It follows:", "This is the first. It follows:"),
        ("**Why?** It is so. The third.", "**Why?** It is so."),
        ("What does it do? It sees. The third.", "What does it do? It sees."),
        ("**Exercise 1 · A name** · 4 minutes. One. Two.", "**Exercise 1 · A name** · 4 minutes. One. Two."),
        ("*A caption. In two sentences.*", "*A caption. In two sentences.*"),
    ],
)
def test_a_slide_has_the_first_sentence_and_what_is_bold(paragraph, kept):
    kept_of = condensed(paragraph)
    assert kept_of == kept


CODE = nbformat.v4.new_code_cell("a = 1")


@pytest.mark.parametrize(
    ("markdown", "left"),
    [
        ("A.\n\n*Optional:* B.\n\nC.", "A. C. code"),
        ("A.\n\n*Optional:* B:\n\n- b\n\nC.", "A. C. code"),
        ("A.\n\n*Optional, to the next heading:* B.\n\nb.", "A."),
        ("A.\n\n*Optional, to the next heading:* B.\n\nb.\n\n## C", "A. C code"),
        ("A.\n\n*Optional, with the next cell.* B.\n\nC.", "A. C."),
        ("A.\n\n*Optional section.* B.\n\n### b\n\n**b.**\n\n## C", "A. C code"),
        ("A.\n\n### *Optional:* B\n\nb. **b**\n\n**b**\n\n### C", "A. C code"),
        ("A.\n\n*Optional:* **Exercise 2 · B** · 3 minutes. b.", "A."),
        ("A.\n\n**Exercise 2 · B** · 3 minutes, *optional*. b.", "A."),
    ],
)
def test_optional_parts_are_left_out_as_far_as_they_extend(markdown, left):
    cells = without_further([(None, blocks(markdown)), (CODE, [])])
    assert " ".join("code" if code else " ".join(block.text for block in parts) for code, parts in cells) == left


def test_optional_parts_extend_to_the_next_heading_if_the_lesson_says_so():
    cells = [(None, blocks("*Optional* ends at the next heading.")), (None, blocks("*Optional.* B.\n\nb.")), (CODE, [])]
    assert without_further([(None, blocks("It ends at the next heading.")), *cells[1:]])[1:] == []


# Formulas -------------------------------------------------------------------------------------------------------------


def test_formula_is_labelled_with_its_source_and_shows_its_number():
    made = formula(r"\frac12 x \tag{3}", block=True)
    assert made.startswith('<div class="formula block">')
    assert r'aria-label="\frac12 x \tag{3}"' in made
    assert '<span class="number">(3)</span>' in made
    assert formula("x") == formula(" x ")


def test_formula_that_goes_below_the_line_is_lowered():
    (down,) = re.findall(r"vertical-align:-([\d.]+)em", formula("y_g"))
    (flat,) = re.findall(r"vertical-align:-([\d.]+)em", formula("x"))
    assert float(down) > float(flat) + 0.1


def test_rows_are_built_from_formulas():
    made = formula(r"y = \begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases} \tag{7}", block=True)
    assert made.count("<tr>") == 2
    assert made.count("<td>") == 4
    assert made.count('class="brace"') == 1
    assert formula(r"\left. \begin{array}{r} a \\ b \end{array} \right\} \to c").count("brace right") == 1


def test_formula_that_cannot_be_drawn_is_an_error():
    with pytest.raises(ValueError, match="nosuch"):
        formula(r"\nosuch{x}")


# In a browser ---------------------------------------------------------------------------------------------------------

CUT_OFF = """() => [...document.querySelectorAll(".slide")].flatMap((slide, number) => {
    const frame = slide.getBoundingClientRect(), body = slide.querySelector(".body");
    const low = slide.querySelector("footer").getBoundingClientRect().top + 1;
    const over = [...body.querySelectorAll("*")].filter((part) => {
        const box = part.getBoundingClientRect();
        const out = box.bottom > low || box.right > frame.right + 1 || box.left < frame.left - 1;
        return part.checkVisibility() && box.width && out;
    });
    const wide = body.scrollWidth > body.clientWidth + 1 || body.scrollHeight > body.clientHeight + 1;
    return over.length || wide ? [[number + 1, over.map((part) => part.outerHTML.slice(0, 80))]] : [];
})"""
SIZES = """() => [...document.querySelectorAll(".body")].map((body) =>
    parseFloat(getComputedStyle(body).fontSize) / parseFloat(getComputedStyle(document.documentElement).fontSize))"""
PICTURES = """() => Promise.all([...document.images].map((image) =>
    image.decode().then(() => [image.naturalWidth, image.clientHeight / document.documentElement.clientHeight])))"""


@pytest.fixture(scope="module")
def opened(browser, pages, tmp_path_factory):
    """Return a function that opens the slides of a lesson without a network and checks their requests."""
    folder = tmp_path_factory.mktemp("slides")
    context = browser.new_context(offline=True)
    asked = []
    context.on("request", lambda request: asked.append(request.url))

    def opened(name, width=1280, height=720):
        (folder / f"{name}.html").write_text(pages[name], "utf-8")
        tab = context.new_page()
        tab.set_viewport_size({"width": width, "height": height})
        asked.clear()
        tab.goto((folder / f"{name}.html").as_uri())
        assert not [url for url in asked if not url.startswith(("file:", "data:"))]
        return tab

    yield opened
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_everything_fits_and_pictures_are_large(opened, path):
    tab = opened(path.stem)
    assert tab.evaluate(CUT_OFF) == []
    assert min(tab.evaluate(SIZES)) >= 0.9, "text is hardly made smaller"
    pictures = tab.evaluate(PICTURES)
    assert min(width for width, _ in pictures) > 300
    assert min(high for _, high in pictures) > 0.35, "of the height of the slide"
    tab.close()


@pytest.mark.slow
def test_slides_fit_other_screens_and_keys_change_them(opened):
    tab = opened(LESSONS[0].stem, 1024, 768)
    assert tab.evaluate(CUT_OFF) == []
    number = "() => 1 + Math.round(main.scrollTop / main.clientHeight)"
    for key, there in (("ArrowRight", 2), ("PageDown", 3), ("ArrowLeft", 2), ("Home", 1), ("ArrowUp", 1), ("Space", 2)):
        tab.keyboard.press(key)
        assert tab.evaluate(number) == there, key
    notes = tab.locator("section:nth-of-type(2) aside")
    assert not notes.is_visible()
    tab.keyboard.press("n")
    assert notes.is_visible()
    tab.set_viewport_size({"width": 1920, "height": 1080})
    tab.wait_for_function("() => main.scrollTop === main.clientHeight")
    tab.keyboard.press("End")
    assert tab.evaluate(number) == tab.locator("section").count()
    tab.close()


@pytest.mark.slow
def test_folded_code_opens_on_top_of_the_slide(opened):
    tab = opened(LESSONS[0].stem)
    code = tab.locator("details").first
    tab.evaluate("() => show(slides.indexOf(document.querySelector('details').closest('section')))")
    code.locator("summary").click()
    box = code.locator(".highlight").bounding_box()
    assert box["width"] > 1000
    assert 0 <= box["y"] < box["y"] + box["height"] <= 720
    tab.keyboard.press("Escape")
    assert not code.locator(".highlight").is_visible()
    tab.close()
