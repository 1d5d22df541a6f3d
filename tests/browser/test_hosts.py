"""Explorers and quizzes outside JupyterLab: nbconvert's HTML, Voilà, VS Code and Colab."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import nbformat
import patience
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from rsl_edu.explorers import EXPLORERS, Divergence, Quiz, Stream
from rsl_edu.explorers.bench.scripts import form_module, picture_module, text
from rsl_edu.explorers.bench.static_page import document

ROOT = Path(__file__).parents[2]
LESSON = "4_normalization"  # two explorers, and a quiz before each

pytestmark = pytest.mark.slow


# --- nbconvert --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson():
    return nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", 4)


@pytest.fixture(scope="module")
def exported(lesson):
    """Return the stored lesson as exported by nbconvert, parsed as in a browser."""
    text, _ = HTMLExporter().from_notebook_node(lesson)
    return BeautifulSoup(text, "html.parser")


def said(lesson):
    """Yield the plain text of the stored outputs, each with the name of the object that it shows."""
    outputs = [output for cell in lesson.cells if cell.cell_type == "code" for output in cell.outputs]
    for output in outputs:
        text = output.get("data", {}).get("text/plain", "")
        yield text.partition("(")[0].partition("\n")[0], text


def test_export_shows_each_explorer_with_its_caption_as_alternative_text(lesson, exported):
    sentences = [text.partition("): ")[2] for name, text in said(lesson) if name in EXPLORERS]
    assert len(sentences) == 2
    stills = exported.select(".rsl-still:has(img[src^='data:image'])")
    for sentence, still in zip(sentences, stills, strict=True):  # title and caption
        assert f"{still.find('b').text} {still.find('img')['alt']}" == sentence


def test_export_shows_the_questions_of_each_quiz(lesson, exported):
    quizzes = [text for name, text in said(lesson) if name == "Quiz"]
    assert len(quizzes) == 2
    shown = " ".join(output.get_text(" ") for output in exported.select(".jp-OutputArea-output"))
    for quiz in quizzes:
        for question in quiz.splitlines()[1:]:
            assert " ".join(question.split(" (")[0].split()) in " ".join(shown.split())


def test_export_contains_no_widgets(exported):
    assert "Error displaying widget" not in exported.get_text()
    assert not exported.select("script[type^='application/vnd.jupyter.widget']")


# --- Voilà ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """Return the address of a Voilà page with one explorer."""
    if find_spec("voila") is None and os.environ.get("CI") != "true":
        pytest.skip("no Voilà; to get it: pip install voila")
    own = tmp_path_factory.mktemp("voila")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cell = nbformat.v4.new_code_cell("from rsl_edu import explorers\nexplorers.Divergence()")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), own / "page.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "run", "IPYTHONDIR": "ipython"}
    environment = os.environ | {name: str(own / folder) for name, folder in folders.items()}
    command = [sys.executable, "-m", "voila", own / "page.ipynb", "--no-browser", f"--port={port}"]
    with (own / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    while not _answers(address):
        assert process.poll() is None, (own / "log").read_text()
        time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(patience.SECONDS)


def _answers(address):
    try:
        urllib.request.urlopen(f"{address}/voila/static/").close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def test_explorer_works_in_voila(browser, dashboard):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(patience.MILLISECONDS)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(dashboard)
    explorer = page.get_by_role("group", name="Divergence", exact=True)
    caption = explorer.locator("figcaption")
    expect(caption).not_to_be_empty()
    before = caption.text_content()
    explorer.locator("input[type=range]").first.press("ArrowRight")
    expect(caption).not_to_have_text(before)
    assert not page.get_by_text("Error displaying widget").count()
    assert not errors
    context.close()


# --- VS Code and Colab, according to their source code ----------------------------------------------------------------

RENDER = """async ([code, values]) => {
    const { default: widget } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    window.sent = [];
    const model = {
        get: name => values[name], set() {}, save_changes() {}, off() {}, on() {},
        send(message) {
            if (window.gone) throw new Error("Cannot send");
            window.sent.push(message);
        },
    };
    widget.render({ model, el: document.querySelector("#widget") });
}"""
"""Render a widget's script as a host does, with the values that its kernel would send."""


def rendered(browser, body, live, module=picture_module, style="explorer.css"):
    page = browser.new_page()
    page.set_content(body)
    page.add_style_tag(content=text(style))
    values = {name: value for name, value in live.get_state().items() if not name.startswith("_") and name != "layout"}
    page.evaluate(RENDER, [module(), values])
    return page


@pytest.mark.parametrize(
    ("kind", "ground"), [("vscode-dark", "rgb(17, 17, 17)"), ("vscode-light", "rgb(255, 255, 255)")]
)
def test_vs_code_shows_no_white_panel_and_no_still_picture_next_to_a_live_widget(browser, kind, ground):
    live = Stream().live
    body = f"""<body data-vscode-theme-kind="{kind}">
        <style>.cell-output-ipywidget-background {{ background: white !important; }}</style>
        <p data-rsl-still="{live.still}">still</p>
        <div class="cell-output-ipywidget-background"><div class="cell-output-ipywidget-background">
        <div id="widget"></div></div></div></body>"""
    page = rendered(browser, body, live)
    expect(page.get_by_text("still", exact=True)).to_be_hidden()
    for panel in page.locator(".cell-output-ipywidget-background").all():
        expect(panel).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(page.locator("#widget")).to_have_css("background-color", ground)
    page.get_by_label("samples seen", exact=True).press("ArrowRight")
    page.wait_for_function("window.sent.length === 1")
    assert page.evaluate("window.sent[0].place[0]") == live.place[0] + 1
    page.close()


@pytest.mark.parametrize(("theme", "dark"), [("dark", True), ("", False)])
def test_theme_of_colab_is_read_from_the_page(browser, theme, dark):
    page = rendered(browser, f"<html theme='{theme}'><div id='widget'></div></html>", Stream().live)
    assert page.locator("#widget").evaluate("widget => widget.classList.contains('rsl-dark')") == dark
    page.close()


def test_explorer_reports_a_message_that_cannot_be_sent_and_keeps_its_value(browser):
    page = rendered(browser, "<div id='widget'></div>", Stream().live)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.evaluate("window.gone = true")
    handle = page.get_by_label("samples seen", exact=True)
    before = handle.input_value()
    handle.press("ArrowRight")
    expect(page.get_by_text("Run the cell again to make this interactive.")).to_be_visible()
    expect(handle).to_be_disabled()
    expect(handle).to_have_value(before)
    assert not errors
    page.close()


@pytest.mark.parametrize("act", ["answer", "show"])
def test_quiz_reports_a_message_that_cannot_be_sent(browser, act):
    page = rendered(browser, "<div id='widget'></div>", Quiz(Divergence()).live, form_module, "form.css")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    line = page.get_by_text("Run the cell again to make this interactive.")
    expect(line).to_be_hidden()
    page.evaluate("window.gone = true")
    if act == "show":
        page.get_by_role("button", name="Show me").first.click()
    else:
        page.get_by_role("textbox").first.fill("1")
        page.get_by_role("textbox").first.press("Enter")
    expect(line).to_be_visible()
    expect(page.get_by_role("button", name="Show me").first).to_be_disabled()
    expect(page.get_by_role("status").first).to_be_empty()
    assert not errors
    page.close()


@pytest.mark.parametrize(
    ("given", "answer", "right"),
    [
        ("0.07", "about 0.07", True),
        ("0,07", "about 0.07", True),
        ("0.0704", "about 0.07", True),
        ("0.08", "about 0.07", False),
        ("8e-5", "about 0.00008", True),
        ("114", "about 114", True),
        ("20000", "20,000", True),
        ("-2", "2", False),
        ("-2", "about −2", True),
        ("2", "about −2", False),
        ("−2", "about −2", True),
        ("much", "1.3", False),
        (None, "1.3", False),
    ],
)
def test_number_is_right_if_it_agrees_in_the_digits_of_the_answer(browser, given, answer, right):
    page = browser.new_page()
    assert (
        page.evaluate(f"{text('form.js')}\n([given, answer]) => agrees(given ?? undefined, answer)", [given, answer])
        == right
    )
    page.close()


def test_quiz_on_a_static_page_accepts_enter_and_shows_the_answer(browser, tmp_path):
    explorer = Divergence()
    (tmp_path / "page.html").write_text(document("Page", Quiz(explorer).html(), explorer.html()), "utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    asked = page.locator("fieldset", has=page.get_by_role("textbox"))
    for guess, told in (("1", "It is 1.3."), ("1.3", "You were right: it is 1.3.")):
        asked.get_by_role("textbox").fill(guess)
        asked.get_by_role("textbox").press("Enter")
        expect(page.locator(".rsl-answers li")).to_contain_text(f"{guess} nats")
        asked.get_by_role("button", name="Show me").click()
        expect(asked.get_by_role("status")).to_have_text(told)
    page.close()
