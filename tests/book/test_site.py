"""The built book, opened from disk by a browser without a network."""

import base64
import gzip
import json
import posixpath
import re
import runpy
import urllib.parse
import zlib
from pathlib import Path

import patience
import pytest
from playwright.sync_api import expect
from test_reference import ELSEWHERE, EVERYTHING
from tiers import exhaustive, tiers

from rsl_edu import explorers

InventoryFile = pytest.importorskip("sphinx.util.inventory", reason="to get it: pip install -e .[book]").InventoryFile
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="to get it: pip install -e .[book]").Axe

ROOT = Path(__file__).parents[2]
LESSONS = sorted(f"notebooks/{path.stem}" for path in (ROOT / "notebooks").glob("[1-9]_*.ipynb"))
BOOK = sorted(path.with_suffix("").relative_to(ROOT).as_posix() for path in (ROOT / "book").glob("**/*.md"))
PAGES = [*LESSONS, *(page for page in BOOK if "_build" not in page and page != "book/README"), "genindex", "search"]
FEW = ("notebooks/3_rnn", "book/index", "search")
"""Pages that `make test` uses as examples; its book has one lesson."""
HEAVIEST = 1_800_000  # bytes of a page with everything that it loads, compressed; lesson 2 contains much terrain
DRAWN = """panels => [...panels.querySelectorAll(".rsl-panel > svg:first-child > g")]
    .map(layer => layer.innerHTML.replace(/\\brsl\\d+-/g, "rsl-")).join("")"""
UNFOLDED = """() => new Promise(requestAnimationFrame).then(() => new Promise(requestAnimationFrame)).then(() => {
    for (const group of document.querySelectorAll("rsl-explorer details")) group.open = true;
})"""
"""Unfold the groups of controls, after the page has folded those that do not fit."""
NEAR = 20  # pixels: a page contains only some of a slider's positions
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}

pytestmark = pytest.mark.slow


class Visit:
    """An open page, with the files that it loaded and its errors."""

    def __init__(self, browser, site, typeset=True, **options):
        self.site, self.typeset = site, typeset
        self.context = browser.new_context(**{"viewport": DESK} | options)
        self.context.route("**/*", self._let_pass)
        if not typeset:
            self.context.route("**/tex-svg.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        self.context.set_default_timeout(patience.MILLISECONDS)
        self.page = self.context.new_page()
        self.problems, self.loaded = [], set()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        self.page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))

    def _let_pass(self, route):
        url = route.request.url
        if url.startswith(("file:", "data:", "blob:")):
            self.loaded.add(url)
            route.continue_()
        else:
            self.problems.append(f"uses the network: {url}")
            route.abort()

    def open(self, name, suffix=""):
        self.page.goto((self.site / f"{name}.html").as_uri() + suffix)
        self.page.wait_for_function("[...document.querySelectorAll('rsl-explorer')].every(e => 'ready' in e.dataset)")
        if self.typeset:
            typeset = "[...document.querySelectorAll('.math')].every(math => math.querySelector('mjx-container'))"
            self.page.wait_for_function(typeset)
        self.page.evaluate(UNFOLDED)
        return self.page

    def weight(self):
        """Return the compressed size of all files that the page loaded, in bytes."""
        urls = (urllib.parse.urlsplit(url) for url in self.loaded)
        files = {urllib.parse.unquote(url.path) for url in urls if url.scheme == "file"}
        return sum(len(gzip.compress(Path(file).read_bytes())) for file in files)


@pytest.fixture
def visit(browser, site):
    """Return a function that starts a visit without MathJax, which is slow; it takes the options of a context."""
    visits = []

    def start(**options):
        visits.append(Visit(browser, site, typeset=False, **options))
        return visits[-1]

    yield start
    for each in visits:
        each.context.close()


def explorer_on(page, place=0):
    return page.locator("rsl-explorer").nth(place)


def drawn(explorer):
    """Return what an explorer shows: for each panel the background and the moving part."""
    return explorer.locator(".rsl-panels").evaluate(DRAWN)


def pictures_of(explorer, slider):
    """Return the pictures at four positions of a slider."""
    last = int(slider.get_attribute("max"))
    pictures = []
    for place in (0, 1, (last + 1) // 2, last):
        slider.fill(str(place))
        assert slider.get_attribute("aria-valuetext")
        pictures.append(drawn(explorer))
    return pictures


# --- every page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=tiers(PAGES, FEW))
def opened(request, browser, site):
    """Return a visit of each page, which the tests of this section share."""
    here = Visit(browser, site)
    here.open(request.param)
    here.name = request.param
    yield here
    here.context.close()


def violations(here, *rules):
    """Return what axe-core finds in a page. Colours of code are slow to check, so only one page includes them."""
    where = {"exclude": [[".highlight"]]} if here.name != FEW[0] else None
    options = {"runOnly": list(rules) or ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
    found = Axe().run(here.page, context=where, options=options).response["violations"]
    return [f"{it['id']}: {node['html'][:200]} {node['failureSummary']}" for it in found for node in it["nodes"]]


def test_page_opens_offline_without_errors_and_every_picture_has_an_alt_text(opened):
    assert not opened.problems
    for image in opened.page.locator("img").all():
        alt = image.get_attribute("alt")
        assert alt, image.get_attribute("src")[:80]
        assert not re.fullmatch(r"\S+\.(png|svg)", alt), "the alt text is only a file name"
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert not opened.page.locator("mjx-merror").count()
    assert opened.weight() <= HEAVIEST, f"{opened.weight():,} bytes"


def test_page_meets_wcag_aa_in_light_and_in_dark(opened):
    assert not violations(opened)
    if "/api/" in opened.name and opened.name != "book/api/modules":
        return  # all pages of the reference have the same colours
    opened.page.add_style_tag(content="* { transition: none !important; }")
    opened.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert not violations(opened, "color-contrast")


def test_page_fits_a_phone(opened):
    opened.page.set_viewport_size(PHONE)
    opened.page.wait_for_function(f"innerWidth === {PHONE['width']}")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    wide = "formula => formula.clientWidth > formula.parentElement.clientWidth"  # its end could not be reached
    assert not opened.page.locator("mjx-container[display]").evaluate_all(f"all => all.some({wide})")


@exhaustive
def test_every_link_to_another_page_finds_it(site):
    for file in (path for path in site.rglob("*.html") if "_static" not in path.parts):
        for address in re.findall(r'href="([^"#:]+)(?:#[^"]*)?"', file.read_text("utf-8")):
            assert (file.parent / urllib.parse.unquote(address.partition("?")[0])).exists(), f"{file.name}: {address}"


def test_every_public_name_is_in_the_reference(site):
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", posixpath.join)
    listed = {name for kind in inventory.values() for name in kind}
    assert not [name for name in EVERYTHING if ELSEWHERE.get(name, name) not in listed]


def test_search_finds_a_term_offline(visit):
    here = visit()
    page = here.open("search", "?q=welford")
    expect(page.locator("#search-results li").first).to_be_visible()
    assert not here.problems


# --- explorers without a kernel ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", tiers(LESSONS, FEW))
def test_every_control_of_every_explorer_moves_its_picture(visit, name):
    here = visit()
    page = here.open(name)
    assert page.locator("rsl-explorer").count()
    for explorer in page.locator("rsl-explorer").all():
        if (more := explorer.get_by_role("button", name="More panels")).is_visible():
            more.click()
        for slider in explorer.locator("input[type=range]").all():
            assert len(set(pictures_of(explorer, slider))) >= 3, slider.get_attribute(
                "id"
            )  # a crash shortens a training
        explorer.get_by_role("button", name="Reset").click()
        image, caption = explorer.get_by_role("img"), explorer.locator("figcaption")
        for choice in explorer.locator(".rsl-controls select").all():
            before = drawn(explorer)
            texts = choice.locator("option").all_text_contents()
            chosen = choice.evaluate("choice => choice.selectedIndex")
            choice.select_option(index=(chosen + 1) % len(texts))
            assert drawn(explorer) != before, texts
            assert image.get_attribute("aria-label") == caption.text_content()
        for switch in explorer.get_by_role("checkbox").all():
            before = drawn(explorer)
            switch.press("Space")
            assert drawn(explorer) != before
    assert not here.problems


@exhaustive
def test_keys_move_a_slider_and_update_the_caption(visit):
    page = visit().open("notebooks/4_normalization")
    explorer = explorer_on(page)
    slider, caption = explorer.get_by_role("slider", name="samples seen", exact=True), explorer.locator("figcaption")
    for key in ("Home", "ArrowRight", "End"):
        before = caption.text_content()
        slider.press(key)
        expect(caption).not_to_have_text(before)
        seen = slider.get_attribute("aria-valuetext")
        expect(caption).to_contain_text(f"After {int(seen):,} samples")
        expect(explorer.get_by_role("img")).to_have_attribute("aria-label", caption.text_content())
    assert explorer.locator(".rsl-title").get_attribute("role") == "status"


@exhaustive
def test_page_and_live_explorer_have_the_same_texts_for_a_state(visit):
    page = visit().open("notebooks/4_normalization")
    explorer = explorer_on(page)
    explorer.get_by_label("merge", exact=True).select_option("no shift term")
    explorer.get_by_label("batch size").select_option("1")
    explorer.get_by_role("slider", name="samples seen", exact=True).press("End")
    live = explorers.Stream(merge="no shift", batch=1, seen=2048)
    expect(explorer.locator("figcaption")).to_have_text(live.describe(live.compute(live.at())))
    expect(explorer.locator(".rsl-title")).to_have_text(live.title(live.compute(live.at())))


@pytest.mark.parametrize("name", tiers(LESSONS, FEW))
def test_handles_and_look_closer_work_without_a_kernel(visit, name):
    page = visit().open(name)
    for explorer in page.locator("rsl-explorer").all():
        for handle in explorer.locator(".rsl-grip:visible").all():
            value = handle.get_attribute("aria-valuetext")
            handle.focus()
            for key in ("End", "Home"):
                before = drawn(explorer)
                page.keyboard.press(key)
            assert handle.get_attribute("aria-valuetext") != value or drawn(explorer) != before
            explorer.get_by_role("button", name="Reset").click()
        closer = explorer.get_by_label("Look closer:")
        names = [text for text in closer.locator("option").all_text_contents() if text][1:]
        assert names
        for spot in (names[0], names[-1]):
            closer.select_option(spot)
            expect(explorer.locator(".rsl-numbers")).to_contain_text(spot)
        assert explorer.locator(".rsl-lit").count()


@exhaustive
def test_moving_a_handle_stops_playback(visit):
    page = visit(reduced_motion="reduce").open("notebooks/6_policy")
    figure = page.get_by_role("group", name="StickFigure").first
    slider = figure.get_by_role("slider", name="step", exact=True)
    play = figure.get_by_role("button", name="play: step")
    handle = figure.locator(".rsl-grip:visible").first
    slider.press("Home")
    play.click()
    page.wait_for_function("slider => slider.value > 2", arg=slider.element_handle())
    handle.press("Home")
    expect(play).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(800)
    assert slider.input_value() == "0"


@exhaustive
def test_holding_a_slider_stops_playback(visit):
    page = visit(reduced_motion="reduce").open("notebooks/6_policy")
    figure = page.get_by_role("group", name="StickFigure").first
    slider = figure.get_by_role("slider", name="step", exact=True)
    play = figure.get_by_role("button", name="play: step")
    play.click()
    # On its thumb, where nothing else reacts; in one call, because playback may end before the next one.
    held = "slider => slider.value > 2 && (slider.dispatchEvent(new Event('pointerdown')), true)"
    page.wait_for_function(held, arg=slider.element_handle())
    assert play.get_attribute("aria-pressed") == "false"
    assert slider.input_value() != slider.get_attribute("max")  # where playback would have ended


@exhaustive
def test_show_me_stops_playback(visit):
    page = visit(reduced_motion="reduce").open("notebooks/6_policy")
    figure = page.get_by_role("group", name="StickFigure").first
    slider = figure.get_by_role("slider", name="step", exact=True)
    play = figure.get_by_role("button", name="play: step")
    form = page.get_by_role("group", name="Predict first")
    form.get_by_role("textbox").first.press_sequentially("30")
    form.get_by_role("textbox").first.press("Enter")
    form.get_by_role("button", name="Show me").first.click()
    told = slider.input_value()
    slider.press("Home")
    play.click()
    page.wait_for_function("slider => slider.value > 0", arg=slider.element_handle())
    form.get_by_role("button", name="Show me").first.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    assert slider.input_value() == told != "0"


class Finger:
    """A finger on a page in Chromium with a touch screen."""

    def __init__(self, page):
        self._send = page.context.new_cdp_session(page).send

    def goes(self, x, y, across, down):
        """Put the finger down, move it in twenty steps, and lift it."""
        self._at("touchStart", x, y)
        for step in range(1, 21):
            self._at("touchMove", x + across * step / 20, y + down * step / 20)
        self._send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _at(self, kind, x, y):
        self._send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})


@pytest.mark.parametrize(
    ("name", "label"),
    [pytest.param("notebooks/6_policy", "step", marks=exhaustive), ("notebooks/3_rnn", "time step")],
)
def test_finger_drags_a_handle_taps_a_spot_and_scrolls_over_a_picture(visit, name, label):
    page = visit(reduced_motion="reduce", has_touch=True, is_mobile=True, viewport=PHONE).open(name)
    explorer, finger = explorer_on(page), Finger(page)
    slider = explorer.get_by_role("slider", name=label, exact=True)
    slider.press("Home")
    knob = explorer.locator(".rsl-grip:visible circle").first
    knob.evaluate("knob => knob.scrollIntoView({ block: 'center', behavior: 'instant' })")
    middle = lambda: [(box := knob.bounding_box())["x"] + box["width"] / 2, box["y"] + box["height"] / 2]  # noqa: E731
    x, y = middle()
    finger.goes(x, y, 80, 0)
    assert middle() == pytest.approx([x + 80, y], abs=NEAR)
    x, y = middle()
    page.touchscreen.tap(x - 50, y - 75)  # far enough from other handles
    assert middle() == pytest.approx([x - 50, y], abs=NEAR)
    put, scrolled = slider.input_value(), page.evaluate("scrollY")
    x, y = middle()
    finger.goes(x + 40, y - 50, 0, -120)
    page.wait_for_function("before => scrollY > before + 40", arg=scrolled)
    assert slider.input_value() == put


@exhaustive
def test_figure_that_was_moved_does_not_start_to_play_when_it_comes_into_view(visit):
    page = visit(viewport={"width": 1280, "height": 300}).open("notebooks/6_policy")
    figure = page.get_by_role("group", name="StickFigure").first
    slider = figure.get_by_role("slider", name="step", exact=True)
    slider.evaluate("slider => slider.focus({ preventScroll: true })")
    page.keyboard.press("End")
    last = slider.input_value()
    figure.locator("figure").scroll_into_view_if_needed()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(800)
    assert slider.input_value() == last


@exhaustive
def test_dragging_a_peak_moves_the_slider(visit):
    page = visit().open("notebooks/5_distributions")
    explorer = page.get_by_role("group", name="Divergence")
    slider = explorer.get_by_role("slider", name="new mean", exact=True)
    handle = explorer.locator(".rsl-grip[aria-label='drag: new mean'] circle").first
    handle.scroll_into_view_if_needed()
    value, box = slider.input_value(), handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 120, box["y"] + 30, steps=5)
    page.mouse.up()
    assert int(slider.input_value()) < int(value)


@exhaustive
def test_combination_that_is_not_drawn_is_replaced_with_a_message(visit):
    page = visit().open("notebooks/4_normalization")
    explorer = explorer_on(page)
    merge = explorer.get_by_label("merge", exact=True)
    shift = explorer.get_by_label("shift at sample (0: never)", exact=True)
    merge.select_option("last batch only")
    shift.press("Home")
    expect(shift).to_have_value("0")
    assert merge.locator("option:checked").text_content() == "Chan: right"
    expect(explorer.locator(".rsl-note")).to_contain_text("it also changed: merge")


@exhaustive
def test_fixed_controls_are_named_and_the_notebook_is_linked(visit, site):
    page = visit().open("notebooks/1_mlp")
    rest = explorer_on(page).locator(".rsl-rest")
    expect(rest).to_contain_text("Fixed on this page: width 64, seed 0.")
    address = rest.get_by_role("link").evaluate("link => link.href")
    assert json.loads(Path(urllib.parse.unquote(address[7:])).read_text("utf-8"))["nbformat"] == 4


PLAY_AND_PAUSE = """([slider, play]) => new Promise(done => {
  new MutationObserver((_, observer) => {
    if (slider.value < 3) return;
    observer.disconnect();
    play.click();
    done();
  }).observe(slider, { attributeFilter: ["aria-valuetext"] });
  play.click();
})"""


def test_play_reset_and_compare_work(visit):
    page = visit().open("notebooks/3_rnn")
    explorer = explorer_on(page)
    slider = explorer.get_by_role("slider", name="time step", exact=True)
    start = slider.input_value()
    slider.press("Home")
    play = explorer.get_by_role("button", name="play: time step")
    # Press again at a step before the next one: after the last step, playback would start again.
    page.evaluate(PLAY_AND_PAUSE, [slider.element_handle(), play.element_handle()])
    assert play.get_attribute("aria-pressed") == "false"
    stopped = slider.input_value()
    page.wait_for_timeout(800)
    assert slider.input_value() == stopped
    explorer.get_by_role("button", name="Reset").click()
    assert slider.input_value() == start
    before = drawn(explorer)
    explorer.get_by_role("button", name="Compare").click()
    slider.press("Home")
    expect(explorer.get_by_text("pinned: ").first).to_be_visible()
    ghosts = explorer.locator('g[opacity="0.35"]')
    assert ghosts.locator("path, use").count()
    assert not ghosts.locator("text").count()  # texts leave no ghosts
    explorer.get_by_role("button", name="Reset").click()
    expect(explorer.get_by_text("pinned: ")).to_have_count(0)
    assert drawn(explorer) == before


def test_pictures_follow_the_theme_of_the_page(visit):
    page = visit(color_scheme="dark").open("notebooks/3_rnn")
    explorer = explorer_on(page)
    assert "#111111" in drawn(explorer)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    panels = explorer.locator(".rsl-panels").element_handle()
    page.wait_for_function(f"panels => !({DRAWN})(panels).includes('#111111')", arg=panels)


@exhaustive
def test_verdict_is_legible_on_a_page_that_opens_in_the_dark_theme(visit):
    page = visit(color_scheme="dark").open("notebooks/6_policy")
    verdict = page.locator("div.cell_output .text_html:has(pre)").first
    ground = verdict.evaluate("part => getComputedStyle(part).backgroundColor")
    assert ground == "rgba(0, 0, 0, 0)"
    words = page.locator("article p").first.evaluate("part => getComputedStyle(part).color")
    for part in ("b", "pre"):
        assert verdict.locator(part).evaluate("part => getComputedStyle(part).color") == words


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_printed_page_shows_pictures_and_complete_code_on_a_light_background_without_buttons(visit, theme):
    page = visit(color_scheme=theme).open("notebooks/3_rnn")
    page.emulate_media(media="print", color_scheme=theme)
    seen = "found => found.filter(each => each.checkVisibility()).map(each => each.outerHTML.slice(0, 80))"
    controls = "button, input, select, .rsl-controls, [role=toolbar], .prev-next-footer"
    assert page.locator("css=" + controls).evaluate_all(seen) == []
    for kept in ("rsl-explorer .rsl-title", "rsl-explorer figcaption", "rsl-quiz legend", "img[src$='.svg']"):
        found = page.locator(kept)
        assert found.count()
        assert len(found.evaluate_all(seen)) == found.count(), kept
    code = page.locator(".cell_input pre")
    wide = "found => found.filter(each => each.scrollWidth > each.clientWidth + 1).length"
    assert code.evaluate_all(wide) == 0, "a line of code is cut off"
    breaks = "found => [...new Set(found.map(each => getComputedStyle(each).breakInside))]"
    assert page.locator(".cell_input, .cell_input pre, rsl-explorer figure").evaluate_all(breaks) == ["avoid"]
    ink = page.locator(".bd-article p").first.evaluate("each => getComputedStyle(each).color")
    assert max(int(channel) for channel in re.findall(r"\d+", ink)[:3]) < 80
    opening = page.locator("img[src$='.svg']").evaluate("image => getComputedStyle(image).filter")
    assert opening.startswith("invert(1)"), "the picture has a dark background"


@exhaustive
def test_prediction_appears_under_the_next_explorer(visit):
    page = visit().open("notebooks/4_normalization")
    quizzes, second = page.locator("rsl-quiz"), explorer_on(page, 1)
    number = quizzes.nth(1).get_by_role("textbox")
    number.fill("-3")
    number.press("Enter")
    expect(quizzes.nth(1).get_by_role("status").first).to_have_text("expected a number from 0.001 to 1000000, got -3")
    expect(second.locator(".rsl-answers li")).to_have_count(0)
    number.fill("120,5")
    number.press("Enter")
    quizzes.nth(1).get_by_role("radio").last.check()
    expect(second.locator(".rsl-answers li")).to_have_count(2)
    expect(second.locator(".rsl-answers li").first).to_contain_text("120.5")
    expect(explorer_on(page, 0).locator(".rsl-answers li")).to_have_count(0)


@exhaustive
def test_page_without_javascript_shows_the_default_picture_with_its_texts(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "notebooks" / "5_distributions.html").as_uri())
    for explorer in page.locator("rsl-explorer").all():
        image = explorer.locator("img")
        assert image.bounding_box()["height"] > 200
        assert image.get_attribute("alt") == explorer.locator("figcaption").text_content()
    assert page.locator("rsl-quiz li").count() > 3
    context.close()


@pytest.mark.parametrize("name", tiers(LESSONS, FEW))
def test_page_links_to_colab_and_hides_the_installation_cell(site, name):
    text = (site / f"{name}.html").read_text("utf-8")
    assert f'/{name}.ipynb">Open in Colab</a>' in text
    assert "find_spec" not in text


@pytest.mark.parametrize(
    ("name", "lesson"),
    [
        pytest.param(name, lesson, marks=[] if LESSONS[lesson] in FEW else [exhaustive])
        for name, lesson in (
            *(("Signal", 0), ("Features", 1), ("Memory", 2), ("Stream", 3), ("Rewards", 3)),
            *(("Divergence", 4), ("StdTraining", 4), ("HeteroscedasticFit", 4), ("AdaptiveRate", 4)),
        )
    ],
)
def test_pictures_drawn_in_another_process_have_the_same_bytes(site, name, lesson):
    text = (site / f"{LESSONS[lesson]}.html").read_text("utf-8")
    pages = map(json.loads, re.findall(r'<script type="application/json">(\{.*?\})</script>', text))
    drawn = next(page["drawn"] for page in pages if page.get("spec", {}).get("name") == name)
    stored = json.loads(zlib.decompress(base64.b64decode(drawn)))
    for place in (0, len(stored["frames"]) // 2, -1):
        told = stored["frames"][place]
        panels = [*told["grounds"], *told["moving"]]
        svg = ["".join(stored["elements"][element] for element in panel) for panel in panels]
        explorer = getattr(explorers, name).from_state(told["state"])
        field = next(iter(explorer.controls))
        (frame,) = explorer.frames(**{field: [getattr(explorer.start, field)]})
        assert (frame.title, frame.caption) == (told["title"], told["caption"])
        assert [*frame.grounds, *frame.moving] == svg


# --- these tests can fail --------------------------------------------------------------------------------------------


def test_frozen_picture_is_detected(visit, site):
    here = visit()
    frozen = (site / "_static" / "explorers.js").read_text("utf-8").replace("it.layers[j].innerHTML =", "void")
    here.context.route("**/explorers.js*", lambda route: route.fulfill(body=frozen, content_type="text/javascript"))
    page = here.open("notebooks/3_rnn")
    assert len(set(pictures_of(explorer_on(page), page.get_by_role("slider", name="time step", exact=True)))) == 1


@pytest.mark.parametrize(
    "tag",
    ['<script src="https://cdn.example.org/x.js"></script>', '<link rel="stylesheet" href="//example.org/x.css">'],
)
def test_link_to_a_cdn_is_detected(visit, tag):
    here = visit()
    page = here.open("book/glossary")
    with page.expect_event("requestfailed"):
        page.evaluate("tag => document.head.append(document.createRange().createContextualFragment(tag))", tag)
    assert here.problems


def test_widget_without_html_form_is_detected(site, tmp_path):
    namespace = runpy.run_path(str(ROOT / "book" / "build.py"), run_name="build")
    assert not namespace["dead_widgets"](site)
    page = tmp_path / "lesson.html"
    page.write_text('<script type="application/vnd.jupyter.widget-view+json">{}</script>', "utf-8")
    assert namespace["dead_widgets"](tmp_path) == [page]
