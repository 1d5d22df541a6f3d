"""Every explorer in JupyterLab and Notebook 7: all controls by mouse and keyboard, and all buttons."""

from xml.etree import ElementTree

import pytest
from playwright.sync_api import expect
from shown import Shown
from tiers import tiers

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
"""An explorer with all kinds of controls. In Notebook 7 only this one is tested, because only keys differ there."""


@pytest.fixture(scope="module", params=tiers(["lab", "notebook"], ["lab"]))
def page(request, open_notebook):
    chosen = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    shown = [name for name in EXPLORERS if name in chosen or name == HAS_ALL] if request.param == "lab" else [HAS_ALL]
    cells = ["from rsl_edu import explorers", *(f"explorers.{name}()" for name in shown), FAILING, PLAYED]
    return open_notebook(f"{request.param}.ipynb", *cells, host=request.param)


@pytest.mark.parametrize("page", ["lab"], indirect=True)
@pytest.mark.parametrize("name", [name for name in EXPLORERS if name != HAS_ALL])
@pytest.mark.parametrize("sliders", tiers(["keyboard", "mouse"], ["keyboard"]))
def test_every_control_moves_the_picture(page, name, sliders):
    move_every_control(page, name, [sliders])


def test_every_kind_of_control_works_by_mouse_and_keyboard_in_both_hosts(page):
    move_every_control(page, HAS_ALL, ["mouse", "keyboard"])


def move_every_control(page, name, sliders):
    """Move each control by mouse and keyboard until the picture changes; move sliders only as ``sliders`` says.

    The same explorer in this process gives the picture that belongs to the value of the control.
    """
    shown, twin = Shown(page, name), getattr(explorers, name)()
    if twin.more:
        shown.group.get_by_role("button", name="More panels").click()
        twin.live._receive(twin.live, {"do": "more"}, [])
    for group in shown.group.locator("details:not([open]) summary").all():
        group.click()

    def moves(field, control, act, ways) -> bool:
        for way in ways:
            before = twin.live.svg
            act(way)
            place = int(control.evaluate("it => it.type === 'checkbox' ? Number(it.checked) : Number(it.value)"))
            twin.set(**{field: twin.controls[field].positions()[place]})
            if twin.live.svg != before:
                shown.wait_for(twin.live)
                return True
        return False

    for (field, values), told in zip(twin.controls.items(), twin.live.spec["controls"], strict=True):
        control = shown.control(told["words"])
        if told["kind"] == "choice":
            words = list(reversed(told["values"]))
            ways = {
                "mouse": (lambda word, it=control: it.select_option(label=word), words),
                "keyboard": (control.press, ["ArrowUp"] * len(words)),
            }
        elif told["kind"] == "switch":
            ways = {"mouse": (lambda _, it=control: it.click(), [""]), "keyboard": (control.press, ["Space"])}
        else:
            box = control.bounding_box()
            places = [{"x": share * box["width"], "y": box["height"] / 2} for share in (0.9, 0.1, 0.5)]
            ways = {
                "mouse": (lambda place, it=control: it.click(position=place), places),
                "keyboard": (control.press, ["ArrowRight", "ArrowLeft", "Home", "End"]),
            }
        is_slider = told["kind"] not in ("choice", "switch")
        for each in sliders if is_slider else ways:
            assert moves(field, control, *ways[each]), f"{field} by {each}"
        if is_slider:
            expect(control).to_have_attribute("aria-valuetext", twin.live.words[list(twin.controls).index(field)])
        assert not shown.error.text_content(), field
        assert values.help == control.get_attribute("aria-description")
    assert shown.group.get_by_role("img").get_attribute("aria-label") == shown.caption.text_content()
    expect(shown.title).to_have_text(twin.live.title)
    twin.reset()
    shown.group.get_by_role("button", name="Reset").click()
    shown.wait_for(twin.live)
    drag(shown, twin)
    if twin.more:
        shown.group.get_by_role("button", name="Fewer panels").click()


def drag(shown, twin):
    """Move each handle with a key, and select the first element that can be examined."""
    for i in range(len(twin.live.grips)):
        handle = shown.group.locator(".rsl-grip").nth(i)
        before = shown.picture()
        value = handle.get_attribute("aria-valuetext")
        handle.focus()
        at_first = handle.get_attribute("aria-valuenow") == "0"
        shown.page.keyboard.press("End" if at_first else "Home")
        expect(handle).not_to_have_attribute("aria-valuetext", value)
        shown.wait_for_another(before)
        shown.group.get_by_role("button", name="Reset").click()
        shown.wait_for(twin.live)
    for spot in [spot for spot in twin.live.spots if spot[2]][:1]:
        closer = shown.group.get_by_label("Look closer:")
        closer.select_option(spot[0])
        expect(shown.group.locator(".rsl-lit")).to_have_count(len(spot[4]))
        expect(shown.group.locator(".rsl-arithmetic li")).to_have_text(list(spot[2]))
        closer.select_option("")
        expect(shown.group.locator(".rsl-lit")).to_have_count(0)


def test_picture_after_a_fast_drag_belongs_to_the_displayed_value(page):
    shown = Shown(page, "Stream")
    handle = shown.control("feature")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for i in range(60):  # back and forth, faster than pictures can be drawn
        page.mouse.move(x + 60 - abs(60 - 4 * i) + i, y)
    page.mouse.up()
    twin = explorers.Stream()
    value = twin.controls["feature"].positions()[int(handle.input_value())]
    assert value != twin.at().feature
    twin.set(feature=value)
    shown.wait_for(twin.live)
    assert handle.get_attribute("aria-valuetext") == str(value)
    shown.group.get_by_role("button", name="Reset").click()


def test_keys_that_come_fast_end_at_the_picture_of_the_value_shown(page):
    shown = Shown(page, "Stream")
    handle = shown.control("samples seen")
    handle.press("Home")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    twin = explorers.Stream()
    twin.set(seen=twin.controls["seen"].positions()[int(handle.input_value())])
    shown.wait_for(twin.live)
    shown.group.get_by_role("button", name="Reset").click()


def test_play_button_steps_a_fractional_slider_from_its_current_value_until_reset(page):
    shown = Shown(page, "Played")
    handle = shown.control("factor")
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", "1.6")
    page.evaluate(NOTE_VALUES, handle.element_handle())
    play = shown.group.get_by_role("button", name="play: factor")
    play.click()
    page.wait_for_function("handle => handle.ariaValueText >= 1.9", arg=handle.element_handle())
    shown.group.get_by_role("button", name="Reset").click()
    expect(play).to_have_attribute("aria-pressed", "false")
    expect(handle).to_have_attribute("aria-valuetext", "1.5")
    values = [float(text) for text in page.evaluate("window.seen")][:-1]
    assert values == sorted(values)
    assert values[0] >= 1.6
    assert set(values) <= {round(1.1 + 0.1 * i, 2) for i in range(20)}


def test_bad_value_dims_the_picture_with_an_error_until_the_next_value(page):
    shown = Shown(page, "Failing")
    select = shown.control("batch size (samples)")
    panel = shown.group.locator(".rsl-panel").first
    before, value = shown.picture(), select.evaluate("select => select.selectedIndex")
    select.select_option(label="8")
    expect(shown.error).to_have_text("batch: eight is not to my taste")
    expect(panel).to_have_css("opacity", "0.3")
    assert shown.picture() == before
    select.select_option(label="512")
    expect(shown.error).to_be_empty()
    expect(panel).to_have_css("opacity", "1")
    shown.wait_for(explorers.Stream(batch=512).live)
    assert value != select.evaluate("select => select.selectedIndex")
    assert not page.locator(".jp-OutputArea [data-mime-type='application/vnd.jupyter.stderr']").count()


def test_compare_shows_the_pinned_picture_and_numbers_until_pressed_again(page):
    shown = Shown(page, "Stream")
    compare = shown.group.get_by_role("button", name="Compare")
    twin = explorers.Stream()
    shown.wait_for(twin.live)
    compare.press("Enter")
    expect(compare).to_have_attribute("aria-pressed", "true")
    expect(shown.group.locator("dd + dd").first).to_contain_text("pinned: ")
    shown.control("samples seen").press("End")
    twin.compare()
    twin.set(seen=twin.controls["seen"].positions()[-1])
    shown.wait_for(twin.live)
    compare.press("Space")
    expect(compare).to_have_attribute("aria-pressed", "false")
    shown.group.get_by_role("button", name="Reset").press("Enter")
    twin.reset()
    shown.wait_for(twin.live)


def test_picture_can_be_saved_and_its_state_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    shown = Shown(page, "Stream")
    with page.expect_download() as download:
        shown.group.get_by_role("button", name="Save picture").click()
    assert download.value.suggested_filename == "stream.svg"
    root = ElementTree.fromstring(download.value.path().read_text("utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}title").text == shown.caption.text_content()
    assert len(root.findall(".//{http://www.w3.org/2000/svg}path")) > 10
    shown.group.get_by_role("button", name="Copy state").click()
    expect(shown.group.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == explorers.Stream().state


def test_layout_does_not_move_when_the_picture_changes(page):
    shown = Shown(page, "Stream")
    toolbar = shown.group.get_by_role("toolbar")
    before = toolbar.bounding_box()
    picture = shown.picture()
    shown.control("samples seen").press("End")
    shown.wait_for_another(picture)
    assert toolbar.bounding_box() == before
    shown.group.get_by_role("button", name="Reset").click()


def test_narrow_page_shows_the_complete_picture_below_its_controls(page):
    shown = Shown(page, "Stream")
    page.set_viewport_size({"width": 1000 if "lab" in page.url.rsplit("/", 1)[-1] else 680, "height": 1000})
    try:
        shown = Shown(page, "Stream")
        handles = [shown.group.locator(what).first.element_handle() for what in (".rsl-panels", ".rsl-row")]
        below = "([picture, row]) => picture.getBoundingClientRect().top > row.getBoundingClientRect().bottom"
        page.wait_for_function(below, arg=handles)
        assert shown.group.evaluate("group => group.scrollWidth <= group.clientWidth")
    finally:
        page.set_viewport_size({"width": 1400, "height": 1000})


def test_picture_follows_the_dark_or_light_theme_of_the_page(page):
    shown = Shown(page, "Stream")
    twin = explorers.Stream()
    ground = shown.group.locator("xpath=..")
    assert page.evaluate("document.body.dataset.jpThemeLight") == "true"
    shown.wait_for(twin.live)
    expect(ground).to_have_css("background-color", "rgb(255, 255, 255)")
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(ground).to_have_css("background-color", "rgb(17, 17, 17)")
    recoloured = "".join(shown.picture())
    assert "#111111" in recoloured
    assert "#ffffff" not in recoloured
    page.evaluate("document.body.dataset.jpThemeLight = 'true'")
    shown.wait_for(twin.live)


def test_picture_is_a_vector_graphic(page):
    shown = Shown(page, "Stream")
    assert not shown.group.locator("img, canvas").count(), "a bitmap would be blurred at device scale 2"
