"""A learner opens a lesson in JupyterLab, runs it and moves a slider."""

import pytest


@pytest.mark.slow
def test_slider_moves_the_picture_and_its_caption(open_notebook):
    page = open_notebook("4_normalization.ipynb")
    explorer = page.locator(".rsl-explorer").first
    explorer.scroll_into_view_if_needed(timeout=120_000)
    picture, caption = explorer.locator("img"), explorer.get_by_role("status")
    caption.filter(has_text="After 1,024 samples").wait_for(timeout=60_000)
    before = picture.get_attribute("src")

    assert explorer.get_by_role("button", name="play or pause: samples seen").is_visible()
    slider = explorer.get_by_role("slider", name="samples seen")
    slider.focus()
    slider.press("ArrowRight")

    caption.filter(has_text="After 1,088 samples").wait_for(timeout=10_000)
    assert picture.get_attribute("src") != before
    assert picture.get_attribute("alt") == caption.text_content()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 900
    assert not explorer.get_by_role("alert").text_content()
