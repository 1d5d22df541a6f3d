"""Each lesson in JupyterLab as a learner uses it: run it, make predictions, and move every explorer."""

import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect
from shown import Shown, bring_into_view
from tiers import tiers

from rsl_edu import explorers

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[1-9]_*.ipynb"))
FIRST = [path for path in LESSONS if path.stem == "3_rnn"]  # the shortest lesson with a play button

COUNTS = "() => jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.executionCount)"

pytestmark = pytest.mark.slow


def code_of(lesson):
    cells = nbformat.read(lesson, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


@pytest.fixture(scope="module", params=tiers(LESSONS, FIRST), ids=lambda path: path.stem)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def page(open_notebook, lesson):
    return open_notebook(lesson.name)


@pytest.fixture(scope="module")
def named(lesson):
    """Return the explorers of the lesson: their classes, by name in the code."""
    return dict(re.findall(r"^(\w+) = explorers\.(?!Quiz)(\w+)\(", code_of(lesson), re.MULTILINE))


def test_prediction_is_shown_next_to_the_answer(page, lesson, named):
    asked = named[re.search(r"explorers\.Quiz\(\s*(\w+)", code_of(lesson))[1]]
    form = bring_into_view(page, page.get_by_role("group", name="Predict first"))
    guess = explorers.EXPLORERS[asked].question.positions(9)[4]
    counts = page.evaluate(COUNTS)
    for field in form.locator("fieldset:has([type=text])").all():
        number = field.get_by_role("textbox")
        number.press_sequentially(f"{guess:g}")
        number.press("Enter")
        expect(field.get_by_role("status")).to_contain_text("Recorded")
        expect(number).to_be_focused()
    assert page.evaluate(COUNTS) == counts, "Enter ran a cell"
    for choices in form.locator("fieldset:has([type=radio])").all():
        choices.get_by_role("radio").first.press("Space")
        choices.get_by_role("radio").first.press("ArrowRight")
    for reply in form.get_by_role("status").all():
        expect(reply).to_contain_text("Recorded")
    for button in form.get_by_role("button", name="Show me").all():
        button.click()
    for reply in form.get_by_role("status").all():
        expect(reply).to_contain_text("t is ")  # it is ..., or: you were right: it is ...
    told = Shown(page, asked).group.locator(".rsl-answers li")
    expect(told).to_have_count(form.get_by_role("status").count())
    expect(told.first).to_contain_text("You predicted: ")


def test_show_me_stops_a_playing_slider(page, lesson, named):
    if lesson.stem not in ("3_rnn", "6_policy"):
        pytest.skip("no play button, or the answer is at the end of the range")
    asked = named[re.search(r"explorers\.Quiz\(\s*(\w+)", code_of(lesson))[1]]
    play = Shown(page, asked).group.get_by_role("button", name=re.compile("^play: ")).first
    slider = play.locator("xpath=..").locator("input")
    slider.press("Home")
    play.click()
    page.wait_for_function("slider => slider.value > 1", arg=slider.element_handle())
    show = page.get_by_role("group", name="Predict first").first.get_by_role("button", name="Show me").first
    show.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    assert slider.input_value() != slider.get_attribute("max")  # where it would have ended


def test_every_explorer_reacts_to_its_slider(page, lesson, named):
    for name in dict.fromkeys(named.values()):
        shown = Shown(page, name)
        slider, before = shown.group.locator("input[type=range]").first, shown.picture()
        value = slider.input_value()
        slider.press("Home")  # not to the end: after the end of a training, nothing changes
        if slider.input_value() == value:  # it was there already
            slider.press("End")
        shown.wait_for_another(before)
        expect(shown.group.get_by_role("img")).to_have_attribute("aria-label", shown.caption.text_content())
        assert not shown.error.text_content(), name
    for choices in page.locator(".rsl-quiz fieldset:has([type=radio])").all():
        choices.get_by_role("radio").last.check()
    for choices in page.locator(".rsl-quiz fieldset:has([type=radio])").all():
        expect(choices.get_by_role("radio").last).to_be_checked()  # a choice in one quiz does not change the others
    assert not page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count()
    assert not page.locator("[data-mime-type='application/vnd.jupyter.error']").count()


def test_learner_sees_only_the_buttons_of_the_course_and_no_prompts(page, lesson):
    """Buttons of packages that only the tests need are hidden, and so is JupyterLab's prompt about news."""
    menus = page.get_by_role("menubar").get_by_role("menuitem")
    expect(menus).to_have_text(["File", "Edit", "View", "Run", "Kernel", "Tabs", "Settings", "Help"])
    tools = page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name]")
    names = tools.evaluate_all("tools => tools.map(tool => tool.dataset.jpItemName)")
    assert not {"voilaRender", "runAll", "interfaceSwitcher"} & {*names}  # of Voilà, of nbgrader, of Notebook
    assert "restart-and-run" in names
    expect(page.get_by_title("Property Inspector")).to_be_visible()
    expect(page.get_by_title("Create Assignment")).to_have_count(0)
    assert not page.evaluate("() => jupyterapp.commands.listCommands().filter(name => name.startsWith('nbgrader'))")
    expect(page.locator(".Toastify__toast")).to_have_count(0)


def test_lesson_leaves_no_files_behind(page, lesson, home):
    assert {path.suffix for path in home.iterdir() if path.is_file()} == {".ipynb"}
