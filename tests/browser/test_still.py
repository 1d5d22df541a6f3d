"""Notebooks without a kernel: a notebook that is opened again, and a notebook whose kernel was ended."""

import pytest
from playwright.sync_api import expect
from shown import Shown, bring_into_view
from tiers import exhaustive, tiers

from rsl_edu import explorers

pytestmark = pytest.mark.slow

CELLS = (
    "from rsl_edu import explorers\nexplorer = explorers.Divergence()\nexplorers.Quiz(explorer)",
    "explorer",
)
SAVE = "() => jupyterapp.commands.execute('docmanager:save')"
SCROLLED = "() => document.querySelector('.jp-WindowedPanel-outer, .jp-Notebook').scrollTop"


def run_command(page, command):
    page.evaluate("command => { jupyterapp.commands.execute(command); }", command)


def restart(page):
    run_command(page, "kernelmenu:restart")
    page.get_by_role("button", name="Confirm Kernel Restart").click()


@pytest.mark.parametrize("host", tiers(["lab", "notebook"], ["notebook"]))
def test_reopened_notebook_shows_the_last_picture_and_how_to_make_it_live(open_notebook, server, context, host):
    page = open_notebook(f"reopened_{host}.ipynb", *CELLS, host=host)
    shown, explorer = Shown(page, "Divergence"), explorers.Divergence()
    stills = page.locator(".rsl-still")
    expect(stills).to_have_count(2)
    first = explorer.describe(explorer.compute(explorer.at()))
    expect(stills.get_by_alt_text(first, exact=True)).to_have_count(1)
    handle = shown.control("new mean")
    handle.press("End")
    scrolled = page.evaluate(SCROLLED)
    explorer.set(new_mean=explorer.controls["new_mean"].positions()[-1])
    last = explorer.describe(explorer.compute(explorer.at()))
    expect(stills.get_by_alt_text(last, exact=True)).to_have_count(1)
    for still in stills.all():
        expect(still).to_be_hidden()
    expect(handle).to_be_focused()
    assert page.evaluate(SCROLLED) == scrolled
    page.evaluate(SAVE)
    page.wait_for_function("() => !document.title.startsWith('*')")
    open_notebook("another.ipynb", "1")  # ends the kernel of the previous notebook
    page = context.new_page()
    page.goto(f"{server}/{'lab/tree' if host == 'lab' else 'notebooks'}/reopened_{host}.ipynb")
    picture = page.get_by_role("img", name=last)
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    expect(page.get_by_text("Run the cell to get the controls.")).to_be_visible()
    expect(page.get_by_text(explorer.questions[0].text).last).to_be_visible()
    errors = page.get_by_text("Error displaying widget: model not found")
    expect(errors).to_have_count(2)  # JupyterLab searches for both models for a while
    for error in errors.all():
        expect(error).to_be_hidden()
    assert not page.locator(".rsl-explorer").count()
    page.close()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(restart, id="restarted"),
        pytest.param(lambda page: run_command(page, "kernelmenu:shutdown"), id="shut down", marks=exhaustive),
    ],
)
def test_picture_and_quiz_say_what_to_do_when_the_kernel_has_ended(open_notebook, end):
    page = open_notebook("ended.ipynb", *CELLS)
    shown = Shown(page, "Divergence")
    quiz = bring_into_view(page, page.get_by_role("group", name="Predict first"))
    before = shown.picture()
    told = [where.get_by_text("Run the cell again to make this interactive.") for where in (shown.group, quiz)]
    for line in told:
        expect(line).to_be_hidden()
    end(page)
    for line in told:
        expect(line).to_be_visible()
    assert shown.picture() == before
    for control in (shown.control("new mean"), quiz.get_by_role("textbox").first, quiz.get_by_role("button").first):
        expect(control).to_be_disabled()
    expect(shown.group.locator(".rsl-grip").first).to_be_hidden()
    if end is restart:
        page.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
