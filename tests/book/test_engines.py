"""Explorers in pages without a kernel, in the engines of Firefox and Safari; `test_site.py` tests Chromium."""

import os
import time

import engines
import numpy as np
import patience
import pytest
from tiers import tiers

from rsl_edu import explorers
from rsl_edu.explorers.bench import static_page
from rsl_edu.explorers.bench.drawing import Drawing

ARROW_RIGHT, ARROW_LEFT = "\ue014", "\ue012"
WATCH = """<head><script>
window.problems = [];
for (const event of ["error", "unhandledrejection", "securitypolicyviolation"])
  addEventListener(event, (it) => problems.push(it.message ?? it.violatedDirective ?? String(it.reason)), true);
console.error = (...words) => problems.push(words.join(" "));
const asked = window.matchMedia.bind(window);
window.matchMedia = (query) => (query.includes("reduced-motion") ? { matches: true } : asked(query));
</script>"""
"""Script that records the errors of a page from the start, and prevents animations while keys are tested."""
READY = """
const ready = () => document.querySelector("rsl-explorer").dataset.ready !== undefined;
while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20));
return true;"""
CONTROL = """
const explorer = document.querySelector("rsl-explorer");
const control = explorer.querySelector(".rsl-controls input[type=range], .rsl-controls select");"""
READ = f"""{CONTROL}
const words = explorer.querySelector("[role=img]").getAttribute("aria-label");
return [control.value, explorer.querySelector("figcaption").textContent, words, problems];"""
FOCUS = f"""{CONTROL}
control.focus();
return [document.activeElement === control, control.value === control.min];"""
PICTURE = "rsl-explorer .rsl-panels"
DARK = "document.documentElement.dataset.theme = 'dark';"

pytestmark = pytest.mark.slow
FIRST = {"Stream"}  # it has all kinds of controls


def few(explorer):
    """Return the frames at four positions of the first slider, or at two options of the first list."""
    states = explorer.swept_states()
    positions = {name: list(dict.fromkeys(getattr(state, name) for state in states)) for name in explorer.controls}
    sliders = [name for name, at in positions.items() if explorer.controls[name].choices is None and len(at) > 3]
    name = next(iter(sliders), None) or next(name for name, at in positions.items() if len(at) > 1)
    present = getattr(explorer.at(), name)
    others = [value for value in positions[name] if value != present]
    return explorer.frames(**{name: sorted([present, *others[:: max(1, len(others) // 3)][:3]])})


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return a function that gives the address of an explorer's page, which every engine opens."""
    folder = tmp_path_factory.mktemp("engines")

    def element(explorer):
        return static_page.explorer_html(explorer, Drawing(explorer).panels, few(explorer), notebook="")

    def page(name):
        file = folder / f"{name}.html"
        if not file.exists():
            explorer = getattr(explorers, name)()
            text = static_page.document(name, element(explorer))
            file.write_text(text.replace("<head>", WATCH, 1), "utf-8")
        return file.as_uri()

    return page


@pytest.fixture(scope="module", params=["Firefox", "WebKit"])
def engine(request):
    """Return one browser for all explorers. If it is missing, skip with instructions, or fail if CI=true."""
    try:
        browser = getattr(engines, request.param)()
    except engines.MissingError as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    yield browser
    browser.close()


def photographed(engine, right):
    """Return the picture once ``right`` is true for it, because changes are painted a little later."""
    end = time.monotonic() + patience.SECONDS
    while not right(pixels := engines.photograph(engine, PICTURE)):
        assert time.monotonic() < end, f"{pixels.shape}, ground {ground(pixels)}"
    return pixels


def ground(pixels):
    return pixels[3, 3, :3].mean()


@pytest.mark.parametrize("name", tiers(explorers.EXPLORERS, FIRST))
def test_explorer_opens_reacts_to_controls_and_has_a_dark_theme(engine, pages, name):
    engine.open(pages(name))
    engine.run(READY)
    light = photographed(engine, lambda pixels: ground(pixels) > 0.9 and pixels.std() > 0.01)
    value, caption, words, problems = engine.run(READ)
    assert not problems
    assert words

    focused, at_start = engine.run(FOCUS)
    assert focused
    engine.press(ARROW_RIGHT if at_start else ARROW_LEFT)  # at the right end there may be a crash
    value_after, caption_after, words_after, _ = engine.run(READ)
    assert value_after != value, "the key did not reach the control"
    assert caption_after != caption
    assert words_after != words
    photographed(engine, lambda pixels: not np.array_equal(pixels, light))

    engine.run(DARK)
    photographed(engine, lambda pixels: ground(pixels) < 0.3)
    assert not engine.run(READ)[-1]
