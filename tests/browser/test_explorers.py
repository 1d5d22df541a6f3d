"""Every explorer in JupyterLab and in Notebook 7: each control by mouse and by keyboard, and what the buttons do."""

import functools
import io

import pytest
from matplotlib.image import imread
from playwright.sync_api import expect
from shown import Shown

from rsl_edu import explorers

EXPLORERS = list(explorers.EXPLORERS)
FAILING = """
from rsl_edu import explorers

class Failing(explorers.Stream):
    def compute(self, state):
        if state.batch == 8:
            raise ValueError("batch: eight is not to my taste")
        return super().compute(state)

Failing()
"""
PLAYED = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class PlayedState(type(explorers.AdaptiveRate().at())):
    factor: float = explorers.control(1.5, "factor", "Plays.", range=(1.1, 3.0, 0.1), play=True)

class Played(explorers.AdaptiveRate):
    State = PlayedState

Played(schedule="fixed")
"""
pytestmark = pytest.mark.slow


NOTE_VALUES = """handle => {
    window.seen = [];
    const note = () => window.seen.push(handle.ariaValueText);
    new MutationObserver(note).observe(handle, { attributes: true, attributeFilter: ["aria-valuetext"] });
}"""
HAS_ALL = "Stream"
"""An explorer with all kinds of controls: it stands for all in Notebook 7, where only keys differ."""


@pytest.fixture(scope="module", params=["lab", "notebook"])
def page(request, open_notebook):
    chosen = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    shown = [name for name in EXPLORERS if name in chosen or name == HAS_ALL] if request.param == "lab" else [HAS_ALL]
    cells = ["from rsl_edu import explorers", *(f"explorers.{name}()" for name in shown), FAILING, PLAYED]
    return open_notebook(f"{request.param}.ipynb", *cells, host=request.param)


@pytest.mark.parametrize("page", ["lab"], indirect=True)
@pytest.mark.parametrize("name", [name for name in EXPLORERS if name != HAS_ALL])
def test_every_control_moves_the_picture_by_mouse_and_by_keyboard(page, name):
    move_every_control(page, name)


def test_every_kind_of_control_works_in_both_hosts(page):
    move_every_control(page, HAS_ALL)


def move_every_control(page, name):
    """Move each control by mouse and by keyboard until the picture becomes another one.

    The same explorer in this process tells which picture belongs to the value that the control shows.
    """
    shown, twin = Shown(page, name), getattr(explorers, name)()

    def moves(field, read, act, ways) -> bool:
        before = twin.live.picture.data
        for way in ways:
            act(way)
            twin.set(**{field: read()})
            if twin.live.picture.data != before:
                shown.wait_for(twin.live.picture.data)
                return True
        return False

    for field, control in twin.controls.items():
        values = control.positions()
        if control.choices is not None:
            select = shown.group.get_by_label(control.words, exact=True)
            read = functools.partial(_chosen, select, values)
            assert moves(field, read, select.select_option, reversed(control.choices)), f"{field} by mouse"
            assert moves(field, read, select.press, ["ArrowUp"] * len(values)), f"{field} by keyboard"
        elif control.range is None and control.steps is None:
            box = shown.group.get_by_label(control.words, exact=True)
            assert moves(field, box.is_checked, lambda _, box=box: box.click(), [""]), f"{field} by mouse"
            assert moves(field, box.is_checked, box.press, ["Space"]), f"{field} by keyboard"
        else:
            handle = shown.group.get_by_role("slider", name=control.words, exact=True)
            track = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-target')]")
            box = track.bounding_box()
            places = [{"x": share * box["width"], "y": box["height"] / 2} for share in (0.9, 0.1)]
            read = functools.partial(_nearest, handle, values)
            click = functools.partial(_click, track)
            assert moves(field, read, click, places), f"{field} by mouse"
            assert moves(field, read, handle.press, ["ArrowRight", "ArrowLeft", "Home", "End"]), f"{field} by keyboard"
            readout = track.locator("xpath=../..").locator(".widget-readout")
            expect(handle).to_have_attribute("aria-valuetext", readout.text_content())
        assert not shown.error.text_content(), field
    assert shown.group.locator("img").get_attribute("alt") == shown.caption.text_content()
    twin.reset()
    shown.group.get_by_role("button", name="Reset").click()
    shown.wait_for(twin.live.picture.data)


def _click(track, place):
    track.click(position=place)


def _chosen(select, values):
    return values[select.evaluate("select => select.selectedIndex")]


def _nearest(handle, values):
    """Return the value of a slider, of which the page shows a few digits."""
    shown = float(handle.get_attribute("aria-valuetext").replace("−", "-"))
    return min(values, key=lambda value: abs(value - shown))


def test_picture_after_a_fast_drag_is_that_of_the_value_shown(page):
    shown = Shown(page, "Stream")
    handle = shown.group.get_by_role("slider", name="feature")
    handle.hover()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.down()
    for i in range(60):  # there and back, faster than pictures can be drawn
        page.mouse.move(x + 60 - abs(60 - 4 * i) + i, y)
    page.mouse.up()
    value = int(handle.get_attribute("aria-valuetext"))
    assert value != 22
    shown.wait_for(explorers.Stream(feature=value).live.picture.data)
    assert int(handle.get_attribute("aria-valuetext")) == value
    shown.group.get_by_role("button", name="Reset").click()


def test_play_button_runs_and_pauses_where_the_picture_is(page):
    shown = Shown(page, "Stream")
    handle = shown.group.get_by_role("slider", name="samples seen")
    play = shown.group.get_by_role("button", name="play or pause: samples seen")
    handle.press("Home")
    play.click()
    page.wait_for_function("handle => handle.ariaValueText > 640", arg=handle.element_handle())
    play.click()
    value = int(handle.get_attribute("aria-valuetext"))
    shown.wait_for(explorers.Stream(seen=value).live.picture.data)
    shown.group.get_by_role("button", name="Reset").click()


def test_play_button_steps_a_slider_of_fractions_from_its_present_value(page):
    shown = Shown(page, "Played")
    handle = shown.group.get_by_role("slider", name="factor")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", "1.60")
    page.evaluate(NOTE_VALUES, handle.element_handle())
    play = shown.group.get_by_role("button", name="play or pause: factor")
    play.click()
    page.wait_for_function("handle => handle.ariaValueText >= 1.9", arg=handle.element_handle())
    play.click()
    values = [float(text) for text in page.evaluate("window.seen")]
    assert values == sorted(values)
    assert values[0] > 1.6  # a kernel that is late passes positions over, and each that is shown is one of the slider's
    assert set(values) <= {round(1.1 + 0.1 * i, 2) for i in range(20)}


def test_bad_value_dims_the_picture_says_why_and_the_next_value_clears_it(page):
    shown = Shown(page, "Failing")
    select = shown.group.get_by_label("batch size (samples)")
    image = shown.group.locator("img")
    before = shown.picture()
    select.select_option("8")
    expect(shown.error).to_have_text("batch: eight is not to my taste")
    expect(image).to_have_css("opacity", "0.3")
    assert shown.picture() == before
    select.select_option("512")
    expect(shown.error).to_be_empty()
    expect(image).to_have_css("opacity", "1")
    shown.wait_for(explorers.Stream(batch=512).live.picture.data)
    assert not page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").count()


def test_compare_keeps_a_ghost_and_its_numbers_until_pressed_again(page):
    shown = Shown(page, "Stream")
    compare = shown.group.get_by_role("button", name="Compare")
    before = explorers.Stream().live.picture.data
    shown.wait_for(before)
    compare.press("Enter")
    expect(compare).to_have_attribute("aria-pressed", "true")
    expect(shown.group.get_by_text("pinned: -0.077")).to_be_visible()
    shown.group.get_by_label("shift at half time").click()
    ghost = explorers.Stream()
    ghost.compare()
    ghost.set(shift=True)
    shown.wait_for(ghost.live.picture.data)
    compare.press("Space")
    expect(compare).to_have_attribute("aria-pressed", "false")
    shown.group.get_by_role("button", name="Reset").press("Enter")
    shown.wait_for(before)


def test_picture_can_be_saved_and_its_state_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = Shown(page, "Stream")
    with page.expect_download() as download:
        shown.group.get_by_role("button", name="Save picture").click()
    assert download.value.suggested_filename == "stream.png"
    assert download.value.path().read_bytes() == shown.picture()
    shown.group.get_by_role("button", name="Copy state").click()
    expect(shown.group.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == explorers.Stream().state


def test_layout_stays_where_it_is_when_the_picture_changes(page):
    shown = Shown(page, "Stream")
    toolbar = shown.group.get_by_role("toolbar")
    before = toolbar.bounding_box()
    picture = shown.picture()
    shown.group.get_by_role("slider", name="samples seen").press("End")
    shown.wait_for_another(picture)
    assert toolbar.bounding_box() == before
    shown.group.get_by_role("button", name="Reset").click()


def test_narrow_page_puts_the_picture_under_its_controls_and_cuts_nothing(page):
    shown = Shown(page, "Stream")
    page.set_viewport_size({"width": 940 if "lab" in page.url.rsplit("/", 1)[-1] else 680, "height": 1000})
    try:
        shown = Shown(page, "Stream")
        handles = [shown.group.locator(what).first.element_handle() for what in ("img", ".widget-slider")]
        below = "([image, slider]) => image.getBoundingClientRect().top > slider.getBoundingClientRect().bottom"
        page.wait_for_function(below, arg=handles)
        image = handles[0].bounding_box()
        assert 450 < image["width"] < 650
        assert shown.group.evaluate("group => group.scrollWidth <= group.clientWidth")
    finally:
        page.set_viewport_size({"width": 1400, "height": 1000})


def test_dark_page_gets_a_dark_picture_and_a_light_one_a_light_one(page):
    shown = Shown(page, "Stream")
    stream = explorers.Stream()
    light = stream.live.picture.data
    stream.live.picture.dark = True
    dark = stream.live.picture.data
    stream.live.picture.dark = False  # the next explorer begins as the last one was
    assert imread(io.BytesIO(dark), format="png")[0, 0].max() < 0.15
    assert page.evaluate("document.body.dataset.jpThemeLight") == "true"
    shown.wait_for(light)
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    shown.wait_for(dark)  # after all explorers of the page
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    shown.wait_for(light)
