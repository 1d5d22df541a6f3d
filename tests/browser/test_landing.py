"""The landing page: the robots move before any cell has run, and each symptom links to a lesson."""

import re
import time
from pathlib import Path

import patience
import pytest
from playwright.sync_api import expect
from tiers import tiers

LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("[1-9]_*.ipynb"))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=tiers(["lab", "notebook"], ["lab"]))
def page(request, open_notebook):
    return open_notebook("index.ipynb", host=request.param)


def test_robots_move_without_running_a_cell(page):
    robots = page.get_by_role("img", name=re.compile("robots"))
    first, until = robots.screenshot(), time.monotonic() + patience.SECONDS
    while robots.screenshot() == first:
        assert time.monotonic() < until, "the robots do not move"
    assert not page.evaluate(
        "jupyterapp.shell.currentWidget.content.widgets.filter(it => it.model.type === 'code').length"
    )


def test_each_lesson_is_linked(page):
    for lesson in LESSONS:
        link = page.locator(".jp-MarkdownOutput").get_by_role("link", name=re.compile(f"^{lesson.name[0]} · "))
        expect(link).to_have_attribute("href", re.compile(rf"/{re.escape(lesson.name)}(\?|$)"))
