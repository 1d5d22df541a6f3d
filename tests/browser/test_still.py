"""What is seen where the kernel is gone: a notebook that is opened again, and one whose kernel was restarted."""

import pytest
from playwright.sync_api import expect
from shown import Shown

from rsl_edu import explorers

pytestmark = pytest.mark.slow

CELLS = (
    "from rsl_edu import explorers\nexplorer = explorers.Divergence()\nexplorers.Quiz(explorer)",
    "explorer",
)
SAVE = "() => jupyterapp.commands.execute('docmanager:save')"


@pytest.mark.parametrize("host", ["lab", "notebook"])
def test_reopened_notebook_shows_the_last_picture_and_says_how_to_make_it_live(open_notebook, server, context, host):
    page = open_notebook(f"reopened_{host}.ipynb", *CELLS, host=host)
    Shown(page, "Divergence")
    still = page.locator(".rsl-still")
    expect(still).to_have_count(2)
    for one in still.all():
        expect(one).to_be_hidden()
    page.evaluate(SAVE)
    page.wait_for_function("() => !document.title.startsWith('*')")
    open_notebook("another.ipynb", "1")  # ends the kernel of the one before
    page = context.new_page()
    page.goto(f"{server}/{'lab/tree' if host == 'lab' else 'notebooks'}/reopened_{host}.ipynb")
    explorer = explorers.Divergence()
    picture = page.get_by_role("img", name=explorer.describe(explorer.compute(explorer.at())))
    expect(picture).to_be_visible()
    expect(page.get_by_text("Run the cell, and its controls appear.")).to_be_visible()
    expect(page.get_by_text(explorer.questions[0].text).last).to_be_visible()
    for error in page.get_by_text("Error displaying widget").all():
        expect(error).to_be_hidden()
    assert not page.locator(".rsl-explorer").count()
    page.close()


def test_restarted_kernel_leaves_the_picture_and_says_what_to_do(open_notebook):
    page = open_notebook("restarted.ipynb", *CELLS)
    shown = Shown(page, "Divergence")
    before = shown.picture()
    told = shown.group.get_by_text("Run the cell again to make it live.")
    expect(told).to_be_hidden()
    page.evaluate("() => { jupyterapp.commands.execute('kernelmenu:restart'); }")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(told).to_be_visible()
    assert shown.picture() == before
    expect(shown.control("new mean")).to_be_disabled()
    page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
