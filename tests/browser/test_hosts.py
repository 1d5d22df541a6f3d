"""Explorers and quizzes where there is no JupyterLab: nbconvert's HTML, and a page of Voilà."""

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

from rsl_edu.explorers import EXPLORERS

ROOT = Path(__file__).parents[2]
LESSON = "4_normalization"  # two explorers, and a quiz before each

pytestmark = pytest.mark.slow


# --- nbconvert --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lesson():
    return nbformat.read(ROOT / "notebooks" / f"{LESSON}.ipynb", 4)


@pytest.fixture(scope="module")
def exported(lesson):
    """The lesson as nbconvert exports what is stored, read as a browser reads it."""
    text, _ = HTMLExporter().from_notebook_node(lesson)
    return BeautifulSoup(text, "html.parser")


def said(lesson):
    """Yield what the stored outputs say in plain words: the name of what is shown, and all that it says."""
    outputs = [output for cell in lesson.cells if cell.cell_type == "code" for output in cell.outputs]
    for output in outputs:
        text = output.get("data", {}).get("text/plain", "")
        yield text.partition("(")[0].partition("\n")[0], text


def test_export_shows_each_explorer_with_its_caption_as_alternative_text(lesson, exported):
    captions = [text.partition("): ")[2] for name, text in said(lesson) if name in EXPLORERS]
    assert len(captions) == 2
    pictures = [image.get("alt") for image in exported.select("img[src^='data:image']")]
    pictures += [svg.get("aria-label") for svg in exported.select("svg[role=img]")]
    for caption in captions:
        assert caption in pictures


def test_export_asks_the_questions_of_each_quiz(lesson, exported):
    quizzes = [text for name, text in said(lesson) if name == "Quiz"]
    assert len(quizzes) == 2
    shown = " ".join(output.get_text(" ") for output in exported.select(".jp-OutputArea-output"))
    for quiz in quizzes:
        for question in quiz.splitlines()[1:]:
            assert " ".join(question.split(" (")[0].split()) in " ".join(shown.split())


def test_export_holds_no_widget_that_nothing_draws(exported):
    assert "Error displaying widget" not in exported.get_text()
    assert not exported.select("script[type^='application/vnd.jupyter.widget']")


# --- Voilà ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """Address of a page of Voilà with one explorer."""
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


def test_explorer_is_alive_in_voila(browser, dashboard):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(patience.MILLISECONDS)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(dashboard)
    explorer = page.get_by_role("group", name="Divergence", exact=True)
    caption = explorer.get_by_role("status")
    expect(caption).not_to_be_empty()
    before = caption.text_content()
    explorer.get_by_role("slider").first.press("ArrowRight")
    expect(caption).not_to_have_text(before)
    assert not page.get_by_text("Error displaying widget").count()
    assert not errors
    context.close()
